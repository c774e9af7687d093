"""A page as a real browser sees it: pictures decoded, nothing fetched, no complaint, no sideways scrolling on a phone."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import neurodyn as nd

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-extensions --disable-features=NetworkTimeServiceQuerying --enable-logging=stderr --log-level=0"
).split()

# What the page looks like to a script, which the page itself would not let run.
LOOK = """<script>
addEventListener("load", () => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const found = {
    pictures: [...document.images].map(one => one.complete && one.naturalWidth > 100 && one.naturalHeight > 100),
    sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    colours: [dark, getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor],
    text: document.querySelector("main").innerText.length,
    fetched: performance.getEntriesByType("resource").map(one => one.name).filter(one => !one.startsWith("data:")),
    links: [...document.querySelectorAll("nav a")].every(one => document.querySelector(one.getAttribute("href"))),
  };
  document.title = JSON.stringify(found);
});
</script>"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="needs Chromium or Chrome")]


def browse(page: Path, *options: str) -> tuple[str, str]:
    """The document as the browser has it in the end, and what it logged."""
    assert BROWSER is not None
    command = [BROWSER, *QUIET, f"--user-data-dir={page.parent / 'browser'}", "--virtual-time-budget=5000", *options]
    done = subprocess.run(
        [*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout, done.stderr


def look(page: Path, *options: str) -> tuple[dict[str, Any], str]:
    """What a script sees in a copy of the page without its policy, and what the browser logged."""
    policy = r'<meta http-equiv="Content-Security-Policy".*?>'
    copy = page.with_name("copy.html")
    copy.write_text(re.sub(policy, LOOK, page.read_text(encoding="utf-8"), count=1), encoding="utf-8")
    document, log = browse(copy, *options)
    return json.loads(html.unescape(re.findall("<title>(.*?)</title>", document)[0])), log


@pytest.mark.parametrize("kind", ["session", "training", "results", "stopped"])
def test_page_in_a_browser(kind: str, kinds: dict[str, Path], tmp_path: Path) -> None:
    page = nd.report(kinds[kind], tmp_path / "page.html")
    text = page.read_text(encoding="utf-8")
    document, log = browse(page)
    assert "CONSOLE" not in log and document.count("<section") == text.count("<section") > 3
    for size, dark in (("390,844", False), ("1200,900", True)):
        found, log = look(page, f"--window-size={size}", *(["--blink-settings=preferredColorScheme=0"] if dark else []))
        assert found["pictures"] == [True] * text.count("<img ") and found["links"] and found["text"] > 200
        assert found["fetched"] == [] and found["sideways"] <= 0 and "CONSOLE" not in log
        light, ink, paper = found["colours"]
        assert light == dark and (ink, paper) == (
            ("rgb(230, 230, 230)", "rgb(22, 24, 27)") if dark else ("rgb(27, 27, 27)", "rgb(255, 255, 255)")
        )


def test_the_policy_of_the_page_stops_what_gets_into_it(kinds: dict[str, Path], tmp_path: Path) -> None:
    text = nd.report(kinds["results"], tmp_path / "page.html").read_text(encoding="utf-8")
    more = '<main><img src="http://127.0.0.1:9/other.png"><script>document.title = "ran"</script>'
    page = tmp_path / "bad.html"
    page.write_text(text.replace("<main>", more), encoding="utf-8")
    document, log = browse(page)
    assert "<title>coins</title>" in document and "CONSOLE" in log and "Content Security Policy" in log
    found, _ = look(page)  # and what looks at a page would have seen it
    assert [Path(one).name for one in found["fetched"]] == ["other.png"] and found["pictures"] == [False]
