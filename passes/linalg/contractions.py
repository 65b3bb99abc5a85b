"""Products of matrices among the structured ops: they become `weld.matmul`, a call of BLAS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Block, SSAValue

from ...dialects.expr import Expr
from ...dialects.weld import Matmul, Transpose
from ...dialects.weld.constant import splat_of
from .accumulators import find_accumulation
from .translation import Translation


@dataclass(frozen=True)
class Roles:
    """The loop dims of a contraction: in all three maps, in a and out, in b and out, in a and b."""

    batch: list[str]
    rows: list[str]
    columns: list[str]
    inner: list[str]


def find_roles(maps: Sequence[tuple[Expr, ...]], body: Block, rank: int) -> Roles | None:
    """The roles where the body is `out + a * b` with one row, one column and one inner dim; None otherwise."""
    if len(maps) != 3 or not _multiplies(body):
        return None
    names = [[str(e) for e in indices] for indices in maps]
    dims = {f"d{k}" for k in range(rank)}
    if any(len(set(n)) != len(n) or not set(n) <= dims for n in names):
        return None
    a, b, out = (set(n) for n in names)
    roles = Roles(
        [n for n in names[2] if n in a and n in b],
        [n for n in names[2] if n in a and n not in b],
        [n for n in names[2] if n in b and n not in a],
        [n for n in names[0] if n in b and n not in out],
    )
    single = len(roles.rows) == len(roles.columns) == len(roles.inner) == 1
    return roles if single and len(roles.batch) + 3 == rank else None


def _multiplies(body: Block) -> bool:
    yielded = body.last_op
    if yielded is None or len(yielded.operands) != 1 or len(list(body.ops)) != 3:
        return False
    found = find_accumulation(body.args[2], yielded.operands[0])
    if found is None or found.monoid.kind != "sum" or len(found.terms) != 1 or found.terms[0].negative:
        return False
    factors = found.terms[0].factors
    product = factors[0].owner if len(factors) == 1 else None
    operands = product.operands if product is not None and not isinstance(product, Block) else factors
    is_product = len(factors) == 2 or getattr(product, "name", "") in ("arith.mulf", "arith.muli")
    return is_product and len(operands) == 2 and set(operands) == set(body.args[:2])


def contract(
    t: Translation, roles: Roles, maps: Sequence[tuple[Expr, ...]], a: SSAValue, b: SSAValue, init: SSAValue
) -> SSAValue:
    """Operands transposed to (batch, rows, inner) and (batch, inner, columns), and the product back to the output's
    order; `init` is added unless it is zero."""
    names = [[str(e) for e in indices] for indices in maps]
    left = _ordered(t, a, names[0], roles.batch + roles.rows + roles.inner)
    right = _ordered(t, b, names[1], roles.batch + roles.inner + roles.columns)
    product = t.b.insert(Matmul.of(left, right)).results[0]
    product = _ordered(t, product, roles.batch + roles.rows + roles.columns, names[2])
    return product if splat_of(init) == 0 else t.b.add(init, product)


def _ordered(t: Translation, value: SSAValue, names: list[str], order: list[str]) -> SSAValue:
    if names == order:
        return value
    return t.b.insert(Transpose.of(value, [names.index(n) for n in order])).results[0]
