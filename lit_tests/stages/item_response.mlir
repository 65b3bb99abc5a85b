// An item response model whose probabilities are checked: its likelihood and both gradients in one pass over the
// answers. What the check gates does not wait for it, and no array of the answers is stored.
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,hoist-scalars" \
// RUN:   | filecheck %s --check-prefix=HOISTED
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,hoist-scalars,generalize,fuse-producers,absorb-reductions,defer-gates,fuse-siblings,fuse-producers,absorb-reductions" \
// RUN:   | filecheck %s --check-prefix=FUSED
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,hoist-scalars,generalize,fuse-producers,absorb-reductions,defer-gates,fuse-siblings,fuse-producers,absorb-reductions,form-kernels" \
// RUN:   | filecheck %s --check-prefix=KERNELS
// RUN: loopweld-opt %s --verify-each -p "resolve-shapes,simplify,propagate-views,simplify,hoist-scalars,generalize,fuse-producers,absorb-reductions,defer-gates,fuse-siblings,fuse-producers,absorb-reductions,form-kernels,lower-to-loops{vector-bits=512},annotate-alias-scopes" \
// RUN:   | filecheck %s --check-prefix=LOOPS

// The condition is applied to the sums and to the scattered gradients, not to each answer.
// HOISTED:     %[[VALID:.*]] = "weld.all"
// HOISTED-NOT: weld.select {{.*}}#weld.dims<"n">
// HOISTED:     "weld.scatter"
// HOISTED:     weld.select
// HOISTED:     "weld.scatter"
// HOISTED:     weld.select

// FUSED:       weld.generic over "n" gives "all", "sum", "scatter_add i0", "scatter_add i0" from %zero_a, %zero_d {
// FUSED-COUNT-1: weld.load %person "d0"
// FUSED-COUNT-1: weld.load %ability, {{.*}} "i0"
// FUSED-COUNT-1: weld.load %item "d0"
// FUSED-COUNT-1: weld.load %difficulty, {{.*}} "i0"
// FUSED-NOT:   weld.generic over "n"
// FUSED:       func.return

// KERNELS:     weld.kernel @{{.*}} outer 0 after 3 {
// KERNELS:       weld.generic over "n" gives "all", "sum", "scatter_add i0", "scatter_add i0"
// KERNELS:       weld.generic over "50" gives "write d0" {
// KERNELS:         weld.select
// KERNELS:       weld.generic over "60" gives "write d0" {
// KERNELS-NOT: weld.kernel

// Two tables of sums are all that there is beside the results.
// LOOPS:       loop.arena = ["400 bytes", "480 bytes"]
// LOOPS-DAG:   loop.fill {{.*}} to %by_person
// LOOPS-DAG:   loop.fill {{.*}} to %by_item
// LOOPS:       loop.for {{.*}} step {{[0-9]+}} iter ({{.*}}) "d0" {
// LOOPS-DAG:     loop.store "add" {{.*}} to %by_person
// LOOPS-DAG:     loop.store "add" {{.*}} to %by_item
// LOOPS:       loop.for {{.*}} "d0 rest" {
// LOOPS-DAG:     loop.store "add" {{.*}} to %by_person
// LOOPS-DAG:     loop.store "add" {{.*}} to %by_item
// LOOPS-NOT:   loop.load %{{person|item|correct|ability|difficulty}}
// LOOPS:       func.func @main
func.func @main(%ability: tensor<50xf64>, %difficulty: tensor<60xf64>, %person: tensor<?xi64, #weld.dims<"n">>,
                %item: tensor<?xi64, #weld.dims<"n">>, %correct: tensor<?xf64, #weld.dims<"n">>)
    -> (tensor<f64>, tensor<50xf64>, tensor<60xf64>) {
  %a = "weld.gather"(%ability, %person) <{axes = array<i64: 0>, at = 0 : i64}> : (tensor<50xf64>, tensor<?xi64, #weld.dims<"n">>) -> tensor<?xf64, #weld.dims<"n">>
  %d = "weld.gather"(%difficulty, %item) <{axes = array<i64: 0>, at = 0 : i64}> : (tensor<60xf64>, tensor<?xi64, #weld.dims<"n">>) -> tensor<?xf64, #weld.dims<"n">>
  %e = weld.sub %a, %d : tensor<?xf64, #weld.dims<"n">>
  %p = weld.sigmoid %e : tensor<?xf64, #weld.dims<"n">>
  // All probabilities are numbers from 0 to 1.
  %one = weld.constant 1.0 : tensor<?xf64, #weld.dims<"n">>
  %zero = weld.constant 0.0 : tensor<?xf64, #weld.dims<"n">>
  %above = weld.ge %p, %zero : tensor<?xf64, #weld.dims<"n">>
  %below = weld.le %p, %one : tensor<?xf64, #weld.dims<"n">>
  %inside = weld.and %above, %below : tensor<?xi1, #weld.dims<"n">>
  %valid = "weld.all"(%inside) <{axes = array<i64: 0>}> : (tensor<?xi1, #weld.dims<"n">>) -> tensor<i1>
  %valids = "weld.broadcast"(%valid) <{axes = array<i64>, shape = #weld.dims<"n">}> : (tensor<i1>) -> tensor<?xi1, #weld.dims<"n">>
  // correct * e - log(1 + exp(e))
  %ce = weld.mul %correct, %e : tensor<?xf64, #weld.dims<"n">>
  %plus = weld.softplus %e : tensor<?xf64, #weld.dims<"n">>
  %term = weld.sub %ce, %plus : tensor<?xf64, #weld.dims<"n">>
  %sum = "weld.sum"(%term) <{axes = array<i64: 0>}> : (tensor<?xf64, #weld.dims<"n">>) -> tensor<f64>
  %never = weld.constant -inf : tensor<f64>
  %logp = weld.select %valid, %sum, %never : (tensor<i1>, tensor<f64>, tensor<f64>) -> tensor<f64>
  %rest = weld.sub %correct, %p : tensor<?xf64, #weld.dims<"n">>
  %up = weld.select %valids, %rest, %zero : (tensor<?xi1, #weld.dims<"n">>, tensor<?xf64, #weld.dims<"n">>, tensor<?xf64, #weld.dims<"n">>) -> tensor<?xf64, #weld.dims<"n">>
  %down = weld.neg %up : tensor<?xf64, #weld.dims<"n">>
  %zero_a = weld.constant 0.0 : tensor<50xf64>
  %zero_d = weld.constant 0.0 : tensor<60xf64>
  %by_person = "weld.scatter"(%zero_a, %up, %person) <{axes = array<i64: 0>, at = 0 : i64, kind = "add"}> : (tensor<50xf64>, tensor<?xf64, #weld.dims<"n">>, tensor<?xi64, #weld.dims<"n">>) -> tensor<50xf64>
  %by_item = "weld.scatter"(%zero_d, %down, %item) <{axes = array<i64: 0>, at = 0 : i64, kind = "add"}> : (tensor<60xf64>, tensor<?xf64, #weld.dims<"n">>, tensor<?xi64, #weld.dims<"n">>) -> tensor<60xf64>
  func.return %logp, %by_person, %by_item : tensor<f64>, tensor<50xf64>, tensor<60xf64>
}
