"""Native entries: which calls they take and what they give; all other calls go the long way to the same results."""

import contextlib
import copy
import gc
import sys
import threading

import numpy as np
import pytest

import loopweld as lw
from loopweld.compiler.runtime.direct import is_supported

pytestmark = pytest.mark.skipif(not is_supported(), reason="this interpreter has no native entries")


@pytest.fixture(autouse=True)
def no_disk(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")


def sample(*shape, dtype="f8"):
    return (np.random.default_rng(len(shape)).standard_normal(shape) * 4).astype(dtype)


def went_direct(f, *args, **kwargs):
    """The result of a call, and whether an entry took it."""
    before = f._direct_calls
    result = f(*args, **kwargs)
    return result, f._direct_calls == before + 1


def settle(f, *args, **kwargs):
    for _ in range(3):
        f(*args, **kwargs)
    return f


def assert_same(found, wanted):
    assert type(found) is type(wanted)
    if isinstance(wanted, tuple | list):
        for a, b in zip(found, wanted, strict=True):
            assert_same(a, b)
    elif isinstance(wanted, dict):
        assert list(found) == list(wanted)
        for key, value in wanted.items():
            assert_same(found[key], value)
    else:
        assert np.asarray(found).dtype == np.asarray(wanted).dtype
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


PROGRAMS = {
    "array": (lambda x, y: x * 2 + y, (sample(9), sample(9))),
    "float16": (lambda x: x * 2 + 1, (sample(33, dtype="f2"),)),
    "unsigned": (lambda x: x + x, (sample(7, dtype="u1"),)),
    "bool": (lambda x, m: np.where(m, x, -x), (sample(17), sample(17) > 0)),
    "empty": (lambda x: x + 1, (sample(0),)),
    "size 1": (lambda x: x + 1, (sample(1, 1),)),
    "0-d": (lambda x, y: x * y, (sample(5), np.array(2.0))),
    "scalar result": (lambda x: np.sum(x), (sample(12),)),
    "several scalars": (lambda x: (x.sum(), x.argmax(), x * 2, (x > 0).any()), (sample(12),)),
    "python numbers": (lambda x, a, b, c: np.where(c, x * a + b, x), (sample(5), 2.5, 3, True)),
    "float32 by a python number": (lambda x, a: x * a, (sample(5, dtype="f4"), 2.5)),
    "numpy scalars": (lambda x, a, b: x * a + b, (sample(5, dtype="f4"), np.float32(2.5), np.int8(3))),
    "strided": (lambda x: x * 2, (sample(9, 8)[::2, ::-1],)),
    "fortran": (lambda x, y: x + y, (np.asfortranarray(sample(4, 5)), np.asfortranarray(sample(4, 5)))),
    "list result": (lambda x: [x, x + 1], (sample(5),)),
    "dict result": (lambda x: {"a": x + 1, "b": (x.sum(),)}, (sample(5),)),
    "twice": (lambda x: (y := x + 1, y), (sample(5),)),
    "trees": (
        lambda p, q: p["w"] * p["b"][0] + q[0] * q[1][0],
        ({"w": sample(3, 4), "b": (sample(4),)}, [sample(4), (2.0,)]),
    ),
    "constants": (lambda x, how, what: x.sum(1) if how is None else x, (sample(3, 4), None, "sum")),
    "two element types": (lambda x: (np.exp(x).astype("f4"), x.astype("i4")), (sample(8),)),
    "checked": (lambda x, i: x[i] * 2, (sample(8), np.array([1, 7, 0]))),
    "scattered": (lambda i, v: np.bincount(i, weights=v, minlength=9), (np.array([1, 7, 1]), sample(3))),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_results_are_those_of_the_function(name):
    function, args = PROGRAMS[name]
    f = settle(lw.jit(function), *args)
    found, direct = went_direct(f, *args)
    assert_same(found, function(*args))
    assert direct
    assert f.cache_info().calls == 4


@pytest.mark.parametrize("name", ["array", "float16", "bool", "empty", "fortran", "strided", "checked", "0-d"])
def test_out_is_written_and_returned(name):
    function, args = PROGRAMS[name]
    f = settle(lw.jit(function), *args)
    wanted = function(*args)
    out = np.empty_like(wanted)
    found, direct = went_direct(f, *args, out=out)
    assert direct and found is out
    np.testing.assert_allclose(out, wanted, rtol=1e-3)
    found, direct = went_direct(f, *args, out=None)
    assert direct and found is not out


def test_outs_of_any_layout_are_written_in_place():
    """One program more for each order of their axes, and whether they are dense."""
    f = lw.jit(lambda x, y: (x + y, (x * y).sum(0)))
    x, y = sample(20, 30), sample(20, 30)
    memory, sums = np.zeros((40, 60)), np.empty(30)
    wholes = (memory[:20, :30], memory[20:, 30:], np.empty((30, 20)).T, memory[::2, ::-2])
    for whole, programs in zip(wholes, (2, 2, 3, 4), strict=True):
        settle(f, x, y, out=(whole, sums))
        whole[...] = 0
        found, direct = went_direct(f, x, y, out=(whole, sums))
        assert direct and found[0] is whole
        np.testing.assert_allclose(whole, x + y)
        np.testing.assert_allclose(sums, (x * y).sum(0))
        assert f.cache_info().compilations == programs
    settle(f, x, y)
    (fresh, _), direct = went_direct(f, x, y)
    assert direct and fresh.flags.c_contiguous


def test_an_out_whose_elements_share_memory_gets_a_copy():
    f, x = lw.jit(lambda x: x * 2), sample(4, 20)
    out = np.lib.stride_tricks.as_strided(np.zeros(20), (4, 20), (0, 8), writeable=True)
    assert not went_direct(settle(f, x, out=out), x, out=out)[1]
    np.testing.assert_array_equal(out[0], x[3] * 2)


def test_out_of_several_results():
    f = lw.jit(lambda x: (x + 1, x.sum()))
    x = sample(9)
    settle(f, x)
    for kind in (tuple, list):
        out = kind([np.empty(9), np.empty(())])
        found, direct = went_direct(f, x, out=out)
        assert direct and found is out
        np.testing.assert_allclose(out[0], x + 1)
        np.testing.assert_allclose(out[1], x.sum())
    with pytest.raises(ValueError, match="of 2"):
        f(x, out=(np.empty(9),))


def test_names():
    f = lw.jit(lambda x, y, z=1.0: x - y * z)
    x, y = sample(6), sample(6) + 1
    out = np.empty(6)
    settle(f, x, y=y)
    found, direct = went_direct(f, x, y=y)
    assert direct
    np.testing.assert_allclose(found, x - y)
    found, direct = went_direct(f, x, y=y, out=out)
    assert direct and found is out
    settle(f, y=y, x=x, z=3.0)
    found, direct = went_direct(f, y=y, x=x, z=2.0)
    assert direct
    np.testing.assert_allclose(found, x - y * 2)
    np.testing.assert_allclose(f(x=y, y=x), y - x)
    with pytest.raises(TypeError):
        f(x, y, w=1)
    with pytest.raises(TypeError):
        f(x)


def test_other_arguments_go_the_long_way():
    f = lw.jit(lambda x, a: x * a)
    x = sample(8)
    settle(f, x, 2.0)
    unaligned = np.frombuffer(bytearray(65), np.uint8)[1:].view("f8")
    unaligned[:] = x
    others = [x[::-1], x[::2], sample(7), sample(8, dtype="f4"), x.astype(">f8").astype("f8"), unaligned, x[None]]
    for other in others:
        found, direct = went_direct(f, other, 2.0)
        assert direct == (other is others[4])
        np.testing.assert_allclose(found, other * 2, rtol=1e-6)
    for number in (2, True, np.float64(2), np.array(2.0)):
        found, direct = went_direct(f, x, number)
        assert not direct
        np.testing.assert_allclose(found, x * number)

    class Mine(np.ndarray):
        pass

    assert not went_direct(f, x.view(Mine), 2.0)[1]
    with pytest.raises(TypeError):
        f(np.ma.array(x), 2.0)


def test_integers_that_do_not_fit_raise():
    f = lw.jit(lambda x, k: x + k)
    x = np.arange(4)
    settle(f, x, 5)
    assert went_direct(f, x, -(2**63))[1]
    with pytest.raises(OverflowError):
        f(x, 2**63 + 2**62 + 2**64)


def test_the_order_of_a_dict_is_part_of_it():
    f = lw.jit(lambda d: np.stack(list(d.values())))
    a, b = sample(3), sample(3) + 1
    settle(f, {"a": a, "b": b})
    found, direct = went_direct(f, {"b": b, "a": a})
    assert not direct
    np.testing.assert_array_equal(found, [b, a])


def test_several_shapes_and_dtypes_take_turns():
    f = lw.jit(lambda x: x * 2 + 1)
    arrays = [sample(20 + k) for k in range(5)] + [sample(20, dtype="f4"), sample(4, 5)]
    for a in arrays:
        settle(f, a)
    for a in arrays * 2:
        found, direct = went_direct(f, a)
        assert direct
        np.testing.assert_allclose(found, a * 2 + 1, rtol=1e-6)
    for a in [sample(40 + k) for k in range(20)] * 4:
        np.testing.assert_allclose(f(a), a * 2 + 1)


@pytest.mark.parametrize("shift", [0, 1, 8, 15])
def test_overlapping_outputs_are_as_if_inputs_were_copied(shift):
    f = lw.jit(lambda x: x[::-1] + 1)
    memory = sample(40)
    x = memory[:16]
    settle(f, x)
    wanted = x[::-1] + 1
    out = memory[shift : shift + 16]
    found, direct = went_direct(f, x, out=out)
    assert not direct
    np.testing.assert_array_equal(found, wanted)
    assert went_direct(f, memory[:16], out=memory[16:32])[1]


def test_overlap_with_a_reversed_input():
    f = lw.jit(lambda x: x + 1)
    memory = sample(32)
    x = memory[15::-1]
    settle(f, x)
    wanted = x + 1
    assert not went_direct(f, x, out=memory[4:20])[1]
    np.testing.assert_array_equal(memory[4:20], wanted)
    assert went_direct(f, memory[15::-1], out=memory[16:32])[1]


def test_outputs_that_overlap_each_other_or_cannot_be_written():
    f = lw.jit(lambda x: (x + 1, x * 2))
    x, memory = sample(8), np.empty(16)
    settle(f, x)
    assert went_direct(f, x, out=(memory[:8], memory[8:]))[1]
    assert not went_direct(f, x, out=(memory[:8], memory[4:12]))[1]
    locked = np.empty(8)
    locked.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        f(x, out=(locked, memory[:8]))
    with pytest.raises(ValueError, match="must be float64"):
        f(x, out=(np.empty(8, "f4"), memory[:8]))


def test_a_failed_check_raises_and_shows_nothing():
    f = lw.jit(lambda x, i: x[i] * 2)
    x, good, bad = sample(8), np.array([1, 2]), np.array([1, 9])
    settle(f, x, good)
    with pytest.raises(IndexError):
        f(x, bad)
    out = np.full(2, 5.0)
    with pytest.raises(IndexError):
        f(x, bad, out=out)
    assert (out == 5).all()
    _, direct = went_direct(f, x, good, out=out)
    assert direct
    np.testing.assert_array_equal(out, x[good] * 2)


def test_donated_arrays_are_taken():
    f = lw.jit(lambda x, y: (x + y, (x * y).T), donate=("x", "y"))
    for _ in range(3):
        f(sample(4, 5), sample(4, 5))
    x, y = sample(4, 5), sample(4, 5) + 1
    wanted = x + y, (x * y).T
    (a, b), direct = went_direct(f, x, y)
    assert direct and a is x and np.shares_memory(b, y)
    np.testing.assert_allclose(a, wanted[0])
    np.testing.assert_allclose(b, wanted[1])
    del y
    np.testing.assert_allclose(b, wanted[1])
    z = sample(4, 5)
    assert not went_direct(f, z, z)[1]
    locked = sample(4, 5)
    locked.flags.writeable = False
    kept = locked.copy()
    assert not went_direct(f, locked, sample(4, 5))[1]
    np.testing.assert_array_equal(locked, kept)


def test_donated_arrays_survive_a_failed_check():
    f = lw.jit(lambda x, i: x + x[i], donate=("x",))
    for _ in range(3):
        f(sample(4), np.array([1, 2, 3, 0]))
    x = sample(4)
    before = x.copy()
    with pytest.raises(IndexError):
        f(x, np.array([1, 2, 3, 4]))
    np.testing.assert_array_equal(x, before)
    found, direct = went_direct(f, x, np.array([1, 2, 3, 0]))
    assert direct
    np.testing.assert_array_equal(found, before + before[[1, 2, 3, 0]])


def test_references_are_neither_lost_nor_kept():
    f = lw.jit(lambda d, a: (d["x"] * a, d["x"].sum()))
    d, out = {"x": sample(8)}, (np.empty(8), np.empty(()))
    g = lw.jit(lambda x, i: x[i])
    x, bad = sample(8), np.array([9, 9])
    settle(f, d, 2.0)
    settle(g, x, bad % 8)
    watched = [d, d["x"], out, out[0], np.dtype("f8"), np.float64, IndexError, x, bad, None]
    counts: list[list[int]] = []
    for _ in range(3):
        for _ in range(100):
            f(d, 2.0)
            f(d, 2.0, out=out)
            with contextlib.suppress(IndexError):
                g(x, bad)
        gc.collect()
        counts.append([sys.getrefcount(w) for w in watched])
    before, after = counts[-2:]
    assert all(abs(a - b) < 20 for a, b in zip(before, after, strict=True))


def test_finalisers_may_call_the_function_in_the_middle_of_a_call():
    f = lw.jit(lambda x: (x + 1, x.sum()))
    settle(f, sample(4))

    class Caller:
        def __init__(self):
            self.itself = self

        def __del__(self):
            f(np.zeros(4))

    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(300):
            Caller()
            x = np.ones(4)
            y, total = f(x)
            assert (y == 2).all() and total == 4
    finally:
        gc.set_threshold(*threshold)


@pytest.mark.parametrize(("size", "times"), [(64, 2000), (100_000, 100), (400_000, 30)])
def test_python_threads(size, times):
    """With the global lock held, without it, and with results from the pool."""
    f = lw.jit(lambda x, a: (x[0] * a, x[0].sum()))
    settle(f, [sample(size)], 1.0)
    assert went_direct(f, [sample(size)], 1.0)[1]
    wrong: list[float] = []

    def work(k: float) -> None:
        held = [np.full(size, k)]
        for _ in range(times):
            y, total = f(held, k)
            if (y != k * k).any() or total != size * k:
                wrong.append(k)

    workers = [threading.Thread(target=work, args=(float(k),)) for k in range(1, 5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_others_run_and_may_drop_the_arrays_meanwhile():
    size = 3_000_000
    f = lw.jit(lambda x: x[0] + 1.0)
    held = [np.ones(size)]
    settle(f, held)
    stop = threading.Event()
    seen = 0

    def swap() -> None:
        nonlocal seen
        while not stop.is_set():
            held[0] = np.ones(size)
            seen += 1

    other = threading.Thread(target=swap)
    other.start()
    try:
        while seen < 20:
            assert (f(held) == 2).all()
    finally:
        stop.set()
        other.join()


def test_large_results_go_back_to_the_pool():
    f = lw.jit(lambda x: x + 1)
    x = np.zeros(1 << 19)
    settle(f, x)
    before = lw.memory_stats()
    for _ in range(5):
        found, direct = went_direct(f, x)
        assert direct and (found == 1).all()
        del found
    after = lw.memory_stats()
    assert after.reused - before.reused == 5 and after.used == before.used


def test_what_is_called_is_an_ordinary_object():
    @lw.jit
    def f(x):
        """Doubles."""
        return x * 2

    class Model:
        scale = 3.0

        @lw.jit
        def double(self, x):
            return x * 2

    x = sample(5)
    settle(f, x)
    assert (f.__name__, f.__doc__) == ("f", "Doubles.") and callable(f)
    assert copy.copy(f) is f and copy.deepcopy({"f": f})["f"] is f
    np.testing.assert_allclose(lw.jit(lambda v: f(v) + 1)(x), x * 2 + 1)
    np.testing.assert_allclose(f.__call__(x), x * 2)
    np.testing.assert_allclose(f(*[x]), x * 2)
    model = Model()
    for _ in range(4):
        np.testing.assert_allclose(model.double(x), x * 2)


def test_checks_run_alone_where_that_is_less_than_to_copy_results():
    def f(table, i):
        y = np.zeros_like(table)
        np.add.at(y, i, 1.0)
        return y

    g = lw.jit(f)
    table, i = sample(400_000), np.array([3, 5, 3] * 10)
    out = np.full(400_000, 7.0)
    for bad in (400_000, -400_001):
        with pytest.raises(IndexError):
            g(table, np.where(i == 5, bad, i), out=out)
        assert (out == 7).all()
    settle(g, table, i, out=out)
    out[:] = 7
    found, is_direct = went_direct(g, table, i, out=out)
    assert is_direct and found is out
    np.testing.assert_array_equal(out, f(table, i))
    out[:] = 7
    with pytest.raises(IndexError):
        g(table, i + 400_000, out=out)
    assert (out == 7).all()
    compiled = next(iter(g._exact.values())).compiled
    later = compiled._executable.later
    assert later is not None and later.program.bindings, "the checks ran alone"
    few = np.empty(30)
    h = lw.jit(lambda table, i: table[i])
    h(table, i, out=few)
    np.testing.assert_array_equal(few, table[i])


def test_compiled_programs_are_called_natively_too():
    text = """
    func.func @main(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
      %z = weld.add %x, %y : tensor<?xf64>
      %t = weld.mul %z, %y : tensor<?xf64>
      func.return %z, %t : tensor<?xf64>, tensor<?xf64>
    }
    """
    traced = lw.jit(lambda x, y: (x + y, (x + y) * y)).lower(sample(20), sample(20)).compile()
    for f in (traced, lw.compile(text)):
        x, y = sample(20), sample(20) + 1
        settle(f, x, y)
        (z, t), is_direct = went_direct(f, x, y)
        assert is_direct
        np.testing.assert_array_equal(z, x + y)
        np.testing.assert_allclose(t, (x + y) * y)
        out = (np.empty(20), np.empty(20))
        found, is_direct = went_direct(f, x, y, out=out)
        assert is_direct and found is out
        with pytest.raises(TypeError):
            f(x)
        with pytest.raises(TypeError):
            f(x, y.astype("f4"))
