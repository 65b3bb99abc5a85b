"""`--verify-roundtrip`: a module that is printed and read again is the same module."""

from difflib import unified_diff

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import ParseError, VerifyException

from loopweld.instruments import module_text
from loopweld.source_parser import SourceParser

SHOWN = 12
"""How many lines of a difference are shown."""


def check_round_trip(module: ModuleOp, ctx: Context) -> None:
    """VerifyException where the module, in its own syntax or in the generic one, does not read back as it was."""
    for generic, syntax in ((False, "custom"), (True, "generic")):
        text = module_text(module, generic=generic)
        try:
            again = SourceParser(ctx, text, "<round trip>").parse_module()
        except ParseError as error:
            line, column = error.span.get_location()[1:]
            shown = text.split("\n")[line - 1].strip()
            message = f"the {syntax} syntax does not read back: {error.msg} at {column} in '{shown}'"
            raise VerifyException(message) from error
        if not module.is_structurally_equivalent(again):
            lines = unified_diff(text.split("\n"), module_text(again, generic=generic).split("\n"), lineterm="", n=0)
            changed = [line for line in lines if not line.startswith(("---", "+++", "@@"))][:SHOWN]
            raise VerifyException("\n".join([f"the {syntax} syntax reads back as another module:", *changed]))
