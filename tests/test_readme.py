"""The snippets of the README run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def test_there_are_four_snippets() -> None:
    assert len(SNIPPETS) == 4


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_snippet_runs(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(SNIPPETS[number], f"README snippet {number}", "exec"), names)
    out = capsys.readouterr().out
    if number == 0:
        assert (tmp_path / "runs" / "first.h5").exists() and (tmp_path / "runs" / "first.png").exists()
        assert "output: 2" in out
    elif number == 1:
        assert "identical" in out
    elif number == 2:
        assert names["run"].snapshots == [2, 3]
    else:
        assert len(names["runs"]) == len(list((tmp_path / "runs").glob("net*.h5"))) == 4
