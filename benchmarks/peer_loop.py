"""What a peer's process does: builds a network from an .npz, then runs it from its start for each line it is sent.

It lives in the peer's environment, so it needs no more than NumPy. Answers are lines of JSON on a pipe of their own, since
peers print what they like on standard output.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

#: what runs a network once: the CPU seconds of its step loop and the number of spikes
Run = Callable[[], tuple[float, int]]


def cpu_seconds() -> float:
    """Return the CPU time of this process and of the compilers that it waited for."""
    used = os.times()
    return time.process_time() + used.children_user + used.children_system


def serve(build: Callable[[Mapping[str, Any], float], Run], version: Callable[[], str]) -> None:
    """Build the network of the file that the command line names, for so many seconds, and answer into the pipe it names."""
    answers = os.fdopen(int(sys.argv[3]), "w")
    with np.load(sys.argv[1]) as file:
        numbers = {name: file[name] if file[name].ndim else file[name].item() for name in file.files}
    start = cpu_seconds()
    run = build(numbers, float(sys.argv[2]))
    print(json.dumps({"build_s": cpu_seconds() - start, "version": version()}), file=answers, flush=True)
    for _ in sys.stdin:
        seconds, spikes = run()
        print(json.dumps({"seconds": seconds, "spikes": spikes}), file=answers, flush=True)


def synapses(numbers: Mapping[str, Any], name: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Return (sources, targets, weight) of the connection ``name`` of a network of Vogels and Abbott."""
    return numbers[f"{name}_sources"], numbers[f"{name}_targets"], float(numbers[f"{name}_weight"])
