"""Bars and lines, by a clock that the test turns; and what a notebook is left with."""

from __future__ import annotations

import re
import sys
from importlib import import_module

import pytest

import neurodyn as nd
from neurodyn.running import progress as module
from neurodyn.running.progress import Bar, duration, progress_bar


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "clock", made)
    return made


class Terminal:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return True


def trials(clock: Clock, count: int, seconds: float, progress: bool | None) -> None:
    with progress_bar(400, progress) as bar:
        for _ in range(count):
            clock.now += seconds
            bar.update()


def test_a_log_gets_a_line_a_minute(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    trials(clock, 120, 1.0, None)
    assert capsys.readouterr().err.splitlines() == [
        "neurodyn: trial 60 of 400, 1 min, 6 min left",
        "neurodyn: trial 120 of 400, 2 min, 5 min left",
    ]


def test_a_log_says_nothing_of_what_takes_less_than_a_minute_unless_asked(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    trials(clock, 400, 0.1, None)
    assert capsys.readouterr().err == ""
    trials(clock, 400, 0.1, True)
    assert capsys.readouterr().err == "neurodyn: trial 400 of 400, 40 s\n"
    trials(clock, 400, 10.0, False)
    assert capsys.readouterr().err == ""


def test_a_long_trial_is_followed_by_its_steps(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    bar = progress_bar(1, parts=1000)
    for _ in range(3):
        clock.now += 70
        bar.update(0, 250)
    bar.update(1, 250)
    assert capsys.readouterr().err.splitlines() == [
        "neurodyn: trial 0 of 1, 25 %, 1 min 10 s, 4 min left",
        "neurodyn: trial 0 of 1, 50 %, 2 min 20 s, 2 min left",
        "neurodyn: trial 0 of 1, 75 %, 3 min 30 s, 1 min 10 s left",
    ]


def test_stages_may_end_early_and_go_on_in_another_process(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    bar = progress_bar(10, unit="step", stages=4)
    bar.stage(1, 5)  # 15 of 40 were done before
    clock.now = 100.0
    bar.note("accuracy 0.9")
    bar.update(5)
    assert capsys.readouterr().err.splitlines() == ["neurodyn: epoch 2 of 4, step 5 of 10, accuracy 0.9, 1 min 40 s"]
    clock.now = 200.0
    bar.update(0)
    assert capsys.readouterr().err.splitlines() == [
        "neurodyn: epoch 2 of 4, step 10 of 10, accuracy 0.9, 3 min 20 s, at most 13 min left"
    ]


def test_a_bar_on_a_terminal(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar(4, unit="row") as bar:
        bar.update(2)
        bar.note("1 failed")
        bar.say("failed: no")
    assert "row 2 of 4, 1 failed  50%|" in terminal.text
    assert "failed: no\n" in terminal.text
    assert terminal.text.endswith("\r")  # nothing is left of it
    monkeypatch.setenv("TERM", "dumb")
    assert type(progress_bar(4)).__name__ == "_Log"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.6, "1 min"), (130, "2 min 10 s"), (3599.7, "1 h"), (3600 * 3 + 299, "3 h 5 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def counted(monkeypatch: pytest.MonkeyPatch, **options: object) -> Bar:
    """The bar of a run."""
    bars: list[Bar] = []

    def remember(*arguments: object, **more: object) -> Bar:
        bars.append(progress_bar(*arguments, **more))  # type: ignore[arg-type]
        return bars[0]

    monkeypatch.setattr(import_module("neurodyn.simulate"), "progress_bar", remember)
    cells = nd.Population("cells", 2, "dv/dt = -v/(10*ms) : 1")
    nets = [nd.Circuit([cells], dt="1 ms", seed=s) for s in range(2)]
    nd.simulate(nets, "5 s", **options)  # type: ignore[call-overload]
    return bars[0]


@pytest.mark.parametrize("backend", ["interpreter", "torch"])
def test_a_run_counts_its_trials_and_steps(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bar = counted(monkeypatch, backend=backend)
    assert (bar.total, bar._count, bar._done, bar._parts) == (2, 2, 10_000, 10_000)


CELL = """\
from neurodyn.running import progress

progress._DRAW_S = 0.0
for answer in (None, True, False):
    with progress.progress_bar(3, answer) as bar:
        for _ in range(3):
            bar.update()
        print(answer)
"""


@pytest.mark.slow
@pytest.mark.parametrize("without", ["", "import sys\nsys.modules['ipywidgets'] = None\n"])
def test_a_bar_in_a_notebook(without: str) -> None:
    """Drawn by the browser, with or without ipywidgets; nothing is left of it when it is done."""
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    notebook = new_notebook(cells=[new_code_cell(without + CELL)])
    drawn: list[str] = []

    class Client(NotebookClient):
        def process_message(self, msg, cell, cell_index):  # type: ignore[no-untyped-def]
            drawn.append(msg.get("content", {}).get("data", {}).get("text/html", ""))
            return super().process_message(msg, cell, cell_index)

    Client(notebook, timeout=60, kernel_name="python3").execute()
    bars = [text for text in drawn if text]
    assert len(bars) == 6 and all(re.match(r'<progress max="1" value="[\d.]+"', bar) for bar in bars)
    assert "trial 3 of 3" in bars[2] and "trial 2 of 3" in bars[4]
    (outputs,) = [cell["outputs"] for cell in notebook.cells]
    left = [out for out in outputs if out["output_type"] != "display_data"]
    assert [(out["name"], out["text"]) for out in left] == [("stdout", f"{answer}\n") for answer in (None, True, False)]
    assert all(out["data"] == {"text/plain": "", "text/html": ""} for out in outputs if out not in left)
