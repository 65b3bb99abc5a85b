// RUN: loopweld-opt %s --split-input-file --verify-each -p "form-kernels,lower-to-loops{vector-bits=512},annotate-alias-scopes" | filecheck %s

// The product of a large matrix, whose 20 columns lie one behind the other, with a vector, and then that of its
// transpose with the result: the first loop over columns asks for what later steps read; the second one finds that in a
// cache, and no step follows the rest.
// CHECK-LABEL: func.func private @k0_mul_sum
// CHECK:         loop.for {{.*}} step [[LANES:[0-9]+]] "d0" {
// CHECK:           loop.for {{.*}} "d1" {
// CHECK:             loop.load %x[%{{[0-9]+}}] {prefetch = 1024 : i64, {{.*}} -> vector<[[LANES]]xf64>
// CHECK-NOT:     prefetch
// CHECK:       func.func @main
func.func @main(%x: tensor<20x100001xf64>, %b: tensor<20xf64>) -> tensor<20xf64> {
  %m = weld.generic over "100001, 20" gives "sum d0" {
    %0 = weld.load %x "d1, d0" : tensor<20x100001xf64>
    %1 = weld.load %b "d1" : tensor<20xf64>
    %2 = weld.mul %0, %1 : f64
    weld.yield %2 : f64
  } : tensor<100001xf64>
  %g = weld.generic over "100001, 20" gives "sum d1" {
    %0 = weld.load %x "d1, d0" : tensor<20x100001xf64>
    %1 = weld.load %m "d0" : tensor<100001xf64>
    %2 = weld.mul %0, %1 : f64
    weld.yield %2 : f64
  } : tensor<20xf64>
  func.return %g : tensor<20xf64>
}

// -----

// Sizes may be expected only.
// CHECK-LABEL: func.func private @k0_mul_sum
// CHECK:         loop.for {{.*}} step [[LANES:[0-9]+]] "d0" {
// CHECK:           loop.for {{.*}} "d1" {
// CHECK:             loop.load %x[%{{[0-9]+}}] {prefetch = 1024 : i64, {{.*}} -> vector<[[LANES]]xf64>
// CHECK-NOT:     prefetch
// CHECK:       func.func @main
func.func @main(%x: tensor<?x?xf64, #weld.dims<"m, n">>, %b: tensor<?xf64, #weld.dims<"m">>) -> tensor<?xf64, #weld.dims<"m">> attributes {weld.expected = {m = 30 : i64, n = 100000 : i64}} {
  %m = weld.generic over "n, m" gives "sum d0" {
    %0 = weld.load %x "d1, d0" : tensor<?x?xf64, #weld.dims<"m, n">>
    %1 = weld.load %b "d1" : tensor<?xf64, #weld.dims<"m">>
    %2 = weld.mul %0, %1 : f64
    weld.yield %2 : f64
  } : tensor<?xf64, #weld.dims<"n">>
  %g = weld.generic over "n, m" gives "sum d1" {
    %0 = weld.load %x "d1, d0" : tensor<?x?xf64, #weld.dims<"m, n">>
    %1 = weld.load %m "d0" : tensor<?xf64, #weld.dims<"n">>
    %2 = weld.mul %0, %1 : f64
    weld.yield %2 : f64
  } : tensor<?xf64, #weld.dims<"m">>
  func.return %g : tensor<?xf64, #weld.dims<"m">>
}

// -----

// Nothing is known of the sizes.
// CHECK-LABEL: func.func private @k0_mul_sum
// CHECK-NOT:     prefetch
// CHECK:       func.func @main
func.func @main(%x: tensor<?x?xf64, #weld.dims<"m, n">>, %b: tensor<?xf64, #weld.dims<"m">>) -> tensor<?xf64, #weld.dims<"m">> {
  %m = weld.generic over "n, m" gives "sum d0" {
    %0 = weld.load %x "d1, d0" : tensor<?x?xf64, #weld.dims<"m, n">>
    %1 = weld.load %b "d1" : tensor<?xf64, #weld.dims<"m">>
    %2 = weld.mul %0, %1 : f64
    weld.yield %2 : f64
  } : tensor<?xf64, #weld.dims<"n">>
  %g = weld.generic over "n, m" gives "sum d1" {
    %0 = weld.load %x "d1, d0" : tensor<?x?xf64, #weld.dims<"m, n">>
    %1 = weld.load %m "d0" : tensor<?xf64, #weld.dims<"n">>
    %2 = weld.mul %0, %1 : f64
    weld.yield %2 : f64
  } : tensor<?xf64, #weld.dims<"m">>
  func.return %g : tensor<?xf64, #weld.dims<"m">>
}

// -----

// Few columns are streams that the processor follows by itself.
// CHECK-LABEL: func.func private @k0_mul_sum
// CHECK-NOT:     prefetch
// CHECK:       func.func @main
func.func @main(%x: tensor<15x100000xf64>, %b: tensor<15xf64>) -> tensor<15xf64> {
  %m = weld.generic over "100000, 15" gives "sum d0" {
    %0 = weld.load %x "d1, d0" : tensor<15x100000xf64>
    %1 = weld.load %b "d1" : tensor<15xf64>
    %2 = weld.mul %0, %1 : f64
    weld.yield %2 : f64
  } : tensor<100000xf64>
  %g = weld.generic over "100000, 15" gives "sum d1" {
    %0 = weld.load %x "d1, d0" : tensor<15x100000xf64>
    %1 = weld.load %m "d0" : tensor<100000xf64>
    %2 = weld.mul %0, %1 : f64
    weld.yield %2 : f64
  } : tensor<15xf64>
  func.return %g : tensor<15xf64>
}

// -----

// The second-level cache has most of this.
// CHECK-LABEL: func.func private @k0_mul_sum
// CHECK-NOT:     prefetch
// CHECK:       func.func @main
func.func @main(%x: tensor<20x10000xf64>, %b: tensor<20xf64>) -> tensor<20xf64> {
  %m = weld.generic over "10000, 20" gives "sum d0" {
    %0 = weld.load %x "d1, d0" : tensor<20x10000xf64>
    %1 = weld.load %b "d1" : tensor<20xf64>
    %2 = weld.mul %0, %1 : f64
    weld.yield %2 : f64
  } : tensor<10000xf64>
  %g = weld.generic over "10000, 20" gives "sum d1" {
    %0 = weld.load %x "d1, d0" : tensor<20x10000xf64>
    %1 = weld.load %m "d0" : tensor<10000xf64>
    %2 = weld.mul %0, %1 : f64
    weld.yield %2 : f64
  } : tensor<20xf64>
  func.return %g : tensor<20xf64>
}

// -----

// The second-level cache would not keep what is asked for of so many.
// CHECK-LABEL: func.func private @k0_mul_sum
// CHECK-NOT:     prefetch
// CHECK:       func.func @main
func.func @main(%x: tensor<600x10000xf64>, %b: tensor<600xf64>) -> tensor<600xf64> {
  %m = weld.generic over "10000, 600" gives "sum d0" {
    %0 = weld.load %x "d1, d0" : tensor<600x10000xf64>
    %1 = weld.load %b "d1" : tensor<600xf64>
    %2 = weld.mul %0, %1 : f64
    weld.yield %2 : f64
  } : tensor<10000xf64>
  %g = weld.generic over "10000, 600" gives "sum d1" {
    %0 = weld.load %x "d1, d0" : tensor<600x10000xf64>
    %1 = weld.load %m "d0" : tensor<10000xf64>
    %2 = weld.mul %0, %1 : f64
    weld.yield %2 : f64
  } : tensor<600xf64>
  func.return %g : tensor<600xf64>
}
