"""The reference has every op and pass, and the site's pages are gathered whole; the site itself where mkdocs is."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from loopweld.dialects import dialects
from loopweld.passes import passes

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "build" / "pages"


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """The gathered pages by their paths."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "tools" / "pages.py")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {path.relative_to(PAGES).as_posix(): path.read_text() for path in PAGES.rglob("*.md")}


def test_every_op_is_in_the_reference(pages: dict[str, str]):
    text = pages["docs/reference/ops.md"]
    for load in dialects().values():
        for op in load().operations:
            assert f"`{op.name}`" in text
            assert op.__doc__, f"{op.name} has no docstring"


def test_every_pass_is_in_the_reference(pages: dict[str, str]):
    text = pages["docs/reference/passes.md"]
    for name, load in passes().items():
        assert f"## `{name}`\n" in text
        assert load().__doc__, f"{name} has no docstring"


def test_every_page_is_in_the_navigation(pages: dict[str, str]):
    listed = set(re.findall(r"[\w/-]+\.md", ROOT.joinpath("mkdocs.yml").read_text().partition("\nnav:")[2]))
    assert listed == set(pages)


def test_the_site_builds_without_dead_links(pages: dict[str, str], tmp_path: Path):
    if importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None:
        pytest.skip("mkdocs-material is not installed (pip install 'loopweld[docs]')")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "docs" / "reference" / "ops.html").stat().st_size > 10_000
