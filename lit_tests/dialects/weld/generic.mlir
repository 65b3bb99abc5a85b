// RUN: loopweld-opt %s | filecheck %s
// RUN: loopweld-opt %s | loopweld-opt | filecheck %s

// CHECK-LABEL: func.func @two_results
// CHECK-NEXT:    %{{.*}}, %{{.*}} = weld.generic over "n, 8" gives "max d0", "write d0, d1" {
// CHECK-NEXT:      %[[X:.*]] = weld.load %{{.*}} "d0, d1" : tensor<?x8xf32, #weld.dims<"n, 8">>
// CHECK-NEXT:      %[[E:.*]] = weld.exp %[[X]] : f32
// CHECK-NEXT:      weld.yield %[[E]], %[[E]] : f32, f32
// CHECK-NEXT:    } : tensor<?xf32, #weld.dims<"n">>, tensor<?x8xf32, #weld.dims<"n, 8">>
func.func @two_results(%x: tensor<?x8xf32, #weld.dims<"n, 8">>) -> tensor<?xf32, #weld.dims<"n">> {
  %m, %y = weld.generic over "n, 8" gives "max d0", "write d0, d1" {
    %0 = weld.load %x "d0, d1" : tensor<?x8xf32, #weld.dims<"n, 8">>
    %1 = weld.exp %0 : f32
    weld.yield %1, %1 : f32, f32
  } : tensor<?xf32, #weld.dims<"n">>, tensor<?x8xf32, #weld.dims<"n, 8">>
  func.return %m : tensor<?xf32, #weld.dims<"n">>
}

// CHECK-LABEL: func.func @guarded_load
// CHECK:           weld.load %{{.*}} "d0 - 1 if d0 - 1 >= 0" : tensor<9xf32>
// CHECK-NEXT:      weld.inside "d0 - 1 >= 0"
// CHECK-NEXT:      weld.index "d0 + 1"
func.func @guarded_load(%x: tensor<9xf32>) -> tensor<10xf32> {
  %y = weld.generic over "10" gives "write d0" {
    %0 = weld.load %x "d0 - 1 if d0 - 1 >= 0" : tensor<9xf32>
    %1 = weld.inside "d0 - 1 >= 0"
    %2 = weld.index "d0 + 1"
    weld.yield %0 : f32
  } : tensor<10xf32>
  func.return %y : tensor<10xf32>
}

// CHECK-LABEL: func.func @indirect
// CHECK-NEXT:    weld.generic over "4" gives "scatter_add i0" from %{{.*}} {
// CHECK:           weld.load %{{.*}}, %{{.*}}, %{{.*}} "i0" : tensor<9xf32>
func.func @indirect(%x: tensor<9xf32>, %i: tensor<4xi64>) -> tensor<9xf32> {
  %y = weld.generic over "4" gives "scatter_add i0" from %x {
    %0 = weld.load %i "d0" : tensor<4xi64>
    %1 = weld.inside "d0 >= 0"
    %2 = weld.load %x, %0, %1 "i0" : tensor<9xf32>
    weld.yield %2, %1, %0 : f32, i1, i64
  } : tensor<9xf32>
  func.return %y : tensor<9xf32>
}

// CHECK-LABEL: func.func @cut
// CHECK-NEXT:    weld.generic over "n, 8 if -8 * d0 - d1 + 29 >= 0" gives "sum d0" {
func.func @cut(%x: tensor<30xf32>) -> tensor<?xf32, #weld.dims<"n">> {
  %y = weld.generic over "n, 8 if 29 - 8 * d0 - d1 >= 0" gives "sum d0" {
    %0 = weld.load %x "8 * d0 + d1" : tensor<30xf32>
    weld.yield %0 : f32
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %y : tensor<?xf32, #weld.dims<"n">>
}
