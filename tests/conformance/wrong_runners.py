"""Runners that break one promise each: the suite has to find every one of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from neurodyn.backends.interpreter import InterpreterEngine
from neurodyn.parts import CircuitError


class Right(InterpreterEngine):
    """Breaks nothing."""


class Late(InterpreterEngine):
    """Delivers every spike a step late."""

    def __init__(self, network, **options: Any) -> None:
        wiring = {name: replace(w, delays=w.delays + 1) for name, w in network.wiring.items()}
        super().__init__(replace(network, wiring=wiring), **options)


class OtherStream(InterpreterEngine):
    """Draws from streams of other names."""

    def draw(self, kind: str, stream: str, size: int) -> np.ndarray:
        return super().draw(kind, f"{stream}'", size)


class Reordered(InterpreterEngine):
    """Adds the sources of a weighted sum from the last to the first."""

    def _sum(self, s) -> None:
        wiring = self.network.wiring[s.name]
        matrix = np.zeros((wiring.indptr.size - 1, self.sums[s.name].size))
        np.add.at(matrix, (wiring.sources, wiring.targets), wiring.weights)
        values = self.histories[s.name][(self.step + 1) % s.delay] if s.late else np.atleast_1d(self.arrays[s.source])
        self.sums[s.name] = sum(
            (w * x for w, x in zip(matrix[::-1], values[::-1], strict=True)), np.zeros(matrix.shape[1])
        )


class Backwards(InterpreterEngine):
    """Adds what arrived over several connections from the last to the first."""

    def __init__(self, network, **options: Any) -> None:
        program = replace(network.program, spikes=network.program.spikes[::-1])
        super().__init__(replace(network, program=program), **options)


class Narrow(InterpreterEngine):
    """Computes in single precision whatever it is asked for."""

    def __init__(self, network, **options: Any) -> None:
        super().__init__(network, **{**options, "dtype": "float32"})

    def advance(self, steps: int, inputs):
        records = super().advance(steps, inputs)
        return replace(records, samples={name: values.astype(float) for name, values in records.samples.items()})


class Drifting(InterpreterEngine):
    """Is off by 1e-10 in every step."""

    def _step(self, inputs):
        fired = super()._step(inputs)
        for population in self.program.populations:
            name = next(a.name for a in self.program.arrays if a.axes == (population,) and a.role == "state")
            self.arrays[name] *= 1 + 1e-10
        return fired


class Lazy(InterpreterEngine):
    """Learns nothing at the end of a trial."""

    def end_trial(self) -> None:
        pass


class Stuck(InterpreterEngine):
    """Begins a trial without returning to the start."""

    def start_trial(self, *, reset: bool, **options: Any) -> None:
        super().start_trial(reset=False, **options)


class Forgetful(InterpreterEngine):
    """Keeps no spikes that are on their way."""

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {k: np.zeros_like(v) if k.startswith("ring/") else v for k, v in super().to_arrays().items()}


class Cutting(InterpreterEngine):
    """Loses spikes on their way at the end of every short chunk."""

    def advance(self, steps: int, inputs):
        records = super().advance(steps, inputs)
        if steps < 50:
            for ring in self.rings.values():
                ring[...] = 0.0
        return records


class Stubborn(InterpreterEngine):
    """Goes back to a stored state, but not to its step."""

    def from_arrays(self, state) -> None:
        step = self.step
        super().from_arrays(state)
        self.step = max(step, self.step)


class Shared(InterpreterEngine):
    """Draws for every network of a batch with the seed of the first."""

    first: int | None = None

    def draw(self, kind: str, stream: str, size: int) -> np.ndarray:
        from neurodyn.kernels.philox import draw

        if Shared.first is None:
            Shared.first = self.network.seed
        return draw(kind, size, seed=Shared.first, step=self.step, stream=stream)


class FirstOrder(InterpreterEngine):
    """Integrates by half of what it should: no state moves by more than a half step."""

    def _step(self, inputs):
        before = {p: self.arrays[f"{p}.x"].copy() for p in self.program.populations}
        fired = super()._step(inputs)
        for population, x in before.items():
            self.arrays[f"{population}.x"][...] = x + 0.999 * (self.arrays[f"{population}.x"] - x)
        return fired


class Vague(InterpreterEngine):
    """Refuses without saying who could."""

    def __init__(self, network, **options: Any) -> None:
        raise CircuitError("not today")


class Choosy(InterpreterEngine):
    """Refuses networks with noise, properly."""

    def __init__(self, network, **options: Any) -> None:
        if "normal" in network.program.to_json():
            raise CircuitError("noise is not supported; use backend 'numba'")
        super().__init__(network, **options)


class Broken(InterpreterEngine):
    """Falls over."""

    def advance(self, steps: int, inputs):
        raise RuntimeError("division by cucumber")


class Noisy32(InterpreterEngine):
    """Is far off in single precision."""

    def _step(self, inputs):
        fired = super()._step(inputs)
        if self.dtype == "float32":
            for population in self.program.populations:
                self.arrays[f"{population}.u"] *= np.float32(1.01)
        return fired
