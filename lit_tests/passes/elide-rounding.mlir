// RUN: loopweld-opt %s -p resolve-shapes,elide-rounding | filecheck %s
// A fixed point: a second run changes nothing.
// RUN: loopweld-opt %s -p resolve-shapes,elide-rounding,elide-rounding | filecheck %s
// A sum takes the product in: one addition less.
// RUN: loopweld-opt %s -p resolve-shapes,elide-rounding,generalize,fuse-producers,absorb-reductions,form-kernels,"lower-to-loops{entry=sum}" | filecheck %s --check-prefix=LOOPS

// elides: a product that is added, subtracted, or subtracted from
// CHECK-LABEL: func.func @products
// CHECK-NEXT:    weld.mul_add %a, %b, %c
// CHECK-NEXT:    %[[NC:.*]] = weld.neg %c
// CHECK-NEXT:    weld.mul_add %a, %b, %[[NC]]
// CHECK-NEXT:    %[[NA:.*]] = weld.neg %a
// CHECK-NEXT:    weld.mul_add %[[NA]], %b, %c
// CHECK-NEXT:    func.return
func.func @products(%a: tensor<4xf32>, %b: tensor<4xf32>, %c: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %p = weld.mul %a, %b : tensor<4xf32>
  %x = weld.add %c, %p : tensor<4xf32>
  %q = weld.mul %a, %b : tensor<4xf32>
  %y = weld.sub %q, %c : tensor<4xf32>
  %r = weld.mul %a, %b : tensor<4xf32>
  %z = weld.sub %c, %r : tensor<4xf32>
  func.return %x, %y, %z : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// elides: a chain; the sign of a constant changes
// CHECK-LABEL: func.func @polynomial
// CHECK:         %[[A:.*]] = weld.constant -3.0
// CHECK:         %[[Y:.*]] = weld.mul_add %x, %x, %[[A]]
// CHECK-NEXT:    weld.mul_add %[[Y]], %x, %x
// CHECK-NEXT:    func.return
func.func @polynomial(%x: tensor<4xf64>) -> tensor<4xf64> {
  %three = weld.constant 3.0 : tensor<4xf64>
  %p = weld.mul %x, %x : tensor<4xf64>
  %y = weld.sub %p, %three : tensor<4xf64>
  %q = weld.mul %y, %x : tensor<4xf64>
  %z = weld.add %q, %x : tensor<4xf64>
  func.return %z : tensor<4xf64>
}

// must not: a product with another user has one value, which is the rounded one
// CHECK-LABEL: func.func @used_twice
// CHECK-NEXT:    %[[P:.*]] = weld.mul
// CHECK-NEXT:    weld.add %[[P]], %c
// CHECK-NEXT:    weld.add %[[P]], %[[P]]
// CHECK-NEXT:    func.return
func.func @used_twice(%a: tensor<4xf32>, %b: tensor<4xf32>, %c: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %p = weld.mul %a, %b : tensor<4xf32>
  %x = weld.add %p, %c : tensor<4xf32>
  %y = weld.add %p, %p : tensor<4xf32>
  func.return %x, %y : tensor<4xf32>, tensor<4xf32>
}

// must not: integers, and complex numbers
// CHECK-LABEL: func.func @other_kinds
// CHECK-NOT:     mul_add
// CHECK:         func.return
func.func @other_kinds(%a: tensor<4xi32>, %z: tensor<4xcomplex<f32>>) -> (tensor<4xi32>, tensor<4xcomplex<f32>>) {
  %p = weld.mul %a, %a : tensor<4xi32>
  %x = weld.add %p, %a : tensor<4xi32>
  %q = weld.mul %z, %z : tensor<4xcomplex<f32>>
  %y = weld.add %q, %z : tensor<4xcomplex<f32>>
  func.return %x, %y : tensor<4xi32>, tensor<4xcomplex<f32>>
}

// elides: sums of products
// CHECK-LABEL: func.func @sum
// CHECK:         %[[P:.*]] = weld.mul_add %a, %b, %{{.*}} : tensor<64xf32>
// CHECK-NEXT:    "weld.sum"(%[[P]])
// LOOPS-LABEL: func.func private @k0_{{.*}}_sum
// LOOPS:         loop.for {{.*}} iter (%[[ACC:.*]] = %
// LOOPS:           weld.mul_add %{{.*}}, %{{.*}}, %[[ACC]] : vector
// LOOPS-NOT:       weld.add
// LOOPS:         loop.reduce "sum"
func.func @sum(%a: tensor<64xf32>, %b: tensor<64xf32>) -> tensor<f32> {
  %p = weld.mul %a, %b : tensor<64xf32>
  %s = "weld.sum"(%p) <{axes = array<i64: 0>}> : (tensor<64xf32>) -> tensor<f32>
  func.return %s : tensor<f32>
}

// must not: the products of which the sum is taken are used again, and greatest ones
// CHECK-LABEL: func.func @sum_of_values
// CHECK-NOT:     weld.mul_add
// CHECK:         func.return
func.func @sum_of_values(%a: tensor<64xf32>) -> (tensor<64xf32>, tensor<f32>, tensor<f32>) {
  %p = weld.mul %a, %a : tensor<64xf32>
  %s = "weld.sum"(%p) <{axes = array<i64: 0>}> : (tensor<64xf32>) -> tensor<f32>
  %e = weld.exp %a : tensor<64xf32>
  %q = weld.mul %e, %a : tensor<64xf32>
  %m = "weld.reduce_max"(%q) <{axes = array<i64: 0>}> : (tensor<64xf32>) -> tensor<f32>
  func.return %p, %s, %m : tensor<64xf32>, tensor<f32>, tensor<f32>
}

// elides: quotients that reach nothing but sums, by products, signs and views
// CHECK-LABEL: func.func @summed_quotients
// CHECK-COUNT-2: weld.ratio
// CHECK-NOT:     weld.div
func.func @summed_quotients(%x: tensor<8x8xf32>, %y: tensor<8x8xf32>) -> (tensor<f64>, tensor<8xf32>) {
  %q = weld.div %x, %y : tensor<8x8xf32>
  %z = weld.mul %q, %q : tensor<8x8xf32>
  %r = weld.div %q, %y : tensor<8x8xf32>
  %a = weld.abs %r : tensor<8x8xf32>
  %w = weld.cast %z : (tensor<8x8xf32>) -> tensor<8x8xf64>
  %t = "weld.transpose"(%a) <{permutation = array<i64: 1, 0>}> : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %s = "weld.sum"(%w) <{axes = array<i64: 0, 1>}> : (tensor<8x8xf64>) -> tensor<f64>
  %u = "weld.sum"(%t) <{axes = array<i64: 0>}> : (tensor<8x8xf32>) -> tensor<8xf32>
  func.return %s, %u : tensor<f64>, tensor<8xf32>
}

// must not: a quotient that is used again, added or subtracted first, in a function, multiplied, or greatest
// CHECK-LABEL: func.func @used_quotients
// CHECK-NOT:     weld.ratio
// CHECK:         func.return
func.func @used_quotients(%x: tensor<8xf64>, %y: tensor<8xf64>) -> (tensor<8xf64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>) {
  %q = weld.div %x, %y : tensor<8xf64>
  %a = "weld.sum"(%q) <{axes = array<i64: 0>}> : (tensor<8xf64>) -> tensor<f64>
  %m = "weld.reduce_max"(%q) <{axes = array<i64: 0>}> : (tensor<8xf64>) -> tensor<f64>
  %p = weld.div %y, %x : tensor<8xf64>
  %i = weld.sub %p, %y : tensor<8xf64>
  %b = "weld.sum"(%i) <{axes = array<i64: 0>}> : (tensor<8xf64>) -> tensor<f64>
  %z = weld.mul %x, %x : tensor<8xf64>
  %r = weld.div %z, %y : tensor<8xf64>
  %e = weld.exp %r : tensor<8xf64>
  %c = "weld.sum"(%e) <{axes = array<i64: 0>}> : (tensor<8xf64>) -> tensor<f64>
  %s = weld.div %y, %z : tensor<8xf64>
  %d = "weld.prod"(%s) <{axes = array<i64: 0>}> : (tensor<8xf64>) -> tensor<f64>
  func.return %q, %a, %m, %b, %c, %d : tensor<8xf64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>
}

// elides: within a loop that was given as one
// CHECK-LABEL: func.func @generic
// CHECK:         weld.mul_add %{{.*}}, %{{.*}}, %{{.*}} : f32
// CHECK:         %[[M:.*]] = weld.constant -0.0 : f32
// CHECK-NEXT:    %[[P:.*]] = weld.mul_add %{{.*}}, %{{.*}}, %[[M]] : f32
// CHECK-NEXT:    weld.yield %{{.*}}, %[[P]] : f32, f32
func.func @generic(%a: tensor<8xf32>) -> (tensor<8xf32>, tensor<f32>) {
  %y, %s = weld.generic over "8" gives "write d0", "sum" {
    %0 = weld.load %a "d0" : tensor<8xf32>
    %1 = weld.exp %0 : f32
    %2 = weld.mul %1, %0 : f32
    %3 = weld.add %2, %0 : f32
    %4 = weld.mul %1, %3 : f32
    weld.yield %3, %4 : f32, f32
  } : tensor<8xf32>, tensor<f32>
  func.return %y, %s : tensor<8xf32>, tensor<f32>
}

// elides: a chain of 16-bit floats is rounded at its end
// CHECK-LABEL: func.func @half
// CHECK-NEXT:    %[[X:.*]] = weld.cast %x : (tensor<4xf16>) -> tensor<4xf32>
// CHECK-NEXT:    %[[A:.*]] = weld.exp %[[X]] : tensor<4xf32>
// CHECK-NEXT:    %[[C:.*]] = weld.constant 0.5 : tensor<4xf32>
// CHECK-NEXT:    %[[B:.*]] = weld.sub %[[A]], %[[C]] : tensor<4xf32>
// CHECK-NEXT:    %[[Y:.*]] = weld.cast %[[B]] : (tensor<4xf32>) -> tensor<4xf16>
// CHECK-NEXT:    func.return %[[Y]]
func.func @half(%x: tensor<4xf16>) -> tensor<4xf16> {
  %half = weld.constant 0.5 : tensor<4xf16>
  %a = weld.exp %x : tensor<4xf16>
  %b = weld.sub %a, %half : tensor<4xf16>
  func.return %b : tensor<4xf16>
}

// elides: into a sum, and where the program itself widens; the other kind of 16-bit float too
// CHECK-LABEL: func.func @into_sums
// CHECK:         %[[A:.*]] = weld.exp {{.*}} : tensor<4xf32>
// CHECK-NEXT:    %[[S:.*]] = "weld.sum"(%[[A]]) {{.*}} -> tensor<f32>
// CHECK-NEXT:    weld.cast %[[S]] : (tensor<f32>) -> tensor<f16>
// CHECK:         %[[B:.*]] = weld.exp {{.*}} : tensor<4xf32>
// CHECK-NEXT:    weld.neg %[[B]] : tensor<4xf32>
func.func @into_sums(%x: tensor<4xf16>, %z: tensor<4xbf16>) -> (tensor<f16>, tensor<4xf32>) {
  %a = weld.exp %x : tensor<4xf16>
  %s = "weld.sum"(%a) <{axes = array<i64: 0>}> : (tensor<4xf16>) -> tensor<f16>
  %b = weld.exp %z : tensor<4xbf16>
  %w = weld.cast %b : (tensor<4xbf16>) -> tensor<4xf32>
  %y = weld.neg %w : tensor<4xf32>
  func.return %s, %y : tensor<f16>, tensor<4xf32>
}

// must not: one value for two users, for a view of it, and for what does not give a float
// CHECK-LABEL: func.func @rounded
// CHECK:         %[[A:.*]] = weld.exp
// CHECK-NEXT:    %[[R:.*]] = weld.cast %[[A]] : (tensor<4xf32>) -> tensor<4xf16>
// CHECK:         weld.reduce_max
// CHECK:         weld.cast %[[R]] : (tensor<4xf16>) -> tensor<4xf32>
// CHECK:         %[[C:.*]] = weld.sin
// CHECK-NEXT:    %[[T:.*]] = weld.cast %[[C]] : (tensor<4xf32>) -> tensor<4xf16>
// CHECK-NEXT:    "weld.reverse"(%[[T]])
// CHECK:         weld.gt %{{.*}} : tensor<4xf16>
// CHECK:         "weld.argmax"(%{{.*}}) {{.*}} : (tensor<4xf16>)
func.func @rounded(%x: tensor<4xf16>) -> (tensor<f16>, tensor<4xf16>, tensor<4xf16>, tensor<4xi1>, tensor<i64>) {
  %a = weld.exp %x : tensor<4xf16>
  %m = "weld.reduce_max"(%a) <{axes = array<i64: 0>}> : (tensor<4xf16>) -> tensor<f16>
  %b = weld.neg %a : tensor<4xf16>
  %c = weld.sin %x : tensor<4xf16>
  %d = "weld.reverse"(%c) <{axes = array<i64: 0>}> : (tensor<4xf16>) -> tensor<4xf16>
  %e = weld.neg %d : tensor<4xf16>
  %f = weld.cos %x : tensor<4xf16>
  %g = weld.gt %f, %x : tensor<4xf16>
  %h = weld.tan %x : tensor<4xf16>
  %i = "weld.argmax"(%h) <{axes = array<i64: 0>}> : (tensor<4xf16>) -> tensor<i64>
  func.return %m, %b, %e, %g, %i : tensor<f16>, tensor<4xf16>, tensor<4xf16>, tensor<4xi1>, tensor<i64>
}
