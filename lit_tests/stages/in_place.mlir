// Memory that a result takes over: a donated argument's, element by element, and that of a value that is dead by then.
// RUN: loopweld-opt %s --split-input-file -p "resolve-shapes,generalize,fuse-producers,absorb-reductions,form-kernels,plan-buffers" | filecheck %s --check-prefix=PLAN
// RUN: loopweld-opt %s --split-input-file --verify-each -p "resolve-shapes,generalize,fuse-producers,absorb-reductions,form-kernels,lower-to-loops{vector-bits=512},annotate-alias-scopes" \
// RUN:   | filecheck %s --check-prefix=LOOPS

// A step of gradient descent on a donated array: the new one is where the old one was. A load of what may lie there
// cannot be told from the store; the gradient can.
// PLAN-LABEL:  func.func @main(%x:
// PLAN-SAME:   arena = [], donations = ["output 0 over input 0"]
// LOOPS-LABEL: func.func private @k0
// LOOPS:         loop.for {{.*}} "d0" {
// LOOPS-DAG:       loop.load %x{{.*}} {scope = "y0", noalias = ["inputs"]}
// LOOPS-DAG:       loop.load %g{{.*}} {scope = "inputs", noalias = ["y0"]}
// LOOPS:           loop.store "set" {{.*}} to %y{{.*}} {scope = "y0", noalias = ["inputs"]}
// LOOPS-NOT:       loop.store
// LOOPS:         loop.for {{.*}} "d0 rest" {
func.func @main(%x: tensor<?xf32, #weld.dims<"n">> {weld.donated}, %g: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">> {
  %step = weld.constant 0.5 : tensor<?xf32, #weld.dims<"n">>
  %move = weld.mul %g, %step : tensor<?xf32, #weld.dims<"n">>
  %y = weld.sub %x, %move : tensor<?xf32, #weld.dims<"n">>
  func.return %y : tensor<?xf32, #weld.dims<"n">>
}

// -----
// Reversed: an element is read once more after its place was written. The memory stays the argument's.
// PLAN-LABEL:  func.func @main(%x:
// PLAN-NOT:    donations
// LOOPS-LABEL: func.func private @k0
// LOOPS:         loop.load %x{{.*}} {scope = "inputs", noalias = ["y0"]}
func.func @main(%x: tensor<?xf32, #weld.dims<"n">> {weld.donated}) -> tensor<?xf32, #weld.dims<"n">> {
  %r = "weld.reverse"(%x) <{axes = array<i64: 0>}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  %y = weld.sub %x, %r : tensor<?xf32, #weld.dims<"n">>
  func.return %y : tensor<?xf32, #weld.dims<"n">>
}

// -----
// Softmax of a donated array: a row is overwritten in the last walk over it.
// PLAN-LABEL:  func.func @main(%x:
// PLAN-SAME:   donations = ["output 0 over input 0"]
// LOOPS-LABEL: func.func private @k0
// LOOPS:         loop.for {{.*}} step 1 "d0" {
// LOOPS-COUNT-2:   loop.load %x{{.*}} {scope = "y0", noalias = ["inputs"]}
// LOOPS-NOT:       loop.load %x
// LOOPS:           loop.store "set" {{.*}} to %y{{.*}} {scope = "y0", noalias = ["inputs"]}
func.func @main(%x: tensor<?x64xf32, #weld.dims<"n, 64">> {weld.donated}) -> tensor<?x64xf32, #weld.dims<"n, 64">> {
  %max = "weld.reduce_max"(%x) <{axes = array<i64: 1>}> : (tensor<?x64xf32, #weld.dims<"n, 64">>) -> tensor<?xf32, #weld.dims<"n">>
  %maxs = "weld.broadcast"(%max) <{axes = array<i64: 0>, shape = #weld.dims<"n, 64">}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?x64xf32, #weld.dims<"n, 64">>
  %d = weld.sub %x, %maxs : tensor<?x64xf32, #weld.dims<"n, 64">>
  %e = weld.exp %d : tensor<?x64xf32, #weld.dims<"n, 64">>
  %sum = "weld.sum"(%e) <{axes = array<i64: 1>}> : (tensor<?x64xf32, #weld.dims<"n, 64">>) -> tensor<?xf32, #weld.dims<"n">>
  %sums = "weld.broadcast"(%sum) <{axes = array<i64: 0>, shape = #weld.dims<"n, 64">}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?x64xf32, #weld.dims<"n, 64">>
  %y = weld.div %e, %sums : tensor<?x64xf32, #weld.dims<"n, 64">>
  func.return %y : tensor<?x64xf32, #weld.dims<"n, 64">>
}

// -----
// Between library calls: what the sort left is dead once it is read, and its memory is the result's.
// PLAN-LABEL:  func.func @main(%x:
// PLAN-SAME:   arena = []
// PLAN:        weld.library "numpy.sort"{{.*}} {places = ["output 0"]}
// PLAN:        weld.kernel
// PLAN:        } {places = ["output 0"]}
// LOOPS:       loop.arena = []
// LOOPS:       loop.load %s{{.*}} {scope = "y0", noalias = ["inputs"]}
func.func @main(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">> {
  %s = weld.library "numpy.sort"(%x) "{}" : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  %y = weld.sqrt %s : tensor<?xf32, #weld.dims<"n">>
  func.return %y : tensor<?xf32, #weld.dims<"n">>
}
