// RUN: loopweld-opt %s --split-input-file --verify-each -p "lower-to-loops{vector-bits=512}" | filecheck %s

// What a row gives is stored where others want it, and stays in a register for the members that run in the same
// iteration. Behind the loops it is read from memory.
// CHECK:       func.func private @k0(%x
// CHECK:         loop.for {{.*}} "d0" {
// CHECK:           %[[SUM:.*]] = loop.reduce "sum" {{.*}} -> f32
// CHECK-NEXT:      %[[M:.*]] = weld.mul %[[SUM]]
// CHECK-NEXT:      loop.store "set" %[[M]] to %mean[
// CHECK-NOT:       loop.load %mean[
// CHECK:           loop.splat %[[M]]
// CHECK:         loop.for {{.*}} iter {{.*}} "d0" {
// CHECK:           loop.load %mean[
func.func @main(%x: tensor<?x256xf32, #weld.dims<"n, 256">>) -> (tensor<?xf32, #weld.dims<"n">>, tensor<?xf32, #weld.dims<"n">>, tensor<f32>) {
  %m, %v, %t = weld.kernel @k0 outer 1 after 1 {
    %s = weld.generic over "n, 256" gives "sum d0" {
      %0 = weld.load %x "d0, d1" : tensor<?x256xf32, #weld.dims<"n, 256">>
      weld.yield %0 : f32
    } : tensor<?xf32, #weld.dims<"n">>
    %mean = weld.generic over "n" gives "write d0" {
      %0 = weld.load %s "d0" : tensor<?xf32, #weld.dims<"n">>
      %1 = weld.constant 0.00390625 : f32
      %2 = weld.mul %0, %1 : f32
      weld.yield %2 : f32
    } : tensor<?xf32, #weld.dims<"n">>
    %variance = weld.generic over "n, 256" gives "sum d0" {
      %0 = weld.load %x "d0, d1" : tensor<?x256xf32, #weld.dims<"n, 256">>
      %1 = weld.load %mean "d0" : tensor<?xf32, #weld.dims<"n">>
      %2 = weld.sub %0, %1 : f32
      %3 = weld.mul %2, %2 : f32
      weld.yield %3 : f32
    } : tensor<?xf32, #weld.dims<"n">>
    %most = weld.generic over "n" gives "max" {
      %0 = weld.load %mean "d0" : tensor<?xf32, #weld.dims<"n">>
      weld.yield %0 : f32
    } : tensor<f32>
    weld.yield %mean, %variance, %most : tensor<?xf32, #weld.dims<"n">>, tensor<?xf32, #weld.dims<"n">>, tensor<f32>
  } : tensor<?xf32, #weld.dims<"n">>, tensor<?xf32, #weld.dims<"n">>, tensor<f32>
  func.return %m, %v, %t : tensor<?xf32, #weld.dims<"n">>, tensor<?xf32, #weld.dims<"n">>, tensor<f32>
}

// -----

// What a member before the loops gives has all elements, in memory: also for the next one before them.
// CHECK:       func.func private @k0(%w: !loop.buffer<f32>, %x: !loop.buffer<f32>, %s: !loop.buffer<f32>, %b:
// CHECK-SAME:      %a: !loop.buffer<f32>
// CHECK:         loop.store "set" %{{.*}} to %a[
// CHECK:         loop.load %a[
// CHECK:         weld.exp
func.func @main(%x: tensor<?x64xf32, #weld.dims<"n, 64">>, %w: tensor<64x32xf32>) -> tensor<?xf32, #weld.dims<"n">> {
  %y = weld.kernel @k0 outer 1 before 2 after 0 {
    %a = weld.generic over "64, 32" gives "sum d0" {
      %0 = weld.load %w "d0, d1" : tensor<64x32xf32>
      weld.yield %0 : f32
    } : tensor<64xf32>
    %b = weld.generic over "64" gives "write d0" {
      %0 = weld.load %a "63 - d0" : tensor<64xf32>
      %1 = weld.exp %0 : f32
      weld.yield %1 : f32
    } : tensor<64xf32>
    %s = weld.generic over "n, 64" gives "sum d0" {
      %0 = weld.load %x "d0, d1" : tensor<?x64xf32, #weld.dims<"n, 64">>
      %1 = weld.load %b "d1" : tensor<64xf32>
      %2 = weld.mul %0, %1 : f32
      weld.yield %2 : f32
    } : tensor<?xf32, #weld.dims<"n">>
    weld.yield %s : tensor<?xf32, #weld.dims<"n">>
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %y : tensor<?xf32, #weld.dims<"n">>
}
