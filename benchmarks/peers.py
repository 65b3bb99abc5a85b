"""How each peer is called. `build(case, inputs, outputs)` gives a call and a way to read its result as NumPy arrays.

A call returns when its work is done. Peers have processes of their own (worker.py); what is not installed is skipped.
"""

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
from cases import Case

Built = tuple[Callable[[], Any], Callable[[Any], Sequence[Any]]]
Array = np.ndarray[Any, Any]


class Unsupported(Exception):
    """The peer has no way to say this."""


class Peer:
    """Works on NumPy's arrays, and returns new ones."""

    title: str
    modules: tuple[str, ...]
    """What it needs; versions are those of the first."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def start(self) -> None:
        """Imports, settings, and a first program."""

    def build(self, case: Case, inputs: list[Array], outputs: list[Array]) -> Built:
        """`outputs` are arrays like the results, which the peer may write to."""
        raise NotImplementedError

    def reset(self) -> None:
        """Lets go of compiled programs."""


def words(module: Any, **more: Any) -> Any:
    """A library's names and some more, as one namespace."""
    return SimpleNamespace(**{name: getattr(module, name) for name in dir(module) if name[0] != "_"} | more)


def several(result: Any) -> Sequence[Any]:
    return result if isinstance(result, tuple | list) else (result,)


def as_arrays(result: Any) -> Sequence[Any]:
    return [np.asarray(array) for array in several(result)]


def numpy_words() -> Any:
    from scipy.special import erf

    return words(np, erf=erf)


class Numpy(Peer):
    title, modules = "NumPy", ("numpy", "scipy")

    def start(self) -> None:
        self.xp = numpy_words()

    def build(self, case: Case, inputs: list[Array], outputs: list[Array]) -> Built:
        return (lambda: case.function(self.xp, *inputs)), as_arrays


class Loopweld(Numpy):
    title, modules = "loopweld", ("loopweld",)

    def start(self) -> None:
        super().start()
        import loopweld

        self.lw = loopweld
        loopweld.jit(lambda x: x + 1)(np.ones(3))

    def jitted(self, case: Case) -> Any:
        return self.lw.jit(lambda *arrays: case.function(self.xp, *arrays), threads=self.threads)

    def build(self, case: Case, inputs: list[Array], outputs: list[Array]) -> Built:
        f = self.jitted(case)
        return (lambda: f(*inputs)), as_arrays


class LoopweldOut(Loopweld):
    title = "into arrays"

    def build(self, case: Case, inputs: list[Array], outputs: list[Array]) -> Built:
        f, out = self.jitted(case), outputs[0] if len(outputs) == 1 else tuple(outputs)
        return (lambda: f(*inputs, out=out)), as_arrays


class Numba(Peer):
    """Loops that are fused by hand, with fastmath, into arrays that exist already."""

    title, modules = "numba", ("numba",)

    def start(self) -> None:
        numba = import_module("numba")
        numba.njit(lambda x: x + 1)(1.0)
        self.compiled: dict[str, Any] = {}
        self.options = {"fastmath": True, "error_model": "numpy", "parallel": self.threads > 1}
        self.njit = numba.njit

    def build(self, case: Case, inputs: list[Array], outputs: list[Array]) -> Built:
        if "numba" not in case.forms:
            raise Unsupported("no loops are written for it")
        f = self.compiled.setdefault(case.name, self.njit(case.forms["numba"], **self.options))
        return (lambda: f(*inputs, *outputs, self.threads)), lambda _: outputs


NUMEXPR = {
    "axpy": "p * a - q * b - c",
    "swiglu": "a / (one + exp(-a)) * b",
    "damped": "log1p(b * b) * exp(-a * a) * cos(c)",
    "damped64": "log1p(b * b) * exp(-a * a) * cos(c)",
    "tiny": "a * 2.0 + 1.0",
}
"""Programs that are one expression, of inputs named a, b, c."""


class Numexpr(Peer):
    title, modules = "numexpr", ("numexpr",)

    def start(self) -> None:
        numexpr = import_module("numexpr")
        numexpr.set_num_threads(self.threads)
        self.evaluate = numexpr.evaluate

    def build(self, case: Case, inputs: list[Array], outputs: list[Array]) -> Built:
        if case.name not in NUMEXPR:
            raise Unsupported("not one expression")
        scalar = np.dtype(case.dtype).type
        names = {"p": scalar(1.7), "q": scalar(0.3), "one": scalar(1)} | dict(zip("abcd", inputs, strict=False))
        text, evaluate = NUMEXPR[case.name], self.evaluate
        return (lambda: evaluate(text, local_dict=names, out=outputs[0])), as_arrays


class Jax(Peer):
    title, modules = "JAX", ("jax",)

    def start(self) -> None:
        os.environ.update(JAX_PLATFORMS="cpu", JAX_ENABLE_X64="1")
        if self.threads == 1:
            os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        self.jax = jax = import_module("jax")
        self.xp = words(jax.numpy, erf=jax.scipy.special.erf)
        jax.jit(lambda x: x + 1)(1.0)

    def jitted(self, case: Case) -> Any:
        f = case.form("jax")
        return self.jax.jit(lambda *arrays: f(self.xp, *arrays))

    def build(self, case: Case, inputs: list[Array], outputs: list[Array]) -> Built:
        f, wait = self.jitted(case), self.jax.block_until_ready
        arrays = [self.jax.device_put(a) for a in inputs]
        return (lambda: wait(f(*arrays))), as_arrays

    def reset(self) -> None:
        self.jax.clear_caches()


