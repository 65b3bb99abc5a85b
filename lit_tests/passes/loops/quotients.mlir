// RUN: loopweld-opt %s --split-input-file --verify-each -p share-reciprocals | filecheck %s

// The divisor is the same in all steps of the loop: what is needed of it is computed where it is.
// One version runs where the divisor is not scaled, and one that divides otherwise. What the product lacks is kept
// finite: an infinite product is the quotient.
// CHECK-LABEL: func.func private @by_a_scalar
// CHECK:         %[[ZERO:.*]] = weld.constant 0 : i64
// CHECK:         %[[S:.*]] = loop.load %s[
// CHECK:         %[[SPLAT:.*]] = loop.splat %[[S]]
// CHECK:         %[[ONE:.*]] = weld.constant 1.0 : f32
// CHECK:         %[[SIZE:.*]] = weld.abs %[[S]] : f32
// CHECK:         %[[SCALE:.*]] = weld.select %{{.*}}, %{{.*}}, %{{.*}} : (i1, f32, f32) -> f32
// CHECK-NEXT:    %[[SCALE:.*]] = weld.select
// CHECK-NEXT:    %[[INVERSE:.*]] = weld.div %[[ONE]], %[[S]] : f32
// CHECK-NEXT:    %[[MINUS:.*]] = weld.neg %[[S]] : f32
// CHECK-NEXT:    %[[INVERSES:.*]] = loop.splat %[[INVERSE]]
// CHECK-NEXT:    %[[MINUSES:.*]] = loop.splat %[[MINUS]]
// CHECK-NEXT:    %[[LARGEST:.*]] = weld.constant 3.4028234663852886e+38 : vector<16xf32>
// CHECK-NEXT:    %[[LEAST:.*]] = weld.constant -3.4028234663852886e+38 : vector<16xf32>
// CHECK-NEXT:    %[[PLAIN:.*]] = weld.eq %[[SCALE]], %[[ONE]] : f32
// CHECK-NEXT:    %[[BOUND:.*]] = weld.select %[[PLAIN]], %n, %[[ZERO]]
// CHECK-NEXT:    loop.for {{.*}} = %[[ZERO]] to %[[BOUND]] step 16 "d0" {
// CHECK-NEXT:      %[[X:.*]] = loop.load %x
// CHECK-NEXT:      %[[P:.*]] = weld.mul %[[X]], %[[INVERSES]]
// CHECK-NEXT:      %[[E:.*]] = weld.mul_add %[[P]], %[[MINUSES]], %[[X]]
// CHECK-NEXT:      %[[LESS:.*]] = weld.lt %[[E]], %[[LARGEST]]
// CHECK-NEXT:      %[[E2:.*]] = weld.select %[[LESS]], %[[E]], %[[LARGEST]]
// CHECK-NEXT:      %[[MORE:.*]] = weld.gt %[[E2]], %[[LEAST]]
// CHECK-NEXT:      %[[E3:.*]] = weld.select %[[MORE]], %[[E2]], %[[LEAST]]
// CHECK-NEXT:      %[[Q:.*]] = weld.mul_add %[[E3]], %[[INVERSES]], %[[P]]
// CHECK-NEXT:      loop.store "set" %[[Q]]
// CHECK:         loop.for {{.*}} = %[[BOUND]] to %n step 16 "d0 divides" {
// CHECK-NEXT:      %[[X:.*]] = loop.load %x
// CHECK-NEXT:      %[[Q:.*]] = weld.div %[[X]], %[[SPLAT]]
// CHECK-NEXT:      loop.store "set" %[[Q]]
func.func private @by_a_scalar(%x: !loop.buffer<f32>, %s: !loop.buffer<f32>, %y: !loop.buffer<f32>, %n: i64) {
  %0 = weld.constant 0 : i64
  %1 = loop.load %s[%0] : !loop.buffer<f32>, i64 -> f32
  %2 = loop.splat %1 : f32 -> vector<16xf32>
  loop.for %i = %0 to %n step 16 "d0" {
    %3 = loop.load %x[%i] : !loop.buffer<f32>, i64 -> vector<16xf32>
    %4 = weld.div %3, %2 : vector<16xf32>
    loop.store "set" %4 to %y[%i] : vector<16xf32>, !loop.buffer<f32>, i64
    loop.yield
  }
  func.return
}

// -----

