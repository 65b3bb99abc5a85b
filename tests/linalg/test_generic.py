"""`linalg.generic`: maps, iterators and bodies."""

import numpy as np
import pytest
from linalg.running import array, check, error, ops

ROWS = "affine_map<(d0, d1) -> (d0)>"
COLUMNS = "affine_map<(d0, d1) -> (d1)>"
FULL = "affine_map<(d0, d1) -> (d0, d1)>"
FLIPPED = "affine_map<(d0, d1) -> (d1, d0)>"
NONE = "affine_map<(d0, d1) -> ()>"


def reduction(out_map: str, out_type: str, combine: str, init: str, element: str = "f32", iterators: str = "") -> str:
    """A function that reduces a 5x7 tensor by one op into a filled tensor."""
    constant = init if element == "i1" else f"{init} : {element}"
    iterators = iterators or '"parallel", "reduction"'
    return f"""
    func.func @main(%x: tensor<5x7x{element}>) -> {out_type} {{
      %c = arith.constant {constant}
      %e = tensor.empty() : {out_type}
      %f = linalg.fill ins(%c : {element}) outs(%e : {out_type}) -> {out_type}
      %r = linalg.generic {{indexing_maps = [{FULL}, {out_map}], iterator_types = [{iterators}]}}
          ins(%x : tensor<5x7x{element}>) outs(%f : {out_type}) {{
      ^bb0(%a: {element}, %acc: {element}):
        %0 = {combine} : {element}
        linalg.yield %0 : {element}
      }} -> {out_type}
      func.return %r : {out_type}
    }}
    """


def test_elementwise_chain():
    x, y = array((5, 7)), array((5, 7), seed=1)
    module = check(
        f"""
        func.func @main(%x: tensor<5x7xf32>, %y: tensor<5x7xf32>) -> tensor<5x7xf32> {{
          %e = tensor.empty() : tensor<5x7xf32>
          %r = linalg.generic {{indexing_maps = [{FULL}, {FULL}, {FULL}], iterator_types = ["parallel", "parallel"]}}
              ins(%x, %y : tensor<5x7xf32>, tensor<5x7xf32>) outs(%e : tensor<5x7xf32>) {{
          ^bb0(%a: f32, %b: f32, %o: f32):
            %half = arith.constant 0.5 : f32
            %0 = math.exp %a : f32
            %1 = arith.subf %0, %b : f32
            %2 = arith.mulf %1, %half : f32
            linalg.yield %2 : f32
          }} -> tensor<5x7xf32>
          func.return %r : tensor<5x7xf32>
        }}
        """,
        [x, y],
        (np.exp(x) - y) * np.float32(0.5),
    )
    assert ops(module) == ["generic", "return"]


@pytest.mark.parametrize(
    "out_map, out_type, axes, iterators",
    [
        (ROWS, "tensor<5xf32>", 1, '"parallel", "reduction"'),
        (COLUMNS, "tensor<7xf32>", 0, '"reduction", "parallel"'),
        (NONE, "tensor<f32>", (0, 1), '"reduction", "reduction"'),
    ],
)
def test_sum_over_each_axis(out_map: str, out_type: str, axes: int, iterators: str):
    x = array((5, 7))
    text = reduction(out_map, out_type, "arith.addf %acc, %a", "0.0", iterators=iterators)
    module = check(text, [x], x.sum(axis=axes), rtol=1e-5)
    assert ops(module) == ["generic", "return"], "an identity at the start leaves no op"


@pytest.mark.parametrize(
    "combine, identity, ufunc",
    [
        ("arith.addf %a, %acc", "0.0", np.add),
        ("arith.mulf %acc, %a", "1.0", np.multiply),
        ("arith.maximumf %acc, %a", "0xFF800000", np.maximum),
        ("arith.minimumf %a, %acc", "0x7F800000", np.minimum),
        ("arith.maxnumf %a, %acc", "0xFF800000", np.fmax),
        ("arith.minnumf %a, %acc", "0x7F800000", np.fmin),
    ],
)
@pytest.mark.parametrize("start", [None, 1.5])
@pytest.mark.parametrize("nan", [False, True])
def test_float_reductions(combine: str, identity: str, ufunc: np.ufunc, start: float | None, nan: bool):
    x = array((5, 7))
    if nan:
        x[2, 3] = np.nan
    expected = ufunc.reduce(x, axis=1)
    text = reduction(ROWS, "tensor<5xf32>", combine, identity if start is None else str(start))
    if start is not None:
        expected = ufunc(expected, np.float32(start))
    module = check(text, [x], expected, rtol=1e-5)
    assert ("constant" in ops(module)) == (start is not None)


