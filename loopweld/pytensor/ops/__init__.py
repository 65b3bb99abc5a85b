"""Lowerings of PyTensor's ops into weld ops; importing this fills the table of rules."""

from loopweld.pytensor.ops import (  # noqa: F401
    checks,
    creating,
    elementwise,
    factoring,
    indexing,
    joining,
    looping,
    products,
    reductions,
    scanning,
    shaping,
    solving,
)
