// A module with its pipeline in one file: of a run that is asked for, of one that fails, of the pass alone that fails.
// RUN: loopweld-opt %s -p resolve-shapes,simplify --mlir-generate-reproducer=%t.1 && loopweld-opt %t.1 --run-reproducer | filecheck %s --check-prefix=RUN1
// RUN: loopweld-opt %t.1 | filecheck %s --check-prefix=ALONE
// RUN: not loopweld-opt %s -p cse,generalize --mlir-pass-pipeline-crash-reproducer=%t.2 2>&1 | filecheck %s --check-prefix=NOTE
// RUN: filecheck %s --check-prefix=CRASH --input-file=%t.2 && not loopweld-opt %t.2 --run-reproducer 2>&1 | filecheck %s --check-prefix=AGAIN
// RUN: not loopweld-opt %s -p cse,generalize --mlir-pass-pipeline-crash-reproducer=%t.3 --mlir-pass-pipeline-local-reproducer
// RUN: filecheck %s --check-prefix=LOCAL --input-file=%t.3

// RUN1:      weld.exp %x : tensor<?xf32, #weld.dims<"s0">>
// ALONE:     weld.exp %x : tensor<?xf32>
// NOTE:      error: tensor<?xf32> has no symbolic shape
// NOTE:      note: reproducer generated at `{{.*}}.2`; to reproduce: loopweld-opt --run-reproducer
// CRASH:     mlir_reproducer: {
// CRASH:       pipeline: "builtin.module(cse,generalize)",
// AGAIN:     error: tensor<?xf32> has no symbolic shape
// LOCAL:       pipeline: "builtin.module(generalize)",

func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = weld.exp %x : tensor<?xf32>
  func.return %0 : tensor<?xf32>
}
