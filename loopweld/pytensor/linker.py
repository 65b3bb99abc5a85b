"""The linker: PyTensor's way of asking for a program."""

# PyTensor is there with `loopweld[pytensor]` only.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytensor.graph.basic import Apply
from pytensor.graph.fg import FunctionGraph
from pytensor.link.basic import JITLinker
from pytensor.link.utils import raise_with_op

import loopweld.pytensor.ops  # noqa: F401  (fills the table of rules)
from loopweld.pytensor.options import default_options
from loopweld.pytensor.program import Program


class LoopweldLinker(JITLinker):
    """Makes one `Program` of a graph. Fusing, writing in place and calling BLAS are its own business, so PyTensor's
    rewrites that do these are left out. Scans keep only the rows that somebody reads (`scan_save_mem_no_prealloc`)."""

    required_rewrites = ("minimum_compile", "scan_save_mem_no_prealloc")
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

    def create_jitable_thunk(
        self, compute_map: Any, order: Any, input_storage: Any, output_storage: Any, storage_map: Any
    ) -> Any:
        """A thunk that calls the program: its only segment, without more in between, where it has no other step."""
        graph = self.fgraph
        assert graph is not None
        program = self.fgraph_convert(graph, order, input_storage, output_storage, storage_map)
        run = program.alone or program
        inputs = self.create_thunk_inputs(storage_map)
        outputs = [storage_map[v] for v in graph.outputs]
        nodes = [v.owner for v in graph.outputs if v.owner is not None][:1]

        def call() -> None:
            try:
                found = run(*[cell[0] for cell in inputs])
            except Exception:
                if not nodes:
                    raise
                raise_with_op(graph, nodes[0], thunk)
                raise
            for cell, value in zip(outputs, found):  # noqa: B905  (their number is the same, and this is every call)
                cell[0] = value

        thunk: Any = call
        thunk.inputs, thunk.outputs, thunk.lazy = inputs, outputs, False
        return [thunk], nodes, program

    def jit_compile(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return fn

    def create_thunk_inputs(self, storage_map: dict[Any, list[Any]]) -> list[Any]:
        assert self.fgraph is not None
        return [storage_map[v] for v in self.fgraph.inputs]
