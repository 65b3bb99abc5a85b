"""Densities for samplers written in other languages: C functions that need no Python, and nutpie's compiled models."""

# PyTensor is there with `loopweld[pytensor]` only; PyMC and nutpie are the user's.
# pyright: reportMissingImports=false, reportPrivateUsage=false, reportPrivateImportUsage=false

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from loopweld.compiler.codegen import jit
from loopweld.pytensor.report import program_of

_WRONG_SIZE, _FAILED, _WRONG_GRADIENT, _WRONG_DENSITY = -1, 1, 3, 4
"""What the functions give besides 0, as nutpie reads it."""


@dataclass(frozen=True)
class CFunction:
    """A C function by its address; the code lives as long as this object."""

    address: int
    keep: Any


def logp_dlogp_address(model: Any) -> int:
    """The address of a PyMC model's log density and gradient as a C function,

        int64_t f(uint64_t dim, double *x, double *grad, double *logp, void *unused)

    of the unconstrained point, in the order of `model.continuous_value_vars`. It gives 0; -1 for another size than the
    model's; 1 where a check of the model fails; 3 and 4 where the gradient or the density is not finite (both are
    written all the same). Any thread may call it, several at once. Data and sizes of the model are those of now; the
    code stays until the process ends. Raises ValueError for models with discrete variables or with ops that PyTensor
    runs.
    """
    from pymc.blocking import DictToArrayBijection
    from pymc.model.transform.optimization import freeze_dims_and_data

    if model.discrete_value_vars:
        raise ValueError(f"{model.discrete_value_vars[0]} is discrete: the density has no gradient")
    frozen = freeze_dims_and_data(model)
    own = {variable.name: variable for variable in frozen.value_vars}  # freezing may change their order
    order = [own[variable.name] for variable in model.continuous_value_vars]
    function = frozen.logp_dlogp_function(grad_vars=order, ravel_inputs=True, mode="LOOPWELD")
    function.set_extra_values({})
    point = DictToArrayBijection.map(frozen.initial_point()).data
    found = density_function(function._pytensor_function, np.asarray(point, np.float64))
    _KEPT.append(found)
    return found.address


_KEPT: list[CFunction] = []
"""What `logp_dlogp_address` has given out."""


def density_function(function: Any, point: Any) -> CFunction:
    """A PyTensor function of one vector that gives a number and a vector of the same size, see `logp_dlogp_address`."""
    lines = [
        "  %density = load double, ptr %logp",
        "  %positive = call double @llvm.fabs.f64(double %density)",
        "  %fine = fcmp olt double %positive, 0x7FF0000000000000",
        "  br label %loop",
        "loop:",
        "  %k = phi i64 [ 0, %done ], [ %next, %more ]",
        f"  %end = icmp sge i64 %k, {point.size}",
        "  br i1 %end, label %last, label %more",
        "more:",
        "  %at = getelementptr double, ptr %grad, i64 %k",
        "  %slope = load double, ptr %at",
        "  %steep = call double @llvm.fabs.f64(double %slope)",
        "  %finite = fcmp olt double %steep, 0x7FF0000000000000",
        "  %next = add i64 %k, 1",
        f"  br i1 %finite, label %loop, label %status{_WRONG_GRADIENT}",
        "last:",
        f"  br i1 %fine, label %status0, label %status{_WRONG_DENSITY}",
        f"status{_WRONG_GRADIENT}:",
        f"  ret i64 {_WRONG_GRADIENT}",
        f"status{_WRONG_DENSITY}:",
        f"  ret i64 {_WRONG_DENSITY}",
    ]
    head = "i64 %dim, ptr %x, ptr %grad, ptr %logp, ptr %unused"
    return _c_function(function, point, head, f"icmp eq i64 %dim, {point.size}", ["%logp", "%grad"], lines)


def expand_function(function: Any, point: Any, expanded: int) -> CFunction:
    """A PyTensor function of one vector that gives another one as `int64_t f(uint64_t dim, uint64_t expanded,
    double *x, double *out, void *unused)`, with 0, -1 and 1 as `logp_dlogp_address` gives them."""
    head = "i64 %dim, i64 %expanded, ptr %x, ptr %out, ptr %unused"
    both = f"icmp eq i64 %both, {point.size + (expanded << 32)}"
    return _c_function(function, point, head, both, ["%out"], ["  br label %status0"])


