// RUN: loopweld-opt %s --split-input-file -p 'lower-to-loops{vector-bits=256}' | filecheck %s
// A step is one register of 4 lanes times an unroll; what is left of the size is the body once more, for one register
// under a mask.

// A short body is unrolled, and has a rest.
// CHECK-LABEL: func.func private @short
// CHECK:         loop.for %{{.*}} step 16 "d0" {
// CHECK:         loop.for %{{.*}} step 4 "d0 rest" {
func.func @main(%x: tensor<1004xf64>) -> tensor<1004xf64> {
  %y = weld.kernel @short outer 0 after 0 {
    %0 = weld.generic over "1004" gives "write d0" {
      %1 = weld.load %x "d0" : tensor<1004xf64>
      %2 = weld.neg %1 : f64
      weld.yield %2 : f64
    } : tensor<1004xf64>
    weld.yield %0 : tensor<1004xf64>
  } : tensor<1004xf64>
  func.return %y : tensor<1004xf64>
}

// -----

// A long body takes steps that leave no rest, where the size is known.
// CHECK-LABEL: func.func private @long
// CHECK:         loop.for %{{.*}} step 4 "d0" {
// CHECK-NOT:     rest
// CHECK-LABEL: func.func private @long_even
// CHECK:         loop.for %{{.*}} step 8 "d0" {
// CHECK-NOT:     rest
func.func @main(%x: tensor<1004xf64>, %z: tensor<1000xf64>) -> (tensor<1004xf64>, tensor<1000xf64>) {
  %y = weld.kernel @long outer 0 after 0 {
    %0 = weld.generic over "1004" gives "write d0" {
      %1 = weld.load %x "d0" : tensor<1004xf64>
      %2 = weld.sin %1 : f64
      weld.yield %2 : f64
    } : tensor<1004xf64>
    weld.yield %0 : tensor<1004xf64>
  } : tensor<1004xf64>
  %w = weld.kernel @long_even outer 0 after 0 {
    %0 = weld.generic over "1000" gives "write d0" {
      %1 = weld.load %z "d0" : tensor<1000xf64>
      %2 = weld.sin %1 : f64
      weld.yield %2 : f64
    } : tensor<1000xf64>
    weld.yield %0 : tensor<1000xf64>
  } : tensor<1000xf64>
  func.return %y, %w : tensor<1004xf64>, tensor<1000xf64>
}

// -----

// A gather counts for each of its lanes.
// CHECK-LABEL: func.func private @gathered
// CHECK:         loop.for %{{.*}} step 8 "d0" {
// CHECK-NOT:     rest
func.func @main(%x: tensor<9xf64>, %i: tensor<1000xi64>, %j: tensor<1000xi64>, %k: tensor<1000xi64>,
    %l: tensor<1000xi64>) -> tensor<1000xf64> {
  %y = weld.kernel @gathered outer 0 after 0 {
    %0 = weld.generic over "1000" gives "write d0" {
      %1 = weld.load %i "d0" : tensor<1000xi64>
      %2 = weld.load %x, %1 "i0" : tensor<9xf64>
      %3 = weld.load %j "d0" : tensor<1000xi64>
      %4 = weld.load %x, %3 "i0" : tensor<9xf64>
      %5 = weld.load %k "d0" : tensor<1000xi64>
      %6 = weld.load %x, %5 "i0" : tensor<9xf64>
      %7 = weld.load %l "d0" : tensor<1000xi64>
      %8 = weld.load %x, %7 "i0" : tensor<9xf64>
      %9 = weld.add %2, %4 : f64
      %10 = weld.add %9, %6 : f64
      %11 = weld.add %10, %8 : f64
      weld.yield %11 : f64
    } : tensor<1000xf64>
    weld.yield %0 : tensor<1000xf64>
  } : tensor<1000xf64>
  func.return %y : tensor<1000xf64>
}
