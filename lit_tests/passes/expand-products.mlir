// RUN: loopweld-opt %s -p resolve-shapes,expand-products | filecheck %s
// A fixed point: a second run changes nothing.
// RUN: loopweld-opt %s -p resolve-shapes,expand-products,expand-products | filecheck %s
// One loop, no matrix in memory.
// RUN: loopweld-opt %s -p resolve-shapes,expand-products,generalize,fuse-producers,absorb-reductions | filecheck %s --check-prefix=FUSED

// expands: the matrix is computed
// CHECK-LABEL: func.func @matrix_vector
// CHECK-NEXT:    %[[K:.*]] = weld.exp %x
// CHECK-NEXT:    %[[V:.*]] = "weld.reshape"(%v) {{.*}} -> tensor<9xf32>
// CHECK-NEXT:    %[[W:.*]] = "weld.broadcast"(%[[V]]) <{axes = array<i64: 1>, {{.*}} -> tensor<8x9xf32>
// CHECK-NEXT:    %[[P:.*]] = weld.mul %[[K]], %[[W]]
// CHECK-NEXT:    %[[S:.*]] = "weld.sum"(%[[P]]) <{axes = array<i64: 1>}>
// CHECK-NEXT:    %[[Y:.*]] = "weld.reshape"(%[[S]]) {{.*}} -> tensor<8x1xf32>
// CHECK-NEXT:    func.return %[[Y]]
// FUSED-LABEL: func.func @matrix_vector
// FUSED-NEXT:    weld.generic over "8, 9" gives "sum d0" {
// FUSED-NEXT:      weld.load %x "d0, d1"
// FUSED-NEXT:      weld.exp
// FUSED-NEXT:      weld.load %v "d1, 0"
// FUSED-NEXT:      weld.mul
func.func @matrix_vector(%x: tensor<8x9xf32>, %v: tensor<9x1xf32>) -> tensor<8x1xf32> {
  %k = weld.exp %x : tensor<8x9xf32>
  %y = "weld.matmul"(%k, %v) : (tensor<8x9xf32>, tensor<9x1xf32>) -> tensor<8x1xf32>
  func.return %y : tensor<8x1xf32>
}

// expands: a row vector
// CHECK-LABEL: func.func @vector_matrix
// CHECK:         "weld.broadcast"({{.*}}) <{axes = array<i64: 0>, {{.*}} -> tensor<8x9xf32>
// CHECK:         "weld.sum"({{.*}}) <{axes = array<i64: 0>}>
// CHECK-NEXT:    "weld.reshape"({{.*}}) {{.*}} -> tensor<1x9xf32>
func.func @vector_matrix(%x: tensor<8x9xf32>, %v: tensor<1x8xf32>) -> tensor<1x9xf32> {
  %k = weld.exp %x : tensor<8x9xf32>
  %y = "weld.matmul"(%v, %k) : (tensor<1x8xf32>, tensor<8x9xf32>) -> tensor<1x9xf32>
  func.return %y : tensor<1x9xf32>
}

// expands: batches of a size that is known at the call
// CHECK-LABEL: func.func @batches
// CHECK:         "weld.broadcast"({{.*}}) <{axes = array<i64: 0, 2>, {{.*}} -> tensor<?x8x9xf32
// CHECK:         "weld.sum"({{.*}}) <{axes = array<i64: 2>}>
// CHECK-NOT:     weld.matmul
func.func @batches(%x: tensor<?x8x9xf32>, %v: tensor<?x9x1xf32>) -> tensor<?x8x1xf32> {
  %k = weld.exp %x : tensor<?x8x9xf32>
  %y = "weld.matmul"(%k, %v) : (tensor<?x8x9xf32>, tensor<?x9x1xf32>) -> tensor<?x8x1xf32>
  func.return %y : tensor<?x8x1xf32>
}

// expands: float16 is multiplied and summed in float32 and rounded once
// CHECK-LABEL: func.func @half
// CHECK:         weld.mul {{.*}} : tensor<8x9xf32>
// CHECK-NEXT:    weld.sum
// CHECK-NEXT:    weld.cast {{.*}} : (tensor<8xf32>) -> tensor<8xf16>
func.func @half(%x: tensor<8x9xf16>, %v: tensor<9x1xf16>) -> tensor<8x1xf16> {
  %k = weld.exp %x : tensor<8x9xf16>
  %y = "weld.matmul"(%k, %v) : (tensor<8x9xf16>, tensor<9x1xf16>) -> tensor<8x1xf16>
  func.return %y : tensor<8x1xf16>
}

