"""Every script of `examples/` runs and says what it should; so do the demo and a benchmark.

`python tests/test_examples.py` writes the README's report anew.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]

SAYS = {
    "black_scholes.py": r"^mean price 22\.\d+  kernels 1  largest difference from NumPy \d\.\de-1\d$",
    "explain.py": r"^stage llvm: \d+ lines$",
    "hierarchical_regression.py": r"^mode: density (276\.65\d\d), mean slope 0\.594, noise 0\.196; NumPy \1$",
    "image_pipeline.py": r"^mean tone 0\.4946  kernels \d  largest difference from NumPy \d\.\de-0\d$",
    "kmeans.py": r"^16 colours, root mean square distance 0\.0536  largest difference from NumPy .*$",
    "linalg_file.py": r"^linalg_softmax\.mlir: kernels 1  largest error \d\.\de-0[789]$",
    "nbody.py": r"^energy -0\.148509 before, -0\.148509 after 100 steps; NumPy -0\.148509$",
    "pymc_radon.py": r"^native programs 1  kernels \d  run by PyTensor \{\}$",
    "pymc_sampling.py": r"^1000 draws, mean effect [3-5]\.\d, standard deviation \d\.\d$",
    "softmax_layernorm.py": r"^layernorm  kernels 1  largest difference from NumPy \d\.\de-0[67]$",
}
"""A line that each script prints, as a regular expression."""


def run(*command: str) -> str:
    """The output of `python command...` with this checkout's package; the exit status must be 0."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_script_has_its_line():
    assert {path.name for path in ROOT.joinpath("examples").glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_example(name: str):
    if name.startswith("pymc"):
        pytest.importorskip("pymc", reason="needs Python 3.12 and loopweld[pytensor]")
    output = run(f"examples/{name}")
    assert re.search(SAYS[name], output, re.MULTILINE), output


@pytest.mark.parametrize("name", SAYS)
def test_scripts_are_short(name: str):
    """So that they are read."""
    lines = ROOT.joinpath("examples", name).read_text(encoding="utf-8").splitlines()
    assert len(lines) < 60
    assert lines[0].startswith('"""')


def test_demo():
    """Right results for all programs, a table that fits 100 columns, and what to read next."""
    output = run("-m", "loopweld", "demo", "--seconds", "0.02")
    assert output.count("result right") == 6
    shown, _, advice = output.partition("Read next:")
    assert max(map(len, shown.splitlines())) <= 100
    assert re.search(r"^softmax +1 +3 +6\.29 MB +6\.29 MB +0 B ", output, re.MULTILINE), output
    assert "examples" in advice and "lw.jit(f).explain" in advice


def test_fused_or_not(tmp_path: Path):
    """Fusing a chain of operations pays."""
    file = tmp_path / "numbers.json"
    output = run("benchmarks/fused_or_not.py", "--quick", "--only", "chain", "--sizes", "131072", "--json", str(file))
    (result,) = json.loads(file.read_text(encoding="utf-8"))
    assert result["kernels"] == 1 and not result["slower"] and result["ratio"] > 1.2, output


def readme_as_printed(folder: Path) -> str:
    """The README with the text block after its example as that example prints it."""
    text = ROOT.joinpath("README.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL)
    assert found is not None
    script = folder / "softmax.py"
    script.write_text(found[1], encoding="utf-8")
    return text[: found.start(2)] + run(str(script)) + text[found.end(2) :]


def test_readme_shows_what_its_example_prints(tmp_path: Path):
    """But for the vector width, which is the machine's."""
    shown = ROOT.joinpath("README.md").read_text(encoding="utf-8")
    shown, printed = (re.sub(r"\d+ lanes", "lanes", text) for text in (shown, readme_as_printed(tmp_path)))
    assert printed == shown, "run `python tests/test_examples.py`, and read what has changed"


def test_errors_are_relative_and_nan_is_the_worst():
    from loopweld.demo.measure import largest_error

    exact = (np.array([0.0, -4.0]), np.array([1.0]))
    assert largest_error((np.array([1.0, -4.0]), np.array([1.0])), exact) == 0.25
    assert largest_error(exact, exact) == 0
    assert np.isnan(largest_error((np.array([9.0, 0.0]), np.array([np.nan])), exact))


def test_gradient_of_the_regression():
    """By central differences, on all 28 parameters."""
    example = import_module("loopweld.examples.hierarchical_regression")
    log_density, data, rng = example.log_density, example.firms(), np.random.default_rng(1)
    point = [rng.normal(size=n) for n in (11, 11, 1, 2, 2, 1)]

    def density(values: list[np.ndarray]) -> float:
        intercept, slope, common, mean, log_spread, log_noise = values
        return log_density(intercept, slope, common[0], mean, log_spread, log_noise[0], *data)[0]

    gradient = log_density(point[0], point[1], point[2][0], point[3], point[4], point[5][0], *data)[1]
    for k, part in enumerate(point):
        for i in range(len(part)):
            ends = [[p + h * (n == k) * (np.arange(len(p)) == i) for n, p in enumerate(point)] for h in (1e-6, -1e-6)]
            slope = (density(ends[0]) - density(ends[1])) / 2e-6
            assert slope == pytest.approx(np.atleast_1d(gradient[k])[i], rel=1e-6, abs=1e-4)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        ROOT.joinpath("README.md").write_text(readme_as_printed(Path(folder)), encoding="utf-8")
