"""Loopweld as a mode of PyTensor: `import loopweld.pytensor`, then `mode="LOOPWELD"`.

Needs `pip install "loopweld[pytensor]"` and Python 3.12 or later.
"""

from loopweld.pytensor.mode import register, report
from loopweld.pytensor.report import FunctionReport
from loopweld.pytensor.samplers import logp_dlogp_address, nutpie_model

LOOPWELD = register()

__all__ = ["LOOPWELD", "FunctionReport", "logp_dlogp_address", "nutpie_model", "report"]
