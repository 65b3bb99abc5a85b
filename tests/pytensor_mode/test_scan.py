"""Scans: one native loop, with PyTensor's results for every kind of state, their gradients too."""

import numpy as np
import pytest

pytest.importorskip("pytensor", reason="needs Python 3.12 and loopweld[pytensor]")

import pytensor
import pytensor.tensor as pt
from pytensor.raise_op import Assert
from pytensor.scan.utils import until

import loopweld.pytensor

from .checking import PYTHON, RAW, check, close, variables


def scan(*args, **kwargs):
    return pytensor.scan(*args, return_updates=False, **kwargs)


def compare(build, *calls, wrt=(), mode=RAW):
    """The values for each call, of gradients of a sum of squares too, are those of PyTensor's Python; no fallbacks."""
    inputs = variables(*calls[0])
    found = build(*inputs)
    outputs = list(found) if isinstance(found, list) else [found]
    if wrt:
        cost = sum((out**2).sum() for out in outputs)
        outputs += pytensor.grad(cost, [inputs[k] for k in wrt])
    function = pytensor.function(inputs, outputs, mode=mode, on_unused_input="ignore")
    with pytensor.config.change_flags(linker="py", cxx=""):
        reference = pytensor.function(inputs, outputs, mode=PYTHON, on_unused_input="ignore")
        for arrays in calls:
            for a, b in zip(function(*arrays), reference(*arrays), strict=True):
                close(a, b, 1e-10)
    report = loopweld.pytensor.report(function)
    assert not report.fallbacks
    assert len(report.segments) == 1 and not report.segments[0].library_calls
    return report


RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.normal(size=shape)


def ar1(x, a):
    return scan(lambda x, y, a: a * y + x, sequences=[x], outputs_info=[pt.ones(())], non_sequences=[a])


def test_one_state_of_any_length():
    compare(ar1, *[(numbers(n), np.array(0.5)) for n in (7, 1, 0)], wrt=[0, 1])


@pytest.mark.parametrize("rows", [-1, slice(-3, None)])
def test_only_the_last_rows_are_kept(rows):
    report = compare(lambda x, a: ar1(x, a)[rows], *[(numbers(n), np.array(0.5)) for n in (3, 7, 8)], mode="LOOPWELD")
    assert max(t.bytes for kernel in report.segments[0].kernels for t in kernel.writes) <= 4 * 8


def test_taps():
    def build(x, start):
        return scan(
            lambda before, x, after, y3, y1: [0.3 * y3 - before * y1 + x, after * y1],
            sequences=[{"input": x, "taps": [-1, 0, 2]}],
            outputs_info=[{"initial": start, "taps": [-3, -1]}, None],
        )

    compare(build, (numbers(9), numbers(3)), (numbers(4), numbers(3)), wrt=[0, 1], mode="LOOPWELD")


def test_several_states_take_each_other():
    """Each step writes rows that the other state is read from."""

    def build(a, b):
        found = scan(lambda a, b: [b * 0.5, a[::-1] + b.sum()], outputs_info=[a, b], n_steps=5)
        return [v[-1] for v in found]

    compare(build, (numbers(3), numbers(3)), (numbers(2), numbers(2)), mode="LOOPWELD", wrt=[0, 1])


@pytest.mark.parametrize("mode", [RAW, "LOOPWELD"])
def test_recurrent_network(mode):
    """A state that is read as a whole is not overwritten before."""

    def build(x, h, w):
        return scan(lambda x, h, w: pt.tanh(x + h @ w), sequences=[x], outputs_info=[h], non_sequences=[w])[-1]

    compare(build, (numbers(4, 3), numbers(3), numbers(3, 3)), wrt=[1, 2], mode=mode)


def test_backwards_and_truncated():
    def build(x, a):
        last = {"go_backwards": True, "truncate_gradient": 3}
        y = scan(lambda x, y, a: a * y + x, sequences=[x], outputs_info=[pt.ones(())], non_sequences=[a], **last)
        return [y, *pytensor.grad((y**2).sum(), [x, a])]

    compare(build, (numbers(6), np.array(0.5)))


def test_nested():
    def build(x, a):
        def step(x, y, a):
            return scan(lambda e, z: z * 0.5 + e, sequences=[x], outputs_info=[y])[-1] * a

        return scan(step, sequences=[x], outputs_info=[pt.zeros(())], non_sequences=[a])

    compare(build, (numbers(5, 3), np.array(0.5)), (numbers(2, 4), np.array(0.5)), wrt=[0, 1])


def test_second_gradient():
    def build(x, a):
        y = ar1(x, a)
        slope = pytensor.grad((y**2).sum(), a)
        return [slope, pytensor.grad(slope, a)]

    compare(build, (numbers(5), np.array(0.5)))


