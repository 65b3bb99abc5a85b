// Row softmax in upstream MLIR: linalg on tensors, read by mlir-opt and by loopweld.
//
//   loopweld run examples/linalg_softmax.mlir         mlir-opt examples/linalg_softmax.mlir

#matrix = affine_map<(i, j) -> (i, j)>
#row    = affine_map<(i, j) -> (i)>

func.func @main(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %zero = arith.constant 0.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %x, %c0 : tensor<?x?xf32>
  %columns = tensor.dim %x, %c1 : tensor<?x?xf32>
  %empty_row = tensor.empty(%rows) : tensor<?xf32>
  %empty = tensor.empty(%rows, %columns) : tensor<?x?xf32>

  // The largest element of each row.
  %start = linalg.fill ins(%lowest : f32) outs(%empty_row : tensor<?xf32>) -> tensor<?xf32>
  %largest = linalg.generic {indexing_maps = [#matrix, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf32>) outs(%start : tensor<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %max = arith.maximumf %in, %out : f32
    linalg.yield %max : f32
  } -> tensor<?xf32>

  // exp(x - largest)
  %shifted = linalg.generic {indexing_maps = [#matrix, #row, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%x, %largest : tensor<?x?xf32>, tensor<?xf32>) outs(%empty : tensor<?x?xf32>) {
  ^bb0(%in: f32, %m: f32, %out: f32):
    %difference = arith.subf %in, %m : f32
    linalg.yield %difference : f32
  } -> tensor<?x?xf32>
  %exps = linalg.exp ins(%shifted : tensor<?x?xf32>) outs(%empty : tensor<?x?xf32>) -> tensor<?x?xf32>

  // The sum of each row.
  %nothing = linalg.fill ins(%zero : f32) outs(%empty_row : tensor<?xf32>) -> tensor<?xf32>
  %total = linalg.generic {indexing_maps = [#matrix, #row], iterator_types = ["parallel", "reduction"]}
      ins(%exps : tensor<?x?xf32>) outs(%nothing : tensor<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %sum = arith.addf %in, %out : f32
    linalg.yield %sum : f32
  } -> tensor<?xf32>

  %softmax = linalg.generic {indexing_maps = [#matrix, #row, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%exps, %total : tensor<?x?xf32>, tensor<?xf32>) outs(%empty : tensor<?x?xf32>) {
  ^bb0(%e: f32, %t: f32, %out: f32):
    %share = arith.divf %e, %t : f32
    linalg.yield %share : f32
  } -> tensor<?x?xf32>
  return %softmax : tensor<?x?xf32>
}
