// RUN: loopweld-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: not loopweld-opt %s --split-input-file 2>&1 | filecheck %s --check-prefix=PLAIN

// PLAIN: verify-diagnostics.mlir:10:3: error: 'func.return' op Expected arguments

// CHECK-NOT: @same_line
func.func @same_line(%a: f32) -> f64 {

  // expected-error@+1 {{Expected arguments to have the same types}}
  func.return %a : f32
}

// -----

func.func @above(%a: f32) -> f64 {
  func.return %a : f32 // expected-error {{got [f32]}}
}

// -----

func.func @offset(%a: f32) -> f64 {
  func.return %a : f32
}
// expected-error@-2 {{'func.return' op}}

// -----

func.func @below(%a: f32) -> f64 {
  // expected-error-re@below {{expected {{.*}}, got {{\[f[0-9]+\]}}}}
  func.return %a : f32
}

// -----

func.func @parse(%a: f32) {
  foo.bar
  // expected-error@above {{Operation foo.bar is not registered}}
}

// -----

// A part without errors expects none, and is printed.
// CHECK: func.func @right
func.func @right(%a: f32) -> f32 {
  func.return %a : f32
}
