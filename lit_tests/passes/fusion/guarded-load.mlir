// A load that reads nothing is 0; so is the value that is computed in its place (cos(0) would be 1).
// RUN: loopweld-opt %s -p fuse-producers,absorb-reductions | filecheck %s

// CHECK-LABEL: func.func @guarded_load
// CHECK:           weld.load %x "d0 if d0 - 1 >= 0"
// CHECK-NEXT:      %[[VALUE:.*]] = weld.cos
// CHECK:           %[[PLACED:.*]] = weld.select %{{.*}}, %[[VALUE]], %{{.*}}
// CHECK-NEXT:      weld.yield %[[PLACED]]
func.func @guarded_load(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = weld.generic over "4" gives "write d0" {
    %0 = weld.load %x "d0" : tensor<4xf32>
    %1 = weld.cos %0 : f32
    weld.yield %1 : f32
  } : tensor<4xf32>
  %b = weld.generic over "4" gives "write d0" {
    %0 = weld.load %a "d0 if d0 - 1 >= 0" : tensor<4xf32>
    weld.yield %0 : f32
  } : tensor<4xf32>
  func.return %b : tensor<4xf32>
}
