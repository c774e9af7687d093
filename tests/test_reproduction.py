"""docs/reproduction.md: verdicts of four kinds, numbers that stand on the page of results that they are from.

That each command exists, with its parameters, and runs, is tested with those of all pages: tests/test_docs_commands.py
and tests/test_docs_runs.py.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")
CLAIM = ["claim", "measured", "published", "seeds that meet it", "verdict", "run"]
RUN = ["run", "command", "seeds", "numbers on"]
VERDICTS = {"reproduced", "partly", "not", "can't hold"}
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?(?![\d.]\d)")


def table(section: str, columns: list[str]) -> list[dict[str, str]]:
    """The rows under this head."""
    found = re.search(rf"^\| {' . '.join(columns)} \|\n\|[-|]+\|\n((?:\|.*\n)+)", section, re.MULTILINE)
    lines = found[1].splitlines() if found else []
    return [dict(zip(columns, (c.strip() for c in line[1:-1].split("|")), strict=True)) for line in lines]


def numbers(text: str) -> set[str]:
    return set(NUMBER.findall(text))


SECTIONS = PAGE.split("\n## ")
RUNS = [{run["run"]: run for run in table(section, RUN)} for section in SECTIONS]
CLAIMS = [(claim, runs) for section, runs in zip(SECTIONS, RUNS, strict=True) for claim in table(section, CLAIM)]
COMMANDS = sorted({run["command"].split("`")[1] for runs in RUNS for run in runs.values()})


def test_no_row_is_passed_over() -> None:
    assert len(COMMANDS) == len(set(re.findall(r"`(neurodyn run [^`]*)`", PAGE))) > 30 and len(CLAIMS) > 60
    assert sum(line.count("|") == len(CLAIM) + 1 for line in PAGE.splitlines()) == len(CLAIMS) + 2 * 5  # five heads
    assert {claim["verdict"].partition(":")[0] for claim, _ in CLAIMS} == VERDICTS
    assert all(re.search(rf"^\| {verdict} \|", PAGE, re.MULTILINE) for verdict in VERDICTS)  # explained on the page
    assert all({claim["run"] for claim, of in CLAIMS if of is runs} == set(runs) for runs in RUNS)


@pytest.mark.parametrize("claim, runs", CLAIMS, ids=lambda of: of.get("claim", "")[:50])
def test_measured_numbers_stand_on_the_page_of_results(claim: dict[str, str], runs: dict[str, dict[str, str]]) -> None:
    (target,) = re.findall(r"\]\(([\w/]+\.md)\)", runs[claim["run"]]["numbers on"])
    source = numbers((ROOT / "docs" / target).read_text(encoding="utf-8"))
    assert numbers(claim["measured"]) <= source, numbers(claim["measured"]) - source
