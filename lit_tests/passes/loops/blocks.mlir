// RUN: loopweld-opt %s --split-input-file --verify-each -p "form-kernels,lower-to-loops{vector-bits=512 blocks=64},annotate-alias-scopes" | filecheck %s
// RUN: loopweld-opt %s --split-input-file -p "form-kernels,lower-to-loops{vector-bits=512 blocks=64},annotate-alias-scopes" | loopweld-opt --split-input-file --verify-each | filecheck %s
// RUN: loopweld-opt %s --split-input-file -p "form-kernels,lower-to-loops{vector-bits=512 blocks=64 ordered=true}" | filecheck %s --check-prefix=ORDERED
// RUN: loopweld-opt %s --split-input-file -p "form-kernels,lower-to-loops{vector-bits=512}" | filecheck %s --check-prefix=WHOLE
// WHOLE-NOT: loop.parallel

// How many blocks there are depends on the size alone. They start at whole steps of the lanes; the last one has the rest.
// CHECK:       func.func private @k0_exp
// CHECK:         %[[COUNT:.*]] = loop.affine "{{.*}} + 1" %n
// CHECK-NEXT:    %[[WORK:.*]] = loop.affine "{{[0-9]+}} * n" %n
// CHECK-NEXT:    loop.parallel %[[B:.*]] of %[[COUNT]] work %[[WORK]] "d0" {
// CHECK:           %[[BEGIN:.*]] = loop.affine "32 * ((b * steps) floordiv (n))" %[[B]], %[[COUNT]], %{{.*}}
// CHECK:           %[[END:.*]] = loop.min %{{.*}}, %n
// CHECK:           loop.for %{{.*}} = %[[BEGIN]] to %[[STEPS:.*]] step 32 "d0" {
// CHECK:           loop.for %{{.*}} = %[[STEPS]] to %[[END]] step 16 "d0 rest" {
// CHECK:       func.func @main
func.func @main(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">> {
  %y = weld.generic over "n" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %y : tensor<?xf32, #weld.dims<"n">>
}

// -----

// What is known to be little work stays whole.
// CHECK:       func.func private @k0_exp
// CHECK-NOT:     loop.parallel
// CHECK:       func.func @main
func.func @main(%x: tensor<4096xf32>) -> tensor<4096xf32> {
  %y = weld.generic over "4096" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<4096xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<4096xf32>
  func.return %y : tensor<4096xf32>
}

// -----

// A sum of everything: the first block leaves its part in the result, the others on a cache line each. They are added
// up in float64, in order.
// CHECK:       loop.arena = ["3584 bytes"]
// CHECK:       func.func private @k0_sum(%x: !loop.buffer<f32>, %s: !loop.buffer<f32>, %[[PARTS:.*]]: !loop.buffer<f32>)
// CHECK:         %[[COUNT:.*]] = weld.constant 57 : i64
// CHECK:         loop.parallel %[[B:.*]] of %[[COUNT]] work %{{.*}} "d0" {
// CHECK:           %[[OWN:.*]] = loop.part %[[B]] of %s, %[[PARTS]][%{{.*}}] : !loop.buffer<f32>
// CHECK:           %[[S:.*]] = loop.reduce "sum"
// CHECK:           loop.store "set" %[[S]] to %[[OWN]][%{{.*}}] {scope = "[[SCOPE:.*]]", noalias = ["inputs"]}
// CHECK:         %[[MORE:.*]] = loop.affine "n - 1" %[[COUNT]]
// CHECK:         %[[FIRST:.*]] = loop.load %s[%{{.*}}] {scope = "[[SCOPE]]"
// CHECK-NEXT:    %[[START:.*]] = weld.cast %[[FIRST]] : (f32) -> f64
// CHECK:         %[[TOTAL:.*]] = loop.for %[[I:.*]] = %{{.*}} to %[[MORE]] step 1 iter (%[[ACC:.*]] = %[[START]]) "blocks" {
// CHECK:           %[[AT:.*]] = loop.affine "b * n + o" %[[I]]
// CHECK-NEXT:      %[[P:.*]] = loop.load %[[PARTS]][%[[AT]]] {scope = "[[SCOPE]]"
// CHECK-NEXT:      %[[WIDE:.*]] = weld.cast %[[P]] : (f32) -> f64
// CHECK-NEXT:      %[[NEXT:.*]] = weld.add %[[ACC]], %[[WIDE]] : f64
// CHECK-NEXT:      loop.yield %[[NEXT]] : f64
// CHECK:         %[[R:.*]] = weld.cast %[[TOTAL]] : (f64) -> f32
// CHECK-NEXT:    loop.store "set" %[[R]] to %s[%{{.*}}] {scope = "[[SCOPE]]"
func.func @main(%x: tensor<99999744xf32>) -> tensor<f32> {
  %s = weld.generic over "99999744" gives "sum" {
    %0 = weld.load %x "d0" : tensor<99999744xf32>
    weld.yield %0 : f32
  } : tensor<f32>
  func.return %s : tensor<f32>
}

