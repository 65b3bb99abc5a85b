// Cross entropy of integer labels: loss and gradient from one kernel; the gather of the labels stays inside the row.
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions" \
// RUN:   | filecheck %s --check-prefix=FUSED
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions,form-kernels" \
// RUN:   | filecheck %s --check-prefix=KERNELS
// RUN: loopweld-opt %s --verify-each -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions,form-kernels,lower-to-loops{vector-bits=512},annotate-alias-scopes" \
// RUN:   | filecheck %s --check-prefix=LOOPS

// FUSED-COUNT-4: weld.generic over
// FUSED-NOT:   weld.generic
// FUSED:       func.return %loss, %dx

// KERNELS:     weld.kernel @{{.*}} outer 1 after 0 {
// KERNELS:       weld.generic over "n, 1000" gives "max d0" {
// KERNELS:       weld.generic over "n, 1000" gives "write d0, d1", "sum d0" {
// KERNELS:       weld.generic over "n" gives "sum" {
// KERNELS:         weld.load %x, {{.*}} "d0, i0"
// KERNELS:       weld.generic over "n, 1000" gives "write d0, d1" {
// KERNELS-NOT:     weld.load %x
// KERNELS:         weld.index "d1"
// KERNELS:         weld.load %label "d0"
// KERNELS:         weld.eq
// KERNELS-NOT: weld.generic

// One row of exponentials, and the loss of the rows so far; neither one-hot labels nor softmax are stored.
// LOOPS:       loop.arena = ["4000 bytes", "8 bytes"]
// LOOPS:       loop.for {{.*}} step 1 "d0" {
// LOOPS-COUNT-2: loop.for {{.*}} "{{d1( rest)?}}" {
// LOOPS:         loop.reduce "max"
// LOOPS-COUNT-2: loop.for {{.*}} "{{d1( rest)?}}" {
// LOOPS:         loop.reduce "sum"
// LOOPS:         loop.load %x[%{{[0-9]+}}] if %{{[0-9]+}} {scope = "inputs", {{.*}}} : !loop.buffer<f32>, i64, i1 -> f32
// LOOPS:         loop.store "set" {{.*}} to %loss
// LOOPS-COUNT-2: loop.for {{.*}} "{{d1( rest)?}}" {
// LOOPS-NOT:   loop.for {{.*}} "d
// LOOPS:       func.func @main
func.func @main(%x: tensor<?x1000xf32>, %label: tensor<?xi64>) -> (tensor<f32>, tensor<?x1000xf32>) {
  %max = "weld.reduce_max"(%x) <{axes = array<i64: 1>}> : (tensor<?x1000xf32>) -> tensor<?xf32>
  %max_row = "weld.broadcast"(%max) <{axes = array<i64: 0>, shape = #weld.dims<"n, 1000">}> : (tensor<?xf32>) -> tensor<?x1000xf32>
  %shifted = weld.sub %x, %max_row : tensor<?x1000xf32>
  %e = weld.exp %shifted : tensor<?x1000xf32>
  %sum = "weld.sum"(%e) <{axes = array<i64: 1>}> : (tensor<?x1000xf32>) -> tensor<?xf32>
  // The loss: log(sum) + max - x[i, label[i]], summed over the rows.
  %row = "weld.iota"() <{axis = 0 : i64, shape = #weld.dims<"n">}> : () -> tensor<?xi64>
  %picked = "weld.gather"(%x, %row, %label) <{axes = array<i64: 0, 1>, at = 0 : i64}> : (tensor<?x1000xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<?xf32>
  %log = weld.log %sum : tensor<?xf32>
  %lse = weld.add %log, %max : tensor<?xf32>
  %losses = weld.sub %lse, %picked : tensor<?xf32>
  %loss = "weld.sum"(%losses) <{axes = array<i64: 0>}> : (tensor<?xf32>) -> tensor<f32>
  // The gradient: softmax less the one-hot labels.
  %sum_row = "weld.broadcast"(%sum) <{axes = array<i64: 0>, shape = #weld.dims<"n, 1000">}> : (tensor<?xf32>) -> tensor<?x1000xf32>
  %p = weld.div %e, %sum_row : tensor<?x1000xf32>
  %class = "weld.iota"() <{axis = 1 : i64, shape = #weld.dims<"n, 1000">}> : () -> tensor<?x1000xi64>
  %label_row = "weld.broadcast"(%label) <{axes = array<i64: 0>, shape = #weld.dims<"n, 1000">}> : (tensor<?xi64>) -> tensor<?x1000xi64>
  %is_label = weld.eq %class, %label_row : tensor<?x1000xi64>
  %one_hot = weld.cast %is_label : (tensor<?x1000xi1>) -> tensor<?x1000xf32>
  %dx = weld.sub %p, %one_hot : tensor<?x1000xf32>
  func.return %loss, %dx : tensor<f32>, tensor<?x1000xf32>
}
