// RUN: loopweld-opt %s | filecheck %s
// RUN: loopweld-opt %s | loopweld-opt | filecheck %s

// CHECK-LABEL: func.func @broadcast
// CHECK-NEXT:    "weld.broadcast"(%{{.*}}) <{axes = array<i64: 1>, shape = #weld.dims<"n, 4">}>
func.func @broadcast(%x: tensor<4xf32>) -> tensor<?x4xf32, #weld.dims<"n, 4">> {
  %0 = "weld.broadcast"(%x) <{axes = array<i64: 1>, shape = #weld.dims<"n, 4">}> : (tensor<4xf32>) -> tensor<?x4xf32, #weld.dims<"n, 4">>
  func.return %0 : tensor<?x4xf32, #weld.dims<"n, 4">>
}

// CHECK-LABEL: func.func @transpose
// CHECK-NEXT:    "weld.transpose"(%{{.*}}) <{permutation = array<i64: 2, 0, 1>}> : (tensor<2x3x4xi1>) -> tensor<4x2x3xi1>
func.func @transpose(%x: tensor<2x3x4xi1>) -> tensor<4x2x3xi1> {
  %0 = "weld.transpose"(%x) <{permutation = array<i64: 2, 0, 1>}> : (tensor<2x3x4xi1>) -> tensor<4x2x3xi1>
  func.return %0 : tensor<4x2x3xi1>
}

// CHECK-LABEL: func.func @reshape
// CHECK-NEXT:    "weld.reshape"(%{{.*}}) <{shape = #weld.dims<"{{n \* 4|4 \* n}}">}>
func.func @reshape(%x: tensor<?x4xf32, #weld.dims<"n, 4">>) -> tensor<?xf32, #weld.dims<"n * 4">> {
  %0 = "weld.reshape"(%x) <{shape = #weld.dims<"n * 4">}> : (tensor<?x4xf32, #weld.dims<"n, 4">>) -> tensor<?xf32, #weld.dims<"n * 4">>
  func.return %0 : tensor<?xf32, #weld.dims<"n * 4">>
}

// CHECK-LABEL: func.func @backwards
// CHECK-NEXT:    "weld.slice"(%{{.*}}) <{start = #weld.dims<"8">, size = #weld.dims<"5">, step = #weld.dims<"-2">}>
func.func @backwards(%x: tensor<9xf32>) -> tensor<5xf32> {
  %0 = "weld.slice"(%x) <{start = #weld.dims<"8">, size = #weld.dims<"5">, step = #weld.dims<"-2">}> : (tensor<9xf32>) -> tensor<5xf32>
  func.return %0 : tensor<5xf32>
}

// CHECK-LABEL: func.func @reverse
// CHECK-NEXT:    "weld.reverse"(%{{.*}}) <{axes = array<i64: 0>}> : (tensor<9xf32>) -> tensor<9xf32>
func.func @reverse(%x: tensor<9xf32>) -> tensor<9xf32> {
  %0 = "weld.reverse"(%x) <{axes = array<i64: 0>}> : (tensor<9xf32>) -> tensor<9xf32>
  func.return %0 : tensor<9xf32>
}

// A pad may cut at one side and fill at the other.
// CHECK-LABEL: func.func @pad
// CHECK-NEXT:    "weld.pad"(%{{.*}}, %{{.*}}) <{low = #weld.dims<"-1">, high = #weld.dims<"2">}> : (tensor<9xf32>, tensor<f32>) -> tensor<10xf32>
func.func @pad(%x: tensor<9xf32>, %v: tensor<f32>) -> tensor<10xf32> {
  %0 = "weld.pad"(%x, %v) <{low = #weld.dims<"-1">, high = #weld.dims<"2">}> : (tensor<9xf32>, tensor<f32>) -> tensor<10xf32>
  func.return %0 : tensor<10xf32>
}

// CHECK-LABEL: func.func @concat
// CHECK-NEXT:    "weld.concat"(%{{.*}}, %{{.*}}) <{axis = 0 : i64}> : (tensor<3xi32>, tensor<0xi32>) -> tensor<3xi32>
func.func @concat(%x: tensor<3xi32>, %y: tensor<0xi32>) -> tensor<3xi32> {
  %0 = "weld.concat"(%x, %y) <{axis = 0 : i64}> : (tensor<3xi32>, tensor<0xi32>) -> tensor<3xi32>
  func.return %0 : tensor<3xi32>
}

// CHECK-LABEL: func.func @iota
// CHECK-NEXT:    "weld.iota"() <{axis = 1 : i64, shape = #weld.dims<"3, 4">}> : () -> tensor<3x4xui8>
func.func @iota() -> tensor<3x4xui8> {
  %0 = "weld.iota"() <{axis = 1 : i64, shape = #weld.dims<"3, 4">}> : () -> tensor<3x4xui8>
  func.return %0 : tensor<3x4xui8>
}
