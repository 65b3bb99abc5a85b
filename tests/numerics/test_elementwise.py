"""Every NumPy ufunc on every dtype, on special values, odd sizes and all memory layouts."""

import itertools

import numpy as np
import pytest
from numerics.checking import agree, check, reference
from numerics.data import DTYPES, FLOATS, SIZES, layouts, plain, values

import loopweld as lw

UNARY = """
negative absolute fabs sign invert sqrt cbrt reciprocal square exp exp2 expm1 log log2 log10 log1p sin cos tan
arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh floor ceil trunc rint isnan isinf isfinite signbit
logical_not positive deg2rad rad2deg conjugate spacing modf frexp
""".split()
BINARY = """
add subtract multiply divide floor_divide remainder fmod power float_power maximum minimum fmax fmin bitwise_and
bitwise_or bitwise_xor left_shift right_shift equal not_equal less less_equal greater greater_equal logical_and
logical_or logical_xor arctan2 hypot copysign logaddexp logaddexp2 heaviside nextafter ldexp divmod gcd lcm
""".split()


def run(ufunc, *args):
    """The ufunc, compiled, gives NumPy's values or NumPy's TypeError."""

    def f(*args):
        return ufunc(*args)

    try:
        wanted = reference(f, *args)
    except TypeError:
        with pytest.raises(TypeError):
            lw.jit(f)(*args)
        return
    except ValueError:
        return  # integers to negative powers, which depends on the values
    agree(lw.jit(f)(*args), wanted, ulps=40 if ufunc in (np.logaddexp, np.logaddexp2) else 16)


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    for dtype in DTYPES:
        array = values(dtype, 1000)
        if name == "reciprocal" and array.dtype.kind in "iu":
            array = array[array != 0]  # C leaves 1 / 0 undefined, and NumPy with it
        run(getattr(np, name), array)
        if dtype in ("i4", "f4"):
            run(getattr(np, name), array[3].reshape(()))


@pytest.mark.parametrize("name", BINARY)
def test_binary(name):
    for dtype in DTYPES:
        run(getattr(np, name), values(dtype, 1000), values(dtype, 1000, seed=1))
        if dtype in ("i4", "f4"):
            run(getattr(np, name), values(dtype, 9)[3:4].reshape(()), values(dtype, 9, seed=1)[4:5].reshape(()))


@pytest.mark.parametrize("left", DTYPES)
def test_mixed_dtypes(left):
    for right in DTYPES[DTYPES.index(left) :]:
        x, y = plain(left, 33), plain(right, 33, seed=1)
        check(lambda x, y: (x + y, x * y, x / y, np.maximum(x, y), x < y, x == y, y / x, y < x), x, y, terms=1)