// What is needed negated, and else only added, has the sign of the terms of its last addition changed.
// CHECK-LABEL: func.func private @negated
// CHECK:         loop.for {{.*}} iter (%[[ACC:.*]] = %{{.*}}) "d0" {
// CHECK-NEXT:      %[[X:.*]] = loop.load %x
// CHECK-NEXT:      %[[HIGH:.*]] = weld.neg %{{.*}} : vector<8xf64>
// CHECK-NEXT:      %[[P:.*]] = weld.mul %[[X]], %{{.*}} : vector<8xf64>
// CHECK-NEXT:      %[[P2:.*]] = weld.neg %[[P]]
// CHECK-NEXT:      %[[Q:.*]] = weld.mul_add %[[X]], %[[HIGH]], %[[P2]]
// CHECK-NEXT:      loop.store "set" %[[Q]]
// CHECK-NEXT:      %[[NEXT:.*]] = weld.sub %[[ACC]], %[[Q]]
// CHECK-NEXT:      loop.yield %[[NEXT]]
func.func private @negated(%x: !loop.buffer<f64>, %s: !loop.buffer<f64>, %y: !loop.buffer<f64>, %n: i64) -> vector<8xf64> {
  %0 = weld.constant 0 : i64
  %1 = loop.load %s[%0] : !loop.buffer<f64>, i64 -> f64
  %2 = loop.splat %1 : f64 -> vector<8xf64>
  %3 = weld.constant 0.0 : vector<8xf64>
  %4 = loop.for %i = %0 to %n step 8 iter (%a = %3) "d0" {
    %5 = loop.load %x[%i] : !loop.buffer<f64>, i64 -> vector<8xf64>
    %6 = weld.div %5, %2 : vector<8xf64>
    %7 = weld.neg %6 : vector<8xf64>
    loop.store "set" %7 to %y[%i] : vector<8xf64>, !loop.buffer<f64>, i64
    %8 = weld.add %a, %6 : vector<8xf64>
    loop.yield %8 : vector<8xf64>
  }
  func.return %4 : vector<8xf64>
}

// -----

// A sum has the products, without rounding them; the second loop goes on with what the first one has added up.
// CHECK-LABEL: func.func private @in_a_sum
// CHECK:         %[[FIRST:.*]] = loop.for {{.*}} iter (%[[ACC:.*]] = %{{.*}}) "d0" {
// CHECK-NEXT:      %[[X:.*]] = loop.load %x
// CHECK-NEXT:      %[[NEXT:.*]] = weld.mul_add %[[X]], %{{.*}}, %[[ACC]]
// CHECK-NEXT:      loop.yield %[[NEXT]]
// CHECK:         loop.for {{.*}} iter (%[[ACC:.*]] = %[[FIRST]]) "d0 divides" {
// CHECK:           weld.ratio
func.func private @in_a_sum(%x: !loop.buffer<f64>, %s: !loop.buffer<f64>, %n: i64) -> vector<8xf64> {
  %0 = weld.constant 0 : i64
  %1 = loop.load %s[%0] : !loop.buffer<f64>, i64 -> f64
  %2 = loop.splat %1 : f64 -> vector<8xf64>
  %zero = weld.constant 0.0 : vector<8xf64>
  %sum = loop.for %i = %0 to %n step 8 iter (%acc = %zero) "d0" {
    %3 = loop.load %x[%i] : !loop.buffer<f64>, i64 -> vector<8xf64>
    %4 = weld.ratio %3, %2 : vector<8xf64>
    %5 = weld.add %acc, %4 : vector<8xf64>
    loop.yield %5 : vector<8xf64>
  }
  func.return %sum : vector<8xf64>
}

// -----

// In float64 the reciprocal has two parts. A long loop has one version, which scales, as has one whose lanes have
// divisors of their own.
// CHECK-LABEL: func.func private @scaled
// CHECK:         loop.for {{.*}} "d0" {
// CHECK:           weld.exp
// CHECK-NEXT:      %[[E:.*]] = weld.exp
// CHECK-NEXT:      %[[X:.*]] = weld.mul %[[E]], %[[SCALES:.*]] : vector
// CHECK-NEXT:      %[[L:.*]] = weld.mul %[[X]], %{{.*}}
// CHECK-NEXT:      %[[Q:.*]] = weld.mul_add %[[X]], %{{.*}}, %[[L]]
// CHECK-NEXT:      loop.store "set" %[[Q]]
// CHECK:         loop.for {{.*}} "d1" {
// CHECK-NEXT:      %[[E:.*]] = loop.load
// CHECK-NEXT:      %[[X:.*]] = weld.mul %[[E]], %{{.*}} : vector
// CHECK-NEXT:      %[[L:.*]] = weld.mul %[[X]], %{{.*}}
// CHECK-NEXT:      %[[Q:.*]] = weld.mul_add %[[X]], %{{.*}}, %[[L]]
// CHECK-NEXT:      loop.store "set" %[[Q]]
// CHECK-NOT:     loop.for
func.func private @scaled(%x: !loop.buffer<f64>, %s: !loop.buffer<f64>, %y: !loop.buffer<f64>, %n: i64) {
  %0 = weld.constant 0 : i64
  %1 = loop.load %s[%0] : !loop.buffer<f64>, i64 -> f64
  %2 = loop.splat %1 : f64 -> vector<8xf64>
  loop.for %i = %0 to %n step 8 "d0" {
    %3 = loop.load %x[%i] : !loop.buffer<f64>, i64 -> vector<8xf64>
    %4 = weld.exp %3 : vector<8xf64>
    %5 = weld.exp %4 : vector<8xf64>
    %6 = weld.div %5, %2 : vector<8xf64>
    loop.store "set" %6 to %y[%i] : vector<8xf64>, !loop.buffer<f64>, i64
    loop.yield
  }
  %7 = loop.load %s[%0] : !loop.buffer<f64>, i64 -> vector<8xf64>
  loop.for %i = %0 to %n step 8 "d1" {
    %8 = loop.load %x[%i] : !loop.buffer<f64>, i64 -> vector<8xf64>
    %9 = weld.div %8, %7 : vector<8xf64>
    loop.store "set" %9 to %y[%i] : vector<8xf64>, !loop.buffer<f64>, i64
    loop.yield
  }
  func.return
}

