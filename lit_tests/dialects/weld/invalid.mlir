// RUN: loopweld-opt %s --split-input-file --verify-diagnostics

func.func @mixed_types(%x: tensor<3xf32>, %y: tensor<4xf32>) {
  // expected-error@+1 {{weld.add expects operands of one type, found tensor<3xf32> and tensor<4xf32>; broadcast and cast explicitly}}
  %0 = weld.add %x, %y : (tensor<3xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// -----

func.func @wrong_elements(%x: tensor<3xf32>) {
  // expected-error@+1 {{weld.and does not take elements of type f32; it takes signed integer, unsigned integer and bool}}
  %0 = weld.and %x, %x : tensor<3xf32>
  func.return
}

// -----

func.func @too_few_operands(%x: tensor<3xf32>) {
  // expected-error@+1 {{weld.div expects 2 operands, found 1}}
  %0 = weld.div %x : tensor<3xf32>
  func.return
}

// -----

func.func @condition(%x: tensor<3xf32>) {
  // expected-error@+1 {{weld.select expects a bool condition, found tensor<3xf32>}}
  %0 = weld.select %x, %x, %x : tensor<3xf32>
  func.return
}

// -----

func.func @cast_of_shape(%x: tensor<3xf32>) {
  // expected-error@+1 {{weld.cast changes the element type only, found tensor<3xf32> -> tensor<4xf64>}}
  %0 = weld.cast %x : (tensor<3xf32>) -> tensor<4xf64>
  func.return
}

// -----

func.func @constant_out_of_range() {
  // expected-error@+1 {{300 is not a value of i8}}
  %0 = weld.constant 300 : tensor<3xi8>
  func.return
}

// -----

func.func @empty_maximum(%x: tensor<3x0xf32>) {
  // expected-error@+1 {{weld.reduce_max over an empty axis has no value}}
  %0 = "weld.reduce_max"(%x) <{axes = array<i64: 1>}> : (tensor<3x0xf32>) -> tensor<3xf32>
  func.return
}

// -----

func.func @slice_out_of_range(%x: tensor<9xf32>) {
  // expected-error@+1 {{weld.slice reads 8 to 10 of dim 0, which has size 9}}
  %0 = "weld.slice"(%x) <{start = #weld.dims<"8">, size = #weld.dims<"3">, step = #weld.dims<"1">}> : (tensor<9xf32>) -> tensor<3xf32>
  func.return
}

// -----

func.func @reshape(%x: tensor<9xf32>) {
  // expected-error@+1 {{weld.reshape cannot take 9 elements to shape (10) of 10}}
  %0 = "weld.reshape"(%x) <{shape = #weld.dims<"10">}> : (tensor<9xf32>) -> tensor<10xf32>
  func.return
}

// -----

func.func @generic_result(%x: tensor<9xf32>) {
  // expected-error@+1 {{weld.generic has no result kind 'average'}}
  %0 = weld.generic over "9" gives "average" {
    %1 = weld.load %x "d0" : tensor<9xf32>
    weld.yield %1 : f32
  } : tensor<f32>
  func.return
}

// -----

func.func @cut_from_below(%x: tensor<9xf32>) {
  // expected-error@+1 {{weld.generic guard 'd0 - 3 >= 0' does not bound a dim of its own from above}}
  %0 = weld.generic over "9 if d0 - 3 >= 0" gives "sum" {
    %1 = weld.load %x "d0" : tensor<9xf32>
    weld.yield %1 : f32
  } : tensor<f32>
  func.return
}

// -----

func.func @cut_write(%x: tensor<9xf32>) {
  // expected-error@+1 {{weld.generic over a cut domain only reduces}}
  %0 = weld.generic over "9 if 5 - d0 >= 0" gives "write d0" {
    %1 = weld.load %x "d0" : tensor<9xf32>
    weld.yield %1 : f32
  } : tensor<9xf32>
  func.return
}

// -----

func.func @cut_along_result(%x: tensor<9xf32>) {
  // expected-error@+1 {{weld.generic result 'sum d1' moves along a dim that a guard bounds}}
  %0 = weld.generic over "3, 9 if 5 - d1 >= 0" gives "sum d1" {
    %1 = weld.load %x "d1" : tensor<9xf32>
    weld.yield %1 : f32
  } : tensor<9xf32>
  func.return
}

// -----

func.func @cut_twice(%x: tensor<9xf32>) {
  // expected-error@+1 {{weld.generic guards that bound several dims must not depend on each other}}
  %0 = weld.generic over "9, 9 if 5 - d0 >= 0 and d0 - d1 >= 0" gives "sum" {
    %1 = weld.load %x "d1" : tensor<9xf32>
    weld.yield %1 : f32
  } : tensor<f32>
  func.return
}

// -----

func.func private @step(%a: tensor<f64>) -> tensor<f64> {
  func.return %a : tensor<f64>
}

func.func @ends_by_a_number(%x: tensor<1xf64>) -> tensor<1xf64> {
  // expected-error@+1 {{weld.recurrence ends by one bool, not by tensor<1xf64>}}
  %y = weld.recurrence @step(%x) {count = #weld.dims<"9">, starts = array<i64: 0>, reads = array<i64: 0>, writes = array<i64: 0>, rows = #weld.dims<"0, 0">, until = 0 : i64} : (tensor<1xf64>) -> tensor<1xf64>
  func.return %y : tensor<1xf64>
}

// -----

func.func private @step(%a: tensor<f64>) -> tensor<f64> {
  func.return %a : tensor<f64>
}

func.func @ends_by_no_result(%x: tensor<1xf64>) -> tensor<1xf64> {
  // expected-error@+1 {{weld.recurrence needs the number of a result as `until`}}
  %y = weld.recurrence @step(%x) {count = #weld.dims<"9">, starts = array<i64: 0>, reads = array<i64: 0>, writes = array<i64: 0>, rows = #weld.dims<"0, 0">, until = 1 : i64} : (tensor<1xf64>) -> tensor<1xf64>
  func.return %y : tensor<1xf64>
}
