"""The named ops of `linalg`: elementwise ones, and products that sum over dims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr
from xdsl.dialects.linalg import abstract_ops
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.ir import Data, Operation, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.irdl import irdl_attr_definition, irdl_op_definition, opt_prop_def
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from . import bodies, syntax

_KINDS = {
    **{k: k for k in ("exp", "log", "abs", "ceil", "floor", "negf", "reciprocal", "round", "sqrt", "rsqrt", "square")},
    **{k: k for k in ("tanh", "erf", "add", "sub", "mul", "div", "div_unsigned", "powf", "select")},
    "max": "max_signed",
    "min": "min_signed",
}
"""What each named op is as a kind of `linalg.elementwise`."""


def _elementwise(op_name: str, kind: str) -> type[Operation]:
    class Named(abstract_ops.ElementwiseOperation):
        name = f"linalg.{op_name}"

        PRINT_ATTRS_IN_FRONT: ClassVar[bool] = True

        @classmethod
        def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
            return bodies.elementwise(kind, [*inputs, *outputs])

    Named.__name__ = f"{op_name.title()}Op"
    return irdl_op_definition(Named)


ELEMENTWISE = tuple(_elementwise(name, kind) for name, kind in _KINDS.items())


@irdl_attr_definition
class TypeFnAttr(Data[str]):
    """`#linalg.type_fn<cast_unsigned>`: how factors of another type than the sum's are cast."""

    name = "linalg.type_fn"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> str:
        with parser.in_angle_brackets():
            found = parser.parse_identifier()
            if found not in ("cast_signed", "cast_unsigned"):
                parser.raise_error(f"unknown cast '{found}', expected cast_signed or cast_unsigned")
        return found

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.data)


class Contraction(abstract_ops.NamedOperation):
    """`out + a * b`, summed over the dims that the output does not have. The maps may leave dims out (a matrix for each
    of a batch, or one for all) or exchange them."""

    SUBSCRIPTS: ClassVar[str] = ""
    """The default maps as an `einsum` would write them; empty where they must be given."""

    indexing_maps = opt_prop_def(ArrayAttr[AffineMapAttr])
    cast = opt_prop_def(TypeFnAttr)

    @classmethod
    def parse(cls, parser: Parser) -> Any:
        maps = syntax.parse_maps(parser)
        attributes = parser.parse_optional_attr_dict()
        inputs, outputs = syntax.parse_operands(parser, "ins"), syntax.parse_operands(parser, "outs")
        given = attributes.pop("indexing_maps", maps)
        if given is None and not cls.SUBSCRIPTS:
            raise VerifyException("needs indexing_maps")
        cast = attributes.pop("cast", None)
        unsigned = isinstance(cast, TypeFnAttr) and cast.data == "cast_unsigned"
        return cls.build(
            operands=[inputs, outputs],
            result_types=[syntax.parse_result_types(parser)],
            properties={"indexing_maps": given, "cast": cast},
            attributes=attributes,
            regions=[bodies.multiply_add([*inputs, *outputs], unsigned)],
        )

    def print(self, printer: Printer) -> None:
        if self.indexing_maps is not None:
            printer.print_string(" indexing_maps = ")
            printer.print_attribute(self.indexing_maps)
        extra = self.attributes | ({} if self.cast is None else {"cast": self.cast})
        extra.pop("linalg.memoized_indexing_maps", None)
        printer.print_op_attributes(extra)
        syntax.print_operands(printer, "ins", self.inputs)
        syntax.print_operands(printer, "outs", self.outputs)
        syntax.print_result_types(printer, self.res)

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return bodies.multiply_add([*inputs, *outputs])

    def get_default_indexing_maps(self) -> Sequence[AffineMap]:
        return [m.data for m in self.indexing_maps or maps_of(self.SUBSCRIPTS)]

    def get_iterator_types(self) -> ArrayAttr[IteratorTypeAttr]:
        maps = self.get_default_indexing_maps()
        kept = {e.position for e in maps[-1].results if isinstance(e, AffineDimExpr)}
        kinds = (
            IteratorTypeAttr.parallel() if d in kept else IteratorTypeAttr.reduction() for d in range(maps[0].num_dims)
        )
        return ArrayAttr(list(kinds))


def maps_of(subscripts: str) -> ArrayAttr[AffineMapAttr]:
    """`"mk,kn->mn"` as indexing maps; the loops over the output's dims come first."""
    inputs, _, output = subscripts.partition("->")
    parts = [*inputs.split(","), output]
    loops = list(dict.fromkeys(output + inputs.replace(",", "")))
    exprs = [tuple(AffineDimExpr(loops.index(dim)) for dim in part) for part in parts]
    return ArrayAttr([AffineMapAttr(AffineMap(len(loops), 0, results)) for results in exprs])


def _contraction(op_name: str, default: str) -> type[Operation]:
    class Named(Contraction):
        name = f"linalg.{op_name}"
        SUBSCRIPTS: ClassVar[str] = default

    Named.__name__ = f"{op_name.title().replace('_', '')}Op"
    return irdl_op_definition(Named)


CONTRACTIONS = (
    _contraction("contract", ""),
    _contraction("dot", "k,k->"),
    _contraction("matvec", "mk,k->m"),
    _contraction("vecmat", "k,kn->n"),
    _contraction("matmul", "mk,kn->mn"),
    _contraction("batch_matvec", "bmk,bk->bm"),
    _contraction("batch_vecmat", "bk,bkn->bn"),
    _contraction("batch_matmul", "bmk,bkn->bmn"),
    _contraction("batch_reduce_matmul", "bmk,bkn->mn"),
    _contraction("mmt4d", "mkac,nkbc->mnab"),
)
