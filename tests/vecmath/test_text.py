"""The text: its interface, every width and several processors, which all give the same bits."""

import re
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest
from vecmath.jit import CASES, DTYPES, SCALARS, UINTS, WIDTHS, kernel, source

from loopweld.compiler.codegen import vecmath

ON_X86 = llvm.get_default_triple().startswith("x86_64")
PLAIN = ("sin", "cos", "tan", "rsqrt", "cbrt", "hypot", "asin", "acos", "atan", "atan2")
"""What needs no instruction that only AVX-512 has."""


def operands(name: str, elem: str) -> list[Any]:
    """Ordinary and special numbers, enough for two of the widest vectors and a rest."""
    random = np.random.default_rng(0)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-310, -1e-40, 1e30, -3e38]
    x = np.concatenate([random.uniform(-20, 20, 250), random.uniform(-1, 1, 50), special]).astype(DTYPES[elem])
    return [x, random.permutation(x)][: vecmath.ARITY[name]]


def same_bits(a: Any, b: Any, elem: str) -> bool:
    """Equal bits, but for the payload of NaN."""
    number = ~np.isnan(a)
    bits = UINTS[elem]
    return np.array_equal(number, ~np.isnan(b)) and np.array_equal(a.view(bits)[number], b.view(bits)[number])


def test_interface() -> None:
    assert vecmath.symbol("exp", "f32", 16) == "lw.exp.v16f32"
    assert vecmath.available("exp", "f64")
    assert not vecmath.available("exp", "f16")
    assert not vecmath.available("sqrt", "f32")
    assert vecmath.ARITY["pow"] == 2
    assert set(vecmath.COST) == set(vecmath.ARITY)


@pytest.mark.parametrize(("name", "elem"), CASES)
def test_definition(name: str, elem: str) -> None:
    """The signature; only straight-line code but for the slow path of large angles; no fast-math flags."""
    text = vecmath.define(name, elem, 4)
    vector = f"<4 x {SCALARS[elem]}>"
    parameters = ", ".join(f"{vector} %{p}" for p in "xy"[: vecmath.ARITY[name]])
    assert f"define internal {vector} @{vecmath.symbol(name, elem, 4)}({parameters}) alwaysinline nounwind {{" in text
    assert ("br " in text) == (name in ("sin", "cos", "tan"))
    assert not re.search(r"\b(fast|nnan|ninf|nsz|arcp|contract|afn|reassoc)\b", text)
    calls = set(re.findall(r"@(llvm[.\w]+)\(", text))
    declared = [re.findall(r"@(llvm[.\w]+)\(", line) for line in vecmath.requires(name, elem, 4)]
    assert sorted(calls) == sorted(d for (d,) in declared)


@pytest.mark.parametrize("name", vecmath.COST)
def test_cost_is_about_the_number_of_instructions(name: str) -> None:
    """In f32 with AVX-512; bit casts are free, divisions and roots count as 6, instructions on f64 twice."""
    body = vecmath.define(name, "f32", 16, avx512=True).split("alwaysinline")[1]
    lines = [line for line in body.splitlines() if " = " in line and " bitcast " not in line]
    count = sum((2 if "double" in line else 1) * (6 if re.search("fdiv|sqrt", line) else 1) for line in lines)
    assert count / 1.25 <= vecmath.COST[name] <= count * 1.25, count


@pytest.mark.parametrize("lanes", [1, 2, 64])
@pytest.mark.parametrize(("name", "elem"), CASES)
def test_every_width_gives_the_same_bits(name: str, elem: str, lanes: int) -> None:
    x = operands(name, elem)
    assert same_bits(kernel(name, elem)(*x), kernel(name, elem, lanes)(*x), elem)


@pytest.mark.parametrize("lanes", [4, 8, 16, 32, 128])
@pytest.mark.parametrize("name", ["exp", "sin", "pow"])
def test_the_other_widths(name: str, lanes: int) -> None:
    for elem in DTYPES:
        x = operands(name, elem)
        assert same_bits(kernel(name, elem)(*x), kernel(name, elem, lanes)(*x), elem)


@pytest.mark.parametrize("registers", [1, 4])
@pytest.mark.parametrize(("name", "elem"), CASES)
def test_the_instructions_of_avx512_give_the_same_bits(name: str, elem: str, registers: int) -> None:
    lanes = WIDTHS[elem] * registers
    differs = vecmath.define(name, elem, lanes, avx512=True) != vecmath.define(name, elem, lanes)
    assert differs == (name not in PLAIN)
    x = operands(name, elem)
    assert same_bits(kernel(name, elem, lanes)(*x), kernel(name, elem, lanes, most="none")(*x), elem)


@pytest.mark.parametrize("lanes", [8, 32])
@pytest.mark.parametrize("name", ["exp", "erf", "tanh", "expm1"])
def test_the_instructions_of_avx2_give_the_same_bits(name: str, lanes: int) -> None:
    text = vecmath.define(name, "f32", lanes, avx2=True)
    assert "avx2.permps" in text
    assert "gather" not in text
    x = operands(name, "f32")
    assert same_bits(kernel(name, "f32")(*x), kernel(name, "f32", lanes, most="avx2")(*x), "f32")


@pytest.mark.skipif(not ON_X86, reason="names x86 processors")
@pytest.mark.parametrize(("name", "elem"), CASES)
def test_without_fma_and_wide_vectors(name: str, elem: str) -> None:
    """Baseline x86-64, where fma is a call: the same bits."""
    x = [a[-80:] for a in operands(name, elem)]
    assert same_bits(kernel(name, elem)(*x), kernel(name, elem, 4, "x86-64")(*x), elem)


@pytest.mark.parametrize(("name", "elem"), CASES)
def test_the_optimizer_changes_nothing(name: str, elem: str) -> None:
    x = operands(name, elem)
    assert same_bits(kernel(name, elem)(*x), kernel(name, elem, level=3)(*x), elem)


@pytest.mark.parametrize("triple", ["aarch64-unknown-linux-gnu", "riscv64-unknown-linux-gnu", "nvptx64-nvidia-cuda"])
def test_other_targets(triple: str) -> None:
    """Selects instructions elsewhere; NVPTX gets scalars."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(opt=2)
    for name in ("exp", "log1p", "sin", "erf", "pow", "cbrt"):
        for elem in DTYPES:
            module = llvm.parse_assembly(source(name, elem, 1 if "nvptx" in triple else 8))
            module.triple = triple
            module.data_layout = str(machine.target_data)
            options = llvm.create_pipeline_tuning_options(speed_level=0)
            builder = llvm.create_pass_builder(machine, options)
            builder.getModulePassManager().run(module, builder)
            assert "run" in machine.emit_assembly(module)
