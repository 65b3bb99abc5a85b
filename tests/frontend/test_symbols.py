"""Specialisation: which sizes stay open, are unified, or are pinned; arguments and results as trees."""

from typing import NamedTuple

import numpy as np
import pytest
from frontend.checking import check, ops, run
from xdsl.dialects.builtin import ArrayAttr, FileLineColLoc

from loopweld.compiler.frontend import trace
from loopweld.passes.evaluate import find_function

X = np.random.default_rng(0).standard_normal((20, 30))


def shapes(traced):
    return [[str(e) for e in spec.shape] for spec in traced.inputs]


def test_tiny_dims_are_static_and_others_open():
    traced = trace(lambda x, y: (x, y), (np.ones((1, 16, 17)), np.ones(40)))
    assert shapes(traced) == [["1", "16", "s0"], ["s1"]]


def test_static_dims():
    assert shapes(trace(lambda x: x, (X,), static_dims=frozenset({("x", 1)}))) == [["s0", "30"]]


def test_equal_sizes_are_unified():
    traced = check(lambda x, y, z: x + y * z, X, X[0], X, others=[(np.ones((17, 40)), np.ones(40), np.ones((17, 40)))])
    assert shapes(traced) == [["s0", "s1"], ["s1"], ["s0", "s1"]]
    with pytest.raises(ValueError, match="size 50 along axis 0"):
        run(traced, np.ones((17, 40)), np.ones(50), np.ones((17, 40)))


def test_derived_sizes_are_unified():
    traced = check(lambda x, y: x[1:] + y, X[0], X[0, 1:], others=[(np.ones(50), np.ones(49))])
    assert shapes(traced) == [["s0"], ["s0 - 1"]]


def test_different_sizes_raise_as_numpy():
    with pytest.raises(ValueError, match=r"could not be broadcast together with shapes \(20,30\) \(20,\)"):
        trace(lambda x, y: x + y, (X, X[:, 0]))


def test_open_and_static_sizes_pin():
    traced = trace(lambda x: x + np.linspace(0, 1, 30), (X,))
    assert traced.pinned == {("x", 1)}
    assert shapes(traced)[0] == ["s0", "30"]


def test_pinning_follows_unification():
    traced = trace(lambda x, y: (x + y) * len(range(x.shape[0])), (X[0], X[1]))
    assert traced.pinned == {("x", 0), ("y", 0)}


@pytest.mark.parametrize(
    "use",
    [
        *(range, float, hash, str.__mul__.__get__("a"), np.arange, lambda n: n == 30, lambda n: n > 25),
        *(lambda n: int(n / 2), lambda n: 3 if n / 4 > 7 else 5, lambda n: np.arange(n, dtype="f4")),
    ],
)
def test_python_uses_of_a_size_pin_it(use):
    traced = trace(lambda x: (use(x.shape[1]), x)[1], (X,))
    assert traced.pinned == {("x", 1)}


def test_ranges_of_a_size():
    def f(x):
        n, m = x.shape
        return (
            (x * np.arange(m, dtype="f4"), x[:, ::2] + np.arange(0, m, 2, dtype="i2"), np.arange(n, 0, -1, dtype="f8")),
            (np.arange(n / 3, dtype="f4"), np.arange(-1, m * 0.5), np.arange(0, 1, 1 / n, dtype="f8")),
        )

    check(f, X)


def test_size_arithmetic_stays_open():
    def f(x):
        n, m = x.shape
        assert n > 1 and n != 1 and n >= 17 and bool(m) and not n < 10
        half = n // 2
        return (
            (x.sum() / n, 1.0 / x.size, x * n, x[:half], x[half:], np.log(x.size), np.sqrt(n), n**2, n % 2),
            (x.reshape(n * m), n + m, 2 * n - m, x[n - 1], -n, n / 2, x.size == 0),
        )

    assert check(f, X, others=[(np.ones((17, 41)),)]).pinned == frozenset()


def test_sizes_are_weak():
    check(lambda x: (x * x.shape[0], x.shape[0] * np.float32(2)), X.astype("f4"))
    assert "size" in ops(trace(lambda x: x * x.size, (X,)))


class Pair(NamedTuple):
    left: object
    right: object


def test_trees_and_names():
    def f(x, pair, *rest, scale=1.0, **more):
        return {"a": Pair(x + pair[0], [pair[1]["k"] * scale]), "b": (rest[0] + more["z"],)}

    args = (X, (X, {"k": X[0]}), X[1])
    traced = trace(f, args, {"scale": 2.5, "z": X[1]})
    names = ["x", "pair.0", "pair.1.k", "rest.0", "scale", "z"]
    assert [s.name for s in traced.inputs] == names
    written = find_function(traced.module).attributes["weld.arg_names"]
    assert isinstance(written, ArrayAttr)
    assert [a.data for a in written] == names
    found = run(traced, *args, 2.5, X[1])
    assert isinstance(found["a"], Pair)
    np.testing.assert_array_equal(found["a"].right[0], X[0] * 2.5)
    assert [o.name for o in traced.outputs] == ["out0", "out1", "out2"]


def test_scalar_results_have_numpys_types():
    check(
        lambda x, z, n: (x.sum(), x[0, 0], z, z * 2, n, n * 2, x[0, ..., 0], x.reshape(-1)[:1].reshape(())),
        X,
        np.array(2.0),
        3,
    )


def test_values_that_are_no_arrays_stay_as_they_are():
    traced = trace(lambda x, mode, flag: x if mode == "a" and flag is None else -x, (X, "a", None))
    assert [s.name for s in traced.inputs] == ["x"]
    assert ops(traced) == []


def test_locations_are_the_users_lines():
    traced = trace(lambda x: np.exp(x), (X,))
    op = find_function(traced.module).body.block.first_op
    assert op is not None
    assert isinstance(op.location, FileLineColLoc)
    assert op.location.filename.data == __file__
    assert op.location.line.data == test_locations_are_the_users_lines.__code__.co_firstlineno + 1
