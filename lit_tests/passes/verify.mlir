// What the verifier knows beyond single ops. Each error stands at its op.
// RUN: loopweld-opt %s --split-input-file --verify-diagnostics

// Upstream modules are fine: branches, regions that use values from outside, unreachable blocks.
func.func @control_flow(%c: i1, %a: i32) -> i32 {
  %x = arith.addi %a, %a : i32
  cf.cond_br %c, ^then, ^end
^then:
  %r = scf.if %c -> (i32) {
    scf.yield %x : i32
  } else {
    scf.yield %a : i32
  }
  cf.br ^end
^unreachable:
  %q = arith.addi %q, %r : i32
  cf.br ^end
^end:
  func.return %x : i32
}

// -----

func.func @used_before(%a: i32) -> i32 {
  // expected-error@+1 {{operand #0 does not dominate this use}}
  %y = arith.addi %x, %a : i32
  %x = arith.addi %a, %a : i32
  func.return %y : i32
}

// -----

func.func @used_by_itself(%a: i32) -> i32 {
  // expected-error@+1 {{operand #1 does not dominate this use}}
  %y = arith.addi %a, %y : i32
  func.return %y : i32
}

// -----

func.func @not_on_every_path(%c: i1, %a: i32) -> i32 {
  cf.cond_br %c, ^then, ^end
^then:
  %x = arith.addi %a, %a : i32
  cf.br ^end
^end:
  // expected-error@+1 {{operand #0 does not dominate this use}}
  func.return %x : i32
}

// -----

