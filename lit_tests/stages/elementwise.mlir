// Values used twice are computed once; what several functions read is read once; constants are no memory.
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize" | filecheck %s --check-prefix=BEFORE
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions" \
// RUN:   | filecheck %s --check-prefix=FUSED

// BEFORE-LABEL:   func.func @diamond
// BEFORE-COUNT-5: weld.generic

// FUSED-LABEL: func.func @diamond
// FUSED:       weld.generic over "n" gives "write d0", "write d0" {
// FUSED-NEXT:    %[[X:.*]] = weld.load %x "d0"
// FUSED-NEXT:    %[[E:.*]] = weld.exp %[[X]]
// FUSED:         weld.mul %[[E]], %[[E]]
// FUSED-NEXT:    weld.sin %[[E]]
// FUSED-NOT:     weld.exp
// FUSED-NOT:     weld.load
// FUSED-NOT:   weld.generic
// FUSED:       func.return
func.func @diamond(%x: tensor<?xf32, #weld.dims<"n">>) -> (tensor<?xf32, #weld.dims<"n">>, tensor<?xf32, #weld.dims<"n">>) {
  %half = weld.constant 0.5 : tensor<?xf32, #weld.dims<"n">>
  %e = weld.exp %x : tensor<?xf32, #weld.dims<"n">>
  %s = weld.sin %e : tensor<?xf32, #weld.dims<"n">>
  %t = weld.mul %s, %half : tensor<?xf32, #weld.dims<"n">>
  %c = weld.add %e, %t : tensor<?xf32, #weld.dims<"n">>
  %d = weld.mul %e, %e : tensor<?xf32, #weld.dims<"n">>
  func.return %c, %d : tensor<?xf32, #weld.dims<"n">>, tensor<?xf32, #weld.dims<"n">>
}

// FUSED-LABEL: func.func @siblings
// FUSED-NEXT:    weld.generic over "n" gives "write d0", "write d0", "sum" {
// FUSED-COUNT-1:   weld.load %x "d0"
// FUSED-NOT:       weld.load %x
// FUSED-NOT:     weld.generic
// FUSED:         func.return
func.func @siblings(%x: tensor<?xf32, #weld.dims<"n">>) -> (tensor<?xf32, #weld.dims<"n">>, tensor<?xi1, #weld.dims<"n">>, tensor<f32>) {
  %zero = weld.constant 0.0 : tensor<?xf32, #weld.dims<"n">>
  %a = weld.tanh %x : tensor<?xf32, #weld.dims<"n">>
  %b = weld.gt %x, %zero : tensor<?xf32, #weld.dims<"n">>
  %s = "weld.sum"(%x) <{axes = array<i64: 0>}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<f32>
  func.return %a, %b, %s : tensor<?xf32, #weld.dims<"n">>, tensor<?xi1, #weld.dims<"n">>, tensor<f32>
}