// expands: no memory has the elements of a slice with steps, or of a transposed one, as a library call wants them
// CHECK-LABEL: func.func @view
// CHECK-NOT:     weld.matmul
// CHECK:         func.return
func.func @view(%x: tensor<16x8xf32>, %v: tensor<8x1xf32>) -> tensor<8x1xf32> {
  %s = "weld.slice"(%x) <{start = #weld.dims<"15, 0">, size = #weld.dims<"8, 8">, step = #weld.dims<"-2, 1">}> : (tensor<16x8xf32>) -> tensor<8x8xf32>
  %t = "weld.transpose"(%s) <{permutation = array<i64: 1, 0>}> : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %y = "weld.matmul"(%t, %v) : (tensor<8x8xf32>, tensor<8x1xf32>) -> tensor<8x1xf32>
  func.return %y : tensor<8x1xf32>
}

// must not: the matrix is an argument, in its own order or in the other one; a library call reads it once too
// CHECK-LABEL: func.func @argument
// CHECK-COUNT-2: weld.matmul
func.func @argument(%x: tensor<8x9xf32>, %v: tensor<9x1xf32>, %w: tensor<8x1xf32>) -> (tensor<8x1xf32>, tensor<9x1xf32>) {
  %e = weld.exp %v : tensor<9x1xf32>
  %y = "weld.matmul"(%x, %e) : (tensor<8x9xf32>, tensor<9x1xf32>) -> tensor<8x1xf32>
  %t = "weld.transpose"(%x) <{permutation = array<i64: 1, 0>}> : (tensor<8x9xf32>) -> tensor<9x8xf32>
  %z = "weld.matmul"(%t, %w) : (tensor<9x8xf32>, tensor<8x1xf32>) -> tensor<9x1xf32>
  func.return %y, %z : tensor<8x1xf32>, tensor<9x1xf32>
}

// must not: two columns
// CHECK-LABEL: func.func @columns
// CHECK:         weld.matmul
func.func @columns(%x: tensor<8x9xf32>, %v: tensor<9x2xf32>) -> tensor<8x2xf32> {
  %k = weld.exp %x : tensor<8x9xf32>
  %y = "weld.matmul"(%k, %v) : (tensor<8x9xf32>, tensor<9x2xf32>) -> tensor<8x2xf32>
  func.return %y : tensor<8x2xf32>
}

// must not: what no loop can compute, the result of a call and sums, is in memory in any case
// CHECK-LABEL: func.func @stored
// CHECK-COUNT-3: weld.matmul
func.func @stored(%x: tensor<8x8xf32>, %z: tensor<3x8x8xf32>, %v: tensor<8x1xf32>) -> (tensor<8x1xf32>, tensor<8x1xf32>) {
  %a = "weld.matmul"(%x, %x) : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %y = "weld.matmul"(%a, %v) : (tensor<8x8xf32>, tensor<8x1xf32>) -> tensor<8x1xf32>
  %s = "weld.sum"(%z) <{axes = array<i64: 0>}> : (tensor<3x8x8xf32>) -> tensor<8x8xf32>
  %u = "weld.matmul"(%s, %v) : (tensor<8x8xf32>, tensor<8x1xf32>) -> tensor<8x1xf32>
  func.return %y, %u : tensor<8x1xf32>, tensor<8x1xf32>
}

// must not: loops hold no complex numbers
// CHECK-LABEL: func.func @complex
// CHECK:         weld.matmul
func.func @complex(%x: tensor<8x9xcomplex<f32>>, %v: tensor<9x1xcomplex<f32>>) -> tensor<8x1xcomplex<f32>> {
  %k = weld.exp %x : tensor<8x9xcomplex<f32>>
  %y = "weld.matmul"(%k, %v) : (tensor<8x9xcomplex<f32>>, tensor<9x1xcomplex<f32>>) -> tensor<8x1xcomplex<f32>>
  func.return %y : tensor<8x1xcomplex<f32>>
}