// -----

// Not where the divisor changes in the loop, where there are few steps, or where there is no loop.
// CHECK-LABEL: func.func private @kept
// CHECK-COUNT-3: weld.div
// CHECK-NOT:     weld.mul_add
func.func private @kept(%x: !loop.buffer<f32>, %y: !loop.buffer<f32>, %n: i64) {
  %0 = weld.constant 0 : i64
  %16 = weld.constant 16 : i64
  %1 = loop.load %x[%n] : !loop.buffer<f32>, i64 -> vector<16xf32>
  %2 = loop.load %y[%n] : !loop.buffer<f32>, i64 -> vector<16xf32>
  %3 = weld.div %1, %2 : vector<16xf32>
  loop.for %i = %0 to %n step 16 "d0" {
    %4 = loop.load %x[%i] : !loop.buffer<f32>, i64 -> vector<16xf32>
    %5 = weld.div %3, %4 : vector<16xf32>
    loop.store "set" %5 to %y[%i] : vector<16xf32>, !loop.buffer<f32>, i64
    loop.yield
  }
  loop.for %i = %0 to %16 step 16 "d0" {
    %6 = loop.load %x[%i] : !loop.buffer<f32>, i64 -> vector<16xf32>
    %7 = weld.div %6, %3 : vector<16xf32>
    loop.store "set" %7 to %y[%i] : vector<16xf32>, !loop.buffer<f32>, i64
    loop.yield
  }
  func.return
}

// -----

// The rest of a loop has few steps where it is known to: its quotients stay, and it needs no second version.
// CHECK-LABEL: func.func private @rest
// CHECK:         step 64 "d0" {
// CHECK:           weld.mul_add
// CHECK:         step 64 "d0 divides" {
// CHECK:         step 16 "d0 rest" {
// CHECK-NEXT:      loop.load
// CHECK-NEXT:      weld.div
// CHECK-NOT:     divides
// CHECK-LABEL: func.func private @long_rest
// CHECK:         step 8 "d0 rest" {
// CHECK:           weld.mul_add
// CHECK:         step 8 "d0 rest divides" {
func.func private @rest(%x: !loop.buffer<f32>, %s: f32, %n: i64) {
  %0 = weld.constant 0 : i64
  %end = loop.affine "n - n mod 64" %n
  %1 = loop.splat %s : f32 -> vector<64xf32>
  loop.for %i = %0 to %end step 64 "d0" {
    %2 = loop.load %x[%i] : !loop.buffer<f32>, i64 -> vector<64xf32>
    %3 = weld.div %2, %1 : vector<64xf32>
    loop.store "set" %3 to %x[%i] : vector<64xf32>, !loop.buffer<f32>, i64
    loop.yield
  }
  %4 = loop.splat %s : f32 -> vector<16xf32>
  loop.for %i = %end to %n step 16 "d0 rest" {
    %5 = loop.load %x[%i] : !loop.buffer<f32>, i64 -> vector<16xf32>
    %6 = weld.div %5, %4 : vector<16xf32>
    loop.store "set" %6 to %x[%i] : vector<16xf32>, !loop.buffer<f32>, i64
    loop.yield
  }
  func.return
}
func.func private @long_rest(%x: !loop.buffer<f32>, %s: f32, %n: i64) {
  %end = loop.affine "n - n mod 64" %n
  %1 = loop.splat %s : f32 -> vector<8xf32>
  loop.for %i = %end to %n step 8 "d0 rest" {
    %2 = loop.load %x[%i] : !loop.buffer<f32>, i64 -> vector<8xf32>
    %3 = weld.div %2, %1 : vector<8xf32>
    loop.store "set" %3 to %x[%i] : vector<8xf32>, !loop.buffer<f32>, i64
    loop.yield
  }
  func.return
}