def _c_function(function: Any, point: Any, head: str, test: str, results: list[str], then: list[str]) -> CFunction:
    """A C function around the only native program of a PyTensor function; `then` is what follows its call."""
    program = program_of(function)
    if program.alone is None or len(program.alone.part.inputs) != 1:
        ran = ", ".join(str(f.node.op) for f in program.fallbacks) or "shared variables, or several programs"
        raise ValueError(f"a model with a C function must be one native program of one vector; this one has {ran}")
    compiled = program.alone.version([point]).compiled
    joined = ["  %high = shl i64 %expanded, 32", "  %both = or i64 %dim, %high"] if "%expanded" in head else []
    stores = [
        line
        for k, name in enumerate(["%x", *results])
        for line in (f"  %slot{k} = getelementptr ptr, ptr %arrays, i64 {k}", f"  store ptr {name}, ptr %slot{k}")
    ]
    text = [
        "declare double @llvm.fabs.f64(double)",
        f"define i64 @loopweld_entry({head}) {{",
        *joined,
        f"  %arrays = alloca ptr, i64 {1 + len(results)}",
        f"  %same = {test}",
        "  br i1 %same, label %run, label %other",
        "run:",
        *stores,
        f"  %status = call i64 inttoptr (i64 {compiled.address} to ptr)(ptr %arrays, ptr null)",
        "  %passed = icmp eq i64 %status, 0",
        "  br i1 %passed, label %done, label %failed",
        "done:",
        *then,
        "status0:",
        "  ret i64 0",
        "other:",
        f"  ret i64 {_WRONG_SIZE}",
        "failed:",
        f"  ret i64 {_FAILED}",
        "}",
    ]
    loaded = jit.load(jit.compile_object("\n".join(text) + "\n", jit.host()), ["loopweld_entry"])
    return CFunction(loaded.addresses["loopweld_entry"], (loaded, compiled, program))


def nutpie_model(model: Any, **options: Any) -> Any:
    """A PyMC model for `nutpie.sample` (nutpie 0.16), its density and the variables of the trace compiled by Loopweld.

    `options` are those of nutpie's own `compile_pymc_model` that choose initial points and variables:
    `initial_points`, `jitter_rvs`, `default_initialization_strategy`, `var_names`. Data and sizes of the model are
    those of now, also in what `with_data` gives, which compiles it again. Raises ValueError for models with ops that
    PyTensor runs.
    """
    return _nutpie_model(model, {}, options)


def _frozen(model: Any, data: dict[str, Any]) -> Any:
    """The model with its sizes, and its data or these, as constants."""
    from pymc.model.transform.optimization import freeze_dims_and_data

    before = {name: model[name].get_value() for name in data}
    try:
        for name, value in data.items():
            model.set_data(name, value)
        return freeze_dims_and_data(model)
    finally:
        for name, value in before.items():
            model.set_data(name, value)


def _nutpie_model(model: Any, data: dict[str, Any], options: dict[str, Any]) -> Any:
    nutpie: Any = import_module("nutpie.compile_pymc")
    from pymc.initial_point import make_initial_point_fn

    class CompiledModel(nutpie.CompiledPyMCModel):
        def with_data(self, **updates: Any) -> Any:
            return _nutpie_model(model, data | updates, options)

    frozen = _frozen(model, data)
    strategy = options.get("default_initialization_strategy", "support_point")
    jitter = options.get("jitter_rvs")
    if jitter is None and strategy == "support_point":
        jitter = set(frozen.free_RVs)
    initial = make_initial_point_fn(
        model=frozen,
        overrides=options.get("initial_points"),
        default_strategy=strategy,
        jitter_rvs=jitter,
        return_transformed=True,
    )
    size, expanded, density, expand, initial, shapes, moved = nutpie._make_functions(
        frozen,
        mode="LOOPWELD",
        compute_grad=True,
        join_expanded=True,
        pymc_initial_point_fn=nutpie._wrap_with_lock(initial),
        var_names=options.get("var_names"),
    )
    dims, coords = nutpie._prepare_dims_and_coords(frozen, shapes, moved)
    point = np.zeros(size)
    return CompiledModel(
        _n_dim=size,
        dims=dims,
        _coords=coords,
        _shapes={name: tuple(shape) for name, _, shape in zip(*shapes, strict=True)},
        compiled_logp_func=density_function(density, point),
        compiled_expand_func=expand_function(expand, point, expanded),
        initial_point_func=initial,
        shared_data={},
        shared_var_keys={},
        user_data=nutpie.make_user_data({}, {}),
        n_expanded=expanded,
        shape_info=shapes,
        logp_func=density,
        expand_func=expand,
        reparameterized_names=moved,
    )
