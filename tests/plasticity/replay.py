"""Networks whose spikes are given: cells that fire when a spike source says so, and synapses between them that learn."""

from __future__ import annotations

from typing import Any

import numpy as np

import neurodyn as nd

MS = nd.quantity("1 ms")


def replayed(
    trains: list[tuple[int, float]],
    size: int,
    rules: Any,
    *,
    bounds=(None, None),
    weight: Any = 0.0,
    dt: str = "1 ms",
    **link: Any,
) -> nd.Circuit:
    """Return cells that fire at (unit, ms), each a step after the source says so, joined by a plastic connection "plastic"."""
    units = [u for u, _ in trains]
    times = nd.Quantity(np.array([t for _, t in trains]) * 1e-3 - nd.quantity(dt).value, MS.dimensions)
    source = nd.SpikeTimes("given", size, units, times)
    cells = nd.Population(
        "cells", size, code="", variables={"go": "1", "felt": "1"}, threshold="go > 0.5", reset="go = 0", dt=dt
    )
    relay = nd.Connection(source, cells, "go", pattern="one-to-one", weight=1.0, name="relay")
    link = {"pattern": "all", **link} if not {"pairs", "probability"} & link.keys() else link
    learning = nd.Connection(cells, cells, "felt", weight=weight, rules=rules, bounds=bounds, name="plastic", **link)
    reward = nd.Input("reward", ("reward",))
    return nd.Circuit([source, cells], [relay, learning], inputs=[reward], seed=3)


def rewards(
    duration_ms: float, given: dict[float, float], *, dt: float = 1e-3, trials: int = 1, **trial: Any
) -> nd.Session:
    """Return a session with rewards at times in ms."""
    values = np.zeros((round(duration_ms / (dt * 1e3)), 1))
    for time, size in given.items():
        values[round(time / (dt * 1e3))] += size
    made = nd.Trial(len(values), {"reward": values}, reset=False, **trial)
    return nd.Session((made,) * trials, dt, {"reward": ("reward",)})


def random_trains(size: int, duration_ms: int, rate_hz: float, seed: int = 0) -> list[tuple[int, float]]:
    """Return random trains on a grid of 1 ms, at most one spike a unit and step."""
    rng = np.random.default_rng(seed)
    fired = rng.random((duration_ms - 2, size)) < rate_hz * 1e-3
    return [(int(u), float(t + 2)) for t, u in np.argwhere(fired)]
