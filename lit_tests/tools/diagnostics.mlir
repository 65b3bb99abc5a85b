// RUN: not loopweld-opt %s --split-input-file 2>&1 | filecheck %s --strict-whitespace --match-full-lines

// An undefined value: at its use, not at the end of the file, even if a later function has one of that name.
//      CHECK:{{.*}}diagnostics.mlir:8:23: error: use of undeclared SSA value name '%b'
// CHECK-NEXT:  %0 = arith.addf %a, %b : f32
// CHECK-NEXT:                      ^
func.func @undefined(%a: f32) -> f32 {
  %0 = arith.addf %a, %b : f32
  func.return %0 : f32
}
func.func @other(%b: f32) {
  func.return
}

// -----

// An operation that does not verify.
//      CHECK:{{.*}}diagnostics.mlir:22:3: error: 'func.return' op Expected arguments to have the same types as the function output types: expected [f64], got [f32]
// CHECK-NEXT:  func.return %a : f32
// CHECK-NEXT:  ^
func.func @wrong_type(%a: f32) -> f64 {
  func.return %a : f32
}

// -----

// An attribute or type that an operation does not take.
//      CHECK:{{.*}}diagnostics.mlir:32:8: error: 'arith.addi' op Unexpected attribute f32
// CHECK-NEXT:  %0 = arith.addi %a, %a : f32
// CHECK-NEXT:       ^
func.func @not_an_integer(%a: f32) {
  %0 = arith.addi %a, %a : f32
  func.return
}

// -----

// Something missing at the end of a line: there, not at the next token.
//      CHECK:{{.*}}diagnostics.mlir:43:26: error: type expected
// CHECK-NEXT:  %0 = arith.constant 1 : // nothing
// CHECK-NEXT:                         ^
func.func @no_type() {
  %0 = arith.constant 1 : // nothing

  func.return
}

// -----

//      CHECK:{{.*}}diagnostics.mlir:54:8: error: Operation nothing.known is not registered
// CHECK-NEXT:  %0 = nothing.known : f32
// CHECK-NEXT:       ^
func.func @unknown() {
  %0 = nothing.known : f32
  func.return
}

// -----

//      CHECK:{{.*}}diagnostics.mlir:64:9: error: reference to an undefined block '^gone'
// CHECK-NEXT:  cf.br ^gone
// CHECK-NEXT:        ^
func.func @no_block() {
  cf.br ^gone
}

// -----

// A string that is never closed is an error at once.
//      CHECK:{{.*}}diagnostics.mlir:74:3: error: End of file reached before closing string literal.
// CHECK-NEXT:  "func.return() : () -> (), and so on, and so on, and so on
// CHECK-NEXT:  ^
func.func @not_closed_string() {
  "func.return() : () -> (), and so on, and so on, and so on
}

// -----

//      CHECK:{{.*}}diagnostics.mlir:83:14: error: unexpected end of the file in block definition
// CHECK-NEXT:  func.return
// CHECK-NEXT:             ^
func.func @not_closed() {
  func.return
