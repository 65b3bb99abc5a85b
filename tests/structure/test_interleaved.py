"""Elements a few apart, read and written: whole registers whose lanes are picked or put in turn."""

import numpy as np
import pytest
from structure.programs import array
from structure.walks import kernels, label, parse

import loopweld as lw
from loopweld.dialects.loop.ops import For, Load, Store, lanes_of


def rotated(x, c, s):
    """Rope: neighbours are pairs."""
    a, b = x[..., ::2], x[..., 1::2]
    return np.stack([a * c - b * s, a * s + b * c], axis=-1).reshape(x.shape)


def stacked(x, c, s):
    """Three and four results in turn, of several types."""
    return np.stack([c, s, c * s], axis=-1), np.stack([c > s, c < s, c == s, s > 1], axis=-1), np.repeat(c, 2, axis=-1)


def steps(x, c, s):
    return x[:, ::-1] - x, x[:, 1::2] * x[:, ::2], x[:, ::-3].sum(axis=1), x[::-1, 3::4].max(axis=1)


@pytest.mark.parametrize(("dtype", "bits"), [("f4", 512), ("f2", 128), ("f8", 256), ("u1", 512)])
def test_values(dtype, bits):
    """Of rows shorter than a register, as long as one, and with a rest."""
    functions = (rotated, stacked, steps)
    compiled = [lw.jit(f, target=lw.Target(vector_bits=bits)) for f in functions]
    for n in (3, 41):
        args = [np.round(8 + 8 * array(3, k)).astype(dtype) for k in (2 * n, n, n)]
        for f, native in zip(functions, compiled, strict=True):
            for found, wanted in zip(leaves(native(*args)), leaves(f(*args)), strict=True):
                np.testing.assert_array_equal(found, wanted)


def leaves(value):
    return value if isinstance(value, tuple) else (value,)


@pytest.mark.parametrize("f", [rotated, stacked, steps], ids=lambda f: f.__name__)
def test_whole_registers(f):
    """No lane is loaded or stored by itself but in a rest."""
    compiled = lw.jit(f).lower(*(array(40, k) for k in (256, 128, 128))).compile()
    for function in kernels(parse(compiled.as_text("loops"))).values():
        accesses = [op for op in function.walk() if isinstance(op, Load | Store) and not in_a_rest(op)]
        assert any(isinstance(op, Load) and lanes_of(op.res) > 1 for op in accesses)
        assert all(lanes_of(op.offset) == 1 for op in accesses)


def in_a_rest(op):
    while (op := op.parent_op()) is not None:
        if isinstance(op, For) and "rest" in label(op):
            return True
    return False
