"""Further targets: a product of sines with noise, the Lorenz attractor, a song with a clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import neurodyn as nd
from force.attractor import attractor_figure, horizon, map_error, peaks, switches
from force.measures import amplitude, correlation, lag, rms
from force.runs import Traces, run
from force.sine import figure
from force.song import clock_alone, song_figure


def _common(traces: Traces) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the results that every target has, and the numbers behind them, each (seed,)."""
    on, off = traces.learning
    seeds = range(len(traces.output))
    values = {
        "training RMS, last 2 s": [rms(*traces.pair(k, off - 2, off)) for k in seeds],
        "free-run RMS": [rms(*traces.pair(k, off, traces.end)) for k in seeds],
        "RMS of a constant output": [float(np.sqrt(traces.target[k].var(axis=0).mean())) for k in seeds],
        "free-run correlation": [correlation(*traces.pair(k, off, traces.end)) for k in seeds],
        "free-run amplitude": [amplitude(*traces.pair(k, off, traces.end)) for k in seeds],
        "rate before learning (Hz)": traces.rates(0.5 * on, on),
        "rate in learning (Hz)": traces.rates(on, off),
        "rate after learning (Hz)": traces.rates(off, traces.end),
    }
    arrays = {name: np.asarray(found, dtype=float) for name, found in values.items()}
    results: dict[str, Any] = {}
    for name, found in arrays.items():
        results |= nd.spread(name, found)
    return results, arrays


def product(*, seeds: Sequence[int], out: Any = None, **options: Any) -> nd.Outcome:
    """sin(4 Hz) sin(6 Hz) with noise on the target, learned from 5 to 10 s, 10 s of free run."""
    traces = run(
        "product",
        nd.tasks.product_of_sines(),
        seeds=seeds,
        duration="20 s",
        learning=("5 s", "10 s"),
        out=out,
        **options,
    )
    results, values = _common(traces)
    each = [[correlation(*traces.pair(k, s, s + 1)) for s in range(10, 20)] for k in range(len(seeds))]
    late = [lag(*traces.pair(k, 19.0, 20.0), 100) for k in range(len(seeds))]
    results |= nd.rounded({"correlation in each free second, mean over seeds": np.mean(each, axis=0)})
    results |= nd.spread("lag in the last second (ms)", [x for x, _ in late])
    results |= nd.spread("correlation in the last second at that lag", [c for _, c in late])
    results |= nd.passes("correlation >= .9 over 10 s", values["free-run correlation"] >= 0.9)
    title = f"The product of sines of 4 and 6 Hz, seed {seeds[0]}"
    return nd.Outcome(
        results=results, data={**values, "correlation by second": each}, figures={"output": figure(traces, title)}
    )


def song(*, seeds: Sequence[int], out: Any = None, **options: Any) -> nd.Outcome:
    """Ten channels over 2 s with a clock of 200 pulses, learned from 2 to 22 s, 8 s of free run with the clock going on."""
    task = nd.tasks.song()
    timing: dict[str, Any] = {"duration": "30 s", "learning": ("2 s", "22 s")}
    traces = run("songbird", task, seeds=seeds, clock=task.clock, out=out, **timing, **options)
    results, values = _common(traces)
    courses = [[correlation(*traces.pair(k, s, s + 2)) for s in range(22, 30, 2)] for k in range(len(seeds))]
    results |= nd.rounded({"correlation in each free course, mean over seeds": np.mean(courses, axis=0)})
    results |= nd.passes("correlation >= .9", values["free-run correlation"] >= 0.9)
    results["correlation of least squares on the clock alone, without a network"] = clock_alone(task)
    return nd.Outcome(
        results=results,
        data={**values, "correlation by course": courses},
        figures={
            "output": song_figure(traces, task.course, f"A song of ten channels, last course of 30 s, seed {seeds[0]}")
        },
    )


def lorenz(*, seeds: Sequence[int], out: Any = None, every: str = "2 ms", **options: Any) -> nd.Outcome:
    """The Lorenz attractor, one unit of its time in 0.5 s, learned from 5 to 35 s, 25 s of free run."""
    task = nd.tasks.lorenz("60 s")
    traces = run(
        "product", task, seeds=seeds, duration="60 s", learning=("5 s", "35 s"), every=every, out=out, **options
    )
    results, values = _common(traces)
    long = nd.tasks.lorenz("300 s").signal
    free = [traces.pair(k, 35.0, 60.0)[0] for k in range(len(seeds))]
    errors = np.array([map_error(y[:, 2], long[:, 2], seed=s) for y, s in zip(free, seeds, strict=True)])
    results |= nd.spread(
        "horizon: error above 0.4 SD of the target after (s)",
        [horizon(*traces.pair(k, 35.0, 60.0)) for k in range(len(seeds))],
    )
    results |= nd.spread("maxima of z per second", [len(peaks(y[:, 2])) / 25 for y in free])
    results["maxima of z per second, attractor"] = len(peaks(long[:, 2])) / 300
    results |= nd.spread("changes of the sign of x per second", [switches(y[:, 0]) / 25 for y in free])
    results["changes of the sign of x per second, attractor"] = switches(long[:, 0]) / 300
    results |= nd.spread("successive maxima of z: RMS distance from the map", errors[:, 0])
    results |= nd.spread("successive maxima of z: the same, shuffled", errors[:, 1])
    results |= nd.passes("closer to the map than 95 % of shuffles", errors[:, 2] < 0.05)
    return nd.Outcome(
        results=results,
        data={**values, "map": errors},
        figures={
            "output": figure(traces, f"z of the Lorenz attractor, seed {seeds[0]}", output=2),
            "attractor": attractor_figure(traces.pair(0, 35.0, 60.0), long, f"Free run of 25 s, seed {seeds[0]}"),
        },
    )
