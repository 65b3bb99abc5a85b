"""What stays apart, or is computed once, and the code that says why."""

import re

import numpy as np
import pytest
from fusion.checking import check, sample
from numerics.checking import check as values
from structure.walks import kernels as kernels_of
from structure.walks import label, parse
from xdsl.dialects.builtin import VectorType
from xdsl.ir import Operation, SSAValue

import loopweld as lw
from loopweld.dialects.loop.ops import For, lanes_of
from loopweld.dialects.weld.types import bit_width, scalar_of
from loopweld.passes.remarks import Reason


def refusals(report):
    return {d.reason for d in report.decisions if not d.fused}


def depth(op: Operation) -> int:
    """How many dims are walked around an op."""
    dims = set()
    parent = op.parent_op()
    while parent is not None:
        if isinstance(parent, For):
            dims.add(label(parent).split()[0])
        parent = parent.parent_op()
    return len(dims)


def depths(f, name, *args):
    """The largest number of dims around any op of this name, in each kernel that has one."""
    module = parse(lw.jit(f).lower(*args).as_text("loops"))
    return [
        max(depth(op) for op in function.walk() if op.name == name)
        for function in kernels_of(module).values()
        if any(op.name == name for op in function.walk())
    ]


# ---- reductions --------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_sum_and_its_use_are_two_sweeps(axis, dtype):
    report = check(lambda x: x.sum(axis=axis, keepdims=True) + x, sample(40, 67, dtype=dtype), sweeps=2, terms=67)
    assert Reason.REDUCTION_RESULT.value in refusals(report)


def test_a_column_sum_is_complete_before_it_is_used():
    """Together with a row sum of the same input, which does come from the first sweep."""
    x = sample(40, 67)
    report = check(lambda x: (x.sum(axis=0, keepdims=True) + x, x.sum(axis=1)), x, kernels=None, terms=67)
    assert sum(k.sweeps for k in report.kernels) == 2
    assert report.temporary_bytes + report.scratch_bytes < x.nbytes / 4


def test_a_mean_of_everything_splits():
    x = sample(40, 67)
    report = check(lambda x: x - x.mean(), x, kernels=None, terms=2700)
    assert sum(k.sweeps for k in report.kernels) == 2 and report.temporary_bytes <= 64
    assert Reason.NO_SHARED_OUTER_DIM.value in refusals(report)


def test_a_scan_is_no_loop_of_ours():
    report = check(lambda x: np.cumsum(np.exp(x)) * 2, sample(900), kernels=None, terms=900, scale=8e3)
    assert report.library_calls and Reason.LIBRARY_CALL.value in refusals(report)


# ---- expensive producers -----------------------------------------------------------
EXPENSIVE = {
    "a value a column": lambda v, y: np.exp(v) * y,
    "a value a row": lambda v, y: np.exp(v)[:, None] * y.T,
    "twice": lambda v, y: (np.exp(v) * y, np.exp(v) + y),
    "under a sum": lambda v, y: (np.exp(v) * y).sum(axis=1),
    "under the other sum": lambda v, y: (np.exp(v) * y).sum(axis=0),
    "under both": lambda v, y: ((np.exp(v) * y).sum(axis=0), (np.exp(v) - y).max(axis=1)),
    "three times": lambda v, y: np.exp(v) * y + np.exp(v)[::-1] - np.roll(np.exp(v), 3) * y,
}


@pytest.mark.parametrize("name", EXPENSIVE)
def test_an_exponential_is_computed_once_an_element(name):
    """And not once for each row that uses it."""
    v, y = sample(67), sample(400, 67)
    values(EXPENSIVE[name], v, y, terms=400)
    assert max(depths(EXPENSIVE[name], "weld.exp", v, y)) == 1


def test_an_outer_product_of_exponentials():
    """exp(x) and exp(y), not exp for each pair."""

    def f(x, y):
        return (np.exp(x)[:, None] * np.exp(y)).max(axis=1)

    x, y = sample(90), sample(110)
    values(f, x, y)
    assert max(depths(f, "weld.exp", x, y)) == 1


def test_a_stencil_of_an_expensive_value():
    """Computed once where it is stored; three times where it is not: never."""

    def f(x):
        e = np.exp(np.sin(x) * np.tanh(x))
        return e[2:] - 2 * e[1:-1] + e[:-2]

    x = sample(3000)
    values(f, x, terms=4, scale=8)
    report = lw.jit(f).explain(x)
    flops = sum(k.flops for k in report.kernels)
    assert flops <= 3000 * 10 and Reason.RECOMPUTES_EXPENSIVE.value in refusals(report)


