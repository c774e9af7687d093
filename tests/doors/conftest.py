"""A small recording with everything that a door has to find a place for."""

import numpy as np
import pytest

from neurodyn.recording import Recording, Writer, annotate

DT_MS, STEPS = 0.1, 800


@pytest.fixture(scope="session")
def recording(tmp_path_factory) -> Recording:
    """Two populations, states, a readout, weights at uneven times, a stimulus, trials, results and other arrays."""
    path = tmp_path_factory.mktemp("doors") / "run.h5"
    rng = np.random.default_rng(1)
    header = {
        "dt_ms": DT_MS,
        "duration_ms": STEPS * DT_MS,
        "simulation": "test",
        "seed": 2**40,
        "config": {"gain": [1, 2.5]},
    }
    with Writer(path, header=header) as writer:
        fired = np.flatnonzero(rng.random(STEPS * 6) < 0.02)  # at most one a unit and step
        writer.spikes("cells", fired // 6, fired % 6, size=8)
        writer.spikes("silent", [], [], size=3)
        times = (np.arange(STEPS) + 1) * DT_MS
        v = {"attrs": {"units": "mV"}, "coords": {"unit": [0, 2, 4]}}
        writer.samples("state/cells/v", rng.normal(-60, 5, (STEPS, 3)), times, **v)
        writer.samples(
            "state/cells/u", rng.normal(size=(STEPS, 8)).astype("f4"), times, attrs={"units": "mV (2003 form)"}
        )
        writer.samples("state/plastic/w", rng.normal(size=(20, 12)), times[::40], dims=("time", "synapse"))
        outputs = {"dims": ("time", "output"), "coords": {"output": ["A", "B"]}, "attrs": {"units": "1"}}
        writer.samples("readout/when/y", rng.normal(size=(STEPS, 2)), times, **outputs)
        writer.samples("stimulus/gate", rng.integers(0, 2, STEPS) > 0, times)
        for at in (0.0, 30.0, 70.0, 80.0):
            writer.samples(
                "weights/when/w",
                rng.normal(size=(1, 2, 3)),
                [at],
                dims=("time", "output", "unit"),
                coords={"output": ["A", "B"], "unit": np.arange(3)},
                attrs={"units": "nS/mV"},
            )
        for trial in range(4):
            writer.trial({"event": "AB"[trial % 2], "learning": trial < 2, "cue_ms": 10.0, "start_ms": trial * 20.0,
                          "duration_ms": 20.0})  # fmt: skip
        writer.finish({"accuracy": 0.9, "by block": [1.0, 2.0]}, [{"name": "accuracy", "value": 0.9, "passed": True}])
    annotate(path, data={"curve": np.arange(4.0), "names": np.array(["a", "b"]), "scalar": np.array(2.5)})
    return Recording(path)
