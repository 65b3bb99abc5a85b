// The forms of linalg that upstream takes; each prints as a text that reads back.
// RUN: loopweld-opt %s --verify-roundtrip | filecheck %s
// RUN: loopweld-opt %s --print-op-generic | loopweld-opt | filecheck %s

#maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i)>]
#trait = {indexing_maps = #maps, iterator_types = ["parallel", "reduction"]}

// CHECK-LABEL: func.func @several_results
// CHECK: linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>
// CHECK: } -> (tensor<7x5xf32>, tensor<5xf32>)
func.func @several_results(%x: tensor<5x7xf32>, %t: tensor<7x5xf32>, %o: tensor<5xf32>) {
  %r:2 = linalg.generic #trait ins(%x : tensor<5x7xf32>) outs(%t, %o : tensor<7x5xf32>, tensor<5xf32>) {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %0 = arith.addf %s, %a : f32
    linalg.yield %a, %0 : f32, f32
  } -> (tensor<7x5xf32>, tensor<5xf32>)
  return
}

// CHECK-LABEL: func.func @named
// CHECK: linalg.rsqrt ins(%x : tensor<4xf32>) outs(%o : tensor<4xf32>) -> tensor<4xf32>
// CHECK: linalg.div ins(%x, %o : tensor<4xf32>, tensor<4xf32>) outs(%o : tensor<4xf32>) -> tensor<4xf32>
func.func @named(%x: tensor<4xf32>, %o: tensor<4xf32>) {
  %0 = linalg.rsqrt ins(%x : tensor<4xf32>) outs(%o : tensor<4xf32>) -> tensor<4xf32>
  %1 = linalg.div ins(%x, %o : tensor<4xf32>, tensor<4xf32>) outs(%o : tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK-LABEL: func.func @elementwise
// CHECK: linalg.elementwise kind=#linalg.elementwise_kind<tanh> ins(%x : tensor<4xf32>)
// CHECK: linalg.elementwise kind=#linalg.elementwise_kind<add> indexing_maps = [affine_map<(d0, d1) -> (d1)>
func.func @elementwise(%x: tensor<4xf32>, %y: tensor<3x4xf32>) {
  %0 = linalg.elementwise kind=#linalg.elementwise_kind<tanh> ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>)
    -> tensor<4xf32>
  %1 = linalg.elementwise kind=#linalg.elementwise_kind<add>
    indexing_maps = [affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>]
    ins(%x, %y : tensor<4xf32>, tensor<3x4xf32>) outs(%y : tensor<3x4xf32>) -> tensor<3x4xf32>
  return
}

// The short form of a body is written out: a map's op has the inputs, that of a reduction first the accumulator.
// CHECK-LABEL: func.func @short_forms
// CHECK: linalg.map ins(%x, %y : tensor<3x4xf32>, tensor<3x4xf32>) outs(%y : tensor<3x4xf32>)
// CHECK-NEXT: ([[A:%.+]]: f32, [[B:%.+]]: f32, {{%.+}}: f32)
// CHECK-NEXT: arith.subf [[A]], [[B]] : f32
// CHECK: linalg.reduce ins(%x : tensor<3x4xf32>) outs(%o : tensor<3xf32>) dimensions = [1]
// CHECK-NEXT: ([[C:%.+]]: f32, [[D:%.+]]: f32)
// CHECK-NEXT: arith.addf [[D]], [[C]] : f32
func.func @short_forms(%x: tensor<3x4xf32>, %y: tensor<3x4xf32>, %o: tensor<3xf32>) {
  %0 = linalg.map { arith.subf } ins(%x, %y : tensor<3x4xf32>, tensor<3x4xf32>) outs(%y : tensor<3x4xf32>)
  %1 = linalg.reduce { arith.addf } ins(%x : tensor<3x4xf32>) outs(%o : tensor<3xf32>) dimensions = [1]
  return
}

// CHECK-LABEL: func.func @buffers
// CHECK: linalg.map ins(%x : memref<4xf32>) outs(%x : memref<4xf32>)
// CHECK: linalg.reduce ins(%x : memref<4xf32>) outs(%o : memref<f32>) dimensions = [0]
func.func @buffers(%x: memref<4xf32>, %o: memref<f32>) {
  linalg.map { math.exp } ins(%x : memref<4xf32>) outs(%x : memref<4xf32>)
  linalg.reduce { arith.addf } ins(%x : memref<4xf32>) outs(%o : memref<f32>) dimensions = [0]
  return
}

// CHECK-LABEL: func.func @contractions
// CHECK: linalg.matvec ins(%a, %v : tensor<3x4xf32>, tensor<4xf32>) outs(%o : tensor<3xf32>) -> tensor<3xf32>
// CHECK: linalg.contract indexing_maps = [
func.func @contractions(%a: tensor<3x4xf32>, %v: tensor<4xf32>, %o: tensor<3xf32>) {
  %0 = linalg.matvec ins(%a, %v : tensor<3x4xf32>, tensor<4xf32>) outs(%o : tensor<3xf32>) -> tensor<3xf32>
  %1 = linalg.contract
    indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (k)>, affine_map<(m, k) -> (m)>]
    ins(%a, %v : tensor<3x4xf32>, tensor<4xf32>) outs(%o : tensor<3xf32>) -> tensor<3xf32>
  return
}

// CHECK-LABEL: func.func @tensors_of_conditions
// CHECK: arith.cmpf olt, %x, %x : tensor<4xf32>
// CHECK: arith.select {{%.+}}, %x, %x : tensor<4xi1>, tensor<4xf32>
// CHECK: arith.select %p, %x, %x : tensor<4xf32>
func.func @tensors_of_conditions(%x: tensor<4xf32>, %p: i1) {
  %0 = arith.cmpf olt, %x, %x : tensor<4xf32>
  %1 = arith.select %0, %x, %x : tensor<4xi1>, tensor<4xf32>
  %2 = arith.select %p, %x, %x : tensor<4xf32>
  return
}
