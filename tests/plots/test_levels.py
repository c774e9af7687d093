"""The figure of noise levels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neurodyn import plots
from neurodyn.analysis import NoiseSweep


def sweep(seed: int, *, floor: float = 0.01) -> NoiseSweep:
    rng, levels = np.random.default_rng(seed), np.array([0.1, 1.0, 10.0])
    rows: Any = rng.uniform(0.01, 1, (8, 3))
    numbers: Any = (*rows[:7], np.full(3, floor))
    return NoiseSweep(levels, *numbers, trained_at=1.0)


def test_four_panels_a_line_for_each_condition_and_references():
    figure = plots.noise_sweep({"a": [sweep(1), sweep(2)], "b": sweep(3)}, cv=0.97, change=0.07)
    assert [panel.get_title(loc="left") for panel in figure.axes][:2] == ["Largest logit", "Drawn symbol"]
    for panel in figure.axes:
        means = [line for line in panel.get_lines() if line.get_marker() == "o"]
        np.testing.assert_allclose(np.asarray(means[1].get_xdata(), float), [0.1, 1, 10])
        assert panel.get_ylabel() and panel.get_xscale() == "log"
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["a", "b", "target", "sample of the target"]
    both = np.mean([sweep(1).cv, sweep(2).cv], axis=0)
    drawn = next(x for x in figure.axes[2].get_lines() if x.get_marker() == "o")
    np.testing.assert_allclose(np.asarray(drawn.get_ydata(), float), both)


def test_no_target_no_references():
    figure = plots.noise_sweep({"a": sweep(1, floor=np.nan)})
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["a"]
    still = replace(sweep(1), switching=np.zeros(3), change=np.zeros(3))  # nothing that a logarithm could show
    plots.noise_sweep({"a": still}).canvas.draw()


def test_bad_input():
    with pytest.raises(ValueError, match="results is empty"):
        plots.noise_sweep({})
    with pytest.raises(ValueError, match=r"results\['b'\] has other levels"):
        plots.noise_sweep({"a": sweep(1), "b": replace(sweep(2), level=np.array([1.0, 2.0, 3.0]))})
