// RUN: loopweld-opt %s --verify-each -p annotate-alias-scopes | filecheck %s
// A fixed point: a second run changes nothing.
// RUN: loopweld-opt %s -p annotate-alias-scopes,annotate-alias-scopes | filecheck %s

// One scope for what is only read, one for each buffer that is written; none overlaps another.
// CHECK-LABEL: func.func private @two_results
// CHECK:         loop.load %x[%i] {scope = "inputs", noalias = ["[[Y:y[0-9]*]]", "[[Z:z[0-9]*]]"]}
// CHECK-NEXT:    loop.load %w[%i] {scope = "inputs", noalias = ["[[Y]]", "[[Z]]"]}
// CHECK-NEXT:    loop.store "set" %{{.*}} to %y[%i] {scope = "[[Y]]", noalias = ["inputs", "[[Z]]"]}
// CHECK-NEXT:    loop.store "set" %{{.*}} to %z[%i] {scope = "[[Z]]", noalias = ["inputs", "[[Y]]"]}
func.func private @two_results(%x: !loop.buffer<f32>, %w: !loop.buffer<f32>, %y: !loop.buffer<f32>, %z: !loop.buffer<f32>, %i: i64) {
  %0 = loop.load %x[%i] : !loop.buffer<f32>, i64 -> vector<16xf32>
  %1 = loop.load %w[%i] : !loop.buffer<f32>, i64 -> vector<16xf32>
  loop.store "set" %0 to %y[%i] : vector<16xf32>, !loop.buffer<f32>, i64
  loop.store "set" %1 to %z[%i] : vector<16xf32>, !loop.buffer<f32>, i64
  func.return
}

// What is written and read back has one scope, inside loops as well.
// CHECK-LABEL: func.func private @read_back
// CHECK:         loop.for
// CHECK:           loop.load %y[%{{.*}}] {scope = "[[Y:y[0-9]*]]", noalias = ["inputs"]}
// CHECK:           loop.store "set" %{{.*}} to %y[%{{.*}}] {scope = "[[Y]]", noalias = ["inputs"]}
func.func private @read_back(%x: !loop.buffer<f32>, %y: !loop.buffer<f32>, %n: i64) {
  %zero = weld.constant 0 : i64
  loop.for %i = %zero to %n step 16 "d0" {
    %0 = loop.load %x[%i] : !loop.buffer<f32>, i64 -> vector<16xf32>
    %1 = loop.load %y[%i] : !loop.buffer<f32>, i64 -> vector<16xf32>
    %2 = weld.add %0, %1 : vector<16xf32>
    loop.store "set" %2 to %y[%i] : vector<16xf32>, !loop.buffer<f32>, i64
    loop.yield
  }
  func.return
}

// A buffer that is only filled is written too.
// CHECK-LABEL: func.func private @filled
// CHECK:         loop.fill %{{.*}} to %y, %n {scope = "[[Y:y[0-9]*]]", noalias = ["inputs", "[[Z:z[0-9]*]]"]}
// CHECK-NEXT:    loop.load %y[%i] {scope = "[[Y]]", noalias = ["inputs", "[[Z]]"]}
// CHECK-NEXT:    loop.store "set" %{{.*}} to %z[%i] {scope = "[[Z]]", noalias = ["inputs", "[[Y]]"]}
func.func private @filled(%y: !loop.buffer<f32>, %z: !loop.buffer<f32>, %n: i64, %i: i64) {
  %zero = weld.constant 0.0 : f32
  loop.fill %zero to %y, %n : f32, !loop.buffer<f32>
  %0 = loop.load %y[%i] : !loop.buffer<f32>, i64 -> vector<16xf32>
  loop.store "set" %0 to %z[%i] : vector<16xf32>, !loop.buffer<f32>, i64
  func.return
}

// A copy reads its source as well: it may overlap that.
// CHECK-LABEL: func.func private @copied
// CHECK:         loop.copy %x to %y, %n {scope = "[[Y:y[0-9]*]]", noalias = ["[[Z:z[0-9]*]]"]}
// CHECK-NEXT:    loop.load %w[%i] {scope = "inputs", noalias = ["[[Y]]", "[[Z]]"]}
func.func private @copied(%x: !loop.buffer<f32>, %w: !loop.buffer<f32>, %y: !loop.buffer<f32>, %z: !loop.buffer<f32>, %n: i64, %i: i64) {
  loop.copy %x to %y, %n : !loop.buffer<f32>, !loop.buffer<f32>
  %0 = loop.load %w[%i] : !loop.buffer<f32>, i64 -> f32
  loop.store "set" %0 to %z[%i] : f32, !loop.buffer<f32>, i64
  func.return
}

// Nothing is written: only inputs.
// CHECK-LABEL: func.func private @only_inputs
// CHECK:         loop.load %x[%i] {scope = "inputs", noalias = []}
func.func private @only_inputs(%x: !loop.buffer<f32>, %i: i64) {
  %0 = loop.load %x[%i] : !loop.buffer<f32>, i64 -> f32
  func.return
}

// What may be at the address of the result has its scope.
// CHECK-LABEL: func.func private @in_place
// CHECK:         loop.load %x[%i] {scope = "[[Y:y[0-9]*]]", noalias = ["inputs"]}
// CHECK-NEXT:    loop.load %w[%i] {scope = "inputs", noalias = ["[[Y]]"]}
// CHECK-NEXT:    loop.store "set" %{{.*}} to %y[%i] {scope = "[[Y]]", noalias = ["inputs"]}
func.func private @in_place(%x: !loop.buffer<f32> {loop.shares = 2 : i64}, %w: !loop.buffer<f32>, %y: !loop.buffer<f32>, %i: i64) {
  %0 = loop.load %x[%i] : !loop.buffer<f32>, i64 -> vector<16xf32>
  %1 = loop.load %w[%i] : !loop.buffer<f32>, i64 -> vector<16xf32>
  loop.store "set" %0 to %y[%i] : vector<16xf32>, !loop.buffer<f32>, i64
  func.return
}

// A scatter may start from its own memory.
// CHECK-LABEL: func.func private @copied_in_place
// CHECK:         loop.copy %x to %y, %n {scope = "[[Y:y[0-9]*]]", noalias = ["inputs"]}
// CHECK-NEXT:    loop.load %w[%i] {scope = "inputs", noalias = ["[[Y]]"]}
func.func private @copied_in_place(%x: !loop.buffer<f32> {loop.shares = 2 : i64}, %w: !loop.buffer<f32>, %y: !loop.buffer<f32>, %n: i64, %i: i64) {
  loop.copy %x to %y, %n : !loop.buffer<f32>, !loop.buffer<f32>
  %0 = loop.load %w[%i] : !loop.buffer<f32>, i64 -> f32
  func.return
}
