// RUN: loopweld-opt %s --split-input-file --verify-each -p "form-kernels,lower-to-loops{vector-bits=512}" | filecheck %s

// The rows add to the result in runs of 64; what a run has added moves to a buffer of float64, and back after the last.
// CHECK:       func.func private @k0_sum(%x: !loop.buffer<f32>, %[[SUM:[a-z0-9_]*]]: !loop.buffer<f32>, %[[WIDE:[a-z0-9_]*]]: !loop.buffer<f64>, %n: i64)
// CHECK:         loop.fill {{.*}} to %[[WIDE]]
// CHECK:         loop.for %[[FIRST:.*]] = %{{.*}} to %n step 64 "d0 chunks" {
// CHECK:           %[[END:.*]] = loop.min {{.*}}, %n
// CHECK:           loop.for {{.*}} = %[[FIRST]] to %[[END]] step 1 "d0" {
// CHECK:             loop.store "set" {{.*}} to %[[SUM]]
// CHECK:           %[[LAST:.*]] = weld.ge %[[END]], %n
// CHECK:             %[[LAST_LANES:.*]] = loop.splat %[[LAST]]
// CHECK:               loop.store "set" {{.*}} to %[[WIDE]]
// CHECK:               %[[LEFT:.*]] = weld.select %[[LAST_LANES]]
// CHECK:               loop.store "set" %[[LEFT]] to %[[SUM]]
func.func @main(%x: tensor<?x48xf32, #weld.dims<"n, 48">>) -> tensor<48xf32> {
  %y = weld.generic over "n, 48" gives "sum d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x48xf32, #weld.dims<"n, 48">>
    weld.yield %0 : f32
  } : tensor<48xf32>
  func.return %y : tensor<48xf32>
}

// -----

// Few rows need none of that, nor do sums of integers.
// CHECK:       func.func private @k0
// CHECK-NOT:     chunks
// CHECK:         func.return
func.func @main(%x: tensor<128x48xf32>, %k: tensor<?x48xi64, #weld.dims<"n, 48">>) -> (tensor<48xf32>, tensor<48xi64>) {
  %y = weld.generic over "128, 48" gives "sum d1" {
    %0 = weld.load %x "d0, d1" : tensor<128x48xf32>
    weld.yield %0 : f32
  } : tensor<48xf32>
  %z = weld.generic over "n, 48" gives "sum d1" {
    %0 = weld.load %k "d0, d1" : tensor<?x48xi64, #weld.dims<"n, 48">>
    weld.yield %0 : i64
  } : tensor<48xi64>
  func.return %y, %z : tensor<48xf32>, tensor<48xi64>
}

// -----

// An iteration of the outer loop is a run where the inner loop has runs; both have a buffer.
// CHECK:       func.func private @k0
// CHECK:         loop.for {{.*}} step 1 "d0 chunks" {
// CHECK:           loop.for {{.*}} step 1 "d0" {
// CHECK:             loop.for {{.*}} step 64 "d1 chunks" {
// CHECK:               loop.for {{.*}} step 1 "d1" {
// CHECK-COUNT-2: weld.ge
func.func @main(%x: tensor<?x?x32xf32, #weld.dims<"n, 2 * m + 1, 32">>) -> tensor<32xf32> {
  %y = weld.generic over "n, m, 32" gives "sum d2" {
    %0 = weld.load %x "d0, 2 * d1, d2" : tensor<?x?x32xf32, #weld.dims<"n, 2 * m + 1, 32">>
    weld.yield %0 : f32
  } : tensor<32xf32>
  func.return %y : tensor<32xf32>
}

// -----

// A sum in registers: what a run has added goes to a float64 when the next one begins. The last run, of most rows the
// only one, stays in float32; a total is added to it where there is one.
// CHECK:       func.func private @k0_sum
// CHECK:         %[[ZERO:.*]] = weld.constant 0 : i64
// CHECK:         %[[TOTAL:.*]], %[[FEW:.*]] = loop.for {{.*}} step 4096 iter (%[[OLD:.*]] = %{{.*}}, %[[PART:.*]] = %{{.*}}) "d1 chunks" {
// CHECK:           %[[WIDE:.*]] = weld.cast %[[PART]] : (vector<16xf32>) -> vector<16xf64>
// CHECK-NEXT:      %[[NEW:.*]] = weld.add %[[OLD]], %[[WIDE]]
// CHECK:           %[[SUM:.*]] = loop.for {{.*}} step 64 iter
// CHECK:           %[[NEXT:.*]] = loop.reduce "sum" %[[SUM]] : vector<64xf32> -> vector<16xf32>
// CHECK-NEXT:      loop.yield %[[NEW]], %[[NEXT]]
// CHECK:         %[[SEVERAL:.*]] = weld.select
// CHECK-NEXT:    loop.for {{.*}} = %[[ZERO]] to %[[SEVERAL]] step 1 iter (%[[LAST:.*]] = %[[FEW]]) "combine" {
// CHECK-NEXT:      %[[WIDER:.*]] = weld.cast %[[LAST]]
// CHECK-NEXT:      %[[ALL:.*]] = weld.add %[[TOTAL]], %[[WIDER]]
// CHECK-NEXT:      weld.cast %[[ALL]]
func.func @main(%x: tensor<?x?xf32, #weld.dims<"n, m">>) -> tensor<?xf32, #weld.dims<"n">> {
  %y = weld.generic over "n, m" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"n, m">>
    weld.yield %0 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %y : tensor<?xf32, #weld.dims<"n">>
}
