"""Products of matrices, in loops of ours or BLAS: how operands may lie, what stays with NumPy, that no Python runs."""

import ctypes
import threading

import numpy as np
import pytest

import loopweld as lw
from loopweld.compiler import threads
from loopweld.compiler.codegen import jit
from loopweld.compiler.runtime import blas, rows, tiles
from loopweld.compiler.runtime.direct import is_supported
from loopweld.compiler.runtime.vector_text import declarations

SIZES = [
    (1, 1, 1),
    (1, 5, 17),
    (17, 5, 1),
    (2, 3, 4),
    (3, 129, 150),
    (4, 33, 70),
    (7, 64, 64),
    (16, 65, 1),
    (70, 33, 4),
]
SMALL = [(1, 1, 1), (2, 63, 7), (4, 64, 64), (5, 65, 63), (11, 130, 129), (3, 200, 33), (8, 8, 2)]
SIZES += [(33, 64, 31), (130, 20, 65), (5, 300, 33)]
pytestmark = pytest.mark.skipif(blas.find() is None or not is_supported(), reason="no BLAS, or no native entries")


@pytest.fixture(autouse=True)
def no_disk(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")


def sample(*shape, dtype="f4"):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)


def direct_result(f, *args):
    """The result of a call that an entry takes."""
    for _ in range(3):
        f(*args)
    before = f._direct_calls
    result = f(*args)
    assert f._direct_calls == before + 1, "the call went the long way"
    return result


def compare(function, *args):
    f = lw.jit(function)
    tolerance = {"f": 1e-4, "d": 1e-12}[np.asarray(function(*args)).dtype.char]
    for result in (f(*args), direct_result(f, *args)):
        np.testing.assert_allclose(result, function(*args), rtol=tolerance, atol=tolerance * 10)
    return f


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("sizes", SIZES)
def test_layouts_of_operands(sizes, dtype):
    m, k, n = sizes
    plain = sample(m, k, dtype=dtype), sample(k, n, dtype=dtype)
    turned = sample(k, m, dtype=dtype).T, sample(n, k, dtype=dtype).T
    wide = sample(m, 2 * k, dtype=dtype)[:, :k], sample(k, n + 3, dtype=dtype)[:, 3:]
    for a in (plain[0], turned[0], wide[0]):
        for b in (plain[1], turned[1], wide[1]):
            compare(lambda a, b: np.matmul(a, b) + 1, a, b)


def test_what_stays_with_numpy():
    a, b = sample(40, 30), sample(30, 20)
    for x, y in ((a[::2, ::2], b[::2]), (a[:, ::-1], b), (a[::-1], b), (a, b[:, ::-1])):
        np.testing.assert_allclose(lw.jit(lambda x, y: x @ y)(x, y), x @ y, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "function", [np.matmul, lambda a, b: (a @ b).T + 1, lambda a, b: np.einsum("bij,bjk->bik", a, b)]
)
def test_batches(function):
    compare(function, sample(3, 20, 30), sample(3, 30, 18))
    compare(function, sample(1, 20, 30), sample(1, 30, 18))


def test_batches_of_batches_and_one_matrix_for_many():
    compare(np.matmul, sample(2, 3, 20, 30), sample(2, 3, 30, 18))
    compare(np.matmul, sample(5, 20, 30), sample(30, 18))
    compare(np.matmul, sample(20, 30), sample(4, 30, 18))
    compare(lambda a, b: a.transpose(1, 0, 2) @ b, sample(20, 3, 30), sample(3, 30, 18))


@pytest.mark.parametrize("shapes", [((0, 3), (3, 4)), ((3, 0), (0, 4)), ((3, 4), (4, 0)), ((0, 3, 4), (0, 4, 5))])
def test_empty_sizes(shapes):
    a, b = (np.ones(s) for s in shapes)
    np.testing.assert_array_equal(lw.jit(np.matmul)(a, b), a @ b)


