// RUN: loopweld-opt %s -p convert-linalg-to-weld | filecheck %s

// CHECK-LABEL: func.func @add
// CHECK-NEXT: weld.add %x, %y : tensor<4xf32>
// CHECK-NEXT: func.return
func.func @add(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %r = linalg.add ins(%x, %y : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  func.return %r : tensor<4xf32>
}

// CHECK-LABEL: func.func @matmul
// CHECK-NEXT: "weld.matmul"(%a, %b)
// CHECK-NEXT: func.return
func.func @matmul(%a: tensor<4x5xf32>, %b: tensor<5x6xf32>) -> tensor<4x6xf32> {
  %z = arith.constant dense<0.0> : tensor<4x6xf32>
  %r = linalg.matmul ins(%a, %b : tensor<4x5xf32>, tensor<5x6xf32>) outs(%z : tensor<4x6xf32>) -> tensor<4x6xf32>
  func.return %r : tensor<4x6xf32>
}

// CHECK-LABEL: func.func @transpose
// CHECK-NEXT: "weld.transpose"(%x)
// CHECK-NEXT: func.return
func.func @transpose(%x: tensor<4x5xf32>) -> tensor<5x4xf32> {
  %e = tensor.empty() : tensor<5x4xf32>
  %r = linalg.transpose ins(%x : tensor<4x5xf32>) outs(%e : tensor<5x4xf32>) permutation = [1, 0]
  func.return %r : tensor<5x4xf32>
}

// CHECK-LABEL: func.func @scalars
// CHECK-SAME: %k: tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "weld.broadcast"(%k)
func.func @scalars(%k: f32) -> tensor<4xf32> {
  %r = tensor.splat %k : tensor<4xf32>
  func.return %r : tensor<4xf32>
}

// A private function whose calls are inlined goes.
// CHECK-NOT: @helper
// CHECK-LABEL: func.func @calls
// CHECK-NEXT: weld.exp %x
func.func private @helper(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = math.exp %x : tensor<4xf32>
  func.return %0 : tensor<4xf32>
}
func.func @calls(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = func.call @helper(%x) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %0 : tensor<4xf32>
}
