// RUN: loopweld-opt %s --verify-each -p "form-online{row-bytes=65536}" | filecheck %s
// RUN: loopweld-opt %s -p "form-online{row-bytes=65536}" --remarks-filter=. 2>&1 | filecheck %s --check-prefix=REMARK
// Formed once, online reductions stay as they are.
// RUN: loopweld-opt %s -p "form-online{row-bytes=65536},form-online{row-bytes=65536}" | filecheck %s
// RUN: loopweld-opt %s -p "form-online{row-bytes=65536},form-kernels" | filecheck %s --check-prefix=KERNEL

// chunks: exponentials of differences, each chunk's around its own maximum
// REMARK:        [Passed] fuse: max -> sub+exp+sum | Category:fusion | {{.*}}Reason=online-reduction
// CHECK-LABEL: func.func @exponentials
// CHECK-NEXT:    %[[PM:.*]] = weld.generic over "((n + 4095) floordiv (4096)), 4096 if -4096 * d0 - d1 + n - 1 >= 0" gives "max d0" {
// CHECK-NEXT:      weld.load %x "4096 * d0 + d1"
// CHECK:         %[[PS:.*]] = weld.generic over "((n + 4095) floordiv (4096)), 4096 if -4096 * d0 - d1 + n - 1 >= 0" gives "sum d0" {
// CHECK-NEXT:      %[[X:.*]] = weld.load %x "4096 * d0 + d1"
// CHECK-NEXT:      weld.load %[[PM]] "d0"
// CHECK:           %[[D:.*]] = weld.sub %[[X]], %{{.*}} : f32
// CHECK-NEXT:      %[[E:.*]] = weld.exp %[[D]] : f32
// CHECK-NEXT:      weld.yield %[[E]] : f32
// CHECK:         %[[M:.*]] = weld.generic over "((n + 4095) floordiv (4096))" gives "max" {
// CHECK-NEXT:      weld.load %[[PM]] "d0"
// CHECK:         %[[S:.*]] = weld.generic over "((n + 4095) floordiv (4096))" gives "sum" {
// CHECK-NEXT:      %[[P:.*]] = weld.load %[[PS]] "d0"
// CHECK-NEXT:      %[[A:.*]] = weld.load %[[M]] ""
// CHECK:           %[[T:.*]] = weld.sub %{{.*}}, %[[A]] : f32
// CHECK-NEXT:      %[[C:.*]] = weld.exp %[[T]] : f32
// CHECK-NEXT:      %[[R:.*]] = weld.mul %[[P]], %[[C]] : f32
// CHECK-NEXT:      weld.yield %[[R]] : f32
// CHECK:         func.return %[[S]]
// KERNEL-LABEL: func.func @exponentials
// KERNEL-NEXT:    weld.kernel @{{.*}} outer 1 after
// KERNEL-NOT:     weld.kernel
// KERNEL:         func.return
func.func @exponentials(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<f32> {
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
  func.return %s : tensor<f32>
}

// chunks: squares of differences, with the sum of the differences to move them to another centre
// REMARK:        [Passed] fuse: sum -> mul+sub+sum | Category:fusion | {{.*}}Reason=online-reduction
// CHECK-LABEL: func.func @squares
// CHECK-NEXT:    weld.generic over "4, 5, 4096 if -4096 * d1 - d2 + 19999 >= 0" gives "sum d0, d1" {
// CHECK:         weld.generic over "4, 5, 4096 if -4096 * d1 - d2 + 19999 >= 0" gives "sum d0, d1", "sum d0, d1" {
// CHECK:           %[[D:.*]] = weld.sub %{{.*}}, %{{.*}} : f32
// CHECK-NEXT:      %[[Q:.*]] = weld.mul %[[D]], %[[D]] : f32
// CHECK-NEXT:      weld.yield %[[Q]], %[[D]] : f32, f32
// CHECK:         weld.generic over "4, 5" gives "sum d0" {
// CHECK:         weld.generic over "4, 5" gives "sum d0" {
// Within a row the two run chunk by chunk.
// KERNEL-LABEL: func.func @squares
// KERNEL-NEXT:    weld.kernel @{{.*}} outer 1 after 0 {
// KERNEL-NEXT:      weld.generic over "4, 5, 4096 if
// KERNEL:           weld.generic over "4, 5, 4096 if
// KERNEL:           weld.generic over "4, 5" gives
// KERNEL:         func.return
func.func @squares(%x: tensor<4x20000xf32>) -> tensor<4xf32> {
  %s = weld.generic over "4, 20000" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x20000xf32>
    weld.yield %0 : f32
  } : tensor<4xf32>
  %v = weld.generic over "4, 20000" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x20000xf32>
    %1 = weld.load %s "d0" : tensor<4xf32>
    %2 = weld.constant 0.00005 : f32
    %3 = weld.mul %1, %2 : f32
    %4 = weld.sub %0, %3 : f32
    %5 = weld.mul %4, %4 : f32
    weld.yield %5 : f32
  } : tensor<4xf32>
  func.return %v : tensor<4xf32>
}

