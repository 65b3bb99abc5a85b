// Softmax along the last and along the first axis: one kernel of three sweeps, whose exponentials wait in a row.
// RUN: loopweld-opt %s --split-input-file -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions" \
// RUN:   | filecheck %s --check-prefix=FUSED
// RUN: loopweld-opt %s --split-input-file -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions,form-kernels" \
// RUN:   | filecheck %s --check-prefix=KERNELS
// RUN: loopweld-opt %s --split-input-file --verify-each -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions,form-kernels,lower-to-loops{vector-bits=512},annotate-alias-scopes" \
// RUN:   | filecheck %s --check-prefix=LOOPS

// Three generics: the greatest, the exponentials with their sum, the quotients.
// FUSED:       %max = weld.generic over "n, m" gives "max d0" {
// FUSED:       %e, %sum = weld.generic over "n, m" gives "write d0, d1", "sum d0" {
// FUSED:       %y = weld.generic over "n, m" gives "write d0, d1" {
// FUSED-NOT:   weld.generic
// FUSED:       func.return %y

// They share the rows; only the quotients leave the kernel.
// KERNELS:     weld.kernel @{{.*}} outer 1 after 0 {
// KERNELS-COUNT-3: weld.generic over "n, m"
// KERNELS-NOT: weld.generic
// KERNELS:       weld.yield %{{[a-z_0-9]+}} : tensor
// KERNELS:     func.return

// A row of exponentials is all the memory it needs.
// LOOPS:       loop.arena = ["4 * m bytes"]
// LOOPS:       loop.for {{.*}} step 1 "d0" {
// LOOPS:         loop.for {{.*}} step {{[0-9]+}} iter ({{.*}}) "d1" {
// LOOPS:           loop.load %x{{.*}} {scope = "inputs", {{.*}}} : !loop.buffer<f32>, i64 -> vector<{{[0-9]+}}xf32>
// LOOPS:         loop.for {{.*}} step {{[0-9]+}} iter ({{.*}}) "d1 rest" {
// LOOPS:           loop.load %x{{.*}} if %{{.*}} : !loop.buffer<f32>, i64, vector<{{[0-9]+}}xi1> -> vector<{{[0-9]+}}xf32>
// LOOPS:         loop.reduce "max"
// LOOPS:         loop.for {{.*}} "d1" {
// LOOPS:           loop.load %x
// LOOPS:           weld.exp {{.*}} : vector<{{[0-9]+}}xf32>
// LOOPS:           loop.store "set" {{.*}} to %e
// LOOPS:         loop.for {{.*}} "d1 rest" {
// LOOPS:           weld.exp {{.*}} : vector<{{[0-9]+}}xf32>
// LOOPS:         loop.reduce "sum"
// LOOPS-NOT:     loop.load %x
// LOOPS-NOT:     weld.exp
// LOOPS:         loop.for {{.*}} "d1" {
// LOOPS:           loop.load %e
// LOOPS:           weld.div
// LOOPS:           loop.store "set" {{.*}} to %y
// LOOPS:         loop.for {{.*}} "d1 rest" {
// LOOPS-NOT:   loop.for
// LOOPS:       func.func @main
func.func @main(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %max = "weld.reduce_max"(%x) <{axes = array<i64: 1>}> : (tensor<?x?xf32>) -> tensor<?xf32>
  %max_row = "weld.broadcast"(%max) <{axes = array<i64: 0>, shape = #weld.dims<"n, m">}> : (tensor<?xf32>) -> tensor<?x?xf32>
  %shifted = weld.sub %x, %max_row : tensor<?x?xf32>
  %e = weld.exp %shifted : tensor<?x?xf32>
  %sum = "weld.sum"(%e) <{axes = array<i64: 1>}> : (tensor<?x?xf32>) -> tensor<?xf32>
  %sum_row = "weld.broadcast"(%sum) <{axes = array<i64: 0>, shape = #weld.dims<"n, m">}> : (tensor<?xf32>) -> tensor<?x?xf32>
  %y = weld.div %e, %sum_row : tensor<?x?xf32>
  func.return %y : tensor<?x?xf32>
}

// -----

// The same three along the columns: d1 is the outer dim, and comes first in each member.
// FUSED:       %max = weld.generic over "n, m" gives "max d1" {
// FUSED:       %e, %sum = weld.generic over "n, m" gives "write d0, d1", "sum d1" {
// FUSED:       %y = weld.generic over "n, m" gives "write d0, d1" {
// FUSED-NOT:   weld.generic
// KERNELS:     weld.kernel @{{.*}} outer 1 after 0 {
// KERNELS:       gives "max d0" {
// KERNELS-COUNT-2: weld.generic over "m, n"
// KERNELS-NOT: weld.generic
// KERNELS:     func.return

// Neighbouring columns fill the lanes; the reductions never cross the lanes.
// LOOPS:       loop.arena = ["{{[0-9]+}} * n bytes"]
// LOOPS:       loop.for {{.*}} step {{[0-9]+}} "d0" {
// LOOPS:         loop.for {{.*}} step 1 iter ({{.*}}) "d1" {
// LOOPS:           loop.load %x{{.*}} : !loop.buffer<f32>, i64 -> vector<{{[0-9]+}}xf32>
// LOOPS:         loop.for {{.*}} step 1 iter ({{.*}}) "d1" {
// LOOPS:           weld.exp {{.*}} : vector<{{[0-9]+}}xf32>
// LOOPS:         loop.for {{.*}} step 1 "d1" {
// LOOPS:           loop.store "set" {{.*}} to %y
// LOOPS:       loop.for {{.*}} step {{[0-9]+}} "d0 rest" {
// LOOPS-COUNT-3: loop.for {{.*}} step 1 {{.*}}"d1" {
// LOOPS-NOT:   loop.for
// LOOPS-NOT:   loop.reduce
// LOOPS:       func.func @main
func.func @main(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %max = "weld.reduce_max"(%x) <{axes = array<i64: 0>}> : (tensor<?x?xf32>) -> tensor<?xf32>
  %max_col = "weld.broadcast"(%max) <{axes = array<i64: 1>, shape = #weld.dims<"n, m">}> : (tensor<?xf32>) -> tensor<?x?xf32>
  %shifted = weld.sub %x, %max_col : tensor<?x?xf32>
  %e = weld.exp %shifted : tensor<?x?xf32>
  %sum = "weld.sum"(%e) <{axes = array<i64: 0>}> : (tensor<?x?xf32>) -> tensor<?xf32>
  %sum_col = "weld.broadcast"(%sum) <{axes = array<i64: 1>, shape = #weld.dims<"n, m">}> : (tensor<?xf32>) -> tensor<?x?xf32>
  %y = weld.div %e, %sum_col : tensor<?x?xf32>
  func.return %y : tensor<?x?xf32>
}
