// RUN: loopweld-opt %s -p resolve-shapes,convert-weld-to-linalg | filecheck %s
// RUN: loopweld-opt %s -p resolve-shapes,generalize,absorb-reductions,convert-weld-to-linalg | filecheck %s --check-prefix=FUSED

// Sizes are read off the arguments; a reduction starts from its identity.
// CHECK-LABEL: func.func @sums(%x: tensor<?x8xf32>) -> tensor<?xf32>
// CHECK:         [[N:%.*]] = tensor.dim %x, {{%.*}} : tensor<?x8xf32>
// CHECK:         math.exp {{%.*}} : f32
// CHECK:         [[ZERO:%.*]] = arith.constant 0.000000e+00 : f32
// CHECK:         tensor.empty([[N]]) : tensor<?xf32>
// CHECK:         linalg.fill ins([[ZERO]] : f32)
// CHECK:         iterator_types = ["parallel", "reduction"]
// CHECK:         arith.addf

// One generic, with an operand and a result.
// FUSED-LABEL: func.func @sums
// FUSED:         linalg.generic
// FUSED-SAME:      ins(%x
// FUSED:           math.exp
// FUSED-NEXT:      arith.addf
// FUSED-NOT:     linalg.generic
// FUSED:         func.return
func.func @sums(%x: tensor<?x8xf32>) -> tensor<?xf32> {
  %0 = weld.exp %x : tensor<?x8xf32>
  %1 = "weld.sum"(%0) <{axes = array<i64: 1>}> : (tensor<?x8xf32>) -> tensor<?xf32>
  func.return %1 : tensor<?xf32>
}

// Integers lose their sign, the ops keep it.
// CHECK-LABEL: func.func @unsigned(%x: tensor<4xi8>) -> tensor<4xi8>
// CHECK:         arith.maxui
func.func @unsigned(%x: tensor<4xui8>) -> tensor<4xui8> {
  %0 = weld.max %x, %x : tensor<4xui8>
  func.return %0 : tensor<4xui8>
}

// What is no operand's element is extracted, under the guard of the access.
// CHECK-LABEL: func.func @pads
// CHECK:         scf.if
// CHECK:           tensor.extract
func.func @pads(%x: tensor<4xf32>, %v: tensor<f32>) -> tensor<6xf32> {
  %0 = "weld.pad"(%x, %v) <{low = #weld.dims<"1">, high = #weld.dims<"1">}> : (tensor<4xf32>, tensor<f32>) -> tensor<6xf32>
  func.return %0 : tensor<6xf32>
}

// A library call is a call of a function from outside.
// CHECK-LABEL: func.func @product
// CHECK:         func.call @weld.matmul(%x, %x)
func.func @product(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = "weld.matmul"(%x, %x) : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  func.return %0 : tensor<4x4xf32>
}
// CHECK:       func.func private @weld.matmul(tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
