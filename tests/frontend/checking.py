"""`check(f, *args)`: the traced program means what NumPy computes."""

import copy

import numpy as np

from loopweld.compiler.frontend import trace
from loopweld.passes.evaluate import evaluate


def flat(value):
    """The leaves of nested tuples, lists and dicts."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return [leaf for item in value for leaf in flat(item)]
    return [value]


def run(traced, *args):
    """The result of a traced function on arguments of the shapes it was traced for."""
    leaves = [a for a in flat(args) if isinstance(a, np.ndarray | np.generic | int | float | complex)]
    return traced.out_tree.build(evaluate(traced.module, [*leaves, *traced.constants]))


def same(found, wanted, context=""):
    """Equal structure, types, dtypes and shapes, and values up to rounding."""
    assert type(found) is type(wanted), (type(found), type(wanted), context)
    if isinstance(wanted, dict):
        assert list(found) == list(wanted)
    for a, b in zip(flat(found), flat(wanted), strict=True):
        assert type(a) is type(b), (type(a), type(b), context)
        x, y = np.asarray(a), np.asarray(b)
        assert x.dtype == y.dtype, (x.dtype, y.dtype, context)
        if y.dtype.kind not in "fc":
            np.testing.assert_array_equal(x, y, err_msg=context)
            continue
        tolerance = {16: 4e-3, 32: 3e-6}.get(np.finfo(y.dtype).bits, 1e-12)
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance, err_msg=context)


def check(function, *args, others=()):
    """Trace on `args`; compare with NumPy there and, by the same trace, on each tuple of arguments in `others`."""
    traced = trace(function, args)
    traced.module.verify()
    for case in (args, *others):
        with np.errstate(all="ignore"):
            wanted = function(*copy.deepcopy(case))
        same(run(traced, *case), wanted, str(traced.module))
    return traced


def ops(traced):
    """The names of the program's ops, without the dialect."""
    block = traced.module.body.block.first_op.body.block
    return [op.name.removeprefix("weld.") for op in block.ops if op.name != "func.return"]