// chunks: what was written along the row is computed again where it is used, so that no row is kept
// CHECK-LABEL: func.func @softmax
// CHECK-NOT:     weld.generic over "4, 20000" gives "sum
// CHECK:         gives "write d0, d1" {
// CHECK:           weld.exp
// CHECK-NEXT:      weld.load
// CHECK-NEXT:      weld.div
// CHECK:         func.return
func.func @softmax(%x: tensor<4x20000xf32>) -> tensor<4x20000xf32> {
  %m = weld.generic over "4, 20000" gives "max d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x20000xf32>
    weld.yield %0 : f32
  } : tensor<4xf32>
  %e, %s = weld.generic over "4, 20000" gives "write d0, d1", "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x20000xf32>
    %1 = weld.load %m "d0" : tensor<4xf32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.exp %2 : f32
    weld.yield %3, %3 : f32, f32
  } : tensor<4x20000xf32>, tensor<4xf32>
  %p = weld.generic over "4, 20000" gives "write d0, d1" {
    %0 = weld.load %e "d0, d1" : tensor<4x20000xf32>
    %1 = weld.load %s "d0" : tensor<4xf32>
    %2 = weld.div %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<4x20000xf32>
  func.return %p : tensor<4x20000xf32>
}

// chunks: two dims of a whole array are one
// CHECK-LABEL: func.func @whole
// CHECK-NEXT:    %[[R:.*]] = "weld.reshape"(%x) <{shape = #weld.dims<"m * n">}>
// CHECK-NEXT:    weld.generic over "((m * n + 4095) floordiv (4096)), 4096 if -4096 * d0 - d1 + m * n - 1 >= 0" gives "sum d0" {
// CHECK-NEXT:      weld.load %[[R]] "4096 * d0 + d1"
func.func @whole(%x: tensor<?x?xf32, #weld.dims<"m, n">>) -> tensor<f32> {
  %s = weld.generic over "m, n" gives "sum" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"m, n">>
    weld.yield %0 : f32
  } : tensor<f32>
  %v = weld.generic over "m, n" gives "sum" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"m, n">>
    %1 = weld.load %s "" : tensor<f32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.mul %2, %2 : f32
    weld.yield %3 : f32
  } : tensor<f32>
  func.return %v : tensor<f32>
}

// must not: the rows stay in cache
// CHECK-LABEL: func.func @short_rows
// CHECK-COUNT-2: weld.generic over "4, 16384"
// CHECK:         func.return
func.func @short_rows(%x: tensor<4x16384xf32>) -> tensor<4xf32> {
  %m = weld.generic over "4, 16384" gives "max d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x16384xf32>
    weld.yield %0 : f32
  } : tensor<4xf32>
  %s = weld.generic over "4, 16384" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x16384xf32>
    %1 = weld.load %m "d0" : tensor<4xf32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.exp %2 : f32
    weld.yield %3 : f32
  } : tensor<4xf32>
  func.return %s : tensor<4xf32>
}

// must not: nothing keeps this exponential from overflowing in a chunk, though it does not in the row
// REMARK:        [Missed] fuse: max -> sub+exp+sum | Category:fusion | {{.*}}Reason=reduction-result
// CHECK-LABEL: func.func @another_maximum
// CHECK-COUNT-2: weld.generic over "n"
// CHECK:         func.return
func.func @another_maximum(%x: tensor<?xf32, #weld.dims<"n">>, %y: tensor<?xf32, #weld.dims<"n">>) -> tensor<f32> {
  %m = weld.generic over "n" gives "max" {
    %0 = weld.load %y "d0" : tensor<?xf32, #weld.dims<"n">>
    weld.yield %0 : f32
  } : tensor<f32>
  %s = weld.generic over "n" gives "sum" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.load %m "" : tensor<f32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.exp %2 : f32
    weld.yield %3 : f32
  } : tensor<f32>
  func.return %s : tensor<f32>
}

// must not: an absolute value is no polynomial in the difference
// REMARK:        [Missed] fuse: sum -> sub+abs+sum | Category:fusion | {{.*}}Reason=reduction-result
// CHECK-LABEL: func.func @absolute
// CHECK-COUNT-2: weld.generic over "n"
// CHECK:         func.return
func.func @absolute(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<f32> {
  %s = weld.generic over "n" gives "sum" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    weld.yield %0 : f32
  } : tensor<f32>
  %v = weld.generic over "n" gives "sum" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.load %s "" : tensor<f32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.abs %2 : f32
    weld.yield %3 : f32
  } : tensor<f32>
  func.return %v : tensor<f32>
}

// must not: what the second walk writes is a result, so that there is a second walk anyway
// REMARK:        [Missed] fuse: max -> sub+exp+sum | Category:fusion | {{.*}}Reason=materialized-output
// CHECK-LABEL: func.func @returned
// CHECK-COUNT-2: weld.generic over "n"
// CHECK:         func.return
func.func @returned(%x: tensor<?xf32, #weld.dims<"n">>) -> (tensor<?xf32, #weld.dims<"n">>, tensor<f32>) {
  %m = weld.generic over "n" gives "max" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    weld.yield %0 : f32
  } : tensor<f32>
  %e, %s = weld.generic over "n" gives "write d0", "sum" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.load %m "" : tensor<f32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.exp %2 : f32
    weld.yield %3, %3 : f32, f32
  } : tensor<?xf32, #weld.dims<"n">>, tensor<f32>
  func.return %e, %s : tensor<?xf32, #weld.dims<"n">>, tensor<f32>
}

