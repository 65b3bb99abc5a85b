"""Runs vecmath's text: a loop over an array, compiled as the compiler does it (O0 pipeline, code generation at 2)."""

import ctypes
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from loopweld.compiler.codegen import vecmath

llvm.initialize_native_target()
llvm.initialize_native_asmprinter()

DTYPES: dict[str, Any] = {"f32": np.float32, "f64": np.float64}
UINTS: dict[str, Any] = {"f32": np.uint32, "f64": np.uint64}
SCALARS = {"f32": "float", "f64": "double"}
CASES = [(name, elem) for name in vecmath.ARITY for elem in DTYPES]
LEVELS = ["none", "avx2", "avx512f"]
WIDTHS = {"f32": 16, "f64": 8}

_LOOP = """
define void @run({parameters}, ptr %out, i64 %n) {{
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %done ]
{loads}
  %r = call {vector} @{symbol}({arguments})
  br label %done
done:
  %q = getelementptr {scalar}, ptr %out, i64 %i
  store {vector} %r, ptr %q, align {align}
  %next = add i64 %i, {lanes}
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %exit
exit:
  ret void
}}
"""


def source(name: str, elem: str, lanes: int, avx512: bool = False, avx2: bool = False) -> str:
    """A module with `run(inputs.., out, n)`, n a multiple of `lanes`."""
    scalar = SCALARS[elem]
    vector = scalar if lanes == 1 else f"<{lanes} x {scalar}>"
    align = 4 if elem == "f32" else 8
    operands = range(vecmath.ARITY[name])
    loads = "\n".join(
        f"  %p{i} = getelementptr {scalar}, ptr %in{i}, i64 %i\n  %a{i} = load {vector}, ptr %p{i}, align {align}"
        for i in operands
    )
    loop = _LOOP.format(
        parameters=", ".join(f"ptr %in{i}" for i in operands),
        loads=loads,
        vector=vector,
        symbol=vecmath.symbol(name, elem, lanes),
        arguments=", ".join(f"{vector} %a{i}" for i in operands),
        scalar=scalar,
        align=align,
        lanes=lanes,
    )
    declarations = vecmath.requires(name, elem, lanes, avx512, avx2)
    return "\n".join([*declarations, vecmath.define(name, elem, lanes, avx512, avx2), loop])


class Kernel:
    """The compiled loop; call it with arrays of one length."""

    def __init__(self, name: str, elem: str, lanes: int, cpu: str = "", level: int = 0, most: str = "avx512f") -> None:
        features = "" if cpu else llvm.get_host_cpu_features().flatten()
        usable = [f for f in LEVELS[: LEVELS.index(most) + 1] if f"+{f}" in features.split(",")]
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=cpu or llvm.get_host_cpu_name(), features=features, opt=2, reloc="pic", codemodel="small"
        )
        module = llvm.parse_assembly(source(name, elem, lanes, "avx512f" in usable, "avx2" in usable))
        module.triple = llvm.get_default_triple()
        module.data_layout = str(machine.target_data)
        module.verify()
        options = llvm.create_pipeline_tuning_options(speed_level=level)
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
        self._engine = llvm.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()
        self._arity = vecmath.ARITY[name]
        self._lanes = lanes
        self._dtype = DTYPES[elem]
        signature = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (self._arity + 1), ctypes.c_int64)
        self._run = signature(self._engine.get_function_address("run"))

    def __call__(self, *arrays: Any) -> Any:
        count = len(arrays[0])
        padded = -(-count // self._lanes) * self._lanes
        inputs = [np.ones(padded, self._dtype) for _ in arrays]
        for whole, array in zip(inputs, arrays, strict=True):
            whole[:count] = array
        out = np.empty(padded, self._dtype)
        self._run(*(a.ctypes.data for a in inputs), out.ctypes.data, padded)
        return out[:count]


@cache
def kernel(name: str, elem: str, lanes: int = 0, cpu: str = "", level: int = 0, most: str = "avx512f") -> Kernel:
    """The kernel for the host, of one AVX-512 register where `lanes` is 0; `most` is the newest of avx512f, avx2 and
    none whose instructions it may have."""
    return Kernel(name, elem, lanes or WIDTHS[elem], cpu, level, most)
