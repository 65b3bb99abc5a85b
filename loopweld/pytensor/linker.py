"""The linker: PyTensor's way of asking for a program."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytensor.graph.basic import Apply
from pytensor.graph.fg import FunctionGraph
from pytensor.link.basic import JITLinker

import loopweld.pytensor.ops  # noqa: F401  (fills the table of rules)
from loopweld.pytensor.options import default_options
from loopweld.pytensor.program import Program


class LoopweldLinker(JITLinker):
    """Makes one `Program` of a graph. Fusing, writing in place and calling BLAS are its own business, so PyTensor's
    rewrites that do these are left out."""

    required_rewrites = ("minimum_compile",)
    incompatible_rewrites = (
        "cxx_only",
        "BlasOpt",
        "local_careduce_fusion",
        "fusion",
        "inplace",
        "scan_reduce_trace_prealloc",
    )

    def fgraph_convert(
        self,
        fgraph: FunctionGraph,
        order: Sequence[Apply],
        input_storage: Any,
        output_storage: Any,
        storage_map: Any,
        **kwargs: Any,
    ) -> Any:
        return Program(fgraph, order, default_options())

    def jit_compile(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return fn

    def create_thunk_inputs(self, storage_map: dict[Any, list[Any]]) -> list[Any]:
        assert self.fgraph is not None
        return [storage_map[v] for v in self.fgraph.inputs]
