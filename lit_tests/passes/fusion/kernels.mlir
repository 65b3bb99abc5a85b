// RUN: loopweld-opt %s --verify-each -p form-kernels | filecheck %s
// RUN: loopweld-opt %s -p "form-kernels{choice=never}" | filecheck %s --check-prefix=ALONE
// RUN: loopweld-opt %s -p form-kernels --remarks-filter=. 2>&1 | filecheck %s --check-prefix=REMARK
// RUN: loopweld-opt %s -p "form-kernels{max-streams=2}" --remarks-filter=. 2>&1 | filecheck %s --check-prefix=STREAMS
// Formed once, kernels stay as they are.
// RUN: loopweld-opt %s -p form-kernels,form-kernels | filecheck %s
// RUN: loopweld-opt %s -p form-kernels | loopweld-opt -p form-kernels | filecheck %s

// joins: the row's result is needed in the same row
// REMARK:        [Passed] fuse: max -> sub | Category:fusion | {{.*}}Reason=row-result
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
// REMARK:        [Passed] fuse: sum -> sqrt | Category:fusion | {{.*}}Reason=small-epilogue
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

// joins: a value a column is computed once before the rows, and does not choose the outer loop
// REMARK:        [Passed] fuse: log -> add+max | Category:fusion | {{.*}}Reason=small-prologue
// CHECK-LABEL: func.func @prologue
// CHECK-NEXT:    weld.kernel @{{.*}} outer 1 before 1 after 0 {
// CHECK-NEXT:      %[[L:.*]] = weld.generic over "3" gives "write d0" {
// CHECK:           weld.generic over "n, 3" gives "write d0, d1", "max d0" {
// CHECK:             weld.load %[[L]] "d1"
// CHECK:           weld.generic over "n, 3" gives "sum d1" {
// CHECK-NOT:     weld.kernel
// CHECK:         func.return
func.func @prologue(%x: tensor<?x3xf32, #weld.dims<"n, 3">>, %w: tensor<3xf32>) -> tensor<3xf32> {
  %l = weld.generic over "3" gives "write d0" {
    %0 = weld.load %w "d0" : tensor<3xf32>
    %1 = weld.log %0 : f32
    weld.yield %1 : f32
  } : tensor<3xf32>
  %t, %m = weld.generic over "n, 3" gives "write d0, d1", "max d0" {
    %0 = weld.load %x "d0, d1" : tensor<?x3xf32, #weld.dims<"n, 3">>
    %1 = weld.load %l "d1" : tensor<3xf32>
    %2 = weld.add %0, %1 : f32
    weld.yield %2, %2 : f32, f32
  } : tensor<?x3xf32, #weld.dims<"n, 3">>, tensor<?xf32, #weld.dims<"n">>
  %s = weld.generic over "n, 3" gives "sum d1" {
    %0 = weld.load %t "d0, d1" : tensor<?x3xf32, #weld.dims<"n, 3">>
    %1 = weld.load %m "d0" : tensor<?xf32, #weld.dims<"n">>
    %2 = weld.sub %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<3xf32>
  func.return %s : tensor<3xf32>
}

// joins: a value a row is computed inside the loop over the rows
// CHECK-LABEL: func.func @value_a_row
// CHECK-NEXT:    weld.kernel @{{.*}} outer 1 after 0 {
// CHECK-NEXT:      weld.generic over "n" gives "write d0" {
// CHECK:           weld.generic over "n, m" gives "write d0, d1" {
func.func @value_a_row(
  %x: tensor<?x?xf32, #weld.dims<"n, m">>, %w: tensor<?xf32, #weld.dims<"n">>
) -> tensor<?x?xf32, #weld.dims<"n, m">> {
  %l = weld.generic over "n" gives "write d0" {
    %0 = weld.load %w "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.neg %0 : f32
    weld.yield %1 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  %y = weld.generic over "n, m" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"n, m">>
    %1 = weld.load %l "d0" : tensor<?xf32, #weld.dims<"n">>
    %2 = weld.add %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<?x?xf32, #weld.dims<"n, m">>
  func.return %y : tensor<?x?xf32, #weld.dims<"n, m">>
}

// joins: an expensive one is computed before them, with a full vector
// CHECK-LABEL: func.func @expensive_value_a_row
// CHECK-NEXT:    weld.kernel @{{.*}} outer 0 before 1 after 0 {
// CHECK-NEXT:      weld.generic over "n" gives "write d0" {
// CHECK:           weld.generic over "n, m" gives "write d0, d1" {
func.func @expensive_value_a_row(
  %x: tensor<?x?xf32, #weld.dims<"n, m">>, %w: tensor<?xf32, #weld.dims<"n">>
) -> tensor<?x?xf32, #weld.dims<"n, m">> {
  %l = weld.generic over "n" gives "write d0" {
    %0 = weld.load %w "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.log %0 : f32
    weld.yield %1 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  %y = weld.generic over "n, m" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"n, m">>
    %1 = weld.load %l "d0" : tensor<?xf32, #weld.dims<"n">>
    %2 = weld.add %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<?x?xf32, #weld.dims<"n, m">>
  func.return %y : tensor<?x?xf32, #weld.dims<"n, m">>
}

// joins: the index of each row is checked and used in the same iteration
// REMARK:        [Passed] fuse: lt+any -> copy | Category:fusion | {{.*}}Reason=shared-input
// CHECK-LABEL: func.func @checked_rows
// CHECK-NEXT:    weld.kernel @{{.*}} outer 1 after 0 {
// CHECK-NEXT:      weld.generic over "n" gives "any" {
// CHECK:           weld.generic over "n, m" gives "write d0, d1" {
// CHECK-NOT:     weld.kernel
// CHECK:         weld.check
func.func @checked_rows(
  %x: tensor<?x?xf32, #weld.dims<"k, m">>, %i: tensor<?xi64, #weld.dims<"n">>
) -> tensor<?x?xf32, #weld.dims<"n, m">> {
  %bad = weld.generic over "n" gives "any" {
    %0 = weld.load %i "d0" : tensor<?xi64, #weld.dims<"n">>
    %1 = weld.constant 0 : i64
    %2 = weld.lt %0, %1 : i64
    weld.yield %2 : i1
  } : tensor<i1>
  weld.check %bad "out of bounds" "IndexError" : tensor<i1>
  %y = weld.generic over "n, m" gives "write d0, d1" {
    %0 = weld.load %i "d0" : tensor<?xi64, #weld.dims<"n">>
    %1 = weld.load %x, %0 "i0, d1" : tensor<?x?xf32, #weld.dims<"k, m">>
    weld.yield %1 : f32
  } : tensor<?x?xf32, #weld.dims<"n, m">>
  func.return %y : tensor<?x?xf32, #weld.dims<"n, m">>
}

