"""Inline, branch-free vector math as LLVM IR text, right on the whole domain: NaN, inf, -0, subnormals, huge angles.

On AVX-512 about 1.5 instructions run per cycle, additions beside multiplications: their number is what counts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from . import algebraic, error, exponential, gamma, hyperbolic, inverse, logarithm, power, trigonometric
from .formats import FORMATS
from .text import Body, Output, Vec


@dataclass(frozen=True)
class _Function:
    """An algorithm and its size: vector instructions in f32 with AVX-512, divisions and roots counted as 6."""

    emit: Callable[..., Vec]
    cost: int
    arity: int = 1
    through_f64: bool = False
    """f32 is computed in f64 and rounded."""


_FUNCTIONS: dict[str, _Function] = {
    "exp": _Function(exponential.exp, 14),
    "exp2": _Function(exponential.exp2, 13),
    "expm1": _Function(exponential.expm1, 30),
    "sigmoid": _Function(exponential.sigmoid, 41),
    "log": _Function(logarithm.log, 28),
    "log2": _Function(logarithm.log2, 36),
    "log10": _Function(logarithm.log10, 36),
    "log1p": _Function(logarithm.log1p, 37),
    "softplus": _Function(logarithm.softplus, 64),
    "sin": _Function(trigonometric.sin, 52),
    "cos": _Function(trigonometric.cos, 53),
    "tan": _Function(trigonometric.tan, 77),
    "rsqrt": _Function(algebraic.rsqrt, 23),
    "cbrt": _Function(algebraic.cbrt, 54),
    "hypot": _Function(algebraic.hypot, 51, arity=2),
    "sinh": _Function(hyperbolic.sinh, 42),
    "cosh": _Function(hyperbolic.cosh, 29),
    "tanh": _Function(hyperbolic.tanh, 26),
    "asinh": _Function(hyperbolic.asinh, 135),
    "acosh": _Function(hyperbolic.acosh, 119),
    "atanh": _Function(hyperbolic.atanh, 71),
    "erf": _Function(error.erf, 24),
    "erfc": _Function(error.erfc, 102),
    "erfcx": _Function(error.erfcx, 210),
    "erfinv": _Function(error.erfinv, 522, through_f64=True),
    "pow": _Function(power.power, 141, arity=2),
    "asin": _Function(inverse.asin, 30),
    "acos": _Function(inverse.acos, 35),
    "atan": _Function(inverse.atan, 33),
    "atan2": _Function(inverse.atan2, 62, arity=2),
    "lgamma": _Function(gamma.lgamma, 838, through_f64=True),
    "digamma": _Function(gamma.digamma, 452, through_f64=True),
    "logaddexp": _Function(logarithm.logaddexp, 84, arity=2),
}

ARITY: dict[str, int] = {name: f.arity for name, f in _FUNCTIONS.items()}
"""Number of operands, by function."""

COST: dict[str, int] = {name: f.cost for name, f in _FUNCTIONS.items()}
"""Rough number of vector instructions in f32 with AVX-512, by function; a division counts as 6, an f64 instruction as
2."""


def available(name: str, elem: str) -> bool:
    """True if `define` knows the function on elements of the format."""
    return name in _FUNCTIONS and elem in FORMATS


def symbol(name: str, elem: str, lanes: int) -> str:
    """The function's name in LLVM: `lw.exp.v16f32`."""
    return f"lw.{name}.v{lanes}{elem}"


@cache
def _text(name: str, elem: str, lanes: int, avx512: bool, avx2: bool) -> tuple[str, tuple[str, ...]]:
    function = _FUNCTIONS[name]
    output = Output()
    body = Body(symbol(name, elem, lanes), elem, lanes, output, avx512, avx2)
    arguments = [Vec(body, f"%{a}") for a in "xy"[: function.arity]]
    if function.through_f64 and elem == "f32":
        wide = body.double()
        result = function.emit(wide, *(a.widen() for a in arguments)).narrow(body)
    else:
        result = function.emit(body, *arguments)
    parameters = ", ".join(f"{body.float_type} {a.name}" for a in arguments)
    text = (
        f"define internal {body.float_type} @{body.symbol}({parameters}) alwaysinline nounwind {{\nentry:\n"
        + "\n".join(output.lines)
        + f"\n  ret {body.float_type} {result.name}\n}}\n"
    )
    return "\n".join([*output.helpers, text]), tuple(sorted(output.declarations))


def define(name: str, elem: str, lanes: int, avx512: bool = False, avx2: bool = False) -> str:
    """LLVM text of `define internal <lanes x T> @lw.NAME.vLANESELEM(<lanes x T> %x) alwaysinline`.

    elem is "f32" or "f64"; lanes == 1 means the plain scalar type. `avx512` and `avx2` allow their instructions,
    which give the same bits. Slow paths that are not inlined are internal functions and constants before it, whose
    names begin with the symbol: one `define` per symbol is complete.
    """
    return _text(name, elem, lanes, avx512, avx2)[0]


def requires(name: str, elem: str, lanes: int, avx512: bool = False, avx2: bool = False) -> tuple[str, ...]:
    """Declarations of the intrinsics that `define`'s text calls, one per line; the caller drops duplicates."""
    return _text(name, elem, lanes, avx512, avx2)[1]
