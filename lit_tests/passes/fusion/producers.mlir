// RUN: loopweld-opt %s -p fuse-producers,absorb-reductions | filecheck %s
// A fixed point: a second run changes nothing.
// RUN: loopweld-opt %s -p fuse-producers,absorb-reductions,fuse-producers,absorb-reductions | filecheck %s
// Each refusal has its reason.
// RUN: loopweld-opt %s -p fuse-producers,absorb-reductions --remarks-filter=Missed 2>&1 | filecheck %s --check-prefix=MISSED

// fuses: an elementwise value that one op uses
// CHECK-LABEL: func.func @chain
// CHECK-NEXT:    weld.generic over "8" gives "write d0" {
// CHECK-NEXT:      weld.load %x "d0"
// CHECK-NEXT:      weld.exp
// CHECK-NEXT:      weld.neg
// CHECK-NEXT:      weld.yield
// CHECK-NEXT:    } : tensor<8xf32>
// CHECK-NEXT:    func.return
func.func @chain(%x: tensor<8xf32>) -> tensor<8xf32> {
  %a = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<8xf32>
  %b = weld.generic over "8" gives "write d0" {
    %0 = weld.load %a "d0" : tensor<8xf32>
    %1 = weld.neg %0 : f32
    weld.yield %1 : f32
  } : tensor<8xf32>
  func.return %b : tensor<8xf32>
}

// fuses: positions, which every consumer counts itself: no loop writes them for the others
// CHECK-LABEL: func.func @positions
// CHECK-NEXT:    weld.generic over "4, 8" gives "sum d0" {
// CHECK-NEXT:      weld.index "d0"
// CHECK:         weld.generic over "4, 8" gives "sum d0" {
// CHECK-NEXT:      weld.index "d0"
// CHECK-NOT:     weld.generic
// CHECK:         func.return
func.func @positions(%x: tensor<8xi64>, %y: tensor<8xi64>) -> (tensor<4xi64>, tensor<4xi64>) {
  %n = weld.generic over "4, 8" gives "write d0, d1" {
    %0 = weld.index "d0"
    weld.yield %0 : i64
  } : tensor<4x8xi64>
  %a = weld.generic over "4, 8" gives "sum d0" {
    %0 = weld.load %n "d0, d1" : tensor<4x8xi64>
    %1 = weld.load %x "d1" : tensor<8xi64>
    %2 = weld.mul %0, %1 : i64
    weld.yield %2 : i64
  } : tensor<4xi64>
  %b = weld.generic over "4, 8" gives "sum d0" {
    %0 = weld.load %n "d0, d1" : tensor<4x8xi64>
    %1 = weld.load %y "d1" : tensor<8xi64>
    %2 = weld.mul %0, %1 : i64
    weld.yield %2 : i64
  } : tensor<4xi64>
  func.return %a, %b : tensor<4xi64>, tensor<4xi64>
}

// fuses: at the consumer's access, under its guard
// CHECK-LABEL: func.func @through_an_access
// CHECK-NEXT:    weld.generic over "4" gives "write d0" {
// CHECK-NEXT:      weld.load %x "-2 * d0 + 7 if d0 - 1 >= 0"
// CHECK-NEXT:      %[[VALUE:.*]] = weld.cos
// CHECK:           weld.select %{{.*}}, %[[VALUE]], %{{.*}}
// CHECK-NOT:     weld.generic
// CHECK:         func.return
func.func @through_an_access(%x: tensor<8xf32>) -> tensor<4xf32> {
  %a = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "7 - d0" : tensor<8xf32>
    %1 = weld.cos %0 : f32
    weld.yield %1 : f32
  } : tensor<8xf32>
  %b = weld.generic over "4" gives "write d0" {
    %0 = weld.load %a "2 * d0 if d0 - 1 >= 0" : tensor<8xf32>
    %1 = weld.inside "d0 - 1 >= 0"
    %2 = weld.constant 5.0 : f32
    %3 = weld.select %1, %0, %2 : (i1, f32, f32) -> f32
    weld.yield %3 : f32
  } : tensor<4xf32>
  func.return %b : tensor<4xf32>
}

