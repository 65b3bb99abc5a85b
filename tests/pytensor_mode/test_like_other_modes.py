"""What PyTensor's functions promise whatever the mode: each scene gives the same under LOOPWELD and FAST_COMPILE."""

import copy
import io
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pytensor", reason="needs Python 3.12 and loopweld[pytensor]")

import pytensor
import pytensor.tensor as pt
from pytensor import In, Out, function, shared

import loopweld.pytensor  # noqa: F401

X, Y, S, N = pt.vector("x"), pt.vector("y"), pt.scalar("s"), pt.lscalar("n")


def array(*numbers: float) -> Any:
    return np.array(numbers, float)


def profile(mode: str) -> Any:
    f = function([X], pt.exp(X) * 2, mode=mode, profile=True)
    f(array(1, 2)), f(array(1, 2))
    text = io.StringIO()
    f.profile.summary(file=text)
    times = f.profile.fct_call_time, f.profile.vm_call_time, f.profile.compile_time
    return f.profile.fct_callcount, [t > 0 for t in times], "Function profiling" in text.getvalue()


def results_are_new_arrays(mode: str) -> Any:
    v, x = shared(array(1, 2)), array(3, 4)
    f = function([X], [X, X * 2, X, v, v.T[::-1]], mode=mode)
    for result in f(x):
        result[0] = 9
    return x, v.get_value(), f(x)


def borrowed(mode: str) -> Any:
    v = shared(array(1, 2))
    f = function([In(X, borrow=True)], [Out(X, borrow=True), Out(v, borrow=True)], mode=mode)
    return f(array(1, 2))


def updates(mode: str) -> Any:
    v, w = shared(array(1, 2)), shared(array(5, 6))
    swap = function([], [v + w, v], updates={v: w, w: v}, mode=mode)
    take = function([X], v, updates={v: X}, mode=mode)
    first, x = swap(), array(7, 8)
    first[1][0] = 99
    old = take(x)
    x[0] = 99
    return first, old, v.get_value(), w.get_value()


def updates_in_place(mode: str) -> Any:
    v = shared(np.zeros(3))
    f = function([N, S], [], updates={v: pt.inc_subtensor(v[N], S)}, mode=mode)
    f(0, 1.0), f(-1, 2.0), f(0, 1.0)
    return v.get_value()


def a_failed_call_updates_nothing(mode: str) -> Any:
    v, w = shared(np.zeros(2)), shared(np.zeros(2))
    f = function([X, Y], X + Y, updates={v: v + 1, w: w + X}, mode=mode)
    with pytest.raises(ValueError):
        f(array(1, 2), array(1, 2, 3))
    return v.get_value(), w.get_value(), f(array(1, 2), array(1, 2)), v.get_value()


def default_updates(mode: str) -> Any:
    v = shared(0.0)
    v.default_update = v + 1
    f, g = function([], v, mode=mode), function([], v, no_default_updates=True, mode=mode)
    return f(), f(), g(), v.get_value()


def mutable_inputs(mode: str) -> Any:
    f = function([In(X, mutable=True), Y], [X * 2 + Y, pt.inc_subtensor(X[0], 1.0)], mode=mode)
    first = f(array(1, 2), array(3, 4))
    first[0][:] = 9
    return first, f(array(1, 2), array(3, 4))


def conversions(mode: str) -> Any:
    single = pt.fvector("single")
    f, g = function([X], X * 2, mode=mode), function([single], single, mode=mode, allow_input_downcast=True)
    return f([1, 2]), f(np.arange(2)), g(array(1.1)), function([N], pt.arange(N), mode=mode)(np.int8(3))


def trusted_inputs(mode: str) -> Any:
    f, g = (function([v], v * 2, mode=mode, trust_input=True) for v in (X, S))
    return f(array(1, 2)), g(np.array(2.0)), f(np.arange(3))


def refused_inputs(mode: str) -> Any:
    single = pt.fvector("single")
    f = function([In(X, strict=True), Y], X * Y, mode=mode)
    g = function([single], single, mode=mode)
    calls = [(f, ([1.0], array(1))), (f, (array(1),)), (f, (array(1),) * 3), (f, (np.ones((1, 1)), array(1)))]
    found: list[str] = []
    for function_, values in [*calls, (g, (array(1.1),))]:
        with pytest.raises(TypeError) as raised:
            function_(*values)
        found.append(str(raised.value)[:50])
    return found


def unused_inputs(mode: str) -> Any:
    with pytest.raises(pytensor.compile.maker.UnusedInputError):
        function([X, Y], X, mode=mode)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        f = function([X, Y], X * 2, mode=mode, on_unused_input="warn")
        g = function([X, Y], [], mode=mode, on_unused_input="ignore")
    return len(seen), f(array(1), array(2)), g(array(1), array(2))


def given(mode: str) -> Any:
    v, double = shared(array(1, 2)), X * 2
    f = function([X], v * 3, givens={v: X}, mode=mode)
    g = function([Y], double + 1, givens=[(double, Y)], mode=mode)
    return f(array(5, 6)), g(array(5, 6)), function([double], double + 1, mode=mode)(array(5, 6))


def copies(mode: str) -> Any:
    v, w = shared(array(1, 2)), shared(array(7, 8, 9))
    f = function([X], [v + X, (v * X).sum()], updates={v: v + 1}, mode=mode, name="f")
    f(array(0, 0))
    alone, swapped = f.copy(delete_updates=True), f.copy(swap={v: w}, name="g")
    loaded = pickle.loads(pickle.dumps(f))
    results = alone(array(0, 0)), swapped(array(0, 0, 0)), copy.copy(f)(array(1, 1)), loaded(array(1, 1))
    return results, f.name, swapped.name, v.get_value(), w.get_value(), f(array(1, 1))


def constants(mode: str) -> Any:
    f = function([X], [pt.constant(array(1, 2)), X[0], X.sum()], mode=mode)
    f(array(1, 2))[0][0] = 9
    return f(array(1, 2)), f.free(), f(array(3, 4)), (X * 3).eval({X: array(1, 2)}, mode=mode)


def no_floating_point_errors(mode: str) -> Any:
    with np.errstate(all="ignore"):
        return function([X], [pt.log(X), 1 / X], mode=mode)(array(0, -1))


SCENES = [
    *(profile, results_are_new_arrays, borrowed, updates, updates_in_place, a_failed_call_updates_nothing),
    *(default_updates, mutable_inputs, conversions, trusted_inputs, refused_inputs, unused_inputs, given, copies),
    *(constants, no_floating_point_errors),
]


def described(value: Any) -> Any:
    """Something to compare: arrays by dtype, shape and elements."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.round(12).tolist()
    return [described(v) for v in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_scene_is_the_same_in_another_mode(scene: Any):
    with pytensor.config.change_flags(linker="py", cxx=""):
        expected = described(scene("FAST_COMPILE"))
    np.testing.assert_equal(described(scene("LOOPWELD")), expected)
