"""Reproducers: a module and the passes that fail on it, in one file that `loopweld-opt --run-reproducer` runs.

The format is MLIR's: the module, then

    {-#
      external_resources: {
        mlir_reproducer: {
          pipeline: "builtin.module(cse)",
          disable_threading: true,
          verify_each: false
        }
      }
    #-}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile

from xdsl.passes import ModulePass


def reproducer(module: str, passes: Iterable[ModulePass], *, verify_each: bool = False) -> str:
    """The text of a reproducer for a module's text."""
    return (
        f"{module}\n\n{{-#\n  external_resources: {{\n    mlir_reproducer: {{\n"
        f"      pipeline: {json.dumps(pipeline_text(passes))},\n"
        f"      disable_threading: true,\n      verify_each: {str(verify_each).lower()}\n    }}\n  }}\n#-}}\n"
    )


def pipeline_text(passes: Iterable[ModulePass]) -> str:
    """The passes as `--pass-pipeline` takes them."""
    return f"builtin.module({','.join(map(str, passes))})"


def new_path() -> Path:
    """A file in the folder for temporary files that nobody has yet."""
    with NamedTemporaryFile(prefix="loopweld-", suffix=".mlir", delete=False) as file:
        return Path(file.name)


def how_to_run(path: Path) -> str:
    return f"to reproduce: loopweld-opt --run-reproducer {path}"
