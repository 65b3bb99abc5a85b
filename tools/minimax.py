"""Generates `compiler/codegen/vecmath/coefficients.py` for the functions in `fits.py`.

    python tools/minimax.py            writes compiler/codegen/vecmath/coefficients.py
    python tools/minimax.py exp.f32    prints the named tables and their weighted error

Each polynomial is the solution of a weighted Remez exchange (Remez 1934; Cheney, Introduction to Approximation
Theory, chapter 3) on a Chebyshev-spaced grid, at 60 decimal digits. The lowest coefficients are rounded to the
target format one after another, and the others fitted again each time, so that their rounding is compensated.
"""

import struct
import sys
from collections.abc import Callable
from functools import cache, partial
from itertools import count
from pathlib import Path

from fits import FITS, PIECES, SHORT_SPLITS, SPLITS, Fit, Pieces, Real, mp, mpf

OUTPUT = Path(__file__).resolve().parent.parent / "compiler" / "codegen" / "vecmath" / "coefficients.py"
GRID_POINTS_PER_COEFFICIENT = 20
LAST = "15.45"
"""`LAST` of `pieces.py`: the bound in pieces."""
REFITTED = 3
"""How many of the lowest coefficients are rounded before the others are fitted again."""


def round_to(value: Real, elem: str) -> float:
    """The nearest number of the format; mpmath rounds once, to even, at the precision of the format."""
    if elem == "f64":
        return float(value)
    with mp.workprec(24):
        nearest = float(+value)
    (single,) = struct.unpack("<f", struct.pack("<f", nearest))
    return single


def _horner(coefficients: list[Real], x: Real) -> Real:
    value = mpf(0)
    for c in reversed(coefficients):
        value = value * x + c
    return value


def _extrema(errors: list[Real], count: int) -> list[int]:
    """Positions of the largest error in each run of one sign, the largest `count` of them, alternating."""
    picks: list[int] = []
    for i, e in enumerate(errors):
        if picks and (e >= 0) == (errors[picks[-1]] >= 0):
            if abs(e) > abs(errors[picks[-1]]):
                picks[-1] = i
        else:
            picks.append(i)
    while len(picks) > count:
        smallest = min(range(len(picks)), key=lambda i: abs(errors[picks[i]]))
        if smallest in (0, len(picks) - 1):
            del picks[smallest]
        elif len(picks) == count + 1:
            picks.pop(0 if abs(errors[picks[0]]) < abs(errors[picks[-1]]) else -1)
        else:
            after = abs(errors[picks[smallest + 1]]) < abs(errors[picks[smallest - 1]])
            del picks[smallest - (not after) : smallest + 1 + after]
    return picks


def remez(xs: list[Real], target: list[Real], weight: list[Real], degree: int) -> tuple[list[Real], Real]:
    """Coefficients (lowest first) minimising max |weight * (target - p)| on the grid, and that maximum."""
    count = degree + 2
    picks = [round(i * (len(xs) - 1) / (count - 1)) for i in range(count)]
    coefficients: list[Real] = []
    worst = mpf(0)
    for _ in range(12):
        system = mp.matrix(count, count)
        right = mp.matrix(count, 1)
        for row, p in enumerate(picks):
            for column in range(degree + 1):
                system[row, column] = xs[p] ** column
            system[row, degree + 1] = (-1) ** row / weight[p]
            right[row] = target[p]
        solution = mp.lu_solve(system, right)
        coefficients = [solution[i] for i in range(degree + 1)]
        errors = [w * (t - _horner(coefficients, x)) for x, t, w in zip(xs, target, weight, strict=True)]
        worst = max(abs(e) for e in errors)
        picks = _extrema(errors, count)
        if len(picks) < count or worst < abs(solution[degree + 1]) * mpf("1.001"):
            break
    return coefficients, worst


def fit(task: Fit, elem: str) -> tuple[tuple[float, ...], float]:
    """The rounded coefficients, lowest first, and the weighted error before the last rounding."""
    degree = task.degrees[elem]
    points = GRID_POINTS_PER_COEFFICIENT * (degree + 2)
    middle, half = (task.low + task.high) / 2, (task.high - task.low) / 2
    xs = [middle - half * mp.cos(mp.pi * (2 * i + 1) / (2 * points)) for i in range(points)]
    target = [task.target(x) for x in xs]
    weight = [abs(task.weight(x)) for x in xs]
    fixed: list[float] = []
    for step in range(min(REFITTED, degree) + 1):
        coefficients, worst = remez(xs, target, weight, degree - step)
        if step == min(REFITTED, degree):
            return (*fixed, *(round_to(c, elem) for c in coefficients)), float(worst)
        fixed.append(round_to(coefficients[0], elem))
        target = [(t - mpf(fixed[-1])) / x for x, t in zip(xs, target, strict=True)]
        weight = [w * abs(x) for x, w in zip(xs, weight, strict=True)]
    raise AssertionError("the loop returns")


