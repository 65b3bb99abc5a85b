// RUN: loopweld-opt %s | filecheck %s
// RUN: loopweld-opt %s | loopweld-opt | filecheck %s

// CHECK-LABEL: func.func @gather
// CHECK-NEXT:    "weld.gather"(%{{.*}}, %{{.*}}) <{axes = array<i64: 1>, at = 1 : i64}> : (tensor<5x4xf32>, tensor<7xi64>) -> tensor<5x7xf32>
func.func @gather(%x: tensor<5x4xf32>, %i: tensor<7xi64>) -> tensor<5x7xf32> {
  %0 = "weld.gather"(%x, %i) <{axes = array<i64: 1>, at = 1 : i64}> : (tensor<5x4xf32>, tensor<7xi64>) -> tensor<5x7xf32>
  func.return %0 : tensor<5x7xf32>
}

// All indices are promised to be in range.
// CHECK-LABEL: func.func @gather_in_range
// CHECK-NEXT:    "weld.gather"(%{{.*}}, %{{.*}}) <{at = 0 : i64, axes = array<i64: 0>, in_range}>
func.func @gather_in_range(%x: tensor<5xf32>, %i: tensor<7xi64>) -> tensor<7xf32> {
  %0 = "weld.gather"(%x, %i) <{at = 0 : i64, axes = array<i64: 0>, in_range}> : (tensor<5xf32>, tensor<7xi64>) -> tensor<7xf32>
  func.return %0 : tensor<7xf32>
}

// The kind of a scatter is a property like any other.
// CHECK-LABEL: func.func @scatter
// CHECK-NEXT:    "weld.scatter"(%{{.*}}, %{{.*}}, %{{.*}}) <{axes = array<i64: 0>, at = 0 : i64, kind = "add"}>
func.func @scatter(%x: tensor<5x4xf32>, %u: tensor<7x4xf32>, %i: tensor<7xi64>) -> tensor<5x4xf32> {
  %0 = "weld.scatter"(%x, %u, %i) <{axes = array<i64: 0>, at = 0 : i64, kind = "add"}> : (tensor<5x4xf32>, tensor<7x4xf32>, tensor<7xi64>) -> tensor<5x4xf32>
  func.return %0 : tensor<5x4xf32>
}

// CHECK-LABEL: func.func @check
// CHECK-NEXT:    weld.check %{{.*}} "index out of range" "IndexError" : tensor<i1>
func.func @check(%bad: tensor<i1>) {
  weld.check %bad "index out of range" "IndexError" : tensor<i1>
  func.return
}