// -----

// Sums of columns: a block has all of them for its rows. Then lanes of columns are combined over the blocks, if there
// are several.
// CHECK:       func.func private @k0_sum
// CHECK:         loop.parallel %{{.*}} of %[[COUNT:.*]] work %{{.*}} "d0" {
// CHECK:           %[[OWN:.*]] = loop.part
// CHECK:           loop.fill %{{.*}} to %[[OWN]], %c
// CHECK:           loop.for {{.*}} step 1 "d0" {
// CHECK:             loop.for {{.*}} "d1" {
// CHECK:               loop.store "set" %{{.*}} to %[[OWN]][
// CHECK:         %[[MORE:.*]] = loop.affine "n - 1" %[[COUNT]]
// CHECK:         %[[ANY:.*]] = loop.min %[[MORE]], %{{.*}}
// CHECK:         %[[END:.*]] = loop.affine "count * more" %c, %[[ANY]]
// CHECK:         loop.for %[[J:.*]] = %{{.*}} to %[[END]] step 16 "combine" {
// CHECK:           %[[MASK:.*]] = loop.first_lanes
// CHECK:           loop.for {{.*}} to %[[MORE]] step 1 iter ({{.*}}) "blocks" {
// CHECK:             weld.add %{{.*}}, %{{.*}} : vector<16xf64>
// CHECK:           loop.store "set" %{{.*}} to %s[%[[J]]] if %[[MASK]]
func.func @main(%x: tensor<?x?xf32, #weld.dims<"r, c">>) -> tensor<?xf32, #weld.dims<"c">> {
  %s = weld.generic over "r, c" gives "sum d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"r, c">>
    weld.yield %0 : f32
  } : tensor<?xf32, #weld.dims<"c">>
  func.return %s : tensor<?xf32, #weld.dims<"c">>
}

// -----

// Rows are nobody else's: their sums need no parts. Few long columns are cut along their length.
// CHECK:       loop.arena = []
// CHECK:       func.func private @k0_sum
// CHECK:         loop.parallel {{.*}} "d0" {
// CHECK-NOT:     "blocks"
// CHECK:       func.func @main
func.func @main(%x: tensor<?x400xf32, #weld.dims<"r, 400">>) -> tensor<?xf32, #weld.dims<"r">> {
  %s = weld.generic over "r, 400" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<?x400xf32, #weld.dims<"r, 400">>
    weld.yield %0 : f32
  } : tensor<?xf32, #weld.dims<"r">>
  func.return %s : tensor<?xf32, #weld.dims<"r">>
}

// -----

// CHECK:       func.func private @k0_sum
// CHECK:         loop.parallel {{.*}} "d1" {
// CHECK-NOT:     "blocks"
// CHECK:       func.func @main
func.func @main(%x: tensor<3x8000000xf32>) -> tensor<8000000xf32> {
  %s = weld.generic over "3, 8000000" gives "sum d1" {
    %0 = weld.load %x "d0, d1" : tensor<3x8000000xf32>
    weld.yield %0 : f32
  } : tensor<8000000xf32>
  func.return %s : tensor<8000000xf32>
}

// -----

// The parts of an argmax are positions and values.
// CHECK:       func.func private @k0_argmax
// CHECK:         loop.parallel
// CHECK:           %[[V:.*]], %[[P:.*]] = loop.reduce "argmax" {{.*}} -> f32, i64
// CHECK:           loop.store "set" %[[P]] to %[[POSITIONS:[0-9]+]][
// CHECK:           loop.store "set" %[[V]] to %[[VALUES:[0-9]+]][
// CHECK:         %[[WHERE:.*]], %{{.*}} = loop.for {{.*}} "blocks" {
// CHECK:         loop.store "set" %[[WHERE]] to %k
func.func @main(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<i64> {
  %k = weld.generic over "n" gives "argmax" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.index "d0"
    weld.yield %0, %1 : f32, i64
  } : tensor<i64>
  func.return %k : tensor<i64>
}

// -----

