// RUN: loopweld-opt %s -p cse,canonicalize --mlir-print-ir-after-all 2>&1 | filecheck %s --check-prefix=AFTER
// RUN: loopweld-opt %s -p cse --mlir-print-ir-before-all 2>&1 | filecheck %s --check-prefix=BEFORE
// RUN: loopweld-opt %s -p cse --mlir-timing 2>&1 | filecheck %s --check-prefix=TIMING
// RUN: loopweld-opt %s -p cse,canonicalize --mlir-print-ir-tree-dir=%t && filecheck %s --check-prefix=FILE0 --input-file=%t/builtin_module_no-symbol-name/0_cse.mlir
// RUN: filecheck %s --check-prefix=FILE1 --input-file=%t/builtin_module_no-symbol-name/1_canonicalize.mlir

// AFTER:       // -----// IR Dump After CommonSubexpressionElimination (cse) //----- //
// AFTER:         arith.constant 0
// AFTER-NEXT:    arith.addi
// AFTER:       // -----// IR Dump After CanonicalizePass (canonicalize) //----- //
// AFTER-NOT:     arith.addi

// BEFORE:      // -----// IR Dump Before CommonSubexpressionElimination (cse) //----- //
// BEFORE:        arith.constant 0
// BEFORE-NEXT:   arith.constant 0
// BEFORE-NEXT:   arith.addi

// TIMING:      Total Execution Time: {{[0-9.]+}} seconds
// TIMING:      {{[0-9.]+}} ({{ *[0-9.]+}}%)  cse
// TIMING:      {{[0-9.]+}} (100.0%)  Total

// FILE0:       arith.constant 0
// FILE0-NEXT:  arith.addi

// FILE1-NOT:   arith.addi

func.func @f(%a: i32) -> i32 {
  %zero = arith.constant 0 : i32
  %unused = arith.constant 0 : i32
  %sum = arith.addi %a, %zero : i32
  func.return %sum : i32
}
