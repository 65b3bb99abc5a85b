!nm = tensor<?x?xf32, #weld.dims<"n, m">>
!n = tensor<?xf32, #weld.dims<"n">>

func.func @main(%x: !nm) -> !nm {
  %max = "weld.reduce_max"(%x) <{axes = array<i64: 1>}> : (!nm) -> !n
  %max_row = "weld.broadcast"(%max) <{axes = array<i64: 0>, shape = #weld.dims<"n, m">}> : (!n) -> !nm
  %shifted = weld.sub %x, %max_row : !nm
  %e = weld.exp %shifted : !nm
  %sum = "weld.sum"(%e) <{axes = array<i64: 1>}> : (!nm) -> !n
  %sum_row = "weld.broadcast"(%sum) <{axes = array<i64: 0>, shape = #weld.dims<"n, m">}> : (!n) -> !nm
  %y = weld.div %e, %sum_row : !nm
  func.return %y : !nm
}
