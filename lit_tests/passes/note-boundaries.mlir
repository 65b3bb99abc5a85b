// It changes nothing.
// RUN: loopweld-opt %s -p note-boundaries | filecheck %s
// RUN: loopweld-opt %s -p note-boundaries --remarks-filter=Missed 2>&1 | filecheck %s --check-prefix=CALLS
// RUN: loopweld-opt %s -p "note-boundaries{never-fuses=true}" --remarks-filter=Missed 2>&1 | filecheck %s --check-prefix=NEVER

// CHECK-LABEL: func.func @main
// CHECK-NEXT:    weld.generic
// CHECK:         weld.transpose
// CHECK-NEXT:    weld.matmul
// CHECK-NEXT:    weld.generic
// CHECK:         func.return

// A pair with a call, also through a view; an argument is no producer.
// CALLS:       fuse: exp -> matmul | Category:fusion | BytesAtStake=144, Reason=library-call
// CALLS:       fuse: matmul -> neg | Category:fusion | BytesAtStake=192, Reason=library-call
// CALLS-NOT:   fuse:

// NEVER:       exp -> matmul | Category:fusion | {{.*}}Reason=target-never-fuses
// NEVER:       matmul -> neg | Category:fusion | {{.*}}Reason=target-never-fuses
func.func @main(%x: tensor<3x6xf32>, %w: tensor<3x4xf32>) -> tensor<6x4xf32> {
  %a = weld.generic over "3, 6" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<3x6xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<3x6xf32>
  %t = "weld.transpose"(%a) <{permutation = array<i64: 1, 0>}> : (tensor<3x6xf32>) -> tensor<6x3xf32>
  %b = "weld.matmul"(%t, %w) : (tensor<6x3xf32>, tensor<3x4xf32>) -> tensor<6x4xf32>
  %c = weld.generic over "6, 4" gives "write d0, d1" {
    %0 = weld.load %b "d0, d1" : tensor<6x4xf32>
    %1 = weld.neg %0 : f32
    weld.yield %1 : f32
  } : tensor<6x4xf32>
  func.return %c : tensor<6x4xf32>
}
