// RUN: loopweld-opt %s --split-input-file --verify-each -p "form-kernels,lower-to-loops{vector-bits=512}" | filecheck %s
// RUN: loopweld-opt %s --split-input-file -p "form-kernels,lower-to-loops{vector-bits=128}" | filecheck %s --check-prefix=NARROW

// Any length: whole steps, then the rest under a mask, one register at a time.
// CHECK:       func.func private @k0_exp(%x: !loop.buffer<f32>, %y: !loop.buffer<f32>, %n: i64)
// CHECK:         loop.for %[[I:.*]] = %{{.*}} to %{{.*}} step [[LANES:[0-9]+]] "d0" {
// CHECK-NEXT:      %[[X:.*]] = loop.load %x[%[[I]]] : !loop.buffer<f32>, i64 -> vector<[[LANES]]xf32>
// CHECK-NEXT:      %[[E:.*]] = weld.exp %[[X]] : vector<[[LANES]]xf32>
// CHECK-NEXT:      loop.store "set" %[[E]] to %y[%[[I]]] : vector<[[LANES]]xf32>, !loop.buffer<f32>, i64
// CHECK-NEXT:      loop.yield
// CHECK:         loop.for %[[I:.*]] = %{{.*}} to %n step 16 "d0 rest" {
// CHECK:           %[[X:.*]] = loop.load %x[%[[I]]] if %[[MASK:[0-9]+]] : !loop.buffer<f32>, i64, vector<16xi1> -> vector<16xf32>
// CHECK:           loop.store "set" %{{.*}} to %y[%[[I]]] if %[[MASK]]
// CHECK-NOT:     loop.for
// CHECK:       func.func @main(%input0: !loop.buffer<f32>, %output0: !loop.buffer<f32>, %n: i64) attributes {loop.places = ["input 0", "output 0"]}
// CHECK-NEXT:    func.call @k0_exp(%input0, %output0, %n)
// NARROW:      loop.for {{.*}} step {{4|8|16}} "d0" {
func.func @main(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">> {
  %y = weld.generic over "n" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %y : tensor<?xf32, #weld.dims<"n">>
}

// -----

// What the whole steps accumulate in several registers is folded to one, in which the rest goes on.
// CHECK:       func.func private @k0_max
// CHECK:         %[[WHOLE:.*]] = loop.for {{.*}} step 64 iter {{.*}} "d1" {
// CHECK:         %[[FOLDED:.*]] = loop.reduce "max" %[[WHOLE]] : vector<64xf32> -> vector<16xf32>
// CHECK-NEXT:    %[[ALL:.*]] = loop.for {{.*}} step 16 iter (%{{.*}} = %[[FOLDED]]) "d1 rest" {
// CHECK:         loop.reduce "max" %[[ALL]] : vector<16xf32> -> f32
func.func @main(%x: tensor<?x?xf32, #weld.dims<"n, m">>) -> tensor<?xf32, #weld.dims<"n">> {
  %y = weld.generic over "n, m" gives "max d0" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"n, m">>
    weld.yield %0 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %y : tensor<?xf32, #weld.dims<"n">>
}

// -----

// A multiple of the step has no rest. Dims that are contiguous everywhere are one dim.
// CHECK:       func.func private @k0_neg
// CHECK:         weld.constant 8192 : i64
// CHECK:         loop.for {{.*}} "d1" {
// CHECK-NOT:     loop.for
// CHECK-NOT:     if %
// CHECK:       func.func @main
func.func @main(%x: tensor<64x128xf32>) -> tensor<64x128xf32> {
  %y = weld.generic over "64, 128" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<64x128xf32>
    %1 = weld.neg %0 : f32
    weld.yield %1 : f32
  } : tensor<64x128xf32>
  func.return %y : tensor<64x128xf32>
}

// -----

// A broadcast row stops that; it is loaded along with its columns.
// CHECK:       func.func private @k0_add
// CHECK:         loop.for {{.*}} step 1 "d0" {
// CHECK:           loop.for %[[J:.*]] = {{.*}} "d1" {
// CHECK:             loop.load %row[%[[J]]] : !loop.buffer<f32>, i64 -> vector<{{[0-9]+}}xf32>
// CHECK-NOT:     loop.for
// CHECK:       func.func @main
func.func @main(%x: tensor<64x128xf32>, %row: tensor<128xf32>) -> tensor<64x128xf32> {
  %y = weld.generic over "64, 128" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<64x128xf32>
    %1 = weld.load %row "d1" : tensor<128xf32>
    %2 = weld.add %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<64x128xf32>
  func.return %y : tensor<64x128xf32>
}

// -----