// fuses: what selects choose under the guards needs no select of its own, though each tests another guard
// CHECK-LABEL: func.func @chosen_under_the_guards
// CHECK-NEXT:    weld.generic over "9" gives "write d0" {
// CHECK-COUNT-2:   weld.select
// CHECK-NOT:       weld.select
// CHECK:         func.return
func.func @chosen_under_the_guards(%x: tensor<9xf32>, %y: tensor<9xf32>) -> tensor<9xf32> {
  %a = weld.generic over "9" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<9xf32>
    %1 = weld.cos %0 : f32
    weld.yield %1 : f32
  } : tensor<9xf32>
  %b = weld.generic over "9" gives "write d0" {
    %0 = weld.load %a "d0 if d0 - 3 >= 0 and -d0 + 5 >= 0" : tensor<9xf32>
    %1 = weld.load %y "d0" : tensor<9xf32>
    %2 = weld.add %0, %1 : f32
    %3 = weld.inside "-d0 + 5 >= 0"
    %4 = weld.select %3, %2, %1 : (i1, f32, f32) -> f32
    %5 = weld.inside "-d0 + 2 >= 0"
    %6 = weld.select %5, %1, %4 : (i1, f32, f32) -> f32
    weld.yield %6 : f32
  } : tensor<9xf32>
  func.return %b : tensor<9xf32>
}

// fuses: of a join only the piece that the guards let through, or the loop itself does
// CHECK-LABEL: func.func @one_piece
// CHECK-NEXT:    weld.generic over "4" gives "write d0" {
// CHECK-NOT:       weld.cos
// CHECK:           weld.sin
// CHECK-NOT:       weld.select
// CHECK:           weld.cos
// CHECK-NOT:       weld.sin
// CHECK:           weld.select
// CHECK-NOT:       weld.select
// CHECK:         func.return
func.func @one_piece(%x: tensor<9xf32>) -> tensor<4xf32> {
  %a = weld.generic over "9" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<9xf32>
    %1 = weld.cos %0 : f32
    %2 = weld.sin %0 : f32
    %3 = weld.inside "-d0 + 5 >= 0"
    %4 = weld.select %3, %2, %1 : (i1, f32, f32) -> f32
    weld.yield %4 : f32
  } : tensor<9xf32>
  %b = weld.generic over "4" gives "write d0" {
    %0 = weld.load %a "d0 if -d0 + 1 >= 0" : tensor<9xf32>
    %1 = weld.load %a "d0 + 4 if d0 - 2 >= 0" : tensor<9xf32>
    %2 = weld.inside "d0 - 2 >= 0"
    %3 = weld.select %2, %1, %0 : (i1, f32, f32) -> f32
    weld.yield %3 : f32
  } : tensor<4xf32>
  func.return %b : tensor<4xf32>
}

// fuses: but a use where a guard fails sees 0 there
// CHECK-LABEL: func.func @chosen_under_one_guard
// CHECK-NEXT:    weld.generic over "9" gives "write d0" {
// CHECK:           weld.inside "d0 - 3 >= 0 and -d0 + 5 >= 0"
// CHECK-COUNT-2:   weld.select
// CHECK:         func.return
func.func @chosen_under_one_guard(%x: tensor<9xf32>, %y: tensor<9xf32>) -> tensor<9xf32> {
  %a = weld.generic over "9" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<9xf32>
    %1 = weld.cos %0 : f32
    weld.yield %1 : f32
  } : tensor<9xf32>
  %b = weld.generic over "9" gives "write d0" {
    %0 = weld.load %a "d0 if d0 - 3 >= 0 and -d0 + 5 >= 0" : tensor<9xf32>
    %1 = weld.load %y "d0" : tensor<9xf32>
    %2 = weld.add %0, %1 : f32
    %3 = weld.inside "-d0 + 5 >= 0"
    %4 = weld.select %3, %2, %1 : (i1, f32, f32) -> f32
    weld.yield %4 : f32
  } : tensor<9xf32>
  func.return %b : tensor<9xf32>
}

