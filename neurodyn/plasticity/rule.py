"""The description of a plasticity rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, eq=False)
class Rule:
    """How the memory of a readout changes, in the model language.

    The text knows everything the readout's own code knows, and runs only while learning is on. ``per_step`` runs
    after the readouts of a step, ``trial_start`` and ``trial_end`` at the borders of a trial.

    Parameters
    ----------
    name : str
    per_step, trial_start, trial_end : str
        For example ``w += eta*gate*(target - y)*x/sum(x*x)``.
    parameters : mapping of name to number
    state, memory : mapping of name to axes, or (axes, start value)
        Further arrays, declared as those of :class:`neurodyn.Readout`.
    """

    name: str
    per_step: str = field(default="", kw_only=True)
    trial_start: str = field(default="", kw_only=True)
    trial_end: str = field(default="", kw_only=True)
    parameters: Mapping[str, float] = field(default_factory=dict, kw_only=True)
    state: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    memory: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