class Iree(Jax):
    """StableHLO from JAX, compiled for this CPU."""

    title, modules = "IREE", ("iree.compiler", "iree.runtime", "jax")

    FLAGS = (
        "--iree-llvmcpu-target-cpu=host",
        "--iree-opt-level=O3",
        "--iree-input-demote-f64-to-f32=false",
        "--iree-input-demote-i64-to-i32=false",
    )

    def build(self, case: Case, inputs: list[Array], outputs: list[Array]) -> Built:
        compiler, runtime = import_module("iree.compiler"), import_module("iree.runtime")
        module = self.jax.export.export(self.jitted(case), platforms=["cpu"])(*inputs).mlir_module_serialized
        image = compiler.compile_str(
            module, input_type="stablehlo", target_backends=["llvm-cpu"], extra_args=list(self.FLAGS)
        )
        config = runtime.Config("local-sync" if self.threads == 1 else "local-task")
        loaded = runtime.load_vm_module(runtime.VmModule.copy_buffer(config.vm_instance, image), config)
        arrays = [runtime.asdevicearray(config.device, a) for a in inputs]
        f = loaded.main
        return (lambda: f(*arrays)), lambda result: [array.to_host() for array in several(result)]


class Torch(Peer):
    title, modules = "torch", ("torch",)

    def start(self) -> None:
        torch = import_module("torch")
        torch.set_num_threads(self.threads)
        torch.set_grad_enabled(False)
        self.torch, self.xp = torch, torch_words(torch)

    def function(self, case: Case) -> Callable[..., Any]:
        f, xp = case.form("torch"), self.xp
        return lambda *arrays: f(xp, *arrays)

    def build(self, case: Case, inputs: list[Array], outputs: list[Array]) -> Built:
        f = self.function(case)
        tensors = [self.torch.from_numpy(a) for a in inputs]
        return (lambda: f(*tensors)), lambda result: [tensor.numpy() for tensor in several(result)]


def torch_words(torch: Any) -> Any:
    """torch takes NumPy's `axis` and `keepdims`; where a name means something else, there is another one."""
    return words(torch, max=torch.amax, min=torch.amin)


class TorchCompile(Torch):
    title = "torch.compile"

    def start(self) -> None:
        os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
        super().start()
        config: Any = import_module("torch._inductor.config")
        config.fx_graph_cache = False
        self.torch.compile(lambda x: x + 1)(self.torch.ones(3))

    def function(self, case: Case) -> Callable[..., Any]:
        return self.torch.compile(super().function(case), dynamic=False, fullgraph=True)

    def reset(self) -> None:
        self.torch._dynamo.reset()


class OnnxRuntime(Torch):
    """The graph that torch exports, with every optimisation, its inputs and outputs bound."""

    title, modules = "ONNX Runtime", ("onnxruntime", "onnxscript", "torch")

    def start(self) -> None:
        super().start()
        self.ort = import_module("onnxruntime")

    def build(self, case: Case, inputs: list[Array], outputs: list[Array]) -> Built:
        from io import BytesIO

        function = self.function(case)
        module = type("Program", (self.torch.nn.Module,), {"forward": lambda _, *arrays: function(*arrays)})()
        image = BytesIO()
        tensors = tuple(self.torch.from_numpy(a) for a in inputs)
        self.torch.onnx.export(module, tensors, dynamo=True, verbose=False).save(image)
        options = self.ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = self.threads, 1, 4
        session = self.ort.InferenceSession(image.getvalue(), options, providers=["CPUExecutionProvider"])
        bound = session.io_binding()
        for argument, array in zip(session.get_inputs(), inputs, strict=True):
            bound.bind_ortvalue_input(argument.name, self.ort.OrtValue.ortvalue_from_numpy(array))
        for result in session.get_outputs():
            bound.bind_output(result.name)
        return (lambda: session.run_with_iobinding(bound)), lambda _: bound.copy_outputs_to_cpu()


class PyTensor(Peer):
    """Its rewrites, and numba's loops."""

    title, modules = "PyTensor", ("pytensor", "numba")

    def start(self) -> None:
        self.pytensor = import_module("pytensor")
        self.pt = import_module("pytensor.tensor")
        self.xp = words(self.pt)
        x = self.pt.vector("x")
        self.pytensor.function([x], x + 1, mode="NUMBA")(np.ones(3))

    def build(self, case: Case, inputs: list[Array], outputs: list[Array]) -> Built:
        with self.pytensor.config.change_flags(floatX=case.dtype):
            shapes = [tuple(1 if n == 1 else None for n in a.shape) for a in inputs]
            arguments = [
                self.pt.tensor(f"x{k}", dtype=str(a.dtype), shape=shape)
                for k, (a, shape) in enumerate(zip(inputs, shapes, strict=True))
            ]
            results = list(several(case.form("pytensor", "jax")(self.xp, *arguments)))
            f = self.pytensor.function(arguments, results, mode="NUMBA", trust_input=True)
        return (lambda: f(*inputs)), as_arrays


PEERS: dict[str, type[Peer]] = {
    "loopweld": Loopweld,
    "loopweld-out": LoopweldOut,
    "numpy": Numpy,
    "numba": Numba,
    "jax": Jax,
    "iree": Iree,
    "torch-compile": TorchCompile,
    "torch": Torch,
    "onnxruntime": OnnxRuntime,
    "numexpr": Numexpr,
    "pytensor": PyTensor,
}
"""Our two forms first: with new results, and into arrays that exist (`out=`)."""
OURS = ("loopweld", "loopweld-out")
