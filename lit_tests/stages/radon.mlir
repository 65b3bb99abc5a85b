// A hierarchical model: two gathers, two sums and two scatter-adds over the observations, in one loop of any length.
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions" \
// RUN:   | filecheck %s --check-prefix=FUSED
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions,form-kernels" \
// RUN:   | filecheck %s --check-prefix=KERNELS
// RUN: loopweld-opt %s --verify-each -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions,form-kernels,lower-to-loops{vector-bits=512},annotate-alias-scopes" \
// RUN:   | filecheck %s --check-prefix=LOOPS

// FUSED:       weld.generic over "s0" gives "sum", "sum", "scatter_add i0", "scatter_add i0" from %zero, %zero {
// FUSED:         %[[COUNTY:.*]] = weld.load %county "d0"
// FUSED-DAG:     weld.load %a, %[[I:.*]], %[[INSIDE:.*]] "i0"
// FUSED-DAG:     weld.load %b, %{{.*}}, %{{.*}} "i0"
// FUSED-NOT:     weld.load %county
// FUSED-NOT:   weld.generic
// FUSED:       func.return %squares, %total, %da, %db

// KERNELS-COUNT-1: weld.kernel
// KERNELS-COUNT-1: weld.generic
// KERNELS-NOT: weld.generic

// Each observation is read once: gathers and scatters take a vector of offsets.
// LOOPS-DAG:   loop.fill {{.*}} to %da
// LOOPS-DAG:   loop.fill {{.*}} to %db
// LOOPS:         loop.for {{.*}} step {{[0-9]+}} iter ({{.*}}, {{.*}}) "d0" {
// LOOPS:           loop.load %county[%{{[0-9]+}}] {{.*}} -> vector<{{[0-9]+}}xi64>
// LOOPS-DAG:       loop.load %a{{.*}} : !loop.buffer<f32>, vector<{{[0-9]+}}xi64>, vector<{{[0-9]+}}xi1> -> vector<{{[0-9]+}}xf32>
// LOOPS-DAG:       loop.load %b{{.*}} : !loop.buffer<f32>, vector<{{[0-9]+}}xi64>, vector<{{[0-9]+}}xi1> -> vector<{{[0-9]+}}xf32>
// LOOPS-DAG:       loop.store "add" {{.*}} to %da{{.*}} {scope = "da0", noalias = ["inputs", "db1", {{.*}}]}
// LOOPS-DAG:       loop.store "add" {{.*}} to %db{{.*}} {scope = "db1", noalias = ["inputs", "da0", {{.*}}]}
// LOOPS:       loop.for {{.*}} step {{[0-9]+}} iter ({{.*}}, {{.*}}) "d0 rest" {
// LOOPS-COUNT-2: loop.reduce "sum"
// LOOPS-NOT:   loop.for
// LOOPS:       func.func @main
func.func @main(%y: tensor<?xf32>, %county: tensor<?xi64>, %floor: tensor<?xf32>, %a: tensor<85xf32>, %b: tensor<85xf32>)
    -> (tensor<f32>, tensor<f32>, tensor<85xf32>, tensor<85xf32>) {
  %a_i = "weld.gather"(%a, %county) <{axes = array<i64: 0>, at = 0 : i64}> : (tensor<85xf32>, tensor<?xi64>) -> tensor<?xf32>
  %b_i = "weld.gather"(%b, %county) <{axes = array<i64: 0>, at = 0 : i64}> : (tensor<85xf32>, tensor<?xi64>) -> tensor<?xf32>
  %slope = weld.mul %b_i, %floor : tensor<?xf32>
  %mean = weld.add %a_i, %slope : tensor<?xf32>
  %r = weld.sub %y, %mean : tensor<?xf32>
  %square = weld.mul %r, %r : tensor<?xf32>
  %squares = "weld.sum"(%square) <{axes = array<i64: 0>}> : (tensor<?xf32>) -> tensor<f32>
  %total = "weld.sum"(%r) <{axes = array<i64: 0>}> : (tensor<?xf32>) -> tensor<f32>
  %rf = weld.mul %r, %floor : tensor<?xf32>
  %zero = weld.constant 0.0 : tensor<85xf32>
  %da = "weld.scatter"(%zero, %r, %county) <{axes = array<i64: 0>, at = 0 : i64, kind = "add"}> : (tensor<85xf32>, tensor<?xf32>, tensor<?xi64>) -> tensor<85xf32>
  %db = "weld.scatter"(%zero, %rf, %county) <{axes = array<i64: 0>, at = 0 : i64, kind = "add"}> : (tensor<85xf32>, tensor<?xf32>, tensor<?xi64>) -> tensor<85xf32>
  func.return %squares, %total, %da, %db : tensor<f32>, tensor<f32>, tensor<85xf32>, tensor<85xf32>
}