@pytest.mark.parametrize("dtype", ["f2", "i4", "i8", "u1", "?", "c8", "c16"])
def test_other_dtypes(dtype):
    a, b = (abs(sample(*s, dtype="f4") * 3).astype(dtype) for s in ((20, 30), (30, 18)))
    found = lw.jit(np.matmul)(a, b)
    assert found.dtype == (a @ b).dtype
    np.testing.assert_allclose(found, a @ b, rtol=1e-2)


def test_strict_products_are_numpys_own():
    for m, k, n in ((4, 100, 70), (30, 100, 70)):
        a, b = sample(m, k), sample(k, n)
        for x, y in ((a, b), (a, sample(n, k).T)):
            np.testing.assert_array_equal(lw.jit(np.matmul, numerics="strict")(x, y), x @ y)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_special_values():
    a, b = sample(20, 20), sample(20, 20)
    a[3, 4], a[5, 6], b[7, 8], a[9] = np.nan, np.inf, -np.inf, 0
    compare(np.matmul, a, b)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_matrix_times_itself_is_symmetric(dtype):
    a, square = sample(70, 40, dtype=dtype), sample(3, 20, 20, dtype=dtype)
    for function in (lambda a: a @ a.T, lambda a: a.T @ a):
        for x in (a, a[:1], a[:5], a[:, :1], np.asfortranarray(a)):
            found = direct_result(compare(function, x), x)
            np.testing.assert_array_equal(found, found.T)
    found = direct_result(compare(lambda x: x @ x.mT, square), square)
    np.testing.assert_array_equal(found, found.mT)
    compare(lambda x: x @ x, square)


def test_the_operand_survives_though_it_is_donated():
    a, b = sample(20, 20), sample(20, 20)
    f = lw.jit(np.matmul, donate=(0, 1))
    for _ in range(4):
        np.testing.assert_allclose(f(a.copy(), b.copy()), a @ b, rtol=1e-4, atol=1e-4)


def test_no_step_of_a_network_is_python():
    def network(x, w, b, v):
        return np.tanh(x @ w + b) @ v

    f = compare(network, sample(20, 30), sample(30, 40), sample(40), sample(40, 10))
    assert len(f.lower(sample(20, 30), sample(30, 40), sample(40), sample(40, 10)).compile().report.library_calls) == 2


