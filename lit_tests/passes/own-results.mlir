// RUN: loopweld-opt %s -p own-results | filecheck %s

// An argument, a view and a value that is returned twice are copied; a value of the function's own is not.
// CHECK-LABEL: func.func @main
// CHECK-NEXT:    %[[Y:.*]] = weld.exp %x
// CHECK-NEXT:    %[[V:.*]] = "weld.reverse"(%x)
// CHECK-NEXT:    %[[A:.*]] = {{.*}}numpy.copy{{.*}}%x
// CHECK-NEXT:    %[[B:.*]] = {{.*}}numpy.copy{{.*}}%[[V]]
// CHECK-NEXT:    %[[C:.*]] = {{.*}}numpy.copy{{.*}}%[[Y]]
// CHECK-NEXT:    func.return %[[A]], %[[B]], %[[Y]], %[[C]]
func.func @main(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %y = weld.exp %x : tensor<8xf32>
  %v = "weld.reverse"(%x) <{axes = array<i64: 0>}> : (tensor<8xf32>) -> tensor<8xf32>
  func.return %x, %v, %y, %y : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}
