"""Tasks: stimuli and targets, as sessions of trials."""

from neurodyn.tasks.gates import local_gate, window_gate
from neurodyn.tasks.nonmatch import DelayedNonmatch
from neurodyn.tasks.protocols import blocks, protocol, sweep, switching
from neurodyn.tasks.signals import PeriodicSignal
from neurodyn.tasks.what_when import WhatWhen, expected

__all__ = [
    "DelayedNonmatch",
    "PeriodicSignal",
    "WhatWhen",
    "blocks",
    "expected",
    "local_gate",
    "protocol",
    "sweep",
    "switching",
    "window_gate",
]
