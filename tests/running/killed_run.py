"""A process to be killed: it simulates into a file, goes on where it stopped, and checkpoints every few milliseconds."""

from __future__ import annotations

import functools
import sys

import neurodyn as nd
from neurodyn.recording import Writer
from neurodyn.running import recorder


def described(trials=80):
    """The circuit, the session and the options of the run."""
    task = nd.tasks.WhatWhen(latencies=("60 ms", "90 ms"), trial="200 ms", cue="30 ms", window="60 ms")
    session = task.session(trials=trials, calibration=1, test_trials=1, seed=5)
    options = {"learn": nd.WhatWhenRule(when=nd.FORCE()), "record": ["spikes", "readout", "weights"]}
    return nd.SpikingReservoir(40, seed=5), session, options


if __name__ == "__main__":
    net, session, options = described(*map(int, sys.argv[2:]))
    recorder.Writer = functools.partial(Writer, segment_s=0.02)
    print("ready", flush=True)
    nd.simulate(net, session, out=sys.argv[1], resume=True, **options)
