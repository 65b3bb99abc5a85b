// The greatest and the mean of |x|, the mean of x * x and the place of the greatest x: one walk over x, no memory between.
// RUN: loopweld-opt %s --split-input-file -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions" \
// RUN:   | filecheck %s --check-prefix=FUSED
// RUN: loopweld-opt %s --split-input-file --verify-each -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions,form-kernels,lower-to-loops{vector-bits=512}" \
// RUN:   | filecheck %s --check-prefix=LOOPS
// RUN: loopweld-opt %s --split-input-file -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,shift-sums{row-bytes=65536},fuse-siblings,fuse-producers,absorb-reductions,form-kernels" \
// RUN:   | filecheck %s --check-prefix=VARIANCE
// RUN: loopweld-opt %s --split-input-file --verify-each -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,shift-sums{row-bytes=65536},fuse-siblings,fuse-producers,absorb-reductions,form-kernels,lower-to-loops{vector-bits=512}" \
// RUN:   | filecheck %s --check-prefix=VARLOOPS

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

// -----
// With the variance: its differences are from a sample's mean, so that they wait for nothing; the mean of all makes that
// good after the loop.
// VARIANCE:       // -----
// VARIANCE:         weld.kernel @{{.*}} outer 0 before 1 after 1 {
// VARIANCE-NEXT:      weld.generic over "16" gives "sum", "max", "min" {
// VARIANCE:           weld.generic over "n" gives "sum", "sum", "sum", "max" {
// VARIANCE-NOT:       weld.generic over "n"
// VARIANCE:           %[[V:.*]] = weld.generic over "" gives "write" {
// VARIANCE:           weld.yield {{.*}}, %[[V]] : tensor<f32>, tensor<f32>
// VARLOOPS:       // -----
// VARLOOPS-COUNT-3: loop.load %x
// VARLOOPS-NOT:     loop.load %x
// VARLOOPS:         loop.reduce "max"
// VARLOOPS-NOT:     loop.load %x
// VARLOOPS:         func.func @main
func.func @main(%x: tensor<?xf32, #weld.dims<"n">>) -> (tensor<f32>, tensor<f32>) {
  %total = "weld.sum"(%x) <{axes = array<i64: 0>}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<f32>
  %size = weld.size "n" : tensor<i64>
  %count = weld.cast %size : (tensor<i64>) -> tensor<f32>
  %mean = weld.div %total, %count : tensor<f32>
  %means = "weld.broadcast"(%mean) <{axes = array<i64>, shape = #weld.dims<"n">}> : (tensor<f32>) -> tensor<?xf32, #weld.dims<"n">>
  %d = weld.sub %x, %means : tensor<?xf32, #weld.dims<"n">>
  %q = weld.mul %d, %d : tensor<?xf32, #weld.dims<"n">>
  %squares = "weld.sum"(%q) <{axes = array<i64: 0>}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<f32>
  %variance = weld.div %squares, %count : tensor<f32>
  %a = weld.abs %x : tensor<?xf32, #weld.dims<"n">>
  %top = "weld.reduce_max"(%a) <{axes = array<i64: 0>}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<f32>
  func.return %variance, %top : tensor<f32>, tensor<f32>
}
