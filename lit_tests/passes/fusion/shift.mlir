// RUN: loopweld-opt %s --verify-each -p "shift-sums{row-bytes=65536}" | filecheck %s
// RUN: loopweld-opt %s -p "shift-sums{row-bytes=65536}" --remarks-filter=. 2>&1 | filecheck %s --check-prefix=REMARK
// What is shifted needs no other reduction of its row any more: it stays as it is.
// RUN: loopweld-opt %s -p "shift-sums{row-bytes=65536},shift-sums{row-bytes=65536}" | filecheck %s
// RUN: loopweld-opt %s -p "shift-sums{row-bytes=65536},fuse-siblings,form-online{row-bytes=65536},form-kernels" | filecheck %s --check-prefix=KERNEL

// squares of differences from the mean: they are taken from that of 16 elements without the greatest and the least
// REMARK:      [Passed] fuse: sum -> sub+mul+sum | Category:fusion | {{.*}}Reason=online-reduction
// CHECK-LABEL: func.func @squares
// CHECK:         %[[A:.*]] = weld.generic over "n" gives "sum" {
// CHECK:         weld.generic over "16" gives "sum", "max", "min" {
// CHECK-NEXT:      weld.load %x "{{.*}}mod (16777216){{.*}} if n - 1 >= 0"
// CHECK:         %[[B:.*]] = weld.generic over "" gives "write" {
// CHECK-COUNT-2:   weld.sub
// CHECK:         %{{.*}}, %{{.*}} = weld.generic over "n" gives "sum", "sum" {
// CHECK-NEXT:      %[[X:.*]] = weld.load %x "d0"
// CHECK-NEXT:      %[[BX:.*]] = weld.load %[[B]] ""
// CHECK-NEXT:      %[[D:.*]] = weld.sub %[[X]], %[[BX]]
// CHECK-NEXT:      %[[Q:.*]] = weld.mul %[[D]], %[[D]]
// CHECK:           %[[L:.*]] = weld.mul_add %[[D]], %{{.*}}, %{{.*}}
// CHECK-NEXT:      weld.yield %[[L]], %[[Q]]
// CHECK:         weld.generic over "" gives "write" {
// CHECK:           weld.load %[[A]] ""
// CHECK:         func.return
// KERNEL-LABEL: func.func @squares
// KERNEL-NEXT:   weld.kernel @{{.*}} outer 0 before 2 after 1 {
// KERNEL:          weld.generic over "n" gives "sum", "sum", "sum" {
// KERNEL-NOT:      weld.generic over "n"
// KERNEL:        func.return
func.func @squares(%x: tensor<?xf32, #weld.dims<"n">>) -> (tensor<f32>, tensor<f32>) {
  %a = weld.generic over "n" gives "sum" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    weld.yield %0 : f32
  } : tensor<f32>
  %s = weld.generic over "n" gives "sum" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.load %a "" : tensor<f32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.mul %2, %2 : f32
    weld.yield %3 : f32
  } : tensor<f32>
  func.return %a, %s : tensor<f32>, tensor<f32>
}

// columns: each has a sample of its own, and so does a value that is stored
// CHECK-LABEL: func.func @columns
// CHECK:         weld.generic over "40000, 8" gives "write d0, d1", "sum d1" {
// CHECK:         weld.generic over "8, 16" gives "sum d0", "max d0", "min d0" {
// CHECK-NEXT:      weld.load %x "{{.*}}, d0"
// CHECK-NEXT:      weld.exp
// CHECK:         weld.generic over "40000, 8" gives "sum d1", "sum d1" {
// CHECK:         weld.generic over "8" gives "write d0" {
func.func @columns(%x: tensor<40000x8xf32>) -> (tensor<40000x8xf32>, tensor<8xf32>) {
  %y, %a = weld.generic over "40000, 8" gives "write d0, d1", "sum d1" {
    %0 = weld.load %x "d0, d1" : tensor<40000x8xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1, %1 : f32, f32
  } : tensor<40000x8xf32>, tensor<8xf32>
  %s = weld.generic over "40000, 8" gives "sum d1" {
    %0 = weld.load %y "d0, d1" : tensor<40000x8xf32>
    %1 = weld.load %a "d1" : tensor<8xf32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.mul %2, %2 : f32
    weld.yield %3 : f32
  } : tensor<8xf32>
  func.return %y, %s : tensor<40000x8xf32>, tensor<8xf32>
}

