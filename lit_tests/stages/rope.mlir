// Rotary embedding: slices and a concatenation are accesses of one loop; nothing is stored in between.
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions" \
// RUN:   | filecheck %s --check-prefix=FUSED
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions,form-kernels" \
// RUN:   | filecheck %s --check-prefix=KERNELS
// RUN: loopweld-opt %s --verify-each -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions,form-kernels,lower-to-loops{vector-bits=512},annotate-alias-scopes" \
// RUN:   | filecheck %s --check-prefix=LOOPS

// One generic; x is read at three places, each half only where it is needed; what is selected are values.
// FUSED:       weld.generic over "n, 128" gives "write d0, d1" {
// FUSED:         %[[HIGH:.*]] = weld.load %x "d0, d1 + 64 if -d1 + 63 >= 0" :
// FUSED:         %[[MINUS:.*]] = weld.neg %[[HIGH]]
// FUSED:         %[[LOW:.*]] = weld.load %x "d0, d1 - 64 if d1 - 64 >= 0" :
// FUSED:         %[[FIRST:.*]] = weld.inside "-d1 + 63 >= 0"
// FUSED-NEXT:    weld.select %[[FIRST]], %[[MINUS]], %[[LOW]]
// FUSED-NEXT:    weld.load %x "d0, d1" :
// FUSED-NOT:   weld.load %x
// FUSED-NOT:   weld.generic
// FUSED-NOT:   weld.concat
// FUSED-NOT:   weld.slice
// FUSED:       func.return

// KERNELS-COUNT-1: weld.kernel
// KERNELS-COUNT-1: weld.generic
// KERNELS-NOT: weld.generic

// No memory for the rotated halves: each half of a row is a loop of its own, without masks and selects.
// LOOPS:       loop.arena = []
// LOOPS:       func.func private @{{.*}}(%x: !loop.buffer<f32>, %cos: !loop.buffer<f32>, %sin: !loop.buffer<f32>, %y: !loop.buffer<f32>, %n: i64)
// LOOPS:       loop.for {{.*}} step 1 "d0" {
// LOOPS:         loop.for {{.*}} step {{[0-9]+}} "d1" {
// LOOPS:           %[[HIGH:.*]] = loop.load %x[%{{[0-9]+}}] {scope = "inputs", noalias = ["y0"]} : !loop.buffer<f32>, i64 -> vector<{{[0-9]+}}xf32>
// LOOPS-NEXT:      weld.neg %[[HIGH]]
// LOOPS-NOT:       weld.select
// LOOPS:           loop.load %x[%{{[0-9]+}}] {scope = "inputs", noalias = ["y0"]}
// LOOPS:           loop.store "set" {{.*}} to %y{{.*}} {scope = "y0", noalias = ["inputs"]} : vector<{{[0-9]+}}xf32>
// LOOPS:         loop.for {{.*}} step {{[0-9]+}} "d1 next" {
// LOOPS-NOT:       weld.neg
// LOOPS-NOT:       weld.select
// LOOPS:           loop.store "set" {{.*}} to %y{{.*}} {scope = "y0", noalias = ["inputs"]} : vector<{{[0-9]+}}xf32>
// LOOPS-NOT:   loop.for
// LOOPS-NOT:   loop.store
// LOOPS:       func.func @main
func.func @main(%x: tensor<?x128xf32>, %cos: tensor<?x128xf32>, %sin: tensor<?x128xf32>) -> tensor<?x128xf32> {
  %high = "weld.slice"(%x) <{start = #weld.dims<"0, 64">, size = #weld.dims<"n, 64">, step = #weld.dims<"1, 1">}> : (tensor<?x128xf32>) -> tensor<?x64xf32>
  %low = "weld.slice"(%x) <{start = #weld.dims<"0, 0">, size = #weld.dims<"n, 64">, step = #weld.dims<"1, 1">}> : (tensor<?x128xf32>) -> tensor<?x64xf32>
  %minus = weld.neg %high : tensor<?x64xf32>
  %rotated = "weld.concat"(%minus, %low) <{axis = 1 : i64}> : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x128xf32>
  %a = weld.mul %x, %cos : tensor<?x128xf32>
  %b = weld.mul %rotated, %sin : tensor<?x128xf32>
  %y = weld.add %a, %b : tensor<?x128xf32>
  func.return %y : tensor<?x128xf32>
}
