// RUN: loopweld-opt %s --split-input-file --verify-each -p "lower-to-loops,annotate-alias-scopes" | filecheck %s

// Kernels that are equal but for tensors, sizes and names have one function.
// CHECK:       func.func private @k0(%x: !loop.buffer<f32>, %{{.*}}: !loop.buffer<f32>, %n: i64)
// CHECK-NOT:   func.func private
// CHECK:       func.func @main(%input0: {{.*}}, %output0: {{.*}}, %input1: {{.*}}, %output1: {{.*}}, %n: i64, %m: i64)
// CHECK-NEXT:    func.call @k0(%input0, %output0, %n)
// CHECK-NEXT:    func.call @k0(%input1, %output1, %m)
// CHECK-NEXT:    func.return
func.func @main(%x: tensor<?xf32, #weld.dims<"n">>, %z: tensor<?xf32, #weld.dims<"m">>) -> (tensor<?xf32, #weld.dims<"n">>, tensor<?xf32, #weld.dims<"m">>) {
  %y = weld.kernel @k0 outer 1 after 0 {
    %0 = weld.generic over "n" gives "write d0" {
      %1 = weld.load %x "n - d0 - 1" : tensor<?xf32, #weld.dims<"n">>
      weld.yield %1 : f32
    } : tensor<?xf32, #weld.dims<"n">>
    weld.yield %0 : tensor<?xf32, #weld.dims<"n">>
  } : tensor<?xf32, #weld.dims<"n">>
  %u = weld.kernel @k1 outer 1 after 0 {
    %0 = weld.generic over "m" gives "write d0" {
      %1 = weld.load %z "m - d0 - 1" : tensor<?xf32, #weld.dims<"m">>
      weld.yield %1 : f32
    } : tensor<?xf32, #weld.dims<"m">>
    weld.yield %0 : tensor<?xf32, #weld.dims<"m">>
  } : tensor<?xf32, #weld.dims<"m">>
  func.return %y, %u : tensor<?xf32, #weld.dims<"n">>, tensor<?xf32, #weld.dims<"m">>
}

// -----

// Another constant is another function, were it only the sign of a zero.
// CHECK:       func.func private @k0
// CHECK:       func.func private @k1
func.func @main(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %y = weld.kernel @k0 outer 1 after 0 {
    %0 = weld.generic over "8" gives "write d0" {
      %1 = weld.load %x "d0" : tensor<8xf32>
      %2 = weld.constant 0.0 : f32
      %3 = weld.div %1, %2 : f32
      weld.yield %3 : f32
    } : tensor<8xf32>
    weld.yield %0 : tensor<8xf32>
  } : tensor<8xf32>
  %z = weld.kernel @k1 outer 1 after 0 {
    %0 = weld.generic over "8" gives "write d0" {
      %1 = weld.load %x "d0" : tensor<8xf32>
      %2 = weld.constant -0.0 : f32
      %3 = weld.div %1, %2 : f32
      weld.yield %3 : f32
    } : tensor<8xf32>
    weld.yield %0 : tensor<8xf32>
  } : tensor<8xf32>
  func.return %y, %z : tensor<8xf32>, tensor<8xf32>
}

// -----

// So is another start of a scatter, and another layout.
// CHECK:       func.func private @k0
// CHECK:       func.func private @k1
// CHECK:       func.func private @k2
func.func @main(%i: tensor<4xi64>, %x: tensor<4xf32>, %w: tensor<4xf32> {weld.strides = #weld.dims<"2">}) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %zero = weld.constant 0.0 : tensor<3xf32>
  %one = weld.constant 1.0 : tensor<3xf32>
  %a = weld.kernel @k0 outer 0 after 0 {
    %0 = weld.generic over "4" gives "scatter_add i0" from %zero {
      %1 = weld.load %i "d0" : tensor<4xi64>
      %2 = weld.load %x "d0" : tensor<4xf32>
      %3 = weld.constant 1 : i1
      weld.yield %2, %3, %1 : f32, i1, i64
    } : tensor<3xf32>
    weld.yield %0 : tensor<3xf32>
  } : tensor<3xf32>
  %b = weld.kernel @k1 outer 0 after 0 {
    %0 = weld.generic over "4" gives "scatter_add i0" from %one {
      %1 = weld.load %i "d0" : tensor<4xi64>
      %2 = weld.load %x "d0" : tensor<4xf32>
      %3 = weld.constant 1 : i1
      weld.yield %2, %3, %1 : f32, i1, i64
    } : tensor<3xf32>
    weld.yield %0 : tensor<3xf32>
  } : tensor<3xf32>
  %c = weld.kernel @k2 outer 0 after 0 {
    %0 = weld.generic over "4" gives "scatter_add i0" from %zero {
      %1 = weld.load %i "d0" : tensor<4xi64>
      %2 = weld.load %w "d0" : tensor<4xf32>
      %3 = weld.constant 1 : i1
      weld.yield %2, %3, %1 : f32, i1, i64
    } : tensor<3xf32>
    weld.yield %0 : tensor<3xf32>
  } : tensor<3xf32>
  func.return %a, %b, %c : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}

// -----

// What one kernel may overwrite and another one may not has its own alias scopes: %y is written where %t is.
// CHECK:       func.func private @k0
// CHECK:         loop.load %{{.*}} {scope = "inputs", noalias = ["buffer0"]}
// CHECK:       func.func private @k1
// CHECK:         loop.load %{{.*}} {scope = "buffer0", noalias = ["inputs"]}
// CHECK:         func.call @k0(%input0, %output0)
// CHECK-NEXT:    func.call @k1(%output0, %output0)
func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
  %t = weld.kernel @k0 outer 1 after 0 {
    %0 = weld.generic over "8" gives "write d0" {
      %1 = weld.load %x "d0" : tensor<8xf32>
      %2 = weld.exp %1 : f32
      weld.yield %2 : f32
    } : tensor<8xf32>
    weld.yield %0 : tensor<8xf32>
  } : tensor<8xf32>
  %y = weld.kernel @k1 outer 1 after 0 {
    %0 = weld.generic over "8" gives "write d0" {
      %1 = weld.load %t "d0" : tensor<8xf32>
      %2 = weld.exp %1 : f32
      weld.yield %2 : f32
    } : tensor<8xf32>
    weld.yield %0 : tensor<8xf32>
  } : tensor<8xf32>
  func.return %y : tensor<8xf32>
}