// joins: the table of groups that a scatter starts from, and the sum of all, run before the loop over the data
// REMARK:        [Passed] fuse: neg+mul+sum -> scatter_add+sum | Category:fusion | {{.*}}Reason=small-prologue
// REMARK:        [Passed] fuse: neg+mul+sum -> add | Category:fusion | {{.*}}Reason=small-epilogue
// CHECK-LABEL: func.func @groups
// CHECK-NEXT:    weld.kernel @{{.*}} outer 0 before 1 after 1 {
// CHECK-NEXT:      %[[A:.*]], %{{.*}} = weld.generic over "g" gives "write d0", "sum" {
// CHECK:           weld.generic over "n" gives "scatter_add i0", "sum" from %[[A]] {
// CHECK:           weld.generic over "" gives "write" {
// CHECK-NOT:     weld.kernel
// CHECK:         func.return
func.func @groups(
  %a: tensor<?xf32, #weld.dims<"g">>, %i: tensor<?xi64, #weld.dims<"n">>, %x: tensor<?xf32, #weld.dims<"n">>
) -> (tensor<?xf32, #weld.dims<"g">>, tensor<f32>) {
  %n, %p = weld.generic over "g" gives "write d0", "sum" {
    %0 = weld.load %a "d0" : tensor<?xf32, #weld.dims<"g">>
    %1 = weld.neg %0 : f32
    %2 = weld.mul %0, %0 : f32
    weld.yield %1, %2 : f32, f32
  } : tensor<?xf32, #weld.dims<"g">>, tensor<f32>
  %t, %s = weld.generic over "n" gives "scatter_add i0", "sum" from %n {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.load %i "d0" : tensor<?xi64, #weld.dims<"n">>
    %2 = weld.constant 1 : i1
    weld.yield %0, %2, %1, %0 : f32, i1, i64, f32
  } : tensor<?xf32, #weld.dims<"g">>, tensor<f32>
  %l = weld.generic over "" gives "write" {
    %0 = weld.load %p "" : tensor<f32>
    %1 = weld.load %s "" : tensor<f32>
    %2 = weld.add %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<f32>
  func.return %t, %l : tensor<?xf32, #weld.dims<"g">>, tensor<f32>
}

// joins: two norms over the same rows that share a weight
// REMARK:        [Passed] fuse: div+mul -> div+mul | Category:fusion | {{.*}}Reason=shared-input
// CHECK-LABEL: func.func @shared_weight
// CHECK-NEXT:    weld.kernel @{{.*}} outer 1 after 0 {
// CHECK-COUNT-4:   weld.generic over "n, m"
// CHECK-NOT:     weld.kernel
// CHECK:         func.return
func.func @shared_weight(
  %x: tensor<?x?xf32, #weld.dims<"n, m">>, %y: tensor<?x?xf32, #weld.dims<"n, m">>, %g: tensor<?xf32, #weld.dims<"m">>
) -> (tensor<?x?xf32, #weld.dims<"n, m">>, tensor<?x?xf32, #weld.dims<"n, m">>) {
  %s = weld.generic over "n, m" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"n, m">>
    weld.yield %0 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  %a = weld.generic over "n, m" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"n, m">>
    %1 = weld.load %s "d0" : tensor<?xf32, #weld.dims<"n">>
    %2 = weld.load %g "d1" : tensor<?xf32, #weld.dims<"m">>
    %3 = weld.div %0, %1 : f32
    %4 = weld.mul %3, %2 : f32
    weld.yield %4 : f32
  } : tensor<?x?xf32, #weld.dims<"n, m">>
  %t = weld.generic over "n, m" gives "sum d0" {
    %0 = weld.load %y "d0, d1" : tensor<?x?xf32, #weld.dims<"n, m">>
    weld.yield %0 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  %b = weld.generic over "n, m" gives "write d0, d1" {
    %0 = weld.load %y "d0, d1" : tensor<?x?xf32, #weld.dims<"n, m">>
    %1 = weld.load %t "d0" : tensor<?xf32, #weld.dims<"n">>
    %2 = weld.load %g "d1" : tensor<?xf32, #weld.dims<"m">>
    %3 = weld.div %0, %1 : f32
    %4 = weld.mul %3, %2 : f32
    weld.yield %4 : f32
  } : tensor<?x?xf32, #weld.dims<"n, m">>
  func.return %a, %b : tensor<?x?xf32, #weld.dims<"n, m">>, tensor<?x?xf32, #weld.dims<"n, m">>
}

// joins: the two producers of a small sum, which have nothing else in common
// REMARK:        [Passed] fuse: exp+sum -> add | Category:fusion | {{.*}}Reason=small-epilogue
// REMARK:        [Passed] fuse: log+sum -> add | Category:fusion | {{.*}}Reason=small-epilogue
// CHECK-LABEL: func.func @two_producers
// CHECK-NEXT:    weld.kernel @{{.*}} outer 1 after 1 {
// CHECK-COUNT-3:   weld.generic
// CHECK-NOT:     weld.kernel
// CHECK:         func.return
func.func @two_producers(
  %x: tensor<?x?xf32, #weld.dims<"n, m">>, %y: tensor<?x?xf32, #weld.dims<"n, m">>
) -> tensor<?xf32, #weld.dims<"m">> {
  %s = weld.generic over "n, m" gives "sum d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"n, m">>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<?xf32, #weld.dims<"m">>
  %t = weld.generic over "n, m" gives "sum d1" {
    %0 = weld.load %y "d0, d1" : tensor<?x?xf32, #weld.dims<"n, m">>
    %1 = weld.log %0 : f32
    weld.yield %1 : f32
  } : tensor<?xf32, #weld.dims<"m">>
  %r = weld.generic over "m" gives "write d0" {
    %0 = weld.load %s "d0" : tensor<?xf32, #weld.dims<"m">>
    %1 = weld.load %t "d0" : tensor<?xf32, #weld.dims<"m">>
    %2 = weld.add %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<?xf32, #weld.dims<"m">>
  func.return %r : tensor<?xf32, #weld.dims<"m">>
}

// must not join: rows of one and columns of the other would be the same loop
// REMARK:        [Missed] fuse: max -> sum | Category:fusion | {{.*}}Reason=no-shared-outer-dim
// CHECK-LABEL: func.func @rows_and_columns
// CHECK:         weld.kernel
// CHECK:         weld.kernel
// CHECK:         func.return
func.func @rows_and_columns(
  %x: tensor<?x?xf32, #weld.dims<"n, n">>
) -> (tensor<?x?xf32, #weld.dims<"n, n">>, tensor<?x?xf32, #weld.dims<"n, n">>) {
  %s = weld.generic over "n, n" gives "max d0" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"n, n">>
    weld.yield %0 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  %a = weld.generic over "n, n" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"n, n">>
    %1 = weld.load %s "d0" : tensor<?xf32, #weld.dims<"n">>
    %2 = weld.sub %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<?x?xf32, #weld.dims<"n, n">>
  %t = weld.generic over "n, n" gives "sum d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"n, n">>
    weld.yield %0 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  %b = weld.generic over "n, n" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"n, n">>
    %1 = weld.load %t "d1" : tensor<?xf32, #weld.dims<"n">>
    %2 = weld.sub %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<?x?xf32, #weld.dims<"n, n">>
  func.return %a, %b : tensor<?x?xf32, #weld.dims<"n, n">>, tensor<?x?xf32, #weld.dims<"n, n">>
}

// must not join: some elements of a row, when all rows are done, would need all rows to be stored
// REMARK:        [Missed] fuse: exp -> copy | Category:fusion | {{.*}}Reason=stores-rows
// CHECK-LABEL: func.func @elements_of_all_rows
// CHECK-COUNT-2: weld.kernel @{{.*}} outer 0 after 0 {
// CHECK:         func.return
func.func @elements_of_all_rows(
  %x: tensor<?x?xf32, #weld.dims<"n, m">>, %i: tensor<?xi64, #weld.dims<"n">>
) -> tensor<?xf32, #weld.dims<"n">> {
  %e = weld.generic over "n, m" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"n, m">>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<?x?xf32, #weld.dims<"n, m">>
  %y = weld.generic over "n" gives "write d0" {
    %0 = weld.load %i "d0" : tensor<?xi64, #weld.dims<"n">>
    %1 = weld.load %e, %0 "i0, 0" : tensor<?x?xf32, #weld.dims<"n, m">>
    weld.yield %1 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %y : tensor<?xf32, #weld.dims<"n">>
}

// must not join: a kernel of three needs the first op and gives to the last one, though none of the three does both
// REMARK:        [Missed] fuse: exp+sum -> sub | Category:fusion | {{.*}}Reason=dependency-cycle
// CHECK-LABEL: func.func @cycle_of_kernels
// CHECK-COUNT-3: weld.kernel
// CHECK:         func.return
func.func @cycle_of_kernels(%x: tensor<64x32xf32>, %z: tensor<96x48xf32>) -> (tensor<96x48xf32>, tensor<64x32xf32>) {
  %r, %t = weld.generic over "64, 32" gives "sum d0", "sum" {
    %0 = weld.load %x "d0, d1" : tensor<64x32xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1, %1 : f32, f32
  } : tensor<64xf32>, tensor<f32>
  %a = weld.generic over "96, 48" gives "write d0, d1" {
    %0 = weld.load %z "d0, d1" : tensor<96x48xf32>
    %1 = weld.load %t "" : tensor<f32>
    %2 = weld.mul %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<96x48xf32>
  %b, %u = weld.generic over "96, 48" gives "write d0, d1", "sum" {
    %0 = weld.load %z "d0, d1" : tensor<96x48xf32>
    %1 = weld.log %0 : f32
    weld.yield %1, %1 : f32, f32
  } : tensor<96x48xf32>, tensor<f32>
  %c = weld.generic over "96, 48" gives "write d0, d1" {
    %0 = weld.load %a "d0, d1" : tensor<96x48xf32>
    %1 = weld.load %b "d0, d1" : tensor<96x48xf32>
    %2 = weld.add %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<96x48xf32>
  %y = weld.generic over "64, 32" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<64x32xf32>
    %1 = weld.load %r "d0" : tensor<64xf32>
    %2 = weld.load %u "" : tensor<f32>
    %3 = weld.sub %0, %1 : f32
    %4 = weld.sub %3, %2 : f32
    weld.yield %4 : f32
  } : tensor<64x32xf32>
  func.return %c, %y : tensor<96x48xf32>, tensor<64x32xf32>
}

// must not join: each element needs the sum of all of them
// REMARK:        [Missed] fuse: sum -> div | Category:fusion | {{.*}}Reason=no-shared-outer-dim
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
// REMARK:        [Missed] fuse: sum -> sub | Category:fusion | {{.*}}Reason=no-shared-outer-dim
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
// REMARK:        [Missed] fuse: sum -> add | Category:fusion | {{.*}}Reason=dependency-cycle
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
// REMARK:        [Missed] fuse: exp+sum -> div | Category:fusion | {{.*}}Reason=row-too-large
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

// must not join: together they would read and write too many tensors
// STREAMS:       [Missed] fuse: add+sum -> sub | Category:fusion | {{.*}}Reason=too-many-streams
func.func @streams(%x: tensor<128x64xf32>, %y: tensor<128x64xf32>, %w: tensor<128x64xf32>) -> tensor<128x64xf32> {
  %s = weld.generic over "128, 64" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<128x64xf32>
    %1 = weld.load %y "d0, d1" : tensor<128x64xf32>
    %2 = weld.add %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<128xf32>
  %z = weld.generic over "128, 64" gives "write d0, d1" {
    %0 = weld.load %w "d0, d1" : tensor<128x64xf32>
    %1 = weld.load %s "d0" : tensor<128xf32>
    %2 = weld.sub %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<128x64xf32>
  func.return %z : tensor<128x64xf32>
}
