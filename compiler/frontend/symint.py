"""Sizes of traced arrays as Python sees them: integers that may stay symbolic."""

# NumPy's arguments may be anything, so what isinstance tells about them is partial.
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...dialects.expr import Expr
from .registry import call_ufunc

if TYPE_CHECKING:
    from .session import Session


def size_value(session: Session, expr: Expr) -> Any:
    """A Python int where the size is known, else a `SymInt`."""
    expr = session.symbols.canonical(expr)
    return SymInt(session, expr) if expr.value is None else expr.value


def as_size(value: Any) -> Expr | None:
    """The expression of an int-like value, None for other things."""
    if isinstance(value, SymInt):
        return value.expr
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        return None
    return Expr.constant(int(value))


def _arithmetic(name: str, ufunc: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """`self op other` and `other op self`; other numbers make a traced Python number of it."""
    exact: Callable[[Any, Any], Any] | None = getattr(operator, name, None)

    def compute(a: Any, b: Any, session: Session) -> Any:
        left, right = as_size(a), as_size(b)
        if left is None or right is None or exact is None:
            return call_ufunc(ufunc, (a, b), operator=True)
        if name in ("floordiv", "mod") and not session.symbols.positive(right):
            return exact(operator.index(a), operator.index(b))
        return size_value(session, exact(session.symbols.canonical(left), session.symbols.canonical(right)))

    def forward(self: SymInt, other: Any) -> Any:
        if not isinstance(other, int | float | complex | np.generic | SymInt):
            return NotImplemented
        return compute(self, other, self.session)

    def reflected(self: SymInt, other: Any) -> Any:
        if not isinstance(other, int | float | complex | np.generic | SymInt):
            return NotImplemented
        return compute(other, self, self.session)

    return forward, reflected


def _comparison(decide: Callable[[SymInt, Expr], bool | None], number: Callable[[int, int], bool]) -> Any:
    """Decided for every size where possible; else the size's number is pinned."""

    def compare(self: SymInt, other: Any) -> Any:
        right = as_size(other)
        if right is None:
            if isinstance(other, float):
                return number(int(self), other)  # pyright: ignore[reportArgumentType]
            return NotImplemented
        known = decide(self, right)
        return number(int(self), self.session.symbols.pin(right)) if known is None else known

    return compare


def _less(a: SymInt, b: Expr) -> bool | None:
    symbols = a.session.symbols
    return True if symbols.positive(b - a.expr) else False if symbols.nonnegative(a.expr - b) else None


def _greater(a: SymInt, b: Expr) -> bool | None:
    symbols = a.session.symbols
    return True if symbols.positive(a.expr - b) else False if symbols.nonnegative(b - a.expr) else None


def _equal(a: SymInt, b: Expr) -> bool | None:
    symbols = a.session.symbols
    if symbols.canonical(a.expr - b) == Expr.constant(0):
        return True
    return False if symbols.positive(a.expr - b) or symbols.positive(b - a.expr) else None


def _not(decide: Callable[[SymInt, Expr], bool | None]) -> Callable[[SymInt, Expr], bool | None]:
    def negated(a: SymInt, b: Expr) -> bool | None:
        known = decide(a, b)
        return None if known is None else not known

    return negated


class SymInt:
    """The size of a dim that is open. Arithmetic keeps it open; a use as a number pins it to the example's size."""

    __slots__ = ("_expr", "session")

    def __init__(self, session: Session, expr: Expr):
        self.session = session
        self._expr = expr

    @property
    def expr(self) -> Expr:
        return self.session.symbols.canonical(self._expr)

    __add__, __radd__ = _arithmetic("add", np.add)
    __sub__, __rsub__ = _arithmetic("sub", np.subtract)
    __mul__, __rmul__ = _arithmetic("mul", np.multiply)
    __floordiv__, __rfloordiv__ = _arithmetic("floordiv", np.floor_divide)
    __mod__, __rmod__ = _arithmetic("mod", np.remainder)
    __truediv__, __rtruediv__ = _arithmetic("", np.true_divide)

    __eq__ = _comparison(_equal, operator.eq)
    __ne__ = _comparison(_not(_equal), operator.ne)
    __lt__ = _comparison(_less, operator.lt)
    __ge__ = _comparison(_not(_less), operator.ge)
    __gt__ = _comparison(_greater, operator.gt)
    __le__ = _comparison(_not(_greater), operator.le)

    def __pow__(self, exponent: Any) -> Any:
        if isinstance(exponent, int) and 1 <= exponent <= 4:
            result: Any = self
            for _ in range(exponent - 1):
                result = result * self
            return result
        if isinstance(exponent, float):
            return call_ufunc(np.power, (self, exponent), operator=True)
        return int(self) ** exponent

    def __rpow__(self, base: Any) -> Any:
        return base ** int(self)

    def __neg__(self) -> Any:
        return size_value(self.session, -self.expr)

    def __pos__(self) -> SymInt:
        return self

    def __abs__(self) -> Any:
        return self if self.session.symbols.nonnegative(self.expr) else abs(int(self))

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __index__(self) -> int:
        return self.session.symbols.pin(self._expr)

    __int__ = __index__

    def __hash__(self) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        return hash(int(self))

    def __float__(self) -> float:
        return float(int(self))

    def __bool__(self) -> bool:
        return self != 0

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(int(self), dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            return NotImplemented
        return call_ufunc(ufunc, inputs, **kwargs)

    def __repr__(self) -> str:
        return str(self.expr)
