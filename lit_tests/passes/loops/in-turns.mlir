// RUN: loopweld-opt %s --split-input-file --verify-each -p "form-kernels,lower-to-loops{vector-bits=512},annotate-alias-scopes" | filecheck %s
// RUN: loopweld-opt %s --split-input-file -p "form-kernels,lower-to-loops{vector-bits=512},annotate-alias-scopes" | loopweld-opt --split-input-file --verify-each | filecheck %s

// Elements a few apart are picked out of whole registers; in the rest, which must not go beyond the end, one by one.
// CHECK-LABEL: func.func private @k0_add
// CHECK:         loop.for %[[I:.*]] = {{.*}} step 64 "d0" {
// CHECK:           %[[AT:.*]] = loop.affine "2 * d0" %[[I]]
// CHECK-NEXT:      loop.load %x[%[[AT]]] {step = 2 : i64, {{.*}} i64 -> vector<64xf32>
// CHECK:           loop.load %x[%{{.*}}] {step = -1 : i64, {{.*}} i64 -> vector<64xf32>
// CHECK:         loop.for {{.*}} "d0 rest" {
// CHECK:           loop.load %x[%{{.*}}] if %{{.*}} vector<16xi64>
func.func @main(%x: tensor<?xf32, #weld.dims<"2 * n">>) -> tensor<?xf32, #weld.dims<"n">> {
  %y = weld.generic over "n" gives "write d0" {
    %0 = weld.load %x "2 * d0" : tensor<?xf32, #weld.dims<"2 * n">>
    %1 = weld.load %x "n - d0 - 1" : tensor<?xf32, #weld.dims<"2 * n">>
    %2 = weld.add %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %y : tensor<?xf32, #weld.dims<"n">>
}

// -----

// Two tensors stacked along a last dim: no loop runs along it, and no lane is stored by itself.
// CHECK-LABEL: func.func private @k0_neg_select
// CHECK:         loop.for %[[I:.*]] = {{.*}} step 64 "d0" {
// CHECK:           %[[X:.*]] = loop.load %x[%[[I]]]
// CHECK:           %[[Y:.*]] = loop.load %y[%[[I]]]
// CHECK:           %[[N:.*]] = weld.neg %[[Y]]
// CHECK-NEXT:      %[[P:.*]], %[[Q:.*]] = loop.interleave %[[X]], %[[N]] : vector<64xf32>, vector<64xf32> -> vector<64xf32>, vector<64xf32>
// CHECK:           loop.store "set" %[[P]] to %{{.*}} vector<64xf32>, !loop.buffer<f32>, i64
// CHECK:           loop.store "set" %[[Q]] to %{{.*}} vector<64xf32>, !loop.buffer<f32>, i64
// CHECK:         loop.for {{.*}} "d0 rest" {
// CHECK:           loop.interleave %[[MASK:[0-9]+]], %[[MASK]] : vector<16xi1>
// CHECK:           loop.store "set" {{.*}} if %{{.*}} i64, vector<16xi1>
func.func @main(%x: tensor<?xf32, #weld.dims<"n">>, %y: tensor<?xf32, #weld.dims<"n">>) -> tensor<?x2xf32, #weld.dims<"n, 2">> {
  %z = weld.generic over "n, 2" gives "write d0, d1" {
    %0 = weld.load %x "d0 if -d1 >= 0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.load %y "d0 if d1 - 1 >= 0" : tensor<?xf32, #weld.dims<"n">>
    %2 = weld.neg %1 : f32
    %3 = weld.inside "-d1 >= 0"
    %4 = weld.select %3, %0, %2 : (i1, f32, f32) -> f32
    weld.yield %4 : f32
  } : tensor<?x2xf32, #weld.dims<"n, 2">>
  func.return %z : tensor<?x2xf32, #weld.dims<"n, 2">>
}

// -----

// A dim of five is too long, and has a loop.
// CHECK-LABEL: func.func private @k0_mul
// CHECK-NOT:     loop.interleave
// CHECK:       func.func @main
func.func @main(%x: tensor<?xf32, #weld.dims<"n">>, %y: tensor<5xf32>) -> tensor<?x5xf32, #weld.dims<"n, 5">> {
  %z = weld.generic over "n, 5" gives "write d0, d1" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.load %y "d1" : tensor<5xf32>
    %2 = weld.mul %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<?x5xf32, #weld.dims<"n, 5">>
  func.return %z : tensor<?x5xf32, #weld.dims<"n, 5">>
}
