// RUN: loopweld-opt %s -p loopweld-pipeline --target=llvm | filecheck %s --check-prefix=LLVM
// RUN: loopweld-opt %s -p 'loopweld-pipeline{target=cpu numerics=strict}' --target=asm | filecheck %s --check-prefix=ASM
// RUN: not loopweld-opt %s --target=llvm 2>&1 | filecheck %s --check-prefix=EARLY
// RUN: loopweld-opt %s --verify-roundtrip && loopweld-opt %s -p resolve-shapes,generalize,form-kernels | loopweld-opt --verify-roundtrip

// LLVM:  define void @main(ptr %places, ptr %symbols)
// ASM:   main:
// EARLY: targets.mlir:{{[0-9]+}}:8: error: no native code for 'weld.exp': run -p loopweld-pipeline first, or its like

func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = weld.exp %x : tensor<?xf32>
  func.return %0 : tensor<?xf32>
}
