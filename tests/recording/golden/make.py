"""Write the golden file of today's format: `python tests/recording/golden/make.py`; only for a new version of it.

A golden file is never made anew: it stands for the files of users, which later versions have to read. Beside it lie
the numbers in it, as they were when it was made.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import neurodyn as nd

HERE = Path(__file__).parent
CELLS, TRIALS, STEPS = 10, 3, 400


def network() -> nd.Circuit:
    """Cells with drawn parameters, fixed and plastic synapses with delays, and a readout that learns."""
    cells = nd.Population(
        "cells",
        CELLS,
        """dv/dt = (v_rest - v + R*(I + drive))/tau : volt (unless refractory)
           dI/dt = -I/(5*ms) : amp
           dfelt/dt = -felt/(10*ms) : 1""",
        threshold="v > -50*mV",
        reset="v = v_rest",
        refractory="2 ms",
        method="exact",
        parameters={"tau": "20 ms", "v_rest": "-70 mV", "R": "100 Mohm", "drive": nd.Uniform("210 pA", "280 pA")},
        initial={"v": nd.Uniform("-70 mV", "-50 mV")},
    )
    fixed = nd.Connection(
        cells, cells, "I", probability=0.3, weight=nd.Normal("0 pA", "20 pA"), delay=nd.Uniform("1 ms", "3 ms")
    )
    plastic = nd.Connection(cells, cells, "felt", probability=0.3, weight=0.5, rules=nd.stdp(), name="plastic")
    delta = nd.Rule(
        "delta",
        parameters={"eta": 0.02},
        per_step="error = teacher - y\nw += eta*error*x/(sum(x*x) + 0.1)",
    )
    output = nd.Readout(
        "output",
        "rate",
        ("sine",),
        state={"x": "unit", "y": "output"},
        memory={"w": "output*unit"},
        per_step="x = 0.01*r\ny = sum(w*x)",
        rule=delta,
    )
    return nd.Circuit(
        [cells],
        [fixed, plastic],
        inputs=[nd.Input("teacher", ("sine",))],
        filters=[nd.Filter("rate", cells, "20 ms")],
        readouts=[output],
        dt="0.1 ms",
        seed=7,
    )


def session() -> nd.Session:
    """Trials of a sine with labels in the table of trials."""
    t = np.arange(STEPS) * 1e-4
    trials = tuple(
        nd.Trial(STEPS, {"teacher": np.sin(2 * np.pi * 10 * t)[:, None]}, reset=False, labels={"event": event})
        for event in "ABA"[:TRIALS]
    )
    return nd.Session(trials, dt=1e-4, channels={"teacher": ("sine",)})


def record(path: Path) -> Any:
    """Run the network on the interpreter and write the recording."""
    every = [nd.Sample("cells.v", units=range(3), every="1 ms"), nd.Sample("plastic.w", every="10 ms")]
    wanted = ["spikes", *every, nd.Sample("output.y", every="1 ms"), "weights"]
    return nd.simulate(network(), session(), record=wanted, backend="interpreter", out=path)


def summary(recording: Any) -> dict[str, Any]:
    """Every number of a recording, or its sum where there are many, as JSON holds them."""
    entries: dict[str, Any] = {}
    for key in recording:
        value = recording[key]
        if key.startswith("spikes/"):
            entries[key] = {"times": value.times.tolist(), "ids": value.ids.tolist(), "size": value.size}
        else:
            numbers = np.asarray(value.values, dtype=float)
            entries[key] = {
                "dims": list(value.dims),
                "shape": list(value.shape),
                "units": value.attrs.get("units"),
                "sum": float(numbers.sum()),
                "last": numbers.ravel()[-3:].tolist(),
            }
    attributes = ("neurodyn_format", "complete", "seed", "backend", "dtype", "dt_ms", "exactness")
    return {
        "attributes": {name: recording.attrs[name] for name in attributes},
        "config": recording.config,
        "trials": {str(name): column.tolist() for name, column in recording.trials.items()},
        "entries": entries,
    }


if __name__ == "__main__":
    from neurodyn.recording import FORMAT

    target = HERE / f"format_{FORMAT}.h5"
    made = record(target)  # refuses where there is one
    target.with_suffix(".json").write_text(json.dumps(summary(made), indent=1) + "\n")
