"""The seam between :func:`neurodyn.simulate` and what computes: one network on one runner."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurodyn.evaluate import Evaluator
from neurodyn.network import Network, evaluator_of, new_arrays, of_synapses
from neurodyn.plastic_wiring import Events
from neurodyn.program import Program


@dataclass(frozen=True, eq=False)
class SampleSpec:
    """Record ``array`` (one axis, or a single number) of ``units`` every ``every`` steps."""

    array: str
    units: np.ndarray
    every: int = 1

    def rows(self, step: int, steps: int) -> int:
        """Return the number of samples that ``steps`` steps from ``step`` on give."""
        return (step + steps) // self.every - step // self.every


@dataclass(eq=False)
class Records:
    """What one chunk produced: spikes as (steps, units) by population, samples as (rows, units) by array.

    The arrays are the receiver's to keep and to change.
    """

    spikes: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    samples: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Begin:
    """What a run asks of its engine at the start of a trial (see :meth:`Engine.start_trial`)."""

    learning: bool
    calibration: bool
    reset: bool
    inputs: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Advance:
    """What a run asks within a trial: at most so many steps, with ``inputs`` (steps, channels)."""

    steps: int
    inputs: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class End:
    """What a run asks at the end of a trial."""


Request = Begin | Advance | End


class Engine(ABC):
    """One network on one runner.

    ``arrays`` holds every array of the Program and can be read (by closed-loop functions, snapshots) between chunks;
    ``step`` counts the steps done. A runner says what it needs of the caller by ``threads`` (whether engines run side by
    side in threads), ``devices``, ``per_step`` (whether it advances plastic synapses in every step only), and ``early``
    (whether its constructor takes ``steps``, the length of a run, to begin a short one without preparations).
    """

    name = ""
    threads = False
    devices: tuple[str, ...] = ("cpu",)
    per_step = False
    early = False
    arrays: Mapping[str, np.ndarray]
    step: int

    def __init__(
        self,
        network: Network,
        *,
        samples: Sequence[SampleSpec] = (),
        spikes: Sequence[str] = (),
        dtype: str = "float64",
    ) -> None:
        self.network, self.samples, self.recorded, self.dtype = network, tuple(samples), frozenset(spikes), dtype
        self.program = network.program

    @abstractmethod
    def start_trial(
        self, *, learning: bool, calibration: bool, reset: bool, inputs: Mapping[str, np.ndarray] | None = None
    ) -> None:
        """Begin a trial: set its flags, return the state to its start where asked, run the readouts' trial start.

        ``inputs`` are the values (channels,) of the first step, which that code may read.
        """

    @abstractmethod
    def advance(self, steps: int, inputs: Mapping[str, np.ndarray]) -> Records:
        """Advance by ``steps`` with ``inputs`` (steps, channels) and return what was recorded."""

    @abstractmethod
    def end_trial(self) -> None:
        """Run what readouts and rules do at the end of a trial."""

    @abstractmethod
    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return a copy of everything that a continuation needs, the same names and shapes on every runner."""

    @abstractmethod
    def from_arrays(self, state: Mapping[str, np.ndarray]) -> None:
        """Go back to a state from :meth:`to_arrays` of this or another runner."""

    def value(self, name: str, units: np.ndarray | None = None) -> np.ndarray:
        """Return what an array stands for, of some or all ``units``: synapses advanced at events only are brought up to date."""
        view = self.program.view(name)
        if view is None:
            return self.arrays[name] if units is None else self.arrays[name][units]
        chosen = np.arange(self.network.sizes[str(view.spikes_of)]) if units is None else units
        evaluator = evaluator_of(self.program, self.arrays, self.network.sizes, self.network.seed)
        return np.asarray(evaluator.run(view, chosen))

    def infinite(self) -> tuple[str, list[int]] | None:
        """Return the first array with a number that is not finite, and its index; None if all is well."""
        for name in watched(self.program):
            values = np.atleast_1d(self.arrays[name])
            if not np.isfinite(values).all():
                return name, np.argwhere(~np.isfinite(values))[0].tolist()
        return None


def joined(engine: Engine, parts: Sequence[Records]) -> Records:
    """Return the records of several chunks as those of one."""
    empty = Records(
        {p: (np.empty(0, np.int64), np.empty(0, np.int32)) for p in engine.recorded},
        {s.array: np.empty((0, s.units.size), engine.dtype) for s in engine.samples},
    )
    whole = list(parts) or [empty]
    return Records(
        {p: tuple(np.concatenate(c) for c in zip(*(r.spikes[p] for r in whole), strict=True)) for p in empty.spikes},  # type: ignore[misc]
        {a: np.concatenate([r.samples[a] for r in whole]) for a in empty.samples},
    )


def watched(program: Program) -> list[str]:
    """Return the names of the arrays that must stay finite."""
    return [a.name for a in program.arrays if a.role in ("state", "memory") and a.dtype == "float"]