// fuses: into a reduction; a value that the function returns stays a result of the same loop
// CHECK-LABEL: func.func @kept_as_a_second_result
// CHECK-NEXT:    %[[A:.*]], %[[S:.*]] = weld.generic over "4, 8" gives "write d0, d1", "sum d0" {
// CHECK-NEXT:      weld.load %x "d0, d1"
// CHECK-NEXT:      %[[E:.*]] = weld.exp
// CHECK-NEXT:      weld.yield %[[E]], %[[E]]
// CHECK-NOT:     weld.generic
// CHECK:         func.return %[[A]], %[[S]]
func.func @kept_as_a_second_result(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4xf32>) {
  %a = weld.generic over "4, 8" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<4x8xf32>
  %s = weld.generic over "4, 8" gives "sum d0" {
    %0 = weld.load %a "d0, d1" : tensor<4x8xf32>
    weld.yield %0 : f32
  } : tensor<4xf32>
  func.return %a, %s : tensor<4x8xf32>, tensor<4xf32>
}

// fuses: over one domain the dims may be in another order
// CHECK-LABEL: func.func @transposed
// CHECK-NEXT:    %[[A:.*]], %[[S:.*]] = weld.generic over "8, 4" gives "write d1, d0", "sum d0" {
// CHECK-NEXT:      weld.load %x "d1, d0"
// CHECK-NOT:     weld.generic
// CHECK:         func.return %[[A]], %[[S]]
func.func @transposed(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<8xf32>) {
  %a = weld.generic over "4, 8" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<4x8xf32>
  %s = weld.generic over "8, 4" gives "sum d0" {
    %0 = weld.load %a "d1, d0" : tensor<4x8xf32>
    weld.yield %0 : f32
  } : tensor<8xf32>
  func.return %a, %s : tensor<4x8xf32>, tensor<8xf32>
}

// fuses: what is cheap, into each of its users
// CHECK-LABEL: func.func @cheap_for_two_users
// CHECK-COUNT-2: weld.add
// CHECK-NOT:     weld.add
// CHECK:         func.return
func.func @cheap_for_two_users(%x: tensor<8xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %a = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.add %0, %0 : f32
    weld.yield %1 : f32
  } : tensor<8xf32>
  %b = weld.generic over "4" gives "write d0" {
    %0 = weld.load %a "d0" : tensor<8xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<4xf32>
  %c = weld.generic over "4" gives "write d0" {
    %0 = weld.load %a "d0 + 4" : tensor<8xf32>
    %1 = weld.sin %0 : f32
    weld.yield %1 : f32
  } : tensor<4xf32>
  func.return %b, %c : tensor<4xf32>, tensor<4xf32>
}

// must not fuse: what is expensive would be computed once a row
// MISSED:        producers.mlir:{{[0-9]+:[0-9]+}}: remark: [Missed] fuse: exp -> add | Category:fusion | BytesAtStake=64, Reason=recomputes-expensive
// CHECK-LABEL: func.func @expensive_for_every_row
// CHECK-COUNT-2: weld.generic
// CHECK-NOT:     weld.generic
// CHECK:         func.return
func.func @expensive_for_every_row(%x: tensor<8xf32>, %y: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %a = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<8xf32>
  %b = weld.generic over "4, 8" gives "write d0, d1" {
    %0 = weld.load %y "d0, d1" : tensor<4x8xf32>
    %1 = weld.load %a "d1" : tensor<8xf32>
    %2 = weld.add %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<4x8xf32>
  func.return %b : tensor<4x8xf32>
}

// must not fuse: a reduction is complete only after its loop
// MISSED:        [Missed] fuse: sum -> sub | Category:fusion | BytesAtStake=32, Reason=reduction-result
// CHECK-LABEL: func.func @reduction_result
// CHECK-COUNT-2: weld.generic
// CHECK-NOT:     weld.generic
// CHECK:         func.return
func.func @reduction_result(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %s = weld.generic over "4, 8" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
    weld.yield %0 : f32
  } : tensor<4xf32>
  %y = weld.generic over "4, 8" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
    %1 = weld.load %s "d0" : tensor<4xf32>
    %2 = weld.sub %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<4x8xf32>
  func.return %y : tensor<4x8xf32>
}