// What does not depend on a loop is computed outside of it: a scalar once, a column's element once a row.
// CHECK:       func.func private @k0_exp
// CHECK:         %[[S:.*]] = loop.load %s[%{{.*}}] : !loop.buffer<f32>, i64 -> f32
// CHECK:         weld.exp %[[S]] : f32
// CHECK:         loop.for %[[I:.*]] = {{.*}} step 1 "d0" {
// CHECK:           %[[C:.*]] = loop.load %column[%[[I]]] : !loop.buffer<f32>, i64 -> f32
// CHECK:           loop.for {{.*}} "d1" {
// CHECK-NOT:         loop.splat
// CHECK-NOT:         weld.exp
// CHECK:       func.func @main
func.func @main(%x: tensor<64x128xf32>, %column: tensor<64xf32>, %s: tensor<f32>) -> tensor<64x128xf32> {
  %y = weld.generic over "64, 128" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<64x128xf32>
    %1 = weld.load %column "d0" : tensor<64xf32>
    %2 = weld.load %s "" : tensor<f32>
    %3 = weld.exp %2 : f32
    %4 = weld.add %0, %1 : f32
    %5 = weld.mul %4, %3 : f32
    weld.yield %5 : f32
  } : tensor<64x128xf32>
  func.return %y : tensor<64x128xf32>
}

// -----

// A sum of all: vector accumulators in a register, the lanes added at the end, one store.
// CHECK:       func.func private @k0_sum
// CHECK:         loop.for {{.*}} iter (%{{.*}} = %{{.*}}) {{.*}} {
// CHECK-NOT:       loop.store
// CHECK:           loop.yield %{{.*}} : vector<{{[0-9]+}}xf32>
// CHECK:         %[[S:.*]] = loop.reduce "sum" %{{.*}} : vector<{{[0-9]+}}xf32> -> f32
// CHECK-NEXT:    loop.store "set" %[[S]] to %s
// CHECK-NEXT:    func.return
func.func @main(%x: tensor<4096xf32>) -> tensor<f32> {
  %s = weld.generic over "4096" gives "sum" {
    %0 = weld.load %x "d0" : tensor<4096xf32>
    weld.yield %0 : f32
  } : tensor<f32>
  func.return %s : tensor<f32>
}

// -----

// A sum along columns: neighbouring columns in the lanes, no reduction across them.
// CHECK:       func.func private @k0_sum
// CHECK:         loop.load %x[%{{[0-9]+}}] : !loop.buffer<f32>, i64 -> vector<[[LANES:[0-9]+]]xf32>
// CHECK-NOT:     loop.reduce
// CHECK:         loop.store "set" %{{.*}} to %s[%{{[0-9]+}}] : vector<[[LANES]]xf32>, !loop.buffer<f32>, i64
// CHECK-NOT:     loop.reduce
// CHECK:       func.func @main
func.func @main(%x: tensor<512x256xf32>) -> tensor<256xf32> {
  %s = weld.generic over "512, 256" gives "sum d1" {
    %0 = weld.load %x "d0, d1" : tensor<512x256xf32>
    weld.yield %0 : f32
  } : tensor<256xf32>
  func.return %s : tensor<256xf32>
}

// -----

// Where the argument of the greatest is: values and positions, side by side.
// CHECK:       func.func private @k0_argmax
// CHECK:         %[[V:.*]], %[[P:.*]] = loop.for {{.*}} iter (%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) "d0" {
// CHECK:           loop.yield %{{.*}}, %{{.*}} : vector<[[LANES:[0-9]+]]xf32>, vector<[[LANES]]xi64>
// CHECK:         %{{.*}}, %[[AT:.*]] = loop.reduce "argmax" %[[V]], %[[P]] : vector<[[LANES]]xf32>, vector<[[LANES]]xi64> -> f32, i64
// CHECK-NEXT:    loop.store "set" %[[AT]] to %k
func.func @main(%x: tensor<4096xf32>) -> tensor<i64> {
  %k = weld.generic over "4096" gives "argmax" {
    %0 = weld.load %x "d0" : tensor<4096xf32>
    %1 = weld.index "d0"
    weld.yield %0, %1 : f32, i64
  } : tensor<i64>
  func.return %k : tensor<i64>
}

// -----

