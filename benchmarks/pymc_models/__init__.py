"""Models for `benchmarks/pymc.py`: small and typical, with data made on the spot. Each function fills a `pm.Model`."""

from collections.abc import Callable
from inspect import isfunction

from pymc_models import covariances, hierarchies, mixtures, regressions, series

MODELS: dict[str, Callable[[], None]] = {
    name: value
    for module in (hierarchies, regressions, mixtures, series, covariances)
    for name, value in vars(module).items()
    if isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
}