// Differences that are written for another sum are computed again there; a row's value that is added to a product is
// added to any other value. The coefficient beside a power of the deviation is in float64, whose range has room for it.
// CHECK-LABEL: func.func @standardised
// CHECK:         %[[S:.*]], %{{.*}} = weld.generic over "n" gives "sum", "sum" {
// CHECK:         weld.generic over "n" gives "sum", "sum", "sum" {
// CHECK-NOT:       weld.load %[[S]]
// CHECK:           weld.cast {{.*}} : (f32) -> f64
// CHECK:           weld.yield
// CHECK-NOT:     weld.generic over "n"
// CHECK:         func.return
func.func @standardised(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<f32> {
  %a = weld.generic over "n" gives "sum" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    weld.yield %0 : f32
  } : tensor<f32>
  %d, %q = weld.generic over "n" gives "write d0", "sum" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.load %a "" : tensor<f32>
    %2 = weld.constant 2.0 : f32
    %3 = weld.mul_add %0, %2, %1 : f32
    %4 = weld.mul %3, %3 : f32
    weld.yield %3, %4 : f32, f32
  } : tensor<?xf32, #weld.dims<"n">>, tensor<f32>
  %s = weld.generic over "n" gives "sum" {
    %0 = weld.load %d "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.load %q "" : tensor<f32>
    %2 = weld.div %0, %1 : f32
    %3 = weld.mul %2, %2 : f32
    weld.yield %3 : f32
  } : tensor<f32>
  func.return %s : tensor<f32>
}

// A row that stays in cache is walked twice.
// CHECK-LABEL: func.func @short
// CHECK-COUNT-2: weld.generic over "40, 8" gives "sum d0" {
// CHECK-NOT:     weld.generic
// CHECK:         func.return
func.func @short(%x: tensor<40x8xf32>) -> tensor<40xf32> {
  %a = weld.generic over "40, 8" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<40x8xf32>
    weld.yield %0 : f32
  } : tensor<40xf32>
  %s = weld.generic over "40, 8" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<40x8xf32>
    %1 = weld.load %a "d0" : tensor<40xf32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.mul %2, %2 : f32
    weld.yield %3 : f32
  } : tensor<40xf32>
  func.return %s : tensor<40xf32>
}

// Exponentials need their row's extremum, no sample of it; neither do differences that are written.
// CHECK-LABEL: func.func @others
// CHECK-COUNT-3: weld.generic over "n" gives
// CHECK-NOT:     weld.generic
// CHECK:         func.return
func.func @others(%x: tensor<?xf32, #weld.dims<"n">>) -> (tensor<f32>, tensor<?xf32, #weld.dims<"n">>, tensor<f32>) {
  %m = weld.generic over "n" gives "max" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    weld.yield %0 : f32
  } : tensor<f32>
  %s = weld.generic over "n" gives "sum" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.load %m "" : tensor<f32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.exp %2 : f32
    weld.yield %3 : f32
  } : tensor<f32>
  %d, %q = weld.generic over "n" gives "write d0", "sum" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.load %m "" : tensor<f32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.mul %2, %2 : f32
    weld.yield %2, %3 : f32, f32
  } : tensor<?xf32, #weld.dims<"n">>, tensor<f32>
  func.return %s, %d, %q : tensor<f32>, tensor<?xf32, #weld.dims<"n">>, tensor<f32>
}
