"""A part of a graph as native programs: one for all sizes where it can be, made when it is first called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from xdsl.dialects.func import FuncOp

from loopweld.compiler.compiled import Compiled
from loopweld.compiler.driver import compile_module
from loopweld.compiler.frontend.trees import Leaf, Node
from loopweld.compiler.jitted import set_attributes, set_expected
from loopweld.compiler.layouts import layout_of
from loopweld.compiler.native import native_call
from loopweld.compiler.runtime import direct
from loopweld.compiler.runtime.executable import ShapeMismatch, bind_symbols
from loopweld.dialects.expr import Expr
from loopweld.passes.evaluate import find_function
from loopweld.pytensor.lowering import Lowering
from loopweld.pytensor.options import Options
from loopweld.pytensor.partition import Part
from loopweld.pytensor.registry import dtype_of


@dataclass
class Version:
    """A compiled program and the calls that it is for."""

    compiled: Compiled
    guards: list[Expr]
    values: dict[int, Any]

    def fits(self, arrays: Sequence[Any]) -> bool:
        if not all(np.array_equal(arrays[k], value) for k, value in self.values.items()):
            return False
        try:
            sizes = bind_symbols(self.compiled.specs, arrays)
        except ShapeMismatch:
            return False
        return all(g.evaluate(sizes.__getitem__) >= 0 for g in self.guards) and self.compiled.suits(sizes)


class Segment(direct.Direct):
    """Call it with the arrays of the part's inputs; it gives a tuple of those of the outputs. Small programs are called
    without Python in between once they have been called a few times with the same shapes."""

    def __init__(self, part: Part, options: Options):
        self.part = part
        self.options = options
        self.dtypes = [dtype_of(v) for v in part.inputs]
        self.versions: dict[object, list[Version]] = {}
        self.seconds = 0.0
        """Time spent on lowering and compiling."""

    def __call__(self, *arrays: Any) -> tuple[Any, ...]:
        arrays = tuple([np.asarray(a, d) for a, d in zip(arrays, self.dtypes, strict=True)])
        version = self.version(arrays)
        if not version.values and direct.is_supported():
            entry = version.compiled.short_call(arrays, {}, arrays, None)
            if entry is not None:
                self.add_entry(entry, native_call(self.options.cache))
        return version.compiled.call_flat(arrays)

    def version(self, arrays: Sequence[Any]) -> Version:
        """The program for a call; made where there is none yet."""
        versions = self.versions.setdefault(tuple(layout_of(a) for a in arrays), [])
        for version in versions:
            if version.fits(arrays):
                return version
        start = perf_counter()
        versions.insert(0, self._compile(arrays))
        self.seconds += perf_counter() - start
        return versions[0]

    def _compile(self, arrays: Sequence[Any]) -> Version:
        lowered = Lowering(arrays, self.part.inputs, self.part.nodes).run(self.part.outputs)
        function: FuncOp = find_function(lowered.module)
        set_expected(function, arrays, least=0)
        set_attributes(function, arrays, set())
        options = self.options
        compilation = compile_module(
            lowered.module,
            lowered.names,
            options.target,
            numerics=options.numerics,
            constants=lowered.constants,
            cache=options.cache,
            watch=options.watch,
            pool=options.pool,
            threads=options.threads,
        )
        tree = Node(tuple, tuple(Leaf(k) for k in range(len(self.part.outputs))))
        compiled = Compiled(compilation, lambda *args: list(args), tree)
        sizes = bind_symbols(compiled.specs, arrays)
        return Version(compiled.at_sizes(sizes), lowered.guards, lowered.values)

    def latest(self) -> Compiled | None:
        """The program that was made last."""
        made = [versions[0] for versions in self.versions.values() if versions]
        return made[-1].compiled if made else None
