"""What `compiler/codegen/vecmath` approximates: the functions, intervals and weights, and the constants it splits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath  # pyright: ignore[reportMissingTypeStubs]

Real = Any
"""An `mpmath.mpf`; mpmath carries no types."""

mp: Any = mpmath.mp  # pyright: ignore[reportUnknownMemberType]
mpf: Any = mpmath.mpf  # pyright: ignore[reportUnknownMemberType]
mp.dps = 60


@dataclass(frozen=True)
class Fit:
    """`target` approximated on [low, high] by a polynomial, the error multiplied by `weight`."""

    target: Callable[[Real], Real]
    weight: Callable[[Real], Real]
    low: Real
    high: Real
    degrees: dict[str, int]
    """The degree for each of the formats that have the table."""


@dataclass(frozen=True)
class Pieces:
    """An odd function on [0, bound], where it is nearly 1, by polynomials of f32, in pieces of equal length.

    `slope` is its derivative.
    """

    function: Callable[[Real], Real]
    slope: Callable[[Real], Real]
    bound: int | float
    degree: int


def _one(_: Real) -> Real:
    return mpf(1)


def _log_quotient(s: Real) -> Real:
    """log((1 + s) / (1 - s)) / s."""
    return 2 * mp.atanh(s) / s


def erfcx(x: Real) -> Real:
    """exp(x^2) erfc(x)."""
    return mp.exp(x * x) * mp.erfc(x)


def _erfcx_argument(u: Real) -> Real:
    """The inverse of u = (x - 4) / (x + 4)."""
    return 4 * (1 + u) / (1 - u)


DIGAMMA_ROOT = mp.findroot(mp.digamma, mpf("1.4616321449683623"))


def _digamma_quotient(s: Real) -> Real:
    """digamma(x) / (x - root) at x = 1.5 + s."""
    x = s + mpf("1.5")
    return mp.digamma(x) / (x - DIGAMMA_ROOT)


def _lgamma_quotient(s: Real) -> Real:
    """lgamma(x) / ((x - 1) (x - 2)) at x = 1.5 + s."""
    return mp.loggamma(s + mpf("1.5")) / ((s + mpf("0.5")) * (s - mpf("0.5")))


def _erfinv_at(w: Real) -> Real:
    """erfinv(x) / x where w = -log(1 - x^2)."""
    x = mp.sqrt(-mp.expm1(-w))
    return _erfinv(x, mp.exp(-w)) / x


def _erfinv(x: Real, rest: Real) -> Real:
    """The y with erfc(y) = 1 - x, where 1 - x^2 = rest; Newton's method on log(erfc)."""
    tail = rest / (1 + x)
    y = mp.sqrt(mp.log(2 / tail) / 2) if tail < 0.5 else x * mp.sqrt(mp.pi) / 2
    for _ in range(60):
        e = mp.erfc(y)
        step = e * mp.log(e / tail) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
        y += step
        if abs(step) < mpf(10) ** -45 * y:
            break
    return y


def _asin_quotient(z: Real) -> Real:
    s = mp.sqrt(z)
    return (mp.asin(s) - s) / (s * z)


def _atan_quotient(z: Real) -> Real:
    s = mp.sqrt(z)
    return (mp.atan(s) - s) / (s * z)


def _sinh_quotient(z: Real) -> Real:
    s = mp.sqrt(z)
    return (mp.sinh(s) - s) / (s * z)


def _sin_quotient(z: Real) -> Real:
    s = mp.sqrt(z)
    return (mp.sin(s) - s) / (s * z)


def _stirling(z: Real) -> Real:
    """x (lgamma(x) - (x - 1/2) log x + x - log(2 pi) / 2) at x = z^(-1/2)."""
    x = 1 / mp.sqrt(z)
    return x * (mp.loggamma(x) - (x - mpf(1) / 2) * mp.log(x) + x - mp.log(2 * mp.pi) / 2)


def _digamma_tail(z: Real) -> Real:
    """x^2 (log x - 1 / (2 x) - digamma(x)) at x = z^(-1/2)."""
    x = 1 / mp.sqrt(z)
    return x * x * (mp.log(x) - 1 / (2 * x) - mp.digamma(x))


