// RUN: loopweld-opt %s --verify-each -p form-kernels | filecheck %s
// RUN: loopweld-opt %s -p "form-kernels{fuse=false}" | filecheck %s --check-prefix=ALONE
// RUN: loopweld-opt %s -p form-kernels --remarks-filter=. 2>&1 | filecheck %s --check-prefix=REMARK
// Formed once, kernels stay as they are.
// RUN: loopweld-opt %s -p form-kernels,form-kernels | filecheck %s
// RUN: loopweld-opt %s -p form-kernels | loopweld-opt -p form-kernels | filecheck %s

// joins: the row's result is needed in the same row
// REMARK:        [Passed] fuse: max -> sub | Reason=row-result
// CHECK-LABEL: func.func @row_result
// CHECK-NEXT:    %[[Y:.*]] = weld.kernel @{{.*}} outer 1 after 0 {
// CHECK-NEXT:      %[[M:.*]] = weld.generic over "4, 8" gives "max d0" {
// CHECK:           %[[S:.*]] = weld.generic over "4, 8" gives "write d0, d1" {
// CHECK:             weld.load %[[M]] "d0"
// CHECK:           weld.yield %[[S]] : tensor<4x8xf32>
// CHECK-NEXT:    } : tensor<4x8xf32>
// CHECK-NEXT:    func.return %[[Y]]
// ALONE-LABEL: func.func @row_result
// ALONE-COUNT-2: weld.kernel @{{.*}} outer 0 after 0 {
// ALONE:         func.return
func.func @row_result(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %m = weld.generic over "4, 8" gives "max d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
    weld.yield %0 : f32
  } : tensor<4xf32>
  %y = weld.generic over "4, 8" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
    %1 = weld.load %m "d0" : tensor<4xf32>
    %2 = weld.sub %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<4x8xf32>
  func.return %y : tensor<4x8xf32>
}

// joins: along columns, with the shared dim moved to the front of every member
// CHECK-LABEL: func.func @column_result
// CHECK-NEXT:    weld.kernel @{{.*}} outer 1 after 0 {
// CHECK-NEXT:      %[[M:.*]] = weld.generic over "8, 4" gives "max d0" {
// CHECK-NEXT:        weld.load %x "d1, d0"
// CHECK:           weld.generic over "8, 4" gives "write d1, d0" {
// CHECK:             weld.load %[[M]] "d0"
func.func @column_result(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %m = weld.generic over "4, 8" gives "max d1" {
    %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
    weld.yield %0 : f32
  } : tensor<8xf32>
  %y = weld.generic over "4, 8" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
    %1 = weld.load %m "d1" : tensor<8xf32>
    %2 = weld.sub %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<4x8xf32>
  func.return %y : tensor<4x8xf32>
}

// joins: a scalar epilogue, after the loops
// REMARK:        [Passed] fuse: sum -> sqrt | Reason=small-epilogue
// CHECK-LABEL: func.func @epilogue
// CHECK-NEXT:    weld.kernel @{{.*}} outer 0 after 1 {
// CHECK-COUNT-2:   weld.generic
// CHECK-NOT:     weld.kernel
// CHECK:         func.return
func.func @epilogue(%x: tensor<8xf32>) -> tensor<f32> {
  %s = weld.generic over "8" gives "sum" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    weld.yield %0 : f32
  } : tensor<f32>
  %r = weld.generic over "" gives "write" {
    %0 = weld.load %s "" : tensor<f32>
    %1 = weld.sqrt %0 : f32
    weld.yield %1 : f32
  } : tensor<f32>
  func.return %r : tensor<f32>
}

// must not join: each element needs the sum of all of them
// REMARK:        [Missed] fuse: sum -> div | Reason=no-shared-outer-dim
// CHECK-LABEL: func.func @whole_result
// CHECK-COUNT-2: weld.kernel @{{.*}} outer 0 after 0 {
// CHECK:         func.return
func.func @whole_result(%x: tensor<128x64xf32>) -> tensor<128x64xf32> {
  %s = weld.generic over "128, 64" gives "sum" {
    %0 = weld.load %x "d0, d1" : tensor<128x64xf32>
    weld.yield %0 : f32
  } : tensor<f32>
  %y = weld.generic over "128, 64" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<128x64xf32>
    %1 = weld.load %s "" : tensor<f32>
    %2 = weld.div %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<128x64xf32>
  func.return %y : tensor<128x64xf32>
}

// must not join: row i needs the result of another row
// REMARK:        [Missed] fuse: sum -> sub | Reason=no-shared-outer-dim
// CHECK-LABEL: func.func @another_row
// CHECK-COUNT-2: weld.kernel @{{.*}} outer 0 after 0 {
// CHECK:         func.return
func.func @another_row(%x: tensor<128x64xf32>) -> tensor<128x64xf32> {
  %s = weld.generic over "128, 64" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<128x64xf32>
    weld.yield %0 : f32
  } : tensor<128xf32>
  %y = weld.generic over "128, 64" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<128x64xf32>
    %1 = weld.load %s "127 - d0" : tensor<128xf32>
    %2 = weld.sub %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<128x64xf32>
  func.return %y : tensor<128x64xf32>
}

// must not join: a kernel between the two needs the first and gives to the second
// REMARK:        [Missed] fuse: sum -> add | Reason=dependency-cycle
// CHECK-LABEL: func.func @cycle
// CHECK:         weld.kernel
// CHECK:         "weld.cumsum"
// CHECK:         weld.kernel
// CHECK:         func.return
func.func @cycle(%x: tensor<128x64xf32>) -> tensor<128x64xf32> {
  %s = weld.generic over "128, 64" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<128x64xf32>
    weld.yield %0 : f32
  } : tensor<128xf32>
  %c = "weld.cumsum"(%s) <{axis = 0 : i64}> : (tensor<128xf32>) -> tensor<128xf32>
  %y = weld.generic over "128, 64" gives "write d0, d1" {
    %0 = weld.load %s "d0" : tensor<128xf32>
    %1 = weld.load %c "d0" : tensor<128xf32>
    %2 = weld.add %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<128x64xf32>
  func.return %y : tensor<128x64xf32>
}

// must not join: a row of 2 MB would not stay in the cache between its sweeps
// REMARK:        [Missed] fuse: exp+sum -> div | Reason=row-too-large
// CHECK-LABEL: func.func @row_too_large
// CHECK-COUNT-2: weld.kernel @{{.*}} outer 0 after 0 {
// CHECK:         func.return
func.func @row_too_large(%x: tensor<4x524288xf32>) -> tensor<4x524288xf32> {
  %e, %s = weld.generic over "4, 524288" gives "write d0, d1", "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x524288xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1, %1 : f32, f32
  } : tensor<4x524288xf32>, tensor<4xf32>
  %y = weld.generic over "4, 524288" gives "write d0, d1" {
    %0 = weld.load %e "d0, d1" : tensor<4x524288xf32>
    %1 = weld.load %s "d0" : tensor<4xf32>
    %2 = weld.div %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<4x524288xf32>
  func.return %y : tensor<4x524288xf32>
}
