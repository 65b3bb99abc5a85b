// RUN: loopweld-opt %s --verify-each -p resolve-shapes,generalize | filecheck %s
// RUN: loopweld-opt %s -p resolve-shapes,generalize,generalize | filecheck %s

// CHECK-LABEL: func.func @elementwise
// CHECK-NEXT:    %[[Y:.*]] = weld.generic over "s0" gives "write d0" {
// CHECK-NEXT:      %[[X:.*]] = weld.load %x "d0" : tensor<?xf32, #weld.dims<"s0">>
// CHECK-NEXT:      %[[E:.*]] = weld.exp %[[X]] : f32
// CHECK-NEXT:      weld.yield %[[E]] : f32
// CHECK-NEXT:    } : tensor<?xf32, #weld.dims<"s0">>
// CHECK-NEXT:    func.return %[[Y]]
func.func @elementwise(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y = weld.exp %x : tensor<?xf32>
  func.return %y : tensor<?xf32>
}

// CHECK-LABEL: func.func @reduction
// CHECK-NEXT:    weld.generic over "4, 8" gives "sum d0" {
// CHECK-NEXT:      weld.load %x "d0, d1"
func.func @reduction(%x: tensor<4x8xf32>) -> tensor<4xf32> {
  %s = "weld.sum"(%x) <{axes = array<i64: 1>}> : (tensor<4x8xf32>) -> tensor<4xf32>
  func.return %s : tensor<4xf32>
}

// The position of the greatest, in row-major order of the reduced axes, goes along with the value.
// CHECK-LABEL: func.func @argmax
// CHECK-NEXT:    weld.generic over "4, 8" gives "argmax" {
// CHECK-NEXT:      %[[X:.*]] = weld.load %x "d0, d1"
// CHECK-NEXT:      %[[AT:.*]] = weld.index "8 * d0 + d1"
// CHECK-NEXT:      weld.yield %[[X]], %[[AT]] : f32, i64
func.func @argmax(%x: tensor<4x8xf32>) -> tensor<i64> {
  %k = "weld.argmax"(%x) <{axes = array<i64: 0, 1>}> : (tensor<4x8xf32>) -> tensor<i64>
  func.return %k : tensor<i64>
}

