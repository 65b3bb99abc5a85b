// RUN: loopweld-opt %s -p resolve-shapes,generalize,form-kernels,plan-buffers | filecheck %s

// A chain of temporaries: each has the memory of the one before the last, and the result's is one of the two.
// CHECK-LABEL: func.func @chain
// CHECK-SAME: arena = ["4 * n bytes"]
func.func @chain(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">> {
  // CHECK: places = ["slot 0"]
  // CHECK: places = ["output 0"]
  // CHECK: places = ["slot 0"]
  // CHECK: places = ["output 0"]
  %a = "weld.cumsum"(%x) <{axis = 0 : i64}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  %b = "weld.cumsum"(%a) <{axis = 0 : i64}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  %c = "weld.cumsum"(%b) <{axis = 0 : i64}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  %d = "weld.cumsum"(%c) <{axis = 0 : i64}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  func.return %d : tensor<?xf32, #weld.dims<"n">>
}

// Each step overwrites the one before, element by element, in the memory of the result.
// CHECK-LABEL: func.func @in_place
// CHECK-SAME: arena = []
func.func @in_place(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">> {
  // CHECK: places = ["output 0"]
  // CHECK: places = ["output 0"]
  %a = "weld.cumsum"(%x) <{axis = 0 : i64}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  %b = weld.exp %a : tensor<?xf32, #weld.dims<"n">>
  func.return %b : tensor<?xf32, #weld.dims<"n">>
}

// Reversed, the first element would be overwritten before it is read.
// CHECK-LABEL: func.func @shifted
// CHECK-SAME: arena = ["4 * n bytes"]
func.func @shifted(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">> {
  // CHECK: places = ["slot 0"]
  // CHECK: places = ["output 0"]
  %a = "weld.cumsum"(%x) <{axis = 0 : i64}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  %b = "weld.reverse"(%a) <{axes = array<i64: 0>}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  %c = weld.exp %b : tensor<?xf32, #weld.dims<"n">>
  func.return %c : tensor<?xf32, #weld.dims<"n">>
}

// A row is read whole, also backwards, before it is written.
// CHECK-LABEL: func.func @rows
// CHECK-SAME: arena = [], donations = ["output 0 over input 0"]
func.func @rows(%x: tensor<?x8xf32, #weld.dims<"n, 8">> {weld.donated}) -> tensor<?x8xf32, #weld.dims<"n, 8">> {
  %0 = weld.kernel @rows outer 1 after 0 {
    %1 = weld.generic over "n, 8" gives "sum d0" {
      %2 = weld.load %x "d0, 7 - d1" : tensor<?x8xf32, #weld.dims<"n, 8">>
      weld.yield %2 : f32
    } : tensor<?xf32, #weld.dims<"n">>
    %3 = weld.generic over "n, 8" gives "write d0, d1" {
      %4 = weld.load %1 "d0" : tensor<?xf32, #weld.dims<"n">>
      %5 = weld.load %x "d0, d1" : tensor<?x8xf32, #weld.dims<"n, 8">>
      %6 = weld.div %5, %4 : f32
      weld.yield %6 : f32
    } : tensor<?x8xf32, #weld.dims<"n, 8">>
    weld.yield %3 : tensor<?x8xf32, #weld.dims<"n, 8">>
  } : tensor<?x8xf32, #weld.dims<"n, 8">>
  func.return %0 : tensor<?x8xf32, #weld.dims<"n, 8">>
}

