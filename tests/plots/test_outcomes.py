import pytest

from neurodyn import plots
from neurodyn.plots import outcomes
from neurodyn.plots.outcomes import outcome_table
from neurodyn.recording import annotate, load


@pytest.fixture
def recording(tmp_path):
    results = {f"number {k}": 1 / (k + 1) for k in range(50)} | {"a list": list(range(200)), "$text$": "a_b"}
    checks = [
        {"name": "x" * 90, "value": 1.23456, "threshold": "<= 2", "reference": 1.5, "source": "", "passed": True},
        {"name": "y", "value": None, "threshold": "> 0", "reference": None, "source": "", "passed": False},
    ]
    annotate(tmp_path / "a.h5", results=results, checks=checks, config={}, data={})
    return load(tmp_path / "a.h5")


def test_numbers_are_readable_and_failures_stand_out(recording, texts):
    figure = outcome_table(recording, "bump")
    shown = texts(figure)
    assert {"Checks: 1 of 2 passed", "1.235", "<= 2", "1.5", "yes", "NO", "number 3", "0.25"} <= set(shown)
    assert "and 12 more: neurodyn info" in shown
    red = {text.get_text() for text in figure.axes[0].texts if text.get_color() == plots.OKABE_ITO["vermillion"]}
    assert red == {"y", "-", "> 0", "NO"}


def test_nothing_runs_into_the_next_column(recording, monkeypatch):
    monkeypatch.setattr(outcomes, "MOST", 60)
    figure = outcome_table(recording, "bump")
    figure.canvas.draw()
    for ax in figure.axes:
        rows: dict = {}
        for text in ax.texts:
            rows.setdefault(text.get_position()[1], []).append(text.get_window_extent())
        for boxes in rows.values():
            assert all(one.x1 < other.x0 for one, other in zip(boxes, boxes[1:], strict=False))
            assert boxes[-1].x1 <= figure.bbox.x1
