// The greatest and the mean of |x|, the mean of x * x and the place of the greatest x: one walk over x, no memory between.
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions" \
// RUN:   | filecheck %s --check-prefix=FUSED
// RUN: loopweld-opt %s --verify-each -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions,form-kernels,lower-to-loops{vector-bits=512}" \
// RUN:   | filecheck %s --check-prefix=LOOPS

// FUSED-LABEL: func.func @main
// FUSED:       weld.generic over "n, m" gives "max", "sum", "sum", "argmax" {
// FUSED-NEXT:    %[[X:.*]] = weld.load %x "d0, d1"
// FUSED-NEXT:    %[[A:.*]] = weld.abs %[[X]]
// FUSED-NOT:     weld.load
// FUSED:         weld.yield %[[A]], %[[A]],
// FUSED:       func.return

// The arena holds the value at the place of the greatest; the array is read where the loop is whole, and in its rest.
// LOOPS:         loop.arena = ["4 bytes"]
// LOOPS-COUNT-2: loop.load %x
// LOOPS-NOT:     loop.load %x
// LOOPS:         loop.reduce "max"
// LOOPS:         loop.reduce "sum"
// LOOPS:         loop.reduce "sum"
// LOOPS:         loop.reduce "argmax"
// LOOPS:         func.func @main
func.func @main(%x: tensor<?x?xf32, #weld.dims<"n, m">>) -> (tensor<f32>, tensor<f32>, tensor<f32>, tensor<i64>) {
  %a = weld.abs %x : tensor<?x?xf32, #weld.dims<"n, m">>
  %q = weld.mul %x, %x : tensor<?x?xf32, #weld.dims<"n, m">>
  %top = "weld.reduce_max"(%a) <{axes = array<i64: 0, 1>}> : (tensor<?x?xf32, #weld.dims<"n, m">>) -> tensor<f32>
  %total = "weld.sum"(%a) <{axes = array<i64: 0, 1>}> : (tensor<?x?xf32, #weld.dims<"n, m">>) -> tensor<f32>
  %squares = "weld.sum"(%q) <{axes = array<i64: 0, 1>}> : (tensor<?x?xf32, #weld.dims<"n, m">>) -> tensor<f32>
  %place = "weld.argmax"(%x) <{axes = array<i64: 0, 1>}> : (tensor<?x?xf32, #weld.dims<"n, m">>) -> tensor<i64>
  func.return %top, %total, %squares, %place : tensor<f32>, tensor<f32>, tensor<f32>, tensor<i64>
}