def test_a_cheap_value_may_be_computed_again():
    check(lambda x: (x * 2 + 1)[1:] - (x * 2 + 1)[:-1], sample(3000), sweeps=1, terms=2)


def test_a_gather_of_an_expensive_value():
    """85 exponentials, not 919."""

    def f(t, i, d):
        return np.exp(np.sin(t))[i] * d

    args = sample(85), np.arange(919) * 7 % 85, sample(919)
    values(f, *args)
    report = lw.jit(f).explain(*args)
    assert Reason.DATA_DEPENDENT_ACCESS.value in refusals(report)
    exponentials = [k for k in report.kernels if "exp" in k.ops]
    assert len(exponentials) == 1 and exponentials[0].flops <= 919 * 12


# ---- budgets -----------------------------------------------------------------------
def total(*arrays):
    result = arrays[0] * 1.5
    for a in arrays[1:]:
        result = result + a * a
    return result


@pytest.mark.parametrize("most", [4, 8, 20])
def test_streams(most):
    """No kernel reads and writes more tensors than the target can stream."""
    arrays = [sample(3000) * k for k in range(40)]
    jitted = lw.jit(total, target=lw.Target("cpu", max_streams=most))
    report = jitted.explain(*arrays)
    assert all(len(k.reads) + 2 * len(k.writes) <= most for k in report.kernels)
    assert Reason.TOO_MANY_STREAMS.value in refusals(report)
    np.testing.assert_allclose(jitted(*arrays), total(*arrays), rtol=1e-4)


def test_streams_of_results():
    def f(x):
        return tuple(x * k + 1 for k in range(30))

    x = sample(3000)
    jitted = lw.jit(f, target=lw.Target("cpu", max_streams=8))
    report = jitted.explain(x)
    assert all(len(k.reads) + len(k.writes) <= 8 for k in report.kernels)
    for found, wanted in zip(jitted(x), f(x), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-5)  # terms cancel


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_rows():
    """A row that exceeds the cache is not kept."""
    text = lw.jit(softmax).lower(np.zeros((8, 16), np.float32)).as_text()
    small = lw.compile(text, target=lw.Target("cpu", cache_bytes=32, last_cache_share=64)).report
    assert Reason.ROW_TOO_LARGE.value in refusals(small)
    large = lw.compile(text, target=lw.Target("cpu", cache_bytes=1 << 12)).report
    assert len(large.kernels) == 1 and Reason.ROW_TOO_LARGE.value not in refusals(large)


@pytest.mark.parametrize("shape, kernels", [((300, 80), 2), ((300, 60), 1), ((15, 80), 1)], ids=str)
def test_long_steps(shape, kernels):
    """Columns that exceed the cache are read row by row, twice, unless they lie side by side in a few cache lines."""

    def unit_columns(x):
        return x / np.sqrt((x * x).sum(axis=0))

    target = lw.Target("cpu", cache_bytes=1 << 14, last_cache_share=1 << 15)
    report = check(unit_columns, sample(*shape), kernels=None, target=target)
    assert len(report.kernels) == kernels
    assert sum(k.sweeps for k in report.kernels) == 2
    assert (Reason.LONG_STEPS.value in refusals(report)) == (kernels == 2)


@pytest.mark.parametrize("shape, sweeps", [((400, 400), 3), ((60, 80), 2), ((15, 80), 3)], ids=str)
def test_long_steps_of_standardised_columns(shape, sweeps):
    """Columns that the second cache holds are walked three times. Longer ones are read once for mean and deviation;
    where no cache holds all of them, row by row, after a sample."""

    def standardised(x):
        d = x - x.mean(axis=0)
        return d / np.sqrt((d * d).mean(axis=0))

    target = lw.Target("cpu", cache_bytes=1 << 14, last_cache_share=1 << 16)
    report = check(standardised, sample(*shape), kernels=None, target=target, terms=shape[0], scale=8)
    assert sum(k.sweeps for k in report.kernels) == sweeps
    assert len(report.kernels) == (3 if shape[1] == 400 else 1)
    assert (Reason.LONG_STEPS.value in refusals(report)) == (len(report.kernels) > 1)


