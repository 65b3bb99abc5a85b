// RUN: loopweld-opt %s -p propagate-views | filecheck %s
// RUN: loopweld-opt %s -p propagate-views,propagate-views | filecheck %s

// A reshape of an elementwise result becomes a reshape of its operands.
// CHECK-LABEL: func.func @moves
// CHECK-NEXT:    %[[X:.*]] = "weld.reshape"(%x)
// CHECK-NEXT:    %[[Y:.*]] = "weld.reshape"(%y)
// CHECK-NEXT:    weld.add %[[X]], %[[Y]] : tensor<32xf32>
// CHECK-NEXT:    func.return
func.func @moves(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>) -> tensor<32xf32> {
  %sum = weld.add %x, %y : tensor<4x8xf32>
  %r = "weld.reshape"(%sum) <{shape = #weld.dims<"32">}> : (tensor<4x8xf32>) -> tensor<32xf32>
  func.return %r : tensor<32xf32>
}

// As far up as it goes; a constant only takes the other shape.
// CHECK-LABEL: func.func @moves_through_a_chain
// CHECK-DAG:     %[[X:.*]] = "weld.reshape"(%x)
// CHECK-DAG:     %[[C:.*]] = weld.constant 2.0 : tensor<32xf32>
// CHECK:         %[[A:.*]] = weld.mul %[[X]], %[[C]] : tensor<32xf32>
// CHECK-NEXT:    weld.exp %[[A]] : tensor<32xf32>
// CHECK-NOT:     weld.reshape
func.func @moves_through_a_chain(%x: tensor<4x8xf32>) -> tensor<32xf32> {
  %two = weld.constant 2.0 : tensor<4x8xf32>
  %a = weld.mul %x, %two : tensor<4x8xf32>
  %b = weld.exp %a : tensor<4x8xf32>
  %r = "weld.reshape"(%b) <{shape = #weld.dims<"32">}> : (tensor<4x8xf32>) -> tensor<32xf32>
  func.return %r : tensor<32xf32>
}

// Two reshapes are one.
// CHECK-LABEL: func.func @composes
// CHECK:         %[[R:.*]] = "weld.reshape"(%x) <{shape = #weld.dims<"2, 16">}>
// CHECK:         func.return %[[R]]
func.func @composes(%x: tensor<4x8xf32>) -> tensor<2x16xf32> {
  %a = "weld.reshape"(%x) <{shape = #weld.dims<"32">}> : (tensor<4x8xf32>) -> tensor<32xf32>
  %b = "weld.reshape"(%a) <{shape = #weld.dims<"2, 16">}> : (tensor<32xf32>) -> tensor<2x16xf32>
  func.return %b : tensor<2x16xf32>
}

// A value that is used elsewhere too would be computed twice: it stays.
// CHECK-LABEL: func.func @keeps_a_shared_value
// CHECK-NEXT:    %[[E:.*]] = weld.exp %x : tensor<4x8xf32>
// CHECK-NEXT:    "weld.reshape"(%[[E]])
func.func @keeps_a_shared_value(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<32xf32>) {
  %e = weld.exp %x : tensor<4x8xf32>
  %r = "weld.reshape"(%e) <{shape = #weld.dims<"32">}> : (tensor<4x8xf32>) -> tensor<32xf32>
  func.return %e, %r : tensor<4x8xf32>, tensor<32xf32>
}

// A reduction has no such form.
// CHECK-LABEL: func.func @stops_at_a_reduction
// CHECK-NEXT:    %[[S:.*]] = "weld.sum"(%x)
// CHECK-NEXT:    "weld.reshape"(%[[S]])
func.func @stops_at_a_reduction(%x: tensor<4x8x2xf32>) -> tensor<32xf32> {
  %s = "weld.sum"(%x) <{axes = array<i64: 2>}> : (tensor<4x8x2xf32>) -> tensor<4x8xf32>
  %r = "weld.reshape"(%s) <{shape = #weld.dims<"32">}> : (tensor<4x8xf32>) -> tensor<32xf32>
  func.return %r : tensor<32xf32>
}

// A transpose below the reshape moves along.
// CHECK-LABEL: func.func @moves_a_transpose_too
// CHECK-NEXT:    %[[T:.*]] = "weld.transpose"(%x)
// CHECK-NEXT:    %[[R:.*]] = "weld.reshape"(%[[T]])
// CHECK-NEXT:    weld.exp %[[R]] : tensor<32xf32>
func.func @moves_a_transpose_too(%x: tensor<4x8xf32>) -> tensor<32xf32> {
  %e = weld.exp %x : tensor<4x8xf32>
  %t = "weld.transpose"(%e) <{permutation = array<i64: 1, 0>}> : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %r = "weld.reshape"(%t) <{shape = #weld.dims<"32">}> : (tensor<8x4xf32>) -> tensor<32xf32>
  func.return %r : tensor<32xf32>
}

// Where the reshape mixes dims, the transposed values are stored: once, and not once for each operand.
// CHECK-LABEL: func.func @keeps_what_it_would_mix
// CHECK-NEXT:    %[[A:.*]] = weld.add %x, %y : tensor<4x6xf32>
// CHECK-NEXT:    %[[T:.*]] = "weld.transpose"(%[[A]])
// CHECK-NEXT:    "weld.reshape"(%[[T]])
func.func @keeps_what_it_would_mix(%x: tensor<4x6xf32>, %y: tensor<4x6xf32>) -> tensor<3x8xf32> {
  %a = weld.add %x, %y : tensor<4x6xf32>
  %t = "weld.transpose"(%a) <{permutation = array<i64: 1, 0>}> : (tensor<4x6xf32>) -> tensor<6x4xf32>
  %r = "weld.reshape"(%t) <{shape = #weld.dims<"3, 8">}> : (tensor<6x4xf32>) -> tensor<3x8xf32>
  func.return %r : tensor<3x8xf32>
}

// A shape that only the caller sees and that cuts the dims elsewhere stays at the end: there it costs nothing, while the
// loops above it would walk dims that others do not have.
// CHECK-LABEL: func.func @returned
// CHECK:         weld.exp %{{.*}} : tensor<24x5xf32>
// CHECK:         "weld.reshape"(%{{.*}}) {{.*}} : (tensor<24x5xf32>) -> tensor<8x15xf32>
// CHECK-NEXT:    func.return
func.func @returned(%x: tensor<24x5xf32>) -> tensor<8x15xf32> {
  %a = weld.exp %x : tensor<24x5xf32>
  %b = "weld.reshape"(%a) <{shape = #weld.dims<"8, 15">}> : (tensor<24x5xf32>) -> tensor<8x15xf32>
  func.return %b : tensor<8x15xf32>
}
