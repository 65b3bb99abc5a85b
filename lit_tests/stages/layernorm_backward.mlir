// Backward of layer normalisation: sums along rows, what needs them, and sums along columns in one kernel of two sweeps.
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions" \
// RUN:   | filecheck %s --check-prefix=FUSED
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions,form-kernels" \
// RUN:   | filecheck %s --check-prefix=KERNELS
// RUN: loopweld-opt %s --verify-each -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions,form-kernels,lower-to-loops{vector-bits=512},annotate-alias-scopes" \
// RUN:   | filecheck %s --check-prefix=LOOPS

// FUSED-COUNT-2: weld.generic over "n, 768"
// FUSED-NOT:   weld.generic
// FUSED:       func.return %dx, %dgamma, %dbeta

// Only what the function returns leaves the kernel: the row sums are registers of an iteration.
// KERNELS:     weld.kernel @{{.*}} outer 1 after 0 {
// KERNELS:       %sum1, %sum2, {{.*}} = weld.generic over "n, 768" gives "sum d0", "sum d0", "sum d1", "sum d1" {
// KERNELS-COUNT-1: weld.load %dy "d0, d1"
// KERNELS-COUNT-1: weld.load %xhat "d0, d1"
// KERNELS:       weld.generic over "n, 768" gives "write d0, d1" {
// KERNELS:         weld.load %sum1 "d0"
// KERNELS:         weld.load %sum2 "d0"
// KERNELS-NOT:   weld.generic
// KERNELS:       weld.yield %{{[a-z_0-9]+}}, %{{[a-z_0-9]+}}, %{{[a-z_0-9]+}} : tensor
// KERNELS-NOT: weld.kernel
// KERNELS:     func.return

// The column sums combine in the results, row by row; the arena holds what the runs of rows add up to, in float64.
// LOOPS:       loop.arena = ["6144 bytes", "6144 bytes"]
// LOOPS-DAG:   loop.fill {{.*}} to %dgamma
// LOOPS-DAG:   loop.fill {{.*}} to %dbeta
// LOOPS:       loop.for {{.*}} step 1 "d0" {
// LOOPS:         loop.for {{.*}} iter ({{.*}}, {{.*}}) "d1" {
// LOOPS-COUNT-1:   loop.load %dy
// LOOPS:           loop.load %dgamma{{.*}} {scope = "[[DGAMMA:.*]]", noalias = ["inputs",
// LOOPS:           loop.store "set" {{.*}} to %dgamma{{.*}} {scope = "[[DGAMMA]]"
// LOOPS-COUNT-2: loop.reduce "sum"
// LOOPS:         loop.for {{.*}} "d1" {
// LOOPS:           loop.store "set" {{.*}} to %dx
// LOOPS-NOT:   loop.for {{.*}} "d
// LOOPS:       func.func @main
func.func @main(%xhat: tensor<?x768xf32>, %rstd: tensor<?xf32>, %gamma: tensor<768xf32>, %dy: tensor<?x768xf32>)
    -> (tensor<?x768xf32>, tensor<768xf32>, tensor<768xf32>) {
  // What flows into the normalised values, and its two means along a row.
  %gamma_row = "weld.broadcast"(%gamma) <{axes = array<i64: 1>, shape = #weld.dims<"n, 768">}> : (tensor<768xf32>) -> tensor<?x768xf32>
  %dxhat = weld.mul %dy, %gamma_row : tensor<?x768xf32>
  %count = weld.constant 768.0 : tensor<?xf32>
  %sum1 = "weld.sum"(%dxhat) <{axes = array<i64: 1>}> : (tensor<?x768xf32>) -> tensor<?xf32>
  %mean1 = weld.div %sum1, %count : tensor<?xf32>
  %along = weld.mul %dxhat, %xhat : tensor<?x768xf32>
  %sum2 = "weld.sum"(%along) <{axes = array<i64: 1>}> : (tensor<?x768xf32>) -> tensor<?xf32>
  %mean2 = weld.div %sum2, %count : tensor<?xf32>
  // dx = rstd * (dxhat - mean1 - xhat * mean2)
  %mean1_row = "weld.broadcast"(%mean1) <{axes = array<i64: 0>, shape = #weld.dims<"n, 768">}> : (tensor<?xf32>) -> tensor<?x768xf32>
  %mean2_row = "weld.broadcast"(%mean2) <{axes = array<i64: 0>, shape = #weld.dims<"n, 768">}> : (tensor<?xf32>) -> tensor<?x768xf32>
  %rstd_row = "weld.broadcast"(%rstd) <{axes = array<i64: 0>, shape = #weld.dims<"n, 768">}> : (tensor<?xf32>) -> tensor<?x768xf32>
  %centred = weld.sub %dxhat, %mean1_row : tensor<?x768xf32>
  %projected = weld.mul %xhat, %mean2_row : tensor<?x768xf32>
  %rest = weld.sub %centred, %projected : tensor<?x768xf32>
  %dx = weld.mul %rstd_row, %rest : tensor<?x768xf32>
  // The parameters' gradients: sums along columns.
  %dyx = weld.mul %dy, %xhat : tensor<?x768xf32>
  %dgamma = "weld.sum"(%dyx) <{axes = array<i64: 0>}> : (tensor<?x768xf32>) -> tensor<768xf32>
  %dbeta = "weld.sum"(%dy) <{axes = array<i64: 0>}> : (tensor<?x768xf32>) -> tensor<768xf32>
  func.return %dx, %dgamma, %dbeta : tensor<?x768xf32>, tensor<768xf32>, tensor<768xf32>
}
