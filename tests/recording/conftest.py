"""A small run with everything that a recording can hold."""

import h5py
import numpy as np
import pytest

from neurodyn.recording import Writer

DT_MS = 0.1
NETWORK = {
    "name": "two populations",
    "populations": {
        "cells": {"size": 6, "tau": "20 ms", "v": np.linspace(-70, -50, 6)},
        "inhibitory": {"size": 2},
    },
    "connections": {"cells -> cells": {"weights": np.eye(6), "pre": np.arange(4), "delay": np.zeros(0, np.int32)}},
    "seed": 2**63 + 5,
    "plastic": True,
    "nothing": None,
    "order": ["cells", "inhibitory"],
}


def record(writer, trials=4, steps=200):
    """Feed `writer` a run of so many trials; the same every time."""
    rng = np.random.default_rng(1)
    writer.tree("network", NETWORK)
    for trial in range(trials):
        start = trial * steps
        fired = np.sort(rng.integers(0, steps, 50)) + start
        writer.spikes("cells", fired, rng.integers(0, 6, 50), size=6)
        writer.spikes("silent", [], [], size=3)
        every, coarse = np.arange(start, start + steps) + 1, np.arange(start, start + steps, 10) + 10
        cells = {"attrs": {"units": "mV"}, "coords": {"unit": [0, 2, 4]}}
        writer.samples("state/cells/v", rng.normal(size=(steps, 3)), every * DT_MS, **cells)
        writer.samples("state/cells/u", rng.normal(size=(steps, 3)).astype("f4"), every * DT_MS, **cells)
        writer.samples("state/cells/w", rng.normal(size=(len(coarse), 6)), coarse * DT_MS, attrs={"units": "pA"})
        writer.samples(
            "readout/when/expectation",
            rng.normal(size=(steps, 2)),
            every * DT_MS,
            dims=("time", "output"),
            coords={"output": ["A", "B"]},
            attrs={"units": "1"},
        )
        writer.samples("readout/when/error", rng.normal(size=steps), every * DT_MS, attrs={"units": "1"})
        writer.samples("stimulus/gate", rng.integers(0, 2, steps) > 0, every * DT_MS)
        writer.samples(
            "weights/when/w",
            rng.normal(size=(1, 2, 6)),
            [(start + steps) * DT_MS],
            dims=("time", "output", "unit"),
        )
        writer.trial({"block": trial // 2, "phase": "train", "event": None if trial else "A", "learning": trial < 3,
                      "latency_ms": None if trial == 2 else 150.0 * trial})  # fmt: skip


def header(**more):
    return {
        "dt_ms": DT_MS,
        "simulation": "test",
        "seed": 3,
        "config": {"neurons": 6, "gain": [1, 2.5]},
        **more,
    }


def read_all(file):
    """Everything in a file but the attributes of its root: (kind, values, attributes) by path."""
    found = {}

    def visit(name, item):
        attrs = {key: np.asarray(value).tolist() for key, value in item.attrs.items() if "LIST" not in key}
        values = (
            (item.dtype, item.shape, item[()].tobytes() if item.dtype.kind != "O" else item[()].tolist())
            if isinstance(item, h5py.Dataset)
            else None
        )
        found[name] = (values, attrs)

    file.visititems(visit)
    return found


@pytest.fixture
def content():
    return read_all


@pytest.fixture
def run_header():
    return header


@pytest.fixture
def feed():
    return record


@pytest.fixture
def network():
    return NETWORK


@pytest.fixture
def recording(tmp_path):
    with Writer(tmp_path / "run.h5", header=header(duration_ms=90.0)) as writer:
        record(writer)
        return writer.finish({"accuracy": 0.9}, [{"name": "accuracy", "value": 0.9, "threshold": ">= 0.8",
                                                  "reference": 0.93, "source": "a paper", "passed": True}])  # fmt: skip
