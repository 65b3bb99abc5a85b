// RUN: loopweld-opt %s | filecheck %s
// RUN: loopweld-opt %s | loopweld-opt | filecheck %s

// CHECK-LABEL: func.func @binary
// CHECK-NEXT:    %{{.*}} = weld.add %{{.*}}, %{{.*}} : tensor<3x4xf32>
// CHECK-NEXT:    %{{.*}} = weld.pow %{{.*}}, %{{.*}} : tensor<3x4xf32>
func.func @binary(%x: tensor<3x4xf32>, %y: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %0 = weld.add %x, %y : tensor<3x4xf32>
  %1 = weld.pow %0, %y : tensor<3x4xf32>
  func.return %1 : tensor<3x4xf32>
}

// A comparison gives bools; the type is written once.
// CHECK-LABEL: func.func @comparison
// CHECK-NEXT:    %{{.*}} = weld.lt %{{.*}}, %{{.*}} : tensor<?xi64, #weld.dims<"n">>
// CHECK-NEXT:    func.return %{{.*}} : tensor<?xi1, #weld.dims<"n">>
func.func @comparison(%x: tensor<?xi64, #weld.dims<"n">>) -> tensor<?xi1, #weld.dims<"n">> {
  %0 = weld.lt %x, %x : tensor<?xi64, #weld.dims<"n">>
  func.return %0 : tensor<?xi1, #weld.dims<"n">>
}

// CHECK-LABEL: func.func @select
// CHECK-NEXT:    %{{.*}} = weld.select %{{.*}}, %{{.*}}, %{{.*}} : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
func.func @select(%c: tensor<4xi1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = weld.select %c, %x, %x : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %0 : tensor<4xf32>
}

// CHECK-LABEL: func.func @select_of_bools
// CHECK-NEXT:    %{{.*}} = weld.select %{{.*}}, %{{.*}}, %{{.*}} : tensor<4xi1>
func.func @select_of_bools(%c: tensor<4xi1>) -> tensor<4xi1> {
  %0 = weld.select %c, %c, %c : tensor<4xi1>
  func.return %0 : tensor<4xi1>
}

// A cast writes both types, also where they are the same.
// CHECK-LABEL: func.func @cast
// CHECK-NEXT:    %{{.*}} = weld.cast %{{.*}} : (tensor<4xi32>) -> tensor<4xf16>
// CHECK-NEXT:    %{{.*}} = weld.cast %{{.*}} : (tensor<4xf16>) -> tensor<4xf16>
func.func @cast(%x: tensor<4xi32>) -> tensor<4xf16> {
  %0 = weld.cast %x : (tensor<4xi32>) -> tensor<4xf16>
  %1 = weld.cast %0 : (tensor<4xf16>) -> tensor<4xf16>
  func.return %1 : tensor<4xf16>
}

// Elementwise ops work on scalars as well.
// CHECK-LABEL: func.func @scalars
// CHECK-NEXT:    %{{.*}} = weld.remainder %{{.*}}, %{{.*}} : ui8
// CHECK-NEXT:    %{{.*}} = weld.left_shift %{{.*}}, %{{.*}} {note = "kept"} : ui8
func.func @scalars(%x: ui8, %y: ui8) -> ui8 {
  %0 = weld.remainder %x, %y : ui8
  %1 = weld.left_shift %0, %y {note = "kept"} : ui8
  func.return %1 : ui8
}

// CHECK-LABEL: func.func @constants
// CHECK-NEXT:    %{{.*}} = weld.constant 0.5 : tensor<4xf32>
// CHECK-NEXT:    %{{.*}} = weld.constant -0.0 : tensor<f64>
// CHECK-NEXT:    %{{.*}} = weld.constant -inf : f32
// CHECK-NEXT:    %{{.*}} = weld.constant nan : f32
// CHECK-NEXT:    %{{.*}} = weld.constant 1.0e+22 : f64
// CHECK-NEXT:    %{{.*}} = weld.constant 18446744073709551615 : tensor<2xui64>
// CHECK-NEXT:    %{{.*}} = weld.constant true : tensor<?xi1, #weld.dims<"n">>
// CHECK-NEXT:    %{{.*}} = weld.constant (0.5, -1.0) : tensor<3xcomplex<f32>>
// CHECK-NEXT:    %{{.*}} = weld.constant dense<[1, 2]> : tensor<2xi32> : tensor<2xi32>
func.func @constants() {
  %0 = weld.constant 0.5 : tensor<4xf32>
  %1 = weld.constant -0.0 : tensor<f64>
  %2 = weld.constant -inf : f32
  %3 = weld.constant nan : f32
  %4 = weld.constant 1.0e+22 : f64
  %5 = weld.constant 18446744073709551615 : tensor<2xui64>
  %6 = weld.constant true : tensor<?xi1, #weld.dims<"n">>
  %7 = weld.constant (0.5, -1.0) : tensor<3xcomplex<f32>>
  %8 = weld.constant dense<[1, 2]> : tensor<2xi32> : tensor<2xi32>
  func.return
}