// The result of a row reduction waits in a register of the outer loop: nothing is stored between the sweeps.
// CHECK:       loop.arena = []
// CHECK:       func.func private @k0_sub
// CHECK:         loop.for {{.*}} step 1 "d0" {
// CHECK:           loop.for {{.*}} "d1" {
// CHECK:           %[[M:.*]] = loop.reduce "max"
// CHECK-NEXT:      %[[ALL:.*]] = loop.splat %[[M]]
// CHECK-NOT:       loop.store
// CHECK:           loop.for {{.*}} "d1" {
// CHECK:             weld.sub %{{.*}}, %[[ALL]]
// CHECK:             loop.store "set" {{.*}} to %y
// CHECK:       func.func @main
func.func @main(%x: tensor<64x4096xf32>) -> tensor<64x4096xf32> {
  %m = weld.generic over "64, 4096" gives "max d0" {
    %0 = weld.load %x "d0, d1" : tensor<64x4096xf32>
    weld.yield %0 : f32
  } : tensor<64xf32>
  %y = weld.generic over "64, 4096" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<64x4096xf32>
    %1 = weld.load %m "d0" : tensor<64xf32>
    %2 = weld.sub %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<64x4096xf32>
  func.return %y : tensor<64x4096xf32>
}

// -----

// A guard cuts the loop where it changes: nothing is loaded in front of that place, nothing selected behind it.
// CHECK:       func.func private @k0_cos
// CHECK:         loop.for {{.*}} "d0" {
// CHECK-NOT:       loop.load
// CHECK:           loop.store
// CHECK:         loop.for {{.*}} "d0 next" {
// CHECK-NEXT:      loop.affine
// CHECK-NEXT:      %[[X:.*]] = loop.load %x[%{{[0-9]+}}] : {{.*}} -> vector<[[LANES:[0-9]+]]xf32>
// CHECK-NEXT:      %[[V:.*]] = weld.cos %[[X]]
// CHECK-NEXT:      loop.store "set" %[[V]]
// CHECK:       func.func @main
func.func @main(%x: tensor<4000xf32>) -> tensor<4096xf32> {
  %y = weld.generic over "4096" gives "write d0" {
    %0 = weld.load %x "d0 - 96 if d0 - 96 >= 0" : tensor<4000xf32>
    %1 = weld.cos %0 : f32
    %2 = weld.inside "d0 - 96 >= 0"
    %3 = weld.constant 7.0 : f32
    %4 = weld.select %2, %1, %3 : (i1, f32, f32) -> f32
    weld.yield %4 : f32
  } : tensor<4096xf32>
  func.return %y : tensor<4096xf32>
}

// -----