@pytest.mark.parametrize(
    "combine, identity, ufunc",
    [
        ("arith.addi", 0, np.add),
        ("arith.muli", 1, np.multiply),
        ("arith.maxsi", -(2**31), np.maximum),
        ("arith.minsi", 2**31 - 1, np.minimum),
        ("arith.andi", -1, np.bitwise_and),
        ("arith.ori", 0, np.bitwise_or),
        ("arith.xori", 0, np.bitwise_xor),
    ],
)
@pytest.mark.parametrize("start", [None, 11])
def test_integer_reductions(combine: str, identity: int, ufunc: np.ufunc, start: int | None):
    x = array((5, 7), np.int32)
    text = reduction(ROWS, "tensor<5xi32>", f"{combine} %acc, %a", str(identity if start is None else start), "i32")
    expected = ufunc.reduce(x, axis=1, dtype=np.int32)
    if start is not None:
        expected = ufunc(expected, np.int32(start))
    module = check(text, [x], expected)
    assert len(ops(module)) == (2 if start is None else 4)


@pytest.mark.parametrize("combine, start, ufunc", [("maxui", 0, np.maximum), ("minui", -1, np.minimum)])
@pytest.mark.parametrize("other", [None, 12])
def test_unsigned_reductions(combine: str, start: int, ufunc: np.ufunc, other: int | None):
    x = array((5, 7), np.int8)
    start = start if other is None else other
    text = reduction(ROWS, "tensor<5xi8>", f"arith.{combine} %acc, %a", str(start), "i8")
    expected = ufunc(ufunc.reduce(x.view(np.uint8), axis=1), np.uint8(start & 255)).view(np.int8)
    module = check(text, [x], expected)
    assert ("constant" in ops(module)) == (other is not None)


@pytest.mark.parametrize(
    "combine, start, expected",
    [
        ("andi", "true", lambda x: x.all(axis=1)),
        ("ori", "false", lambda x: x.any(axis=1)),
        ("addi", "false", lambda x: np.bitwise_xor.reduce(x, axis=1)),
        ("maxsi", "true", lambda x: x.all(axis=1)),
        ("maxui", "false", lambda x: x.any(axis=1)),
    ],
)
def test_bool_reductions(combine: str, start: str, expected):  # pyright: ignore
    x = array((5, 7), bool)
    x[1], x[3] = True, False
    text = reduction(ROWS, "tensor<5xi1>", f"arith.{combine} %acc, %a", start, "i1")
    check(text, [x], expected(x))


def test_subtracting_reduction():
    x = array((5, 7))
    check(reduction(ROWS, "tensor<5xf32>", "arith.subf %acc, %a", "3.0"), [x], 3 - x.sum(axis=1), rtol=1e-5)


def test_half_precision_accumulates_in_float32():
    x = array((5, 7), np.float16)
    text = reduction(ROWS, "tensor<5xf16>", "arith.addf %acc, %a", "2.0", "f16")
    check(text, [x], (x.astype(np.float32).sum(axis=1) + 2).astype(np.float16))


def test_chain_of_two_terms_with_fma():
    x, y, z = array((5, 7)), array((5, 7), seed=1), array((5,), seed=2)
    check(
        f"""
        func.func @main(%x: tensor<5x7xf32>, %y: tensor<5x7xf32>, %z: tensor<5xf32>) -> tensor<5xf32> {{
          %r = linalg.generic {{indexing_maps = [{FULL}, {FULL}, {ROWS}], iterator_types = ["parallel", "reduction"]}}
              ins(%x, %y : tensor<5x7xf32>, tensor<5x7xf32>) outs(%z : tensor<5xf32>) {{
          ^bb0(%a: f32, %b: f32, %acc: f32):
            %0 = math.fma %a, %b, %acc : f32
            %1 = arith.subf %0, %b : f32
            linalg.yield %1 : f32
          }} -> tensor<5xf32>
          func.return %r : tensor<5xf32>
        }}
        """,
        [x, y, z],
        z + (x * y - y).sum(axis=1),
        rtol=1e-5,
    )


