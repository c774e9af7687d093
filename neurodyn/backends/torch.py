"""The batched runner: many networks of one Program at once, as tensors on the CPU or a GPU.

On the CPU every network gives the bits of the interpreter: draws come from the same compiled Philox, sums run in index
order, synapses add in the order (source, synapse). On a GPU a generated Triton kernel steps each network through a
whole chunk in one launch (:mod:`neurodyn.backends.fused`); what it can't run falls back to tensors, with a warning. There
sums over units and the logarithm of normal draws differ in the last bits, so that spikes of chaotic networks part company
sooner or later.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from neurodyn.backends.engine import Begin, Engine, Records, SampleSpec, watched
from neurodyn.backends.fused import Fired, FusedStep
from neurodyn.backends.layout import Layout
from neurodyn.backends.memory import check_memory
from neurodyn.backends.tensor_step import TensorStep
from neurodyn.network import Network

_PARALLEL = 2**20  # elements of the largest tensor from which several threads pay


class TorchBatch:
    """Networks of one Program that advance together, step by step; ``engines`` are its networks one by one."""

    def __init__(
        self,
        networks: Sequence[Network],
        *,
        samples: Sequence[Sequence[SampleSpec]] = (),
        spikes: Sequence[str] = (),
        dtype: str = "float64",
        device: str = "cpu",
    ) -> None:
        self.networks, self.program = tuple(networks), networks[0].program
        self.samples = [tuple(s) for s in samples] or [()] * len(networks)
        self.recorded = frozenset(spikes)
        self.device = torch.device(device)
        check_memory(networks, dtype, self.device)
        self.layout = Layout(networks, dtype, self.device)
        self.arrays = self.layout.arrays
        self.tensors = TensorStep(self.layout)
        self._sampled = [self._units(number) for number in range(len(self.samples[0]))]
        self.fused = self._fused() if self.device.type == "cuda" else None
        self.started = np.zeros(len(networks), bool)
        self._finite: np.ndarray | None = None
        self.engines = [
            TorchEngine(n, samples=s, spikes=spikes, dtype=dtype, batch=self, lane=k)
            for k, (n, s) in enumerate(zip(networks, self.samples, strict=True))
        ]
        self.tensors.run("start")

    @property
    def step(self) -> int:
        """Number of steps done."""
        return self.tensors.number

    @step.setter
    def step(self, number: int) -> None:
        self.tensors.number = number

    def begin(self, trials: Mapping[int, Begin]) -> None:
        """Begin trials of the networks named by their place in the batch."""
        self._finite = None
        for name in self.program.inputs:
            rows = {lane: trial.inputs[name] for lane, trial in trials.items() if name in trial.inputs}
            self._set(f"{name}.value", rows)
        self._set("learning", {lane: trial.learning for lane, trial in trials.items()})
        self._set("calibration", {lane: trial.calibration for lane, trial in trials.items()})
        self.tensors.clock()
        fresh = [lane for lane, trial in trials.items() if trial.reset or not self.started[lane]]
        if fresh:
            mask = self._mask(fresh)
            self.tensors.run("initial", mask=mask)
            for buffer in self.layout.buffers.values():
                buffer[... if mask is None else mask] = 0.0
            self.started[fresh] = True
        self.tensors.run("trial_start", mask=self._mask(trials))

    def end(self, lanes: Iterable[int]) -> None:
        """Run what readouts and rules of these networks do at the end of a trial."""
        self._finite = None
        self.tensors.run("trial_end", mask=self._mask(lanes))

    def advance(self, steps: int, inputs: Mapping[int, Mapping[str, np.ndarray]]) -> list[Records]:
        """Advance all networks by ``steps`` with the ``inputs`` (steps, channels) of those that have some."""
        self._finite = None
        with self._threads():
            return self._advance(steps, inputs)

    @contextmanager
    def _threads(self) -> Iterator[None]:
        """Keep small tensors on one thread: waiting for a second one costs more than it does, several times if it is busy."""
        largest = max((t.numel() for t in self.arrays.values()), default=0)
        if self.device.type != "cpu" or largest >= _PARALLEL or torch.get_num_threads() == 1:
            yield
            return
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def _advance(self, steps: int, inputs: Mapping[int, Mapping[str, np.ndarray]]) -> list[Records]:
        given = {name: self._stacked(name, steps, inputs) for name in self.program.inputs}
        if self.fused is not None:
            records = self._records(*self.fused.advance(self.step, steps, given))
            self.step += steps
            return records
        spikes: dict[str, list[tuple[int, torch.Tensor]]] = {p: [] for p in self.recorded}
        samples = {s.array: self._sample_buffer(number, steps) for number, s in enumerate(self.samples[0])}
        rows = dict.fromkeys(samples, 0)
        for k in range(steps):
            self.tensors.clock()
            for name, values in given.items():
                self.arrays[f"{name}.value"].copy_(values[k])
            fired = self.tensors.make()
            for population in self.recorded:
                spikes[population].append((self.step, fired[population]))
            self.step += 1
            for number, spec in enumerate(self.samples[0]):
                if self.step % spec.every == 0:
                    samples[spec.array][rows[spec.array]] = self._seen(spec.array, self._sampled[number])
                    rows[spec.array] += 1
        return self._records({p: self._fired(p, found) for p, found in spikes.items()}, samples)

    def infinite(self) -> list[int]:
        """Return the networks in which a number is not finite."""
        if self._finite is None:
            good = torch.ones(len(self.networks), dtype=torch.bool, device=self.device)
            for name in watched(self.program):
                values, axes = self.arrays[name], self.program.array(name).axes
                finite = values.isfinite()
                for number, axis in enumerate(axes):
                    if axis in self.layout.valid:
                        valid = self.layout.valid[axis]
                        shape = [len(valid), *(valid.shape[1] if k == number else 1 for k in range(len(axes)))]
                        finite = finite | ~valid.reshape(shape)
                good &= finite.reshape(len(good), -1).all(1) if finite.numel() else good
            self._finite = good.cpu().numpy()
        return np.flatnonzero(~self._finite).tolist()

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of what changes, on the device."""
        arrays = {a.name: self.arrays[a.name].clone() for a in self.program.arrays if a.kept}
        buffers = {name: buffer.clone() for name, buffer in self.layout.buffers.items()}
        return {"arrays": arrays, "buffers": buffers, "step": self.step, "started": self.started.copy()}

    def restore(self, lane: int, state: Mapping[str, Any]) -> None:
        """Set the state of one network; all networks of a batch have to be at one step."""
        self.layout.restore(lane, state)
        self.started[lane] = bool(state["started"])
        self.step, self._finite = int(state["step"]), None

    def alone(self, lane: int, snapshot: Mapping[str, Any]) -> TorchEngine:
        """Return one network by itself, in the state of a snapshot."""
        engine = self.engines[lane]
        single = TorchEngine(engine.network, samples=engine.samples, spikes=tuple(engine.recorded), dtype=engine.dtype, device=str(self.device))  # fmt: skip
        state = self.layout.state(lane, snapshot["arrays"], snapshot["buffers"], snapshot["step"])
        single.from_arrays({**state, "started": snapshot["started"][lane]})
        return single

    # -- what comes and goes -------------------------------------------------------------------------------------

    def _mask(self, lanes: Iterable[int]) -> torch.Tensor | None:
        mask = torch.zeros(len(self.networks), dtype=torch.bool)
        mask[list(lanes)] = True
        return None if bool(mask.all()) else mask.to(self.device)

    def _set(self, name: str, values: Mapping[int, Any]) -> None:
        """Set an array of some networks, all of it at once."""
        array = self.arrays[name]
        if values:
            rows = self.layout.tensor(np.array(list(values.values())).reshape(len(values), *array.shape[1:]))
            array[self.layout.tensor(np.array(list(values)))] = rows.to(array.dtype)

    def _stacked(self, name: str, steps: int, inputs: Mapping[int, Mapping[str, np.ndarray]]) -> torch.Tensor:
        """Return an input of all networks (steps, networks, \\*channels), 0 where none is given; what several share travels once."""
        channels = tuple(self.arrays[f"{name}.value"].shape[1:])
        different: dict[Any, int] = {}
        rows, which = [np.zeros((steps, *channels))], np.zeros(len(self.networks), np.int64)
        for lane, given in inputs.items():
            values = given[name]
            where = (values.__array_interface__["data"][0], values.strides, values.shape)
            if where not in different:
                different[where] = len(rows)
                rows.append(values.reshape(steps, *channels))
            which[lane] = different[where]
        if len(inputs) == len(self.networks):
            rows, which = rows[1:], which - 1
        found = self.layout.tensor(np.stack(rows)).to(self.layout.dtype)
        if len(rows) == 1:
            return found[0, :, None].expand(steps, len(self.networks), *channels).contiguous()
        return found.transpose(0, 1)[:, self.layout.tensor(which)]

    def _sample_buffer(self, number: int, steps: int) -> torch.Tensor:
        spec, width = self.samples[0][number], max(s[number].units.size for s in self.samples)
        values = self.arrays[spec.array]
        return torch.empty(
            (spec.rows(self.step, steps), len(self.networks), width), dtype=values.dtype, device=self.device
        )

    def _seen(self, array: str, index: torch.Tensor | None) -> torch.Tensor:
        """Return the values of recorded units, (networks, units)."""
        values, view = self.arrays[array], self.program.view(array)
        values = values[:, None] if values.ndim == 1 else values
        if view is None:
            return values if index is None else values.gather(1, index)
        lanes, width = torch.arange(len(values), device=self.device)[:, None], values.shape[1]
        at = lanes * width + (torch.arange(width, device=self.device) if index is None else index)
        return self.tensors.events("view", array, at.reshape(-1)).reshape(at.shape)

    def _units(self, number: int) -> torch.Tensor | None:
        """Return which units of a recorded array are taken, (networks, units); None for all."""
        array, ids = self.arrays[self.samples[0][number].array], [s[number].units for s in self.samples]
        width, whole = max(i.size for i in ids), array.shape[1] if array.ndim > 1 else 1
        if width == whole and all(np.array_equal(i, np.arange(i.size)) for i in ids):
            return None
        index = np.zeros((len(ids), width), np.int64)
        for lane, i in enumerate(ids):
            index[lane, : i.size] = i
        return self.layout.tensor(index)

    def _fused(self) -> FusedStep | None:
        """Return the kernel that makes all steps of a chunk in one launch, or None where tensors have to do it."""
        try:
            return FusedStep(self.layout, self.samples, tuple(self.recorded))
        except NotImplementedError as error:
            warnings.warn(f"steps are made tensor by tensor, which is slower: {error}", RuntimeWarning, stacklevel=4)
            return None

    def _fired(self, population: str, found: list[tuple[int, torch.Tensor]]) -> Fired:
        """Return the spikes of a chunk by network, from flat indices step by step."""
        at = torch.cat([f for _, f in found]).cpu().numpy() if found else np.empty(0, np.int64)
        steps = np.repeat(np.array([k for k, _ in found], np.int64), [f.numel() for _, f in found])
        lanes, units = np.divmod(at, max(self.layout.width[population], 1))
        order = np.argsort(lanes, kind="stable")
        first = np.concatenate([[0], np.bincount(lanes, minlength=len(self.networks)).cumsum()])
        return Fired(first, steps[order], units[order].astype(np.int32))

    def _records(self, fired: Mapping[str, Fired], samples: Mapping[str, torch.Tensor]) -> list[Records]:
        """Share out what the batch recorded among its networks."""
        out = [Records() for _ in self.networks]
        for population, found in fired.items():
            first = found.first.tolist()
            for lane, record in enumerate(out):
                mine = slice(first[lane], first[lane + 1])
                record.spikes[population] = (found.steps[mine], found.units[mine])
        for number, spec in enumerate(self.samples[0]):
            values = samples[spec.array].cpu().numpy()
            for lane, record in enumerate(out):
                record.samples[spec.array] = values[:, lane, : self.samples[lane][number].units.size]
        return out


