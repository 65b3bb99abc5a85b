"""`--show-dialects` and `--list-passes`."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import getdoc

from xdsl.passes import ModulePass


def list_dialects(names: Iterable[str]) -> str:
    return f"Available Dialects: {','.join(sorted(names))}\n"


def list_passes(available: Mapping[str, Callable[[], type[ModulePass]]]) -> str:
    """A line per pass, and one per option."""
    return "".join(f"{line}\n" for name in sorted(available) for line in _describe(name, available[name]()))


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