def test_transposes_and_broadcasts_are_accesses():
    x, row, column, scalar = array((5, 7)), array((7,), seed=1), array((5,), seed=2), np.float32(3)
    module = check(
        f"""
        func.func @main(%x: tensor<5x7xf32>, %r: tensor<7xf32>, %c: tensor<5xf32>, %s: f32) -> tensor<7x5xf32> {{
          %e = tensor.empty() : tensor<7x5xf32>
          %r2 = linalg.generic {{indexing_maps = [{FULL}, {COLUMNS}, {ROWS}, {NONE}, {FLIPPED}],
                                 iterator_types = ["parallel", "parallel"]}}
              ins(%x, %r, %c, %s : tensor<5x7xf32>, tensor<7xf32>, tensor<5xf32>, f32) outs(%e : tensor<7x5xf32>) {{
          ^bb0(%a: f32, %b: f32, %d: f32, %k: f32, %o: f32):
            %0 = arith.mulf %a, %b : f32
            %1 = arith.addf %0, %d : f32
            %2 = arith.subf %1, %k : f32
            linalg.yield %2 : f32
          }} -> tensor<7x5xf32>
          func.return %r2 : tensor<7x5xf32>
        }}
        """,
        [x, row, column, scalar],
        (x * row + column[:, None] - scalar).T,
    )
    assert ops(module) == ["generic", "return"]


def test_output_as_an_input():
    x, y = array((5, 7)), array((5, 7), seed=1)
    check(
        f"""
        func.func @main(%x: tensor<5x7xf32>, %y: tensor<5x7xf32>) -> tensor<5x7xf32> {{
          %r = linalg.generic {{indexing_maps = [{FULL}, {FULL}], iterator_types = ["parallel", "parallel"]}}
              ins(%x : tensor<5x7xf32>) outs(%y : tensor<5x7xf32>) {{
          ^bb0(%a: f32, %o: f32):
            %0 = arith.mulf %a, %o : f32
            %1 = arith.addf %0, %o : f32
            linalg.yield %1 : f32
          }} -> tensor<5x7xf32>
          func.return %r : tensor<5x7xf32>
        }}
        """,
        [x, y],
        x * y + y,
    )


def test_several_results():
    """The generic form: xDSL does not read its own custom form with several results."""
    x, start = array((5, 7)), array((5,), seed=1)
    module = check(
        f"""
        func.func @main(%x: tensor<5x7xf32>, %s: tensor<5xf32>) -> (tensor<5x7xf32>, tensor<5xf32>, tensor<7xf32>) {{
          %e = tensor.empty() : tensor<5x7xf32>
          %inf = arith.constant 0xFF800000 : f32
          %m = tensor.splat %inf : tensor<7xf32>
          %r:3 = "linalg.generic"(%x, %e, %s, %m) <{{
              indexing_maps = [{FULL}, {FULL}, {ROWS}, {COLUMNS}],
              iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<reduction>],
              operandSegmentSizes = array<i32: 1, 3>}}> ({{
          ^bb0(%a: f32, %o: f32, %acc: f32, %max: f32):
            %0 = math.exp %a : f32
            %1 = arith.addf %acc, %0 : f32
            %2 = arith.maximumf %max, %a : f32
            linalg.yield %0, %1, %2 : f32, f32, f32
          }}) : (tensor<5x7xf32>, tensor<5x7xf32>, tensor<5xf32>, tensor<7xf32>)
             -> (tensor<5x7xf32>, tensor<5xf32>, tensor<7xf32>)
          func.return %r#0, %r#1, %r#2 : tensor<5x7xf32>, tensor<5xf32>, tensor<7xf32>
        }}
        """,
        [x, start],
        np.exp(x),
        start + np.exp(x).sum(axis=1),
        x.max(axis=0),
        rtol=1e-5,
    )
    assert ops(module) == ["generic", "add", "return"]


def test_index_and_select():
    """Zero above the diagonal; the column elsewhere, as a float."""
    x = array((5, 7))
    rows, columns = np.indices((5, 7))
    check(
        f"""
        func.func @main(%x: tensor<5x7xf32>) -> tensor<5x7xf32> {{
          %zero = arith.constant 0.0 : f32
          %r = linalg.generic {{indexing_maps = [{FULL}], iterator_types = ["parallel", "parallel"]}}
              outs(%x : tensor<5x7xf32>) {{
          ^bb0(%o: f32):
            %i = linalg.index 0 : index
            %j = linalg.index 1 : index
            %above = arith.cmpi ugt, %j, %i : index
            %n = arith.index_cast %j : index to i32
            %f = arith.sitofp %n : i32 to f32
            %1 = arith.addf %f, %o : f32
            %2 = arith.select %above, %zero, %1 : f32
            linalg.yield %2 : f32
          }} -> tensor<5x7xf32>
          func.return %r : tensor<5x7xf32>
        }}
        """,
        [x],
        np.where(columns > rows, 0, x + columns).astype(np.float32),
    )