class HostEngine(Engine):
    """An engine whose arrays are NumPy's: delay rings and the borders of trials; subclasses implement :meth:`advance`."""

    def __init__(self, network: Network, **options: Any) -> None:
        super().__init__(network, **options)
        self.step = 0
        self.arrays: dict[str, np.ndarray] = new_arrays(network)
        self._cast()
        sizes = network.sizes
        length = {s.name: int(network.wiring[s.name].delays.max(initial=0)) + 1 for s in self.program.spikes}
        self.rings = {
            s.name: aligned(np.zeros((1 if s.plastic else length[s.name], sizes[s.target_population])), self.dtype)
            for s in self.program.spikes
        }
        plastic = [s for s in self.program.spikes if s.plastic]
        self.events = {s.name: Events.of(network.wiring[s.name], sizes[s.target_population]) for s in plastic}
        # who fired in the step k: row k modulo length, its number first
        self.emitted = {s.name: np.zeros((length[s.name], sizes[s.source] + 1), np.int32) for s in plastic}
        for s in plastic:
            self.arrays[f"{s.name}@arriving"] = self.rings[s.name][0]
        self.histories = {
            s.name: np.zeros((max(s.delay, 1), self.arrays[s.source].size), self.dtype) for s in self.program.sums
        }
        self.sums = {s.name: np.zeros(sizes[s.target_population], self.dtype) for s in self.program.sums}
        self._started = False
        self.evaluator = Evaluator.of(self.program, self.arrays, sizes, self.draw, self._rls)
        self.evaluator.dtype = np.dtype(self.dtype).type
        for block in self.program.phase("start"):
            self.evaluator.run(block)

    def _cast(self) -> None:
        for array in self.program.arrays:
            dtype = self.dtype if array.dtype == "float" and not array.wide else self.arrays[array.name].dtype
            if of_synapses(array, self.network) and self.arrays[array.name].dtype == dtype:
                continue  # shared with the network (see new_arrays)
            self.arrays[array.name] = aligned(self.arrays[array.name], dtype)

    def draw(self, kind: str, stream: str, size: int) -> np.ndarray:
        """Return the draws of this step."""
        from neurodyn.kernels.philox import draw

        return draw(kind, size, seed=self.network.seed, step=self.step, stream=stream)

    def _rls(
        self, arrays: Mapping[str, np.ndarray], matrix: str, x: np.ndarray, forgetting: Any, old_gain: Any = 0.0
    ) -> np.ndarray:
        """Recursive least squares in plain NumPy (the definition; see :func:`neurodyn.kernels.rls.rls_gain`)."""
        p = arrays[matrix]
        px = np.zeros(len(p))
        for row, xj in zip(p, x, strict=True):  # in index order, as compiled runners do
            px += row * xj
        scale = 1.0 / (forgetting + np.add.accumulate(np.concatenate(([0.0], x * px)))[-1])
        p -= scale * np.multiply.outer(px, px)
        if forgetting != 1.0:
            p *= 1.0 / forgetting
        return px if old_gain else px * scale

    def start_trial(
        self, *, learning: bool, calibration: bool, reset: bool, inputs: Mapping[str, np.ndarray] | None = None
    ) -> None:
        """Begin a trial (see :meth:`Engine.start_trial`)."""
        for name, row in (inputs or {}).items():
            array = self.arrays[f"{name}.value"]
            array[...] = row if array.ndim else row[0]
        self.arrays["learning"][...] = learning
        self.arrays["calibration"][...] = calibration
        self._clock()
        if reset or not self._started:
            for block in self.program.phase("initial"):
                self.evaluator.run(block)
            for buffer in (*self.rings.values(), *self.emitted.values(), *self.histories.values()):
                buffer[...] = 0
        self._started = True
        for block in self.program.phase("trial_start"):
            self.evaluator.run(block)
        self.changed()

    def end_trial(self) -> None:
        """Run what readouts and rules do at the end of a trial."""
        for block in self.program.phase("trial_end"):
            self.evaluator.run(block)
        self.changed()

    def changed(self) -> None:
        """Take note that arrays were written from outside (for runners that keep a copy)."""

    def _clock(self) -> None:
        self.arrays["step"][...] = self.step
        self.arrays["t"][...] = self.step * float(self.arrays["dt"])

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return a copy of everything that a continuation needs."""
        state = {f"array/{a.name}": self.arrays[a.name].copy() for a in self.program.arrays if a.kept}
        for kind, group in (("ring", self.rings), ("emitted", self.emitted), ("history", self.histories)):
            state |= {f"{kind}/{k}": v.copy() for k, v in group.items()}
        for name in self.emitted:  # without what older spikes have left behind in a row
            rows = state[f"emitted/{name}"]
            rows[:, 1:][np.arange(rows.shape[1] - 1) >= rows[:, :1]] = 0
        return {**state, "step": np.int64(self.step), "started": np.bool_(self._started)}  # type: ignore[dict-item]

    def from_arrays(self, state: Mapping[str, np.ndarray]) -> None:
        """Go back to a state from :meth:`to_arrays`; ValueError for lists of spikes that can't be."""
        for name in self.emitted:  # compiled code follows these numbers blindly
            rows = np.asarray(state[f"emitted/{name}"])
            sources = self.emitted[name].shape[1] - 1
            if rows.shape != self.emitted[name].shape or rows.min(initial=0) < 0 or rows.max(initial=0) > sources or (rows[:, 1:] >= max(sources, 1)).any():  # fmt: skip
                raise ValueError(
                    f"state: emitted/{name} holds no lists of units of its {sources} sources; the checkpoint is damaged"
                )
        groups = {"array": self.arrays, "ring": self.rings, "emitted": self.emitted, "history": self.histories}
        for key, value in state.items():
            kind, _, name = key.partition("/")
            if kind in groups:
                groups[kind][name][...] = value
        self.step, self._started = int(state["step"]), bool(state["started"])
        self.changed()


def aligned(array: np.ndarray, dtype: Any) -> np.ndarray:
    """Return a copy that begins at a cache line: vectors of 64 bytes that straddle two lines cost twice."""
    dtype = np.dtype(dtype)
    size = array.size * dtype.itemsize
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    out = raw[start : start + size].view(dtype).reshape(array.shape)
    out[...] = array
    return out
