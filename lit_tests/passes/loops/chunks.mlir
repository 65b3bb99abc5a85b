// RUN: loopweld-opt %s --split-input-file --verify-each -p "form-kernels,lower-to-loops{vector-bits=512}" | filecheck %s

// A dim that a guard bounds ends where the guard does, in each iteration of the loops around it; its last step is masked.
// CHECK:       func.func private @k0_sum
// CHECK:         loop.for %[[C:.*]] = %{{.*}} to %{{.*}} step 1 "d0" {
// CHECK-NEXT:      %[[LEFT:.*]] = loop.affine "_ - 4096 * d0" %n, %[[C]]
// CHECK-NEXT:      %[[END:.*]] = loop.min %{{.*}}, %[[LEFT]]
// CHECK:           loop.for %{{.*}} = %{{.*}} to %{{.*}} step 64 iter
// CHECK:           loop.for %[[I:.*]] = %{{.*}} to %[[END]] step 64 iter {{.*}} "d1 rest" {
// CHECK-NEXT:        %[[REST:.*]] = loop.affine "_ - d1" %[[END]], %[[I]]
// CHECK-NEXT:        loop.first_lanes %[[REST]]
func.func @main(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"(n + 4095) floordiv 4096">> {
  %y = weld.generic over "(n + 4095) floordiv 4096, 4096 if n - 1 - 4096 * d0 - d1 >= 0" gives "sum d0" {
    %0 = weld.load %x "4096 * d0 + d1" : tensor<?xf32, #weld.dims<"n">>
    weld.yield %0 : f32
  } : tensor<?xf32, #weld.dims<"(n + 4095) floordiv 4096">>
  func.return %y : tensor<?xf32, #weld.dims<"(n + 4095) floordiv 4096">>
}

// -----

// Members in a row that are cut into the same chunks run chunk by chunk.
// CHECK:       func.func private @k0
// CHECK:         loop.for %[[ROW:.*]] = %{{.*}} to %{{.*}} step 1 "d0" {
// CHECK:           loop.for %{{.*}} = %{{.*}} to %{{.*}} step 1 "d1" {
// CHECK:             loop.reduce "max"
// CHECK:             loop.reduce "sum"
// CHECK-NEXT:        loop.store
// CHECK-NEXT:        loop.yield
// CHECK:           loop.reduce "sum"
func.func @main(%x: tensor<4x?xf32, #weld.dims<"4, n">>) -> tensor<4xf32> {
  %y = weld.kernel @k0 outer 1 after 0 {
    %m = weld.generic over "4, (n + 4095) floordiv 4096, 4096 if n - 1 - 4096 * d1 - d2 >= 0" gives "max d0, d1" {
      %0 = weld.load %x "d0, 4096 * d1 + d2" : tensor<4x?xf32, #weld.dims<"4, n">>
      weld.yield %0 : f32
    } : tensor<4x?xf32, #weld.dims<"4, (n + 4095) floordiv 4096">>
    %s = weld.generic over "4, (n + 4095) floordiv 4096, 4096 if n - 1 - 4096 * d1 - d2 >= 0" gives "sum d0, d1" {
      %0 = weld.load %x "d0, 4096 * d1 + d2" : tensor<4x?xf32, #weld.dims<"4, n">>
      %1 = weld.load %m "d0, d1" : tensor<4x?xf32, #weld.dims<"4, (n + 4095) floordiv 4096">>
      %2 = weld.sub %0, %1 : f32
      weld.yield %2 : f32
    } : tensor<4x?xf32, #weld.dims<"4, (n + 4095) floordiv 4096">>
    %t = weld.generic over "4, (n + 4095) floordiv 4096" gives "sum d0" {
      %0 = weld.load %s "d0, d1" : tensor<4x?xf32, #weld.dims<"4, (n + 4095) floordiv 4096">>
      weld.yield %0 : f32
    } : tensor<4xf32>
    weld.yield %t : tensor<4xf32>
  } : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -----

// One chunk is no loop: its members hand on what they give in registers.
// CHECK:       func.func private @k0
// CHECK:         loop.for %[[ROW:.*]] = %{{.*}} to %{{.*}} step 1 "d0" {
// CHECK-NOT:       "d1"
// CHECK:           %[[MAX:.*]] = loop.reduce "max"
// CHECK:           loop.splat %[[MAX]]
// CHECK-NOT:       "d1"
// CHECK:           loop.reduce "sum"
func.func @main(%x: tensor<4x90xf32>) -> tensor<4xf32> {
  %y = weld.kernel @k0 outer 1 after 0 {
    %m = weld.generic over "4, 1, 4096 if 89 - 4096 * d1 - d2 >= 0" gives "max d0, d1" {
      %0 = weld.load %x "d0, 4096 * d1 + d2" : tensor<4x90xf32>
      weld.yield %0 : f32
    } : tensor<4x1xf32>
    %s = weld.generic over "4, 1, 4096 if 89 - 4096 * d1 - d2 >= 0" gives "sum d0, d1" {
      %0 = weld.load %x "d0, 4096 * d1 + d2" : tensor<4x90xf32>
      %1 = weld.load %m "d0, d1" : tensor<4x1xf32>
      %2 = weld.sub %0, %1 : f32
      weld.yield %2 : f32
    } : tensor<4x1xf32>
    %t = weld.generic over "4, 1" gives "sum d0" {
      %0 = weld.load %s "d0, d1" : tensor<4x1xf32>
      weld.yield %0 : f32
    } : tensor<4xf32>
    weld.yield %t : tensor<4xf32>
  } : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -----

// A guarded value in a register is chosen in float32: no instruction selects float16.
// CHECK:       func.func private @k0
// CHECK:         %[[ROUNDED:.*]] = weld.cast %{{.*}} : (f32) -> f16
// CHECK:         %[[WIDE:.*]] = weld.cast %{{.*}} : (vector<8xf16>) -> vector<8xf32>
// CHECK:         %[[CHOSEN:.*]] = weld.select %{{.*}}, %[[WIDE]], %{{.*}} : (vector<8xi1>, vector<8xf32>, vector<8xf32>) -> vector<8xf32>
// CHECK-NEXT:    weld.cast %[[CHOSEN]] : (vector<8xf32>) -> vector<8xf16>
func.func @main(%x: tensor<4x40xf32>) -> tensor<4x8xf16> {
  %y = weld.kernel @k0 outer 1 after 0 {
    %s = weld.generic over "4, 40" gives "sum d0" {
      %0 = weld.load %x "d0, d1" : tensor<4x40xf32>
      weld.yield %0 : f32
    } : tensor<4xf32>
    %m = weld.generic over "4" gives "write d0" {
      %0 = weld.load %s "d0" : tensor<4xf32>
      %1 = weld.cast %0 : (f32) -> f16
      weld.yield %1 : f16
    } : tensor<4xf16>
    %p = weld.generic over "4, 8" gives "write d0, d1" {
      %0 = weld.load %m "d0 if d1 - 2 >= 0" : tensor<4xf16>
      weld.yield %0 : f16
    } : tensor<4x8xf16>
    weld.yield %p : tensor<4x8xf16>
  } : tensor<4x8xf16>
  func.return %y : tensor<4x8xf16>
}
