"""Our part of a step beside Brian2's: inputs, weighted sums, filters, readouts and rules, on shared arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.backends.equations import EquationsError
from neurodyn.backends.interpreter import InterpreterEngine
from neurodyn.circuit import Circuit
from neurodyn.language import ModelError
from neurodyn.network import Network
from neurodyn.parts import CircuitError
from neurodyn.program import LAST_PHASES


class Host(InterpreterEngine):
    """Our part of a step (inputs, weighted sums, filters, readouts, rules) beside Brian2's, on shared arrays."""

    built: Any = None  # what Brian2 computes (see :func:`neurodyn.backends.brian2_build.build`)

    def __init__(self, network: Network, **options: Any) -> None:
        super().__init__(network, **options)
        self._mirrors: list[tuple[str, np.ndarray]] = []  # arrays that Brian2 holds in another type
        self._fired: dict[str, np.ndarray] = {}

    def operations(self) -> list[tuple[Callable[[], None], str, int]]:
        """Return our part of a step as (function, slot, order) of Brian2's schedule."""
        from neurodyn.backends.brian2_build import slot

        made: list[tuple[Callable[[], None], str, int]] = [(self._before, "start", -1000)]
        for population in dict.fromkeys(s.target_population for s in self.program.sums):
            made.append((partial(self._sums_onto, population), "groups", slot(self.network, population) - 1))
        if any(s.plastic for s in self.program.spikes):  # Brian2 moves the weights in between
            made += [(self._share, "synapses", -1000), (self._share, "end", 1001), (self._finally, "end", 10**6)]
        return [*made, (self._after, "end", 1000)]

    def adopt(self, built: Any) -> None:
        """Hold Brian2's arrays instead of ours, so that each side sees at once what the other writes."""
        self.built = built
        for array in self.program.arrays:
            population, _, name = array.name.partition(".")
            if population not in self.program.populations or array.role != "state":
                continue
            variable = built.groups[population].variables.get(name)
            if variable is None:  # last_spike, which counts in steps
                continue
            ours, theirs = self.arrays[array.name], variable.get_value()
            if (theirs.dtype, theirs.shape) == (ours.dtype, ours.shape):
                theirs[...] = ours
                self.arrays[array.name] = theirs
            else:
                self._mirrors.append((array.name, theirs))
        for plastic in built.plastic.values():
            for name, variable in plastic.kept.items():
                theirs = variable.get_value()
                theirs[...] = self.arrays[name]
                self.arrays[name] = theirs
        self.changed()

    def changed(self) -> None:
        """Hand over what can't be shared: times of last spikes, and variables of other types."""
        for name, theirs in self._mirrors:
            theirs[...] = self.arrays[name] if theirs.shape == self.arrays[name].shape else self.arrays[name].flat[0]
        for plastic in self.built.plastic.values() if self.built is not None else ():
            plastic.spread(self.arrays)
        for population, group in self._refractory():
            from neurodyn.backends.brian2_build import LONG_AGO

            last = self.arrays[f"{population}.last_spike"]
            seconds = np.where(last < 0, LONG_AGO, last * float(self.arrays["dt"]))
            group.variables["lastspike"].set_value(seconds)

    def _refractory(self) -> Iterator[tuple[str, Any]]:
        for population in self.program.spiking:
            if f"{population}.last_spike" in self.arrays and self.built is not None:
                yield population, self.built.groups[population]

    def _before(self) -> None:
        self._clock()
        self._receive(self._inputs())

    def _inputs(self) -> Mapping[str, np.ndarray]:
        return {}

    def _after(self) -> None:
        for population, group in self.built.groups.items():
            if population in self.program.spiking or population in self.program.spike_sources:
                space = group.variables["_spikespace"].get_value()
                self._fired[population] = space[: space[-1]].copy()
        for population, _ in self._refractory():
            self.arrays[f"{population}.last_spike"][self._fired[population]] = self.step
        for name, theirs in self._mirrors:
            self.arrays[name][...] = theirs
        for s in self.program.spikes:
            if s.plastic:
                self._note(s, self._fired)
                self._run("paired", s.name, self._fired.get(s.target_population, np.empty(0, np.int64)))
        if self.built.plastic:
            self._last(LAST_PHASES[:-2], self._fired)
        else:
            self._read_out(self._fired)

    def _share(self) -> None:
        """Hand over what plastic connections read."""
        for plastic in self.built.plastic.values():
            plastic.share(self.arrays)

    def _finally(self) -> None:
        """Do what follows when Brian2 has moved the weights."""
        if self.built.plastic:
            self._last(LAST_PHASES[-2:], self._fired)
            self._remember()

    def _last(self, phases: Sequence[str], fired: Mapping[str, np.ndarray]) -> None:
        for phase in phases:
            for block in self.program.phase(phase):
                if not (phase == "weights" and block.owner in self.built.plastic):
                    self.evaluator.run(block, fired.get(block.spikes_of or ""))


@contextmanager
def prepared(circuit: Circuit) -> Iterator[Any]:
    """Brian2 with our settings, quiet, and with its errors explained."""
    with explained(circuit):
        from neurodyn.backends.equations_brian2 import brian2_settings, catch_logs

        with brian2_settings() as brian2, catch_logs(), np.errstate(all="ignore"):
            yield brian2


@contextmanager
def explained(circuit: Circuit) -> Iterator[None]:
    """Errors of Brian2 as ours, with the name of the circuit and what to do."""
    try:
        yield
    except (CircuitError, ModelError, EquationsError, units.UnitsError):
        raise
    except Exception as error:
        from neurodyn.backends.equations_brian2 import root_cause

        raise CircuitError(
            f"Brian2 can't express the circuit {circuit.name!r}: {root_cause(error)}; use backend 'numba' or 'interpreter'"
        ) from error
