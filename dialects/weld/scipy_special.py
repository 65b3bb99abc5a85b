"""Special functions that run as SciPy's own code, element by element: `scipy.special`'s C functions of doubles.

Programs with them need SciPy. Single precision is computed in double precision, as SciPy does for most of them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from .base import Elementwise, elementwise


def _reference(name: str) -> Callable[..., Any]:
    def reference(*arrays: Any) -> Any:
        function = getattr(importlib.import_module("scipy.special"), name)
        return function(*arrays).astype(np.result_type(*arrays))

    return reference


def _define(name: str, arity: int, meaning: str, cost: int) -> None:
    elementwise(
        type(
            name.title().replace("_", ""),
            (Elementwise,),
            {
                "__doc__": meaning,
                "__module__": __name__,
                "name": f"weld.{name}",
                "arity": arity,
                "numpy": staticmethod(_reference(name)),
                "scipy": name,
                "kinds": "f",
                "llvm": {"f": f"scipy {name}"},
                "cost": cost,
            },
        )
    )


for _name, _arity, _meaning in (
    ("gamma", 1, "The gamma function."),
    ("gammainc", 2, "The regularised lower incomplete gamma function of order a at b."),
    ("gammaincc", 2, "The regularised upper incomplete gamma function of order a at b."),
    ("gammaincinv", 2, "The inverse of `gammainc` in its second argument."),
    ("gammainccinv", 2, "The inverse of `gammaincc` in its second argument."),
    ("betainc", 3, "The regularised incomplete beta function of a and b at c."),
    ("betaincinv", 3, "The inverse of `betainc` in its third argument."),
    ("erfcinv", 1, "The inverse of `erfc`."),
    ("ndtr", 1, "The distribution function of the standard normal distribution."),
    ("log_ndtr", 1, "The logarithm of `ndtr`."),
    ("ndtri", 1, "The inverse of `ndtr`."),
    ("ndtri_exp", 1, "The inverse of `log_ndtr`."),
    ("owens_t", 2, "Owen's T function."),
    ("jv", 2, "The Bessel function of the first kind of order a at b."),
    ("j0", 1, "The Bessel function of the first kind of order 0."),
    ("j1", 1, "The Bessel function of the first kind of order 1."),
    ("i0", 1, "The modified Bessel function of the first kind of order 0."),
    ("i1", 1, "The modified Bessel function of the first kind of order 1."),
    ("i0e", 1, "`exp(-abs(a)) * i0(a)`."),
    ("i1e", 1, "`exp(-abs(a)) * i1(a)`."),
    ("iv", 2, "The modified Bessel function of the first kind of order a at b."),
    ("ive", 2, "`exp(-abs(b)) * iv(a, b)`."),
    ("kv", 2, "The modified Bessel function of the second kind of order a at b."),
    ("kve", 2, "`exp(b) * kv(a, b)`."),
    ("hyp2f1", 4, "Gauss's hypergeometric function 2F1(a, b; c; d)."),
):
    _define(_name, _arity, _meaning, 800)
