// RUN: loopweld-opt %s --split-input-file --verify-each -p share-reciprocals | filecheck %s

// The divisor is the same in all steps of the loop: what is needed of it is computed where it is.
// CHECK-LABEL: func.func private @by_a_scalar
// CHECK:         %[[S:.*]] = loop.load %s[
// CHECK:         %[[SIZE:.*]] = weld.abs %[[S]] : f32
// CHECK:         %[[SCALED:.*]] = weld.mul %[[S]], %[[SCALE:.*]] : f32
// CHECK-NEXT:    %[[INVERSE:.*]] = weld.div %{{.*}}, %[[SCALED]] : f32
// CHECK-NEXT:    %[[MINUS:.*]] = weld.neg %[[SCALED]] : f32
// CHECK-NEXT:    %[[SCALES:.*]] = loop.splat %[[SCALE]] : f32 -> vector<16xf32>
// CHECK-NEXT:    %[[INVERSES:.*]] = loop.splat %[[INVERSE]]
// CHECK-NEXT:    %[[MINUSES:.*]] = loop.splat %[[MINUS]]
// CHECK:         loop.for {{.*}} "d0" {
// CHECK-NEXT:      %[[X:.*]] = loop.load %x
// CHECK-NEXT:      %[[XS:.*]] = weld.mul %[[X]], %[[SCALES]]
// CHECK-NEXT:      %[[P:.*]] = weld.mul %[[XS]], %[[INVERSES]]
// CHECK-NEXT:      %[[E:.*]] = weld.mul_add %[[P]], %[[MINUSES]], %[[XS]]
// CHECK-NEXT:      %[[Q:.*]] = weld.mul_add %[[E]], %[[INVERSES]], %[[P]]
// CHECK-NEXT:      %[[OK:.*]] = weld.eq %[[Q]], %[[Q]]
// CHECK-NEXT:      %[[R:.*]] = weld.select %[[OK]], %[[Q]], %[[P]]
// CHECK-NEXT:      loop.store "set" %[[R]]
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
