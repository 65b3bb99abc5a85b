"""How many threads a program may use, and what is said where there is only one."""

import warnings

import numpy as np
import pytest

import loopweld as lw
from loopweld.compiler import threads

X = np.ones((40, 50))


def f(x):
    return np.exp(x)


def test_a_given_number(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(threads, "is_supported", lambda: True)
    monkeypatch.setenv("LOOPWELD_NUM_THREADS", "5")
    assert lw.jit(f, threads=3).explain(X).threads == 3
    assert lw.jit(f).explain(X).threads == 5
    monkeypatch.delenv("LOOPWELD_NUM_THREADS")
    assert lw.jit(f).explain(X).threads == threads.available() >= 1


def test_modules_take_threads_too():
    text = lw.jit(f).lower(X).as_text()
    one, two = (lw.compile(text, threads=count) for count in (1, 2))
    np.testing.assert_array_equal(one(X), two(X))
    assert one.report.threads == 1
    with pytest.raises(ValueError, match="threads must be at least 1, found 0"):
        lw.compile(text, threads=0)


def test_one_thread_where_there_can_be_no_others(monkeypatch: pytest.MonkeyPatch):
    """Who asked for several is told; who did not is not."""
    monkeypatch.setattr(threads, "is_supported", lambda: False)
    monkeypatch.delenv("LOOPWELD_NUM_THREADS", raising=False)
    with pytest.warns(RuntimeWarning, match="this program runs on one"):
        jitted = lw.jit(f, threads=2)
    assert jitted.explain(X).threads == 1
    np.testing.assert_allclose(jitted(X), np.exp(X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert lw.jit(f).explain(X).threads == lw.jit(f, threads=1).explain(X).threads == 1


def test_parallel_kernels():
    """What is known to be little work is not cut; sizes that only a call tells may be large."""
    static = lw.jit(f).lower(X[:3, 0]).as_text()
    assert [k.parallel for k in lw.compile(static).report.kernels] == [False]
    assert [k.parallel for k in lw.jit(f).explain(X).kernels] == [True]
    assert "parallel" in str(lw.jit(f).explain(X))
