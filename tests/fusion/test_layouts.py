"""The loops follow the memory: an input in Fortran order, transposed or reversed costs what one in C order costs."""

import itertools

import numpy as np
import pytest
from fusion.checking import check, loops_of, sample
from structure.walks import label, walks
from xdsl.dialects.builtin import VectorType

import loopweld as lw
from loopweld.dialects.loop.ops import For, Load, Store, lanes_of

SHAPE = (140, 133)
CUBE = (20, 36, 52)
ORDERS = list(itertools.permutations(range(3)))


def stored_as(x, order):
    """`x` with its axes in memory in another order, the last one adjacent."""
    inverse = np.argsort(order)
    return np.ascontiguousarray(x.transpose(order)).transpose(inverse)


def functions_of(f, *args):
    return loops_of(lw.jit(f).lower(*args).compile())


def accesses(f, *args):
    """The loads and stores of the innermost loops."""
    loops = [loop for function in functions_of(f, *args) for walk in walks(function.body.block) for loop in walk]
    return [op for loop in loops for op in loop.block.ops if isinstance(op, Load | Store)]


def scattered(f, *args, of=None):
    """How many of them, or of those of one input, have an address for each lane, or a single lane."""
    found = [op for op in accesses(f, *args) if of in (None, op.buffer.name_hint)]
    assert found
    return sum(
        lanes_of(op.value if isinstance(op, Store) else op.res) == 1
        or any(isinstance(v.type, VectorType) and str(v.type.element_type) == "i64" for v in op.operands)
        for op in found
    )


def loop_labels(f, *args):
    """The dims of each walk, outermost first, without the rests."""
    found = []
    for function in functions_of(f, *args):
        for walk in walks(function.body.block):
            names, op = [], walk[0]
            while op is not None:
                names += [label(op).split()[0]] if isinstance(op, For) else []
                op = op.parent_op()
            found.append(list(dict.fromkeys(reversed(names))))
    return found


def shape_of_code(f, *args):
    """What its loops cost: the kernels, their walks, and the accesses of a step."""
    report = lw.jit(f).explain(*args)
    return len(report.kernels), sum(k.sweeps for k in report.kernels), report.bytes_moved, len(accesses(f, *args))