@pytest.mark.parametrize("source", DTYPES)
def test_casts(source):
    unsigned = [d for d in DTYPES if np.dtype(d).kind == "u"]
    array = values(source, 1000) if np.dtype(source).kind in "biu" else plain(source, 1000) * 3
    check(lambda x: [x.astype(wanted) for wanted in DTYPES if wanted not in unsigned], array, exact=True)
    if np.dtype(source).kind == "f":
        array = np.abs(array)  # C leaves a negative float as an unsigned integer undefined
    check(lambda x: [x.astype(wanted) for wanted in unsigned], array, exact=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_comparisons_with_itself(dtype):
    check(lambda x: (x < x, x <= x, x == x, x != x, x > x, x >= x), values(dtype, 1000))


def test_cast_to_half_rounds_once():
    check(lambda x: x.astype("f2"), np.array([1.00048828125 + 2.0**-40, 1.00048828125, 65519.99, 65520.0]), exact=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sizes(dtype):
    """One function for all sizes: two ops over each, with the special values."""
    f = lw.jit(lambda x, y: (np.maximum(x, y), x == y, np.where(x > y, x, y)))
    for size in SIZES:
        x, y = values(dtype, size), values(dtype, size, seed=1)
        agree(f(x, y), reference(lambda x, y: (np.maximum(x, y), x == y, np.where(x > y, x, y)), x, y), what=str(size))
    assert f.cache_info().compilations <= 10, f.cache_info()  # nine sizes up to 16, and one program for the others


@pytest.mark.parametrize("dtype", FLOATS)
def test_sizes_of_vector_math(dtype):
    def plainly(x):
        return np.exp(-np.abs(x)), np.sin(x) + np.cos(x), np.log(np.abs(x) + 1)

    f = lw.jit(plainly)
    for size in SIZES:
        x = plain(dtype, size, seed=size)
        agree(f(x), reference(plainly, x), terms=4, scale=2, what=str(size))


LAYOUT_FUNCTIONS = {
    "sum with itself": lambda x: x + x,
    "with reversed": lambda x: np.maximum(x, x[::-1]),
    "first axis": lambda x: x.sum(0),
    "last axis": lambda x: x.sum(-1),
    "views out": lambda x: (x, x.copy(), x[1:], x.T),
    "flattened": lambda x: (x.reshape(-1)[::-1], x.ravel()[1:], x.sum()),
    "select": lambda x: (np.where(x > 0, x, x * 2).T, x.max(0, keepdims=True) == x),
    "scan": lambda x: np.cumsum(x, axis=-1),
}


@pytest.mark.parametrize("name", LAYOUT_FUNCTIONS)
def test_layouts(name):
    for number, layout in enumerate(layouts("f4")):
        for dtype in ("f4", ("?", "i2", "f8")[number % 3]):
            array = layouts(dtype).get(layout)
            if array is None:
                continue
            try:
                check(LAYOUT_FUNCTIONS[name], array)
            except Exception as error:
                error.add_note(f"{dtype} {layout}")
                raise


def test_pairs_of_layouts():
    first, second = layouts("f4"), layouts("f4", seed=1)
    for one, other in itertools.combinations_with_replacement(first, 2):
        x, y = first[one], second[other]
        try:
            np.broadcast_shapes(x.shape, y.shape)
        except ValueError:
            continue
        try:
            check(lambda x, y: ((x * y - x).sum(0), x + y, (y - x).T), x, y)
        except Exception as error:
            error.add_note(f"{one}, {other}")
            raise


@pytest.mark.parametrize("dtype", ["i1", "i4", "i8", "u1", "u8"])
def test_integer_corners(dtype):
    """Division by zero, the least integer by -1, and shifts as wide as the dtype or wider."""
    special = values(dtype, 40)
    x, y = (a.ravel().astype(dtype) for a in np.meshgrid(special, special))
    check(lambda x, y: (x // y, x % y, np.fmod(x, y)), x, y, exact=True)
    counts = np.resize(np.array([0, 1, 7, 8, 31, 32, 63, 64, 65, 127], dtype), x.shape)
    check(lambda x, n: (x << n, x >> n), x, counts, exact=True)
    check(lambda x: (-x, abs(x), x + x, x * x, x - np.flip(x)), x, exact=True)


CHAINS = {
    "fused multiply-add": lambda x, y: x * y + x,
    "rational": lambda x, y: (x + y) * (x - y) / (y * y + 1),
    "root": lambda x, y: np.sqrt(abs(x)) * y - x / y,
    "constants": lambda x, y: x / 3.0 - y / 7.0 + x * 0.1,
    "cancels": lambda x, y: (x - y) + (y - x) + x * 0,
    "differences": lambda x, y: (x * y - x * y, x - x, x / x, (x + y) - y),
    "signs": lambda x, y: (-(x * y) + (-x), 0.0 - x, x + 0.0, x * 1),
    "reciprocals": lambda x, y: (1 / x + 1 / y, np.reciprocal(y) + np.square(x)),
    "short powers": lambda x, y: x**2 + y**0.5 + x**-1,
    "select": lambda x, y: np.where(x > y, x * y + 1, x - y),
    "rounding": lambda x, y: np.floor(x) * np.ceil(y) + np.rint(x) - np.trunc(y),
    "remainders": lambda x, y: x % 3 + y // 2 + np.fmod(x, y),
    "copied signs": lambda x, y: abs(x) - np.sign(y) * np.copysign(x, y),
    "clip": lambda x, y: np.clip(x, -1, 1) * y,
    "through another dtype": lambda x, y: (x.astype("f8") * y).astype(x.dtype) + (x > y) * x,
}


@pytest.mark.parametrize("target", ["cpu", "x86-64-v3"])
@pytest.mark.parametrize("name", CHAINS)
def test_strict_is_bit_for_bit(name, target):
    for dtype in ("f4", "f8", "f2"):
        x, y = plain(dtype, 1000) * 3, plain(dtype, 1000, seed=1)
        special = values(dtype, 18)
        grid = np.array(np.meshgrid(special, special)).reshape(2, -1)
        x[: grid.shape[1]], y[: grid.shape[1]] = grid
        check(CHAINS[name], x, y, numerics="strict", target=target, exact=True)


@pytest.mark.parametrize("target", ["numpy", "x86-64", "x86-64-v2", "x86-64-v3"])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_targets(target, dtype):
    for shape in ((33, 20), (5, 3)):
        x = plain(dtype, shape)
        check(lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True), x, target=target, ulps=64)
        check(lambda x: (x[:, ::-1].T.cumsum(0), x.argmax(1), x.max(0), (x > 0).sum(1)), x, target=target)
        check(lambda x: np.where(x > 0, np.log(abs(x)), np.sin(x)), x, target=target)
