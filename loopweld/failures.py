"""From an exception to the diagnostic that a user can act on."""

from io import StringIO
from types import TracebackType

from xdsl.ir import Block, Operation, Region
from xdsl.printer import Printer
from xdsl.utils.exceptions import DiagnosticException, MultipleSpansParseError, ParseError

from loopweld.diagnostics import Diagnostic, Position, Severity


def diagnose(error: Exception, doing: str, fallback: Position, *, show_operation: bool) -> Diagnostic:
    """What `error` says about the user's program.

    `doing` tells what the tool was at, and is named where the error alone does not explain itself; `fallback` is the
    position of an error that has none. `show_operation` adds the operation as it is now, for passes have changed it.
    """
    if isinstance(error, ParseError):
        return Diagnostic(Severity.ERROR, error.msg, Position.of_span(error.span), _references(error))

    op = failing_operation(error)
    position = (op and Position.of_operation(op)) or fallback
    notes = () if op is None or not show_operation else (_current_operation(op, position),)
    return Diagnostic(Severity.ERROR, _message(error, op, doing), position, notes)


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
    if not isinstance(error, DiagnosticException):
        return f"internal error while {doing}: {type(error).__name__}: {text} (--debug shows the traceback)"
    if op is None:
        return f"{text} (while {doing})"
    return text if op.name in text else f"'{op.name}' op {text}"


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