QUARTER_TURN = mpf("0.81")
LOG_S = mpf("0.20001")

STEP = mp.log(2) / 32 * mpf("1.001")
"""Half the distance of the entries in the table of exponentials, and a little."""

FITS: dict[str, Fit] = {
    # exp(r) = 1 + r + r^2 p(r)
    "exp": Fit(
        lambda r: (mp.exp(r) - 1 - r) / r**2,
        lambda r: r**2 / mp.exp(r),
        -STEP,
        STEP,
        {"f32": 1, "f64": 4},
    ),
    # expm1(r) = r + r^2 p(r), relative
    "expm1": Fit(
        lambda r: (mp.exp(r) - 1 - r) / r**2,
        lambda r: r**2 / mp.expm1(r),
        -STEP,
        STEP,
        {"f32": 2, "f64": 5},
    ),
    # 2^r = 1 + r p(r)
    "exp2": Fit(
        lambda r: (mp.power(2, r) - 1) / r,
        lambda r: r / mp.power(2, r),
        -mpf("0.03126"),
        mpf("0.03126"),
        {"f32": 2, "f64": 5},
    ),
    # log((1 + s) / (1 - s)) = 2 s + s z p(z), z = s^2
    "log_quotient": Fit(
        lambda z: (_log_quotient(mp.sqrt(z)) - 2) / z,
        lambda z: z,
        mpf(0),
        LOG_S**2,
        {"f32": 2, "f64": 6},
    ),
    # log((1 + s) / (1 - s)) = 2 s + 2/3 s z + s z^2 p(z): for pow
    "log_tail": Fit(
        lambda z: (_log_quotient(mp.sqrt(z)) - 2 - 2 * z / 3) / z**2,
        lambda z: z**2,
        mpf(0),
        LOG_S**2,
        {"f64": 8},
    ),
    # the same with the precision that pow of f32 needs
    "log_short": Fit(
        lambda z: (_log_quotient(mp.sqrt(z)) - 2) / z,
        lambda z: z,
        mpf(0),
        LOG_S**2,
        {"f64": 4},
    ),
    # sin(r) = r + r z p(z), z = r^2
    "sin": Fit(
        _sin_quotient,
        lambda z: z * mp.sqrt(z) / mp.sin(mp.sqrt(z)),
        mpf(0),
        QUARTER_TURN**2,
        {"f32": 3, "f64": 6},
    ),
    # cos(r) = 1 + z p(z), z = r^2
    "cos": Fit(
        lambda z: (mp.cos(mp.sqrt(z)) - 1) / z,
        lambda z: z,
        mpf(0),
        QUARTER_TURN**2,
        {"f32": 3, "f64": 6},
    ),
    # erf(x) = x + x p(x^2), |x| <= 1
    "erf": Fit(
        lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1,
        lambda z: mp.sqrt(z) / mp.erf(mp.sqrt(z)),
        mpf(0),
        mpf("1.001"),
        {"f32": 7, "f64": 14},
    ),
    # log(erfc(x)) = p(x), 1 <= x <= 6: for erf, which is 1 - erfc there
    "erf_tail": Fit(
        lambda t: mp.log(mp.erfc(t)),
        lambda t: mp.erfc(t) / mp.erf(t),
        mpf(1),
        mpf(6),
        {"f64": 18},
    ),
    # exp(x^2) erfc(x) (1 + 2 x) = p(u), u = (x - 4) / (x + 4), x >= 0 (Shepherd and Laframboise, 1981)
    "erfcx": Fit(
        lambda u: erfcx(_erfcx_argument(u)) * (1 + 2 * _erfcx_argument(u)),
        lambda u: 1 / (erfcx(_erfcx_argument(u)) * (1 + 2 * _erfcx_argument(u))),
        mpf("-0.72"),
        mpf("0.745"),
        {"f32": 11, "f64": 22},
    ),
    # t^(-1/3) on [1/2, 4]
    "inverse_cbrt": Fit(
        lambda t: mp.power(t, -mpf(1) / 3),
        lambda t: mp.cbrt(t),
        mpf(1) / 2,
        mpf(4),
        {"f32": 5, "f64": 6},
    ),
    # sinh(x) = x + x z p(z), z = x^2, |x| <= 1
    "sinh": Fit(
        _sinh_quotient,
        lambda z: z * mp.sqrt(z) / mp.sinh(mp.sqrt(z)),
        mpf(0),
        mpf("1.001"),
        {"f32": 3, "f64": 6},
    ),
    # asin(x) = x + x z p(z), z = x^2 <= 1/4
    "asin": Fit(
        _asin_quotient,
        lambda z: z * mp.sqrt(z) / mp.asin(mp.sqrt(z)),
        mpf(0),
        mpf("0.25"),
        {"f32": 5, "f64": 12},
    ),
    # atan(x) = x + x z p(z), z = x^2, |x| <= 1
    "atan": Fit(
        _atan_quotient,
        lambda z: z * mp.sqrt(z) / mp.atan(mp.sqrt(z)),
        mpf(0),
        mpf("1.003"),
        {"f32": 8, "f64": 19},
    ),
    # lgamma(x) = (x - 1) (x - 2) p(x - 1.5), 1 <= x <= 2
    "lgamma": Fit(_lgamma_quotient, lambda s: 1 / _lgamma_quotient(s), mpf("-0.5"), mpf("0.5"), {"f64": 21}),
    # Stirling's series: the last term is p(z) / x, z = x^-2, x >= 8
    "stirling": Fit(_stirling, lambda z: mpf(8), mpf("1e-7"), mpf(1) / 64, {"f64": 6}),
    # digamma(x) = log x - 1 / (2 x) - z p(z), z = x^-2, x >= 8
    "digamma": Fit(_digamma_tail, _one, mpf("1e-7"), mpf(1) / 64, {"f64": 6}),
    # digamma(x) = (x - root) p(x - 1.5), 1 <= x <= 2
    "digamma_central": Fit(_digamma_quotient, lambda s: 1 / _digamma_quotient(s), mpf("-0.5"), mpf("0.5"), {"f64": 21}),
    # erfinv(x) = x p(w - 2.5), w = -log(1 - x^2) <= 5, and x p(sqrt(w) - 4) from there to 37: first guesses
    "erfinv": Fit(
        lambda s: _erfinv_at(s + mpf("2.5")),
        lambda s: 1 / _erfinv_at(s + mpf("2.5")),
        mpf("-2.499999999999"),
        mpf("2.5"),
        {"f64": 9},
    ),
    "erfinv_tail": Fit(
        lambda s: _erfinv_at((s + 4) ** 2),
        lambda s: 1 / _erfinv_at((s + 4) ** 2),
        mpf("-1.77"),
        mpf("2.1"),
        {"f64": 9},
    ),
}