// Views are accesses, composed: a column of the transpose, backwards, along a new dim.
// CHECK-LABEL: func.func @views
// CHECK-NEXT:    weld.generic over "4, 3" gives "write d0, d1" {
// CHECK-NEXT:      weld.load %x "-d0 + 3, 5" : tensor<4x8xf32>
// CHECK-NEXT:      weld.neg
// CHECK-NOT:     weld.{{transpose|slice|reverse|reshape|broadcast}}
func.func @views(%x: tensor<4x8xf32>) -> tensor<4x3xf32> {
  %t = "weld.transpose"(%x) <{permutation = array<i64: 1, 0>}> : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %s = "weld.slice"(%t) <{start = #weld.dims<"5, 0">, size = #weld.dims<"1, 4">, step = #weld.dims<"1, 1">}> : (tensor<8x4xf32>) -> tensor<1x4xf32>
  %r = "weld.reverse"(%s) <{axes = array<i64: 1>}> : (tensor<1x4xf32>) -> tensor<1x4xf32>
  %c = "weld.reshape"(%r) <{shape = #weld.dims<"4">}> : (tensor<1x4xf32>) -> tensor<4xf32>
  %b = "weld.broadcast"(%c) <{axes = array<i64: 0>, shape = #weld.dims<"4, 3">}> : (tensor<4xf32>) -> tensor<4x3xf32>
  %y = weld.neg %b : tensor<4x3xf32>
  func.return %y : tensor<4x3xf32>
}

// A reshape that mixes dims would cost divisions as an access; as another shape of the memory it is free.
// CHECK-LABEL: func.func @mixing_reshape
// CHECK-NEXT:    %[[R:.*]] = "weld.reshape"(%x)
// CHECK-NEXT:    weld.generic over "3, 4" gives "write d0, d1" {
// CHECK-NEXT:      weld.load %[[R]] "d0, d1" : tensor<3x4xf32>
func.func @mixing_reshape(%x: tensor<2x6xf32>) -> tensor<3x4xf32> {
  %r = "weld.reshape"(%x) <{shape = #weld.dims<"3, 4">}> : (tensor<2x6xf32>) -> tensor<3x4xf32>
  %y = weld.neg %r : tensor<3x4xf32>
  func.return %y : tensor<3x4xf32>
}

// A pad guards the load and selects the value.
// CHECK-LABEL: func.func @pad
// CHECK:         weld.generic over "6" gives "write d0" {
// CHECK-DAG:       %[[FILL:.*]] = weld.constant 1.0 : f32
// CHECK-DAG:       %[[X:.*]] = weld.load %x "d0 - 2 if d0 - 2 >= 0" : tensor<4xf32>
// CHECK:           %[[IN:.*]] = weld.inside "d0 - 2 >= 0"
// CHECK:           weld.select %[[IN]], %[[X]], %[[FILL]]
func.func @pad(%x: tensor<4xf32>) -> tensor<6xf32> {
  %one = weld.constant 1.0 : tensor<f32>
  %y = "weld.pad"(%x, %one) <{low = #weld.dims<"2">, high = #weld.dims<"0">}> : (tensor<4xf32>, tensor<f32>) -> tensor<6xf32>
  func.return %y : tensor<6xf32>
}

// CHECK-LABEL: func.func @concat
// CHECK:         weld.load %x "d0 if -d0 + 3 >= 0" : tensor<4xf32>
// CHECK:         weld.load %y "d0 - 4 if d0 - 4 >= 0" : tensor<2xf32>
// CHECK:         weld.select
func.func @concat(%x: tensor<4xf32>, %y: tensor<2xf32>) -> tensor<6xf32> {
  %z = "weld.concat"(%x, %y) <{axis = 0 : i64}> : (tensor<4xf32>, tensor<2xf32>) -> tensor<6xf32>
  func.return %z : tensor<6xf32>
}

// A gather wraps negative indices, and reads nothing where one is out of range.
// CHECK-LABEL: func.func @gather
// CHECK:           %[[RAW:.*]] = weld.load %i "d0"
// CHECK:           %[[NEGATIVE:.*]] = weld.lt %[[RAW]]
// CHECK:           %[[WRAPPED:.*]] = weld.add %[[RAW]]
// CHECK:           %[[AT:.*]] = weld.select %[[NEGATIVE]], %[[WRAPPED]], %[[RAW]]
// CHECK:           %[[UNSIGNED:.*]] = weld.cast %[[AT]] : (i64) -> ui64
// CHECK-NEXT:      %[[OUTSIDE:.*]] = weld.ge %[[UNSIGNED]], %{{.*}} : ui64
// CHECK:           %[[INSIDE:.*]] = weld.xor %[[OUTSIDE]]
// CHECK:           weld.load %x, %[[AT]], %[[INSIDE]] "i0, d1" : tensor<5x8xf32>
func.func @gather(%x: tensor<5x8xf32>, %i: tensor<3xi64>) -> tensor<3x8xf32> {
  %y = "weld.gather"(%x, %i) <{axes = array<i64: 0>, at = 0 : i64}> : (tensor<5x8xf32>, tensor<3xi64>) -> tensor<3x8xf32>
  func.return %y : tensor<3x8xf32>
}

// What is promised to be in range is neither wrapped nor checked.
// CHECK-LABEL: func.func @gather_in_range
// CHECK:           %[[AT:.*]] = weld.load %i "d0"
// CHECK-NEXT:      weld.load %x, %[[AT]] "i0, d1" : tensor<5x8xf32>
func.func @gather_in_range(%x: tensor<5x8xf32>, %i: tensor<3xi64>) -> tensor<3x8xf32> {
  %y = "weld.gather"(%x, %i) <{at = 0 : i64, axes = array<i64: 0>, in_range}> : (tensor<5x8xf32>, tensor<3xi64>) -> tensor<3x8xf32>
  func.return %y : tensor<3x8xf32>
}

// CHECK-LABEL: func.func @scatter_in_range
// CHECK:           %[[AT:.*]] = weld.load %i "d0"
// CHECK-NEXT:      %[[VALUE:.*]] = weld.load %u "d0"
// CHECK-NEXT:      %[[KEEP:.*]] = weld.constant true
// CHECK-NEXT:      weld.yield %[[VALUE]], %[[KEEP]], %[[AT]] : f32, i1, i64
func.func @scatter_in_range(%x: tensor<5xf32>, %u: tensor<3xf32>, %i: tensor<3xi64>) -> tensor<5xf32> {
  %y = "weld.scatter"(%x, %u, %i) <{at = 0 : i64, axes = array<i64: 0>, in_range, kind = "add"}> : (tensor<5xf32>, tensor<3xf32>, tensor<3xi64>) -> tensor<5xf32>
  func.return %y : tensor<5xf32>
}

// An index that counts along the result is a dim of the access, where that is in range.
// CHECK-LABEL: func.func @counting(
// CHECK:         %[[AT:.*]] = weld.select
// CHECK:         weld.load %x, %[[AT]], %{{.*}} "d0 + 1, i0" : tensor<4x8xf32>
func.func @counting(%x: tensor<4x8xf32>, %i: tensor<3xi64>) -> tensor<3xf32> {
  %n = "weld.iota"() <{axis = 0 : i64, shape = #weld.dims<"3">}> : () -> tensor<3xi64>
  %one = weld.constant 1 : tensor<3xi64>
  %m = weld.add %n, %one : tensor<3xi64>
  %y = "weld.gather"(%x, %m, %i) <{axes = array<i64: 0, 1>, at = 0 : i64}> : (tensor<4x8xf32>, tensor<3xi64>, tensor<3xi64>) -> tensor<3xf32>
  func.return %y : tensor<3xf32>
}

// CHECK-LABEL: func.func @counting_too_far
// CHECK:         weld.load %x, %{{.*}}, %{{.*}} "i0" : tensor<2xf32>
func.func @counting_too_far(%x: tensor<2xf32>) -> tensor<3xf32> {
  %n = "weld.iota"() <{axis = 0 : i64, shape = #weld.dims<"3">}> : () -> tensor<3xi64>
  %y = "weld.gather"(%x, %n) <{axes = array<i64: 0>, at = 0 : i64}> : (tensor<2xf32>, tensor<3xi64>) -> tensor<3xf32>
  func.return %y : tensor<3xf32>
}

// CHECK-LABEL: func.func @scatter_along
// CHECK-NEXT:    weld.generic over "3" gives "scatter_add d0, i0" from %x {
// CHECK:           weld.yield %{{.*}}, %{{.*}}, %{{.*}} : f32, i1, i64
func.func @scatter_along(%x: tensor<3x5xf32>, %u: tensor<3xf32>, %i: tensor<3xi64>) -> tensor<3x5xf32> {
  %n = "weld.iota"() <{axis = 0 : i64, shape = #weld.dims<"3">}> : () -> tensor<3xi64>
  %y = "weld.scatter"(%x, %u, %n, %i) <{axes = array<i64: 0, 1>, at = 0 : i64, kind = "add"}> : (tensor<3x5xf32>, tensor<3xf32>, tensor<3xi64>, tensor<3xi64>) -> tensor<3x5xf32>
  func.return %y : tensor<3x5xf32>
}

// CHECK-LABEL: func.func @scatter(
// CHECK-NEXT:    weld.generic over "3" gives "scatter_add i0" from %x {
// CHECK:           weld.yield %{{.*}}, %{{.*}}, %{{.*}} : f32, i1, i64
func.func @scatter(%x: tensor<5xf32>, %u: tensor<3xf32>, %i: tensor<3xi64>) -> tensor<5xf32> {
  %y = "weld.scatter"(%x, %u, %i) <{axes = array<i64: 0>, at = 0 : i64, kind = "add"}> : (tensor<5xf32>, tensor<3xf32>, tensor<3xi64>) -> tensor<5xf32>
  func.return %y : tensor<5xf32>
}

// A result of its own for each returned value: arguments, views and second uses are copied.
// CHECK-LABEL: func.func @own_results
// CHECK-NEXT:    %[[E:.*]] = weld.generic {{.*}} {
// CHECK:           weld.exp
// CHECK:         %[[A:.*]] = weld.generic over "4, 8" gives "write d0, d1" {
// CHECK-NEXT:      weld.load %x "d0, d1"
// CHECK:         %[[B:.*]] = weld.generic over "8, 4" gives "write d0, d1" {
// CHECK-NEXT:      weld.load %x "d1, d0"
// CHECK:         %[[C:.*]] = weld.generic over "4, 8" gives "write d0, d1" {
// CHECK-NEXT:      weld.load %[[E]] "d0, d1"
// CHECK:         func.return %[[E]], %[[A]], %[[B]], %[[C]]
func.func @own_results(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<8x4xf32>, tensor<4x8xf32>) {
  %e = weld.exp %x : tensor<4x8xf32>
  %t = "weld.transpose"(%x) <{permutation = array<i64: 1, 0>}> : (tensor<4x8xf32>) -> tensor<8x4xf32>
  func.return %e, %x, %t, %e : tensor<4x8xf32>, tensor<4x8xf32>, tensor<8x4xf32>, tensor<4x8xf32>
}

// 16-bit floats are computed as float32; a sum is rounded once, at its end.
// CHECK-LABEL: func.func @half
// CHECK:         weld.generic over "8" gives "sum" {
// CHECK-NEXT:      %[[H:.*]] = weld.load %x "d0" : tensor<8xf16>
// CHECK-NEXT:      %[[F:.*]] = weld.cast %[[H]] : (f16) -> f32
// CHECK-NEXT:      weld.yield %[[F]] : f32
// CHECK-NEXT:    } : tensor<f32>
// CHECK:           weld.cast %{{.*}} : (f32) -> f16
func.func @half(%x: tensor<8xf16>) -> tensor<f16> {
  %s = "weld.sum"(%x) <{axes = array<i64: 0>}> : (tensor<8xf16>) -> tensor<f16>
  func.return %s : tensor<f16>
}

// A contraction and its operand, transposed in memory, stay what they are: library calls.
// CHECK-LABEL: func.func @library
// CHECK-NEXT:    %[[T:.*]] = "weld.transpose"(%x)
// CHECK-NEXT:    %[[M:.*]] = "weld.matmul"(%[[T]], %x)
// CHECK-NEXT:    func.return %[[M]]
func.func @library(%x: tensor<4x8xf32>) -> tensor<8x8xf32> {
  %t = "weld.transpose"(%x) <{permutation = array<i64: 1, 0>}> : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %m = "weld.matmul"(%t, %x) : (tensor<8x4xf32>, tensor<4x8xf32>) -> tensor<8x8xf32>
  func.return %m : tensor<8x8xf32>
}

// Tiles, transposed and back: the two reshapes undo each other, and the input is read as it is.
// CHECK-LABEL: func.func @views_undone
// CHECK-NEXT:    weld.generic over "8, 6" gives "write d0, d1" {
// CHECK-NEXT:      weld.load %x "d0, d1" : tensor<8x6xf32>
func.func @views_undone(%x: tensor<8x6xf32>) -> tensor<8x6xf32> {
  %a = "weld.reshape"(%x) <{shape = #weld.dims<"2, 4, 3, 2">}> : (tensor<8x6xf32>) -> tensor<2x4x3x2xf32>
  %b = "weld.transpose"(%a) <{permutation = array<i64: 0, 2, 1, 3>}> : (tensor<2x4x3x2xf32>) -> tensor<2x3x4x2xf32>
  %c = "weld.transpose"(%b) <{permutation = array<i64: 0, 2, 1, 3>}> : (tensor<2x3x4x2xf32>) -> tensor<2x4x3x2xf32>
  %d = "weld.reshape"(%c) <{shape = #weld.dims<"8, 6">}> : (tensor<2x4x3x2xf32>) -> tensor<8x6xf32>
  %y = weld.exp %d : tensor<8x6xf32>
  func.return %y : tensor<8x6xf32>
}

// Every third element from 1 is the inserted one.
// CHECK-LABEL: func.func @insert
// CHECK:           weld.load %y "((d0) floordiv (3)) if ((d0) mod (3)) - 1 >= 0 and -((d0) mod (3)) + 1 >= 0" : tensor<3xf32>
// CHECK-NEXT:      weld.inside "((d0) mod (3)) - 1 >= 0 and -((d0) mod (3)) + 1 >= 0"
// CHECK-NEXT:      weld.load %x "d0"
// CHECK-NEXT:      weld.select
func.func @insert(%x: tensor<8xf32>, %y: tensor<3xf32>) -> tensor<8xf32> {
  %r = "weld.insert"(%x, %y) <{start = #weld.dims<"1">, step = #weld.dims<"3">}> : (tensor<8xf32>, tensor<3xf32>) -> tensor<8xf32>
  func.return %r : tensor<8xf32>
}

// Memory that is not dense is written point by point: a sum gets there by a copy.
// CHECK-LABEL: func.func @strided_results
// CHECK:         %[[S:.*]] = weld.generic over "s0, 4" gives "sum d0" {
// CHECK:         %[[Y:.*]] = weld.generic over "s0, 4" gives "write d0, d1" {
// CHECK:         %[[C:.*]] = weld.generic over "s0" gives "write d0" {
// CHECK-NEXT:      weld.load %[[S]] "d0"
// CHECK:         func.return %[[C]], %[[Y]]
func.func @strided_results(%x: tensor<?x4xf32>)
    -> (tensor<?xf32> {weld.strides = #weld.dims<"t0">}, tensor<?x4xf32> {weld.strides = #weld.dims<"t1, 1">}) {
  %s = "weld.sum"(%x) <{axes = array<i64: 1>}> : (tensor<?x4xf32>) -> tensor<?xf32>
  %y = weld.exp %x : tensor<?x4xf32>
  func.return %s, %y : tensor<?xf32>, tensor<?x4xf32>
}
