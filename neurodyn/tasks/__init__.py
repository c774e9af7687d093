"""Tasks: stimuli and targets, as sessions of trials."""

from neurodyn.tasks.digits import DelayedMatch, Parity
from neurodyn.tasks.finite_state import FiniteState
from neurodyn.tasks.gates import local_gate, window_gate
from neurodyn.tasks.hidden_markov import HiddenMarkov
from neurodyn.tasks.hidden_markov_choice import choose_hidden_markov, log_likelihood_per_symbol
from neurodyn.tasks.joint_angles import JointAngles
from neurodyn.tasks.nonmatch import DelayedNonmatch
from neurodyn.tasks.primitives import Primitives
from neurodyn.tasks.protocols import blocks, protocol, sweep, switching
from neurodyn.tasks.signals import harmonics, triangle
from neurodyn.tasks.supervisor import Supervisor
from neurodyn.tasks.targets import lorenz, ode_to_joy, product_of_sines, sine, song
from neurodyn.tasks.what_when import WhatWhen, expected

__all__ = [
    "DelayedMatch",
    "DelayedNonmatch",
    "FiniteState",
    "HiddenMarkov",
    "JointAngles",
    "Parity",
    "Primitives",
    "Supervisor",
    "WhatWhen",
    "blocks",
    "choose_hidden_markov",
    "expected",
    "harmonics",
    "local_gate",
    "log_likelihood_per_symbol",
    "lorenz",
    "ode_to_joy",
    "product_of_sines",
    "protocol",
    "sine",
    "song",
    "sweep",
    "switching",
    "triangle",
    "window_gate",
]
