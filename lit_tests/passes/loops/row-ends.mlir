// RUN: loopweld-opt %s --split-input-file --verify-each -p "lower-to-loops{vector-bits=512}" | filecheck %s

// The logarithms of 64 rows' sums are taken together, across the lanes, from where the rows have left their sums.
// CHECK:       func.func private @k0(%x
// CHECK:         loop.for %[[FIRST:.*]] = %{{.*}} to %n step 64 "d0 chunks" {
// CHECK:           %[[LIMIT:.*]] = loop.min %{{.*}}, %n
// CHECK:           loop.for %[[ROW:.*]] = %[[FIRST]] to %[[LIMIT]] step 1 "d0" {
// CHECK:             %[[S:.*]] = loop.reduce "sum"
// CHECK-NEXT:        %[[AT:.*]] = loop.affine "_ + d0" %{{.*}}, %[[ROW]]
// CHECK-NEXT:        loop.store "set" %[[S]] to %[[SUMS:.*]][%[[AT]]]
// CHECK-NEXT:        loop.yield
// CHECK:           loop.for %[[ROW:.*]] = %[[FIRST]] to %[[LIMIT]] step 16 "d0 rest" {
// CHECK:             %[[MASK:.*]] = loop.first_lanes
// CHECK:             %[[S:.*]] = loop.load %[[SUMS]][%{{.*}}] if %[[MASK]]
// CHECK-NEXT:        %[[L:.*]] = weld.log %[[S]] : vector<16xf32>
// CHECK-NEXT:        loop.store "set" %[[L]] to %l[%[[ROW]]] if %[[MASK]]
func.func @main(%x: tensor<?x48xf32, #weld.dims<"n, 48">>) -> tensor<?xf32, #weld.dims<"n">> {
  %out = weld.kernel @k0 outer 1 after 0 {
    %s = weld.generic over "n, 48" gives "sum d0" {
      %0 = weld.load %x "d0, d1" : tensor<?x48xf32, #weld.dims<"n, 48">>
      weld.yield %0 : f32
    } : tensor<?xf32, #weld.dims<"n">>
    %l = weld.generic over "n" gives "write d0" {
      %0 = weld.load %s "d0" : tensor<?xf32, #weld.dims<"n">>
      %1 = weld.log %0 : f32
      weld.yield %1 : f32
    } : tensor<?xf32, #weld.dims<"n">>
    weld.yield %l : tensor<?xf32, #weld.dims<"n">>
  } : tensor<?xf32, #weld.dims<"n">>
  func.return %out : tensor<?xf32, #weld.dims<"n">>
}

// -----

// Not what is cheap, nor what a later walk over the row reads.
// CHECK-LABEL: func.func private @k1(
// CHECK-NOT:     chunks
// CHECK-LABEL: func.func private @k2(
// CHECK-NOT:     chunks
// CHECK:       func.func @main
func.func @main(%x: tensor<?x48xf32, #weld.dims<"n, 48">>) -> (tensor<?xf32, #weld.dims<"n">>, tensor<?x48xf32, #weld.dims<"n, 48">>) {
  %a = weld.kernel @k1 outer 1 after 0 {
    %s = weld.generic over "n, 48" gives "sum d0" {
      %0 = weld.load %x "d0, d1" : tensor<?x48xf32, #weld.dims<"n, 48">>
      weld.yield %0 : f32
    } : tensor<?xf32, #weld.dims<"n">>
    %l = weld.generic over "n" gives "write d0" {
      %0 = weld.load %s "d0" : tensor<?xf32, #weld.dims<"n">>
      %1 = weld.neg %0 : f32
      weld.yield %1 : f32
    } : tensor<?xf32, #weld.dims<"n">>
    weld.yield %l : tensor<?xf32, #weld.dims<"n">>
  } : tensor<?xf32, #weld.dims<"n">>
  %b = weld.kernel @k2 outer 1 after 0 {
    %s = weld.generic over "n, 48" gives "sum d0" {
      %0 = weld.load %x "d0, d1" : tensor<?x48xf32, #weld.dims<"n, 48">>
      weld.yield %0 : f32
    } : tensor<?xf32, #weld.dims<"n">>
    %l = weld.generic over "n" gives "write d0" {
      %0 = weld.load %s "d0" : tensor<?xf32, #weld.dims<"n">>
      %1 = weld.log %0 : f32
      weld.yield %1 : f32
    } : tensor<?xf32, #weld.dims<"n">>
    %y = weld.generic over "n, 48" gives "write d0, d1" {
      %0 = weld.load %x "d0, d1" : tensor<?x48xf32, #weld.dims<"n, 48">>
      %1 = weld.load %l "d0" : tensor<?xf32, #weld.dims<"n">>
      %2 = weld.sub %0, %1 : f32
      weld.yield %2 : f32
    } : tensor<?x48xf32, #weld.dims<"n, 48">>
    weld.yield %y : tensor<?x48xf32, #weld.dims<"n, 48">>
  } : tensor<?x48xf32, #weld.dims<"n, 48">>
  func.return %a, %b : tensor<?xf32, #weld.dims<"n">>, tensor<?x48xf32, #weld.dims<"n, 48">>
}
