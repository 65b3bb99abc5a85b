// RUN: loopweld-opt %s --split-input-file --verify-each -p "form-kernels,lower-to-loops{vector-bits=512},annotate-alias-scopes" | filecheck %s
// RUN: loopweld-opt %s --split-input-file -p "form-kernels,lower-to-loops{vector-bits=512},annotate-alias-scopes" | loopweld-opt --split-input-file --verify-each | filecheck %s

// y lies across x and the result: squares of it change rows and columns in registers, into a tile that stays in cache.
// CHECK-LABEL: func.func private @k0_add
// CHECK:         loop.for %[[J:.*]] = {{.*}} step 64 "d0" {
// CHECK-NEXT:      loop.for %[[T:.*]] = {{.*}} step 64 "d1 tiles" {
// CHECK:             %[[LEFT:.*]] = loop.affine "-a + b" %[[T]],
// CHECK:             %[[AT:.*]] = loop.affine "d0 * n + tile" %[[J]], %n, %[[T]]
// CHECK:             loop.transpose %[[L:.*]] x %[[LEFT]] of %y[%[[AT]]] by %n to %[[TILE:.*]][%{{.*}}] by %[[L]] lanes 16
// CHECK:             loop.for {{.*}} step 1 "d1" {
// CHECK-DAG:           loop.load %x[%{{[0-9]*}}] {{.*}} -> vector<64xf32>
// CHECK-DAG:           loop.load %[[TILE]][%{{[0-9]*}}] {scope = "[[S:.*]]", noalias = ["inputs", {{.*}} -> vector<64xf32>
// CHECK:         loop.for %[[R:.*]] = {{.*}} step 64 "d0 rest" {
// CHECK:             loop.transpose %{{.*}} x %{{.*}} of %y
func.func @main(%x: tensor<?x?xf32, #weld.dims<"n, m">>, %y: tensor<?x?xf32, #weld.dims<"m, n">>) -> tensor<?x?xf32, #weld.dims<"n, m">> {
  %z = weld.generic over "n, m" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"n, m">>
    %1 = weld.load %y "d1, d0" : tensor<?x?xf32, #weld.dims<"m, n">>
    %2 = weld.add %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<?x?xf32, #weld.dims<"n, m">>
  func.return %z : tensor<?x?xf32, #weld.dims<"n, m">>
}

// -----

// A sum of each row: the lanes are rows, so that no step combines lanes.
// CHECK-LABEL: func.func private @k0_mul_sum
// CHECK-NOT:     loop.reduce
// CHECK:         loop.transpose {{.*}} of %x
// CHECK-NOT:     loop.transpose {{.*}} of %y
func.func @main(%x: tensor<100x200xf64>, %y: tensor<200x100xf64>) -> tensor<100xf64> {
  %z = weld.generic over "100, 200" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<100x200xf64>
    %1 = weld.load %y "d1, d0" : tensor<200x100xf64>
    %2 = weld.mul %0, %1 : f64
    weld.yield %2 : f64
  } : tensor<100xf64>
  func.return %z : tensor<100xf64>
}

// -----

// All lies along d0, all along d1 but for three columns, or an index is only known then: no tiles.
// CHECK-LABEL: func.func private @k0_sum
// CHECK-NOT:     loop.transpose
func.func @main(%x: tensor<100x200xf64>, %y: tensor<3x100xf64>, %i: tensor<100xi64>) -> (tensor<200xf64>, tensor<100x3xf64>, tensor<100x200xf64>) {
  %a = weld.generic over "200, 100" gives "sum d0" {
    %0 = weld.load %x "d1, d0" : tensor<100x200xf64>
    weld.yield %0 : f64
  } : tensor<200xf64>
  %b = weld.generic over "100, 3" gives "write d0, d1" {
    %0 = weld.load %y "d1, d0" : tensor<3x100xf64>
    weld.yield %0 : f64
  } : tensor<100x3xf64>
  %c = weld.generic over "100, 200" gives "write d0, d1" {
    %0 = weld.load %i "d0" : tensor<100xi64>
    %1 = weld.load %x, %0 "i0, d1" : tensor<100x200xf64>
    weld.yield %1 : f64
  } : tensor<100x200xf64>
  func.return %a, %b, %c : tensor<200xf64>, tensor<100x3xf64>, tensor<100x200xf64>
}
