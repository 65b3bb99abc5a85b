"""Gathers the pages of the site in build/pages: the documents as they lie in the repository, the reference that is made
from the classes, and the examples. `make docs` then builds it."""

import re
import shutil
import sys
from pathlib import Path

import reference

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "build" / "pages"


def main() -> int:
    shutil.rmtree(PAGES, ignore_errors=True)
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")):
        write(path.relative_to(ROOT), linked(path.read_text(encoding="utf-8")))
    for name, text in reference.pages().items():
        write(Path("docs", "reference", name), text)
    write(Path("examples", "index.md"), examples())
    for image in (*ROOT.glob("docs/images/*"), *ROOT.glob("benchmarks/plots/*")):
        target = PAGES / image.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, target)
    return 0


def write(path: Path, text: str) -> None:
    target = PAGES / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def linked(text: str) -> str:
    """Links to the folder of examples lead to its page; those to single files of the repository become plain text."""
    text = re.sub(r"\]\(((?:\.\./)*)examples/?\)", r"](\1examples/index.md)", text)
    return re.sub(r"(?<!!)\[([^]]+)\]\((?!https?:|#)[^)]*\.(?!md\b)\w+\)", r"\1", text)


def examples() -> str:
    parts = ["# Examples\n"]
    for path in sorted((ROOT / "examples").glob("*.py")):
        parts.append(f"## {path.name}\n\n```python\n{path.read_text(encoding='utf-8')}```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
