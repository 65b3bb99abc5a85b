"""What gets installed: one top-level package that holds every file of our four folders, also by way of an sdist."""

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]
FOLDERS = ("loopweld", "compiler", "dialects", "passes", "examples")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")))))


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def source_files() -> Iterator[str]:
    """The paths that our files have in an installed copy."""
    for folder in FOLDERS:
        for path in ROOT.joinpath(folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                inside = path.relative_to(ROOT).as_posix()
                yield inside if folder == "loopweld" else f"loopweld/{inside}"


def test_the_wheel_holds_one_top_level_package_with_all_our_files(wheel: Path):
    assert {name.split("/")[0] for name in contents(wheel)} == {"loopweld"}
    assert contents(wheel) == set(source_files())


def test_the_sdist_makes_the_same_wheel(wheel: Path, tmp_path: Path):
    sdist = next(SdistBuilder(str(ROOT)).build(directory=str(tmp_path)))
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = Path(sdist.removesuffix(".tar.gz"))
    again = Path(next(WheelBuilder(str(unpacked)).build(directory=str(tmp_path))))
    assert contents(again) == contents(wheel)


def test_the_sdist_holds_what_a_checkout_needs(tmp_path: Path):
    sdist = next(SdistBuilder(str(ROOT)).build(directory=str(tmp_path)))
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {"LICENSE", "Makefile", "README.md", "pyproject.toml", "tests/test_packaging.py"}
    assert not [name for name in names if name.startswith((".venv", "build/", ".git/"))]


def test_an_unpacked_wheel_works_without_the_checkout(wheel: Path, tmp_path: Path):
    """In a fresh process that sees the wheel's files and not the editable install."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        f"import sys; sys.path[:] = [{str(tmp_path)!r}, *(p for p in sys.path if p != {str(ROOT)!r})];"
        "import loopweld, loopweld.opt, loopweld.dialects;"
        "print(*loopweld.__path__, loopweld.dialects.__file__)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    package = tmp_path / "loopweld"
    assert done.stdout.split() == [str(package), os.fspath(package / "dialects" / "__init__.py")]


def test_import_loads_nothing_heavy():
    """`import loopweld` is for everyone who only might compile: numpy, xDSL and LLVM load on first use."""
    code = "import sys, loopweld; print({'numpy', 'xdsl', 'llvmlite'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_unknown_names_are_attribute_errors():
    import loopweld

    with pytest.raises(AttributeError, match="module 'loopweld' has no attribute 'nothing'"):
        _ = loopweld.nothing
    assert set(loopweld.__all__) <= set(dir(loopweld))