// The row that waits in memory for the next sweep is each thread's own.
// CHECK:       func.func private @k0_div(%x: !loop.buffer<f32>, %y: !loop.buffer<f32>, %[[ROW:.*]]: !loop.buffer<f32>, %c: i64, %r: i64)
// CHECK:         loop.parallel %{{.*}} of %{{.*}} work %{{.*}} private (%[[OWN:.*]] = %[[ROW]][%c]) "d0" {
// CHECK:           loop.store "set" %{{.*}} to %[[OWN]][
// CHECK:           loop.load %[[OWN]][
// CHECK-NOT:     %[[ROW]]
// CHECK:       func.func @main
func.func @main(%x: tensor<?x?xf32, #weld.dims<"r, c">>) -> tensor<?x?xf32, #weld.dims<"r, c">> {
  %e, %s = weld.generic over "r, c" gives "write d0, d1", "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"r, c">>
    %1 = weld.exp %0 : f32
    weld.yield %1, %1 : f32, f32
  } : tensor<?x?xf32, #weld.dims<"r, c">>, tensor<?xf32, #weld.dims<"r">>
  %y = weld.generic over "r, c" gives "write d0, d1" {
    %0 = weld.load %e "d0, d1" : tensor<?x?xf32, #weld.dims<"r, c">>
    %1 = weld.load %s "d0" : tensor<?xf32, #weld.dims<"r">>
    %2 = weld.div %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<?x?xf32, #weld.dims<"r, c">>
  func.return %y : tensor<?x?xf32, #weld.dims<"r, c">>
}

// -----

// Blocks that add into the same elements have a part each: the first one the result, which starts from its own values,
// the others zeros. Where the order of additions counts, the loop stays whole.
// CHECK:       func.func private @k0_scatter_add
// CHECK:         loop.copy %y to %s, %m
// CHECK:         loop.fill %{{.*}} to %[[PARTS:[a-z0-9_]+]], %{{.*}}
// CHECK:         loop.parallel %[[B:.*]] of {{.*}} "d0" {
// CHECK:           %[[OWN:.*]] = loop.part %[[B]] of %s, %[[PARTS]][
// CHECK:           loop.store "add" %{{.*}} to %[[OWN]][
// CHECK:         loop.for {{.*}} "combine" {
// CHECK:           %[[START:.*]] = loop.load %s[
// CHECK:           %[[FIRST:.*]] = weld.cast %[[START]] : (vector<16xf32>) -> vector<16xf64>
// CHECK:           loop.for {{.*}} iter (%{{.*}} = %[[FIRST]]) "blocks" {
// ORDERED:     func.func private @k0_scatter_add
// ORDERED-NOT:   loop.parallel
// ORDERED:     func.func @main
func.func @main(%y: tensor<?xf32, #weld.dims<"m">>, %i: tensor<?xi64, #weld.dims<"n">>, %x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"m">> {
  %s = weld.generic over "n" gives "scatter_add i0" from %y {
    %0 = weld.load %i "d0" : tensor<?xi64, #weld.dims<"n">>
    %1 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %2 = weld.constant true : i1
    weld.yield %1, %2, %0 : f32, i1, i64
  } : tensor<?xf32, #weld.dims<"m">>
  func.return %s : tensor<?xf32, #weld.dims<"m">>
}

// -----

// The last of several values for one element wins: such a loop is never cut.
// CHECK:       func.func private @k0_scatter_set
// CHECK-NOT:     loop.parallel
// CHECK:       func.func @main
func.func @main(%y: tensor<?xf32, #weld.dims<"m">>, %i: tensor<?xi64, #weld.dims<"n">>, %x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"m">> {
  %s = weld.generic over "n" gives "scatter_set i0" from %y {
    %0 = weld.load %i "d0" : tensor<?xi64, #weld.dims<"n">>
    %1 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %2 = weld.constant true : i1
    weld.yield %1, %2, %0 : f32, i1, i64
  } : tensor<?xf32, #weld.dims<"m">>
  func.return %s : tensor<?xf32, #weld.dims<"m">>
}

// -----

// Unless each block has rows of its own to scatter within: these need no parts.
// CHECK:       func.func private @k0_scatter_set
// CHECK:         loop.parallel {{.*}} "d0" {
// CHECK-NOT:     loop.part
// CHECK:       func.func @main
func.func @main(%y: tensor<?x?xf32, #weld.dims<"r, m">>, %i: tensor<?x?xi64, #weld.dims<"r, n">>) -> tensor<?x?xf32, #weld.dims<"r, m">> {
  %s = weld.generic over "r, n" gives "scatter_set d0, i0" from %y {
    %0 = weld.load %i "d0, d1" : tensor<?x?xi64, #weld.dims<"r, n">>
    %1 = weld.constant 1.0 : f32
    %2 = weld.constant true : i1
    weld.yield %1, %2, %0 : f32, i1, i64
  } : tensor<?x?xf32, #weld.dims<"r, m">>
  func.return %s : tensor<?x?xf32, #weld.dims<"r, m">>
}
