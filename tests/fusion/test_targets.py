"""The target decides what is fused and what is a library call; the values are the same."""

import dataclasses
from functools import lru_cache

import numpy as np
import pytest
import scipy.special
from fusion.checking import sample

import loopweld as lw
from loopweld.compiler.targets import USUAL_CACHE, _last_cache, as_target
from loopweld.passes.remarks import Reason


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def statistics(x):
    y = np.tanh(x) * 2
    return y, y.sum(axis=0), y.max(axis=1), (y > 0).sum()


def special(x):
    """An op that the compiler has no code for, between ops that fuse."""
    y = scipy.special.yv(1, np.exp(x) * 0.5 + x * x)
    return np.tanh(y * 2) + x, y.sum(axis=0)


def gather(x):
    return x[np.arange(200) % 40] * 2 - x.mean()


PROGRAMS = {"softmax": softmax, "statistics": statistics, "special": special, "gather": gather}
ORDER = ["x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"]


@lru_cache
def runnable():
    """The targets of this machine: the host, and the levels of x86-64 that it has."""
    found = ["cpu"]
    for name in ORDER:
        try:
            lw.compile(TEXT, target=name)
        except (ValueError, RuntimeError):
            break
        found.append(name)
    return found


TEXT = """
func.func @main(%x: tensor<40x67xf32>) -> (tensor<40x67xf32>, tensor<67xf32>) {
  %y = weld.exp %x : tensor<40x67xf32>
  %s = "weld.sum"(%y) <{axes = array<i64: 0>}> : (tensor<40x67xf32>) -> tensor<67xf32>
  func.return %y, %s : tensor<40x67xf32>, tensor<67xf32>
}
"""


# ---- the reference target ----------------------------------------------------------
@pytest.mark.parametrize("name", PROGRAMS)
def test_numpy_never_fuses(name):
    """Each op is a call, and each pair that would have fused says why it did not."""
    x = sample(40, 67)
    report = lw.jit(PROGRAMS[name], target="numpy").explain(x)
    assert report.kernels == () and len(report.library_calls) >= 2
    assert report.decisions and not any(d.fused for d in report.decisions)
    assert {d.reason for d in report.decisions} == {Reason.TARGET_NEVER_FUSES.value}
    assert all("test_targets.py:" in d.location for d in report.decisions)


def test_numpy_has_no_code():
    compiled = lw.jit(softmax, target="numpy").lower(sample(40, 67)).compile()
    assert compiled.assembly() == "" and len(compiled.as_text("tensor")) > 0


# ---- which fusions are done ----------------------------------------------------------
def test_a_rule_of_fusion_replaces_profit():
    """Softmax is five loops where nothing is fused, and one kernel where all is that is legal."""
    x = sample(40, 67)
    counts = [len(lw.jit(softmax, target=lw.Target(fusion=rule)).explain(x).kernels) for rule in ("never", "legal")]
    assert counts == [5, 1]


LEGAL = {
    "a small loop before": lambda x: x - x.mean(),
    "rows before": lambda x: (softmax(x).sum(axis=0) - x.mean(), softmax(x.T)),
    "rows stored": lambda x: (np.tanh(np.exp(x)).sum(), np.tanh(np.exp(x))[:, 3] * np.tanh(np.exp(x))[:, 3:4].sum()),
    "expensive again": lambda x: np.exp(np.exp(x[0])) * x,
    "many readers": lambda x: tuple(x[k :: k + 2].sum(axis=0) for k in range(6)),
    "a deviation": lambda x: ((x - x.mean()) / x.std()).max(axis=0),
}