def _centre(task: Pieces, start: Real) -> tuple[float, float]:
    """A number of f32 near the start where the function is within 1/128 of a unit of the last place of one, and its
    slope within 1/32; and that value (S. Gal, An accurate elementary mathematical library, 1986)."""
    with mp.workprec(24):
        ulp = mpf(2) ** (mp.frexp(start)[1] - 24)
        first = +start
    for step in count():
        c = first + (step + 1) // 2 * (-1) ** step * ulp
        value, slope = task.function(c), task.slope(c)
        near = (round_to(value, "f32"), round_to(slope, "f32"))
        if abs(near[0] - value) < mp.ldexp(value, -31) and abs(near[1] - slope) < mp.ldexp(slope, -29):
            return float(c), near[0]
    raise AssertionError("the search does not end")


def pieces(task: Pieces) -> tuple[tuple[float, ...], float]:
    """For 16 pieces the centres, the values there, and each coefficient, and the largest weighted error of a fit.

    The first piece is x + x p(x), the others are v + u p(u) at c + u.
    """
    width = mpf(task.bound) / mpf(LAST)
    function, degrees = task.function, {"f32": task.degree}
    first = Fit(lambda x: function(x) / x - 1, lambda x: x / function(x), width / 1000, width / 2, degrees)
    rows, errors = [(0.0, 0.0)], [fit(first, "f32")]
    for k in range(1, 16):
        c, v = _centre(task, k * width)
        low, high = (k - 0.5) * width - c, min((k + 0.5) * width, mpf(task.bound)) - c
        piece = Fit(partial(_rise, function, mpf(c), mpf(v)), abs, low, high, degrees)
        rows.append((c, v))
        errors.append(fit(piece, "f32"))
    columns = [(*row, *coefficients) for row, (coefficients, _) in zip(rows, errors, strict=True)]
    return tuple(x for row in zip(*columns, strict=True) for x in row), max(error for _, error in errors)


def _rise(function: Callable[[Real], Real], c: Real, v: Real, u: Real) -> Real:
    return (function(c + u) - v) / u


def split(value: Real, parts: int, elem: str, first_bits: int | None = None) -> tuple[float, ...]:
    """`value` as a sum of `parts` numbers of the format."""
    out: list[float] = []
    for i in range(parts):
        if i == 0 and first_bits is not None:
            with mp.workprec(first_bits):
                out.append(float(+value))
        else:
            out.append(round_to(value, elem))
        value = value - mpf(out[-1])
    return tuple(out)


def two_over_pi_words() -> tuple[int, ...]:
    """Bits of 2 / pi: 64 zeros, then the 1280 bits after the point, as 64-bit words (Payne and Hanek, 1983)."""
    with mp.workprec(1400):
        scaled = int(mp.floor(2 / mp.pi * mpf(2) ** 1280))
    words = [(scaled >> (1280 - 64 * (i + 1))) & (2**64 - 1) for i in range(20)]
    return (0, *words)


@cache
def table(name: str) -> tuple[tuple[float, ...], float]:
    """The table called "exp.f32", and the error of its fit."""
    base, elem = name.rsplit(".", 1)
    return pieces(PIECES[base]) if base in PIECES else fit(FITS[base], elem)


def table_names() -> list[str]:
    """All names that `table` knows, in the order of the file."""
    return [f"{base}.{elem}" for base, task in FITS.items() for elem in task.degrees] + [
        f"{base}.f32" for base in PIECES
    ]


def constants() -> dict[str, tuple[float, ...]]:
    """The split constants, by "ln2.f32"."""
    out: dict[str, tuple[float, ...]] = {}
    for elem in ("f32", "f64"):
        for name, (value, parts) in SPLITS.items():
            out[f"{name}.{elem}"] = split(value, parts, elem)
        for name, (value, bits) in SHORT_SPLITS.items():
            out[f"{name}.{elem}"] = split(value, 2, elem, bits[elem])
        roots = [mpf(2) ** (mpf(i) / 16) for i in range(16)]
        rounded = tuple(round_to(root, elem) for root in roots)
        out[f"roots.{elem}"] = rounded
        out[f"roots_rest.{elem}"] = tuple(round_to(a / b - 1, elem) for a, b in zip(roots, rounded, strict=True))
    return out


def _entry(name: str, values: tuple[float, ...]) -> str:
    if len(values) == 1:
        return f'    "{name}": {values!r},\n'
    body = "".join(f"        {v!r},\n" for v in values)
    return f'    "{name}": (\n{body}    ),\n'


def render() -> str:
    """The text of the generated file."""
    tables = "".join(_entry(n, table(n)[0]) for n in table_names())
    splits = "".join(_entry(n, v) for n, v in constants().items())
    words = "".join(f"    0x{w:016X},\n" for w in two_over_pi_words())
    return (
        '"""Polynomials, lowest coefficient first, and split constants: generated by tools/minimax.py."""\n'
        f"\nTABLES: dict[str, tuple[float, ...]] = {{\n{tables}}}\n"
        f"\nCONSTANTS: dict[str, tuple[float, ...]] = {{\n{splits}}}\n"
        f"\nTWO_OVER_PI: tuple[int, ...] = (\n{words})\n"
    )


def main(arguments: list[str]) -> None:
    """Prints the tables named, or writes the file."""
    if not arguments:
        OUTPUT.write_text(render())
        return
    for name in arguments:
        coefficients, error = table(name)
        print(name, f"2^{float(mp.log(error, 2)):.1f}", *coefficients, sep="\n  ")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
