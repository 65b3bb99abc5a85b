"""What a traced function may not do: each message says what, where and what to do instead."""

import re

import numpy as np
import pytest
from frontend.checking import ops

from loopweld.compiler.frontend import TraceError, UnsupportedError, trace

X = np.random.default_rng(0).standard_normal((20, 30))


def store(x):
    x[0] = 1
    return x


def add_in_place(x):
    x += 1
    return x


def store_in_view(x):
    x[1:][0] = 1
    return x


def fill_ordinary_array(x):
    z = np.zeros(30)
    z[0] = x[0, 0]
    return z


def change_reshaped(x):
    z = x.copy()
    z.reshape(-1)[0] = 3
    return z


def change_before_reshaped(x):
    z = x.copy()
    flat = z.reshape(-1)
    z[0] = 3
    return flat


WRONG = [
    (lambda x: x if x.sum() > 0 else -x, "condition", "np.where"),
    (lambda x: max(x[0, 0], x[0, 1]), "condition", "np.where"),
    (lambda x: float(x.sum()), "float", "np.where"),
    (lambda x: int(x.sum()), "int", "array operations"),
    (lambda x: x.item(), "item", "array operations"),
    (lambda x: list(x), "iteration over an axis of open size s0", "range(x.shape[0])"),
    (store, "argument 'x' is changed in place", "x.copy()"),
    (add_in_place, "argument 'x' is changed in place", "x = x + y"),
    (store_in_view, "argument 'x' is changed in place", "x.copy()"),
    (fill_ordinary_array, "ordinary array", "np.zeros_like"),
    (change_reshaped, "reshape", ".copy()"),
    (change_before_reshaped, "reshape", ".copy()"),
    (lambda x: np.asarray(x), "np.asarray", "np.stack"),
    (lambda x: np.array([x, x]), "np.array", "np.stack"),
    (lambda x: x[x > 0], "boolean mask", "np.where(mask"),
    (lambda x: x[: x.argmax()], "traced bound", "np.take"),
    (lambda x: np.reshape(x, (x.argmax(), -1)), "shape holds a traced value", "close over"),
    (lambda x: np.add.at(np.zeros(30), x.argmax(1), 1.0), "np.add.at", "np.zeros_like"),
    (lambda x: np.unique(x), "np.unique", "np.where"),
    (lambda x: np.nonzero(x), "np.nonzero", "np.where"),
    (lambda x: np.where(x > 0), "np.where with one argument", "np.where(condition, x, y)"),
    (lambda x: np.piecewise(x, [x > 0], [1]), "np.piecewise", "np.select"),  # pyright: ignore[reportCallIssue]
    (lambda x: np.histogram(x), "numpy.histogram", "outside the compiled function"),
    (lambda x: np.add.reduceat(x, [0, 1]), "add.reduceat", "outside"),
    (lambda x: np.sqrt(x, where=x > 0), "where= and without out=", "np.where"),
    (lambda x: np.add(x, 1, out=np.zeros((20, 30))), "out=", "leave out= away"),
    (lambda x: x.tofile("a"), "ndarray.tofile", "outside"),
    (lambda x: np.repeat(x, x.argmax(1), 0), "np.repeat", "np.take"),
]


@pytest.mark.parametrize(("function", "what", "remedy"), WRONG)
def test_message(function, what, remedy):
    with pytest.raises(TraceError) as caught:
        trace(function, (X,))
    text = str(caught.value)
    assert what in text
    assert remedy in text
    assert re.search(r"test_errors\.py:\d+: \S", text)
    assert all(len(line) <= 100 or line.startswith("  at ") for line in text.splitlines())


def test_unsupported_is_its_own_kind():
    with pytest.raises(UnsupportedError):
        trace(np.histogram, (X,))


def test_kept_tracers():
    kept = []
    trace(lambda x: kept.append(x), (X,))
    with pytest.raises(TraceError, match=r"another trace(.|\n)*pass arrays as arguments"):
        trace(lambda x: x + kept[0], (X,))
    with pytest.raises(TraceError, match="another trace"):
        trace(lambda x: kept[0].sum(), (X,))
    with pytest.raises(TraceError, match="another trace"):
        trace(lambda x: kept[0], (X,))


def test_numpys_own_errors():
    cases = [
        (lambda x: x @ x, ValueError, "inner dimensions differ: 30 and 20"),
        (lambda x: x.reshape(7, -1), ValueError, r"cannot reshape array of size 600 into shape \(7,-1\)"),
        (lambda x: x[:0].reshape(-1, 0), ValueError, r"cannot reshape array of size 0 into shape \(-1,0\)"),
        (lambda x: x[np.arange(3), np.arange(2)], IndexError, r"indexing arrays could not .* shapes \(3,\) \(2,\)"),
        (lambda x: np.take_along_axis(x, np.ones((3, 4), int), 0), IndexError, "indexing arrays could not"),
        (lambda x: x.max(axis=5), np.exceptions.AxisError, "axis 5 is out of bounds"),
        (lambda x: np.concatenate([x, x[:, :4]]), ValueError, "axis 1: 30 and 4"),
        (lambda x: x[0, 0, 0], IndexError, "too many indices"),
        (lambda x: x[1.5], IndexError, "only integers"),
        (lambda x: (x > 0) - (x > 1), TypeError, "boolean subtract"),
        (lambda x: x["a"], TypeError, "type str"),
        (lambda x: np.broadcast_to(x, (3, 4)), ValueError, "could not broadcast"),
        (lambda x: x.argmax(1) ** -1, ValueError, "Integers to negative integer powers are not allowed"),
        (lambda x: 2 ** np.array([1, -2]) * x.argmax(), ValueError, "Integers to negative integer powers"),
        (lambda x: x.foo, AttributeError, "no attribute 'foo'"),
        (lambda x: x.astype("S3"), TypeError, "dtype"),
    ]
    for function, kind, text in cases:
        with pytest.raises(kind, match=text):
            trace(function, (X,))


def test_arguments_of_other_dtypes():
    with pytest.raises(TraceError, match=r"argument 'd\.a' has dtype <U1"):
        trace(lambda d: d["a"], ({"a": np.array(["x"])},))
    with pytest.raises(TraceError, match="native"):
        trace(lambda x: x, (X.astype(">f8"),))


def test_calls_that_the_signature_does_not_allow():
    with pytest.raises(TypeError, match="missing a required argument: 'y'"):
        trace(lambda x, y: x, (X,))


def test_comparison_with_none_is_python():
    traced = trace(lambda x: x if x is not None and x != None else -x, (X,))  # noqa: E711  # pyright: ignore[reportOperatorIssue]
    assert ops(traced) == []