// -----

// Runs of kernels with the same calls have one function, which takes other memory each time.
// CHECK:       builtin.module attributes {loop.steps = ["main", "library weld.cumsum", "main with slot 0, output 0"]
// CHECK:       func.func private @k0
// CHECK:       func.func @main(%input0: !loop.buffer<f32>, %output0: !loop.buffer<f32>)
// CHECK-NEXT:    func.call @k0(%input0, %output0)
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }
// CHECK-NEXT:{{ *}}}
func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
  %t = weld.kernel @k0 outer 1 after 0 {
    %0 = weld.generic over "8" gives "write d0" {
      %1 = weld.load %x "7 - d0" : tensor<8xf32>
      %2 = weld.exp %1 : f32
      weld.yield %2 : f32
    } : tensor<8xf32>
    weld.yield %0 : tensor<8xf32>
  } : tensor<8xf32>
  %c = "weld.cumsum"(%t) <{axis = 0 : i64}> : (tensor<8xf32>) -> tensor<8xf32>
  %y = weld.kernel @k1 outer 1 after 0 {
    %0 = weld.generic over "8" gives "write d0" {
      %1 = weld.load %c "7 - d0" : tensor<8xf32>
      %2 = weld.exp %1 : f32
      weld.yield %2 : f32
    } : tensor<8xf32>
    weld.yield %0 : tensor<8xf32>
  } : tensor<8xf32>
  func.return %y : tensor<8xf32>
}

// -----

// Rows and numbers in which several kernels differ are arguments: the row from its first element on, the number as an
// element of a table.
// CHECK:       func.func private @k0(%x: !loop.buffer<f32>, %[[NUMBER:.*]]: !loop.buffer<f32>, %{{.*}}: !loop.buffer<f32>)
// CHECK:         %[[ZERO:.*]] = weld.constant 0 : i64
// CHECK:         loop.load %[[NUMBER]][%[[ZERO]]]
// CHECK-NOT:   func.func private
// CHECK:         func.call @k0(%input0, %constant0, %output0)
// CHECK:         %[[ROW:.*]] = loop.subview %input0[%{{.*}}]
// CHECK:         %[[OWN:.*]] = loop.subview %constant0[%{{.*}}]
// CHECK-NEXT:    func.call @k0(%[[ROW]], %[[OWN]], %output1)
func.func @main(%x: tensor<4x9xf32>) -> (tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) {
  %a = weld.kernel @k0 outer 0 after 0 {
    %0 = weld.generic over "9" gives "sum" {
      %1 = weld.load %x "0, d0" : tensor<4x9xf32>
      %2 = weld.constant 1.5 : f32
      %3 = weld.mul %1, %2 : f32
      weld.yield %3 : f32
    } : tensor<f32>
    weld.yield %0 : tensor<f32>
  } : tensor<f32>
  %b = weld.kernel @k1 outer 0 after 0 {
    %0 = weld.generic over "9" gives "sum" {
      %1 = weld.load %x "1, d0" : tensor<4x9xf32>
      %2 = weld.constant 2.5 : f32
      %3 = weld.mul %1, %2 : f32
      weld.yield %3 : f32
    } : tensor<f32>
    weld.yield %0 : tensor<f32>
  } : tensor<f32>
  %c = weld.kernel @k2 outer 0 after 0 {
    %0 = weld.generic over "9" gives "sum" {
      %1 = weld.load %x "2, d0" : tensor<4x9xf32>
      %2 = weld.constant 3.5 : f32
      %3 = weld.mul %1, %2 : f32
      weld.yield %3 : f32
    } : tensor<f32>
    weld.yield %0 : tensor<f32>
  } : tensor<f32>
  %d = weld.kernel @k3 outer 0 after 0 {
    %0 = weld.generic over "9" gives "sum" {
      %1 = weld.load %x "3, d0" : tensor<4x9xf32>
      %2 = weld.constant 4.5 : f32
      %3 = weld.mul %1, %2 : f32
      weld.yield %3 : f32
    } : tensor<f32>
    weld.yield %0 : tensor<f32>
  } : tensor<f32>
  func.return %a, %b, %c, %d : tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>
}
