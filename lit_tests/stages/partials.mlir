// Sums of a value over any axes are taken where it is produced, whether it is stored or not.
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize" | filecheck %s --check-prefix=BEFORE
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions" \
// RUN:   | filecheck %s --check-prefix=FUSED

// BEFORE-LABEL:   func.func @stored
// BEFORE-COUNT-4: weld.generic
// FUSED-LABEL: func.func @stored
// FUSED:         weld.generic over "n, m" gives "write d0, d1", "sum d1", "max d0", "sum" {
// FUSED-COUNT-1:   weld.load %x
// FUSED-COUNT-1:   weld.tanh
// FUSED-NOT:     weld.generic
// FUSED:         func.return
func.func @stored(%x: tensor<?x?xf32, #weld.dims<"n, m">>) -> (tensor<?x?xf32, #weld.dims<"n, m">>, tensor<?xf32, #weld.dims<"m">>, tensor<?xf32, #weld.dims<"n">>, tensor<f32>) {
  %y = weld.tanh %x : tensor<?x?xf32, #weld.dims<"n, m">>
  %c = "weld.sum"(%y) <{axes = array<i64: 0>}> : (tensor<?x?xf32, #weld.dims<"n, m">>) -> tensor<?xf32, #weld.dims<"m">>
  %r = "weld.reduce_max"(%y) <{axes = array<i64: 1>}> : (tensor<?x?xf32, #weld.dims<"n, m">>) -> tensor<?xf32, #weld.dims<"n">>
  %s = "weld.sum"(%y) <{axes = array<i64: 0, 1>}> : (tensor<?x?xf32, #weld.dims<"n, m">>) -> tensor<f32>
  func.return %y, %c, %r, %s : tensor<?x?xf32, #weld.dims<"n, m">>, tensor<?xf32, #weld.dims<"m">>, tensor<?xf32, #weld.dims<"n">>, tensor<f32>
}

// FUSED-LABEL: func.func @never_stored
// FUSED:         weld.generic over "n, m" gives "sum d1", "sum d0" {
// FUSED-COUNT-1:   weld.tanh
// FUSED-NOT:     weld.generic
// FUSED:         func.return
func.func @never_stored(%x: tensor<?x?xf32, #weld.dims<"n, m">>) -> (tensor<?xf32, #weld.dims<"m">>, tensor<?xf32, #weld.dims<"n">>) {
  %y = weld.tanh %x : tensor<?x?xf32, #weld.dims<"n, m">>
  %c = "weld.sum"(%y) <{axes = array<i64: 0>}> : (tensor<?x?xf32, #weld.dims<"n, m">>) -> tensor<?xf32, #weld.dims<"m">>
  %r = "weld.sum"(%y) <{axes = array<i64: 1>}> : (tensor<?x?xf32, #weld.dims<"n, m">>) -> tensor<?xf32, #weld.dims<"n">>
  func.return %c, %r : tensor<?xf32, #weld.dims<"m">>, tensor<?xf32, #weld.dims<"n">>
}

// Pairs of a row and a column are reduced as they are made: no tensor of n by m.
// FUSED-LABEL: func.func @pairs
// FUSED:         weld.generic over "n, m" gives "max d0" {
// FUSED-DAG:       weld.load %x "d0"
// FUSED-DAG:       weld.load %y "d1"
// FUSED-NOT:     weld.generic
// FUSED:         func.return
func.func @pairs(%x: tensor<?xf32, #weld.dims<"n">>, %y: tensor<?xf32, #weld.dims<"m">>) -> tensor<?xf32, #weld.dims<"n">> {
  %a = "weld.broadcast"(%x) <{axes = array<i64: 0>, shape = #weld.dims<"n, m">}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?x?xf32, #weld.dims<"n, m">>
  %b = "weld.broadcast"(%y) <{axes = array<i64: 1>, shape = #weld.dims<"n, m">}> : (tensor<?xf32, #weld.dims<"m">>) -> tensor<?x?xf32, #weld.dims<"n, m">>
  %d = weld.sub %a, %b : tensor<?x?xf32, #weld.dims<"n, m">>
  %q = weld.mul %d, %d : tensor<?x?xf32, #weld.dims<"n, m">>
  %s = "weld.reduce_max"(%q) <{axes = array<i64: 1>}> : (tensor<?x?xf32, #weld.dims<"n, m">>) -> tensor<?xf32, #weld.dims<"n">>
  func.return %s : tensor<?xf32, #weld.dims<"n">>
}
