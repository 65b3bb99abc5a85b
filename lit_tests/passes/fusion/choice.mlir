// What is legal is done as `choice` says: where it pays, always, never, or as a coin falls.
// RUN: loopweld-opt %s -p "fuse-producers" | filecheck %s --check-prefix=PROFIT
// RUN: loopweld-opt %s -p "fuse-producers{choice=legal}" | filecheck %s --check-prefix=LEGAL
// RUN: loopweld-opt %s -p "fuse-producers{choice=never}" --remarks-filter=. 2>&1 | filecheck %s --check-prefix=NEVER
// RUN: loopweld-opt %s -p 'fuse-producers{choice="random 1"},form-kernels{choice="random 1"}' --verify-each | filecheck %s --check-prefix=COIN
// RUN: not loopweld-opt %s -p "fuse-producers{choice=sometimes}" 2>&1 | filecheck %s --check-prefix=WRONG

// An exponential a row, used in each column, is legal to compute there but does not pay.
// PROFIT-LABEL: func.func @expensive
// PROFIT-COUNT-2: weld.generic
// PROFIT-NOT:   weld.generic
// LEGAL-LABEL:  func.func @expensive
// LEGAL-NEXT:     weld.generic over "4, 8" gives "write d0, d1" {
// LEGAL:            weld.exp
// LEGAL-NOT:      weld.generic
// NEVER:        [Missed] fuse: {{.*}} | Category:fusion | {{.*}}Reason=target-never-fuses
// NEVER:        weld.generic
// NEVER:        weld.generic
// COIN:         weld.kernel
// WRONG:        unknown rule of fusion 'sometimes'; known are "profit", "legal", "never", "random SEED"
func.func @expensive(%x: tensor<4xf32>) -> tensor<4x8xf32> {
  %a = weld.generic over "4" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<4xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<4xf32>
  %b = weld.generic over "4, 8" gives "write d0, d1" {
    %0 = weld.load %a "d0" : tensor<4xf32>
    weld.yield %0 : f32
  } : tensor<4x8xf32>
  func.return %b : tensor<4x8xf32>
}
