"""Running sums and products without Python: NumPy's bits, whatever the axis, the dtype and the layout."""

import numpy as np
import pytest

import loopweld as lw
from loopweld.compiler.runtime.direct import is_supported

pytestmark = pytest.mark.skipif(not is_supported(), reason="no native entries")


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8"])
@pytest.mark.parametrize("shape", [(0,), (1,), (17,), (3, 0), (5, 7), (2, 3, 4)], ids=str)
def test_numpys_bits(shape, dtype, monkeypatch):
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")
    x = np.asarray(np.random.default_rng(0).normal(size=shape) * 3, dtype)
    if dtype[0] == "f" and x.size > 4:
        x.flat[:2] = -0.0
        x.flat[-1] = np.inf

    def scans(x, y):
        values = (x, y.T) if x.ndim == 2 else (x,)  # of more dims, those around the axis must be as if they were one
        return [f(v, axis=k, dtype=v.dtype) for k in range(x.ndim) for v in values for f in (np.cumsum, np.cumprod)]

    y = np.array(x.T, order="C")
    f = lw.jit(scans)
    for _ in range(4):
        f(x, y)
    found = f(x, y)
    assert f._direct_calls > 0, "the call went the long way"
    with np.errstate(all="ignore"):
        for ours, theirs in zip(found, scans(x, y), strict=True):
            assert ours.tobytes() == theirs.tobytes()


def test_many_long_scans_side_by_side_are_numpys(monkeypatch):
    monkeypatch.setenv("LOOPWELD_CACHE_DIR", "off")
    x = np.random.default_rng(0).normal(size=(100, 100))
    f = lw.jit(lambda x: np.cumsum(x, axis=0))
    for _ in range(5):
        assert f(x).tobytes() == np.cumsum(x, axis=0).tobytes()
    assert f._direct_calls == 0