// must not fuse: a scatter is complete only after all its updates
// MISSED:        [Missed] fuse: scatter_add -> exp | Category:fusion | BytesAtStake=40, Reason=scatter-result
// CHECK-LABEL: func.func @scatter_result
// CHECK-COUNT-2: weld.generic
// CHECK-NOT:     weld.generic
// CHECK:         func.return
func.func @scatter_result(%x: tensor<5xf32>, %u: tensor<3xf32>, %i: tensor<3xi64>) -> tensor<5xf32> {
  %a = weld.generic over "3" gives "scatter_add i0" from %x {
    %0 = weld.load %u "d0" : tensor<3xf32>
    %1 = weld.load %i "d0" : tensor<3xi64>
    %2 = weld.constant 1 : i1
    weld.yield %0, %2, %1 : f32, i1, i64
  } : tensor<5xf32>
  %y = weld.generic over "5" gives "write d0" {
    %0 = weld.load %a "d0" : tensor<5xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<5xf32>
  func.return %y : tensor<5xf32>
}

// fuses: the element that a guard lets through is the one that every point needs
// CHECK-LABEL: func.func @guarded_and_not
// CHECK:           weld.exp
// CHECK-NOT:       weld.exp
// CHECK:           weld.inside "d0 - 3 >= 0"
// CHECK:           weld.select
// CHECK-NOT:     weld.generic
// CHECK:         func.return
func.func @guarded_and_not(%x: tensor<8xf32>) -> tensor<8xf32> {
  %a = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<8xf32>
  %y = weld.generic over "8" gives "write d0" {
    %0 = weld.load %a "d0 if d0 - 3 >= 0" : tensor<8xf32>
    %1 = weld.load %a "d0" : tensor<8xf32>
    %2 = weld.mul %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<8xf32>
  func.return %y : tensor<8xf32>
}

// fuses: one element of a row is gathered, and computed where it is
// CHECK-LABEL: func.func @picked(
// CHECK-NEXT:    weld.generic over "4" gives "write d0" {
// CHECK:           %[[I:.*]] = weld.load %i "d0"
// CHECK:           %[[T:.*]] = weld.load %t, %in "d0" : tensor<4xi64>
// CHECK:           weld.load %x, %[[T]], %[[I]], %in "i0, i1" : tensor<9x8xf32>
// CHECK:           weld.exp
// CHECK-NOT:     weld.generic
// CHECK:         func.return
func.func @picked(%x: tensor<9x8xf32>, %t: tensor<4xi64>, %i: tensor<4xi64>) -> tensor<4xf32> {
  %a = weld.generic over "4, 8" gives "write d0, d1" {
    %0 = weld.load %t "d0" : tensor<4xi64>
    %1 = weld.load %x, %0 "i0, d1" : tensor<9x8xf32>
    %2 = weld.exp %1 : f32
    weld.yield %2 : f32
  } : tensor<4x8xf32>
  %y = weld.generic over "4" gives "write d0" {
    %0 = weld.load %i "d0" : tensor<4xi64>
    %zero = weld.constant 0 : i64
    %in = weld.ge %0, %zero : i64
    %1 = weld.load %a, %0, %in "d0, i0" : tensor<4x8xf32>
    weld.yield %1 : f32
  } : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// fuses: a function of the index, which is a value here
// CHECK-LABEL: func.func @picked_index(
// CHECK:           %[[I:.*]] = weld.load %i "d0"
// CHECK:           %[[TWO:.*]] = weld.index "2"
// CHECK:           %[[M:.*]] = weld.mul %[[I]], %[[TWO]]
// CHECK:           %[[D:.*]] = weld.index "d0"
// CHECK:           weld.add %[[D]], %[[M]]
// CHECK-NOT:     weld.generic
// CHECK:         func.return
func.func @picked_index(%i: tensor<4xi64>) -> tensor<4xi64> {
  %a = weld.generic over "4, 8" gives "write d0, d1" {
    %0 = weld.index "2 * d1 + d0"
    weld.yield %0 : i64
  } : tensor<4x8xi64>
  %y = weld.generic over "4" gives "write d0" {
    %0 = weld.load %i "d0" : tensor<4xi64>
    %zero = weld.constant 0 : i64
    %in = weld.ge %0, %zero : i64
    %1 = weld.load %a, %0, %in "d0, i0" : tensor<4x8xi64>
    weld.yield %1 : i64
  } : tensor<4xi64>
  func.return %y : tensor<4xi64>
}

// fuses: a gather through a pad tests where the pad is
// CHECK-LABEL: func.func @padded(
// CHECK-NEXT:    weld.generic over "m" gives "write d0" {
// CHECK-NEXT:      %[[I:.*]] = weld.load %i "d0"
// CHECK:           %[[LEFT:.*]] = weld.add %{{.*}}, %[[I]]
// CHECK:           weld.ge %[[LEFT]]
// CHECK:           weld.ge
// CHECK:           %[[IN:.*]] = weld.and
// CHECK:           %[[X:.*]] = weld.load %x, %[[I]], %[[IN]] "i0 - 1"
// CHECK:           weld.select %{{.*}}, %[[X]],
// CHECK-NOT:     weld.generic
// CHECK:         func.return
func.func @padded(%x: tensor<8xf32>, %i: tensor<?xi64, #weld.dims<"m">>) -> tensor<?xf32, #weld.dims<"m">> {
  %a = weld.generic over "10" gives "write d0" {
    %0 = weld.load %x "d0 - 1 if d0 - 1 >= 0 and 8 - d0 >= 0" : tensor<8xf32>
    %1 = weld.inside "d0 - 1 >= 0 and 8 - d0 >= 0"
    %2 = weld.constant 7.0 : f32
    %3 = weld.select %1, %0, %2 : (i1, f32, f32) -> f32
    weld.yield %3 : f32
  } : tensor<10xf32>
  %y = weld.generic over "m" gives "write d0" {
    %0 = weld.load %i "d0" : tensor<?xi64, #weld.dims<"m">>
    %1 = weld.load %a, %0 "i0" : tensor<10xf32>
    weld.yield %1 : f32
  } : tensor<?xf32, #weld.dims<"m">>
  func.return %y : tensor<?xf32, #weld.dims<"m">>
}

// must not fuse: a quotient of the index
// CHECK-LABEL: func.func @picked_quotient(
// CHECK-COUNT-2: weld.generic
// CHECK:         func.return
func.func @picked_quotient(%i: tensor<4xi64>) -> tensor<4xi64> {
  %a = weld.generic over "4, 8" gives "write d0, d1" {
    %0 = weld.index "d1 floordiv 3"
    weld.yield %0 : i64
  } : tensor<4x8xi64>
  %y = weld.generic over "4" gives "write d0" {
    %0 = weld.load %i "d0" : tensor<4xi64>
    %zero = weld.constant 0 : i64
    %in = weld.ge %0, %zero : i64
    %1 = weld.load %a, %0, %in "d0, i0" : tensor<4x8xi64>
    weld.yield %1 : i64
  } : tensor<4xi64>
  func.return %y : tensor<4xi64>
}

// fuses: only the elements that are gathered are computed; an index without a test is promised to be in range
// CHECK-LABEL: func.func @gathered
// CHECK-NEXT:    weld.generic over "3" gives "write d0" {
// CHECK-NEXT:      %[[AT:.*]] = weld.load %i "d0"
// CHECK-NEXT:      %[[X:.*]] = weld.load %x, %[[AT]] "i0" : tensor<8xf32>
// CHECK-NEXT:      weld.exp %[[X]]
// CHECK-NOT:     weld.generic
// CHECK:         func.return
func.func @gathered(%x: tensor<8xf32>, %i: tensor<3xi64>) -> tensor<3xf32> {
  %a = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<8xf32>
  %y = weld.generic over "3" gives "write d0" {
    %0 = weld.load %i "d0" : tensor<3xi64>
    %1 = weld.load %a, %0 "i0" : tensor<8xf32>
    weld.yield %1 : f32
  } : tensor<3xf32>
  func.return %y : tensor<3xf32>
}

// must not fuse: the value is returned, and read back where it is not the loop's own element
// MISSED:        [Missed] fuse: exp -> neg | Category:fusion | BytesAtStake=64, Reason=materialized-output
// CHECK-LABEL: func.func @returned
// CHECK-COUNT-2: weld.generic
// CHECK-NOT:     weld.generic
// CHECK:         func.return
func.func @returned(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %a = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<8xf32>
  %b = weld.generic over "8" gives "write d0" {
    %0 = weld.load %a "7 - d0" : tensor<8xf32>
    %1 = weld.neg %0 : f32
    weld.yield %1 : f32
  } : tensor<8xf32>
  func.return %a, %b : tensor<8xf32>, tensor<8xf32>
}

// must not fuse: the sum of what is divided by it needs the whole of it first
// MISSED:        [Missed] fuse: sum -> div | Category:fusion | {{.*}}Reason=reduction-result
// MISSED:        [Missed] fuse: {{.*}} -> div | Category:fusion | {{.*}}Reason=materialized-output
// CHECK-LABEL: func.func @divided_by_its_sum
// CHECK-NEXT:    %[[A:.*]], %[[S:.*]] = weld.generic over "8" gives "write d0", "sum" {
// CHECK:         %[[B:.*]] = weld.generic over "8" gives "write d0" {
// CHECK-NEXT:      weld.load %[[A]] "d0"
// CHECK-NEXT:      weld.load %[[S]] ""
// CHECK-NOT:     weld.generic
// CHECK:         func.return %[[A]], %[[B]]
func.func @divided_by_its_sum(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %a = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<8xf32>
  %s = weld.generic over "8" gives "sum" {
    %0 = weld.load %a "d0" : tensor<8xf32>
    weld.yield %0 : f32
  } : tensor<f32>
  %b = weld.generic over "8" gives "write d0" {
    %0 = weld.load %a "d0" : tensor<8xf32>
    %1 = weld.load %s "" : tensor<f32>
    %2 = weld.div %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<8xf32>
  func.return %a, %b : tensor<8xf32>, tensor<8xf32>
}

// fuses: a scalar that several pieces of a join need is computed once, at every point, and chosen where it is asked for
// CHECK-LABEL: func.func @scalar_of_two_pieces
// CHECK:         weld.generic over "4" gives "write d0" {
// CHECK-NEXT:      %[[X:.*]] = weld.load %x "0" : tensor<4xf32>
// CHECK-NEXT:      %[[E:.*]] = weld.exp %[[X]]
// CHECK-NEXT:      %[[I:.*]] = weld.inside "-d0 >= 0"
// CHECK-NEXT:      %[[N:.*]] = weld.neg %[[E]]
// CHECK-NEXT:      weld.select %[[I]], %[[E]], %[[N]]
// CHECK-NEXT:      weld.yield
// CHECK-NOT:     weld.generic
func.func @scalar_of_two_pieces(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = weld.generic over "" gives "write" {
    %0 = weld.load %x "0" : tensor<4xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<f32>
  %b = weld.generic over "4" gives "write d0" {
    %0 = weld.inside "-d0 >= 0"
    %1 = weld.load %a " if -d0 >= 0" : tensor<f32>
    %2 = weld.load %a " if d0 - 1 >= 0" : tensor<f32>
    %3 = weld.neg %2 : f32
    %4 = weld.select %0, %1, %3 : (i1, f32, f32) -> f32
    weld.yield %4 : f32
  } : tensor<4xf32>
  func.return %b : tensor<4xf32>
}