def test_convolution_reads_sums_of_dims():
    x, k = array((10,)), array((3,), seed=1)
    check(
        """
        func.func @main(%x: tensor<10xf32>, %k: tensor<3xf32>) -> tensor<8xf32> {
          %z = arith.constant dense<0.0> : tensor<8xf32>
          %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0 + d1)>, affine_map<(d0, d1) -> (d1)>,
                                                affine_map<(d0, d1) -> (d0)>],
                               iterator_types = ["parallel", "reduction"]}
              ins(%x, %k : tensor<10xf32>, tensor<3xf32>) outs(%z : tensor<8xf32>) {
          ^bb0(%a: f32, %b: f32, %acc: f32):
            %0 = arith.mulf %a, %b : f32
            %1 = arith.addf %acc, %0 : f32
            linalg.yield %1 : f32
          } -> tensor<8xf32>
          func.return %r : tensor<8xf32>
        }
        """,
        [x, k],
        np.correlate(x, k),
        rtol=1e-5,
    )


def test_gather_by_extract():
    """Rows chosen by data: positions out of range read 0 instead of memory."""
    table, rows = array((6, 4)), np.array([5, 0, 2, 9, -1], np.int32)
    expected = np.where(((rows >= 0) & (rows < 6))[:, None], table[np.clip(rows, 0, 5)], 0).astype(np.float32)
    check(
        f"""
        func.func @main(%t: tensor<6x4xf32>, %i: tensor<5xi32>) -> tensor<5x4xf32> {{
          %e = tensor.empty() : tensor<5x4xf32>
          %r = linalg.generic {{indexing_maps = [{ROWS}, {FULL}], iterator_types = ["parallel", "parallel"]}}
              ins(%i : tensor<5xi32>) outs(%e : tensor<5x4xf32>) {{
          ^bb0(%row: i32, %o: f32):
            %p = arith.index_cast %row : i32 to index
            %j = linalg.index 1 : index
            %v = tensor.extract %t[%p, %j] : tensor<6x4xf32>
            linalg.yield %v : f32
          }} -> tensor<5x4xf32>
          func.return %r : tensor<5x4xf32>
        }}
        """,
        [table, rows],
        expected,
    )


def test_reversed_access_by_extract():
    x = array((9,))
    module = check(
        """
        func.func @main(%x: tensor<9xf32>) -> tensor<9xf32> {
          %e = tensor.empty() : tensor<9xf32>
          %last = arith.constant 8 : index
          %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
              outs(%e : tensor<9xf32>) {
          ^bb0(%o: f32):
            %i = linalg.index 0 : index
            %p = arith.subi %last, %i : index
            %v = tensor.extract %x[%p] : tensor<9xf32>
            linalg.yield %v : f32
          } -> tensor<9xf32>
          func.return %r : tensor<9xf32>
        }
        """,
        [x],
        x[::-1],
    )
    assert '"-d0 + 8"' in str(module)


@pytest.mark.parametrize("a_map, b_map, out_map", [("ik", "kj", "ij"), ("ki", "jk", "ji")])
@pytest.mark.parametrize("start", [0.0, 2.0])
def test_products_become_matmul(a_map: str, b_map: str, out_map: str, start: float):
    size = {"i": 4, "j": 5, "k": 6}
    dims = {"i": "d0", "j": "d1", "k": "d2"}

    def affine(names: str) -> str:
        return f"affine_map<(d0, d1, d2) -> ({', '.join(dims[n] for n in names)})>"

    def kind(names: str) -> str:
        return f"tensor<{'x'.join(str(size[n]) for n in names)}xf32>"

    a, b = (array([size[n] for n in names], seed=k) for k, names in enumerate((a_map, b_map)))
    module = check(
        f"""
        func.func @main(%a: {kind(a_map)}, %b: {kind(b_map)}) -> {kind(out_map)} {{
          %z = arith.constant dense<{start}> : {kind(out_map)}
          %r = linalg.generic {{indexing_maps = [{affine(a_map)}, {affine(b_map)}, {affine(out_map)}],
                               iterator_types = ["parallel", "parallel", "reduction"]}}
              ins(%a, %b : {kind(a_map)}, {kind(b_map)}) outs(%z : {kind(out_map)}) {{
          ^bb0(%x: f32, %y: f32, %acc: f32):
            %0 = arith.mulf %x, %y : f32
            %1 = arith.addf %acc, %0 : f32
            linalg.yield %1 : f32
          }} -> {kind(out_map)}
          func.return %r : {kind(out_map)}
        }}
        """,
        [a, b],
        np.einsum(f"{a_map},{b_map}->{out_map}", a, b) + np.float32(start),
        rtol=1e-5,
    )
    assert "matmul" in ops(module)


