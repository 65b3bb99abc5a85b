// Shifted reads of one array: differences of slices, a roll, a join that is reduced. No copy, and no load outside.
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize" | filecheck %s --check-prefix=BEFORE
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions" \
// RUN:   | filecheck %s --check-prefix=FUSED

// BEFORE-LABEL: func.func @difference
// FUSED-LABEL:  func.func @difference
// FUSED:          weld.generic over "n - 1" gives "write d0" {
// FUSED-DAG:        weld.load %x "d0 + 1"
// FUSED-DAG:        weld.load %x "d0"
// FUSED-NOT:      weld.generic
// FUSED:          func.return
func.func @difference(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n - 1">> {
  %a = "weld.slice"(%x) <{start = #weld.dims<"1">, size = #weld.dims<"n - 1">, step = #weld.dims<"1">}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n - 1">>
  %b = "weld.slice"(%x) <{start = #weld.dims<"0">, size = #weld.dims<"n - 1">, step = #weld.dims<"1">}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n - 1">>
  %d = weld.sub %a, %b : tensor<?xf32, #weld.dims<"n - 1">>
  func.return %d : tensor<?xf32, #weld.dims<"n - 1">>
}

// The sine of each element is computed once on either side of the seam: the two loads exclude each other.
// BEFORE-LABEL:   func.func @roll
// BEFORE-COUNT-3: weld.generic
// FUSED-LABEL:    func.func @roll
// FUSED:            weld.generic over "n" gives "write d0" {
// FUSED-DAG:          weld.load %x "d0 + n - 3 if -d0 + 2 >= 0"
// FUSED-DAG:          weld.load %x "d0 - 3 if d0 - 3 >= 0"
// FUSED-NOT:        weld.generic
// FUSED:            func.return
func.func @roll(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">> {
  %s = weld.sin %x : tensor<?xf32, #weld.dims<"n">>
  %a = "weld.slice"(%s) <{start = #weld.dims<"n - 3">, size = #weld.dims<"3">, step = #weld.dims<"1">}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<3xf32>
  %b = "weld.slice"(%s) <{start = #weld.dims<"0">, size = #weld.dims<"n - 3">, step = #weld.dims<"1">}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n - 3">>
  %r = "weld.concat"(%a, %b) <{axis = 0 : i64}> : (tensor<3xf32>, tensor<?xf32, #weld.dims<"n - 3">>) -> tensor<?xf32, #weld.dims<"n">>
  %e = weld.exp %r : tensor<?xf32, #weld.dims<"n">>
  func.return %e : tensor<?xf32, #weld.dims<"n">>
}

// FUSED-LABEL: func.func @join_and_sum
// FUSED:         weld.generic over "n, 24" gives "sum d0" {
// FUSED-DAG:       weld.load %x "d0, d1 if -d1 + 7 >= 0"
// FUSED-DAG:       weld.load %y "d0, d1 - 8 if d1 - 8 >= 0"
// FUSED-NOT:     weld.generic
// FUSED:         func.return
func.func @join_and_sum(%x: tensor<?x8xf32, #weld.dims<"n, 8">>, %y: tensor<?x16xf32, #weld.dims<"n, 16">>) -> tensor<?xf32, #weld.dims<"n">> {
  %j = "weld.concat"(%x, %y) <{axis = 1 : i64}> : (tensor<?x8xf32, #weld.dims<"n, 8">>, tensor<?x16xf32, #weld.dims<"n, 16">>) -> tensor<?x24xf32, #weld.dims<"n, 24">>
  %s = "weld.sum"(%j) <{axes = array<i64: 1>}> : (tensor<?x24xf32, #weld.dims<"n, 24">>) -> tensor<?xf32, #weld.dims<"n">>
  func.return %s : tensor<?xf32, #weld.dims<"n">>
}
