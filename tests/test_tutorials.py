"""Tutorials run from top to bottom, and so do the solutions of their exercises."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

TUTORIALS = sorted((Path(__file__).parents[1] / "tutorials").glob("[0-9][0-9]_*.py"))
EACH = pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)


def prose(tutorial: Path) -> str:
    """The text of the markdown cells, without the comment signs."""
    cells = re.split(r"^# %%", tutorial.read_text(), flags=re.MULTILINE)
    return "\n".join(re.sub(r"^# ?", "", cell, flags=re.MULTILINE) for cell in cells if cell.startswith(" [markdown]"))


def solutions(tutorial: Path) -> list[str]:
    """The code of the solutions that are folded away."""
    folded = re.findall(r"<details>(.*?)</details>", prose(tutorial), re.DOTALL)
    return [code for text in folded for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]


@EACH
def test_a_tutorial_asks_shows_and_leads_on(tutorial: Path) -> None:
    text = prose(tutorial)
    opening = text.split("A notebook, `")[0]
    assert "?" in opening, "no question at the beginning"
    assert "$" in text, "no equation"
    assert "Exercise" in text and solutions(tutorial), "no exercise with a solution that is code"
    end = text.split("**Where to go on.**")
    assert len(end) == 2 and "](../docs/" in end[1], "no links at the end"
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (
            (tutorial.parent / target).with_suffix(".py" if target.endswith("ipynb") else Path(target).suffix).exists()
        )


@EACH
def test_its_notebook_is_that_of_its_source(tutorial: Path) -> None:
    pair = runpy.run_path(str(tutorial.parent / "pair.py"))
    made = tutorial.with_suffix(".ipynb")
    assert made.exists() and made.read_text() == pair["notebook_of"](tutorial), "make notebooks"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder beside whose notebooks the recordings lie, as in the checkout."""
    (tmp_path / "recordings").symlink_to(TUTORIALS[0].parent / "recordings", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    yield
    plt.close("all")


@pytest.mark.slow  # `make test` executes the notebooks; here their solutions are executed too
@EACH
@pytest.mark.usefixtures("place")
def test_a_tutorial_runs_with_its_solutions(tutorial: Path) -> None:
    names: dict = {"__name__": "__main__"}
    exec(compile(tutorial.read_text(), str(tutorial), "exec"), names)
    assert names["figure"].axes
    for number, code in enumerate(solutions(tutorial)):
        exec(compile(code, f"{tutorial.name}, solution {number}", "exec"), names)
