// RUN: not loopweld-opt %s --split-input-file --verify-diagnostics 2>&1 | filecheck %s

// CHECK: mismatch.mlir:5:4: error: expected error "nothing wrong" was not produced
func.func @nothing_wrong() {
// expected-error@+1 {{nothing wrong}}
  func.return
}

// -----

// CHECK: mismatch.mlir:15:3: error: unexpected error: 'func.return' op Expected arguments
// CHECK: mismatch.mlir:14:6: error: expected error "other words" was not produced
func.func @other_words(%a: f32) -> f64 {
  // expected-error@+1 {{other words}}
  func.return %a : f32
}

// -----

// CHECK: mismatch.mlir:22:3: error: unexpected error: 'func.return' op Expected arguments
func.func @not_expected(%a: f32) -> f64 {
  func.return %a : f32
}

// -----

// CHECK: mismatch.mlir:30:3: error: unexpected error: 'func.return' op Expected arguments
// CHECK: mismatch.mlir:31:4: error: expected error "Expected" was not produced
func.func @other_line(%a: f32) -> f64 {
  func.return %a : f32
// expected-error {{Expected}}
}
