"""`weld.generic`: one loop nest over a domain, by value; and the ops that live only in its body."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import islice
from math import prod
from typing import Any, Self

import numpy as np
from xdsl.dialects.builtin import ArrayAttr
from xdsl.ir import Attribute, Block, Operation, OpResult, Region, SSAValue
from xdsl.irdl import (
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, Pure
from xdsl.utils.exceptions import VerifyException

from ..expr import Expr, parse_expr
from ..ir import OneBlock, Op, ops_of
from ..ranges import is_value
from .attributes import Access, Dims, Out, Result, Where, parse_guards, parse_quoted
from .base import WeldOp
from .facts import define_op
from .reductions import REDUCTIONS
from .types import BOOL, I64, Shape, Tensor, scalar_of, shape_of, tensor_type


@define_op
class Load(WeldOp):
    """`weld.load %x "d0, d1 - 8 if d1 - 8 >= 0" : tensor<4x9xf32>`: one element of a tensor.

    Operands after the tensor are the index values `i0, i1, ...` named in the access and, last, an optional i1:
    where it is false, or an access guard does not hold, nothing is read and the value is 0.
    """

    name = "weld.load"
    tensor = operand_def()
    extra = var_operand_def()
    access = prop_def(Access)
    res = result_def()

    @classmethod
    def of(
        cls, tensor: SSAValue, where: Where, indices: Sequence[SSAValue] = (), guard: SSAValue | None = None
    ) -> Self:
        return cls.create(
            operands=[tensor, *indices, *([guard] if guard is not None else [])],
            result_types=[scalar_of(tensor)],
            properties={"access": Access(where)},
        )

    @property
    def where(self) -> Where:
        return self.access.data

    @property
    def guard(self) -> SSAValue | None:
        if len(self._operands) == 1:
            return None
        last = self._operands[-1]
        return last if last.type == BOOL else None

    @property
    def indices(self) -> tuple[SSAValue, ...]:
        rest = self._operands[1:]
        return rest[:-1] if self.guard is not None else rest

    def verify_(self) -> None:
        rank = len(shape_of(self.tensor))
        if len(self.where.indices) != rank:
            raise VerifyException(f"weld.load needs {rank} indices for {self.tensor.type}, found '{self.where}'")
        if any(i.type != I64 for i in self.indices):
            raise VerifyException("weld.load expects i64 index values")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        names = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        where = parse_quoted(parser, Where.parse)
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        tensor = parser.resolve_operand(names[0], kind)
        index_count = len({n for e in where.indices for n in e.names if is_value(n)})
        types = [I64] * min(index_count, len(names) - 1) + [BOOL] * (len(names) - 1 - index_count)
        extra = parser.resolve_operands(names[1:], types, parser.pos)
        return cls.create(
            operands=[tensor, *extra], result_types=[scalar_of(kind)], properties={"access": Access(where)}
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_string(" ")
        printer.print_string_literal(str(self.where))
        printer.print_string(" : ")
        printer.print_attribute(self.tensor.type)


@define_op
class Index(WeldOp):
    """`weld.index "d0 + 1" : i64`: an integer expression over dims and sizes as a scalar."""

    name = "weld.index"
    expr = prop_def(Dims)
    res = result_def(I64)

    @classmethod
    def of(cls, expr: Expr) -> Self:
        return cls.create(properties={"expr": Dims((expr,))}, result_types=[I64])

    @property
    def value(self) -> Expr:
        return self.expr.data[0]

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return cls.of(parse_quoted(parser, parse_expr))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_string_literal(str(self.expr))


@define_op
class Inside(WeldOp):
    """`weld.inside "d1 - 8 >= 0 and n - d1 >= 0"`: whether all the inequalities hold, an i1."""

    name = "weld.inside"
    guards = prop_def(Dims)
    res = result_def(BOOL)

    @classmethod
    def of(cls, guards: tuple[Expr, ...]) -> Self:
        return cls.create(properties={"guards": Dims(guards)}, result_types=[BOOL])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return cls.of(parse_quoted(parser, parse_guards))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_string_literal(" and ".join(f"{g} >= 0" for g in self.guards.data))


@define_op
class Yield(Op):
    """Ends the body of a generic with the values of its results, or a kernel with the tensors it gives out."""

    name = "weld.yield"
    values = var_operand_def()
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "($values^ `:` type($values))? attr-dict"


@define_op
class Generic(WeldOp, OneBlock):
    """A loop nest by value. The body computes scalars at each point of the domain and refers to the tensors it
    loads directly; each result says what becomes of its yielded value (see `Result`).

        %m, %y = weld.generic over "n, 8" gives "max d0", "write d0, d1" {
          %0 = weld.load %x "d0, d1" : tensor<?x8xf32, #weld.dims<"n, 8">>
          %1 = weld.exp %0 : f32
          weld.yield %1, %1 : f32, f32
        } : tensor<?xf32, #weld.dims<"n">>, tensor<?x8xf32, #weld.dims<"n, 8">>

    Operands are the tensors that scatter results start from, in their order (`from %base`). A domain may be cut,
    `over "n, 8 if 30 - 8 * d0 - d1 >= 0"`: then only the points where each guard holds belong to it. A guard bounds
    the last dim that it names, from above.
    """

    name = "weld.generic"
    inits = var_operand_def()
    domain = prop_def(Dims)
    cut = opt_prop_def(Dims)
    gives = prop_def(ArrayAttr[Out])
    body = region_def("single_block")
    outs = var_result_def()

    @classmethod
    def of(
        cls,
        domain: Shape,
        gives: Sequence[Result],
        types: Sequence[Attribute],
        body: Block,
        inits: Sequence[SSAValue] = (),
        guards: Shape = (),
    ) -> Self:
        properties: dict[str, Attribute] = {"domain": Dims(domain), "gives": ArrayAttr([Out(g) for g in gives])}
        if guards:
            properties["cut"] = Dims(guards)
        return cls.create(operands=inits, result_types=types, properties=properties, regions=[Region(body)])

    @property
    def sizes(self) -> Shape:
        return self.domain.data

    @property
    def guards(self) -> Shape:
        """What must not be negative at the points of the domain."""
        return self.cut.data if self.cut is not None else ()

    @property
    def bounds(self) -> dict[str, Expr]:
        """For each dim that a guard bounds its end, in terms of the dims before it."""
        found: dict[str, Expr] = {}
        for guard in self.guards:
            last = max((d for d in self.dims if d in guard.names), key=self.dims.index)
            found[last] = guard + Expr.symbol(last) + 1
        return found

    def points(self, size: Callable[[Expr], int]) -> int:
        """How many points the domain has; `size` gives the value of a symbolic integer."""
        sizes = {d: size(e) for d, e in zip(self.dims, self.sizes, strict=True)}
        if not self.guards:
            return prod(sizes.values())
        cut, bounds = [d for d in self.dims if any(d in g.names for g in self.guards)], self.bounds
        free = [d for d in cut if d not in bounds]
        grid = dict(zip(free, np.ix_(*(np.arange(sizes[d]) for d in free)), strict=True))
        counts: Any = np.ones([sizes[d] for d in free], np.int64)

        def lookup(name: str) -> Any:
            return grid[name] if name in grid else size(Expr.symbol(name))

        for dim, end in bounds.items():
            counts = counts * np.clip(end.evaluate(lookup), 0, sizes[dim])
        return int(counts.sum()) * prod(sizes[d] for d in self.dims if d not in cut)

    @property
    def dims(self) -> tuple[str, ...]:
        """The names of the domain's dims: d0, d1, ..."""
        return dim_names(len(self.domain.data))

    @property
    def named_sizes(self) -> dict[str, Expr]:
        """The size of each dim."""
        return dict(zip(self.dims, self.sizes, strict=True))

    @property
    def innermost(self) -> frozenset[str]:
        """The last dim of more than one index, if there is any."""
        return frozenset([dim for dim, size in self.named_sizes.items() if size.value != 1][-1:])

    @property
    def results_given(self) -> tuple[Result, ...]:
        return tuple(out.data for out in self.gives.data)

    @property
    def terminator(self) -> Operation:
        last = self.block.last_op
        assert last is not None
        return last

    def yielded(self) -> list[tuple[SSAValue, ...]]:
        """For each result the values that the body yields for it."""
        values = iter(self.terminator.operands)
        return [tuple(islice(values, out.data.values)) for out in self.gives.data]

    @property
    def scatters(self) -> list[SSAValue]:
        """The results that are scattered into, one for each of `inits`."""
        return [out for out, result in zip(self.outs, self.results_given, strict=True) if result.is_scatter]

    @property
    def is_gate(self) -> bool:
        """Whether it overwrites all of each of its tensors, or leaves all of them as they are."""
        if not self.inits:
            return False
        plain = all(r.kind == "scatter_set" and r.indices == dim_exprs(len(self.sizes)) for r in self.results_given)
        whole = all(shape_of(out) == self.sizes for out in self.outs)
        conditions = {values[1] for values in self.yielded()} if plain else set[SSAValue]()
        if not whole or len(conditions) != 1 or all(size.value == 1 for size in self.sizes):
            return False
        return conditions.isdisjoint(self.moving(self.dims))

    def moving(self, dims: Iterable[str]) -> set[SSAValue]:
        """The values of the body that change along any of the dims."""
        along, found = frozenset(dims), set[SSAValue]()
        for op in ops_of(self.block):
            if any(along & e.names for e in exprs_of(op)) or any(v in found for v in op.operands):
                found.update(op.results)
        return found

    def given(self, out: SSAValue) -> Result:
        """What becomes of the value yielded for the result `out`."""
        return self.gives.data[_position(out)].data

    def yielded_for(self, out: SSAValue) -> tuple[SSAValue, ...]:
        """The values that the body yields for the result `out`."""
        values, gives, position = self.terminator.operands, self.gives.data, _position(out)
        if len(values) == len(gives):
            return (values[position],)
        start = sum(before.data.values for before in gives[:position])
        return tuple(values[start : start + gives[position].data.values])

    def loads(self) -> list[Load]:
        return [op for op in ops_of(self.block) if isinstance(op, Load)]

    def reduced_dims(self, result: Result) -> tuple[str, ...]:
        """The dims whose values one element of the result combines."""
        used = {n for e in result.indices for n in e.names}
        return tuple(d for d in self.dims if d not in used)

    def verify_(self) -> None:
        results = self.results_given
        if len(results) != len(self.outs):
            raise VerifyException(f"weld.generic has {len(self.outs)} results but gives {len(results)}")
        if len(self.inits) != sum(r.is_scatter for r in results):
            raise VerifyException("weld.generic expects one init tensor for each scatter result")
        if not isinstance(self.terminator, Yield):
            raise VerifyException("weld.generic body must end with weld.yield")
        if len(self.terminator.operands) != sum(r.values for r in results):
            raise VerifyException(
                f"weld.generic yields {len(self.terminator.operands)} values, its results need"
                f" {sum(r.values for r in results)}"
            )
        for result, out in zip(results, self.outs, strict=True):
            self._verify_result(result, out.type)
        self._verify_guards()

    def _verify_guards(self) -> None:
        bounded: set[str] = set()
        for guard in self.guards:
            last = max((d for d in self.dims if d in guard.names), key=self.dims.index, default=None)
            step = guard.coefficient(last) if last is not None else None
            if last is None or step is None or step.value != -1 or last in bounded:
                raise VerifyException(f"weld.generic guard '{guard} >= 0' does not bound a dim of its own from above")
            bounded.add(last)
        if any(len(guard.names & bounded) > 1 for guard in self.guards):
            raise VerifyException("weld.generic guards that bound several dims must not depend on each other")
        if self.guards and not all(r.is_reduction for r in self.results_given):
            raise VerifyException("weld.generic over a cut domain only reduces")
        for result in self.results_given:
            if any(e.names & bounded for e in result.indices):
                raise VerifyException(f"weld.generic result '{result}' moves along a dim that a guard bounds")

    def _verify_result(self, result: Result, kind: Attribute) -> None:
        shape = shape_of(kind)
        if len(result.indices) != len(shape):
            raise VerifyException(f"weld.generic result '{result}' needs {len(shape)} indices for {kind}")
        if result.is_reduction and result.kind not in REDUCTIONS:
            raise VerifyException(f"weld.generic has no result kind '{result.kind}'")
        sizes = self.named_sizes
        if result.is_scatter:
            return
        names = [str(e) for e in result.indices]
        plain = [sizes[n] if n in sizes else Expr.constant(1) for n in names]
        allowed = all(n in sizes or n == "0" for n in names) and len({n for n in names if n != "0"}) == len(
            [n for n in names if n != "0"]
        )
        if not allowed or tuple(plain) != shape:
            raise VerifyException(f"weld.generic result '{result}' over '{self.domain}' does not fill {kind}")
        if result.is_write and self.reduced_dims(result):
            raise VerifyException(f"weld.generic result '{result}' does not use every dim of '{self.domain}'")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        parser.parse_keyword("over")
        domain = parse_quoted(parser, Where.parse)
        parser.parse_keyword("gives")
        gives = parser.parse_comma_separated_list(
            parser.Delimiter.NONE, lambda: Out(parse_quoted(parser, Result.parse))
        )
        names = []
        if parser.parse_optional_keyword("from"):
            names = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        region = parser.parse_region()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        starts = [t for t, g in zip(types, gives, strict=True) if g.data.is_scatter]
        inits = parser.resolve_operands(names, starts, parser.pos)
        op = cls.create(
            operands=inits,
            result_types=types,
            properties={"domain": Dims(domain.indices), "gives": ArrayAttr(gives)},
            regions=[region],
        )
        if domain.guards:
            op.properties["cut"] = Dims(domain.guards)
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" over ")
        printer.print_string_literal(str(Where(self.sizes, self.guards)))
        printer.print_string(" gives ")
        printer.print_list(self.gives.data, lambda g: printer.print_string_literal(str(g.data)))
        if self.inits:
            printer.print_string(" from ")
            printer.print_list(self.inits, printer.print_ssa_value)
        printer.print_string(" ")
        printer.print_region(self.regions[0])
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list([o.type for o in self.outs], printer.print_attribute)


def _position(out: SSAValue) -> int:
    assert isinstance(out, OpResult)
    return out.index


def exprs_of(op: Operation) -> Shape:
    """The index expressions that an op in the body of a generic has."""
    if isinstance(op, Load):
        return (*op.where.indices, *op.where.guards)
    if isinstance(op, Index):
        return (op.value,)
    return op.guards.data if isinstance(op, Inside) else ()


def has_values(index: Expr) -> bool:
    """Whether an index is known only at run time: it names `i0, i1, ...`."""
    return any(map(is_value, index.names))


@lru_cache(maxsize=64)
def dim_names(rank: int) -> tuple[str, ...]:
    return tuple(f"d{k}" for k in range(rank))


@lru_cache(maxsize=64)
def dim_exprs(rank: int) -> tuple[Expr, ...]:
    return tuple(Expr.symbol(n) for n in dim_names(rank))


def result_type(kind: str, element: Attribute, sizes: Shape) -> Tensor:
    return tensor_type(I64 if kind in ("argmax", "argmin") else element, sizes)
