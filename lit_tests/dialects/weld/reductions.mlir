// RUN: loopweld-opt %s | filecheck %s
// RUN: loopweld-opt %s | loopweld-opt | filecheck %s

// CHECK-LABEL: func.func @rows
// CHECK-NEXT:    %{{.*}} = "weld.sum"(%{{.*}}) <{axes = array<i64: 1>}> : (tensor<?x8xf32, #weld.dims<"n, 8">>) -> tensor<?xf32, #weld.dims<"n">>
func.func @rows(%x: tensor<?x8xf32, #weld.dims<"n, 8">>) -> tensor<?xf32, #weld.dims<"n">> {
  %0 = "weld.sum"(%x) <{axes = array<i64: 1>}> : (tensor<?x8xf32, #weld.dims<"n, 8">>) -> tensor<?xf32, #weld.dims<"n">>
  func.return %0 : tensor<?xf32, #weld.dims<"n">>
}

// CHECK-LABEL: func.func @all_axes
// CHECK-NEXT:    %{{.*}} = "weld.reduce_max"(%{{.*}}) <{axes = array<i64: 0, 1>}> : (tensor<3x4xi8>) -> tensor<i8>
func.func @all_axes(%x: tensor<3x4xi8>) -> tensor<i8> {
  %0 = "weld.reduce_max"(%x) <{axes = array<i64: 0, 1>}> : (tensor<3x4xi8>) -> tensor<i8>
  func.return %0 : tensor<i8>
}

// Positions are int64, whatever the elements are.
// CHECK-LABEL: func.func @position
// CHECK-NEXT:    %{{.*}} = "weld.argmax"(%{{.*}}) <{axes = array<i64: 0>}> : (tensor<3x4xf16>) -> tensor<4xi64>
func.func @position(%x: tensor<3x4xf16>) -> tensor<4xi64> {
  %0 = "weld.argmax"(%x) <{axes = array<i64: 0>}> : (tensor<3x4xf16>) -> tensor<4xi64>
  func.return %0 : tensor<4xi64>
}

// The empty sum has a value.
// CHECK-LABEL: func.func @empty
// CHECK-NEXT:    %{{.*}} = "weld.sum"(%{{.*}}) <{axes = array<i64: 1>}> : (tensor<3x0xf32>) -> tensor<3xf32>
func.func @empty(%x: tensor<3x0xf32>) -> tensor<3xf32> {
  %0 = "weld.sum"(%x) <{axes = array<i64: 1>}> : (tensor<3x0xf32>) -> tensor<3xf32>
  func.return %0 : tensor<3xf32>
}

// CHECK-LABEL: func.func @scan
// CHECK-NEXT:    %{{.*}} = "weld.cumsum"(%{{.*}}) <{axis = 1 : i64}> : (tensor<3x4xi64>) -> tensor<3x4xi64>
func.func @scan(%x: tensor<3x4xi64>) -> tensor<3x4xi64> {
  %0 = "weld.cumsum"(%x) <{axis = 1 : i64}> : (tensor<3x4xi64>) -> tensor<3x4xi64>
  func.return %0 : tensor<3x4xi64>
}
