// RUN: loopweld-opt %s --verify-each -p resolve-shapes,generalize,refine-domains | filecheck %s
// RUN: loopweld-opt %s -p resolve-shapes,generalize,refine-domains,refine-domains | filecheck %s

// What reads a merged dim walks its parts; the result is another shape of the same memory.
// CHECK-LABEL: func.func @merged
// CHECK:         %[[M:.*]] = weld.generic over "20, 4, 6" gives "sum d0, d1" {
// CHECK:         %[[S:.*]] = weld.generic over "20, 4, 6" gives "write d0, d1, d2" {
// CHECK-DAG:       weld.load %[[M]] "d0, d1" : tensor<20x4xf32>
// CHECK:         %[[Y:.*]] = weld.generic over "20, 4, 6" gives "write d0, d1, d2" {
// CHECK-DAG:       weld.load %[[S]] "d0, d1, d2" : tensor<20x4x6xf32>
// CHECK-DAG:       weld.load %w "6 * d1 + d2" : tensor<24xf32>
// CHECK:         %[[R:.*]] = "weld.reshape"(%[[Y]]) <{shape = #weld.dims<"20, 24">}>
// CHECK:         func.return %[[R]]
func.func @merged(%x: tensor<20x4x6xf32>, %w: tensor<24xf32>) -> tensor<20x24xf32> {
  %m = "weld.sum"(%x) <{axes = array<i64: 2>}> : (tensor<20x4x6xf32>) -> tensor<20x4xf32>
  %b = "weld.broadcast"(%m) <{axes = array<i64: 0, 1>, shape = #weld.dims<"20, 4, 6">}> : (tensor<20x4xf32>) -> tensor<20x4x6xf32>
  %s = weld.sub %x, %b : tensor<20x4x6xf32>
  %r = "weld.reshape"(%s) <{shape = #weld.dims<"20, 24">}> : (tensor<20x4x6xf32>) -> tensor<20x24xf32>
  %v = "weld.broadcast"(%w) <{axes = array<i64: 1>, shape = #weld.dims<"20, 24">}> : (tensor<24xf32>) -> tensor<20x24xf32>
  %y = weld.mul %r, %v : tensor<20x24xf32>
  func.return %y : tensor<20x24xf32>
}

// The rows above a reshape that splits them are split too, so that all loops have the same outer dims. Sizes may be open.
// CHECK-LABEL: func.func @split
// CHECK:         %[[M:.*]] = weld.generic over "s0, s1, 8" gives "max d0, d1" {
// CHECK-NEXT:      weld.load %x "d0 * s1 + d1, d2"
// CHECK:         weld.generic over "s0, s1, 8" gives "write d0, d1, d2" {
// CHECK-DAG:       weld.load %[[M]] "d0, d1"
func.func @split(%x: tensor<?x8xf32, #weld.dims<"s0 * s1, 8">>, %r: tensor<?x?x8xf32, #weld.dims<"s0, s1, 8">>) -> tensor<?x?x8xf32, #weld.dims<"s0, s1, 8">> {
  %m = "weld.reduce_max"(%x) <{axes = array<i64: 1>}> : (tensor<?x8xf32, #weld.dims<"s0 * s1, 8">>) -> tensor<?xf32, #weld.dims<"s0 * s1">>
  %t = "weld.reshape"(%m) <{shape = #weld.dims<"s0, s1">}> : (tensor<?xf32, #weld.dims<"s0 * s1">>) -> tensor<?x?xf32, #weld.dims<"s0, s1">>
  %b = "weld.broadcast"(%t) <{axes = array<i64: 0, 1>, shape = #weld.dims<"s0, s1, 8">}> : (tensor<?x?xf32, #weld.dims<"s0, s1">>) -> tensor<?x?x8xf32, #weld.dims<"s0, s1, 8">>
  %y = weld.sub %r, %b : tensor<?x?x8xf32, #weld.dims<"s0, s1, 8">>
  func.return %y : tensor<?x?x8xf32, #weld.dims<"s0, s1, 8">>
}

// (6, 4) and (3, 8) have the parts (3, 2, 4).
// CHECK-LABEL: func.func @common_parts
// CHECK:         %[[S:.*]] = weld.generic over "3, 2, 4, 5" gives "sum d0, d1, d2" {
// CHECK-NEXT:      weld.load %x "2 * d0 + d1, d2, d3"
// CHECK:         weld.generic over "3, 2, 4" gives "max d0" {
// CHECK-NEXT:      weld.load %[[S]] "d0, d1, d2"
func.func @common_parts(%x: tensor<6x4x5xf32>) -> tensor<3xf32> {
  %s = "weld.sum"(%x) <{axes = array<i64: 2>}> : (tensor<6x4x5xf32>) -> tensor<6x4xf32>
  %r = "weld.reshape"(%s) <{shape = #weld.dims<"3, 8">}> : (tensor<6x4xf32>) -> tensor<3x8xf32>
  %m = "weld.reduce_max"(%r) <{axes = array<i64: 1>}> : (tensor<3x8xf32>) -> tensor<3xf32>
  func.return %m : tensor<3xf32>
}

// (2, 6) and (3, 4) have none: the memory between the loops has both shapes, and no index is divided.
// CHECK-LABEL: func.func @no_common_parts
// CHECK:         %[[S:.*]] = weld.generic over "2, 6, 5" gives "sum d0, d1" {
// CHECK:         %[[R:.*]] = "weld.reshape"(%[[S]])
// CHECK:         weld.generic over "3, 4" gives "max d0" {
// CHECK-NEXT:      weld.load %[[R]] "d0, d1"
func.func @no_common_parts(%x: tensor<2x6x5xf32>) -> tensor<3xf32> {
  %s = "weld.sum"(%x) <{axes = array<i64: 2>}> : (tensor<2x6x5xf32>) -> tensor<2x6xf32>
  %r = "weld.reshape"(%s) <{shape = #weld.dims<"3, 4">}> : (tensor<2x6xf32>) -> tensor<3x4xf32>
  %m = "weld.reduce_max"(%r) <{axes = array<i64: 1>}> : (tensor<3x4xf32>) -> tensor<3xf32>
  func.return %m : tensor<3xf32>
}

// A stencil walks the merged dim as a whole, so it is not cut.
// CHECK-LABEL: func.func @walked_as_a_whole
// CHECK:         %[[S:.*]] = weld.generic over "4, 6, 5" gives "sum d0, d1" {
// CHECK:         %[[R:.*]] = "weld.reshape"(%[[S]])
// CHECK:         weld.generic over "23" gives "write d0" {
// CHECK-DAG:       weld.load %[[R]] "d0 + 1"
// CHECK-DAG:       weld.load %[[R]] "d0"
func.func @walked_as_a_whole(%x: tensor<4x6x5xf32>) -> tensor<23xf32> {
  %s = "weld.sum"(%x) <{axes = array<i64: 2>}> : (tensor<4x6x5xf32>) -> tensor<4x6xf32>
  %r = "weld.reshape"(%s) <{shape = #weld.dims<"24">}> : (tensor<4x6xf32>) -> tensor<24xf32>
  %a = "weld.slice"(%r) <{start = #weld.dims<"1">, size = #weld.dims<"23">, step = #weld.dims<"1">}> : (tensor<24xf32>) -> tensor<23xf32>
  %b = "weld.slice"(%r) <{start = #weld.dims<"0">, size = #weld.dims<"23">, step = #weld.dims<"1">}> : (tensor<24xf32>) -> tensor<23xf32>
  %y = weld.sub %a, %b : tensor<23xf32>
  func.return %y : tensor<23xf32>
}

// Another shape of an argument is free: one loop over 24.
// CHECK-LABEL: func.func @argument
// CHECK-NEXT:    %[[R:.*]] = "weld.reshape"(%x)
// CHECK-NEXT:    weld.generic over "24" gives "write d0" {
// CHECK-NEXT:      weld.load %[[R]] "d0"
func.func @argument(%x: tensor<4x6xf32>) -> tensor<24xf32> {
  %r = "weld.reshape"(%x) <{shape = #weld.dims<"24">}> : (tensor<4x6xf32>) -> tensor<24xf32>
  %y = weld.exp %r : tensor<24xf32>
  func.return %y : tensor<24xf32>
}

// Read in both shapes, it is read in one.
// CHECK-LABEL: func.func @argument_in_two_shapes
// CHECK:         weld.generic over "4, 6" gives "sum d0" {
// CHECK-NEXT:      weld.load %x "d0, d1" : tensor<4x6xf32>
// CHECK:         weld.generic over "4, 6" gives "write d0, d1" {
// CHECK-NEXT:      weld.load %x "d0, d1" : tensor<4x6xf32>
func.func @argument_in_two_shapes(%x: tensor<4x6xf32>) -> (tensor<4xf32>, tensor<24xf32>) {
  %s = "weld.sum"(%x) <{axes = array<i64: 1>}> : (tensor<4x6xf32>) -> tensor<4xf32>
  %r = "weld.reshape"(%x) <{shape = #weld.dims<"24">}> : (tensor<4x6xf32>) -> tensor<24xf32>
  %y = weld.exp %r : tensor<24xf32>
  func.return %s, %y : tensor<4xf32>, tensor<24xf32>
}

// Dims of size 1 are gone: a column's maximum is read at a plain index.
// CHECK-LABEL: func.func @keepdims
// CHECK:         %[[M:.*]] = weld.generic over "7, s0" gives "max d1" {
// CHECK:         %[[E:.*]] = weld.generic over "s0" gives "write d0" {
// CHECK-NEXT:      weld.load %[[M]] "d0"
// CHECK:         weld.generic over "7, s0" gives "write d0, d1" {
// CHECK-DAG:       weld.load %[[E]] "d1" : tensor<?xf32, #weld.dims<"s0">>
func.func @keepdims(%x: tensor<7x?xf32>) -> tensor<7x?xf32> {
  %m = "weld.reduce_max"(%x) <{axes = array<i64: 0>}> : (tensor<7x?xf32>) -> tensor<?xf32>
  %k = "weld.reshape"(%m) <{shape = #weld.dims<"1, s0">}> : (tensor<?xf32>) -> tensor<1x?xf32>
  %e = weld.exp %k : tensor<1x?xf32>
  %b = "weld.broadcast"(%e) <{axes = array<i64: 0, 1>, shape = #weld.dims<"7, s0">}> : (tensor<1x?xf32>) -> tensor<7x?xf32>
  %y = weld.sub %x, %b : tensor<7x?xf32>
  func.return %y : tensor<7x?xf32>
}

// Nothing is ever read of an empty tensor, and no size 0 divides.
// CHECK-LABEL: func.func @empty
// CHECK:         weld.generic over "0, 4" gives "sum d1" {
func.func @empty(%x: tensor<2x0x2xf32>) -> tensor<4xf32> {
  %e = weld.exp %x : tensor<2x0x2xf32>
  %r = "weld.reshape"(%e) <{shape = #weld.dims<"0, 4">}> : (tensor<2x0x2xf32>) -> tensor<0x4xf32>
  %s = "weld.sum"(%r) <{axes = array<i64: 0>}> : (tensor<0x4xf32>) -> tensor<4xf32>
  func.return %s : tensor<4xf32>
}

// Every other element is a dim of its own: no index is divided in the loop.
// CHECK-LABEL: func.func @every_other
// CHECK:         weld.generic over "5, 2" gives "write d0, d1" {
// CHECK-NEXT:      weld.load %y "d0 if d1 - 1 >= 0" : tensor<5xf32>
// CHECK:           weld.inside "d1 - 1 >= 0"
// CHECK-NEXT:      weld.load %x "2 * d0 + d1" : tensor<10xf32>
// CHECK:         "weld.reshape"
func.func @every_other(%x: tensor<10xf32>, %y: tensor<5xf32>) -> tensor<10xf32> {
  %r = "weld.insert"(%x, %y) <{start = #weld.dims<"1">, step = #weld.dims<"2">}> : (tensor<10xf32>, tensor<5xf32>) -> tensor<10xf32>
  func.return %r : tensor<10xf32>
}

// With an odd number of them there is no such dim.
// CHECK-LABEL: func.func @every_other_of_an_odd_number
// CHECK:         weld.generic over "11" gives "write d0" {
// CHECK-NEXT:      weld.load %y "((d0) floordiv (2)) if {{.*}}((d0) mod (2)){{.*}}>= 0" : tensor<5xf32>
func.func @every_other_of_an_odd_number(%x: tensor<11xf32>, %y: tensor<5xf32>) -> tensor<11xf32> {
  %r = "weld.insert"(%x, %y) <{start = #weld.dims<"1">, step = #weld.dims<"2">}> : (tensor<11xf32>, tensor<5xf32>) -> tensor<11xf32>
  func.return %r : tensor<11xf32>
}

// What a broadcast repeats is never stored, whatever the reshape makes of it.
// CHECK-LABEL: func.func @repeated
// CHECK:         weld.generic over "2, 4" gives "write d0, d1" {
// CHECK-NEXT:      weld.load %x "d0" : tensor<2xf32>
// CHECK:         weld.generic over "3, 4" gives "write d0, d1" {
// CHECK-NEXT:      weld.load %x "((4 * d0 + d1) floordiv (6))" : tensor<2xf32>
func.func @repeated(%x: tensor<2xf32>) -> (tensor<8xf32>, tensor<3x4xf32>) {
  %a = "weld.broadcast"(%x) <{axes = array<i64: 0>, shape = #weld.dims<"2, 4">}> : (tensor<2xf32>) -> tensor<2x4xf32>
  %r = "weld.reshape"(%a) <{shape = #weld.dims<"8">}> : (tensor<2x4xf32>) -> tensor<8xf32>
  %b = "weld.broadcast"(%x) <{axes = array<i64: 0>, shape = #weld.dims<"2, 6">}> : (tensor<2xf32>) -> tensor<2x6xf32>
  %t = "weld.reshape"(%b) <{shape = #weld.dims<"3, 4">}> : (tensor<2x6xf32>) -> tensor<3x4xf32>
  %y = weld.exp %r : tensor<8xf32>
  %z = weld.exp %t : tensor<3x4xf32>
  func.return %y, %z : tensor<8xf32>, tensor<3x4xf32>
}
