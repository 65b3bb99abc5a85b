// Named ops and generics of upstream, in its own syntax. @main takes a matrix of f32.
#matrix = affine_map<(d0, d1) -> (d0, d1)>
#turned = affine_map<(d0, d1) -> (d1, d0)>
#column = affine_map<(d0, d1) -> (d1)>

func.func @main(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x?xf32>
  %m = tensor.dim %x, %c1 : tensor<?x?xf32>
  %same = tensor.empty(%n, %m) : tensor<?x?xf32>
  %other = tensor.empty(%m, %n) : tensor<?x?xf32>
  %row = tensor.empty(%m) : tensor<?xf32>
  %square = linalg.mul ins(%x, %x : tensor<?x?xf32>, tensor<?x?xf32>) outs(%same : tensor<?x?xf32>) -> tensor<?x?xf32>
  %sum = linalg.add ins(%square, %x : tensor<?x?xf32>, tensor<?x?xf32>) outs(%same : tensor<?x?xf32>) -> tensor<?x?xf32>
  %start = linalg.fill ins(%zero : f32) outs(%row : tensor<?xf32>) -> tensor<?xf32>
  %total = linalg.reduce ins(%sum : tensor<?x?xf32>) outs(%start : tensor<?xf32>) dimensions = [0]
    (%in: f32, %acc: f32) {
      %0 = arith.addf %in, %acc : f32
      linalg.yield %0 : f32
    }
  %spread = linalg.broadcast ins(%total : tensor<?xf32>) outs(%same : tensor<?x?xf32>) dimensions = [0]
  %scaled = linalg.sub ins(%sum, %spread : tensor<?x?xf32>, tensor<?x?xf32>) outs(%same : tensor<?x?xf32>) -> tensor<?x?xf32>
  %turned = linalg.transpose ins(%scaled : tensor<?x?xf32>) outs(%other : tensor<?x?xf32>) permutation = [1, 0]
  %mixed = linalg.generic {indexing_maps = [#turned, #matrix, #column, #matrix], iterator_types = ["parallel", "parallel"]}
      ins(%turned, %x, %total : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?xf32>) outs(%same : tensor<?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32, %out: f32):
    %0 = math.tanh %a : f32
    %1 = arith.maximumf %0, %b : f32
    %2 = arith.divf %1, %c : f32
    linalg.yield %2 : f32
  } -> tensor<?x?xf32>
  %peak = linalg.reduce { arith.maximumf } ins(%mixed : tensor<?x?xf32>) outs(%start : tensor<?xf32>) dimensions = [0]
  %beside = linalg.elementwise kind=#linalg.elementwise_kind<max_signed> indexing_maps = [#column, #matrix, #matrix]
      ins(%peak, %mixed : tensor<?xf32>, tensor<?x?xf32>) outs(%same : tensor<?x?xf32>) -> tensor<?x?xf32>
  %shifted = linalg.map { arith.subf } ins(%mixed, %beside : tensor<?x?xf32>, tensor<?x?xf32>) outs(%same : tensor<?x?xf32>)
  %sizes = linalg.abs ins(%shifted : tensor<?x?xf32>) outs(%same : tensor<?x?xf32>) -> tensor<?x?xf32>
  %rounded = linalg.round ins(%sizes : tensor<?x?xf32>) outs(%same : tensor<?x?xf32>) -> tensor<?x?xf32>
  %result = linalg.sub ins(%sizes, %rounded : tensor<?x?xf32>, tensor<?x?xf32>) outs(%same : tensor<?x?xf32>)
      -> tensor<?x?xf32>
  func.return %result : tensor<?x?xf32>
}