PI = +mp.pi
PIECES: dict[str, Pieces] = {
    "erf_pieces": Pieces(mp.erf, lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x), 4.0, 5),
    "tanh_pieces": Pieces(mp.tanh, lambda x: mp.sech(x) ** 2, 9.25, 6),
}

SPLITS: dict[str, tuple[Real, int]] = {
    "ln2": (mp.log(2), 2),
    "log2e": (1 / mp.log(2), 2),
    "log10e": (1 / mp.log(10), 2),
    "half_pi": (PI / 2, 3),
    "pi": (PI, 2),
    "two_over_pi": (2 / PI, 1),
    "ln_pi": (mp.log(PI), 2),
    "half_log_two_pi": (mp.log(2 * PI) / 2, 2),
    "digamma_root": (DIGAMMA_ROOT - 1, 2),
    "two_thirds": (mpf(2) / 3, 2),
}
"""Constants as unevaluated sums: each part is the rounded rest."""

SHORT_SPLITS: dict[str, tuple[Real, dict[str, int]]] = {
    "ln2_short": (mp.log(2), {"f32": 14, "f64": 40}),
    "log10_2_short": (mp.log10(2), {"f32": 14, "f64": 40}),
}
"""Constants whose first part has few bits, so that its product with an exponent is exact."""