@pytest.mark.parametrize("shape, kernels", [((400, 400), 3), ((60, 80), 1)], ids=str)
def test_long_steps_of_a_softmax_of_columns(shape, kernels):
    """Row by row a maximum, a sum and quotients, which compute the exponentials anew; or kept columns."""

    def softmax(x):
        e = np.exp(x - x.max(axis=0))
        return e / e.sum(axis=0)

    target = lw.Target("cpu", cache_bytes=1 << 14, last_cache_share=1 << 16)
    report = check(softmax, sample(*shape), kernels=None, target=target, terms=shape[0], scale=8)
    assert len(report.kernels) == kernels and report.temporary_bytes <= 8 * shape[1]
    assert sum(k.sweeps for k in report.kernels) == 3
    assert (Reason.LONG_STEPS.value in refusals(report)) == (kernels == 3)


MANY = {
    "sums": lambda x: tuple(np.abs(x - k).sum() for k in range(12)),
    "maxima of columns": lambda x: tuple((x * k).max(axis=0) for k in range(12)),
    "places": lambda x: tuple((x * k).argmax() for k in range(1, 6)),
}


@pytest.mark.parametrize("name", MANY)
def test_registers(name):
    """What an innermost loop carries fits the vector registers: with many accumulators each has fewer lanes."""
    x = sample(40, 670)
    values(MANY[name], x, terms=26800, scale=80)
    bits = lw.Target.host().vector_bits
    registers = 32 if bits == 512 else 16
    for loop in parse(lw.jit(MANY[name]).lower(x).as_text("loops")).walk():
        if isinstance(loop, For) and not any(isinstance(op, For) for op in loop.block.ops):
            carried = sum(registers_of(a, bits) for a in loop.block.args)
            assert carried <= registers, f"{label(loop)} carries {carried} registers"


def registers_of(value: SSAValue, bits: int) -> int:
    if not isinstance(value.type, VectorType):
        return 0
    return -(-lanes_of(value) * max(bit_width(scalar_of(value)), 8) // bits)


# ---- one value, however often it is computed ---------------------------------------
SCORES = {
    "product": lambda a, b: a * b,
    "product and sum": lambda a, b: a * b + a,
    "quotient": lambda a, b: a / (np.abs(b) + 1),
    "polynomial": lambda a, b: (a * b) * 3 + b * 7 - a,
    "difference of products": lambda a, b: a * b - b * a * 0.5,
    "scaled": lambda a, b: (a * b) * np.asarray(0.125, a.dtype),
}


def scores(dtype):
    """Factors whose products are about 1e6; in float16 about 1e3."""
    size = 30 if dtype == "f2" else 1000
    return (sample(40, 67, dtype="f8") * size).astype(dtype), (sample(67, 40, dtype="f8").T * size).astype(dtype)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize(("name", "axis"), [*((name, 1) for name in SCORES), ("product", 0), ("product", None)])
def test_a_value_is_what_its_maximum_saw(name, axis, dtype):
    """The greatest value minus the maximum is 0, for any rounding of the value: never NaN, never above 1."""

    def f(a, b):
        s = SCORES[name](a, b)
        m = s.max(axis=axis, keepdims=True)
        p = np.exp(s - m)
        return (s - m).max(axis=axis), p.max(axis=axis), p / p.sum(axis=axis, keepdims=True)

    top, one, quotient = lw.jit(f)(*scores(dtype))
    assert (np.asarray(top) == 0).all() and (np.asarray(one) == 1).all()
    assert (quotient >= 0).all() and (quotient <= 1).all()


@pytest.mark.parametrize("size", [1e5, 1e8])
def test_softmax_of_huge_products_is_a_number(size):
    def f(a, b):
        s = a * b
        p = np.exp(s - s.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True)

    a, b = (x * np.float32(size / 1e3) for x in scores("f4"))
    found = lw.jit(f)(a, b)
    assert not np.isnan(found).any()
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["f2", "f4"])
def test_equal_values_compare_equal(dtype):
    """The place of the maximum holds the maximum, wherever each of them is computed."""

    def f(a, b):
        s = a * b + a / 3
        m = s.max(axis=1, keepdims=True)
        return (s == m).sum(axis=1), (s > m).any(), np.take_along_axis(s, s.argmax(axis=1)[:, None], 1) - m

    count, above, difference = lw.jit(f)(*scores(dtype))
    assert (count >= 1).all() and not above and (difference == 0).all()


