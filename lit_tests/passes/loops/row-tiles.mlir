// RUN: loopweld-opt %s --split-input-file --verify-each -p "form-kernels,lower-to-loops{vector-bits=512},annotate-alias-scopes" | filecheck %s
// RUN: loopweld-opt %s --split-input-file -p "form-kernels,lower-to-loops{vector-bits=512},annotate-alias-scopes" | loopweld-opt --split-input-file --verify-each | filecheck %s

// Rows of five: 64 of them come in as columns, each lane takes a maximum of its own, and the result goes out as rows.
// CHECK-LABEL: func.func private @k0_sub_exp
// CHECK-NOT:     loop.reduce
// CHECK-DAG:     %[[FIVE:.*]] = weld.constant 5 : i64
// CHECK-DAG:     %[[ROWS:.*]] = weld.constant 64 : i64
// CHECK:         loop.for %[[I:.*]] = {{.*}} step 64 "d0" {
// CHECK-NEXT:      %[[AT:.*]] = loop.affine "5 * d0" %[[I]]
// CHECK-NEXT:      loop.transpose %[[ROWS]] x %[[FIVE]] of %x[%[[AT]]] by %[[FIVE]] to %[[IN:.*]][%{{.*}}] by %[[ROWS]] lanes 16
// CHECK-NEXT:      %[[MAX:.*]] = loop.for {{.*}} to %[[FIVE]] step 1 iter {{.*}} "d1" {
// CHECK:             loop.load %[[IN]][
// CHECK:           loop.for {{.*}} to %[[FIVE]] step 1 "d1" {
// CHECK:             loop.load %[[IN]][
// CHECK:             loop.store "set" {{.*}} to %[[OUT:[a-z0-9_]+]][
// CHECK:           loop.transpose %[[FIVE]] x %[[ROWS]] of %[[OUT]][%{{.*}}] by %[[ROWS]] to %{{.*}}[%[[AT]]] by %[[FIVE]] lanes 16
// CHECK:         loop.for %[[I:.*]] = {{.*}} step 64 "d0 rest" {
// CHECK:           %[[LEFT:.*]] = loop.affine "_ - d0" %n, %[[I]]
// CHECK:           loop.transpose %[[LEFT]] x %[[FIVE]] of %x
// CHECK-NOT:     loop.reduce
func.func @main(%x: tensor<?x5xf32, #weld.dims<"n, 5">>) -> tensor<?x5xf32, #weld.dims<"n, 5">> {
  %m = weld.generic over "n, 5" gives "max d0" {
    %0 = weld.load %x "d0, d1" : tensor<?x5xf32, #weld.dims<"n, 5">>
    weld.yield %0 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  %y = weld.generic over "n, 5" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x5xf32, #weld.dims<"n, 5">>
    %1 = weld.load %m "d0" : tensor<?xf32, #weld.dims<"n">>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.exp %2 : f32
    weld.yield %3 : f32
  } : tensor<?x5xf32, #weld.dims<"n, 5">>
  func.return %y : tensor<?x5xf32, #weld.dims<"n, 5">>
}

// -----

// A reduction alone.
// CHECK-LABEL: func.func private @k0_argmax
// CHECK:         loop.transpose {{.*}} of %x
// CHECK-NOT:     loop.reduce
func.func @main(%x: tensor<?x8xf64, #weld.dims<"n, 8">>) -> tensor<?xi64, #weld.dims<"n">> {
  %a = weld.generic over "n, 8" gives "argmax d0" {
    %0 = weld.load %x "d0, d1" : tensor<?x8xf64, #weld.dims<"n, 8">>
    %1 = weld.index "d1"
    weld.yield %0, %1 : f64, i64
  } : tensor<?xi64, #weld.dims<"n">>
  func.return %a : tensor<?xi64, #weld.dims<"n">>
}

// -----

// A full register whose lanes are added up costs less than the way through the tile.
// CHECK-LABEL: func.func private @k0_sum
// CHECK-NOT:     loop.transpose
// CHECK:         loop.reduce "sum"
func.func @main(%x: tensor<?x16xf32, #weld.dims<"n, 16">>) -> tensor<?xf32, #weld.dims<"n">> {
  %s = weld.generic over "n, 16" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<?x16xf32, #weld.dims<"n, 16">>
    weld.yield %0 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %s : tensor<?xf32, #weld.dims<"n">>
}

// -----

// Too few rows for a register, rows of an unknown length, or an element that is only known then.
// CHECK-LABEL: func.func private @k0_argmax
// CHECK-NOT:     loop.transpose
func.func @main(%x: tensor<4x8xf32>, %y: tensor<?x?xf32, #weld.dims<"n, m">>, %z: tensor<?x4xf32, #weld.dims<"n, 4">>, %i: tensor<?xi64, #weld.dims<"n">>) -> (tensor<4xi64>, tensor<?xi64, #weld.dims<"n">>, tensor<?xf32, #weld.dims<"n">>) {
  %a = weld.generic over "4, 8" gives "argmax d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
    %1 = weld.index "d1"
    weld.yield %0, %1 : f32, i64
  } : tensor<4xi64>
  %b = weld.generic over "n, m" gives "argmax d0" {
    %0 = weld.load %y "d0, d1" : tensor<?x?xf32, #weld.dims<"n, m">>
    %1 = weld.index "d1"
    weld.yield %0, %1 : f32, i64
  } : tensor<?xi64, #weld.dims<"n">>
  %c = weld.generic over "n, 4" gives "max d0" {
    %0 = weld.load %i "d0" : tensor<?xi64, #weld.dims<"n">>
    %1 = weld.load %z, %0 "i0, d1" : tensor<?x4xf32, #weld.dims<"n, 4">>
    weld.yield %1 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %a, %b, %c : tensor<4xi64>, tensor<?xi64, #weld.dims<"n">>, tensor<?xf32, #weld.dims<"n">>
}
