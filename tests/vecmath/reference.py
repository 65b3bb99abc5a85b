"""mpmath's values of the functions, with 160 bits, and errors in units in the last place."""

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

mp: Any = mpmath.mp.clone()
mp.prec = 160
Real = Any


def _expm1(x: Real) -> Real:
    return mp.expm1(x) if abs(x) > 2.0**-100 else x + x * x / 2


def _log1p(x: Real) -> Real:
    return mp.log1p(x) if abs(x) > 2.0**-100 else x - x * x / 2


def _softplus(x: Real) -> Real:
    return max(x, mp.zero) + _log1p(mp.exp(-abs(x)))


def _logaddexp(x: Real, y: Real) -> Real:
    return max(x, y) + _log1p(mp.exp(-abs(x - y)))


def _erf(x: Real) -> Real:
    return mp.erf(x) if abs(x) > 2.0**-80 else 2 * x / mp.sqrt(mp.pi)


def _erfc(x: Real) -> Real:
    return mp.erfc(x) if abs(x) < 1e3 else mp.mpf(0 if x > 0 else 2)


def _erfcx(x: Real) -> Real:
    if x > 1e10:
        return 1 / (x * mp.sqrt(mp.pi))
    return mp.exp(x * x) * mp.erfc(x) if x > -1e3 else mp.inf


def _erfinv(x: Real) -> Real:
    return mp.erfinv(x) if abs(x) > 2.0**-60 else x * mp.sqrt(mp.pi) / 2


def _lgamma(x: Real) -> Real:
    if abs(x) < 2.0**-200:
        return -mp.log(abs(x))
    if x > 0:
        return mp.loggamma(x)
    return mp.log(mp.pi / abs(x * mp.sinpi(x))) - mp.loggamma(-x)


def _digamma(x: Real) -> Real:
    if abs(x) < 2.0**-200:
        return -1 / x
    return mp.digamma(x) if x < 1e30 else mp.log(x)


def _sigmoid(x: Real) -> Real:
    return 1 / (1 + mp.exp(-x))


def _cbrt(x: Real) -> Real:
    return mp.sign(x) * mp.cbrt(abs(x))


REFERENCES: dict[str, Callable[..., Real]] = {
    "exp": mp.exp,
    "exp2": lambda x: mp.power(2, x),
    "expm1": _expm1,
    "sigmoid": _sigmoid,
    "log": mp.log,
    "log2": lambda x: mp.log(x) / mp.log(2),
    "log10": mp.log10,
    "log1p": _log1p,
    "softplus": _softplus,
    "logaddexp": _logaddexp,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "rsqrt": lambda x: 1 / mp.sqrt(x),
    "cbrt": _cbrt,
    "hypot": mp.hypot,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
    "erf": _erf,
    "erfc": _erfc,
    "erfcx": _erfcx,
    "erfinv": _erfinv,
    "pow": mp.power,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "atan2": mp.atan2,
    "lgamma": _lgamma,
    "digamma": _digamma,
}

_MANTISSA = {"f32": 24, "f64": 53}
_LEAST = {"f32": -149, "f64": -1074}
_OVERFLOW = {"f32": 128, "f64": 1024}


def exact(name: str, *operands: Any) -> Real:
    """The value at finite operands."""
    return REFERENCES[name](*(mp.mpf(float(x)) for x in operands))


def unit(value: Real, elem: str) -> Real:
    """The distance of neighbouring numbers of the format at the value."""
    exponent = mp.frexp(value)[1] - _MANTISSA[elem] if value != 0 else _LEAST[elem]
    return mp.ldexp(1, max(exponent, _LEAST[elem]))


def error(got: Any, value: Real, elem: str, at_least: Real = 0) -> float:
    """|got - value| in units of the value, or of `at_least` if that is larger; inf counts as the first overflow."""
    if np.isnan(got):
        return float("inf")
    bound = mp.ldexp(1, _OVERFLOW[elem])
    value = max(-bound, min(bound, value))
    seen = mp.mpf(float(got)) if np.isfinite(got) else bound * int(np.sign(got))
    scale = unit(max(min(abs(value), bound * (1 - mp.mpf(2) ** -60)), at_least), elem)
    return float(abs(seen - value) / scale)
