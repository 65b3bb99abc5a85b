// RUN: loopweld-opt %s -p convert-linalg-to-weld --split-input-file --verify-diagnostics

func.func @no_weld_form(%x: tensor<4xf32>) -> tensor<4xi32> {
  // expected-error@below {{'arith.bitcast' op has no weld form}}
  %0 = arith.bitcast %x : tensor<4xf32> to tensor<4xi32>
  func.return %0 : tensor<4xi32>
}

// -----

func.func @data_dependent_size(%n: index) -> tensor<?xf32> {
  // expected-error@below {{has a size that neither constants nor the shapes of arguments tell}}
  %0 = tensor.empty(%n) : tensor<?xf32>
  func.return %0 : tensor<?xf32>
}

// -----

func.func @data_dependent_offset(%x: tensor<8xf32>, %n: index) -> tensor<4xf32> {
  // expected-error@below {{needs sizes, offsets and strides that follow from constants and tensor.dim of arguments}}
  %0 = tensor.extract_slice %x[%n] [4] [1] : tensor<8xf32> to tensor<4xf32>
  func.return %0 : tensor<4xf32>
}

// -----

func.func @slice_outside(%x: tensor<8xf32>) -> tensor<4xf32> {
  // expected-error@below {{expects a slice within the tensor}}
  %0 = tensor.extract_slice %x[5] [4] [1] : tensor<8xf32> to tensor<4xf32>
  func.return %0 : tensor<4xf32>
}

// -----

// expected-error@below {{works on buffers; loopweld reads functions on tensors}}
func.func @buffers(%x: memref<4xf32>) {
  linalg.map { math.exp } ins(%x : memref<4xf32>) outs(%x : memref<4xf32>)
  return
}

// -----

func.func @no_meaning(%x: tensor<4xi32>) -> tensor<4xi32> {
  // expected-error@below {{'linalg.exp' op has no meaning on elements of type i32}}
  %0 = linalg.exp ins(%x : tensor<4xi32>) outs(%x : tensor<4xi32>) -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----

// expected-error@below {{has elements of type i4; use f16}}
func.func @element_type(%x: tensor<4xi4>) -> tensor<4xi4> {
  %0 = arith.addi %x, %x : tensor<4xi4>
  func.return %0 : tensor<4xi4>
}

// -----

func.func @no_reduction(%x: tensor<4x8xf32>, %s: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@below {{accumulates result 0 in a way that is no reduction}}
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%s : tensor<4xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %0 = arith.divf %acc, %a : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  func.return %r : tensor<4xf32>
}

// -----

func.func @sizes_differ(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = tensor.cast %x : tensor<?xf32> to tensor<4xf32>
  // expected-error@below {{expects the result type, found sizes 4 and 5 along axis 0}}
  %1 = tensor.cast %x : tensor<?xf32> to tensor<5xf32>
  func.return %x : tensor<?xf32>
}

// -----

func.func @too_many_bits() -> tensor<2xf16> {
  // expected-error@below {{hexadecimal float constant out of range for type f16}}
  %0 = arith.constant dense<[0x13C00, 1.0]> : tensor<2xf16>
  func.return %0 : tensor<2xf16>
}