def test_differences_of_one_value_vanish():
    """Across sweeps and across kernels, with the value stored, reduced and used again."""

    def f(a, b):
        s = a * b
        return s, (s - s.max()).max(), (s - s.min(axis=0)).min(), (s - s.max(axis=1, keepdims=True)).max()

    _, *zeros = lw.jit(f)(*scores("f4"))
    assert zeros == [0, 0, 0]


# ---- library calls -----------------------------------------------------------------
def test_library_calls_stay_calls():
    def f(a, b):
        return np.exp(np.sort(np.exp(a) @ b, axis=1) * 2)

    a = sample(40, 40)
    report = lw.jit(f).explain(a, a + 1)
    assert report.library_calls == ("matmul", "numpy.sort")
    assert len(report.kernels) == 2 and Reason.LIBRARY_CALL.value in refusals(report)
    np.testing.assert_allclose(lw.jit(f)(a, a * 0.01), f(a, a * 0.01), rtol=1e-4)


# ---- every code has a program ------------------------------------------------------
def blocked(a, b):
    """The first and the last op read `a`; the sort stands between them."""
    first = np.exp(a).sum(axis=0)
    return first, np.sort(first)[0] * a


def column(x):
    """The product needs the last sum, and a column of what is summed: all rows would be stored for it."""
    e = np.tanh(np.exp(np.sin(x)))
    return e.sum(), e[:, 3] * e[:, 3:4].sum()


def gathers(x, *indices):
    return tuple(x[i] for i in indices)


PRODUCES = {
    Reason.ELEMENTWISE_PRODUCER: (lambda x: np.exp(x - 1), (sample(40),)),
    Reason.SHARED_DOMAIN: (lambda x: (np.exp(x), np.exp(x).sum()), (sample(40),)),
    Reason.SHARED_INPUT: (lambda x: (x.sum(axis=0), x.max(axis=1)), (sample(40, 67),)),
    Reason.ROW_RESULT: (softmax, (sample(40, 67),)),
    Reason.SMALL_PROLOGUE: (lambda v, y: np.exp(v) * y, (sample(67), sample(40, 67))),
    Reason.SMALL_EPILOGUE: (lambda x: np.sqrt((x * x).sum()), (sample(40),)),
    Reason.REDUCTION_RESULT: (softmax, (sample(40, 67),)),
    Reason.SCATTER_RESULT: (lambda i: np.bincount(i, minlength=20) * 2, (np.arange(40) % 20,)),
    Reason.DATA_DEPENDENT_ACCESS: (lambda w, i: np.exp(w)[i], (sample(40), np.arange(90) % 40)),
    Reason.RECOMPUTES_EXPENSIVE: (lambda v, y: np.exp(v) * y, (sample(67), sample(40, 67))),
    Reason.MATERIALIZED_OUTPUT: (lambda x: (np.tanh(x), np.tanh(x)[::-1] + x), (sample(40),)),
    Reason.DEPENDENCY_CYCLE: (blocked, (sample(40, 67), sample(40))),
    Reason.NO_SHARED_OUTER_DIM: (lambda x: x - x.mean(), (sample(40),)),
    Reason.LIBRARY_CALL: (lambda a: np.exp(a @ a), (sample(40, 40),)),
    Reason.STORES_ROWS: (column, (sample(40, 67),)),
    Reason.TOO_MANY_READERS: (gathers, (sample(40, 6), *(np.arange(20 + k) for k in range(6)))),
    Reason.TOO_MANY_STREAMS: (total, tuple(sample(40) for _ in range(40))),
}
ELSEWHERE = {
    Reason.ROW_TOO_LARGE: test_rows,
    Reason.LONG_STEPS: test_long_steps,
    Reason.TARGET_NEVER_FUSES: "test_targets.py",
    Reason.ONLINE_REDUCTION: "lit_tests/passes/fusion/online.mlir",
    Reason.SELECTED_UPDATE: "test_selected_updates.py",
}


@pytest.mark.parametrize("reason", PRODUCES, ids=lambda r: r.value)
def test_code(reason):
    f, args = PRODUCES[reason]
    report = lw.jit(f).explain(*args)
    found = [d for d in report.decisions if d.reason == reason.value]
    assert found, sorted({d.reason for d in report.decisions})
    for d in found:
        assert d.producer and d.consumer and d.bytes_saved > 0
        assert re.search(r"test_must_not_fuse\.py:\d+", d.location), d.location


def test_every_code_has_a_program():
    assert {*PRODUCES, *ELSEWHERE} == set(Reason)
