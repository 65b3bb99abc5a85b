// RUN: loopweld-opt %s -p resolve-shapes --split-input-file | filecheck %s
// RUN: loopweld-opt %s -p resolve-shapes --split-input-file | loopweld-opt --split-input-file -p resolve-shapes | filecheck %s

// CHECK-LABEL: func.func @fresh
// CHECK-SAME: %x: tensor<?x8xf32, #weld.dims<"s0, 8">>) -> tensor<?x8xf32, #weld.dims<"s0, 8">>
// CHECK-NEXT: %0 = weld.exp %x : tensor<?x8xf32, #weld.dims<"s0, 8">>
func.func @fresh(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = weld.exp %x : tensor<?x8xf32>
  func.return %0 : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: func.func @merged
// CHECK-SAME: %x: tensor<?xf32, #weld.dims<"s0">>, %y: tensor<?xf32, #weld.dims<"s0">>
func.func @merged(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %0 = weld.add %x, %y : tensor<?xf32>
  func.return %0 : tensor<?xf32>
}

// -----

// CHECK-LABEL: func.func @kept
// CHECK-SAME: %x: tensor<?xf32, #weld.dims<"n">>, %y: tensor<?xf32, #weld.dims<"s0">>
func.func @kept(%x: tensor<?xf32, #weld.dims<"n">>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %0 = weld.exp %y : tensor<?xf32>
  func.return %0 : tensor<?xf32>
}

// -----

// CHECK-LABEL: func.func @constant
// CHECK-NEXT: %0 = weld.constant 2.0 : tensor<?xf32, #weld.dims<"s0">>
func.func @constant(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = weld.constant 2.0 : tensor<?xf32>
  %1 = weld.mul %x, %0 : tensor<?xf32>
  func.return %1 : tensor<?xf32>
}

// -----

// CHECK-LABEL: func.func @system
// CHECK-SAME: %a: tensor<?x?xf64, #weld.dims<"s0, s0">>, %b: tensor<?x2xf64, #weld.dims<"s0, 2">>
// CHECK: "weld.solve_triangular"(%{{.*}}, %b) <{lower}> : {{.*}} -> tensor<?x2xf64, #weld.dims<"s0, 2">>
func.func @system(%a: tensor<?x?xf64>, %b: tensor<?x2xf64>) -> tensor<?x2xf64> {
  %0 = "weld.cholesky"(%a) : (tensor<?x?xf64>) -> tensor<?x?xf64>
  %1 = "weld.solve_triangular"(%0, %b) <{lower}> : (tensor<?x?xf64>, tensor<?x2xf64>) -> tensor<?x2xf64>
  func.return %1 : tensor<?x2xf64>
}
