"""Programs as C functions: called by ctypes, by other threads, and by scipy."""

import ctypes
import threading

import numpy as np
import pytest

import loopweld as lw

FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_int64))


@pytest.fixture(autouse=True)
def no_disk(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")


def sample(*shape, dtype="f8"):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)


def compiled(function, *args):
    return lw.jit(function).lower(*args).compile()


def call(program, arrays, *sizes):
    pointers = (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))
    return FUNCTION(program.address)(pointers, (ctypes.c_int64 * len(sizes))(*sizes))


def softmax(x, shift):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True) + shift, x.sum()


def test_any_size():
    program = compiled(softmax, sample(20, 30), np.array(0.5))
    assert program.sizes == ("s0", "s1")
    for shape in ((20, 30), (1, 1), (0, 5), (33, 1001)):
        x, y, total = sample(*shape), np.empty(shape), np.empty(())
        assert call(program, (x, np.array(0.5), y, total), *shape) == 0
        if x.size:
            np.testing.assert_allclose(y, softmax(x, 0.5)[0])
        np.testing.assert_allclose(total, x.sum(), atol=1e-12)


def test_constants_temporaries_and_strides():
    table = sample(40)

    def f(x, i):
        y = np.zeros_like(x[:, 0])
        np.add.at(y, i, table * x[i, 3])
        return y / y.sum()

    x, i = sample(40, 40)[:, ::2], np.arange(40)[::-1].copy()
    program = compiled(f, x, i)
    values: dict[str, int] = {}
    for spec, array in zip(program.specs, (x, i), strict=True):
        values |= dict(zip(map(str, spec.shape), array.shape, strict=True))
        steps = [s // array.itemsize for s in array.strides]
        values |= dict(zip(map(str, spec.strides or ()), steps, strict=False))
    out = np.empty(40)
    assert call(program, (x, i, out), *(values[name] for name in program.sizes)) == 0
    np.testing.assert_allclose(out, f(x, i))


def test_a_failed_check_has_its_number():
    program = compiled(lambda x, i: x[i], sample(20), np.arange(30) % 20)
    out = np.empty(30)
    for bad in (20, -21):
        i = np.full(30, bad)
        assert call(program, (sample(20), i, out), 20, 30) == 1
    assert call(program, (sample(20), np.full(30, -20), out), 20, 30) == 0
    assert (out == sample(20)[0]).all()


def test_programs_with_library_calls_have_no_address():
    with pytest.raises(ValueError, match="calls a library"):
        _ = compiled(lambda x: np.sort(x) + 1, sample(20)).address


def test_threads_without_the_global_lock():
    program = compiled(softmax, sample(200, 300), np.array(0.0))
    x = sample(200, 300)
    wanted, wrong = softmax(x, 0.0)[0], []

    def work():
        y, total = np.empty_like(x), np.empty(())
        for _ in range(50):
            y.fill(0)
            if call(program, (x, np.array(0.0), y, total), 200, 300) or not np.allclose(y, wanted):
                wrong.append(1)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_scipy_integrates_a_function():
    integrate = pytest.importorskip("scipy.integrate")
    low_level = pytest.importorskip("scipy").LowLevelCallable
    program = compiled(lambda x: np.exp(-x[0] * x[0]) * x[1], np.array([0.5, 2.0]))
    kind = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double), ctypes.c_void_p)
    integrand = low_level(kind(program.address_as("double (int, double *, void *)")))
    found, _ = integrate.quad(integrand, 0, 1, args=(3.0,))
    np.testing.assert_allclose(found, integrate.quad(lambda t: 3 * np.exp(-t * t), 0, 1)[0])
    kind = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double))
    function = kind(program.address_as("double (int, double *)"))
    assert np.isnan(function(3, (ctypes.c_double * 3)()))


def test_scipy_filters_with_a_function():
    ndimage = pytest.importorskip("scipy.ndimage")
    low_level = pytest.importorskip("scipy").LowLevelCallable
    program = compiled(lambda x: np.sqrt((x * x).sum()), sample(25))
    kind = ctypes.CFUNCTYPE(
        ctypes.c_int,
        ctypes.POINTER(ctypes.c_double),
        ctypes.c_ssize_t,
        ctypes.POINTER(ctypes.c_double),
        ctypes.c_void_p,
    )
    norm = low_level(kind(program.address_as("int (double *, intptr_t, double *, void *)")))
    image = sample(30, 40)
    wanted = ndimage.generic_filter(image, lambda v: np.sqrt((v * v).sum()), size=5)
    np.testing.assert_allclose(ndimage.generic_filter(image, norm, size=5), wanted)


def test_wrong_signatures():
    program = compiled(lambda x: x.sum(), sample(25))
    with pytest.raises(ValueError, match="unknown signature 'void"):
        program.address_as("void (void)")
    for function, args in ((lambda x: x + 1, (sample(25),)), (lambda x: x.sum(), (sample(25, dtype="f4"),))):
        with pytest.raises(ValueError, match="only a program with one"):
            compiled(function, *args).address_as("double (int, double *)")
