"""Our dialects in IRDL, so that upstream tools know their ops: `mlir-opt --irdl-file=weld.irdl.mlir`."""

from xdsl.builder import Builder
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr
from xdsl.dialects.irdl import (
    AnyOp,
    AttributeOp,
    DialectOp,
    OperationOp,
    ParametersOp,
    RegionOp,
    RegionsOp,
    RegionType,
    TypeOp,
)
from xdsl.dialects.irdl.pyrdl_to_irdl import op_def_to_irdl
from xdsl.ir import Attribute, Block, Dialect, ParametrizedAttribute, Region, TypeAttribute
from xdsl.irdl import IRDLOperation
from xdsl.rewriter import InsertPoint

from loopweld.dialects import dialects


def module_of(name: str) -> ModuleOp:
    """Our dialect `name` as an `irdl.dialect`.

    Operands and results may be anything there: IRDL knows no types that depend on each other's shapes. It knows no
    terminators either, so upstream tools read whole tensor programs, in generic form, but no generics.
    """
    dialect = dialects()[name]()
    block = Block([_attribute(attribute) for attribute in dialect.attributes])
    for op in dialect.operations:
        assert issubclass(op, IRDLOperation)
        block.add_op(_operation(op))
    return ModuleOp([DialectOp(name, Region(block))])


def _operation(op: type[IRDLOperation]) -> OperationOp:
    """An op with its operands, results and regions. Its name is the class's: facts are inherited from a definition."""
    made = op_def_to_irdl(op)
    made.sym_name = StringAttr(Dialect.split_name(op.name)[1])
    regions = [name for name, _ in op.get_irdl_definition().regions]
    if regions:
        builder = Builder(InsertPoint.at_end(made.body.block))
        values = [builder.insert(RegionOp.create(result_types=[RegionType()])).output for _ in regions]
        builder.insert(RegionsOp(values, ArrayAttr([StringAttr(name) for name in regions])))
    return made


def _attribute(attribute: type[Attribute]) -> AttributeOp | TypeOp:
    """An attribute or type with its parameters; one that is a text of its own has that text as its only one."""
    if issubclass(attribute, ParametrizedAttribute):
        names = [name for name, _ in attribute.get_irdl_definition().parameters]
    else:
        names = ["text"]
    block = Block()
    builder = Builder(InsertPoint.at_end(block))
    values = [builder.insert(AnyOp()).output for _ in names]
    builder.insert(ParametersOp(values, ArrayAttr([StringAttr(name) for name in names])))
    kind = TypeOp if issubclass(attribute, TypeAttribute) else AttributeOp
    return kind(Dialect.split_name(attribute.name)[1], Region([block]))
