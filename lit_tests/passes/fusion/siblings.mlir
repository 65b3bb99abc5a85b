// RUN: loopweld-opt %s -p fuse-siblings | filecheck %s
// A fixed point: a second run changes nothing.
// RUN: loopweld-opt %s -p fuse-siblings,fuse-siblings | filecheck %s
// RUN: loopweld-opt %s -p fuse-siblings --remarks-filter=. 2>&1 | filecheck %s --check-prefix=REMARK
// RUN: loopweld-opt %s -p "fuse-siblings{max-streams=2}" --remarks-filter=. 2>&1 | filecheck %s --check-prefix=STREAMS

// fuses: two reductions of one tensor along different axes; the tensor is read once
// REMARK:        [Passed] fuse: sum -> max | Category:fusion | BytesSaved=128, Reason=shared-input
// CHECK-LABEL: func.func @two_reductions
// CHECK-NEXT:    %[[S:.*]], %[[M:.*]] = weld.generic over "4, 8" gives "sum d0", "max d1" {
// CHECK-NEXT:      weld.load %x "d0, d1"
// CHECK-NEXT:      weld.yield
// CHECK-NOT:     weld.generic
// CHECK:         func.return %[[S]], %[[M]]
func.func @two_reductions(%x: tensor<4x8xf32>) -> (tensor<4xf32>, tensor<8xf32>) {
  %s = weld.generic over "4, 8" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
    weld.yield %0 : f32
  } : tensor<4xf32>
  %m = weld.generic over "4, 8" gives "max d1" {
    %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
    weld.yield %0 : f32
  } : tensor<8xf32>
  func.return %s, %m : tensor<4xf32>, tensor<8xf32>
}

// fuses: the dims of one in the order of the other
// REMARK:        [Passed] fuse: sum -> neg | Category:fusion | BytesSaved=128, Reason=shared-input
// CHECK-LABEL: func.func @transposed
// CHECK-NEXT:    weld.generic over "8, 4" gives "sum d1", "write d0, d1" {
// CHECK-NEXT:      weld.load %x "d1, d0"
// CHECK-NOT:       weld.load
// CHECK:         func.return
func.func @transposed(%x: tensor<4x8xf32>) -> (tensor<4xf32>, tensor<8x4xf32>) {
  %s = weld.generic over "4, 8" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
    weld.yield %0 : f32
  } : tensor<4xf32>
  %t = weld.generic over "8, 4" gives "write d0, d1" {
    %0 = weld.load %x "d1, d0" : tensor<4x8xf32>
    %1 = weld.neg %0 : f32
    weld.yield %1 : f32
  } : tensor<8x4xf32>
  func.return %s, %t : tensor<4xf32>, tensor<8x4xf32>
}

// fuses: scatters that share their indices
// REMARK:        [Passed] fuse: scatter_add -> {{.*}} | Category:fusion | {{.*}}Reason=shared-input
// CHECK-LABEL: func.func @two_scatters
// CHECK-NEXT:    weld.generic over "3" gives "scatter_add i0", "scatter_add i0" from %x, %y {
// CHECK-COUNT-1:   weld.load %i "d0"
// CHECK-NOT:     weld.generic
// CHECK:         func.return
func.func @two_scatters(%x: tensor<5xf32>, %y: tensor<5xf32>, %u: tensor<3xf32>, %v: tensor<3xf32>, %i: tensor<3xi64>) -> (tensor<5xf32>, tensor<5xf32>) {
  %a = weld.generic over "3" gives "scatter_add i0" from %x {
    %0 = weld.load %u "d0" : tensor<3xf32>
    %1 = weld.load %i "d0" : tensor<3xi64>
    %2 = weld.constant 1 : i1
    weld.yield %0, %2, %1 : f32, i1, i64
  } : tensor<5xf32>
  %b = weld.generic over "3" gives "scatter_add i0" from %y {
    %0 = weld.load %v "d0" : tensor<3xf32>
    %1 = weld.load %i "d0" : tensor<3xi64>
    %2 = weld.constant 1 : i1
    weld.yield %0, %2, %1 : f32, i1, i64
  } : tensor<5xf32>
  func.return %a, %b : tensor<5xf32>, tensor<5xf32>
}

