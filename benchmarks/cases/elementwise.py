"""Elementwise programs: arithmetic, then vector math in float32 and float64."""

import math
from typing import Any

import numpy as np

from .registry import case, prange, vectors

f32 = np.float32
ROOT = 0.7071067811865476


@case("axpy", "elementwise", vectors(3), {"flop": 4})
def axpy(xp, x, y, z):
    return 1.7 * x - 0.3 * y - z


@axpy.loops
def _(x, y, z, out, parts):
    for i in prange(x.size):
        out[i] = f32(1.7) * x[i] - f32(0.3) * y[i] - z[i]


@case("adam", "elementwise", vectors(4, low=0.01), {"flop": 12, "div": 1, "sqrt": 1})
def adam(xp, weight, gradient, first, second):
    """A step of Adam: the weights and both moments."""
    first = 0.9 * first + 0.1 * gradient
    second = 0.999 * second + 0.001 * (gradient * gradient)
    return weight - 1e-3 * first / (xp.sqrt(second) + 1e-8), first, second


@adam.loops
def _(weight, gradient, first, second, out, m, v, parts):
    for i in prange(weight.size):
        g = gradient[i]
        m[i] = f32(0.9) * first[i] + f32(0.1) * g
        v[i] = f32(0.999) * second[i] + f32(0.001) * (g * g)
        out[i] = weight[i] - f32(1e-3) * m[i] / (math.sqrt(v[i]) + f32(1e-8))


# ---- vector math -----------------------------------------------------------------------
@case("gelu", "vector math", vectors(1), {"tanh": 1, "flop": 8})
def gelu(xp, x):
    return 0.5 * x * (1 + xp.tanh(0.7978845608028654 * (x + 0.044715 * (x * x * x))))


@gelu.loops
def _(x, out, parts):
    for i in prange(x.size):
        v = x[i]
        inner = f32(0.7978845608028654) * (v + f32(0.044715) * (v * v * v))
        out[i] = f32(0.5) * v * (f32(1) + math.tanh(inner))


@case("swiglu", "vector math", vectors(2), {"exp": 1, "div": 1, "flop": 3})
def swiglu(xp, x, y):
    return x / (1 + xp.exp(-x)) * y


@swiglu.loops
def _(x, y, out, parts):
    for i in prange(x.size):
        out[i] = x[i] / (f32(1) + math.exp(-x[i])) * y[i]


def _damped(xp: Any, t: Any, a: Any, w: Any) -> Any:
    """Damped oscillations on a logarithmic scale."""
    return xp.log1p(a * a) * xp.exp(-t * t) * xp.cos(w)


_DAMPED = {"log1p": 1, "exp": 1, "cos": 1, "flop": 4}
damped = case("damped", "vector math", vectors(3), _DAMPED)(_damped)
damped64 = case("damped64", "vector math", vectors(3, "float64"), _DAMPED, dtype="float64")(_damped)


@damped.loops
@damped64.loops
def _(t, a, w, out, parts):
    for i in prange(t.size):
        out[i] = math.log1p(a[i] * a[i]) * math.exp(-t[i] * t[i]) * math.cos(w[i])


@case(
    "black_scholes",
    "vector math",
    vectors(3, "float64", 0.5, 2.0),
    {"sqrt": 1, "log": 1, "div": 2, "erf": 2, "exp": 1, "flop": 16},
    dtype="float64",
)
def black_scholes(xp, spot, strike, years):
    """Prices of European calls and puts."""
    sigma = 0.25 * xp.sqrt(years)
    d1 = (xp.log(spot / strike) + 0.06125 * years) / sigma
    n1 = 0.5 + 0.5 * xp.erf(d1 * ROOT)
    n2 = 0.5 + 0.5 * xp.erf((d1 - sigma) * ROOT)
    discounted = strike * xp.exp(-0.03 * years)
    call = spot * n1 - discounted * n2
    return call, call - spot + discounted


@black_scholes.loops
def _(spot, strike, years, call, put, parts):
    for i in prange(spot.size):
        sigma = 0.25 * math.sqrt(years[i])
        d1 = (math.log(spot[i] / strike[i]) + 0.06125 * years[i]) / sigma
        n1 = 0.5 + 0.5 * math.erf(d1 * ROOT)
        n2 = 0.5 + 0.5 * math.erf((d1 - sigma) * ROOT)
        discounted = strike[i] * math.exp(-0.03 * years[i])
        call[i] = spot[i] * n1 - discounted * n2
        put[i] = call[i] - spot[i] + discounted