# ---- reductions ----------------------------------------------------------------------
REDUCTIONS = {
    "sum": lambda x: np.exp(x).sum(),
    "columns": lambda x: (x * x).sum(0),
    "rows": lambda x: (x * x).sum(1),
    "greatest of rows": lambda x: np.abs(x).max(1),
    "both": lambda x: (x.sum(0), x.sum(1)),
    "rows and any": lambda x: (x.sum(1), np.abs(x).max(1), (x < 0).any()),
    "columns and all": lambda x: (x.sum(0), np.abs(x).max(0), (x < 0).any(), x.min(1)),
    "mean and greatest": lambda x: (x.mean(), x.max(), (x * x).mean(1)),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_walk_along_memory(name):
    f, x = REDUCTIONS[name], sample(*SHAPE)
    for each in (x, np.asfortranarray(x), np.asfortranarray(sample(150, 150))[5:145, 3:136]):
        assert scattered(f, each) == 0
    for each in (stored_as(x, (1, 0))[:, ::-1], sample(133, 280, dtype="f8")[:, ::2].T):
        check(f, each, sweeps=1)


@pytest.mark.parametrize("name", ["sum", "columns", "rows", "both"])
def test_fortran_order_costs_the_same(name):
    """As the same reduction of the transposed axes."""
    x = sample(*SHAPE)
    mirrored = {
        "columns": lambda x: (x * x).sum(1),
        "rows": lambda x: (x * x).sum(0),
        "both": lambda x: (x.sum(1), x.sum(0)),
    }.get(name, REDUCTIONS[name])
    fortran = shape_of_code(REDUCTIONS[name], np.asfortranarray(x))
    plain = shape_of_code(mirrored, np.ascontiguousarray(x.T))
    assert fortran == plain


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_cubes_in_every_order(order):
    x = stored_as(sample(*CUBE), order)
    for axes in (0, 1, 2, (0, 2), None):
        assert scattered(lambda x, axes=axes: np.exp(x).sum(axes), x, of="x") == 0
    check(lambda x: (np.exp(x).sum(0), x.max(1), x.min((0, 2)), (x * x).sum()), x, sweeps=1)


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_the_innermost_loop_is_the_adjacent_axis(order):
    """Of a strided view, whose axes are no single run of memory; the other loops follow by their strides."""
    x = stored_as(sample(*CUBE), order)[1:, 1:, 1:]

    def f(x):
        return (x * 2 + 1).sum()

    assert loop_labels(f, x) == [["d0", "d1", "d2"]]
    loops = lw.jit(f).lower(x).compile().as_text("loops")
    assert all(f'd{k} * stride0_{axis}"' in loops for k, axis in enumerate(order[:2]))
    assert scattered(f, x) == 0


def test_the_order_of_the_largest_operands():
    """A small operand in the other order does not turn the loops."""
    x, y, v = np.asfortranarray(sample(*SHAPE)), np.asfortranarray(sample(*SHAPE) + 1), sample(133)

    def f(x, y, v):
        return (x * y * v).sum(1)

    check(f, x, y, v, sweeps=1)
    assert scattered(f, x, y, v) == 0


def test_two_orders_in_one_loop():
    """One of the two is read across; nothing is copied first."""
    x, y = sample(*SHAPE), np.asfortranarray(sample(*SHAPE) + 1)
    check(lambda x, y: (x * y).sum(), x, y, sweeps=1)
    check(lambda x, y: ((x - y) ** 2).sum(0), x, y, sweeps=1)


# ---- elementwise -----------------------------------------------------------------------
def test_a_result_has_the_order_of_its_inputs():
    """As NumPy's have, so that no loop has to read along one axis and write along the other."""
    x = sample(*SHAPE)
    for each in (x, np.asfortranarray(x)):
        result = lw.jit(lambda x: np.exp(x) * 2 + x)(each)
        assert result.strides == (np.exp(each) * 2 + each).strides
        assert scattered(lambda x: np.exp(x) * 2 + x, each) == 0
    cube = stored_as(sample(*CUBE), (2, 0, 1))
    assert lw.jit(lambda x: x * 2)(cube).strides == (cube * 2).strides


LIKE_NUMPY = {
    "two arguments": lambda x: np.exp(x) * x + x[:1],
    "broadcast": lambda x: x * x[0] + x[..., :1],
    "where": lambda x: np.where(x > 0, x, -1),
    "converted": lambda x: x.astype("f8"),
    "transposed": lambda x: np.exp(x).T,
    "axes": lambda x: np.exp(x.transpose(1, 2, 0)) - 1,
    "sum": lambda x: np.exp(x).sum(1),
    "sum that keeps axes": lambda x: x.sum(1, keepdims=True) + 1,
    "variance": lambda x: x.var(0),
    "softmax": lambda x: softmax(x, 1),
    "roll": lambda x: np.roll(x, 1, 0) + 1,
    "concatenate": lambda x: np.concatenate([x, x * 2], 1),
    "several": lambda x: (x + 1, x.max(2), x[::2] * 3),
    "product": lambda x: np.exp(x) @ np.exp(x[0]).T,
    "into rows": lambda x: (x * 2).reshape(x.shape[0], -1),
    "constant": lambda x: np.zeros_like(x, shape=(3, 4)) + 1,
}


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("name", LIKE_NUMPY)
def test_results_have_the_order_of_numpys(name, order):
    x = stored_as(sample(20, 18, 33), order)
    f = LIKE_NUMPY[name]
    found, wanted = lw.jit(f)(x), f(x)
    for a, b in zip(*(v if isinstance(v, tuple) else (v,) for v in (found, wanted)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
        axes = [k for k, n in enumerate(b.shape) if n > 1]
        assert [a.strides[k] for k in axes] == [b.strides[k] for k in axes]


def test_small_arrays_in_every_order():
    """The native entry, too, looks at the layout: calls with others take the longer way, and are right."""
    f = lw.jit(lambda x, y: (np.exp(x) - y, (x * y).sum(0)))
    arrays = [stored_as(sample(5, 1, 7), order) for order in ORDERS] + [sample(10, 3, 9)[::2, 1:2, 1:-1]]
    for x in arrays:
        for y in arrays:
            for _ in range(6):
                for found, wanted in zip(f(x, y), (np.exp(x) - y, (x * y).sum(0)), strict=True):
                    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("given", ORDERS, ids=str)
def test_out_in_any_order(order, given):
    f = lw.jit(lambda x: np.exp(x) + 1)
    x, out = stored_as(sample(5, 6, 7), order), stored_as(sample(5, 6, 7), given)
    for _ in range(6):
        out[...] = 0
        assert f(x, out=out) is out
        np.testing.assert_allclose(out, np.exp(x) + 1, rtol=1e-5)
    every = stored_as(sample(5, 6, 14), given)[..., ::2]
    np.testing.assert_allclose(f(x, out=every), np.exp(x) + 1, rtol=1e-5)


def test_a_program_for_one_order_copies_others():
    x = np.asfortranarray(sample(*SHAPE))
    compiled = lw.jit(lambda x: x * 2).lower(x).compile()
    for each in (x, x.copy(), x[:, ::-1], x[:1], sample(0, 4)):
        np.testing.assert_array_equal(compiled(each), each * 2)
    with pytest.raises(ValueError, match="dims"):
        compiled(sample(5))


def test_donated_in_fortran_order():
    f = lw.jit(lambda x: np.exp(x) + 1, donate=("x",))
    for shape in (SHAPE, (5, 7)):
        for _ in range(6):
            x = np.asfortranarray(sample(*shape))
            wanted = np.exp(x) + 1
            found = f(x)
            assert found is x
            np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_a_donated_array_in_another_order():
    """The result of the transposed argument has that memory, with its own strides."""
    f = lw.jit(lambda x: np.exp(x).T, donate=("x",))
    for _ in range(6):
        x = np.asfortranarray(sample(*SHAPE))
        wanted = np.exp(x).T
        found = f(x)
        assert np.shares_memory(found, x)
        assert found.flags.c_contiguous
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_places_of_equal_elements(order):
    """The first of several greatest elements in NumPy's order, not in that of memory; and the first NaN."""
    x = stored_as(np.random.default_rng(0).integers(0, 3, (20, 18, 33)).astype("f4"), order)
    y = x.copy()
    y[7, 3, 2] = y[2, 9, 30] = y[7, 2, 31] = np.nan

    def f(x):
        return (
            x.argmax(),
            x.argmin(),
            x.argmax(0),
            x.argmin(1),
            x.argmax(2),
            x.T.argmax(),
            (x + x.sum(1).max()).argmax(),
        )

    for each in (x, y, np.zeros_like(x), x[::-1, :, ::2]):
        check(f, each, exact=True, kernels=None)


def test_repeated_indices_keep_their_order():
    """The last value in the order of the indices stays, however the values lie in memory."""

    def f(t, i, x):
        t = t.copy()
        t[i] = x
        return t, x * 2

    t, i, x = sample(6), np.random.default_rng(0).integers(0, 6, (20, 33)), sample(20, 33)
    for indices in (i, np.asfortranarray(i)):
        for found, wanted in zip(lw.jit(f)(t, indices, np.asfortranarray(x)), f(t, i, x), strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_results_of_files_are_rows():
    """Who calls a compiled module finds its results as the types say."""
    text = """func.func @main(%x: tensor<40x30xf32>) -> tensor<30x40xf32> {
      %0 = weld.exp %x : tensor<40x30xf32>
      %1 = "weld.transpose"(%0) <{permutation = array<i64: 1, 0>}> : (tensor<40x30xf32>) -> tensor<30x40xf32>
      func.return %1 : tensor<30x40xf32>
    }"""
    x = sample(40, 30)
    found = lw.compile(text)(x)
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, np.exp(x).T, rtol=1e-5)


def test_mixed_orders_elementwise():
    x, y = np.asfortranarray(sample(*SHAPE)), sample(*SHAPE) + 1
    check(lambda x, y: np.exp(x) * y, x, y, sweeps=1)
    check(lambda x, y: (np.exp(x) * y, x - 1), x, y, sweeps=1)


def test_a_transposed_use():
    """One loop, each input once; what lies across is transposed in registers."""
    x, y = sample(*SHAPE), sample(*SHAPE[::-1])
    check(lambda x, y: x.T * 2 + y, x, y, sweeps=1)
    check(lambda x, y: (x.T * 2 + y).sum(1), x, y, sweeps=1)
    assert scattered(lambda x, y: x.T * 2 + y, x, y) == 0
    assert scattered(lambda x, y: (x.T * 2 + y).sum(1), x, y) == 0


ACROSS = {
    "add": lambda x, y: x + y,
    "two results": lambda x, y: (x + y, y * 2 - x),
    "flat": lambda x, y: (x * 2 + y, (y * 2).reshape(-1)),
    "inner part": lambda x, y: x[1:-1, 2:] + y[2:, 1:-1],
    "backwards": lambda x, y: x + y[::-1, ::-1],
    "rows": lambda x, y: (x * y).sum(1),
    "columns": lambda x, y: (x * y).max(0),
    "all": lambda x, y: (x * y).sum(),
    "result and sums": lambda x, y: (x - y, (x * y).sum(1), (x + y).max(0), (x * y).sum()),
    "place": lambda x, y: (x * y).argmin(1),
    "shared row": lambda x, y: x + y * y[:1],
    "guarded": lambda x, y: np.where(x > 0, np.pad(y, 1)[2:, :-2], x),
}


@pytest.mark.parametrize("dtype", ["f4", "f2", "i8"])
@pytest.mark.parametrize("name", ACROSS)
def test_inputs_across_each_other(name, dtype):
    """Sizes around those of squares and tiles: what is left of each is masked."""
    for shape in ((17, 33), (64, 128), (129, 31)) if dtype == "f4" else ((129, 31),):
        x, y = sample(*shape, dtype=dtype, low=-1), np.asfortranarray(sample(*shape, dtype=dtype, low=-1) + 1)
        check(ACROSS[name], x, y, kernels=None)


@pytest.mark.parametrize("orders", list(itertools.combinations(ORDERS, 2)))
def test_cubes_across_each_other(orders):
    x, y = (stored_as(sample(*CUBE) + k, order) for k, order in enumerate(orders))
    check(lambda x, y: np.abs(x) - y, x, y, sweeps=1)
    check(lambda x, y: (x - y).sum(1), x, y, sweeps=1)


def test_special_values_across():
    """Elements are moved as they are."""
    x, y = np.zeros((40, 50)), np.zeros((50, 40))
    y[3, 7], y[4, 8], y[49, 39], y[0, 0] = np.nan, np.inf, -0.0, -0.0
    found = lw.jit(lambda x, y: np.copysign(1.0, y.T) + x)(x, y)
    np.testing.assert_array_equal(found, np.copysign(1.0, y.T) + x)
    np.testing.assert_array_equal(lw.jit(lambda x, y: x + y.T)(x, y), x + y.T)
    check(lambda c, d: c ^ d.T, sample(70, 40, dtype="?"), sample(40, 70, dtype="?"), sweeps=1)


def test_donated_across():
    """An input that is read across is not overwritten while others need it."""
    for n in (16, 100):
        x = sample(n, n)
        wanted = x + x.T
        np.testing.assert_array_equal(lw.jit(lambda x: x + x.T, donate=("x",))(x.copy()), wanted)
        out = x.copy()
        np.testing.assert_array_equal(lw.jit(lambda x: x + x.T)(out, out=out), wanted)


def test_across_on_smaller_registers():
    x, y = sample(70, 90), sample(90, 70)
    for bits in (128, 256, 512):
        check(lambda x, y: (x + y.T, (x * y.T).sum(0)), x, y, sweeps=1, target=lw.Target("cpu", vector_bits=bits))


def test_a_transposed_result_of_a_transposed_input():
    """Twice transposed is straight: every access runs along memory."""
    x = sample(*SHAPE[::-1])

    def f(x):
        return (np.exp(x.T) + 1).T

    check(f, x, sweeps=1)
    assert scattered(f, x) == 0
    check(lambda x: np.exp(x).T.sum(0), x, sweeps=1)
    assert scattered(lambda x: np.exp(x).T.sum(0), x) == 0


# ---- rows and columns of norms ---------------------------------------------------------
def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def scores(x, axis):
    m = x.max(axis, keepdims=True)
    return np.log(np.exp(x - m).sum(axis)) + m.squeeze(axis)


@pytest.mark.parametrize("axis", [0, 1])
def test_row_kernels_follow_the_memory(axis):
    x = np.asfortranarray(sample(*SHAPE))

    def f(x):
        return scores(x, axis)

    check(f, x, sweeps=2)
    assert scattered(f, x) == 0


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_softmax_in_fortran_order(axis, dtype):
    x = np.asfortranarray(sample(*SHAPE, dtype=dtype))
    check(lambda x: softmax(x, axis), x, sweeps=3)
    assert scattered(lambda x: softmax(x, axis), x, of="x") == 0


# ---- layouts that are none ----------------------------------------------------------------
def test_any_strides():
    """Negative, zero, overlapping, of a structure's field."""
    base = sample(40, 70, dtype="f8")
    record = np.zeros((40, 33), [("a", "f8"), ("b", "f4"), ("c", "f4")])
    record["a"], record["b"] = base[:, :33], base[:, 33:66]
    windows = np.lib.stride_tricks.sliding_window_view(base[0], 33)
    same = np.broadcast_to(base[0, :33], (40, 33))

    def f(x):
        return np.sqrt(np.abs(x)) + 1, x.sum(0), x.max(1)

    for x in (record["a"], record["b"], base[::-1, ::-2], base.T[::3]):
        check(f, x, sweeps=1)
    for x in (windows, same):
        check(f, x, kernels=None)


def test_unaligned():
    """A field that starts at an odd byte is copied by the call; the values are right."""
    record = np.zeros(1000, [("flag", "i1"), ("x", "f4")])
    record["x"] = sample(1000)
    check(lambda x: (x * 2, x.sum()), record["x"], kernels=None)
    big = sample(1000).astype(">f4")
    np.testing.assert_allclose(lw.jit(lambda x: x * 2)(big.astype("f4")), big * 2)


def test_one_program_for_all_strides():
    """Strides other than 0 and 1 are symbols: other steps do not compile again."""
    f = lw.jit(lambda x: (np.exp(x).sum(0), x * 2))
    base = sample(400, 400)
    for row in range(1, 5):
        for step in (1, 2, 3):
            x = base[::row, ::7][: 60 - step]
            for found, wanted in zip(f(x), (np.exp(x).sum(0), x * 2), strict=True):
                np.testing.assert_allclose(found, wanted, rtol=1e-4)
    assert f.cache_info().compilations == 1
