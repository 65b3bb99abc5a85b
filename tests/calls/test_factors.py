"""Factors and triangular systems through LAPACK: how operands may lie, what fails, and that no Python runs."""

import ctypes

import numpy as np
import pytest

import loopweld as lw
from loopweld.compiler.loading import load_shared
from loopweld.compiler.runtime import lapack, lapack_text, layout
from loopweld.compiler.runtime.direct import is_supported

pytestmark = pytest.mark.skipif(lapack.find() is None or not is_supported(), reason="no LAPACK, or no native entries")


@pytest.fixture(autouse=True)
def no_disk(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")


def program(n, k, element, batch="3x"):
    """Factors of a matrix and its transpose, and systems of right sides and those in columns."""
    a, b, t = (f"tensor<{batch}{shape}x{element}>" for shape in (f"{n}x{n}", f"{n}x{k}", f"{k}x{n}"))
    p = f"tensor<{batch}{n}xi64>"
    results = ", ".join([a, a, b, b, b, b, a, p, a, p])
    order = "0, 2, 1" if batch else "1, 0"
    turn = f"<{{permutation = array<i64: {order}>}}>"
    solve = '"weld.solve_triangular"'
    return f"""func.func @main(%a: {a}, %b: {b}, %t: {t}) -> ({results}) {{
      %turned = "weld.transpose"(%a) {turn} : ({a}) -> {a}
      %columns = "weld.transpose"(%t) {turn} : ({t}) -> {b}
      %0 = "weld.cholesky"(%a) : ({a}) -> {a}
      %1 = "weld.cholesky"(%turned) : ({a}) -> {a}
      %2 = {solve}(%a, %b) <{{lower}}> : ({a}, {b}) -> {b}
      %3 = {solve}(%turned, %columns) <{{lower}}> : ({a}, {b}) -> {b}
      %4 = {solve}(%a, %columns) <{{unit_diagonal}}> : ({a}, {b}) -> {b}
      %5 = {solve}(%turned, %b) : ({a}, {b}) -> {b}
      %6, %7 = "weld.lu"(%a) : ({a}) -> ({a}, {p})
      %8, %9 = "weld.lu"(%turned) : ({a}) -> ({a}, {p})
      %10 = "weld.permutation"(%9) : ({p}) -> {p}
      func.return %0, %1, %2, %3, %4, %5, %6, %7, %8, %10 : {results}
    }}"""


def operands(n, k, dtype):
    """A positive definite matrix, a negative one, and one with a zero on its diagonal, each other in its triangles."""
    rng = np.random.default_rng(n)
    a = rng.normal(size=(3, n, n)) / n + 2 * np.eye(n)
    a[1] *= -1
    if n:
        a[2, n // 2, n // 2] = 0
    arrays = a, rng.normal(size=(3, n, k)), rng.normal(size=(3, k, n))
    return [x.astype(dtype) for x in arrays]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("n", "k"), [(0, 2), (1, 1), (2, 0), (5, 1), (7, 3), (33, 17), (129, 2)])
def test_like_the_evaluator(n, k, dtype):
    text = program(n, k, f"f{np.dtype(dtype).itemsize * 8}")
    native, numpy = lw.compile(text), lw.compile(text, target="numpy")
    arrays = operands(n, k, dtype)
    limit = 1e-3 if dtype == "float32" else 1e-11
    expected = numpy(*arrays)
    for _ in range(4):
        found = native(*arrays)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=limit, atol=limit)
    assert native._direct_calls > 0, "the call went the long way"
    assert len(native.report.library_calls) == 9
    if n > 2:
        assert [np.isnan(x).any(axis=(1, 2)).tolist() for x in expected[:3]] == [[False, True, True]] * 2 + [
            [False, False, True]
        ]


def test_the_c_function_of_a_program():
    compiled = lw.compile(program(5, 3, "f64", batch=""))
    arrays = [x[0] for x in operands(5, 3, "float64")]
    expected = compiled(*arrays)
    found = [np.zeros_like(x) for x in expected]
    places = [x.ctypes.data for x in (*arrays, *found)]
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(compiled.address)
    assert function((ctypes.c_void_p * len(places))(*places), None) == 0
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_matrices_in_any_order():
    a = np.random.default_rng(0).normal(size=(18, 18)) / 9 + np.eye(18) * 9
    symmetric = a + a.T
    f = lw.jit(lambda x: np.linalg.cholesky(x))
    for x in (symmetric, np.asfortranarray(symmetric), symmetric[::2, ::2], symmetric[::-1, ::-1], symmetric[:9, :9]):
        for _ in range(5):
            np.testing.assert_allclose(f(x), np.linalg.cholesky(x), rtol=1e-12)


def test_a_lapack_whose_integers_have_32_bits():
    """SciPy's is one: LAPACK writes half a word for each pivot."""
    blas, functions = pytest.importorskip("scipy.linalg.cython_blas"), pytest.importorskip("scipy.linalg.cython_lapack")
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetPointer.restype = ctypes.c_char_p, ctypes.c_void_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]

    def address(name):
        table = (functions if name in functions.__pyx_capi__ else blas).__pyx_capi__
        return api.PyCapsule_GetPointer(table[name], api.PyCapsule_GetName(table[name]))

    narrow = lapack.Lapack({f"d{name}": address(f"d{name}") for name in lapack_text.FUNCTIONS}, wide=False)
    loaded = load_shared(lapack.text(narrow, "f8"), ["loopweld_lu_f8"], None, lapack.imports(narrow, "f8"))
    a = np.random.default_rng(0).normal(size=(2, 7, 7))
    found, pivots = np.empty_like(a), np.empty((2, 7), np.int64)
    arrays = [layout.Layout(x.shape, tuple(s // 8 for s in x.strides)) for x in (a, found, pivots)]
    form = lapack.lu(a.dtype, arrays, {})
    assert form is not None
    places = (ctypes.c_void_p * 3)(*(x.ctypes.data for x in (a, found, pivots)))
    table = (ctypes.c_int64 * len(form.table))(*form.table)
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(loaded.addresses["loopweld_lu_f8"])
    call(ctypes.addressof(places), ctypes.addressof(table))
    three, many = "tensor<2x7x7xf64>", "tensor<2x7xi64>"
    expected, rows = lw.compile(f"""func.func @main(%a: {three}) -> ({three}, {many}) {{
      %0, %1 = "weld.lu"(%a) : ({three}) -> ({three}, {many})
      func.return %0, %1 : {three}, {many}
    }}""")(a)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_array_equal(pivots, rows)
