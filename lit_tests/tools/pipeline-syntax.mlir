// One pipeline, spelled in every way.
// RUN: loopweld-opt %s -p canonicalize,dce | filecheck %s
// RUN: loopweld-opt %s --passes 'canonicalize, dce' | filecheck %s
// RUN: loopweld-opt %s --pass-pipeline='builtin.module(canonicalize,dce)' | filecheck %s
// RUN: loopweld-opt %s --pass-pipeline='builtin.module(func.func(canonicalize), dce{})' | filecheck %s
// RUN: loopweld-opt -p canonicalize,dce < %s | filecheck %s
// RUN: loopweld-opt %s --verify-each -p canonicalize -t mlir | loopweld-opt - -p dce | filecheck %s

// CHECK:      func.func @f
// CHECK-NEXT:   func.return %a
func.func @f(%a: i32) -> i32 {
  %zero = arith.constant 0 : i32
  %sum = arith.addi %a, %zero : i32
  func.return %sum : i32
}

// Wrong ones.
// RUN: not loopweld-opt %s -p cse,canonicalise 2>&1 | filecheck %s --check-prefix=UNKNOWN
// UNKNOWN:      <pass-pipeline>:1:5: error: 'canonicalise' does not refer to a registered pass; did you mean 'canonicalize'?
// UNKNOWN-NEXT: cse,canonicalise
// UNKNOWN-NEXT:     ^

// RUN: not loopweld-opt %s --pass-pipeline='builtin.module(cse' 2>&1 | filecheck %s --check-prefix=OPEN
// OPEN: <pass-pipeline>:1:15: error: '(' is never closed

// RUN: not loopweld-opt %s -p 'dce{nothing=1}' 2>&1 | filecheck %s --check-prefix=OPTION
// OPTION: <pass-pipeline>:1:1: error: 'dce' has no option 'nothing'; it has none

// RUN: not loopweld-opt %s --pass-pipeline='gpu.module(cse)' 2>&1 | filecheck %s --check-prefix=ANCHOR
// ANCHOR: <pass-pipeline>:1:1: error: cannot nest a pipeline in 'gpu.module'
