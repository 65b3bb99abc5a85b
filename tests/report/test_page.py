"""The page of a report in a real browser: it draws, complains about nothing, and a click on a kernel shows its code."""

import html
import json
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loopweld as lw

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PROBE = """
<script>
const seen = {errors: []};
window.addEventListener("error", (event) => seen.errors.push(event.message));
window.addEventListener("load", () => {
  const box = document.querySelector(".graphs figure:last-child .node.kernel");
  box.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}));
  setTimeout(() => look(), 300);
});
function look() {
  seen.opened = [...document.querySelectorAll("details.kernel[open] summary .name")].map((name) => name.textContent);
  const shown = () => [...document.querySelectorAll("details.kernel[open] .pane")]
      .filter((pane) => getComputedStyle(pane).display !== "none").map((pane) => pane.textContent.slice(0, 40));
  seen.first = shown();
  document.querySelector("details.kernel[open] .tabs label:nth-of-type(3)").click();
  seen.third = shown();
  seen.overflow = document.documentElement.scrollWidth - window.innerWidth;
  seen.back = getComputedStyle(document.body).backgroundColor;
  document.body.dataset.seen = JSON.stringify(seen);
}
</script>
"""


def softmax_product(x: Any, w: Any) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return np.tanh((e / e.sum(axis=1, keepdims=True)) @ w) * 2


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with measurements."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    x, w = np.ones((60, 40), np.float32), np.ones((40, 8), np.float32)
    lw.jit(softmax_product, threads=1).lower(x, w).compile().profile(x, w).to_html(path)
    return path


def chromium(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium on PATH (Debian: apt-get install chromium)")
    always = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    own = [f"--user-data-dir={path.parent / 'profile'}", "--virtual-time-budget=3000", "--enable-logging=stderr"]
    return subprocess.run(
        [program, *always, *own, *options, path.as_uri()], capture_output=True, text=True, timeout=120
    )


WIDE, NARROW = "--window-size=1280,2400", "--window-size=500,2400"
DARK = "--blink-settings=preferredColorScheme=0"


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_works(page: Path, size: str, scheme: str) -> None:
    probed = page.with_name("probed.html")
    probed.write_text(page.read_text().replace("<body>", f"<body>{PROBE}"))
    done = chromium(probed, size, "--dump-dom", *([DARK] if scheme == "dark" else []))
    assert "CONSOLE" not in done.stderr, done.stderr
    found = re.search(r'data-seen="([^"]*)"', done.stdout)
    assert found is not None, done.stderr
    seen: dict[str, Any] = json.loads(html.unescape(found[1]))
    assert seen["errors"] == []
    assert seen["opened"] == ["k0_sub_exp_sum"]
    assert "weld.kernel" in seen["first"][0]
    assert seen["third"][0].startswith("define ")
    assert seen["overflow"] <= 0
    assert seen["back"] == ("rgb(18, 21, 27)" if scheme == "dark" else "rgb(246, 247, 249)")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_picture_shows_something(page: Path, size: str, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    chromium(page, size, f"--screenshot={picture}")
    width, height, pixels = read_png(picture)
    assert (width, height) == tuple(int(n) for n in size.split("=")[1].split(","))
    assert len({pixels[k : k + 3] for k in range(0, len(pixels), 3001 * 3)}) > 5


def read_png(path: Path) -> tuple[int, int, bytes]:
    """Width, height and the filtered rows, which differ wherever the pixels do."""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    position, parts = 8, list[bytes]()
    while position < len(data):
        (length,), kind = struct.unpack(">I", data[position : position + 4]), data[position + 4 : position + 8]
        if kind == b"IDAT":
            parts.append(data[position + 8 : position + 8 + length])
        position += 12 + length
    return width, height, zlib.decompress(b"".join(parts))


def test_page_stands_alone(page: Path) -> None:
    text = page.read_text()
    assert not re.findall(r'(?:src|href)="(?!#)', text)
    assert not re.findall(r"@import|url\((?!#)", text)
    for title in ("Program", "Time of a call", "Roofline", "Code", "Decisions"):
        assert f"<h2>{title}</h2>" in text