class TorchEngine(Engine):
    """One network of a batch; by itself, a batch of one."""

    name = "torch"
    devices = ("cpu", "cuda")

    def __init__(
        self,
        network: Network,
        *,
        samples: Sequence[SampleSpec] = (),
        spikes: Sequence[str] = (),
        dtype: str = "float64",
        device: str = "cpu",
        batch: TorchBatch | None = None,
        lane: int = 0,
    ) -> None:
        super().__init__(network, samples=samples, spikes=spikes, dtype=dtype)
        own = (
            TorchBatch([network], samples=[samples], spikes=spikes, dtype=dtype, device=device)
            if batch is None
            else batch
        )
        self.batch, self.lane = own, lane
        self.arrays = _Arrays(own, lane)

    @property
    def step(self) -> int:  # type: ignore[override]
        """Number of steps done."""
        return self.batch.step

    def start_trial(
        self, *, learning: bool, calibration: bool, reset: bool, inputs: Mapping[str, np.ndarray] | None = None
    ) -> None:
        """Begin a trial (see :meth:`neurodyn.backends.engine.Engine.start_trial`)."""
        self.batch.begin({self.lane: Begin(learning, calibration, reset, inputs or {})})

    def advance(self, steps: int, inputs: Mapping[str, np.ndarray]) -> Records:
        """Advance a batch of one; networks of a larger batch advance together."""
        if len(self.batch.networks) > 1:
            raise RuntimeError("this network is one of a batch, which advances as a whole")
        return self.batch.advance(steps, {0: inputs})[0]

    def end_trial(self) -> None:
        """Run what readouts and rules do at the end of a trial."""
        self.batch.end([self.lane])

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return a copy of everything that a continuation needs."""
        state = self.batch.layout.state(self.lane, self.batch.arrays, self.batch.layout.buffers, self.step)
        return {**state, "started": np.bool_(self.batch.started[self.lane])}  # type: ignore[dict-item]

    def from_arrays(self, state: Mapping[str, np.ndarray]) -> None:
        """Go back to a state from :meth:`to_arrays` of any runner; the networks of a batch must be at one step."""
        self.batch.restore(self.lane, state)

    def infinite(self) -> tuple[str, list[int]] | None:
        """Return the first array with a number that is not finite, and its index; None if all is well."""
        return super().infinite() if self.lane in self.batch.infinite() else None


class _Arrays(Mapping[str, np.ndarray]):
    """The arrays of one network: views on the CPU, copies from a GPU."""

    def __init__(self, batch: TorchBatch, lane: int) -> None:
        self._batch, self._lane = batch, lane

    def __getitem__(self, name: str) -> np.ndarray:
        axes = self._batch.program.array(name).axes
        return self._batch.arrays[name][self._batch.layout.part(self._lane, axes)].cpu().numpy()

    def __iter__(self) -> Iterator[str]:
        return iter(self._batch.arrays)

    def __len__(self) -> int:
        return len(self._batch.arrays)
