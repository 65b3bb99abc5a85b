// RUN: loopweld-opt %s -p resolve-shapes,hoist-scalars | filecheck %s
// A fixed point: a second run changes nothing.
// RUN: loopweld-opt %s -p resolve-shapes,hoist-scalars,hoist-scalars | filecheck %s
// One loop takes both the condition and the sum.
// RUN: loopweld-opt %s -p resolve-shapes,hoist-scalars,generalize,fuse-producers,absorb-reductions,fuse-siblings | filecheck %s --check-prefix=FUSED
// RUN: loopweld-opt %s -p resolve-shapes,"hoist-scalars{strict=true}" | filecheck %s --check-prefix=STRICT

// hoists: the condition of a sum; the other branch is no loop
// CHECK-LABEL: func.func @sum
// CHECK:         %[[C:.*]] = "weld.all"
// CHECK:         %[[S:.*]] = "weld.sum"(%x)
// CHECK:         %[[N:.*]] = weld.size "8" : tensor<i64>
// CHECK:         %[[M:.*]] = weld.mul %{{.*}}, %{{.*}} : tensor<f32>
// CHECK:         %[[Y:.*]] = weld.select %[[C]], %[[S]], %[[M]]
// CHECK-NEXT:    func.return %[[Y]]
// FUSED-LABEL: func.func @sum
// FUSED:         weld.generic over "8" gives "all", "sum" {
// FUSED-NOT:     over "8"
// FUSED:         func.return
// STRICT-LABEL: func.func @sum
// STRICT:        "weld.sum"(%x)
func.func @sum(%x: tensor<8xf32>) -> tensor<f32> {
  %two = weld.constant 2.0 : tensor<8xf32>
  %p = weld.gt %x, %two : tensor<8xf32>
  %c = "weld.all"(%p) <{axes = array<i64: 0>}> : (tensor<8xi1>) -> tensor<i1>
  %b = "weld.broadcast"(%c) <{axes = array<i64>, shape = #weld.dims<"8">}> : (tensor<i1>) -> tensor<8xi1>
  %g = weld.select %b, %x, %two : (tensor<8xi1>, tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %s = "weld.sum"(%g) <{axes = array<i64: 0>}> : (tensor<8xf32>) -> tensor<f32>
  func.return %s : tensor<f32>
}

// hoists: out of rows; an infinite sum of no elements is 0
// CHECK-LABEL: func.func @rows
// CHECK:         %[[C:.*]] = "weld.any"
// CHECK:         %[[E:.*]] = weld.eq %{{.*}}, %{{.*}} : tensor<i64>
// CHECK:         %[[I:.*]] = weld.select %[[E]], %{{.*}}, %{{.*}} : (tensor<i1>, tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK:         %[[B:.*]] = "weld.broadcast"(%[[I]])
// CHECK:         %[[S:.*]] = "weld.sum"(%x) <{axes = array<i64: 1>}>
// CHECK:         %[[W:.*]] = "weld.broadcast"(%[[C]]) <{axes = array<i64>, shape = #weld.dims<"s0">}>
// CHECK-NEXT:    weld.select %[[W]], %[[B]], %[[S]]
func.func @rows(%x: tensor<?x?xf32, #weld.dims<"s0, s1">>) -> tensor<?xf32, #weld.dims<"s0">> {
  %p = weld.is_nan %x : tensor<?x?xf32, #weld.dims<"s0, s1">>
  %c = "weld.any"(%p) <{axes = array<i64: 0, 1>}> : (tensor<?x?xi1, #weld.dims<"s0, s1">>) -> tensor<i1>
  %b = "weld.broadcast"(%c) <{axes = array<i64>, shape = #weld.dims<"s0, s1">}> : (tensor<i1>) -> tensor<?x?xi1, #weld.dims<"s0, s1">>
  %inf = weld.constant inf : tensor<?x?xf32, #weld.dims<"s0, s1">>
  %g = weld.select %b, %inf, %x : (tensor<?x?xi1, #weld.dims<"s0, s1">>, tensor<?x?xf32, #weld.dims<"s0, s1">>, tensor<?x?xf32, #weld.dims<"s0, s1">>) -> tensor<?x?xf32, #weld.dims<"s0, s1">>
  %s = "weld.sum"(%g) <{axes = array<i64: 1>}> : (tensor<?x?xf32, #weld.dims<"s0, s1">>) -> tensor<?xf32, #weld.dims<"s0">>
  func.return %s : tensor<?xf32, #weld.dims<"s0">>
}

// hoists: both branches are arrays, and a gate within a gate
// CHECK-LABEL: func.func @arrays
// CHECK-DAG:     %[[M:.*]] = "weld.reduce_max"(%x)
// CHECK-DAG:     %[[N:.*]] = "weld.reduce_max"(%y)
// CHECK:         %[[S:.*]] = weld.select %{{.*}}, %[[M]], %[[N]] : (tensor<i1>, tensor<f32>, tensor<f32>)
// CHECK:         func.return %[[S]]
func.func @arrays(%x: tensor<8xf32>, %y: tensor<8xf32>) -> tensor<f32> {
  %s = "weld.sum"(%x) <{axes = array<i64: 0>}> : (tensor<8xf32>) -> tensor<f32>
  %t = weld.is_nan %s : tensor<f32>
  %b = "weld.broadcast"(%t) <{axes = array<i64>, shape = #weld.dims<"8">}> : (tensor<i1>) -> tensor<8xi1>
  %g = weld.select %b, %x, %y : (tensor<8xi1>, tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %m = "weld.reduce_max"(%g) <{axes = array<i64: 0>}> : (tensor<8xf32>) -> tensor<f32>
  func.return %m : tensor<f32>
}

// hoists: out of scatters, through what is done to each value; both updates are one loop with the condition
// CHECK-LABEL: func.func @scatters
// CHECK:         %[[C:.*]] = "weld.all"
// CHECK:         %[[A:.*]] = "weld.scatter"(%t, %x, %i)
// CHECK:         weld.select %{{.*}}, %[[A]], %t
// CHECK:         %[[N:.*]] = weld.neg %x
// CHECK:         %[[B:.*]] = "weld.scatter"(%t, %[[N]], %i)
// CHECK:         weld.select %{{.*}}, %[[B]], %t
// FUSED-LABEL: func.func @scatters
// FUSED:         weld.generic over "8" gives "all", "scatter_add i0", "scatter_add i0" from %t, %t {
// STRICT-LABEL: func.func @scatters
// STRICT:        "weld.scatter"(%t, %{{.*}}, %i)
// STRICT-NOT:    "weld.scatter"(%t, %x
// STRICT:        weld.neg %x
// STRICT:        "weld.scatter"
func.func @scatters(%x: tensor<8xf32>, %t: tensor<3xf32>, %i: tensor<8xi64>) -> (tensor<3xf32>, tensor<3xf32>) {
  %zero = weld.constant 0.0 : tensor<8xf32>
  %p = weld.gt %x, %zero : tensor<8xf32>
  %c = "weld.all"(%p) <{axes = array<i64: 0>}> : (tensor<8xi1>) -> tensor<i1>
  %b = "weld.broadcast"(%c) <{axes = array<i64>, shape = #weld.dims<"8">}> : (tensor<i1>) -> tensor<8xi1>
  %g = weld.select %b, %x, %zero : (tensor<8xi1>, tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %s = "weld.scatter"(%t, %g, %i) <{kind = "add", axes = array<i64: 0>, at = 0 : i64}> : (tensor<3xf32>, tensor<8xf32>, tensor<8xi64>) -> tensor<3xf32>
  %n = weld.neg %g : tensor<8xf32>
  %u = "weld.scatter"(%t, %n, %i) <{kind = "add", axes = array<i64: 0>, at = 0 : i64}> : (tensor<3xf32>, tensor<8xf32>, tensor<8xi64>) -> tensor<3xf32>
  func.return %s, %u : tensor<3xf32>, tensor<3xf32>
}

// hoists: factors and divisors of a sum, from anywhere in a product
// CHECK-LABEL: func.func @factors
// CHECK:         %[[K:.*]] = "weld.sum"(%y)
// CHECK:         %[[P:.*]] = weld.mul %x, %y
// CHECK:         %[[S:.*]] = "weld.sum"(%[[P]]) <{axes = array<i64: 1>}>
// CHECK:         %[[A:.*]] = weld.mul %[[S]], %{{.*}} : tensor<4xf32>
// CHECK:         %[[B:.*]] = weld.div %[[A]], %{{.*}} : tensor<4xf32>
// CHECK:         func.return %[[B]]
// STRICT-LABEL: func.func @factors
// STRICT:        weld.mul %{{.*}} : tensor<4x8xf32>
// STRICT:        weld.mul %{{.*}} : tensor<4x8xf32>
// STRICT:        weld.div %{{.*}} : tensor<4x8xf32>
// STRICT-NEXT:   weld.sum
func.func @factors(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>) -> tensor<4xf32> {
  %k = "weld.sum"(%y) <{axes = array<i64: 0, 1>}> : (tensor<4x8xf32>) -> tensor<f32>
  %b = "weld.broadcast"(%k) <{axes = array<i64>, shape = #weld.dims<"4, 8">}> : (tensor<f32>) -> tensor<4x8xf32>
  %p = weld.mul %x, %b : tensor<4x8xf32>
  %q = weld.mul %p, %y : tensor<4x8xf32>
  %r = weld.div %q, %b : tensor<4x8xf32>
  %s = "weld.sum"(%r) <{axes = array<i64: 1>}> : (tensor<4x8xf32>) -> tensor<4xf32>
  func.return %s : tensor<4xf32>
}

// hoists: integers wrap around alike, so under "strict" too
// STRICT-LABEL: func.func @integers
// STRICT:        %[[S:.*]] = "weld.sum"(%x)
// STRICT-NEXT:   weld.mul %[[S]], %{{.*}} : tensor<i32>
func.func @integers(%x: tensor<8xi32>) -> tensor<i32> {
  %m = "weld.reduce_max"(%x) <{axes = array<i64: 0>}> : (tensor<8xi32>) -> tensor<i32>
  %b = "weld.broadcast"(%m) <{axes = array<i64>, shape = #weld.dims<"8">}> : (tensor<i32>) -> tensor<8xi32>
  %p = weld.mul %b, %x : tensor<8xi32>
  %s = "weld.sum"(%p) <{axes = array<i64: 0>}> : (tensor<8xi32>) -> tensor<i32>
  func.return %s : tensor<i32>
}

// hoists: a float16 sum meets its divisor before it is rounded
// CHECK-LABEL: func.func @half
// CHECK:         %[[S:.*]] = "weld.sum"(%{{.*}}) {{.*}} -> tensor<f32>
// CHECK:         %[[Q:.*]] = weld.div %[[S]], %{{.*}} : tensor<f32>
// CHECK-NEXT:    weld.cast %[[Q]] : (tensor<f32>) -> tensor<f16>
func.func @half(%x: tensor<8xf16>) -> tensor<f16> {
  %m = "weld.reduce_max"(%x) <{axes = array<i64: 0>}> : (tensor<8xf16>) -> tensor<f16>
  %b = "weld.broadcast"(%m) <{axes = array<i64>, shape = #weld.dims<"8">}> : (tensor<f16>) -> tensor<8xf16>
  %q = weld.div %x, %b : tensor<8xf16>
  %s = "weld.sum"(%q) <{axes = array<i64: 0>}> : (tensor<8xf16>) -> tensor<f16>
  func.return %s : tensor<f16>
}

// hoists: the factor of a scatter into zeros
// CHECK-LABEL: func.func @scattered_product
// CHECK:         %[[S:.*]] = "weld.scatter"(%{{.*}}, %x, %i)
// CHECK:         weld.mul %[[S]], %{{.*}} : tensor<3xf32>
func.func @scattered_product(%x: tensor<8xf32>, %i: tensor<8xi64>) -> tensor<3xf32> {
  %k = "weld.sum"(%x) <{axes = array<i64: 0>}> : (tensor<8xf32>) -> tensor<f32>
  %b = "weld.broadcast"(%k) <{axes = array<i64>, shape = #weld.dims<"8">}> : (tensor<f32>) -> tensor<8xf32>
  %p = weld.mul %x, %b : tensor<8xf32>
  %t = weld.constant 0.0 : tensor<3xf32>
  %s = "weld.scatter"(%t, %p, %i) <{kind = "add", axes = array<i64: 0>, at = 0 : i64}> : (tensor<3xf32>, tensor<8xf32>, tensor<8xi64>) -> tensor<3xf32>
  func.return %s : tensor<3xf32>
}

// must not: what is known before the loop splits nothing
// CHECK-LABEL: func.func @arguments
// CHECK:         %[[G:.*]] = weld.select
// CHECK:         %[[P:.*]] = weld.mul %[[G]], %{{.*}} : tensor<8xf32>
// CHECK-NEXT:    "weld.sum"(%[[P]])
func.func @arguments(%x: tensor<8xf32>, %k: tensor<f32>, %c: tensor<i1>) -> tensor<f32> {
  %b = "weld.broadcast"(%c) <{axes = array<i64>, shape = #weld.dims<"8">}> : (tensor<i1>) -> tensor<8xi1>
  %zero = weld.constant 0.0 : tensor<8xf32>
  %g = weld.select %b, %x, %zero : (tensor<8xi1>, tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %e = "weld.broadcast"(%k) <{axes = array<i64>, shape = #weld.dims<"8">}> : (tensor<f32>) -> tensor<8xf32>
  %p = weld.mul %g, %e : tensor<8xf32>
  %s = "weld.sum"(%p) <{axes = array<i64: 0>}> : (tensor<8xf32>) -> tensor<f32>
  func.return %s : tensor<f32>
}

// must not: a product that is used again; the greatest of products, whose sign the factor may change; and the product of
// constants, which has no short form
// CHECK-LABEL: func.func @others
// CHECK:         %[[P:.*]] = weld.mul %x
// CHECK:         "weld.sum"(%[[P]])
// CHECK:         "weld.reduce_max"(%[[P]])
// CHECK:         %[[G:.*]] = weld.select
// CHECK:         "weld.prod"(%[[G]])
func.func @others(%x: tensor<8xf32>) -> (tensor<f32>, tensor<f32>, tensor<f32>) {
  %k = "weld.sum"(%x) <{axes = array<i64: 0>}> : (tensor<8xf32>) -> tensor<f32>
  %b = "weld.broadcast"(%k) <{axes = array<i64>, shape = #weld.dims<"8">}> : (tensor<f32>) -> tensor<8xf32>
  %p = weld.mul %x, %b : tensor<8xf32>
  %s = "weld.sum"(%p) <{axes = array<i64: 0>}> : (tensor<8xf32>) -> tensor<f32>
  %m = "weld.reduce_max"(%p) <{axes = array<i64: 0>}> : (tensor<8xf32>) -> tensor<f32>
  %n = weld.is_nan %b : tensor<8xf32>
  %t = weld.is_nan %k : tensor<f32>
  %c = "weld.broadcast"(%t) <{axes = array<i64>, shape = #weld.dims<"8">}> : (tensor<i1>) -> tensor<8xi1>
  %two = weld.constant 2.0 : tensor<8xf32>
  %g = weld.select %c, %x, %two : (tensor<8xi1>, tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %q = "weld.prod"(%g) <{axes = array<i64: 0>}> : (tensor<8xf32>) -> tensor<f32>
  func.return %s, %m, %q : tensor<f32>, tensor<f32>, tensor<f32>
}
