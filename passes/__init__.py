"""The passes of loopweld, by their command-line names."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from xdsl.passes import ModulePass

PASSES = {
    "resolve-shapes": ("resolve_shapes", "ResolveShapes"),
    "convert-linalg-to-weld": ("linalg", "ConvertLinalgToWeld"),
    "convert-weld-to-linalg": ("linalg", "ConvertWeldToLinalg"),
    "simplify": ("simplify", "Simplify"),
    "propagate-views": ("views", "PropagateViews"),
    "expand-products": ("products", "ExpandProducts"),
    "hoist-scalars": ("scalars", "HoistScalars"),
    "expand-updates": ("updates", "ExpandUpdates"),
    "elide-rounding": ("rounding", "ElideRounding"),
    "own-results": ("own_results", "OwnResults"),
    "generalize": ("generalize", "Generalize"),
    "refine-domains": ("refine_domains", "RefineDomains"),
    "order-domains": ("order_domains", "OrderDomains"),
    "fuse-producers": ("fusion.producers", "FuseProducers"),
    "absorb-reductions": ("fusion.producers", "AbsorbReductions"),
    "defer-gates": ("fusion.gates", "DeferGates"),
    "fuse-siblings": ("fusion.siblings", "FuseSiblings"),
    "shift-sums": ("fusion.shift", "ShiftSums"),
    "form-online": ("fusion.online", "FormOnline"),
    "note-boundaries": ("boundaries", "NoteBoundaries"),
    "form-kernels": ("fusion.kernels", "FormKernels"),
    "plan-buffers": ("loops.plan", "PlanBuffers"),
    "lower-to-loops": ("loops.lower", "LowerToLoops"),
    "share-reciprocals": ("loops.quotients", "ShareReciprocals"),
    "annotate-alias-scopes": ("loops.alias", "AnnotateAliasScopes"),
}
"""Command-line name -> (module below this package, class)."""


def passes() -> dict[str, Callable[[], type[ModulePass]]]:
    """Every pass by name, imported on first use."""

    def load(module: str, name: str) -> Callable[[], type[ModulePass]]:
        return lambda: getattr(import_module(f".{module}", __package__), name)

    return {name: load(*place) for name, place in PASSES.items()}
