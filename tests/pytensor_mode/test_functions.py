"""Functions of the mode behave as in other modes: updates, copies, pickles, fallbacks, reports."""

import pickle

import numpy as np
import pytest

pytest.importorskip("pytensor", reason="needs Python 3.12 and loopweld[pytensor]")

import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import shared
from pytensor.ifelse import ifelse
from pytensor.raise_op import CheckAndRaise

import loopweld.pytensor


def test_shared_variables_and_updates():
    state, other = shared(np.zeros(3), "state"), shared(np.ones(3), "other")
    x = pt.vector("x")
    f = pytensor.function([x], (state + x).sum(), updates={state: state + x, other: state}, mode="LOOPWELD")
    assert [float(f(np.ones(3))) for _ in range(3)] == [3.0, 6.0, 9.0]
    np.testing.assert_array_equal(state.get_value(), [3.0] * 3)
    np.testing.assert_array_equal(other.get_value(), [2.0] * 3)
    state.set_value(np.zeros(5))
    assert float(f(np.ones(5))) == 5.0


def test_givens_and_unused_inputs():
    x, y = pt.vector("x"), pt.vector("y")
    f = pytensor.function([y, pt.vector()], x.sum(), on_unused_input="ignore", givens={x: y * 2}, mode="LOOPWELD")
    assert float(f(np.ones(3), np.ones(1))) == 6.0
    with pytest.raises(Exception, match="not part of"):
        pytensor.function([x, y], x.sum(), mode="LOOPWELD")


def test_results_are_arrays_of_their_own():
    x = shared(np.arange(3.0))
    f = pytensor.function([], [x, x * 1, x[1:], pt.constant([1.0, 2.0])], mode="LOOPWELD")
    first = f()
    for result in first:
        result += 100
    np.testing.assert_array_equal(x.get_value(), np.arange(3.0))
    for a, b in zip(f(), [np.arange(3.0), np.arange(3.0), np.arange(1.0, 3.0), np.array([1.0, 2.0])], strict=True):
        np.testing.assert_array_equal(a, b)


def test_copies_and_pickles():
    state = shared(np.zeros(2), "state")
    x = pt.vector("x")
    f = pytensor.function([x], state + x, updates={state: state + 1}, mode="LOOPWELD")
    f(np.ones(2))
    other = shared(np.full(2, 10.0), "other")
    g = f.copy(swap={state: other})
    np.testing.assert_array_equal(g(np.ones(2)), [11.0, 11.0])
    h = pickle.loads(pickle.dumps(f))
    np.testing.assert_array_equal(h(np.ones(2)), f(np.ones(2)))


def test_the_mode_is_picklable_and_can_be_changed():
    mode = pickle.loads(pickle.dumps(loopweld.pytensor.LOOPWELD)).including("fusion").excluding("fusion")
    x = pt.vector("x")
    f = pytensor.function([x], x + 1, mode=mode, trust_input=True)
    np.testing.assert_array_equal(f(np.ones(2)), [2.0, 2.0])


def test_a_fallback_between_programs():
    x = pt.matrix("x")
    f = pytensor.function([x], pt.sort(pt.exp(x), axis=0)[1:].sum(), mode="LOOPWELD")
    a = np.random.default_rng(0).normal(size=(4, 4))
    np.testing.assert_allclose(f(a), np.sort(np.exp(a), axis=0)[1:].sum())
    report = f.loopweld_report()
    assert len(report.segments) == 2 and sum(report.fallbacks.values()) == 1
    assert "Sort" in str(report) and report.to_dict()["fallbacks"] == report.fallbacks


def test_both_sides_of_a_branch():
    c, x = pt.scalar("c"), pt.vector("x")
    f = pytensor.function([c, x], ifelse(c > 0, x * 2, x[1:]) + 1, mode="LOOPWELD")
    np.testing.assert_array_equal(f(1.0, np.ones(3)), [3.0] * 3)
    np.testing.assert_array_equal(f(-1.0, np.ones(3)), [2.0] * 2)


def test_loops():
    x = pt.vector("x")
    result = pytensor.scan(lambda a, b: a * 2 + b, sequences=[x], outputs_info=[pt.zeros(())], return_updates=False)
    f = pytensor.function([x], result.sum(), mode="LOOPWELD")
    total, state = 0.0, 0.0
    for k in range(4):
        state = 2 * k + state
        total += state
    np.testing.assert_allclose(f(np.arange(4.0)), total)


