// Floats written as their bits, as xDSL and MLIR print infinities and NaN.
// RUN: loopweld-opt %s --split-input-file -p convert-linalg-to-weld | filecheck %s
// RUN: loopweld-opt %s --split-input-file -p convert-linalg-to-weld | loopweld-opt --split-input-file | filecheck %s

// CHECK-LABEL: func.func @bits
// CHECK-NEXT:    weld.constant inf : tensor<4xf32>
// CHECK-NEXT:    weld.constant dense<"0x0000803f0000c07f0000204000000080">
// CHECK-NEXT:    weld.constant 1.0 : tensor<4xf64>
// CHECK-NEXT:    weld.constant -2.0 : tensor<4xf16>
// CHECK-NEXT:    weld.constant 16 : tensor<4xi32>
func.func @bits() -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf64>, tensor<4xf16>, tensor<4xi32>) {
  %a = arith.constant dense<0x7F800000> : tensor<4xf32>
  %b = arith.constant dense<[0x3F800000, 0x7FC00000, 2.5, 0x80000000]> : tensor<4xf32>
  %c = arith.constant dense<0x3FF0000000000000> : tensor<4xf64>
  %d = arith.constant dense<0xC000> : tensor<4xf16>
  %e = arith.constant dense<0x10> : tensor<4xi32>
  func.return %a, %b, %c, %d, %e : tensor<4xf32>, tensor<4xf32>, tensor<4xf64>, tensor<4xf16>, tensor<4xi32>
}
