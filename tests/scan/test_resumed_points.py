"""Points that were stopped go on from their checkpoints."""

import os
import signal
import threading
import time
from typing import Any

import h5py
import numpy as np

import neurodyn as nd
from neurodyn.scan import Scan

CIRCUIT = """
import neurodyn as nd

@nd.simulation
def learning(*, neurons: int = 20, seed: int = 1, out: str = "learning.h5"):
    "A reservoir that learns when to expect an event."
    short = {"cue": "20 ms", "event_duration": "10 ms", "window": "20 ms", "width": "10 ms", "trial": "120 ms"}
    task = nd.tasks.WhatWhen(latencies=("40 ms", "80 ms"), **short)
    net = nd.SpikingReservoir(neurons=neurons, connection_probability=0.3, seed=seed)
    run = nd.simulate(net, task.session(trials=2), learn=nd.WhatWhenRule(), record=["spikes", "readout", "weights"],
                      out=out, backend="interpreter")
    return {"steps": int(run["readout"].sizes["time"])}
"""


def numbers(path):
    """Everything in a recording but what says when and where it was made."""
    found = dict[str, Any]()
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def test_points_that_were_stopped_go_on_where_they_were_with_the_same_numbers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(CIRCUIT)
    words = {"grid": {"neurons": [20]}, "seeds": 1}
    whole = Scan(f"{script}:learning", out=tmp_path / "whole", **words)
    whole.run()
    scan = Scan(f"{script}:learning", out=tmp_path / "scan", **words)

    def under_way():
        return list((scan.path / "work").glob("*/.*.parts"))

    def stop():
        while not under_way():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop, daemon=True).start()
    assert scan.run(workers=1) == "stopped: told to by SIGTERM"
    [left] = [path for path in (scan.path / "work").iterdir() if path.is_dir()]
    assert list(left.glob(".*.parts/*")) and scan.folder.done() == set()
    assert scan.run() == ""
    assert list((scan.path / "work").iterdir()) == []
    for point in scan.folder.points():
        mine, theirs = numbers(scan.folder.recording(point.key)), numbers(whole.folder.recording(point.key))
        assert mine.keys() == theirs.keys() and mine
        for name, values in mine.items():
            np.testing.assert_array_equal(values, theirs[name], err_msg=name)
        assert len(nd.load(scan.folder.recording(point.key)).attrs["resumed"]) == 1
