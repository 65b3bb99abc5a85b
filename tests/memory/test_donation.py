"""`donate=`: what may be named, what is taken on each way into a program, and what is left alone."""

import numpy as np
import pytest

import loopweld as lw


@pytest.fixture(autouse=True)
def no_disk(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")


def sample(*shape, dtype="f4"):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(dtype)


# ---- names -------------------------------------------------------------------------
def step(x, *rest, lr=0.5, **named):
    return x * lr + sum(rest) + sum(named.values())


@pytest.mark.parametrize(
    ("function", "donate", "message"),
    [
        (lambda x: x, ("y",), r"donate= holds 'y', which is no parameter of <lambda>\(x\)"),
        (lambda x: x, (1,), r"donate= holds 1, which is no parameter of <lambda>\(x\)"),
        (lambda x: x, ("x", -1), r"donate= holds -1, which is no parameter of <lambda>\(x\)"),
        (step, (-1,), r"donate= holds -1, which is no parameter of step"),
        (np.linalg.solve, ("z",), r"donate= holds 'z', which is no parameter of solve\(a, b\)"),
    ],
)
def test_what_is_no_parameter(function, donate, message):
    with pytest.raises(ValueError, match=message):
        lw.jit(function, donate=donate)
    with pytest.raises(ValueError, match=message):
        lw.jit(donate=donate)(function)


@pytest.mark.parametrize(
    ("donate", "taken"),
    [(("x",), "x"), ((0,), "x"), (("rest",), "rest"), ((1,), "rest"), (("rest.0",), "rest"), (("named",), "named")],
)
def test_every_kind_of_parameter(donate, taken):
    arrays = {"x": sample(40), "rest": sample(40) + 1, "named": sample(40) + 2}
    wanted = step(arrays["x"], arrays["rest"], named=arrays["named"])
    found = lw.jit(step, donate=donate)(arrays["x"], arrays["rest"], named=arrays["named"])
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    assert [name for name, array in arrays.items() if np.shares_memory(array, found)] == [taken]


def test_parts_of_an_argument():
    def f(state, x):
        return {"a": state["a"] + x, "b": [state["b"][0] * x]}

    for donate, taken in ((("state",), {"a", "b"}), (("state.b",), {"b"}), (("state.a",), {"a"})):
        state, x = {"a": sample(40), "b": (sample(40) * 2,)}, sample(40) + 3
        wanted = f(state, x)
        found = lw.jit(f, donate=donate)(state, x)
        np.testing.assert_allclose(found["a"], wanted["a"], rtol=1e-6)
        np.testing.assert_allclose(found["b"][0], wanted["b"][0], rtol=1e-6)
        given = {"a": state["a"], "b": state["b"][0], "x": x}
        results = found["a"], found["b"][0]
        assert {name for name, array in given.items() if any(np.shares_memory(array, r) for r in results)} == taken
    with pytest.raises(
        ValueError, match=r"donate= holds 'state.c', but the arrays of this call are state.a, state.b.0, x"
    ):
        lw.jit(f, donate=("state.c",))({"a": sample(40), "b": (sample(40),)}, sample(40))


def test_a_donated_argument_that_is_no_array():
    f = lw.jit(lambda x, buffer=None: x + 1 if buffer is None else x + buffer, donate=("buffer",))
    x, buffer = sample(40), sample(40)
    np.testing.assert_allclose(f(x), x + 1)
    np.testing.assert_allclose(f(x, 2.0), x + 2)
    wanted = x + buffer
    found = f(x, buffer)
    np.testing.assert_array_equal(found, wanted)
    assert found is buffer


# ---- what is taken -----------------------------------------------------------------
@pytest.mark.parametrize("size", [33, 100_000, 1_000_000])
def test_the_same_on_every_call(size):
    """The first calls, the native entry of a small program, calls without the global lock."""
    f = lw.jit(lambda x, y: (x + y, (x * y).sum()), donate=("x",))
    y = sample(size) + 1
    x = sample(size)
    wanted = x
    for _ in range(8):
        wanted = wanted + y
        found, total = f(x, y)
        assert found is x
        np.testing.assert_array_equal(found, wanted)
        np.testing.assert_allclose(total, ((wanted - y) * y).sum(dtype="f8"), rtol=1e-3, atol=1e-2)
        x = found


def test_another_shape_of_as_many_elements():
    f = lw.jit(lambda x: np.tanh(x.reshape(-1)), donate=(0,))
    for _ in range(5):
        x = sample(40, 60)
        wanted = np.tanh(x).reshape(-1)
        found = f(x)
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
        assert found.base is x and found.shape == (2400,)


def frozen(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def spread(x):
    found = np.zeros((2 * len(x), x.shape[1]), x.dtype)[::2]
    found[...] = x
    return found


def misaligned(x):
    found = np.zeros(x.nbytes + 1, "u1")[1:].view(x.dtype).reshape(x.shape)
    found[...] = x
    return found


@pytest.mark.parametrize(
    "given",
    [
        frozen,
        spread,
        misaligned,
        np.asfortranarray,
        lambda x: x.copy()[::-1],
        lambda x: np.broadcast_to(x[:1].copy(), x.shape),
    ],
)
def test_memory_that_is_not_taken(given):
    f = lw.jit(lambda x, y: x * 2 + y, donate=("x",))
    y = sample(40, 33)
    for _ in range(6):
        x = given(sample(40, 33))
        wanted, before = x * 2 + y, x.copy()
        found = f(x, y)
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(x, before)
        assert not np.shares_memory(found, x)


@pytest.mark.parametrize(
    "other",
    [lambda x: x, lambda x: x[:], lambda x: x[::-1], lambda x: x[:1], lambda x: x.T.copy().T * 0 + 1],
    ids=["itself", "a view", "reversed", "a broadcast row", "apart"],
)
@pytest.mark.parametrize("donate", [("x",), ("y",), ("x", "y")])
def test_arguments_that_share_memory(other, donate):
    """The second argument must be seen as it was, also on the short way of later calls."""
    f = lw.jit(lambda x, y: (x + 1, y * x, y[:1] + 1), donate=donate)
    for _ in range(6):
        x = sample(40, 33)
        y = other(x)
        wanted = x + 1, y * x, y[:1] + 1
        for a, b in zip(f(x, y), wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


def test_arguments_that_overlap_at_an_offset():
    f = lw.jit(lambda x, y: x + y, donate=("x", "y"))
    for offset in (1, 7, 16, 99, 100):
        for _ in range(6):
            memory = sample(300)
            x, y = memory[100:200], memory[100 + offset : 200 + offset]
            wanted = x + y
            found = f(x, y)
            np.testing.assert_array_equal(found, wanted)
            assert np.shares_memory(found, memory) == (offset == 100)


def test_out_is_used_instead():
    f = lw.jit(lambda x: x[::-1] * 2, donate=("x",))
    g = lw.jit(lambda x: x * 2, donate=("x",))
    for function, plainly in ((f, lambda x: x[::-1] * 2), (g, lambda x: x * 2)):
        for _ in range(6):
            x, out = sample(40), np.zeros(40, "f4")
            wanted, before = plainly(x), x.copy()
            assert function(x, out=out) is out
            np.testing.assert_array_equal(out, wanted)
            np.testing.assert_array_equal(x, before)
            memory = sample(60)
            wanted = plainly(memory[:40])
            function(memory[:40], out=memory[20:])
            np.testing.assert_array_equal(memory[20:], wanted)
            assert function(x, out=x) is x
            np.testing.assert_array_equal(x, plainly(before))


def test_a_table_that_the_function_closed_over_stays():
    table = sample(5000)
    f = lw.jit(lambda x: x + table, donate=("x",))
    wanted = table + table
    for _ in range(5):
        given = table.copy()
        assert f(given) is given
        np.testing.assert_array_equal(given, wanted)
    f(table)
    np.testing.assert_array_equal(f(np.zeros(5000, "f4")), wanted / 2)


def test_checked_calls_and_the_evaluator():
    def program(x, y):
        return np.exp(x - x.max()) * y

    for f in (lw.jit(program, donate=("x",), check=True), lw.jit(program, donate=("x",), target="numpy")):
        for _ in range(4):
            x, y = sample(40, 33), sample(40, 33)
            wanted = np.exp(x - x.max()) * y
            np.testing.assert_allclose(f(x, y), wanted, rtol=1e-5)


def test_indices_are_checked_before_anything_is_overwritten():
    def f(x, i):
        return np.exp(x) + x[i].sum()

    jitted = lw.jit(f, donate=("x",))
    for _ in range(4):
        x = sample(500)
        before = x.copy()
        with pytest.raises(IndexError):
            jitted(x, np.array([3, 500]))
        np.testing.assert_array_equal(x, before)
        wanted = f(x, np.array([3, 4]))
        found = jitted(x, np.array([3, 4]))
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_a_scatter_into_a_donated_table_copies_nothing():
    def f(table, i, d):
        table = table.copy()
        np.add.at(table, i, d)
        return table

    jitted = lw.jit(f, donate=("table",))
    i, d = np.array([3, 3, 5]), sample(3)
    for _ in range(4):
        table = sample(5000)
        wanted = f(table, i, d)
        found = jitted(table, i, d)
        assert found is table
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_two_steps_in_a_module():
    """`weld.donated` in a file means the same."""
    text = """func.func @main(%x: tensor<?xf32> {weld.donated}) -> tensor<?xf32> {
      %0 = weld.exp %x : tensor<?xf32>
      func.return %0 : tensor<?xf32>
    }"""
    x = sample(40)
    wanted = np.exp(x)
    found = lw.compile(text)(x)
    assert found is x
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", [(600, 500), (3, 100_003), (40_000, 7)])
def test_large_arrays_in_blocks(shape, threads):
    """Rows that are read before they are written, by several threads, and rows longer than the cache."""

    def softmax(x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def centred(x):
        return x - x.mean(axis=0), x.sum(axis=1)

    def turned(x):
        return x[:, ::-1] - x.max(axis=1, keepdims=True)

    for f, is_taken in ((softmax, True), (centred, True), (turned, False)):
        jitted = lw.jit(f, donate=("x",), threads=threads)
        for _ in range(3):
            x = sample(*shape)
            wanted, found = f(x.astype("f8")), jitted(x)
            pairs = zip(found, wanted, strict=True) if isinstance(wanted, tuple) else ((found, wanted),)
            for a, b in pairs:
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-3 * np.abs(b).max())
            first = found[0] if isinstance(found, tuple) else found
            assert (first is x) == is_taken
