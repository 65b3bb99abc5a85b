"""The programs that are measured, by kind. Importing this registers them all in `CASES`, in this order."""

# isort: off
from . import elementwise, reductions, rows, norms, losses, columns, indexed, layout, products, bayesian, small
from .registry import CASES, Case

__all__ = ["CASES", "Case", "columns", "elementwise", "indexed", "losses", "norms", "reductions", "rows"]
__all__ += ["bayesian", "layout", "products", "small"]
