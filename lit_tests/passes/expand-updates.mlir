// RUN: loopweld-opt %s -p resolve-shapes,expand-updates | filecheck %s
// A fixed point: a second run changes nothing.
// RUN: loopweld-opt %s -p resolve-shapes,expand-updates,expand-updates | filecheck %s
// One loop, no scatter and no gather.
// RUN: loopweld-opt %s -p resolve-shapes,expand-updates,generalize,fuse-producers | filecheck %s --check-prefix=FUSED

// expands: an update from the element that it is for
// CHECK-LABEL: func.func @own_element
// CHECK-NEXT:    %[[P:.*]] = weld.exp %x
// CHECK-NOT:     weld.gather
// CHECK:         %[[U:.*]] = weld.sub %[[P]], {{.*}} : tensor<8x9xf32>
// CHECK:         %[[I:.*]] = weld.select {{.*}} : (tensor<8xi1>, tensor<8xi64>, tensor<8xi64>) -> tensor<8xi64>
// CHECK-NEXT:    %[[C:.*]] = "weld.iota"() <{axis = 1 : i64
// CHECK-NEXT:    %[[B:.*]] = "weld.broadcast"(%[[I]]) <{axes = array<i64: 0>
// CHECK-NEXT:    %[[H:.*]] = weld.eq %[[C]], %[[B]]
// CHECK-NEXT:    %[[Y:.*]] = weld.select %[[H]], %[[U]], %[[P]]
// CHECK-NEXT:    weld.neg %[[Y]]
// FUSED-LABEL: func.func @own_element
// FUSED-NEXT:    weld.generic over "8, 9" gives "write d0, d1" {
// FUSED-NOT:     scatter
// FUSED:         weld.eq
// FUSED-NEXT:    weld.select
// FUSED-NEXT:    weld.neg
// FUSED-NEXT:    weld.yield
func.func @own_element(%x: tensor<8x9xf32>, %i: tensor<8xi64>) -> tensor<8x9xf32> {
  %p = weld.exp %x : tensor<8x9xf32>
  %r = "weld.iota"() <{axis = 0 : i64, shape = #weld.dims<"8">}> : () -> tensor<8xi64>
  %g = "weld.gather"(%p, %r, %i) <{axes = array<i64: 0, 1>, at = 0 : i64}> : (tensor<8x9xf32>, tensor<8xi64>, tensor<8xi64>) -> tensor<8xf32>
  %one = weld.constant 1.0 : tensor<8xf32>
  %u = weld.sub %g, %one : tensor<8xf32>
  %s = "weld.scatter"(%p, %u, %r, %i) <{axes = array<i64: 0, 1>, at = 0 : i64, kind = "set"}> : (tensor<8x9xf32>, tensor<8xf32>, tensor<8xi64>, tensor<8xi64>) -> tensor<8x9xf32>
  %y = weld.neg %s : tensor<8x9xf32>
  func.return %y : tensor<8x9xf32>
}

// expands: rows without an update have an index that no column is
// CHECK-LABEL: func.func @some_rows
// CHECK:         "weld.pad"({{.*}}) <{low = #weld.dims<"0">, high = #weld.dims<"5">}> : (tensor<3xf32>
// CHECK:         weld.add %{{.*}}, %{{.*}} : tensor<8x9xf32>
// CHECK:         %[[M:.*]] = weld.constant -1 : tensor<i64>
// CHECK-NEXT:    "weld.pad"(%i, %[[M]])
// CHECK-NOT:     weld.scatter
func.func @some_rows(%x: tensor<8x9xf32>, %u: tensor<3xf32>, %i: tensor<3xi64>) -> tensor<8x9xf32> {
  %p = weld.exp %x : tensor<8x9xf32>
  %r = "weld.iota"() <{axis = 0 : i64, shape = #weld.dims<"3">}> : () -> tensor<3xi64>
  %s = "weld.scatter"(%p, %u, %r, %i) <{axes = array<i64: 0, 1>, at = 0 : i64, kind = "add", in_range}> : (tensor<8x9xf32>, tensor<3xf32>, tensor<3xi64>, tensor<3xi64>) -> tensor<8x9xf32>
  %y = weld.neg %s : tensor<8x9xf32>
  func.return %y : tensor<8x9xf32>
}

// expands: ones in zeros, of which a loop uses all
// CHECK-LABEL: func.func @one_hot
// CHECK-NOT:     weld.scatter
// CHECK:         func.return
func.func @one_hot(%x: tensor<8x9xf32>, %i: tensor<8xi64>) -> tensor<8x9xf32> {
  %z = weld.constant 0.0 : tensor<8x9xf32>
  %u = weld.constant 1.0 : tensor<8xf32>
  %r = "weld.iota"() <{axis = 0 : i64, shape = #weld.dims<"8">}> : () -> tensor<8xi64>
  %s = "weld.scatter"(%z, %u, %r, %i) <{axes = array<i64: 0, 1>, at = 0 : i64, kind = "set"}> : (tensor<8x9xf32>, tensor<8xf32>, tensor<8xi64>, tensor<8xi64>) -> tensor<8x9xf32>
  %y = weld.sub %x, %s : tensor<8x9xf32>
  func.return %y : tensor<8x9xf32>
}

// must not: the start is an argument, of which few elements change
// CHECK-LABEL: func.func @argument
// CHECK:         weld.scatter
func.func @argument(%x: tensor<8x9xf32>, %u: tensor<8xf32>, %i: tensor<8xi64>) -> tensor<8x9xf32> {
  %r = "weld.iota"() <{axis = 0 : i64, shape = #weld.dims<"8">}> : () -> tensor<8xi64>
  %s = "weld.scatter"(%x, %u, %r, %i) <{axes = array<i64: 0, 1>, at = 0 : i64, kind = "add"}> : (tensor<8x9xf32>, tensor<8xf32>, tensor<8xi64>, tensor<8xi64>) -> tensor<8x9xf32>
  %y = weld.neg %s : tensor<8x9xf32>
  func.return %y : tensor<8x9xf32>
}

// must not: no loop goes on with the result, so that the scatter only touches what it changes
// CHECK-LABEL: func.func @returned
// CHECK:         weld.scatter
func.func @returned(%x: tensor<8x9xf32>, %u: tensor<8xf32>, %i: tensor<8xi64>) -> tensor<8x9xf32> {
  %p = weld.exp %x : tensor<8x9xf32>
  %r = "weld.iota"() <{axis = 0 : i64, shape = #weld.dims<"8">}> : () -> tensor<8xi64>
  %s = "weld.scatter"(%p, %u, %r, %i) <{axes = array<i64: 0, 1>, at = 0 : i64, kind = "add"}> : (tensor<8x9xf32>, tensor<8xf32>, tensor<8xi64>, tensor<8xi64>) -> tensor<8x9xf32>
  func.return %s : tensor<8x9xf32>
}

// must not: two rows may be one, two values choose the element, or both count along the same dim
// CHECK-LABEL: func.func @several
// CHECK-COUNT-3: weld.scatter
func.func @several(%x: tensor<8x8xf32>, %z: tensor<8x8x8xf32>, %v: tensor<8x8xf32>, %u: tensor<8xf32>, %i: tensor<8xi64>) -> (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8x8xf32>) {
  %p = weld.exp %x : tensor<8x8xf32>
  %q = weld.exp %z : tensor<8x8x8xf32>
  %r = "weld.iota"() <{axis = 0 : i64, shape = #weld.dims<"8">}> : () -> tensor<8xi64>
  %a = "weld.scatter"(%p, %v, %i) <{axes = array<i64: 0>, at = 0 : i64, kind = "add"}> : (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8xi64>) -> tensor<8x8xf32>
  %b = "weld.scatter"(%p, %u, %i, %i) <{axes = array<i64: 0, 1>, at = 0 : i64, kind = "add"}> : (tensor<8x8xf32>, tensor<8xf32>, tensor<8xi64>, tensor<8xi64>) -> tensor<8x8xf32>
  %c = "weld.scatter"(%q, %u, %r, %r, %i) <{axes = array<i64: 0, 1, 2>, at = 0 : i64, kind = "add"}> : (tensor<8x8x8xf32>, tensor<8xf32>, tensor<8xi64>, tensor<8xi64>, tensor<8xi64>) -> tensor<8x8x8xf32>
  %d = weld.neg %a : tensor<8x8xf32>
  %e = weld.neg %b : tensor<8x8xf32>
  %f = weld.neg %c : tensor<8x8x8xf32>
  func.return %d, %e, %f : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8x8xf32>
}

// must not: each point would compute an exponential, where one for each row is enough
// CHECK-LABEL: func.func @expensive
// CHECK:         weld.scatter
func.func @expensive(%x: tensor<8x9xf32>, %i: tensor<8xi64>) -> tensor<8x9xf32> {
  %p = weld.abs %x : tensor<8x9xf32>
  %r = "weld.iota"() <{axis = 0 : i64, shape = #weld.dims<"8">}> : () -> tensor<8xi64>
  %g = "weld.gather"(%p, %r, %i) <{axes = array<i64: 0, 1>, at = 0 : i64}> : (tensor<8x9xf32>, tensor<8xi64>, tensor<8xi64>) -> tensor<8xf32>
  %u = weld.exp %g : tensor<8xf32>
  %s = "weld.scatter"(%p, %u, %r, %i) <{axes = array<i64: 0, 1>, at = 0 : i64, kind = "set"}> : (tensor<8x9xf32>, tensor<8xf32>, tensor<8xi64>, tensor<8xi64>) -> tensor<8x9xf32>
  %y = weld.neg %s : tensor<8x9xf32>
  func.return %y : tensor<8x9xf32>
}
