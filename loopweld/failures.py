"""From an exception to the diagnostic that a user can act on."""

from io import StringIO
from types import TracebackType

from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue
from xdsl.printer import Printer
from xdsl.utils.exceptions import DiagnosticException, MultipleSpansParseError, ParseError, VerifyException

from loopweld.diagnostics import Diagnostic, Position, Severity


def diagnose(
    error: Exception, doing: str, fallback: Position, *, show_operation: bool, explain: bool = True
) -> Diagnostic:
    """What `error` says about the user's program.

    `doing` tells what the tool was at, and is named where the error alone does not explain itself; `fallback` is the
    position of an error that has none. `show_operation` adds the operation as it is now, for passes have changed it;
    `explain` that and where the operands of an operation that does not verify come from.
    """
    if isinstance(error, OSError) and _is_of_a_file(error):
        return Diagnostic(Severity.ERROR, f"cannot open '{error.filename}': {error.strerror}", fallback)
    if isinstance(error, ParseError):
        return Diagnostic(Severity.ERROR, error.msg, Position.of_span(error.span), _references(error))

    op = failing_operation(error)
    position = (op and Position.of_operation(op)) or fallback
    notes: list[Diagnostic] = []
    if op is not None and explain:
        notes += [_current_operation(op, position)] if show_operation else []
        notes += _operands(op, position) if isinstance(error, VerifyException) else []
    return Diagnostic(Severity.ERROR, _message(error, op, doing), position, tuple(notes))


def is_internal(error: Exception) -> bool:
    """Whether the error is none of the user's program, nor of the files that it names, but ours."""
    return not isinstance(error, DiagnosticException) and not _is_of_a_file(error)


def _is_of_a_file(error: Exception) -> bool:
    return isinstance(error, OSError) and error.filename is not None


def failing_operation(error: Exception) -> Operation | None:
    """The operation that was verified or rewritten when `error` was raised.

    xDSL's exceptions do not carry their operation, but the frames that they passed through still hold it; the last one
    on the way down is the closest.
    """
    found = None
    frames: TracebackType | None = error.__traceback__
    while frames is not None:
        frame = frames.tb_frame
        if frame.f_code in _FRAMES_WITH_A_CULPRIT:
            match frame.f_locals["self"]:
                case Operation() as op:
                    found = op
                case Block() | Region() as holder:
                    found = holder.parent_op() or found
                case _:
                    pass
        frames = frames.tb_next
    return found


_FRAMES_WITH_A_CULPRIT = {
    Operation.emit_error.__code__,
    Operation.verify.__code__,
    Block.verify.__code__,
    Region.verify.__code__,
}


def _message(error: Exception, op: Operation | None, doing: str) -> str:
    text = "\n  ".join(str(error).strip().splitlines())
    if is_internal(error):
        return f"internal error while {doing}: {type(error).__name__}: {text} (--debug shows the traceback)"
    if op is None:
        return f"{text} (while {doing})"
    return text if op.name in text else f"'{op.name}' op {text}"


MOST_OPERANDS = 4
"""Of how many operands a note says where they are defined."""


def _operands(op: Operation, position: Position) -> list[Diagnostic]:
    """Notes that say where the operands are defined, and as what, in so far as that is known and elsewhere."""
    notes: list[Diagnostic] = []
    for number, operand in enumerate(op.operands):
        where = _definition(operand)
        if where is not None and where != position and len(notes) < MOST_OPERANDS:
            text = f"operand #{number} defined here: {operand.type}"
            notes.append(Diagnostic(Severity.NOTE, text, where))
    return notes


def _definition(value: SSAValue) -> Position | None:
    """Where the operation is that has the value as a result, or the function that has it as an argument."""
    if isinstance(value, BlockArgument):
        parent = value.block.parent_op()
        return Position.of_operation(parent) if isinstance(parent, FuncOp) else None
    owner = value.owner
    return Position.of_operation(owner) if isinstance(owner, Operation) else None


def _references(error: ParseError) -> tuple[Diagnostic, ...]:
    if not isinstance(error, MultipleSpansParseError):
        return ()
    heading = (error.ref_text or "see here").rstrip(": ")
    return tuple(Diagnostic(Severity.NOTE, text or heading, Position.of_span(span)) for span, text in error.refs)


def _current_operation(op: Operation, position: Position) -> Diagnostic:
    """A note with the operation in generic form; of one with regions only the first line."""
    stream = StringIO()
    Printer(stream, print_generic_format=True).print_op(op)
    first, _, rest = stream.getvalue().partition("\n")
    return Diagnostic(Severity.NOTE, f"see current operation: {first}{' ...' if rest else ''}", position)
