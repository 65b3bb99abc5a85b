"""The programs of the demo, all from `examples/`, with the data that they run on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import loopweld as lw


@dataclass(frozen=True)
class Program:
    """A NumPy function and its arguments; `file`, if any, is the same program in MLIR."""

    name: str
    what: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    file: Path | None = None

    def compiled(self) -> Callable[..., Any]:
        return lw.jit(self.function) if self.file is None else lw.compile(self.file)

    def report(self, compiled: Any) -> lw.Report:
        return compiled.explain(*self.arguments) if self.file is None else compiled.report

    def exact(self) -> Any:
        """The result in float64: floats and the picture's bytes widened, indices as they are."""
        return self.function(*(_widened(a) for a in self.arguments))


def programs() -> list[Program]:
    regression, block, image = (_example(n) for n in ("hierarchical_regression", "softmax_layernorm", "image_pipeline"))
    rng = np.random.default_rng(0)
    parameters = (*rng.normal(size=(2, 11)), rng.normal(), *rng.normal(size=(2, 2)), -1.0)
    x, (gain, shift) = rng.standard_normal((1024, 768), np.float32), rng.standard_normal((2, 768), np.float32)
    matrix = "1024 x 768, float32"
    return [
        Program(
            "regression",
            "log density and gradient of a hierarchical regression, 220 rows of 11 firms",
            regression.log_density,
            (*parameters, *regression.firms()),
        ),
        Program("softmax", f"each row of {matrix}", block.softmax, (x,)),
        Program("layernorm", f"each row of {matrix}", block.layernorm, (x, gain, shift)),
        Program("gelu", f"each element of {matrix}", block.gelu, (x,)),
        Program("image", "tone and edges of a photograph, 200 x 300 x 3, uint8", image.develop, (image.picture(),)),
        Program(
            "linalg file",
            f"softmax of {matrix}, from examples/linalg_softmax.mlir",
            block.softmax,
            (x,),
            EXAMPLES / "linalg_softmax.mlir",
        ),
    ]


def _example(name: str) -> Any:
    """A script of `examples/`, which installs as `loopweld.examples`."""
    return import_module(f"loopweld.examples.{name}")


EXAMPLES = Path(_example("image_pipeline").__file__).parent


def _widened(value: Any) -> Any:
    return np.asarray(value, np.float64) if np.asarray(value).dtype in (np.float32, np.uint8) else value
