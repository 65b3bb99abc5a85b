"""Loopweld as a mode of PyTensor: `import loopweld.pytensor`, then `mode="LOOPWELD"`.

Needs `pip install "loopweld[pytensor]"` and Python 3.12 or later.
"""

from loopweld.pytensor.mode import register, report
from loopweld.pytensor.report import FunctionReport

LOOPWELD = register()

__all__ = ["LOOPWELD", "FunctionReport", "report"]
