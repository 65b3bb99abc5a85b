"""Index arithmetic: every rewritten expression is the same number at every point of every small domain."""

from itertools import product

import pytest

from loopweld.dialects.expr import Expr, exact_quotient, parse_expr
from loopweld.dialects.ranges import divide_within, divides_an_index, within
from loopweld.dialects.weld.views import reshape_indices

D0, D1 = Expr.symbol("d0"), Expr.symbol("d1")


def constants(*numbers: int) -> tuple[Expr, ...]:
    return tuple(map(Expr.constant, numbers))


def test_quotients_of_linear_indices() -> None:
    """`a * d0 + b * d1 + c` over all divisors, extents and signs: equal where decided, and decided where d1 is a
    digit."""
    for n, m, divisor in product((1, 2, 3), (1, 3, 4), (1, 2, 3, 4, 6)):
        extents = {"d0": Expr.constant(n), "d1": Expr.constant(m)}
        for a, b, c in product((-4, 0, 3, 4, 12), (-1, 0, 1, 2), (-5, 0, 3, 11)):
            top = D0 * a + D1 * b + c
            found = within(top // divisor, extents), within(top % divisor, extents)
            for x, y in product(range(n), range(m)):
                value, point = a * x + b * y + c, {"d0": x, "d1": y}
                assert found[0].evaluate(point.__getitem__) == value // divisor
                assert found[1].evaluate(point.__getitem__) == value % divisor
            if a % divisor == 0 and (b, c) == (1, 0) and m <= divisor:
                assert not divides_an_index(found)


SHAPES = [(12,), (1, 12), (2, 6), (6, 2), (3, 4), (4, 3), (2, 3, 2), (3, 2, 2), (2, 1, 6), (12, 1)]


@pytest.mark.parametrize("source", SHAPES)
@pytest.mark.parametrize("target", SHAPES)
def test_reshapes(source: tuple[int, ...], target: tuple[int, ...]) -> None:
    """The row-major number of an element stays; there and back again is where it was."""
    dims = tuple(Expr.symbol(f"d{k}") for k in range(len(target)))
    extents = {str(d): Expr.constant(n) for d, n in zip(dims, target, strict=True)}
    there = reshape_indices(constants(*source), constants(*target), dims)
    there = tuple(within(e, extents) for e in there)
    back = tuple(within(e, extents) for e in reshape_indices(constants(*target), constants(*source), there))
    for number, point in enumerate(product(*map(range, target))):
        values = dict(zip(extents, point, strict=True))
        at = 0
        for e, n in zip(there, source, strict=True):
            assert 0 <= e.evaluate(values.__getitem__) < n
            at = at * n + e.evaluate(values.__getitem__)
        assert at == number
        assert tuple(e.evaluate(values.__getitem__) for e in back) == point


@pytest.mark.parametrize(
    ("text", "decided"),
    [
        ("(s1 * d0 + d1) floordiv s1", "d0"),
        ("(s1 * d0 + d1) mod s1", "d1"),
        ("(s0 * s1 - 1 - s1 * d0 - d1) floordiv s1", "s0 - 1 - d0"),
        ("(s0 * s1 - 1 - s1 * d0 - d1) mod s1", "s1 - 1 - d1"),
        ("4 * ((d0 - 3) floordiv 4) + (d0 - 3) mod 4", "d0 - 3"),
        ("s1 * (d0 floordiv s1) + d0 mod s1", "d0"),
        ("(d1 + 1) floordiv s1", "((d1 + 1) floordiv (s1))"),
        ("(2 * d1) mod s1", "((2 * d1) mod (s1))"),
        ("(s1 * d0 + i0) floordiv s1", "((s1 * d0 + i0) floordiv (s1))"),
    ],
)
def test_open_sizes(text: str, decided: str) -> None:
    extents = {"d0": Expr.symbol("s0"), "d1": Expr.symbol("s1")}
    assert within(parse_expr(text), extents) == parse_expr(decided)


def test_a_product_of_dims_is_not_decided() -> None:
    assert divide_within(D0 * D1, Expr.constant(2), dict.fromkeys(("d0", "d1"), Expr.constant(4))) is None


@pytest.mark.parametrize(
    ("top", "bottom", "quotient"),
    [
        ("6 * n", "3", "2 * n"),
        ("n * m + 2 * m", "n + 2", "m"),
        ("n * n - 1", "n + 1", "n - 1"),
        ("0", "n", "0"),
        ("6 * n", "4", None),
        ("n + 1", "n", None),
        ("n", "0", None),
        ("n * m + 1", "n + 2", None),
    ],
)
def test_exact_quotients(top: str, bottom: str, quotient: str | None) -> None:
    found = exact_quotient(parse_expr(top), parse_expr(bottom))
    assert found == (None if quotient is None else parse_expr(quotient))
