"""Hidden Markov models that are emulated, how networks are trained on each, and the two sizes of experiments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neurodyn.tasks import HiddenMarkov

SOURCE = "Torre et al. 2025"


@dataclass(frozen=True)
class Family:
    """A target, and the numbers of its trainings.

    Attributes
    ----------
    length, clip, updates : int, float, int
        As published; ``updates`` of a small network are ``few``.
    distance : (float, float)
        Published aligned distance between samples of the target, and between the target and the best network.
    """

    target: Any
    length: int
    clip: float
    updates: int
    few: int
    distance: tuple[float, float]


FAMILIES = {
    "two": Family(HiddenMarkov.chain(2), 100, 0.9, 1500, 1500, (4.551, 4.294)),
    "three": Family(HiddenMarkov.chain(3), 30, 0.9, 1500, 1200, (7.285, 7.235)),
    "four": Family(HiddenMarkov.chain(4), 30, 0.9, 1500, 1500, (7.513, 7.527)),
    "five": Family(HiddenMarkov.chain(5), 40, 0.9, 1500, 1500, (7.519, 7.567)),
    "fully": Family(HiddenMarkov.fully_connected(), 30, 0.3, 3000, 3000, (1.355, 1.431)),
    "cyclic": Family(HiddenMarkov.cyclic(), 40, 0.3, 1500, 1500, (3.322, 3.201)),
}


@dataclass(frozen=True)
class Size:
    """Numbers that a published and a small experiment differ in."""

    units: int
    noise_inputs: int
    batch: int


PAPER = Size(units=150, noise_inputs=100, batch=4096)
SMALL = Size(units=50, noise_inputs=10, batch=512)
