// Control flow is refused by name, by every pass that reads a function.
// RUN: not loopweld-opt %s -p simplify 2>&1 | filecheck %s
// RUN: not loopweld-opt %s -p generalize 2>&1 | filecheck %s
// RUN: not loopweld-opt %s -p fuse-producers 2>&1 | filecheck %s
// RUN: not loopweld-opt %s -p convert-linalg-to-weld 2>&1 | filecheck %s
// RUN: not loopweld-opt %s -p lower-to-loops 2>&1 | filecheck %s

// CHECK: control-flow.mlir:9:1: error: 'func.func' op has several blocks; loopweld reads straight-line functions on tensors
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^next
^next:
  func.return %x : tensor<4xf32>
}
