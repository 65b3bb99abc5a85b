// RUN: loopweld-opt %s -p simplify | filecheck %s
// A fixed point: a second run changes nothing.
// RUN: loopweld-opt %s -p simplify,simplify | filecheck %s

// Constants fold, in the element type.
// CHECK-LABEL: func.func @folds_constants
// CHECK-NEXT:    %[[C:.*]] = weld.constant 5.0 : tensor<4xf32>
// CHECK-NEXT:    func.return %[[C]]
func.func @folds_constants() -> tensor<4xf32> {
  %a = weld.constant 2.0 : tensor<4xf32>
  %b = weld.constant 3.0 : tensor<4xf32>
  %y = weld.add %a, %b : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -0.0 is neutral in a sum, whichever side it stands on.
// CHECK-LABEL: func.func @neutral
// CHECK-NEXT:    func.return %x
func.func @neutral(%x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = weld.constant -0.0 : tensor<4xf32>
  %a = weld.add %x, %zero : tensor<4xf32>
  %b = weld.add %zero, %a : tensor<4xf32>
  func.return %b : tensor<4xf32>
}

// 0.0 is not: -0.0 + 0.0 is 0.0.
// CHECK-LABEL: func.func @zero_is_not_neutral
// CHECK:         weld.add
func.func @zero_is_not_neutral(%x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = weld.constant 0.0 : tensor<4xf32>
  %y = weld.add %x, %zero : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// 0 * x is 0 for integers.
// CHECK-LABEL: func.func @absorbing
// CHECK-NEXT:    %[[ZERO:.*]] = weld.constant 0 : tensor<4xi32>
// CHECK-NEXT:    func.return %[[ZERO]]
func.func @absorbing(%x: tensor<4xi32>) -> tensor<4xi32> {
  %zero = weld.constant 0 : tensor<4xi32>
  %y = weld.mul %zero, %x : tensor<4xi32>
  func.return %y : tensor<4xi32>
}

// Not for floats: 0 * inf is NaN. And x - x is NaN where x is.
// CHECK-LABEL: func.func @floats_do_not_absorb
// CHECK:         weld.mul
// CHECK-NEXT:    weld.sub
func.func @floats_do_not_absorb(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %zero = weld.constant 0.0 : tensor<4xf32>
  %y = weld.mul %x, %zero : tensor<4xf32>
  %z = weld.sub %x, %x : tensor<4xf32>
  func.return %y, %z : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @involution
// CHECK-NEXT:    func.return %x
func.func @involution(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = weld.neg %x : tensor<4xf32>
  %b = weld.neg %a : tensor<4xf32>
  func.return %b : tensor<4xf32>
}

// CHECK-LABEL: func.func @cheaper
// CHECK-NEXT:    %[[Y:.*]] = weld.mul %x, %x
// CHECK-NEXT:    func.return %[[Y]]
func.func @cheaper(%x: tensor<4xf32>) -> tensor<4xf32> {
  %two = weld.constant 2.0 : tensor<4xf32>
  %y = weld.pow %x, %two : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// Equal ops are one; operands of a commutative op in either order.
// CHECK-LABEL: func.func @merges
// CHECK-NEXT:    %[[SUM:.*]] = weld.add %x, %y
// CHECK-NEXT:    %[[SINE:.*]] = weld.sin %[[SUM]]
// CHECK-NEXT:    func.return %[[SINE]], %[[SINE]]
func.func @merges(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %a = weld.add %x, %y : tensor<4xf32>
  %b = weld.add %y, %x : tensor<4xf32>
  %c = weld.sin %a : tensor<4xf32>
  %d = weld.sin %b : tensor<4xf32>
  func.return %c, %d : tensor<4xf32>, tensor<4xf32>
}

// Not merged: the operands of a difference in the other order, another axis, another result type.
// CHECK-LABEL: func.func @keeps_what_differs
// CHECK-COUNT-2: weld.sub
// CHECK-COUNT-2: weld.sum
// CHECK-COUNT-2: weld.cast
func.func @keeps_what_differs(%x: tensor<4x4xf32>, %y: tensor<4x4xf32>)
    -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4x4xf64>, tensor<4x4xf16>) {
  %a = weld.sub %x, %y : tensor<4x4xf32>
  %b = weld.sub %y, %x : tensor<4x4xf32>
  %c = "weld.sum"(%x) <{axes = array<i64: 0>}> : (tensor<4x4xf32>) -> tensor<4xf32>
  %d = "weld.sum"(%x) <{axes = array<i64: 1>}> : (tensor<4x4xf32>) -> tensor<4xf32>
  %e = weld.cast %x : (tensor<4x4xf32>) -> tensor<4x4xf64>
  %f = weld.cast %x : (tensor<4x4xf32>) -> tensor<4x4xf16>
  func.return %a, %b, %c, %d, %e, %f : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4x4xf64>, tensor<4x4xf16>
}

// The identity of a reduction gives itself, however many there are; another constant does not where there are none.
// CHECK-LABEL: func.func @reduces_the_identity
// CHECK-NEXT:    weld.constant false : tensor<?xi1
// CHECK-NEXT:    weld.constant true : tensor<i1>
// CHECK-NEXT:    "weld.all"(%false)
// CHECK-NEXT:    func.return
func.func @reduces_the_identity(%x: tensor<?xi32>) -> (tensor<i1>, tensor<i1>) {
  %true = weld.is_finite %x : tensor<?xi32>
  %false = weld.is_inf %x : tensor<?xi32>
  %a = "weld.all"(%true) <{axes = array<i64: 0>}> : (tensor<?xi1>) -> tensor<i1>
  %b = "weld.all"(%false) <{axes = array<i64: 0>}> : (tensor<?xi1>) -> tensor<i1>
  func.return %a, %b : tensor<i1>, tensor<i1>
}

// Nor zeros of different signs: 1 / x tells them apart.
// CHECK-LABEL: func.func @keeps_both_zeros
// CHECK-DAG:     weld.constant 0.0
// CHECK-DAG:     weld.constant -0.0
// CHECK:         func.return
func.func @keeps_both_zeros() -> (tensor<4xf32>, tensor<4xf32>) {
  %a = weld.constant 0.0 : tensor<4xf32>
  %b = weld.constant -0.0 : tensor<4xf32>
  func.return %a, %b : tensor<4xf32>, tensor<4xf32>
}

// A view of one number holds that number.
// CHECK-LABEL: func.func @views_of_numbers
// CHECK-NEXT:    weld.constant -1.5 : tensor<?x4xf64, #weld.dims<"n, 4">>
// CHECK-NEXT:    func.return
func.func @views_of_numbers() -> tensor<?x4xf64, #weld.dims<"n, 4">> {
  %a = weld.constant -1.5 : tensor<1xf32>
  %b = "weld.broadcast"(%a) <{axes = array<i64: 1>, shape = #weld.dims<"n, 4">}> : (tensor<1xf32>) -> tensor<?x4xf32, #weld.dims<"n, 4">>
  %c = weld.cast %b : (tensor<?x4xf32, #weld.dims<"n, 4">>) -> tensor<?x4xf64, #weld.dims<"n, 4">>
  func.return %c : tensor<?x4xf64, #weld.dims<"n, 4">>
}

// A slice of what was joined is a slice of its piece, or the piece: here of a join of joins, and of unknown sizes.
// CHECK-LABEL: func.func @slices_of_joins
// CHECK-NEXT:    "weld.slice"(%y) <{start = #weld.dims<"1">, size = #weld.dims<"n - 1">, step = #weld.dims<"1">}>
// CHECK-NEXT:    func.return %x, %y, %e
func.func @slices_of_joins(%x: tensor<4xf32>, %y: tensor<?xf32, #weld.dims<"n">>) -> (tensor<4xf32>, tensor<?xf32, #weld.dims<"n">>, tensor<?xf32, #weld.dims<"n - 1">>) {
  %a = "weld.concat"(%x, %y) <{axis = 0 : i64}> : (tensor<4xf32>, tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n + 4">>
  %b = "weld.concat"(%a, %x) <{axis = 0 : i64}> : (tensor<?xf32, #weld.dims<"n + 4">>, tensor<4xf32>) -> tensor<?xf32, #weld.dims<"n + 8">>
  %c = "weld.slice"(%b) <{start = #weld.dims<"0">, size = #weld.dims<"4">, step = #weld.dims<"1">}> : (tensor<?xf32, #weld.dims<"n + 8">>) -> tensor<4xf32>
  %d = "weld.slice"(%b) <{start = #weld.dims<"4">, size = #weld.dims<"n">, step = #weld.dims<"1">}> : (tensor<?xf32, #weld.dims<"n + 8">>) -> tensor<?xf32, #weld.dims<"n">>
  %e = "weld.slice"(%b) <{start = #weld.dims<"5">, size = #weld.dims<"n - 1">, step = #weld.dims<"1">}> : (tensor<?xf32, #weld.dims<"n + 8">>) -> tensor<?xf32, #weld.dims<"n - 1">>
  func.return %c, %d, %e : tensor<4xf32>, tensor<?xf32, #weld.dims<"n">>, tensor<?xf32, #weld.dims<"n - 1">>
}

// Not one that lies in two pieces, nor one of every second element.
// CHECK-LABEL: func.func @slices_across_joins
// CHECK:         weld.concat
// CHECK-COUNT-2: "weld.slice"(%a)
// CHECK:         func.return
func.func @slices_across_joins(%x: tensor<4x2xf32>) -> (tensor<4x2xf32>, tensor<2x2xf32>) {
  %a = "weld.concat"(%x, %x) <{axis = 0 : i64}> : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<8x2xf32>
  %b = "weld.slice"(%a) <{start = #weld.dims<"1, 0">, size = #weld.dims<"4, 2">, step = #weld.dims<"1, 1">}> : (tensor<8x2xf32>) -> tensor<4x2xf32>
  %c = "weld.slice"(%a) <{start = #weld.dims<"0, 0">, size = #weld.dims<"2, 2">, step = #weld.dims<"2, 1">}> : (tensor<8x2xf32>) -> tensor<2x2xf32>
  func.return %b, %c : tensor<4x2xf32>, tensor<2x2xf32>
}

// What nobody uses goes, a chain of it at once; a check stays, for it may raise.
// CHECK-LABEL: func.func @drops_unused
// CHECK-NEXT:    weld.check %bad
// CHECK-NEXT:    func.return
func.func @drops_unused(%x: tensor<4xf32>, %bad: tensor<i1>) {
  %a = weld.exp %x : tensor<4xf32>
  %b = weld.sin %a : tensor<4xf32>
  weld.check %bad "no" "ValueError" : tensor<i1>
  func.return
}
