"""What the numbers of spectra and noise mean: the conventions that differ between papers, written into every result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ._checks import choice


@dataclass(frozen=True)
class Conventions:
    """Conventions of a result about noise or spectra; ``print`` shows them in a line.

    Attributes
    ----------
    sided : "one" or "two"
        Whether a spectral density holds positive frequencies alone, with all of the power (S_one = 2 S_two), or both signs.
    frequency : "cycles" or "radians"
        What a density is taken over, and a frequency counted in: f or omega = 2 pi f, per unit of time. A density per cycle is
        2 pi times that per radian.
    noise : "D" or "sigma"
        What a noise level is: the D of <xi xi> = 2 D delta, or sigma with sigma^2 = 2 D.
    time : str
        The unit of time, "ms" in recordings.
    """

    sided: Literal["one", "two"] = "one"
    frequency: Literal["cycles", "radians"] = "cycles"
    noise: Literal["D", "sigma"] = "D"
    time: str = "ms"

    def __post_init__(self) -> None:
        choice(self.sided, "sided", ("one", "two"))
        choice(self.frequency, "frequency", ("cycles", "radians"))
        choice(self.noise, "noise", ("D", "sigma"))

    def __str__(self) -> str:
        unit = "cycles" if self.frequency == "cycles" else "radians"
        return f"{self.sided}-sided spectra over {unit} per {self.time}, noise as {self.noise}"
