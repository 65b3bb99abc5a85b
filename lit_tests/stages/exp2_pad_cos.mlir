// exp2(pad(cos(a[:1]))): what is padded is the value of cos, not what cos reads (cos(0) = 1).
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions" \
// RUN:   | filecheck %s --check-prefix=FUSED
// RUN: loopweld-opt %s -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions,form-kernels" \
// RUN:   | filecheck %s --check-prefix=KERNELS
// RUN: loopweld-opt %s --verify-each -p "resolve-shapes,simplify,propagate-views,simplify,generalize,fuse-producers,absorb-reductions,fuse-siblings,fuse-producers,absorb-reductions,form-kernels,lower-to-loops{vector-bits=512},annotate-alias-scopes" \
// RUN:   | filecheck %s --check-prefix=LOOPS

// FUSED:       weld.generic over "20" gives "write d0" {
// FUSED-NEXT:    %[[A:.*]] = weld.load %a "d0 if -d0 >= 0"
// FUSED-NEXT:    %[[COS:.*]] = weld.cos %[[A]]
// FUSED-NEXT:    %[[PAD:.*]] = weld.constant 0.0 : f32
// FUSED-NEXT:    %[[IN:.*]] = weld.inside "-d0 >= 0"
// FUSED-NEXT:    %[[PADDED:.*]] = weld.select %[[IN]], %[[COS]], %[[PAD]]
// FUSED-NEXT:    weld.exp2 %[[PADDED]]
// FUSED-NOT:   weld.generic
// FUSED:       func.return

// KERNELS-COUNT-1: weld.kernel
// KERNELS-COUNT-1: weld.generic
// KERNELS-NOT: weld.generic

// The load is masked too: a has fewer elements than the result. 20 elements are one masked step.
// LOOPS:       loop.arena = []
// LOOPS:       loop.for {{.*}} step {{[0-9]+}} "d0 rest" {
// LOOPS:         %[[A:.*]] = loop.load %a{{.*}} if %{{.*}} {scope = "inputs", noalias = ["y0"]} : {{.*}} -> vector<{{[0-9]+}}xf32>
// LOOPS-NEXT:    %[[COS:.*]] = weld.cos %[[A]] : vector<{{[0-9]+}}xf32>
// LOOPS-NEXT:    %[[PADDED:.*]] = weld.select %{{.*}}, %[[COS]], %{{.*}}
// LOOPS-NEXT:    weld.exp2 %[[PADDED]] : vector<{{[0-9]+}}xf32>
// LOOPS:         loop.store "set" {{.*}} to %y{{.*}} if %{{.*}} {scope = "y0", noalias = ["inputs"]}
// LOOPS-NOT:   loop.for
// LOOPS:       func.func @main
func.func @main(%a: tensor<?xf32>) -> tensor<20xf32> {
  %first = "weld.slice"(%a) <{start = #weld.dims<"0">, size = #weld.dims<"1">, step = #weld.dims<"1">}> : (tensor<?xf32>) -> tensor<1xf32>
  %cos = weld.cos %first : tensor<1xf32>
  %zero = weld.constant 0.0 : tensor<f32>
  %padded = "weld.pad"(%cos, %zero) <{low = #weld.dims<"0">, high = #weld.dims<"19">}> : (tensor<1xf32>, tensor<f32>) -> tensor<20xf32>
  %y = weld.exp2 %padded : tensor<20xf32>
  func.return %y : tensor<20xf32>
}