// decided for the expected sizes: long rows, and for which others that is right
// CHECK-LABEL: func.func @expected_long
// CHECK-SAME:    weld.assumed = #weld.dims<"4 * n - 65537">
// CHECK:         over "4, ((n + 4095) floordiv (4096)), 4096 if
// CHECK-LABEL: func.func @expected_short
// CHECK-SAME:    weld.assumed = #weld.dims<"-4 * n + 65536">
// CHECK-COUNT-2: weld.generic over "4, n"
// CHECK:         func.return
func.func @expected_long(%x: tensor<4x?xf32, #weld.dims<"4, n">>) -> tensor<4xf32> attributes {weld.expected = {n = 20000 : i64}} {
  %m = weld.generic over "4, n" gives "max d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x?xf32, #weld.dims<"4, n">>
    weld.yield %0 : f32
  } : tensor<4xf32>
  %s = weld.generic over "4, n" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x?xf32, #weld.dims<"4, n">>
    %1 = weld.load %m "d0" : tensor<4xf32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.exp %2 : f32
    weld.yield %3 : f32
  } : tensor<4xf32>
  func.return %s : tensor<4xf32>
}
func.func @expected_short(%x: tensor<4x?xf32, #weld.dims<"4, n">>) -> tensor<4xf32> attributes {weld.expected = {n = 2000 : i64}} {
  %m = weld.generic over "4, n" gives "max d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x?xf32, #weld.dims<"4, n">>
    weld.yield %0 : f32
  } : tensor<4xf32>
  %s = weld.generic over "4, n" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x?xf32, #weld.dims<"4, n">>
    %1 = weld.load %m "d0" : tensor<4xf32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.exp %2 : f32
    weld.yield %3 : f32
  } : tensor<4xf32>
  func.return %s : tensor<4xf32>
}

// must not: the sum that the differences are from is of values that wait for the maximum; a chunk has no part of it
// CHECK-LABEL: func.func @no_part
// CHECK:         weld.generic over "n" gives "sum" {
// CHECK-NEXT:      weld.load %d "d0"
// CHECK:         func.return
func.func @no_part(%x: tensor<?xf32, #weld.dims<"n">>) -> (tensor<f32>, tensor<?xf32, #weld.dims<"n">>) {
  %m = weld.generic over "n" gives "max" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    weld.yield %0 : f32
  } : tensor<f32>
  %d = weld.generic over "n" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.load %m "" : tensor<f32>
    %2 = weld.sub %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  %s = weld.generic over "n" gives "sum" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.load %m "" : tensor<f32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.exp %2 : f32
    weld.yield %3 : f32
  } : tensor<f32>
  %q = weld.generic over "n" gives "sum" {
    %0 = weld.load %d "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.exp %0 : f32
    %2 = weld.load %s "" : tensor<f32>
    %3 = weld.sub %1, %2 : f32
    %4 = weld.mul %3, %3 : f32
    weld.yield %4 : f32
  } : tensor<f32>
  func.return %q, %d : tensor<f32>, tensor<?xf32, #weld.dims<"n">>
}

// must not: chunks of columns would be read in long steps; each reduction has the exponentials for itself
// REMARK:        [Missed] fuse: max -> sub+exp+sum | Category:fusion | {{.*}}Reason=long-steps
// CHECK-LABEL: func.func @columns
// CHECK-NEXT:    weld.generic over "65536, 256" gives "max d1" {
// CHECK:         weld.generic over "65536, 256" gives "sum d1" {
// CHECK:           weld.exp
// CHECK:         weld.generic over "65536, 256" gives "write d0, d1" {
// CHECK:           weld.exp
// CHECK:         func.return
func.func @columns(%x: tensor<65536x256xf32>) -> tensor<65536x256xf32> {
  %m = weld.generic over "65536, 256" gives "max d1" {
    %0 = weld.load %x "d0, d1" : tensor<65536x256xf32>
    weld.yield %0 : f32
  } : tensor<256xf32>
  %e, %s = weld.generic over "65536, 256" gives "write d0, d1", "sum d1" {
    %0 = weld.load %x "d0, d1" : tensor<65536x256xf32>
    %1 = weld.load %m "d1" : tensor<256xf32>
    %2 = weld.sub %0, %1 : f32
    %3 = weld.exp %2 : f32
    weld.yield %3, %3 : f32, f32
  } : tensor<65536x256xf32>, tensor<256xf32>
  %y = weld.generic over "65536, 256" gives "write d0, d1" {
    %0 = weld.load %e "d0, d1" : tensor<65536x256xf32>
    %1 = weld.load %s "d1" : tensor<256xf32>
    %2 = weld.div %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<65536x256xf32>
  func.return %y : tensor<65536x256xf32>
}
