// RUN: loopweld-opt %s --verify-each -p defer-gates | filecheck %s
// A fixed point: a gate waits for its condition, and what it overwrites does not.
// RUN: loopweld-opt %s -p defer-gates,defer-gates | filecheck %s
// RUN: loopweld-opt %s -p defer-gates,fuse-siblings,form-kernels | filecheck %s --check-prefix=KERNELS

// deferred: written as if the condition held, in one loop with it, and overwritten after that loop
// CHECK-LABEL: func.func @gate
// CHECK:         %[[C:.*]] = weld.generic over "n" gives "all"
// CHECK:         %[[V:.*]] = weld.generic over "n" gives "write d0" {
// CHECK-NEXT:      %[[X:.*]] = weld.load %x "d0"
// CHECK-NEXT:      %[[E:.*]] = weld.exp %[[X]]
// CHECK-NEXT:      weld.yield %[[E]]
// CHECK:         %[[G:.*]] = weld.generic over "n" gives "scatter_set d0" from %[[V]] {
// CHECK:           weld.load %[[C]] ""
// CHECK:           %[[NOT:.*]] = weld.xor
// CHECK:           weld.yield %{{.*}}, %[[NOT]] : f32, i1
// CHECK:         func.return %[[G]]
// KERNELS-LABEL: func.func @gate
// KERNELS:         weld.kernel @{{.*}} outer 0 after 1 {
// KERNELS-NEXT:      weld.generic over "n" gives "all", "write d0"
// KERNELS:           weld.generic over "n" gives "scatter_set d0"
func.func @gate(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">> {
  %c = weld.generic over "n" gives "all" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.constant 0.0 : f32
    %2 = weld.gt %0, %1 : f32
    weld.yield %2 : i1
  } : tensor<i1>
  %g = weld.generic over "n" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<?xf32, #weld.dims<"n">>
    %1 = weld.exp %0 : f32
    %2 = weld.load %c "" : tensor<i1>
    %3 = weld.constant 0.0 : f32
    %4 = weld.select %2, %1, %3 : (i1, f32, f32) -> f32
    weld.yield %4 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %g : tensor<?xf32, #weld.dims<"n">>
}

// deferred: two conditions, one behind the other, and a function of what they let through
// CHECK-LABEL: func.func @nested
// CHECK:         %[[V:.*]] = weld.generic over "8" gives "write d0" {
// CHECK-NEXT:      %[[X:.*]] = weld.load %x "d0"
// CHECK-NEXT:      %[[A:.*]] = weld.abs %[[X]]
// CHECK-NEXT:      weld.yield %[[A]]
// CHECK:         weld.generic over "8" gives "scatter_set d0" from %[[V]] {
// CHECK:           %[[U:.*]] = weld.select
// CHECK:           %[[W:.*]] = weld.abs %[[U]]
// CHECK:           weld.yield %[[W]], %{{.*}} : f32, i1
func.func @nested(%x: tensor<8xf32>) -> tensor<8xf32> {
  %c = weld.generic over "8" gives "max" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    weld.yield %0 : f32
  } : tensor<f32>
  %g = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.load %c "" : tensor<f32>
    %2 = weld.constant 0.0 : f32
    %3 = weld.gt %1, %2 : f32
    %4 = weld.select %3, %0, %1 : (i1, f32, f32) -> f32
    %5 = weld.constant 9.0 : f32
    %6 = weld.lt %1, %5 : f32
    %7 = weld.select %6, %4, %2 : (i1, f32, f32) -> f32
    %8 = weld.abs %7 : f32
    weld.yield %8 : f32
  } : tensor<8xf32>
  func.return %g : tensor<8xf32>
}

// deferred: a factor of 1 or 0 and a gated factor, behind two conditions; where one fails, all is computed again
// CHECK-LABEL: func.func @factors
// CHECK:         %[[V:.*]] = weld.generic over "8, 4" gives "write d1, d0" {
// CHECK-NOT:       weld.load {{.*}} ""
// CHECK:           weld.mul
// CHECK:           weld.mul
// CHECK:           weld.yield
// CHECK:         weld.generic over "4, 8" gives "scatter_set d0, d1" from %[[V]] {
// CHECK-DAG:       weld.load %x "d1, d0"
// CHECK-DAG:       weld.load %y "d1, d0"
// CHECK-COUNT-2:   weld.select
// CHECK:           weld.or
// CHECK:           weld.yield
func.func @factors(%x: tensor<8x4xf32>, %y: tensor<8x4xf32>) -> tensor<4x8xf32> {
  %c, %e = weld.generic over "8, 4" gives "all", "any" {
    %0 = weld.load %x "d0, d1" : tensor<8x4xf32>
    %1 = weld.constant 0.0 : f32
    %2 = weld.gt %0, %1 : f32
    weld.yield %2, %2 : i1, i1
  } : tensor<i1>, tensor<i1>
  %g = weld.generic over "8, 4" gives "write d1, d0" {
    %0 = weld.load %x "d0, d1" : tensor<8x4xf32>
    %1 = weld.load %y "d0, d1" : tensor<8x4xf32>
    %2 = weld.load %c "" : tensor<i1>
    %3 = weld.load %e "" : tensor<i1>
    %4 = weld.constant 0.0 : f32
    %5 = weld.constant 1.0 : f32
    %6 = weld.select %2, %5, %4 : (i1, f32, f32) -> f32
    %7 = weld.select %3, %4, %1 : (i1, f32, f32) -> f32
    %8 = weld.mul %0, %6 : f32
    %9 = weld.mul %8, %7 : f32
    weld.yield %9 : f32
  } : tensor<4x8xf32>
  func.return %g : tensor<4x8xf32>
}