// must not cut: symbols may be 0, so that which of the two guards changes first is not known. A guard masks the load
// then, and the value is selected where it is used.
// CHECK:       func.func private @k0_cos
// CHECK:           %[[X:.*]] = loop.load %x[%{{[0-9]+}}] if %[[MASK:[0-9]+]] : {{.*}} -> vector<[[LANES:[0-9]+]]xf32>
// CHECK-NEXT:      %[[V:.*]] = weld.cos %[[X]]
// CHECK:           weld.select %{{.*}}, %[[V]], %{{.*}} : (vector<[[LANES]]xi1>, vector<[[LANES]]xf32>, vector<[[LANES]]xf32>) -> vector<[[LANES]]xf32>
// CHECK:       func.func @main
func.func @main(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">> {
  %y = weld.generic over "n" gives "write d0" {
    %0 = weld.load %x "d0 - 96 if d0 - 96 >= 0 and n - 8 - d0 >= 0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.cos %0 : f32
    %2 = weld.inside "d0 - 96 >= 0 and n - 8 - d0 >= 0"
    %3 = weld.constant 7.0 : f32
    %4 = weld.select %2, %1, %3 : (i1, f32, f32) -> f32
    weld.yield %4 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %y : tensor<?xf32, #weld.dims<"n">>
}

// -----

// A row that one step of lanes covers has no inner loop; what one member computes stays in registers for the next.
// CHECK:       func.func private @k0_
// CHECK-COUNT-1: loop.for
// CHECK-NOT:     loop.for
// CHECK:         %[[X:.*]] = loop.load %x{{.*}} if %[[ROW:[0-9]+]] : {{.*}} -> vector<32xf32>
// CHECK:         %[[E:.*]] = weld.exp %[[X]]
// CHECK:         %[[S:.*]] = loop.reduce "sum"
// CHECK:         %[[ALL:.*]] = loop.splat %[[S]]
// CHECK:         weld.div %[[E]], %[[ALL]]
// CHECK:       func.func @main
func.func @main(%x: tensor<64x23xf32>) -> tensor<64x23xf32> {
  %e, %s = weld.generic over "64, 23" gives "write d0, d1", "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<64x23xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1, %1 : f32, f32
  } : tensor<64x23xf32>, tensor<64xf32>
  %y = weld.generic over "64, 23" gives "write d0, d1" {
    %0 = weld.load %e "d0, d1" : tensor<64x23xf32>
    %1 = weld.load %s "d0" : tensor<64xf32>
    %2 = weld.div %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<64x23xf32>
  func.return %y : tensor<64x23xf32>
}

// -----

// A symbol that is expected to be short: the loops for short rows and for long ones, of which one runs.
// CHECK:       func.func private @k0_sum
// CHECK:         %[[FITS:.*]] = weld.le %s1, %{{.*}} : i64
// CHECK:         %[[END:.*]] = weld.select %[[FITS]], %n, %
// CHECK:         loop.for {{.*}} to %[[END]] step 1 "d0 short" {
// CHECK-NEXT:      loop.affine
// CHECK-NEXT:      loop.affine
// CHECK-NEXT:      loop.load %x
// CHECK:           loop.yield
// CHECK-NEXT:    }
// CHECK:         loop.for {{.*}} = %[[END]] to %n step 1 "d0" {
// CHECK:           loop.for {{.*}} "d1
// CHECK:       func.func @main
func.func @main(%x: tensor<?x?xf32, #weld.dims<"n, s1">>) -> tensor<?xf32, #weld.dims<"n">> attributes {weld.expected = {s1 = 32 : i64}} {
  %s = weld.generic over "n, s1" gives "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"n, s1">>
    weld.yield %0 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %s : tensor<?xf32, #weld.dims<"n">>
}

// -----

// A gather takes an offset a lane, lane by lane from a table that the first-level cache holds; a scatter combines the
// lanes one after the other, on top of a filled result.
// CHECK:       loop.fill %{{.*}} to %s, %{{.*}} : f32, !loop.buffer<f32>
// CHECK:       loop.for {{.*}} "d0" {
// CHECK:         %[[I:.*]] = loop.load %i[%{{[0-9]+}}] : {{.*}} -> vector<[[LANES:[0-9]+]]xi64>
// CHECK:         %[[X:.*]] = loop.load %x[%{{[0-9]+}}] {singly} : !loop.buffer<f32>, vector<[[LANES]]xi64> -> vector<[[LANES]]xf32>
// CHECK:         loop.store "add" %[[X]] to %s[%{{[0-9]+}}] if %{{[0-9]+}} : vector<[[LANES]]xf32>, !loop.buffer<f32>, vector<[[LANES]]xi64>, vector<[[LANES]]xi1>
func.func @main(%x: tensor<85xf32>, %i: tensor<4096xi64>) -> tensor<85xf32> {
  %zero = weld.constant 0.0 : tensor<85xf32>
  %s = weld.generic over "4096" gives "scatter_add i0" from %zero {
    %0 = weld.load %i "d0" : tensor<4096xi64>
    %1 = weld.load %x, %0 "i0" : tensor<85xf32>
    %2 = weld.constant 1 : i1
    weld.yield %1, %2, %0 : f32, i1, i64
  } : tensor<85xf32>
  func.return %s : tensor<85xf32>
}

// -----

// No gather from a larger table, and none from one of which nothing is known, goes lane by lane.
// CHECK-LABEL: func.func private @k0_mul
// CHECK-NOT:     singly
func.func @main(%x: tensor<9999xf32>, %y: tensor<?xf32, #weld.dims<"n">>, %i: tensor<4096xi64>) -> tensor<4096xf32> {
  %s = weld.generic over "4096" gives "write d0" {
    %0 = weld.load %i "d0" : tensor<4096xi64>
    %1 = weld.load %x, %0 "i0" : tensor<9999xf32>
    %2 = weld.load %y, %0 "i0" : tensor<?xf32, #weld.dims<"n">>
    %3 = weld.mul %1, %2 : f32
    weld.yield %3 : f32
  } : tensor<4096xf32>
  func.return %s : tensor<4096xf32>
}

// -----

// A library call between two kernels: two native segments, and a slot of the arena for what passes through.
// CHECK:       builtin.module attributes {loop.steps = ["main", "library weld.cumsum", "main_1"], loop.arena = ["4 * n bytes"{{(, "4 \* n bytes")?}}]} {
// CHECK:       func.func private @k0_exp
// CHECK:       func.func @main(
// CHECK:       func.func private @k1_neg
// CHECK:       func.func @main_1(
func.func @main(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">> {
  %e = weld.generic over "n" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  %c = "weld.cumsum"(%e) <{axis = 0 : i64}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  %y = weld.generic over "n" gives "write d0" {
    %0 = weld.load %c "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.neg %0 : f32
    weld.yield %1 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %y : tensor<?xf32, #weld.dims<"n">>
}

// -----
// A short row stays in registers, and in memory for what reads it after the loops.
// CHECK-LABEL: func.func private @late
// CHECK:         %[[D:.*]] = weld.sub
// CHECK-NEXT:    loop.store "set" %[[D]] to %e
// CHECK-NEXT:    loop.reduce "sum" %[[D]]
// CHECK:         loop.load %e
func.func @main(%x: tensor<7x8xf32>) -> (tensor<7xf32>, tensor<5x8xf32>) {
  %s, %y = weld.kernel @late outer 1 after 1 {
    %m = weld.generic over "7, 8" gives "max d0" {
      %0 = weld.load %x "d0, d1" : tensor<7x8xf32>
      weld.yield %0 : f32
    } : tensor<7xf32>
    %e = weld.generic over "7, 8" gives "write d0, d1" {
      %0 = weld.load %x "d0, d1" : tensor<7x8xf32>
      %1 = weld.load %m "d0" : tensor<7xf32>
      %2 = weld.sub %0, %1 : f32
      weld.yield %2 : f32
    } : tensor<7x8xf32>
    %t = weld.generic over "7, 8" gives "sum d0" {
      %0 = weld.load %e "d0, d1" : tensor<7x8xf32>
      weld.yield %0 : f32
    } : tensor<7xf32>
    %z = weld.generic over "5, 8" gives "write d0, d1" {
      %0 = weld.load %e "d0 + 2, d1" : tensor<7x8xf32>
      weld.yield %0 : f32
    } : tensor<5x8xf32>
    weld.yield %t, %z : tensor<7xf32>, tensor<5x8xf32>
  } : tensor<7xf32>, tensor<5x8xf32>
  func.return %s, %y : tensor<7xf32>, tensor<5x8xf32>
}

// -----
// Lanes across what an end depends on would leave it open: they are across the chunk, though its rows are far apart.
// CHECK-LABEL: func.func private @k0_sub
// CHECK:         loop.for {{.*}} "d1" {
// CHECK:           loop.for {{.*}} "d2" {
// CHECK:             loop.load %x{{.*}} -> vector
// CHECK:           loop.for {{.*}} to %d2_end{{[0-9]+}} {{.*}} "d2 rest" {
func.func @main(%x: tensor<?x2xf32, #weld.dims<"n, 2">>, %p: tensor<2x?xf32, #weld.dims<"2, (n + 7) floordiv 8">>) -> tensor<2x?xf32, #weld.dims<"2, (n + 7) floordiv 8">> {
  %s = weld.generic over "2, (n + 7) floordiv 8, 8 if n - 1 - 8 * d1 - d2 >= 0" gives "sum d0, d1" {
    %0 = weld.load %x "8 * d1 + d2, d0" : tensor<?x2xf32, #weld.dims<"n, 2">>
    %1 = weld.load %p "d0, d1" : tensor<2x?xf32, #weld.dims<"2, (n + 7) floordiv 8">>
    %2 = weld.sub %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<2x?xf32, #weld.dims<"2, (n + 7) floordiv 8">>
  func.return %s : tensor<2x?xf32, #weld.dims<"2, (n + 7) floordiv 8">>
}

// -----

// Rows of the caller's memory that lie further apart than they are long.
// CHECK:       func.func private @k0_exp(%x: !loop.buffer<f32>, %y: !loop.buffer<f32>, %n: i64, %t: i64)
// CHECK:         loop.for %[[I:.*]] = {{.*}} "d0" {
// CHECK:           %[[ROW:.*]] = loop.affine "d0 * t" %[[I]], %t
// CHECK:           %[[AT:.*]] = loop.affine "_ + d1" %[[ROW]], %{{.*}}
// CHECK:           loop.store "set" %{{.*}} to %y[%[[AT]]] : vector<64xf32>
func.func @main(%x: tensor<?x64xf32, #weld.dims<"n, 64">>)
    -> (tensor<?x64xf32, #weld.dims<"n, 64">> {weld.strides = #weld.dims<"t, 1">}) {
  %y = weld.generic over "n, 64" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x64xf32, #weld.dims<"n, 64">>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<?x64xf32, #weld.dims<"n, 64">>
  func.return %y : tensor<?x64xf32, #weld.dims<"n, 64">>
}

// -----

// The instructions of a long function wait for each other: steps of four registers.
// CHECK:       func.func private @k0_cos
// CHECK:         weld.cos %{{.*}} : vector<64xf32>
// CHECK:         weld.cos %{{.*}} : vector<16xf32>
func.func @main(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">> {
  %y = weld.generic over "n" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.cos %0 : f32
    weld.yield %1 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %y : tensor<?xf32, #weld.dims<"n">>
}
