"""The song as a picture, with the error over time; and what the clock does without a network."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.signal import lfilter

import neurodyn as nd
from force.measures import correlation
from force.runs import Traces
from neurodyn.plots.base import CYCLE, GREY, dress, new_figure, panel_letters, style
from neurodyn.plots.supervised import SHADE


def clock_alone(task: nd.tasks.Supervisor) -> float:
    """Correlation with the target of least squares on the clock itself, filtered as the rates are: no network at all."""
    pulses = np.tile(task.pulses(), (2, 1))
    for tau_ms in (2.0, 20.0):  # the clock and its filters run at 1 ms
        keep = np.exp(-1.0 / tau_ms)
        pulses = lfilter([1 - keep], [1, -keep], pulses, axis=0)
    features = pulses[len(task.signal) :]
    return correlation(features @ np.linalg.lstsq(features, task.signal, rcond=None)[0], task.signal)


@style()
def song_figure(traces: Traces, course: float, title: str, seed: int = 0) -> Any:
    """Target, output and their difference over the last course of one seed, and error and rate over the whole session."""
    output, target = traces.pair(seed, traces.end - course, traces.end)
    figure = new_figure(7.2, 5.2)
    grid = figure.add_gridspec(3, 3, height_ratios=[1.6, 1, 1])
    panels, image = [], None
    for k, (values, text) in enumerate(((target, "target"), (output, "output"), (output - target, "difference"))):
        panel = dress(figure.add_subplot(grid[0, k]))
        size = (0, course, 0, values.shape[1])
        image = panel.imshow(values.T, aspect="auto", origin="lower", extent=size, vmin=-1, vmax=1, cmap="RdBu_r")
        panel.set_xlabel("time in the course (s)")
        panel.set_title(f"{title}\n{text}" if k == 0 else text)
        panel.set_ylabel("channel")
        panels.append(panel)
    assert image is not None
    figure.colorbar(image, ax=panels, label="signal", shrink=0.9)
    error = np.sqrt(((traces.output[seed] - traces.target[seed]) ** 2).mean(axis=1))
    for row, (values, text, name) in enumerate(
        ((error, "RMS error", "Error over the channels"), (traces.rate[seed], "rate (Hz)", "Population rate")), start=1
    ):
        panel = dress(figure.add_subplot(grid[row, :]))
        cut = len(values) // 200 * 200
        panel.plot(
            traces.time[:cut].reshape(-1, 200).mean(axis=1),
            values[:cut].reshape(-1, 200).mean(axis=1),
            color=CYCLE[1] if row == 1 else GREY,
            linewidth=1.0,
        )
        panel.axvspan(*traces.learning, color=SHADE, zorder=-2)
        panel.set_xlim(0, traces.end)
        panel.set_ylim(bottom=0)
        panel.set_xlabel("time (s)")
        panel.set_ylabel(text)
        panel.set_title(f"{name}, in bins of 200 ms; learning is on in the shaded stretch")
        panels.append(panel)
    panel_letters(panels)
    return figure
