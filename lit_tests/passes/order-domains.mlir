// RUN: loopweld-opt %s --verify-each -p order-domains | filecheck %s
// RUN: loopweld-opt %s -p order-domains,order-domains | filecheck %s

// The loop walks along the memory that it reads, and so does what it writes; the caller gets a view.
// CHECK-LABEL: func.func @follows
// CHECK-NEXT:    %[[Y:.*]] = weld.generic over "4, 9" gives "write d0, d1" {
// CHECK-NEXT:      weld.load %x "d0, d1"
// CHECK:         } : tensor<4x9xf32>
// CHECK-NEXT:    %[[V:.*]] = "weld.transpose"(%[[Y]]) <{permutation = array<i64: 1, 0>}>
// CHECK-NEXT:    func.return %[[V]]
func.func @follows(%x: tensor<4x9xf32>) -> tensor<9x4xf32> attributes {weld.any_layout} {
  %y = weld.generic over "9, 4" gives "write d0, d1" {
    %0 = weld.load %x "d1, d0" : tensor<4x9xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<9x4xf32>
  func.return %y : tensor<9x4xf32>
}

// Where the caller expects rows, one of the two is walked across: nothing is gained.
// CHECK-LABEL: func.func @rows
// CHECK-NEXT:    weld.generic over "9, 4" gives "write d0, d1" {
// CHECK-NEXT:      weld.load %x "d1, d0"
func.func @rows(%x: tensor<4x9xf32>) -> tensor<9x4xf32> {
  %y = weld.generic over "9, 4" gives "write d0, d1" {
    %0 = weld.load %x "d1, d0" : tensor<4x9xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<9x4xf32>
  func.return %y : tensor<9x4xf32>
}

// The larger one decides.
// CHECK-LABEL: func.func @heavier
// CHECK-NEXT:    %[[Z:.*]] = weld.generic over "4, 9" gives "write d1, d0" {
// CHECK-NEXT:      weld.load %x "d0, d1" : tensor<4x9xf64>
// CHECK:         func.return %[[Z]] : tensor<9x4xf32>
func.func @heavier(%x: tensor<4x9xf64>, %y: tensor<9x4xf32>) -> tensor<9x4xf32> {
  %z = weld.generic over "9, 4" gives "write d0, d1" {
    %0 = weld.load %x "d1, d0" : tensor<4x9xf64>
    %1 = weld.cast %0 : (f64) -> f32
    weld.yield %1 : f32
  } : tensor<9x4xf32>
  func.return %z : tensor<9x4xf32>
}

// CHECK-LABEL: func.func @tie
// CHECK-NEXT:    weld.generic over "9, 4" gives "sum d0" {
func.func @tie(%x: tensor<4x9xf32>, %y: tensor<9x4xf32>) -> tensor<9xf32> {
  %z = weld.generic over "9, 4" gives "sum d0" {
    %0 = weld.load %x "d1, d0" : tensor<4x9xf32>
    %1 = weld.load %y "d0, d1" : tensor<9x4xf32>
    %2 = weld.mul %0, %1 : f32
    weld.yield %2 : f32
  } : tensor<9xf32>
  func.return %z : tensor<9xf32>
}

// A tensor between loops follows them, and all loops over it are one way round; the step does not matter.
// CHECK-LABEL: func.func @between
// CHECK-NEXT:    %[[Y:.*]], %[[M:.*]] = weld.generic over "4, 9" gives "write d0, d1", "max d0" {
// CHECK-NEXT:      weld.load %x "-d0 + 3, d1"
// CHECK:         weld.generic over "4, 9" gives "write d0, d1" {
// CHECK-NEXT:      weld.load %[[Y]] "d0, d1" : tensor<4x9xf32>
// CHECK-NEXT:      weld.load %[[M]] "d0" : tensor<4xf32>
func.func @between(%x: tensor<4x9xf32>) -> tensor<9x4xf32> attributes {weld.any_layout} {
  %y, %m = weld.generic over "9, 4" gives "write d0, d1", "max d1" {
    %0 = weld.load %x "-d1 + 3, d0" : tensor<4x9xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1, %1 : f32, f32
  } : tensor<9x4xf32>, tensor<4xf32>
  %z = weld.generic over "9, 4" gives "write d0, d1" {
    %2 = weld.load %y "d0, d1" : tensor<9x4xf32>
    %3 = weld.load %m "d1" : tensor<4xf32>
    %4 = weld.sub %2, %3 : f32
    weld.yield %4 : f32
  } : tensor<9x4xf32>
  func.return %z : tensor<9x4xf32>
}

// A call takes the view.
// CHECK-LABEL: func.func @call
// CHECK-NEXT:    %[[Y:.*]] = weld.generic over "4, 9" gives "write d0, d1" {
// CHECK:         %[[V:.*]] = "weld.transpose"(%[[Y]])
// CHECK-NEXT:    "weld.matmul"(%[[V]], %x)
func.func @call(%x: tensor<4x9xf32>) -> tensor<9x9xf32> {
  %y = weld.generic over "9, 4" gives "write d0, d1" {
    %0 = weld.load %x "d1, d0" : tensor<4x9xf32>
    %1 = weld.exp %0 : f32
    weld.yield %1 : f32
  } : tensor<9x4xf32>
  %z = "weld.matmul"(%y, %x) : (tensor<9x4xf32>, tensor<4x9xf32>) -> tensor<9x9xf32>
  func.return %z : tensor<9x9xf32>
}

// Another shape of the result is another shape of the memory, unless it puts dims together that are no neighbours there.
// CHECK-LABEL: func.func @kept_dims
// CHECK-NEXT:    %[[A:.*]], %[[B:.*]] = weld.generic over "4, 9, 5" gives "sum d0, d1", "max d1, d0" {
// CHECK:         %[[R:.*]] = "weld.reshape"(%[[A]]) <{shape = #weld.dims<"1, 4, 9">}>
// CHECK-NEXT:    "weld.transpose"(%[[R]]) <{permutation = array<i64: 2, 0, 1>}>
// CHECK-NEXT:    "weld.reshape"(%[[B]]) <{shape = #weld.dims<"36">}> : (tensor<9x4xf32>)
func.func @kept_dims(%x: tensor<4x9x5xf32>) -> (tensor<9x1x4xf32>, tensor<36xf32>) attributes {weld.any_layout} {
  %a, %b = weld.generic over "9, 5, 4" gives "sum d0, d2", "max d0, d2" {
    %0 = weld.load %x "d2, d0, d1" : tensor<4x9x5xf32>
    weld.yield %0, %0 : f32, f32
  } : tensor<9x4xf32>, tensor<9x4xf32>
  %c = "weld.reshape"(%a) <{shape = #weld.dims<"9, 1, 4">}> : (tensor<9x4xf32>) -> tensor<9x1x4xf32>
  %d = "weld.reshape"(%b) <{shape = #weld.dims<"36">}> : (tensor<9x4xf32>) -> tensor<36xf32>
  func.return %c, %d : tensor<9x1x4xf32>, tensor<36xf32>
}

// The last one of a repeated index stays the last one.
// CHECK-LABEL: func.func @scatters
// CHECK-NEXT:    weld.generic over "9, 4" gives "scatter_set i0" from %t {
func.func @scatters(%t: tensor<4xf32>, %x: tensor<4x9xf32>, %i: tensor<9xi64>) -> tensor<4xf32> {
  %y = weld.generic over "9, 4" gives "scatter_set i0" from %t {
    %0 = weld.load %x "d1, d0" : tensor<4x9xf32>
    %1 = weld.load %i "d0" : tensor<9xi64>
    %2 = weld.inside "d0 >= 0"
    weld.yield %0, %2, %1 : f32, i1, i64
  } : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// An argument with one element for a whole axis has no say in that axis.
// CHECK-LABEL: func.func @stands_still
// CHECK-NEXT:    weld.generic over "9, 4" gives "sum" {
func.func @stands_still(%x: tensor<4x9xf32> {weld.strides = #weld.dims<"0, 1">}, %y: tensor<9x4xf32>) -> tensor<f32> {
  %z = weld.generic over "9, 4" gives "sum" {
    %0 = weld.load %x "d1, d0" : tensor<4x9xf32>
    weld.yield %0 : f32
  } : tensor<f32>
  func.return %z : tensor<f32>
}
