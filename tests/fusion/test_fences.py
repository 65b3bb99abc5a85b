"""No load and no store outside an array: programs run on arrays beside pages that the process may not touch."""

import subprocess
import sys
import textwrap

import pytest

FENCED = '''
import ctypes, mmap, sys
import numpy as np
import loopweld as lw

libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
PAGE = mmap.PAGESIZE
kept = []

def fenced(array, at_end):
    """A copy whose last byte stands before, or whose first byte stands after, a page that must not be touched."""
    inner = -(-max(array.nbytes, 1) // PAGE) * PAGE
    memory = mmap.mmap(-1, inner + 2 * PAGE)
    kept.append(memory)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (start, start + PAGE + inner):
        if libc.mprotect(page, PAGE, 0):
            raise OSError(ctypes.get_errno(), "mprotect")
    offset = PAGE + (inner - array.nbytes if at_end else 0)
    copy = np.frombuffer(memory, array.dtype, array.size, offset).reshape(array.shape)
    copy[...] = array
    return copy

def layouts(shape, dtype):
    base = (np.arange(np.prod(shape)).reshape(shape) % 7 + 0.5).astype(dtype)
    for at_end in (False, True):
        yield fenced(base, at_end), at_end
        yield fenced(base[::-1, ::-1].copy(), at_end)[::-1, ::-1], at_end
    yield fenced(base.T.copy(), at_end).T, at_end

def leaves(value):
    return [leaf for v in value for leaf in leaves(v)] if isinstance(value, tuple | list) else [value]

def close(found, wanted):
    pairs = zip(leaves(found), leaves(wanted), strict=True)
    return all(np.allclose(np.asarray(a, "f8"), np.asarray(b, "f8"), rtol=2e-2, atol=1e-3) for a, b in pairs)

PROGRAMS
np.seterr(all="ignore")
for f in programs:
    compiled = lw.jit(f)
    for shape in SHAPES:
        for dtype in DTYPES:
            for x, at_end in layouts(shape, dtype):
                wanted = f(x)
                assert close(compiled(x), wanted), (f.__code__.co_firstlineno, shape, dtype)
                outs = [fenced(np.zeros_like(w), at_end) for w in leaves(wanted)]
                if all(isinstance(w, np.ndarray) for w in leaves(wanted)):
                    compiled(x, out=outs[0] if isinstance(wanted, np.ndarray) else tuple(outs))
                    assert close(outs, wanted), (f.__code__.co_firstlineno, shape, dtype, "out=")
print("done", len(programs))
'''
PROGRAMS = {
    "pads and rolls": """
        lambda x: np.pad(x * 2, ((1, 2), (3, 1))),
        lambda x: np.roll(x, 1, axis=1) - np.roll(x, -1, axis=0),
        lambda x: x[1:, 2:] - x[:-1, :-2],
        lambda x: np.exp2(np.pad(np.cos(x[:1]), ((0, 1), (0, 0)))),
        lambda x: np.pad(x, ((7, 0), (0, 9)), mode="wrap") + 1,
        lambda x: np.pad(np.abs(x), ((2, 2), (1, 1)), mode="reflect").sum(axis=1),
    """,
    "joins and slices": """
        lambda x: np.concatenate([x * 2, x[:, ::-1], x[:, :3]], axis=1),
        lambda x: np.pad(x, 4)[1:-6, 5:-2].max(axis=1),
        lambda x: x[:, 1::3] + x[:1, 1::3],
        lambda x: (x[:, -5::4] + 1, x[:, 4::-4] + 1),
        lambda x: (x[:, ::2] * 2, x[:, ::-2].max(axis=1), x[:, -2::-3] - 1, x[:, 1:-1:4].sum(axis=1)),
        lambda x: np.stack([x[:, ::2], x[:, ::2] * 2, x[:, 0::2] - 1], axis=-1),
        lambda x: np.concatenate([x[1:], np.tanh(x[:1]), x[::2]]).sum(axis=0),
        lambda x: np.stack([x, -x], axis=-1).reshape(x.shape[0], -1),
        lambda x: np.concatenate([-x[:, x.shape[1] // 2 :], x[:, : x.shape[1] // 2]], axis=1) * x,
    """,
    "rows": """
        lambda x: normalised(np.exp(x - x.max(axis=1, keepdims=True))),
        lambda x: (x - x.mean(axis=0)) / (x.std(axis=0) + 1),
        lambda x: (x.sum(axis=0), x.max(axis=1), x * x),
        lambda x: (x.argmax(axis=1), x.argmin(axis=0), np.cumsum(x, axis=1)),
        lambda x: x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1),
    """,
    "bytes": """
        few_mask_registers,
        lambda x: (x // 3, x.var(axis=1), x.sum(axis=0)),
        one_more_than_lanes,
        lambda x: (np.exp(np.minimum(x, 3)).astype("f8"), x + x, x > 2),
        lambda x: (x[:, 1:] ^ x[:, :-1], x[1:].max(axis=0), np.sqrt(x)),
    """,
    "indices": """
        lambda x: x[np.arange(50) % x.shape[0]] * 2,
        lambda x: x[:, np.arange(40) * 3 % x.shape[1]].sum(axis=0),
        lambda x: np.take_along_axis(x, x.argmax(axis=1)[:, None], 1) - 1,
        lambda x: x[x.shape[0] - 1 - np.arange(5) % 3, np.arange(5) % 4 - 4],
        lambda x: scattered(x),
        lambda x: x.T.copy().reshape(-1)[::-1] + 1,
    """,
    "across": """
        lambda x: x.T.reshape(-1) * 2,
        lambda x: square(x) + square(x).T,
        lambda x: (square(x) * square(x).T).sum(axis=1),
        lambda x: x.reshape(-1) - x.T.reshape(-1),
    """,
}
HELPERS = """
def square(x):
    return x[: min(x.shape), : min(x.shape)]


def one_more_than_lanes(x):
    x = np.concatenate([x, x], axis=1)[:, :9]
    columns = (x.max(axis=0) - x) // 3
    return x // 3, np.sqrt(x).astype("u1"), (x // 2 < 2).all(axis=1), x.mean(axis=1), columns, x.T // 3


def few_mask_registers(x):
    x = np.pad(np.pad(x, [(0, 0), (0, 2)], constant_values=2), [(0, 0), (2, 1)], constant_values=2)
    angle = np.arctan2(x, np.abs(np.exp(np.minimum(x, 2))) + 1)
    return np.expm1(np.clip(angle, -2, 2)).astype("f8"), x, (x < np.uint8(7)).all(keepdims=True)


def normalised(e):
    return e / e.sum(axis=1, keepdims=True)

def scattered(x):
    z = np.zeros_like(x)
    np.add.at(z, np.arange(90) * 7 % x.shape[0], 1)
    z[:, 1:3] = x[:, :2]
    return z
"""


def run(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=250)


def test_the_fence_works():
    """A program that reads one element too far ends with a signal."""
    body = "x = fenced(np.ones(1024), True)\nlib = ctypes.c_double.from_address(x.ctypes.data + x.nbytes).value"
    result = run(FENCED.split("PROGRAMS")[0] + body)
    assert result.returncode < 0, result


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_outside_an_array(name):
    """Of arguments and of results, in every order of memory, at sizes that no vector divides."""
    dtypes = {"rows": ("f4", "f2"), "bytes": ("u1", "i1")}.get(name, ("f4", "i1"))
    body = HELPERS + "programs = [" + textwrap.dedent(PROGRAMS[name]) + "]"
    text = FENCED.replace("PROGRAMS", body).replace("SHAPES", "((3, 5), (40, 33))").replace("DTYPES", str(dtypes))
    result = run(text)
    assert result.returncode == 0 and "done" in result.stdout, (result.returncode, result.stderr[-2000:])
