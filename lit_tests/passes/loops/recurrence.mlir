// RUN: loopweld-opt %s --split-input-file --verify-each -p "generalize,form-kernels,lower-to-loops{entry=main},annotate-alias-scopes" | filecheck %s

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

// -----

// A step may say that it is the last one.
// CHECK:       func.func private @repeat.halve
// CHECK:         loop.for
// CHECK:           func.call @repeat.halve.
// CHECK:           %[[LAST:.*]] = loop.load %{{.*}}[%{{.*}}]{{.*}} : !loop.buffer<i1>, i64 -> i1
// CHECK-NEXT:      loop.until %[[LAST]]
// CHECK-NEXT:      loop.yield
func.func private @halve(%a: tensor<f64>) -> (tensor<f64>, tensor<i1>) {
  %half = weld.constant 0.5 : tensor<f64>
  %b = weld.mul %a, %half : tensor<f64>
  %small = weld.lt %b, %half : tensor<f64>
  func.return %b, %small : tensor<f64>, tensor<i1>
}

func.func @main(%start: tensor<1xf64>) -> tensor<1xf64> {
  %no = weld.constant false : tensor<1xi1>
  %y, %last = weld.recurrence @halve(%start, %no) {count = #weld.dims<"1000">, starts = array<i64: 0, 1>, reads = array<i64: 0>, writes = array<i64: 0, 1>, rows = #weld.dims<"0, 0, 0">, until = 1 : i64} : (tensor<1xf64>, tensor<1xi1>) -> (tensor<1xf64>, tensor<1xi1>)
  func.return %y : tensor<1xf64>
}