BODY = """
    func.func @main(%x: tensor<5x7xf32>, %y: {out}) -> {out} {{
      %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel", "reduction"]}}
          ins(%x : tensor<5x7xf32>) outs(%y : {out}) {{
      ^bb0(%a: f32, %acc: f32):
        {body}
        linalg.yield %0 : f32
      }} -> {out}
      func.return %r : {out}
    }}
"""


def test_errors():
    rows = BODY.replace("{maps}", f"{FULL}, {ROWS}").replace("{out}", "tensor<5xf32>")
    assert "last of many values" in error(rows.format(body="%0 = arith.negf %a : f32"))
    twice = "%1 = arith.addf %acc, %acc : f32\n%0 = arith.addf %1, %a : f32"
    assert "in a way that is no reduction" in error(rows.format(body=twice))
    mixed = "%1 = arith.addf %acc, %a : f32\n%0 = arith.mulf %1, %a : f32"
    assert "in a way that is no reduction" in error(rows.format(body=mixed))
    shifted = "affine_map<(d0, d1) -> (d0 + 1)>"
    text = BODY.replace("{maps}", f"{FULL}, {shifted}").replace("{out}", "tensor<6xf32>")
    assert "writes result 0 at (d0 + 1)" in error(text.format(body="%0 = arith.addf %acc, %a : f32"))
    unknown = "%b = arith.bitcast %a : f32 to i32\n%c = arith.bitcast %b : i32 to f32\n%0 = arith.addf %acc, %c : f32"
    assert "has no weld form" in error(rows.format(body=unknown))


@pytest.mark.parametrize("yielded, expected", [("%a", 0), ("%k", 1), ("%n", 2), ("%c", 3)])
@pytest.mark.parametrize("length", [0, 1, 17])
def test_bodies_without_ops(yielded: str, expected: int, length: int):
    """An operand, a scalar argument, a size and a constant, over a dynamic size."""
    x, k = array((length,), np.int64), np.int64(7)
    check(
        f"""
        func.func @main(%x: tensor<?xindex>, %k: index) -> tensor<?xindex> {{
          %c0 = arith.constant 0 : index
          %c = arith.constant 5 : index
          %n = tensor.dim %x, %c0 : tensor<?xindex>
          %e = tensor.empty(%n) : tensor<?xindex>
          %r = linalg.generic {{indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
                               iterator_types = ["parallel"]}}
              ins(%x : tensor<?xindex>) outs(%e : tensor<?xindex>) {{
          ^bb0(%a: index, %o: index):
            linalg.yield {yielded} : index
          }} -> tensor<?xindex>
          func.return %r : tensor<?xindex>
        }}
        """,
        [x, k],
        [x, np.full(length, k), np.full(length, length), np.full(length, 5)][expected],
    )


def test_accesses_that_sizes_do_not_prove_are_guarded():
    """A window longer than the input reads zeros, and no memory."""
    x, k = array((6,)), array((4,), seed=1)
    text = """
        func.func @main(%x: tensor<?xf32>, %k: tensor<?xf32>, %out: tensor<?xf32>) -> tensor<?xf32> {
          %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0 + d1)>, affine_map<(d0, d1) -> (d1)>,
                                                affine_map<(d0, d1) -> (d0)>],
                               iterator_types = ["parallel", "reduction"]}
              ins(%x, %k : tensor<?xf32>, tensor<?xf32>) outs(%out : tensor<?xf32>) {
          ^bb0(%a: f32, %b: f32, %acc: f32):
            %0 = math.fma %a, %b, %acc : f32
            linalg.yield %0 : f32
          } -> tensor<?xf32>
          func.return %r : tensor<?xf32>
        }
    """
    out = array((5,), seed=2)
    padded = np.pad(x, (0, 2))
    module = check(text, [x, k, out], out + np.correlate(padded, k), rtol=1e-5)
    assert 'if s0 - d0 - d1 - 1 >= 0"' in str(module) or "if -d0 - d1 + s0 - 1 >= 0" in str(module)


def test_an_access_out_of_a_static_size_is_an_error():
    text = """
        func.func @main(%x: tensor<6xf32>) -> tensor<9xf32> {
          %e = tensor.empty() : tensor<9xf32>
          %c1 = arith.constant 1 : index
          %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
              outs(%e : tensor<9xf32>) {
          ^bb0(%o: f32):
            %i = linalg.index 0 : index
            %p = arith.addi %i, %c1 : index
            %v = tensor.extract %x[%p] : tensor<6xf32>
            linalg.yield %v : f32
          } -> tensor<9xf32>
          func.return %r : tensor<9xf32>
        }
    """
    assert "reads 1 to 9 of a dim of size 6" in error(text)
