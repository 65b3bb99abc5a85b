"""Size symbols that hold for every call which meets what the trace has assumed."""

from __future__ import annotations

from xdsl.ir import Block

from loopweld.compiler.frontend.symbols import Symbols
from loopweld.dialects.expr import Expr


class GuardedSymbols(Symbols):
    """Symbols for any size from 0 on. What holds for the sizes of this call but not for all is assumed: `guards` are
    the expressions that must be at least 0 in another call for the same program to be right."""

    def __init__(self, block: Block):
        super().__init__(block, least=0)
        self._guards: list[Expr] = []

    @property
    def guards(self) -> list[Expr]:
        return [g for g in map(self.canonical, self._guards) if g.value is None]

    def nonnegative(self, expr: Expr) -> bool:
        """Whether the expression is at least 0 in this call; the answer is then assumed where it is not proven."""
        expr = self.canonical(expr)
        if self._is_proven(expr):
            return True
        holds = self.example(expr) >= 0
        assumed = expr if holds else -expr - 1
        if not self._is_proven(assumed):
            self._guards.append(assumed)
        return holds

    def _is_proven(self, expr: Expr) -> bool:
        return super().nonnegative(expr) or any(Symbols.nonnegative(self, expr - g) for g in self.guards)
