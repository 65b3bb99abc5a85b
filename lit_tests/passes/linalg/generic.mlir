// RUN: loopweld-opt %s -p convert-linalg-to-weld | filecheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#column = affine_map<(i, j) -> (j)>
#flip = affine_map<(i, j) -> (j, i)>

// One generic, whatever the maps.
// CHECK-LABEL: func.func @maps
// CHECK-NEXT: weld.generic over "4, 8" gives "write d1, d0" {
// CHECK-NEXT:   weld.load %x "d0, d1" : tensor<4x8xf32>
// CHECK-NEXT:   weld.load %y "d1" : tensor<8xf32>
// CHECK-NEXT:   weld.mul
// CHECK-NEXT:   weld.yield
// CHECK-NEXT: } : tensor<8x4xf32>
// CHECK-NEXT: func.return
func.func @maps(%x: tensor<4x8xf32>, %y: tensor<8xf32>) -> tensor<8x4xf32> {
  %e = tensor.empty() : tensor<8x4xf32>
  %r = linalg.generic {indexing_maps = [#id, #column, #flip], iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<4x8xf32>, tensor<8xf32>) outs(%e : tensor<8x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<8x4xf32>
  func.return %r : tensor<8x4xf32>
}

// The identity that a reduction starts from leaves no op.
// CHECK-LABEL: func.func @sum
// CHECK-NEXT: weld.generic over "4, 8" gives "sum d0" {
// CHECK-NEXT:   weld.load %x "d0, d1"
// CHECK-NEXT:   weld.yield
// CHECK-NEXT: } : tensor<4xf32>
// CHECK-NEXT: func.return
func.func @sum(%x: tensor<4x8xf32>) -> tensor<4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %r = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %0 = arith.addf %acc, %a : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  func.return %r : tensor<4xf32>
}

// Any other start is combined with the result.
// CHECK-LABEL: func.func @start
// CHECK-NEXT: %[[R:.*]] = weld.generic over "4, 8" gives "max d0"
// CHECK: weld.max %s, %[[R]] : tensor<4xf32>
func.func @start(%x: tensor<4x8xf32>, %s: tensor<4xf32>) -> tensor<4xf32> {
  %r = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%s : tensor<4xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %0 = arith.maximumf %acc, %a : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  func.return %r : tensor<4xf32>
}

// Unsigned values are unsigned tensors between casts.
// CHECK-LABEL: func.func @unsigned
// CHECK-NEXT: weld.generic over "4, 8" gives "max d0"
// CHECK-NEXT:   weld.load %x "d0, d1" : tensor<4x8xi32>
// CHECK-NEXT:   weld.cast {{.*}} : (i32) -> ui32
// CHECK: } : tensor<4xui32>
// CHECK-NEXT: weld.cast {{.*}} : (tensor<4xui32>) -> tensor<4xi32>
func.func @unsigned(%x: tensor<4x8xi32>) -> tensor<4xi32> {
  %s = arith.constant dense<0> : tensor<4xi32>
  %r = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xi32>) outs(%s : tensor<4xi32>) {
  ^bb0(%a: i32, %acc: i32):
    %0 = arith.maxui %acc, %a : i32
    linalg.yield %0 : i32
  } -> tensor<4xi32>
  func.return %r : tensor<4xi32>
}

// Sizes are symbols; those that one loop walks are equal.
// CHECK-LABEL: func.func @dynamic
// CHECK-SAME: %x: tensor<?xf32, #weld.dims<"s0">>, %y: tensor<?xf32, #weld.dims<"s0">>
// CHECK-NEXT: weld.generic over "s0" gives "write d0"
func.func @dynamic(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %y, %c0 : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
                       iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf32>, tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<?xf32>
  func.return %r : tensor<?xf32>
}

// A load of a view is a load of its base.
// CHECK-LABEL: func.func @view
// CHECK-NEXT: weld.generic over "3" gives "write d0"
// CHECK-NEXT:   weld.load %x "2 * d0 + 1" : tensor<8xf32>
func.func @view(%x: tensor<8xf32>) -> tensor<3xf32> {
  %s = tensor.extract_slice %x[1] [3] [2] : tensor<8xf32> to tensor<3xf32>
  %e = tensor.empty() : tensor<3xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%s : tensor<3xf32>) outs(%e : tensor<3xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.negf %a : f32
    linalg.yield %0 : f32
  } -> tensor<3xf32>
  func.return %r : tensor<3xf32>
}
