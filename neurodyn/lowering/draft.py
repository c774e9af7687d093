"""A Program in the making: what the lowering of each kind of part reads and adds to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from neurodyn import units
from neurodyn.circuit import Circuit
from neurodyn.language import Symbol
from neurodyn.parts import CircuitError
from neurodyn.program import Array, Axes, Block

#: arrays that every circuit has: the step, the clock, and the kind of the trial
CLOCK = (
    Array("dt", (), "parameter", unit="s"),
    Array("t", (), "clock", unit="s"),
    Array("step", (), "clock"),
    Array("learning", (), "clock", "bool"),
    Array("calibration", (), "clock", "bool"),
)


@dataclass
class Draft:
    """Arrays in declared order, their dimensions, blocks in order, and the lowered equations of populations."""

    circuit: Circuit
    arrays: dict[str, Array] = field(default_factory=dict)
    dimensions: dict[str, units.Dimensions] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    equations: dict[str, Any] = field(default_factory=dict)
    forms: dict[str, str] = field(default_factory=dict)  # of plastic connections, in words

    def array(self, name: str, axes: Axes, role: str, dtype: str = "float", unit: str = "1") -> Array:
        """Declare an array; a name that is taken is refused."""
        if name in self.arrays:
            raise CircuitError(f"{name!r} is declared twice; rename one of the two")
        self.arrays[name] = Array(name, axes, role, dtype, unit)
        return self.arrays[name]

    def arrays_of(self, part: str) -> dict[str, Array]:
        """Return the arrays of a part by their names within it, hidden ones (with @) left out."""
        prefix = f"{part}."
        return {k[len(prefix) :]: a for k, a in self.arrays.items() if k.startswith(prefix) and "@" not in k}

    def variables_of(self, population: str) -> list[str]:
        """Return the names of a population's state variables, for messages and start values."""
        return [name for name, array in self.arrays_of(population).items() if array.role == "state"]

    def clock(self) -> dict[str, Symbol]:
        """Return the names that every text knows."""
        return {
            a.name: Symbol(a.name, a.axes, a.dtype, False, self.dimensions.get(a.name, units.DIMENSIONLESS))
            for a in CLOCK
        }