// must not fuse: the second one needs the first one's whole result
// REMARK:        [Missed] fuse: max -> sub+exp | Category:fusion | {{.*}}Reason=reduction-result
// CHECK-LABEL: func.func @needs_the_result
// CHECK-COUNT-2: weld.generic
// CHECK:         func.return
func.func @needs_the_result(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %m = weld.generic over "4, 8" gives "max d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
    weld.yield %0 : f32
  } : tensor<4xf32>
  %y = weld.generic over "4, 8" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
    %1 = weld.load %m "d0" : tensor<4xf32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.exp %2 : f32
    weld.yield %3 : f32
  } : tensor<4x8xf32>
  func.return %y : tensor<4x8xf32>
}

// must not fuse: another op stands between the two
// REMARK:        [Missed] fuse: sum -> add+exp | Category:fusion | {{.*}}Reason=dependency-cycle
// CHECK-LABEL: func.func @cycle
// CHECK-COUNT-3: weld.generic
// CHECK:         func.return
func.func @cycle(%x: tensor<8xf32>) -> (tensor<f32>, tensor<8xf32>) {
  %s = weld.generic over "8" gives "sum" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    weld.yield %0 : f32
  } : tensor<f32>
  %r = weld.generic over "" gives "write" {
    %0 = weld.load %s "" : tensor<f32>
    %1 = weld.sqrt %0 : f32
    weld.yield %1 : f32
  } : tensor<f32>
  %y = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.load %r "" : tensor<f32>
    %2 = weld.add %0, %1 : f32
    %3 = weld.exp %2 : f32
    weld.yield %3 : f32
  } : tensor<8xf32>
  func.return %s, %y : tensor<f32>, tensor<8xf32>
}

// must not fuse: they read the same tensor at different elements
// CHECK-LABEL: func.func @other_elements
// CHECK-COUNT-2: weld.generic
// CHECK:         func.return
func.func @other_elements(%x: tensor<8xf32>) -> (tensor<f32>, tensor<8xf32>) {
  %s = weld.generic over "8" gives "sum" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    weld.yield %0 : f32
  } : tensor<f32>
  %r = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "7 - d0" : tensor<8xf32>
    weld.yield %0 : f32
  } : tensor<8xf32>
  func.return %s, %r : tensor<f32>, tensor<8xf32>
}

// must not fuse: they read nothing in common, so nothing is saved
// CHECK-LABEL: func.func @nothing_in_common
// CHECK-COUNT-2: weld.generic
// CHECK:         func.return
func.func @nothing_in_common(%x: tensor<8xf32>, %y: tensor<8xf32>) -> (tensor<f32>, tensor<f32>) {
  %s = weld.generic over "8" gives "sum" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    weld.yield %0 : f32
  } : tensor<f32>
  %t = weld.generic over "8" gives "sum" {
    %0 = weld.load %y "d0" : tensor<8xf32>
    weld.yield %0 : f32
  } : tensor<f32>
  func.return %s, %t : tensor<f32>, tensor<f32>
}

// must not fuse where the target streams fewer tensors; what fits a page is no stream
// STREAMS:       [Passed] fuse: sum -> max |
// STREAMS:       [Missed] fuse: neg -> abs | Category:fusion | BytesAtStake=16384, Reason=too-many-streams
func.func @streams(%x: tensor<64x64xf32>) -> (tensor<64x64xf32>, tensor<64x64xf32>) {
  %a = weld.generic over "64, 64" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<64x64xf32>
    %1 = weld.neg %0 : f32
    weld.yield %1 : f32
  } : tensor<64x64xf32>
  %b = weld.generic over "64, 64" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<64x64xf32>
    %1 = weld.abs %0 : f32
    weld.yield %1 : f32
  } : tensor<64x64xf32>
  func.return %a, %b : tensor<64x64xf32>, tensor<64x64xf32>
}