def test_random_numbers_move_on():
    rng = pt.random.shared_rng(seed=3)
    following, draw = rng.normal(size=(3,))
    f = pytensor.function([], draw * 2, updates={rng: following}, mode="LOOPWELD")
    first, second = f(), f()
    assert not np.array_equal(first, second) and first.shape == (3,)


def test_checks_raise_what_they_say():
    x = pt.vector("x")
    f = pytensor.function([x], CheckAndRaise(KeyError, "not positive")(x, pt.all(x > 0)) + 1, mode="LOOPWELD")
    np.testing.assert_array_equal(f(np.ones(2)), [2.0, 2.0])
    for _ in range(2):
        with pytest.raises(KeyError, match="not positive"):
            f(-np.ones(2))
    assert not f.loopweld_report().fallbacks


def test_report_before_the_first_call():
    x = pt.vector("x")
    f = pytensor.function([x], pt.exp(x), mode="LOOPWELD")
    assert f.loopweld_report().waiting == 1 and "when the function is called" in str(f.loopweld_report())
    f(np.ones(3))
    report = f.loopweld_report()
    assert report.waiting == 0 and report.kernels == 1 and report.seconds > 0


def test_functions_of_other_modes_have_no_report():
    x = pt.vector("x")
    with pytest.raises(TypeError, match="LOOPWELD"):
        loopweld.pytensor.report(pytensor.function([x], x + 1, mode="FAST_COMPILE"))


def test_errors_name_the_node():
    x, y = pt.vector("x"), pt.vector("y")
    f = pytensor.function([x, y], x + y, mode="LOOPWELD")
    with pytest.raises(ValueError, match="Input dimension mismatch"):
        f(np.ones(2), np.ones(3))
    np.testing.assert_array_equal(f(np.ones(2), np.ones(2)), [2.0, 2.0])


def test_the_parts_of_a_gradient_are_computed_in_their_stretches_of_it():
    """Each element of a join takes the arithmetic of its own part only, however much the other parts take."""
    x = pt.vector("x", shape=(503,))
    parts = [pt.exp(x[k : k + 1]) * pt.log1p(x[k : k + 1]) + pt.gammaln(x[k : k + 1]) for k in range(3)]
    f = pytensor.function([x], pt.join(0, *parts, x[3:] * 2), mode="LOOPWELD")
    a = np.linspace(1, 2, 503)
    np.testing.assert_allclose(f(a)[3:], a[3:] * 2)
    (segment,) = f.vm.jit_fn.segments
    text = segment.latest().as_text("loops")
    loops = text.split("loop.for")[1:]
    assert sum("weld.lgamma" in loop for loop in loops) == 3
    assert any("weld.mul" in loop and "weld.lgamma" not in loop for loop in loops)


def test_a_tall_constant_is_walked_along_its_columns():
    """So that what is computed for each row fills the lanes, and no product is a library call."""
    rng = np.random.default_rng(0)
    data, b = rng.normal(size=(200, 4)), pt.vector("b", shape=(4,))
    p = pt.sigmoid(pt.constant(data) @ b)
    f = pytensor.function([b], [p.sum(), pt.constant(data).T @ p], mode="LOOPWELD")
    value = np.ones(4)
    expected = 1 / (1 + np.exp(-data @ value))
    found = f(value)
    np.testing.assert_allclose(found[0], expected.sum())
    np.testing.assert_allclose(found[1], data.T @ expected)
    (report,) = f.loopweld_report().segments
    assert not report.library_calls and max(k.vector_width for k in report.kernels) >= 8
    assert report.bytes_minimum < 2 * data.nbytes  # the matrix and its transpose are one constant


def test_a_size_that_is_checked():
    x = pt.vector("x")
    count = CheckAndRaise(ValueError, "too long")(x.shape[0] * 2, x.shape[0] < 5)
    f = pytensor.function([x], pt.ones(count), mode="LOOPWELD")
    for _ in range(2):
        assert f(np.ones(3)).shape == (6,) and f(np.ones(4)).shape == (8,)
        with pytest.raises(ValueError, match="too long"):
            f(np.ones(5))
    assert len(f.loopweld_report().segments) == 1
