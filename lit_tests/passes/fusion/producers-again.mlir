// RUN: loopweld-opt %s -p 'fuse-producers{choice="random 11"}' | filecheck %s
// A value that was refused is considered again when a loop that reads it as well is computed in place; by then its
// loop may have fewer results.

// CHECK-LABEL: func.func @considered_again
// CHECK-NEXT:    %c = weld.generic over "8" gives "write d0" {
// CHECK-NEXT:      weld.load %x "-d0 + 7"
// CHECK-NEXT:      weld.exp
// CHECK:         %p = weld.generic over "8" gives "write d0" {
// CHECK-NOT:     weld.generic
// CHECK:         func.return %c, %p
func.func @considered_again(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %e = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<8xf32>
  %n = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.neg %0 : f32
    weld.yield %1 : f32
  } : tensor<8xf32>
  %q = weld.generic over "8" gives "write d0" {
    %0 = weld.load %e "d0" : tensor<8xf32>
    %1 = weld.abs %0 : f32
    weld.yield %1 : f32
  } : tensor<8xf32>
  %c = weld.generic over "8" gives "write d0" {
    %0 = weld.load %n "7 - d0" : tensor<8xf32>
    %1 = weld.load %e "7 - d0" : tensor<8xf32>
    %2 = weld.load %q "7 - d0" : tensor<8xf32>
    %3 = weld.add %0, %1 : f32
    %4 = weld.add %3, %2 : f32
    weld.yield %4 : f32
  } : tensor<8xf32>
  %p = weld.generic over "8" gives "write d0" {
    %0 = weld.load %e "d0" : tensor<8xf32>
    %1 = weld.load %n "d0" : tensor<8xf32>
    %2 = weld.add %1, %0 : f32
    weld.yield %2 : f32
  } : tensor<8xf32>
  func.return %c, %p : tensor<8xf32>, tensor<8xf32>
}