// deferred: of two values that move, that of the usual case; what a single element decides is not usual
// CHECK-LABEL: func.func @usual
// CHECK:         %[[V:.*]] = weld.generic over "8" gives "write d0" {
// CHECK-NEXT:      %[[Y:.*]] = weld.load %y "d0"
// CHECK-NEXT:      weld.yield %[[Y]]
// CHECK:         weld.generic over "8" gives "scatter_set d0" from %[[V]] {
// CHECK:           %[[X:.*]] = weld.load %x "d0"
// CHECK:           weld.yield %[[X]], %{{.*}} : f32, i1
func.func @usual(%x: tensor<8xf32>, %y: tensor<8xf32>) -> tensor<8xf32> {
  %c = weld.generic over "8" gives "any" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.is_nan %0 : f32
    weld.yield %1 : i1
  } : tensor<i1>
  %g = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.load %y "d0" : tensor<8xf32>
    %2 = weld.load %c "" : tensor<i1>
    %3 = weld.select %2, %0, %1 : (i1, f32, f32) -> f32
    weld.yield %3 : f32
  } : tensor<8xf32>
  func.return %g : tensor<8xf32>
}

// not deferred: the usual value waits, and is no gate
// CHECK-LABEL: func.func @scale
// CHECK-NOT:     scatter_set
// CHECK:         func.return
func.func @scale(%x: tensor<8xf32>) -> tensor<8xf32> {
  %m = weld.generic over "8" gives "max" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    weld.yield %0 : f32
  } : tensor<f32>
  %g = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.load %m "" : tensor<f32>
    %2 = weld.constant 0.0 : f32
    %3 = weld.constant 1.0 : f32
    %4 = weld.eq %1, %2 : f32
    %5 = weld.select %4, %3, %1 : (i1, f32, f32) -> f32
    %6 = weld.div %0, %5 : f32
    weld.yield %6 : f32
  } : tensor<8xf32>
  func.return %g : tensor<8xf32>
}

// not deferred: the condition is there before the loop
// CHECK-LABEL: func.func @known
// CHECK-NOT:     scatter_set
// CHECK:         func.return
func.func @known(%x: tensor<8xf32>, %c: tensor<i1>) -> tensor<8xf32> {
  %g = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.load %c "" : tensor<i1>
    %2 = weld.constant 0.0 : f32
    %3 = weld.select %1, %0, %2 : (i1, f32, f32) -> f32
    weld.yield %3 : f32
  } : tensor<8xf32>
  func.return %g : tensor<8xf32>
}

// not deferred: the values need the maximum too
// CHECK-LABEL: func.func @needed
// CHECK-NOT:     scatter_set
// CHECK:         func.return
func.func @needed(%x: tensor<8xf32>) -> tensor<8xf32> {
  %c = weld.generic over "8" gives "max" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    weld.yield %0 : f32
  } : tensor<f32>
  %g = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.load %c "" : tensor<f32>
    %2 = weld.constant 0.0 : f32
    %3 = weld.gt %1, %2 : f32
    %4 = weld.sub %0, %1 : f32
    %5 = weld.select %3, %4, %2 : (i1, f32, f32) -> f32
    weld.yield %5 : f32
  } : tensor<8xf32>
  func.return %g : tensor<8xf32>
}

// not deferred: another loop reads what the gate lets through
// CHECK-LABEL: func.func @read
// CHECK-NOT:     scatter_set
// CHECK:         func.return
func.func @read(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<f32>) {
  %c = weld.generic over "8" gives "max" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    weld.yield %0 : f32
  } : tensor<f32>
  %g = weld.generic over "8" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<8xf32>
    %1 = weld.load %c "" : tensor<f32>
    %2 = weld.constant 0.0 : f32
    %3 = weld.gt %1, %2 : f32
    %4 = weld.select %3, %0, %2 : (i1, f32, f32) -> f32
    weld.yield %4 : f32
  } : tensor<8xf32>
  %s = weld.generic over "8" gives "sum" {
    %0 = weld.load %g "d0" : tensor<8xf32>
    weld.yield %0 : f32
  } : tensor<f32>
  func.return %g, %s : tensor<8xf32>, tensor<f32>
}
