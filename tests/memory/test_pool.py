"""Memory of large results and temporaries: used again when the last array in it is gone, and never before."""

import ctypes
import gc
import itertools
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

import loopweld as lw
from loopweld import environment
from loopweld.compiler.runtime.pool import HUGE_PAGE, SMALLEST, Pool, size_class

F32 = np.dtype(np.float32)
LARGE = SMALLEST // 4
"""Elements of float32 from which memory comes from the pool."""


LIMITS = itertools.count(1 << 26)


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch):
    """The limit of a pool that no other test uses; and no cache on disk."""
    found = next(LIMITS)
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")
    monkeypatch.setenv("LOOPWELD_POOL_BYTES", str(found))
    return found


def address(array):
    return array.__array_interface__["data"][0]


# ---- blocks ------------------------------------------------------------------------
def test_size_classes_hold_the_size_and_waste_little():
    sizes = [1, 4095, 4096, 4097, SMALLEST, SMALLEST + 1, HUGE_PAGE - 1, HUGE_PAGE, 10**7 + 3, 1 << 31]
    for size in sizes:
        found = size_class(size)
        assert size <= found <= max(4096, size * 9 // 8 + 4096)
        assert found % 4096 == 0
        assert size_class(found) == found
    assert len({size_class(s) for s in range(1 << 20, 1 << 21, 1000)}) <= 9


@pytest.mark.parametrize("size", [SMALLEST - 1, SMALLEST, SMALLEST + 1, 2 * SMALLEST + 4097])
def test_memory_is_ours_from_a_size_on(size):
    pool = Pool(1 << 24)
    array = pool.empty((size,), np.dtype(np.uint8))
    assert array.shape == (size,) and array.flags.c_contiguous and array.flags.writeable
    array[:] = 7
    assert array.flags.owndata == (size < SMALLEST)
    assert pool.stats().used == (size_class(size) if size >= SMALLEST else 0)
    if size >= SMALLEST:
        assert address(array) % 64 == 0


@pytest.mark.parametrize("shape", [(), (0,), (0, 1 << 40), (1,), (LARGE, 0)])
def test_empty_and_tiny_shapes(shape):
    assert Pool(1 << 24).empty(shape, F32).shape == shape


def test_memory_is_used_again_once_the_last_view_is_gone():
    pool = Pool(1 << 24)
    first = pool.empty((LARGE,), F32)
    where, view = address(first), first[1:].reshape(1, -1)[:, ::-1]
    del first
    second = pool.empty((LARGE,), F32)
    assert address(second) != where
    del view
    third = pool.empty((LARGE,), F32)
    assert address(third) == where
    assert pool.stats().reused == 1 and pool.stats().requests == 3


def test_a_buffer_of_the_base_keeps_the_memory():
    pool = Pool(1 << 24)
    array = pool.empty((LARGE,), F32)
    array[:] = 3
    where, buffer = address(array), memoryview(array.base)
    del array
    assert pool.stats().used > 0
    assert address(pool.empty((LARGE,), F32)) != where
    assert np.frombuffer(buffer, F32, 1)[0] == 3


def test_what_is_idle_stays_below_the_limit_and_the_oldest_goes_first():
    size = size_class(4 * LARGE)
    pool = Pool(3 * size)
    arrays = [pool.empty((LARGE,), F32) for _ in range(5)]
    places = [address(a) for a in arrays]
    assert pool.stats().used == 5 * size and pool.stats().idle == 0
    while arrays:
        del arrays[0]
        assert pool.stats().idle <= 3 * size
    assert pool.stats() == (0, 3 * size, 3 * size, 5, 0)
    again = [pool.empty((LARGE,), F32) for _ in range(3)]
    assert {address(a) for a in again} == set(places[2:])


def test_a_limit_of_zero_turns_it_off():
    pool = Pool(0)
    assert pool.empty((LARGE,), F32).flags.owndata
    block = pool.take(100)  # temporaries still need memory
    pool.give(block)
    assert pool.stats().used == pool.stats().idle == 0


def test_memory_that_the_system_does_not_have():
    pool = Pool(1 << 20)
    with pytest.raises(MemoryError):
        pool.take(1 << 60)
    assert pool.stats().used == 0


def test_a_collection_in_the_middle_of_a_call_gives_blocks_back():
    """Arrays in reference cycles die inside other calls of the pool."""
    pool = Pool(1 << 26)
    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(300):
            cycle = [pool.empty((LARGE,), F32)]
            cycle.append(cycle)
            del cycle
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert pool.stats().used == 0 and pool.stats().requests == 300


def test_many_threads():
    """No block is two threads' at a time."""
    pool, errors = Pool(1 << 22), []

    def work(number):
        for k in range(300):
            array = pool.empty((LARGE + 1000 * (k % 3),), F32)
            array[::1000] = number
            if not (array[::1000] == number).all():
                errors.append(number)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert pool.stats().used == 0 and pool.stats().requests == 1800


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_a_forked_child_has_memory_of_its_own():
    program = """
import os, threading
import numpy as np
from loopweld.compiler.runtime.pool import Pool
pool = Pool(1 << 24)
array = pool.empty((1 << 20,), np.dtype(np.float32))
array[:] = 1
pool.give(pool.take(1 << 20))
pool._lock.acquire()  # as if another thread were in the middle of a call
child = os.fork()
if child == 0:
    other = pool.empty((1 << 20,), np.dtype(np.float32))
    other[:] = 2
    array[:] = 3
    del other
    ok = pool.empty((1 << 20,), np.dtype(np.float32))[0] == 2 and pool.stats().reused == 1
    os._exit(0 if ok else 1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
pool._lock.release()
print(status, array.min(), array.max())
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout == "0 1.0 1.0\n", said.stderr


# ---- results -----------------------------------------------------------------------
def test_results_behave_as_arrays():
    x = np.arange(2 * LARGE, dtype=np.float32).reshape(-1, 2)
    f = lw.jit(lambda x: x * 2)
    for _ in range(5):
        y = f(x)
        assert type(y) is np.ndarray and y.flags.writeable and y.flags.c_contiguous and y.flags.aligned
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(y)), x * 2)
        np.testing.assert_array_equal(y.copy(), x * 2)
        y += 1
        np.testing.assert_array_equal(y.T, (x * 2 + 1).T)
        with pytest.raises(ValueError, match="does not own its data"):
            y.resize(3, refcheck=False)


@pytest.mark.parametrize("size", [LARGE, 3 * LARGE, 9 * LARGE])
def test_results_reuse_memory(size):
    x, f = np.ones(size, np.float32), lw.jit(lambda x: x + 1)
    places = {address(f(x)) for _ in range(8)}
    assert len(places) == 1
    kept = [f(x) for _ in range(4)]
    assert len({address(a) for a in kept}) == 4
    for k, array in enumerate(kept):
        array[:] = k
    f(x)
    assert all((array == k).all() for k, array in enumerate(kept))


def test_stats_of_programs(limit: int):
    x = np.ones(4 * LARGE, np.float32)
    f = lw.jit(lambda x: (x * 2, x.sum()))
    assert lw.memory_stats() == (0, 0, limit, 0, 0)
    y = f(x)
    during = lw.memory_stats()
    assert during.used == size_class(x.nbytes)
    assert during.reused == 0
    del y
    assert lw.memory_stats().used == 0 and lw.memory_stats().idle == during.used + during.idle
    f(x)
    assert lw.memory_stats().reused == during.requests


# ---- temporaries -------------------------------------------------------------------
def test_temporaries_are_given_back():
    """Also by a call that raises."""
    x = np.ones((300, 300))
    f = lw.jit(lambda x, i: np.cumsum(np.linalg.inv(x) @ np.sort(x, axis=0), axis=1)[i])
    f(np.eye(300), np.array([1]))
    for wrong, i, error in ((x, 0, np.linalg.LinAlgError), (np.eye(300), 300, IndexError)):
        with pytest.raises(error):
            f(wrong, np.array([i]))
    gc.collect()
    assert lw.memory_stats().used == 0
    assert lw.memory_stats().idle > 0


def test_temporaries_of_threads_are_apart():
    def plainly(x):
        y = np.sort(x, axis=1)
        return np.cumsum(y, axis=1) - np.sort(y * 2, axis=0)

    f, errors = lw.jit(plainly), []

    def work(number):
        x = np.random.default_rng(number).standard_normal((50 + 20 * number, 300))
        wanted = plainly(x)
        for _ in range(15):
            if not np.allclose(f(x), wanted, rtol=1e-12, atol=1e-9):
                errors.append(number)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_programs_share_the_memory_of_temporaries():
    x = np.ones((300, 300))
    functions = [lw.jit(lambda x, k=k: np.cumsum(np.sort(x * k, axis=0), axis=1) - k) for k in range(1, 6)]
    for f in functions:
        f(x)
    idle = lw.memory_stats().idle
    for f in functions:
        f(x)
    assert lw.memory_stats().idle == idle <= 3 * size_class(x.nbytes)


# ---- the variable ------------------------------------------------------------------
@pytest.mark.parametrize("value", ["", "-1", "1e9", "many", "1 GiB"])
def test_a_wrong_limit(value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_POOL_BYTES", value)
    with pytest.raises(ValueError, match=f"LOOPWELD_POOL_BYTES must be a number of bytes, found '{value}'"):
        lw.jit(np.exp)


def test_the_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_POOL_BYTES", "0")
    assert lw.jit(lambda x: x + 1)(np.ones(LARGE, np.float32)).flags.owndata
    assert lw.memory_stats().limit == 0
    monkeypatch.delenv("LOOPWELD_POOL_BYTES")
    assert 0 < lw.memory_stats().limit <= 1 << 30
    assert environment.pool() is environment.pool()


def test_compiled_modules_use_the_pool():
    text = """func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
      %0 = weld.exp %x : tensor<?xf32>
      func.return %0 : tensor<?xf32>
    }"""
    assert not lw.compile(text)(np.ones(LARGE, np.float32)).flags.owndata


def test_temporaries_of_several_types_in_one_slot():
    """On the long way and by the native entry."""

    def f(x):
        counts = (x * 3).astype("i4")
        turned = (counts[::-1] + counts.sum().astype("i4")).astype("f4")[::-1] * x.sum()
        last = turned[::-1] + turned.max()
        return last[::-1] * last.sum()

    x = np.arange(300, dtype=np.float32)
    jitted = lw.jit(f)
    for _ in range(8):
        np.testing.assert_allclose(jitted(x), f(x), rtol=1e-4)


def test_poison(monkeypatch: pytest.MonkeyPatch):
    """New results, given ones and temporaries are NaN when a program starts; that it writes them all hides it."""
    monkeypatch.setenv("LOOPWELD_POISON", "1")
    pool = environment.pool()
    for dtype in ("f2", "f4", "f8"):
        assert np.isnan(pool.empty((3, 5), np.dtype(dtype))).all()
    assert np.isnan(pool.empty((1 << 20,), np.dtype("f4"))).all()
    assert (pool.empty((3,), np.dtype("u1")) == 255).all() and pool.empty((0,), np.dtype("f4")).size == 0
    block = pool.take(100)
    assert ctypes.string_at(block.address, 100) == b"\xff" * 100
    pool.give(block)
    f, x = lw.jit(lambda x: np.cumsum(np.sort(x) * 2)[::2]), np.arange(9.0)
    out = np.zeros(5)
    for _ in range(5):
        np.testing.assert_array_equal(f(x, out=out), np.cumsum(x * 2)[::2])
    assert f._direct_calls == 0
    monkeypatch.setenv("LOOPWELD_POISON", "yes")
    with pytest.raises(ValueError, match="LOOPWELD_POISON must be 0 or 1, found 'yes'"):
        lw.jit(lambda x: x)
