// RUN: loopweld-opt %s --verify-each -p "generalize,form-kernels,lower-to-loops{entry=main},annotate-alias-scopes" | filecheck %s

// The kernel of a step takes rows; nothing is copied but the start.
// CHECK:       func.func private @repeat.step.k0_mul(%a: !loop.buffer<f64>, %b: !loop.buffer<f64>, %c: !loop.buffer<f64>)
// CHECK:       func.func private @repeat.step(%[[START:.*]]: !loop.buffer<f64>, %[[X:.*]]: !loop.buffer<f64>, %[[Y:.*]]: !loop.buffer<f64>, %[[N:.*]]: i64)
// CHECK:         loop.copy %[[START]] to %[[Y]]
// CHECK:         loop.for %[[I:.*]] = %{{.*}} to %[[N]] step 1 "d0" {
// CHECK-NEXT:      %[[A:.*]] = loop.subview %[[Y]][%[[I]]]
// CHECK-NEXT:      %[[B:.*]] = loop.subview %[[X]][%[[I]]]
// CHECK-NEXT:      %[[NEXT:.*]] = loop.affine "d0 + 1" %[[I]]
// CHECK-NEXT:      %[[C:.*]] = loop.subview %[[Y]][%[[NEXT]]]
// CHECK-NEXT:      func.call @repeat.step.k0_mul(%[[A]], %[[B]], %[[C]])
// CHECK-NEXT:      loop.yield
func.func private @step(%a: tensor<f64>, %b: tensor<f64>) -> tensor<f64> {
  %c = weld.mul %a, %b : tensor<f64>
  func.return %c : tensor<f64>
}

func.func @main(%start: tensor<?xf64, #weld.dims<"n + 1">>, %x: tensor<?xf64, #weld.dims<"n">>) -> tensor<?xf64, #weld.dims<"n + 1">> {
  %y = weld.recurrence @step(%start, %x) {count = #weld.dims<"n">, starts = array<i64: 0>, reads = array<i64: 0, 2>, writes = array<i64: 0>, rows = #weld.dims<"d0, d0, d0 + 1">} : (tensor<?xf64, #weld.dims<"n + 1">>, tensor<?xf64, #weld.dims<"n">>) -> tensor<?xf64, #weld.dims<"n + 1">>
  func.return %y : tensor<?xf64, #weld.dims<"n + 1">>
}