@pytest.mark.parametrize("name", LEGAL)
def test_what_only_profit_keeps_apart(name):
    """One kernel where all that is legal is fused, more where it has to pay; the same values."""
    f, x = LEGAL[name], sample(40, 67, dtype="f8")
    legal, profit, never = (lw.jit(f, target=lw.Target(fusion=rule)) for rule in ("legal", "profit", "never"))
    assert len(legal.explain(x).kernels) == 1 < len(never.explain(x).kernels)
    assert len(profit.explain(x).kernels) <= len(never.explain(x).kernels)
    for jitted in (legal, profit):
        for found, wanted in zip(np.atleast_2d(*jitted(x)), np.atleast_2d(*never(x)), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_a_coin_falls_as_its_seed_says():
    x = sample(40, 67)
    texts = [lw.jit(statistics, target=lw.Target(fusion="random 3")).lower(x).as_text("kernels") for _ in range(2)]
    assert texts[0] == texts[1]
    others = {lw.jit(statistics, target=lw.Target(fusion=f"random {k}")).lower(x).as_text("kernels") for k in range(9)}
    assert len(others) > 1


def test_an_unknown_rule_is_an_error():
    with pytest.raises(ValueError, match="unknown rule of fusion 'often'; known are"):
        lw.jit(softmax, target=lw.Target(fusion="often"))


# ---- the same values ---------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["f2", "f8"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_all_targets_give_the_same_values(name, dtype):
    f, x = PROGRAMS[name], sample(40, 67, dtype=dtype)
    eps = float(np.finfo(dtype).eps)
    wanted = lw.jit(f, target="numpy")(x)
    for target in runnable():
        found = lw.jit(f, target=target)(x)
        assert type(found) is type(wanted)
        pairs = zip(found, wanted, strict=True) if isinstance(wanted, tuple) else [(found, wanted)]
        for a, b in pairs:
            assert a.dtype == b.dtype and a.shape == b.shape
            np.testing.assert_allclose(a, b, rtol=40 * eps, atol=200 * eps, err_msg=f"{name} {target}")


def test_one_module_for_all_targets():
    x = sample(40, 67)
    for target in ("numpy", *runnable()):
        y, s = lw.compile(TEXT, target=target)(x)
        np.testing.assert_allclose(y, np.exp(x), rtol=1e-6)
        np.testing.assert_allclose(s, np.exp(x).sum(axis=0), rtol=1e-5)


@pytest.mark.parametrize("bits", [128, 256, 512])
def test_vector_sizes(bits):
    """Registers of any size, whatever the machine has."""
    target = lw.Target("cpu", vector_bits=bits)
    x = sample(40, 67)
    report = lw.jit(statistics, target=target).explain(x)
    assert report.kernels[0].vector_width * 32 % bits == 0
    for found, wanted in zip(lw.jit(statistics, target=target)(x), statistics(x), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


# ---- what a target cannot lower ----------------------------------------------------
@pytest.mark.parametrize("target", ["cpu", "x86-64"])
def test_an_op_without_code_leaves_its_neighbours_fused(target):
    """One kernel before the call, one after it, nothing more."""
    x = sample(40, 67, dtype="f8")
    report = lw.jit(special, target=target).explain(x)
    assert report.library_calls == ("scipy.special.yv",)
    before, after = report.kernels
    assert {"exp", "mul_add"} <= set(before.ops) and {"tanh", "sum", "add"} <= set(after.ops)
    assert all(t.times == 1 for k in report.kernels for t in k.reads)
    codes = {d.reason for d in report.decisions if not d.fused}
    assert Reason.LIBRARY_CALL.value in codes


def test_what_no_op_is_called():
    message = r"a target cannot lack 'erf', which no op is called; names are such as 'weld\.erf'"
    with pytest.raises(ValueError, match=message):
        lw.jit(np.exp, target=lw.Target(lacks=frozenset({"erf", "weld.exp"})))(sample(3))


def test_an_op_that_only_some_targets_have():
    """What a target lowers is a fact of the target; elsewhere the op is a call between two kernels."""
    cpu = lw.Target.host()
    poorer = dataclasses.replace(cpu, lacks=frozenset({"weld.erf"}))

    def f(x):
        return np.exp(scipy.special.erf(np.exp(x) + x) * 2) - x

    x = sample(40, 67)
    fused, split = lw.jit(f, target=cpu), lw.jit(f, target=poorer)
    assert len(fused.explain(x).kernels) == 1 and fused.explain(x).library_calls == ()
    assert len(split.explain(x).kernels) == 2 and len(split.explain(x).library_calls) == 1
    np.testing.assert_allclose(split(x), fused(x), rtol=1e-5)


# ---- facts -------------------------------------------------------------------------
def test_the_host_states_its_facts():
    """What profit is computed from: register size and number, caches, bandwidth."""
    target = lw.Target.host()
    assert target.vector_bits in (128, 256, 512)
    facts = {f.name: getattr(target, f.name) for f in dataclasses.fields(target)}
    for word in ("registers", "cache", "bandwidth"):
        numbers = [v for name, v in facts.items() if word in name]
        assert numbers and all(np.all(np.asarray(v) > 0) for v in numbers), f"no fact about {word}: {sorted(facts)}"


def test_unknown_targets_are_errors():
    with pytest.raises(ValueError, match="unknown target 'gpu'; known are"):
        as_target("gpu")


def test_budgets_are_the_targets():
    """Two targets, two decisions."""
    arrays = [sample(900) for _ in range(12)]

    def f(*arrays):
        return sum(a * a for a in arrays)

    wide, narrow = lw.Target("cpu", max_streams=24), lw.Target("cpu", max_streams=6)
    assert len(lw.jit(f, target=wide).explain(*arrays).kernels) == 1
    assert len(lw.jit(f, target=narrow).explain(*arrays).kernels) > 1
    np.testing.assert_allclose(lw.jit(f, target=narrow)(*arrays), f(*arrays), rtol=1e-5)


def test_caches_are_read_from_the_machine(tmp_path):
    """Linux tells the size of each cache and which CPUs share it."""
    for k, (level, size, shared) in enumerate([(1, "32K", "0,8"), (2, "1M", "0"), (3, "16384K", "0-3,8-11")]):
        folder = tmp_path / f"index{k}"
        folder.mkdir()
        for name, text in (("level", level), ("size", size), ("shared_cpu_list", shared)):
            (folder / name).write_text(f"{text}\n")
    assert _last_cache(tmp_path) == (16 << 20, 2 << 20)
    assert _last_cache(tmp_path / "nowhere") == USUAL_CACHE
    assert lw.Target("cpu", last_cache_share=5).resolved().last_cache_share == 5
