"""Sessions: what happens to a network, trial by trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from neurodyn import units

Label = str | float | int | bool


@dataclass(frozen=True, eq=False)
class Trial:
    """One stretch of time with its inputs.

    Parameters
    ----------
    steps : int
        Length in samples of the session (``Session.dt`` each), at least 1.
    inputs : mapping of name to array
        Values of the circuit's inputs, shape (steps, channels), or (channels,) for a constant.
    learning : bool
        Whether plasticity rules act in this trial.
    calibration : bool
        Whether this trial belongs to the calibration of features (see ``features`` of :class:`neurodyn.WhatWhenRule`).
    reset : bool
        Whether the state of the network returns to its initial distribution before the trial.
    labels : mapping of name to str, float, int or bool
        One row of the trial table of the recording.

    Raises
    ------
    ValueError
        No whole number of steps, or inputs of another shape or not finite.
    """

    steps: int
    inputs: Mapping[str, Any] = field(default_factory=dict)
    learning: bool = True
    calibration: bool = False
    reset: bool = True
    labels: Mapping[str, Label] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.steps, bool) or not isinstance(self.steps, int | np.integer) or self.steps < 1:
            raise ValueError(f"steps = {self.steps!r}: a trial needs a whole number of steps, at least 1")
        clean = {}
        for name, values in self.inputs.items():
            array = np.asarray(values, dtype=np.float64)
            if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[0] != self.steps):
                raise ValueError(
                    f"input {name!r} has shape {array.shape}: give (steps, channels) with steps = {self.steps}, "
                    "or (channels,) for a constant"
                )
            if not np.isfinite(array).all():
                where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
                raise ValueError(f"input {name!r} is {array[where]} at {where}: inputs must be finite")
            clean[name] = array
        object.__setattr__(self, "inputs", clean)


@dataclass(frozen=True, eq=False)
class Session:
    """A list of trials on one time grid.

    Parameters
    ----------
    trials : tuple of Trial
    dt : float
        Sampling interval of the inputs in seconds, or a quantity; a whole multiple of the circuit's step.
    channels : mapping of input name to channel names
    config : mapping
        How the session was made (JSON-able); stored in the recording.

    Raises
    ------
    ValueError
        A step that is not positive and finite, or inputs of trials that don't fit the channels.
    """

    trials: tuple[Trial, ...]
    dt: Any
    channels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "trials", tuple(self.trials))
        number = isinstance(self.dt, int | float | np.number)
        dt = float(self.dt) if number else float(units.si(self.dt, "second", name="dt"))
        object.__setattr__(self, "dt", dt)
        if not 0 < dt < float("inf"):
            raise ValueError(f"dt = {dt!r} s: the sampling interval of a session must be positive and finite")
        for number, trial in enumerate(self.trials):
            for name, values in trial.inputs.items():
                known = self.channels.get(name)
                if known is not None and values.shape[-1] != len(known):
                    raise ValueError(
                        f"trial {number}, input {name!r}: {values.shape[-1]} channels given, the session names {known}"
                    )

    def __len__(self) -> int:
        return len(self.trials)

    @property
    def duration(self) -> float:
        """Total length in seconds."""
        return self.dt * sum(trial.steps for trial in self.trials)

    def __add__(self, other: Session) -> Session:
        """Join two sessions on the same grid and with the same channels."""
        if self.dt != other.dt or dict(self.channels) != dict(other.channels):
            raise ValueError("sessions can be joined only if their dt and their channels agree")
        return replace(self, trials=self.trials + other.trials)

    def to_tree(self) -> dict[str, Any]:
        """Return the session as nested dicts and arrays, for a recording; equal courses of inputs are held once."""
        from neurodyn.trees.sessions import to_tree

        return to_tree(self)

    @staticmethod
    def from_tree(tree: Mapping[str, Any]) -> Session:
        """Rebuild a session from :meth:`to_tree`."""
        from neurodyn.trees.sessions import from_tree

        return from_tree(tree)
