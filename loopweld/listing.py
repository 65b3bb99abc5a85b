"""What there is: `--show-dialects`, `--list-passes`, `--dump-pass-pipeline` and `--emit-irdl`."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from inspect import getdoc

from xdsl.passes import ModulePass

from loopweld.instruments import module_text
from loopweld.pipeline_text import DEFAULTS, WHOLE


def list_dialects(names: Iterable[str]) -> str:
    return f"Available Dialects: {','.join(sorted(names))}\n"


def list_passes(available: Mapping[str, Callable[[], type[ModulePass]]]) -> str:
    """A line per pass, and one per option."""
    lines = [line for name in sorted(available) for line in _describe(name, available[name]())]
    lines += [f"{WHOLE}: All passes of a compilation, in order."]
    lines += [f"    {option} (default {default})" for option, default in DEFAULTS.items()]
    return "".join(f"{line}\n" for line in lines)


def dialect_irdl(name: str) -> str:
    """The dialect `name` in IRDL: its ops with their operands, results and attributes."""
    from loopweld.irdl import module_of

    return f"{module_text(module_of(name))}\n"


def list_pipeline(passes: Sequence[ModulePass]) -> str:
    """The pipeline as `mlir-opt --dump-pass-pipeline` prints it."""
    lines = ",\n".join(f"  {pass_}" for pass_ in passes)
    return f"Pass Manager with {len(passes)} passes:\nbuiltin.module(\n{lines}\n)\n\n"


def _describe(name: str, pass_: type[ModulePass]) -> Iterator[str]:
    summary = _summary(pass_)
    yield f"{name}: {summary}" if summary else name
    for option in dataclasses.fields(pass_):
        default = "required" if option.default is dataclasses.MISSING else f"default {option.default}"
        yield f"    {option.name.replace('_', '-')} ({default})"


def _summary(pass_: type[ModulePass]) -> str:
    """The first paragraph of the docstring; empty where there is only an inherited or a generated one."""
    doc = getdoc(pass_) or ""
    if doc == getdoc(ModulePass) or doc.startswith(f"{pass_.__name__}("):
        return ""
    return " ".join(doc.partition("\n\n")[0].split())
