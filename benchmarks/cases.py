"""The benchmark's programs: sizes that fit the cache, sizes that do not, and one that is all call overhead."""

from importlib import import_module
from typing import Any

import numpy as np

from loopweld.demo.programs import EXAMPLES, Program


def axpy(a, x, y):
    return a * x + y


def moments(x):
    centred = x - x.mean()
    variance = (centred * centred).mean()
    return variance, (centred * centred * centred).mean() / variance**1.5


def heat(u):
    """One explicit step of the heat equation; the border stays."""
    inner = u[1:-1, 1:-1]
    flow = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * inner
    result = u.copy()
    result[1:-1, 1:-1] = inner + np.float32(0.2) * flow
    return result


def cross_entropy(logits, labels):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(shifted).sum(axis=1))
    return (log_total - shifted[np.arange(labels.shape[0]), labels]).mean()


def cases() -> list[Program]:
    """All cases, on the same pseudo-random numbers each time."""
    rng = np.random.default_rng(0)
    return [*_elementwise(rng), *_rows(rng), *_reductions(rng), *_stencils(rng), *_groups(rng)]


def example(name: str) -> Any:
    return import_module(f"loopweld.examples.{name}")


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape, np.float32)


def _elementwise(rng: np.random.Generator) -> list[Program]:
    black_scholes = example("black_scholes")
    x, y = normal(rng, 2, 4_000_000)
    return [
        Program("axpy-16", "a * x + y, 16 float32", axpy, (np.float32(2), x[:16], y[:16])),
        Program("axpy-4M", "a * x + y, 4 000 000 float32", axpy, (np.float32(2), x, y)),
        Program("gelu", "1024 x 768 float32", example("softmax_layernorm").gelu, (normal(rng, 1024, 768),)),
        Program(
            "black-scholes",
            "price and delta of 1 000 000 calls, float64",
            black_scholes.call,
            black_scholes.options(1_000_000, rng),
        ),
    ]


def _rows(rng: np.random.Generator) -> list[Program]:
    block, x = example("softmax_layernorm"), normal(rng, 1024, 768)
    labels = rng.integers(0, 10_000, 512)
    return [
        Program("softmax", "rows of 1024 x 768 float32", block.softmax, (x,)),
        Program("softmax-mlir", "the same from linalg", block.softmax, (x,), EXAMPLES / "linalg_softmax.mlir"),
        Program("layernorm", "rows of 1024 x 768 float32", block.layernorm, (x, *normal(rng, 2, 768))),
        Program("cross-entropy", "512 x 10 000 float32", cross_entropy, (normal(rng, 512, 10_000), labels)),
    ]


def _reductions(rng: np.random.Generator) -> list[Program]:
    body = rng.normal(size=(3, 500))
    return [
        Program("moments", "variance and skewness of 4 000 000 float32", moments, (normal(rng, 4_000_000) ** 2,)),
        Program("nbody", "accelerations of 500 bodies, float64", example("nbody").acceleration, (*body, np.ones(500))),
    ]


def _stencils(rng: np.random.Generator) -> list[Program]:
    image = example("image_pipeline")
    return [
        Program("heat", "a step on 2000 x 2000 float32", heat, (normal(rng, 2000, 2000),)),
        Program("image", "a photograph of 200 x 300 x 3, uint8", image.develop, (image.picture(),)),
    ]


def _groups(rng: np.random.Generator) -> list[Program]:
    regression, kmeans = example("hierarchical_regression"), example("kmeans")
    points, n, groups = kmeans.pixels(), 200_000, 1000
    small = (*rng.normal(size=(2, 11)), 0.5, *rng.normal(size=(2, 2)), -1.0, *regression.firms())
    large = (*rng.normal(size=(2, groups)), 0.5, *rng.normal(size=(2, 2)), -1.0, *rng.normal(size=(3, n)))
    return [
        Program("regression-220", "Grunfeld's 220 rows, 11 groups, float64", regression.log_density, small),
        Program(
            "regression-200k",
            "200 000 rows, 1000 groups, float64",
            regression.log_density,
            (*large, rng.integers(0, groups, n)),
        ),
        Program("kmeans", "60 000 pixels, 16 centres, float32", kmeans.step, (points, points[::3750].copy())),
    ]
