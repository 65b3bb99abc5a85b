// RUN: loopweld-opt %s --split-input-file --verify-each -p "form-kernels,lower-to-loops{vector-bits=512 stream-bytes=1048576},annotate-alias-scopes" | filecheck %s
// RUN: loopweld-opt %s --split-input-file -p "form-kernels,lower-to-loops{vector-bits=512 stream-bytes=1048576},annotate-alias-scopes" | loopweld-opt --split-input-file --verify-each | filecheck %s
// RUN: loopweld-opt %s --split-input-file -p "form-kernels,lower-to-loops{vector-bits=512}" | filecheck %s --check-prefix=NEVER
// NEVER-NOT: stream

// One loop walks a result from end to end: whether it is large shows when the kernel runs.
// CHECK-LABEL: func.func private @k0_exp
// CHECK-NEXT:    %[[BYTES:.*]] = loop.affine "4 * n" %n
// CHECK-NEXT:    %[[LEAST:.*]] = weld.constant 1048576 : i64
// CHECK-NEXT:    %[[LARGE:.*]] = weld.ge %[[BYTES]], %[[LEAST]] : i64
// CHECK:         loop.for {{.*}} "d0" {
// CHECK:           loop.store "set" %{{.*}} to %[[Y:.*]][%{{.*}}] stream %[[LARGE]] {
// CHECK:         loop.for {{.*}} "d0 rest" {
// CHECK-NOT:       stream
// CHECK:         loop.drain %[[LARGE]]
// CHECK-NEXT:    func.return
func.func @main(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">> {
  %y = weld.generic over "n" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %y : tensor<?xf32, #weld.dims<"n">>
}

// -----

// A small result stays in the caches, and so does one in rows that are not whole lines.
// CHECK-NOT: stream
func.func @main(%x: tensor<4096xf32>) -> tensor<4096xf32> {
  %y = weld.generic over "4096" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<4096xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<4096xf32>
  func.return %y : tensor<4096xf32>
}

// -----

// CHECK-NOT: stream
func.func @main(%x: tensor<?x100xf32, #weld.dims<"m, 100">>, %b: tensor<100xf32>) -> tensor<?x100xf32, #weld.dims<"m, 100">> {
  %y = weld.generic over "m, 100" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x100xf32, #weld.dims<"m, 100">>
    %1 = weld.load %b "d1" : tensor<100xf32>
    %2 = weld.mul %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<?x100xf32, #weld.dims<"m, 100">>
  func.return %y : tensor<?x100xf32, #weld.dims<"m, 100">>
}

// -----

// Whether rows are whole lines shows when the kernel runs, too.
// CHECK-LABEL: func.func private @k0_add
// CHECK-NEXT:    %[[BYTES:.*]] = loop.affine "4 * m * n" %m, %n
// CHECK-NEXT:    %[[LEAST:.*]] = weld.constant 1048576 : i64
// CHECK-NEXT:    %[[LARGE:.*]] = weld.ge %[[BYTES]], %[[LEAST]] : i64
// CHECK-NEXT:    %[[OVER:.*]] = loop.affine "((n) mod (16))" %n
// CHECK-NEXT:    %[[ZERO:.*]] = weld.constant 0 : i64
// CHECK-NEXT:    %[[NONE:.*]] = weld.eq %[[OVER]], %[[ZERO]] : i64
// CHECK-NEXT:    %[[BOTH:.*]] = weld.and %[[LARGE]], %[[NONE]] : i1
// CHECK:         loop.for {{.*}} "d1" {
// CHECK:           loop.store "set" %{{.*}} to %{{.*}}[%{{.*}}] stream %[[BOTH]] {
// CHECK:         loop.for {{.*}} "d1 rest" {
// CHECK-NOT:       stream
// CHECK:         loop.drain %[[BOTH]]
func.func @main(%x: tensor<?x?xf32, #weld.dims<"m, n">>, %b: tensor<?xf32, #weld.dims<"n">>) -> tensor<?x?xf32, #weld.dims<"m, n">> {
  %y = weld.generic over "m, n" gives "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x?xf32, #weld.dims<"m, n">>
    %1 = weld.load %b "d1" : tensor<?xf32, #weld.dims<"n">>
    %2 = weld.add %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<?x?xf32, #weld.dims<"m, n">>
  func.return %y : tensor<?x?xf32, #weld.dims<"m, n">>
}
