// RUN: loopweld-opt %s -p resolve-shapes,generalize,form-kernels,plan-buffers | filecheck %s

// Three temporaries in a chain: the third takes the memory of the first, which is dead by then.
// CHECK-LABEL: func.func @chain
// CHECK-SAME: arena = ["4 * n bytes", "4 * n bytes"]
func.func @chain(%x: tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">> {
  // CHECK: places = ["slot 0"]
  // CHECK: places = ["slot 1"]
  // CHECK: places = ["slot 0"]
  // CHECK: places = ["output 0"]
  %a = "weld.cumsum"(%x) <{axis = 0 : i64}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  %b = "weld.cumsum"(%a) <{axis = 0 : i64}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  %c = "weld.cumsum"(%b) <{axis = 0 : i64}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  %d = "weld.cumsum"(%c) <{axis = 0 : i64}> : (tensor<?xf32, #weld.dims<"n">>) -> tensor<?xf32, #weld.dims<"n">>
  func.return %d : tensor<?xf32, #weld.dims<"n">>
}
