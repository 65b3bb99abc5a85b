// RUN: loopweld-opt %s --split-input-file --verify-each -p "form-kernels,lower-to-loops{vector-bits=512}" | filecheck %s

// A long row of exponentials waits where their quotients will be: the function has no other memory.
// CHECK:       func.func private @k0_div(%x: !loop.buffer<f32>, %y: !loop.buffer<f32>, %n: i64)
// CHECK:         loop.store "set" {{.*}} to %y[
// CHECK:         loop.load %y[
// CHECK:         loop.store "set" {{.*}} to %y[
func.func @main(%x: tensor<?x32768xf32, #weld.dims<"n, 32768">>) -> tensor<?x32768xf32, #weld.dims<"n, 32768">> {
  %e, %s = weld.generic over "n, 32768" gives "write d0, d1", "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<?x32768xf32, #weld.dims<"n, 32768">>
    %1 = weld.exp %0 : f32
    weld.yield %1, %1 : f32, f32
  } : tensor<?x32768xf32, #weld.dims<"n, 32768">>, tensor<?xf32, #weld.dims<"n">>
  %y = weld.generic over "n, 32768" gives "write d0, d1" {
    %0 = weld.load %e "d0, d1" : tensor<?x32768xf32, #weld.dims<"n, 32768">>
    %1 = weld.load %s "d0" : tensor<?xf32, #weld.dims<"n">>
    %2 = weld.div %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<?x32768xf32, #weld.dims<"n, 32768">>
  func.return %y : tensor<?x32768xf32, #weld.dims<"n, 32768">>
}

// -----

// What the first-level cache holds has scratch that stays there.
// CHECK:       func.func private @k0_div(%x: !loop.buffer<f32>, %y: !loop.buffer<f32>, %e: !loop.buffer<f32>, %n: i64)
// CHECK:         loop.store "set" {{.*}} to %e[
// CHECK:         loop.load %e[
func.func @main(%x: tensor<?x1024xf32, #weld.dims<"n, 1024">>) -> tensor<?x1024xf32, #weld.dims<"n, 1024">> {
  %e, %s = weld.generic over "n, 1024" gives "write d0, d1", "sum d0" {
    %0 = weld.load %x "d0, d1" : tensor<?x1024xf32, #weld.dims<"n, 1024">>
    %1 = weld.exp %0 : f32
    weld.yield %1, %1 : f32, f32
  } : tensor<?x1024xf32, #weld.dims<"n, 1024">>, tensor<?xf32, #weld.dims<"n">>
  %y = weld.generic over "n, 1024" gives "write d0, d1" {
    %0 = weld.load %e "d0, d1" : tensor<?x1024xf32, #weld.dims<"n, 1024">>
    %1 = weld.load %s "d0" : tensor<?xf32, #weld.dims<"n">>
    %2 = weld.div %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<?x1024xf32, #weld.dims<"n, 1024">>
  func.return %y : tensor<?x1024xf32, #weld.dims<"n, 1024">>
}