// Another row may have been written already.
// CHECK-LABEL: func.func @other_rows
// CHECK-SAME: arena = []}
func.func @other_rows(%x: tensor<?x8xf32, #weld.dims<"n, 8">> {weld.donated}) -> tensor<?x8xf32, #weld.dims<"n, 8">> {
  %0 = weld.kernel @other_rows outer 1 after 0 {
    %1 = weld.generic over "n, 8" gives "sum d0" {
      %2 = weld.load %x "n - d0 - 1, d1" : tensor<?x8xf32, #weld.dims<"n, 8">>
      weld.yield %2 : f32
    } : tensor<?xf32, #weld.dims<"n">>
    %3 = weld.generic over "n, 8" gives "write d0, d1" {
      %4 = weld.load %1 "d0" : tensor<?xf32, #weld.dims<"n">>
      %5 = weld.load %x "d0, d1" : tensor<?x8xf32, #weld.dims<"n, 8">>
      %6 = weld.div %5, %4 : f32
      weld.yield %6 : f32
    } : tensor<?x8xf32, #weld.dims<"n, 8">>
    weld.yield %3 : tensor<?x8xf32, #weld.dims<"n, 8">>
  } : tensor<?x8xf32, #weld.dims<"n, 8">>
  func.return %0 : tensor<?x8xf32, #weld.dims<"n, 8">>
}

// A later generic of the kernel would read what is overwritten by then.
// CHECK-LABEL: func.func @read_again
// CHECK-SAME: arena = []}
func.func @read_again(%x: tensor<?x8xf32, #weld.dims<"n, 8">> {weld.donated}) -> (tensor<?x8xf32, #weld.dims<"n, 8">>, tensor<?xf32, #weld.dims<"n">>) {
  %0, %1 = weld.kernel @read_again outer 1 after 0 {
    %2 = weld.generic over "n, 8" gives "write d0, d1" {
      %3 = weld.load %x "d0, d1" : tensor<?x8xf32, #weld.dims<"n, 8">>
      %4 = weld.exp %3 : f32
      weld.yield %4 : f32
    } : tensor<?x8xf32, #weld.dims<"n, 8">>
    %5 = weld.generic over "n, 8" gives "sum d0" {
      %6 = weld.load %x "d0, d1" : tensor<?x8xf32, #weld.dims<"n, 8">>
      weld.yield %6 : f32
    } : tensor<?xf32, #weld.dims<"n">>
    weld.yield %2, %5 : tensor<?x8xf32, #weld.dims<"n, 8">>, tensor<?xf32, #weld.dims<"n">>
  } : tensor<?x8xf32, #weld.dims<"n, 8">>, tensor<?xf32, #weld.dims<"n">>
  func.return %0, %1 : tensor<?x8xf32, #weld.dims<"n, 8">>, tensor<?xf32, #weld.dims<"n">>
}

// Donated arguments: %x is not of the result's type, %y is needed later, %z is free.
// CHECK-LABEL: func.func @donated
// CHECK-SAME: donations = ["output 0 over input 2"]
func.func @donated(%x: tensor<?xi32, #weld.dims<"n">> {weld.donated}, %y: tensor<?xf32, #weld.dims<"n">> {weld.donated}, %z: tensor<?xf32, #weld.dims<"n">> {weld.donated}) -> (tensor<?xf32, #weld.dims<"n">>, tensor<f32>) {
  %0 = weld.add %y, %z : tensor<?xf32, #weld.dims<"n">>
  %1 = "weld.cumsum"(%0) <{axis = 0 : i64}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  %2 = weld.mul %1, %y : tensor<?xf32, #weld.dims<"n">>
  %3 = "weld.sum"(%2) <{axes = array<i64: 0>}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<f32>
  func.return %0, %3 : tensor<?xf32, #weld.dims<"n">>, tensor<f32>
}

// Memory of the caller's that is not dense holds nothing else: the temporary has a slot.
// CHECK-LABEL: func.func @strided
// CHECK-SAME: arena = ["4 * n bytes"]
func.func @strided(%x: tensor<?xf32, #weld.dims<"n">>) -> (tensor<?xf32, #weld.dims<"n">> {weld.strides = #weld.dims<"t">}) {
  // CHECK: places = ["slot 0"]
  // CHECK: places = ["output 0"]
  %a = "weld.cumsum"(%x) <{axis = 0 : i64}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  %b = weld.exp %a : tensor<?xf32, #weld.dims<"n">>
  func.return %b : tensor<?xf32, #weld.dims<"n">>
}