def test_dtypes():
    def build(x, k):
        start = [pt.constant(np.int8(1)), pt.constant(np.float32(0))]
        return scan(
            lambda x, k, i, f: [i + k, (f * 0.5 + x).astype("float32"), x > f],
            sequences=[x, k],
            outputs_info=[*start, None],
        )

    check(build, numbers(6).astype(np.float32), np.arange(6, dtype=np.int8))


def test_sizes_and_numbers_of_steps():
    def build(n, a):
        return scan(
            lambda y, a: y * a.sum() + pt.ones(a.shape[0]).sum(),
            outputs_info=[pt.zeros(())],
            non_sequences=[a],
            n_steps=n,
        )

    compare(build, *[(np.int64(n), numbers(3)) for n in (5, 1, 0)])


def test_an_index_a_step():
    def build(x):
        places = pt.arange(1, x.shape[0])
        return scan(lambda k, y: pt.set_subtensor(y[k], y[k - 1] * 0.5 + 1), sequences=[places], outputs_info=[x])[-1]

    compare(build, (numbers(8),), (numbers(4),), wrt=[0])


def test_what_fails_in_a_step_raises():
    x, k = pt.vector("x"), pt.lvector("k")
    positive = scan(lambda x, y: Assert("not positive")(y + x, x > 0), sequences=[x], outputs_info=[pt.zeros(())])
    chosen = scan(lambda k, x: x[k], sequences=[k], non_sequences=[x])
    f = pytensor.function([x, k], [positive, chosen], mode="LOOPWELD")
    for _ in range(4):
        np.testing.assert_array_equal(f([1.0, 2.0], [1, -1])[1], [2.0, 2.0])
        with pytest.raises(AssertionError, match="not positive"):
            f([1.0, -1.0], [0, 0])
        with pytest.raises(IndexError):
            f([1.0, 2.0], [0, 2])


def test_a_sequence_that_is_too_short():
    x = pt.vector("x")
    f = pytensor.function([x], scan(lambda x: x * 2, sequences=[x], n_steps=3), mode=RAW)
    np.testing.assert_array_equal(f(np.ones(4)), [2.0] * 3)
    with pytest.raises(ValueError, match="required number of steps is 3"):
        f(np.ones(2))


def test_conditions_run_in_pytensor():
    x = pt.vector("x")
    y = scan(lambda x, y: (y + x, until(y > 1)), sequences=[x], outputs_info=[pt.zeros(())])
    f = pytensor.function([x], y, mode="LOOPWELD")
    np.testing.assert_array_equal(f(np.ones(9)), [1.0, 2.0, 3.0])
    report = loopweld.pytensor.report(f)
    assert list(report.fallbacks.values()) == [1] and report.loops[0].kernels == 1


def test_loops_of_pytensor_call_native_steps():
    """Factors and systems, all kinds of states, and their gradients, whose states take what a step adds to them."""

    def build(x, a, m):
        def step(x, before, s, a):
            factor = pt.linalg.cholesky(x @ x.T + a * pt.eye(8))
            return [0.5 * before + factor, pt.linalg.solve_triangular(factor, s, lower=True), factor.sum()]

        return scan(step, sequences=[x], outputs_info=[m, pt.ones(8), None], non_sequences=[a])

    inputs = variables(x := numbers(5, 8, 8), a := np.array(9.0), m := numbers(8, 8))
    outputs = build(*inputs)
    outputs += pytensor.grad(sum((out**2).sum() for out in outputs), inputs)
    with pytensor.config.change_flags(linker="py", cxx=""):
        expected = pytensor.function(inputs, outputs, mode=PYTHON)
        calls = [(x, a, m), (x[:1], a, m), (x[::-1], a + 1, m.T)]
        function = pytensor.function(inputs, outputs, mode="LOOPWELD")
        for arrays in calls:
            for found, value in zip(function(*arrays), expected(*arrays), strict=True):
                close(found, value, 1e-10)
    report = function.loopweld_report()
    assert len(report.loops) == sum(report.fallbacks.values()) == 2
    for loop in report.loops:
        assert not loop.fallbacks and len(loop.segments) == 1 and loop.segments[0].library_calls
    assert "in each step" in str(report) and len(report.to_dict()["loops"]) == 2


def test_steps_of_changing_sizes_run_in_pytensor():
    """A program for each size would take longer to make than the step."""
    n = pt.lvector("n")
    f = pytensor.function([n], scan(lambda k: pt.arange(k).sum(), sequences=[n]), mode=RAW)
    np.testing.assert_array_equal(f(np.arange(5)), [0, 0, 1, 3, 6])
    report = loopweld.pytensor.report(f)
    assert list(report.fallbacks.values()) == [1] and not report.loops
