"""docs/reproduction.md: commands that exist, verdicts of four kinds, numbers that stand on the page they are from."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from neurodyn._command_line import parser
from neurodyn.cli import _assignments
from neurodyn.scripts import simulation_of

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")
COLUMNS = ["claim", "measured", "published", "command", "seeds", "verdict", "source"]
VERDICTS = {"reproduced", "partly", "not", "can't hold"}
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?(?![\d.]\d)")


def rows() -> list[dict[str, str]]:
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:1] == "|"]
    return [dict(zip(COLUMNS, row, strict=True)) for row in cells if len(row) == len(COLUMNS) and "](" in row[-1]]


ROWS = rows()


def numbers(text: str) -> set[str]:
    return set(NUMBER.findall(text))


def test_no_row_is_passed_over() -> None:
    assert len(ROWS) == PAGE.count("`neurodyn run") > 50
    assert {row["verdict"].partition(":")[0] for row in ROWS} == VERDICTS
    assert all(re.search(rf"^\| {verdict} \|", PAGE, re.MULTILINE) for verdict in VERDICTS)  # explained on the page


@pytest.mark.parametrize("command", sorted({row["command"] for row in ROWS}))
def test_the_command_exists(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", list(sys.path))
    options, rest = parser().parse_known_args(shlex.split(command.strip("`"))[1:])
    options.rest = rest
    simulation = simulation_of(options.script)
    given = simulation.from_text(_assignments(options))
    simulation.prepare(overwrite=True, **given, out=None)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["claim"][:50])
def test_measured_numbers_stand_on_the_source(row: dict[str, str]) -> None:
    target = re.search(r"\]\(([\w/]+\.md)\)", row["source"])
    assert target is not None
    source = numbers((ROOT / "docs" / target[1]).read_text(encoding="utf-8"))
    assert numbers(row["measured"]) <= source, numbers(row["measured"]) - source