def test_python_threads():
    f = lw.jit(lambda x, w: x @ w + 1)
    w, wrong = sample(80, 90), []
    direct_result(f, sample(80, 80), w)

    def work(k: int) -> None:
        x = np.full((80, 80), k, "f4")
        expected = x @ w + 1
        wrong.extend(k for _ in range(100) if not np.allclose(f(x, w), expected, rtol=1e-3, atol=1e-3))

    workers = [threading.Thread(target=work, args=(k,)) for k in range(1, 4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_a_thread_with_little_stack():
    f, results = lw.jit(np.matmul, threads=1), []
    x, y = sample(1160, 512, dtype="f8"), sample(512, 17, dtype="f8")
    expected = direct_result(f, x, y)
    before = threading.stack_size(256 * 1024)
    try:
        worker = threading.Thread(target=lambda: results.append(f(x, y)))
        worker.start()
        worker.join()
    finally:
        threading.stack_size(before)
    np.testing.assert_array_equal(results[0], expected)


FLOATS = [(dtype, registers) for dtype in ("f4", "f8") for registers in ((32, 64), (16, 32), (16, 16), (32, 16))]


@pytest.fixture(scope="module", params=FLOATS, ids=lambda x: f"{x[0]}-{x[1][0]}x{x[1][1]}")
def shims(request):
    """A dtype, and by name the functions `f(table, a, b, c)` for some registers."""
    dtype, registers = request.param
    if registers[1] > jit.registers(jit.host())[1]:
        pytest.skip("no registers of so many bytes")
    text = declarations(dtype, registers[1]) + "".join(
        text(dtype, registers) for text in (rows.rows_text, rows.dots_text, tiles.text)
    )
    names = [f"loopweld_{kind}_{dtype}" for kind in ("rows", "dots", "tiles")]
    loaded = jit.load(jit.compile_object(text, jit.host()), names, threads.imports(2, None))
    native = {n: ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(loaded.addresses[n]) for n in names}

    def call(kind, words, *arrays):
        places, table = np.array([x.ctypes.data for x in arrays]), np.array(words)
        native[f"loopweld_{kind}_{dtype}"](places.ctypes.data, table.ctypes.data)

    return dtype, call, loaded


def test_a_few_rows_in_registers(shims):
    dtype, call, _ = shims
    for m, k, n in SMALL:
        a, b = sample(2, m, 2 * k, dtype=dtype)[..., ::-2], sample(2, k, n, dtype=dtype)
        memory = np.full((2, m, n + 5), 7, dtype)
        c = memory[..., :n]
        steps = 2, a.strides[0], b.strides[0], c.strides[0], m, n, k
        call("rows", [*steps, *a.strides[1:], b.strides[1], c.strides[1]], a, b, c)
        np.testing.assert_allclose(c, a @ b, rtol=1e-3, atol=1e-4)
        assert (memory[..., n:] == 7).all()
        a, b = sample(2, m, k, dtype=dtype), sample(2, n, 2 * k, dtype=dtype)[..., :k].swapaxes(1, 2)
        c = np.full((2, n, 2 * m), 7, dtype)[..., ::2].swapaxes(1, 2)
        steps = 2, a.strides[0], b.strides[0], c.strides[0], m, n, k
        call("dots", [*steps, a.strides[1], b.strides[2], *c.strides[1:]], a, b, c)
        np.testing.assert_allclose(c, a @ b, rtol=1e-3, atol=1e-4)
        assert c.base is not None
        assert (c.base[..., 1::2] == 7).all()


def apart(x, step):
    """The matrices with their rows so many elements apart, and NaN between them."""
    memory = np.full((*x.shape[:2], step), np.nan, x.dtype)
    memory[..., : x.shape[2]] = x
    return memory[..., : x.shape[2]]


@pytest.mark.parametrize("sizes", [(1, 1, 1), (13, 5, 17), (23, 300, 35), (50, 40, 290), (210, 3, 20), (12, 256, 16)])
def test_tiles(shims, sizes):
    dtype, call, _ = shims
    (m, k, n), page = sizes, tiles.PAGE // np.dtype(dtype).itemsize
    a, b = sample(2, m, k, dtype=dtype), sample(2, k, n, dtype=dtype)
    across, c = b.swapaxes(1, 2), apart(a @ b, n + 1)
    lefts = [apart(x, step) for x in (a, a.swapaxes(1, 2)) for step in (x.shape[2] + 3, page)]
    for left in (*lefts[:2], *(x.swapaxes(1, 2) for x in lefts[2:])):
        for right in (apart(b, n + 3), apart(across, k + 2).swapaxes(1, 2)):
            c[...] = np.nan
            strides = *left.strides[1:], *right.strides[1:], c.strides[1]
            steps = left.strides[0], right.strides[0], c.strides[0]
            call("tiles", tiles.table_of(dtype, 2, steps, (m, n, k), strides), left, right, c)
            np.testing.assert_allclose(c, a @ b, rtol=1e-3, atol=1e-4 * k)
            assert c.base is not None
            assert np.isnan(c.base[..., n:]).all()


def test_no_bit_of_a_product_depends_on_threads_or_blocks():
    a, b = sample(300, 400), sample(400, 290)
    whole = lw.jit(np.matmul, threads=1)(a, b)
    np.testing.assert_array_equal(lw.jit(np.matmul, threads=2)(a, b), whole)
    np.testing.assert_array_equal(lw.jit(np.matmul, threads=2)(a[17:70], b[:, :100]), whole[17:70, :100])
    np.testing.assert_array_equal(lw.jit(np.matmul, threads=2)(a.T.copy().T, b.T.copy().T), whole)