// Generics and tensor ops may stand side by side before `generalize`.
func.func @mixed(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = weld.exp %x : tensor<4xf32>
  %y = weld.generic over "4" gives "write d0" {
    %0 = weld.load %e "d0" : tensor<4xf32>
    weld.yield %0 : f32
  } : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -----

// Beside kernels there are library calls, views and constants only.
func.func @beside_a_kernel(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = "weld.cumsum"(%x) <{axis = 0 : i64}> : (tensor<4xf32>) -> tensor<4xf32>
  // expected-error@+1 {{'weld.exp' op is not part of any weld.kernel}}
  %e = weld.exp %c : tensor<4xf32>
  %y = weld.kernel @k outer 0 after 0 {
    %k = weld.generic over "4" gives "write d0" {
      %0 = weld.load %e "d0" : tensor<4xf32>
      weld.yield %0 : f32
    } : tensor<4xf32>
    weld.yield %k : tensor<4xf32>
  } : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -----

func.func @arithmetic_beside_a_kernel(%x: tensor<4xf32>, %i: i32) -> tensor<4xf32> {
  // expected-error@+1 {{stands beside a weld.kernel}}
  %j = arith.addi %i, %i : i32
  %y = weld.kernel @k outer 0 after 0 {
    %k = weld.generic over "4" gives "write d0" {
      %0 = weld.load %x "d0" : tensor<4xf32>
      weld.yield %0 : f32
    } : tensor<4xf32>
    weld.yield %k : tensor<4xf32>
  } : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// -----

func.func @another_row(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = weld.kernel @k outer 1 after 0 {
    %m = weld.generic over "4, 8" gives "max d0" {
      %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
      weld.yield %0 : f32
    } : tensor<4xf32>
    %k = weld.generic over "4, 8" gives "write d0, d1" {
      // expected-error@+1 {{not only at its own index along outer dim d0}}
      %0 = weld.load %m "3 - d0" : tensor<4xf32>
      weld.yield %0 : f32
    } : tensor<4x8xf32>
    weld.yield %k : tensor<4x8xf32>
  } : tensor<4x8xf32>
  func.return %y : tensor<4x8xf32>
}

// -----

// A sum over the outer dim is complete only after the loops.
func.func @column_sum_inside(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = weld.kernel @k outer 1 after 0 {
    %s = weld.generic over "4, 8" gives "sum d1" {
      %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
      weld.yield %0 : f32
    } : tensor<8xf32>
    %k = weld.generic over "4, 8" gives "write d0, d1" {
      // expected-error@+1 {{not only at its own index along outer dim d0}}
      %0 = weld.load %s "d1" : tensor<8xf32>
      weld.yield %0 : f32
    } : tensor<4x8xf32>
    weld.yield %k : tensor<4x8xf32>
  } : tensor<4x8xf32>
  func.return %y : tensor<4x8xf32>
}

// -----

// There, a member that comes after the loops may read it as it likes.
func.func @column_sum_after(%x: tensor<4x8xf32>) -> tensor<8xf32> {
  %y = weld.kernel @k outer 1 after 1 {
    %s = weld.generic over "4, 8" gives "sum d1" {
      %0 = weld.load %x "d0, d1" : tensor<4x8xf32>
      weld.yield %0 : f32
    } : tensor<8xf32>
    %k = weld.generic over "8" gives "write d0" {
      %0 = weld.load %s "7 - d0" : tensor<8xf32>
      weld.yield %0 : f32
    } : tensor<8xf32>
    weld.yield %k : tensor<8xf32>
  } : tensor<8xf32>
  func.return %y : tensor<8xf32>
}

// -----

func.func private @offset_type(%x: !loop.buffer<f32>, %i: i32) {
  // expected-error@+1 {{expects an i64 offset, or one for each of the 8 lanes, found i32}}
  %0 = loop.load %x[%i] : !loop.buffer<f32>, i32 -> vector<8xf32>
  func.return
}

// -----

func.func private @mask_lanes(%x: !loop.buffer<f32>, %i: i64, %m: vector<4xi1>) {
  // expected-error@+1 {{expects a mask of type vector<8xi1>, found vector<4xi1>}}
  %0 = loop.load %x[%i] if %m : !loop.buffer<f32>, i64, vector<4xi1> -> vector<8xf32>
  func.return
}

// -----

func.func private @element_type(%x: !loop.buffer<f32>, %i: i64) {
  // expected-error@+1 {{moves vector<8xf64> through !loop.buffer<f32>}}
  %0 = loop.load %x[%i] : !loop.buffer<f32>, i64 -> vector<8xf64>
  func.return
}

// -----

// Without any scope the pass has not run.
func.func private @no_scopes_yet(%x: !loop.buffer<f32>, %i: i64) {
  %0 = loop.load %x[%i] : !loop.buffer<f32>, i64 -> f32
  func.return
}

// -----

func.func private @one_scope_missing(%x: !loop.buffer<f32>, %i: i64) {
  %0 = loop.load %x[%i] {scope = "inputs", noalias = []} : !loop.buffer<f32>, i64 -> f32
  // expected-error@+1 {{has no alias scope, though other accesses of the module have}}
  %1 = loop.load %x[%i] : !loop.buffer<f32>, i64 -> f32
  func.return
}

// -----

func.func private @fill_without_a_scope(%x: !loop.buffer<f32>, %y: !loop.buffer<f32>, %v: f32, %i: i64) {
  %0 = loop.load %x[%i] {scope = "inputs", noalias = ["y"]} : !loop.buffer<f32>, i64 -> f32
  // expected-error@+1 {{'loop.fill' op has no alias scope}}
  loop.fill %v to %y, %i : f32, !loop.buffer<f32>
  func.return
}

// -----

func.func private @excludes_itself(%x: !loop.buffer<f32>, %i: i64) {
  // expected-error@+1 {{cannot overlap its own alias scope}}
  %0 = loop.load %x[%i] {scope = "inputs", noalias = ["inputs"]} : !loop.buffer<f32>, i64 -> f32
  func.return
}

// -----

func.func private @tensors_are_gone(%x: !loop.buffer<f32>) {
  // expected-error@+1 {{uses tensor<8xf32> in a function of explicit loops}}
  %0 = weld.constant 0.0 : tensor<8xf32>
  func.return
}

// -----

func.func private @arithmetic_is_weld(%x: !loop.buffer<f32>, %i: i64) {
  // expected-error@+1 {{'arith.addi' op may not stand in a function of explicit loops}}
  %0 = arith.addi %i, %i : i64
  func.return
}

// -----

// expected-error@+1 {{argument #0 shares its memory with what is no !loop.buffer<f32>: 1 : i64}}
func.func private @shares_with_a_number(%x: !loop.buffer<f32> {loop.shares = 1 : i64}, %i: i64) {
  func.return
}

// -----

// expected-error@+1 {{argument #0 shares its memory with what is no !loop.buffer<f32>: 2 : i64}}
func.func private @shares_with_nothing(%x: !loop.buffer<f32> {loop.shares = 2 : i64}, %y: !loop.buffer<f32>) {
  func.return
}
