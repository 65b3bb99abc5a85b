// What is printed of the IR can be chosen: passes by name, changes only, the pass that fails.
// RUN: loopweld-opt %s -p cse,canonicalize,cse --mlir-print-ir-after=canonicalize --mlir-print-ir-before=cse 2>&1 | filecheck %s --check-prefix=NAMED
// RUN: loopweld-opt %s -p cse,cse,canonicalize --mlir-print-ir-after-change 2>&1 | filecheck %s --check-prefix=CHANGE
// RUN: not loopweld-opt %s -p cse,generalize,cse --mlir-print-ir-after-failure 2>&1 | filecheck %s --check-prefix=FAILURE
// RUN: loopweld-opt %s -p 'builtin.module(cse,simplify{strict=true})' --dump-pass-pipeline 2>&1 | filecheck %s --check-prefix=DUMP

// NAMED:       IR Dump Before CommonSubexpressionElimination (cse)
// NAMED:       IR Dump After CanonicalizePass (canonicalize)
// NAMED:       IR Dump Before CommonSubexpressionElimination (cse)
// NAMED-NOT:   IR Dump

// CHANGE:      IR Dump After CommonSubexpressionElimination (cse)
// CHANGE:      IR Dump After CanonicalizePass (canonicalize)
// CHANGE-NOT:  IR Dump

// FAILURE:     // -----// IR Dump After Generalize Failed (generalize) //----- //
// FAILURE:       weld.exp
// FAILURE-NOT: IR Dump
// FAILURE:     error: tensor<?xf32> has no symbolic shape; run resolve-shapes first

// DUMP:        Pass Manager with 2 passes:
// DUMP-NEXT:   builtin.module(
// DUMP-NEXT:     cse,
// DUMP-NEXT:     simplify{strict=true}
// DUMP-NEXT:   )

func.func @f(%a: i32, %x: tensor<?xf32>) -> (i32, tensor<?xf32>) {
  %zero = arith.constant 0 : i32
  %unused = arith.constant 0 : i32
  %sum = arith.addi %a, %zero : i32
  %y = weld.exp %x : tensor<?xf32>
  func.return %sum, %y : i32, tensor<?xf32>
}
