"""From what a run records to the places in its file."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodyn._unit_text import UnitsError, parse
from neurodyn.backends.engine import Engine, Records, SampleSpec
from neurodyn.circuit import Circuit
from neurodyn.network import Network
from neurodyn.parts import CircuitError, Filter, Input, Population, Readout
from neurodyn.program import Array
from neurodyn.recording import Writer
from neurodyn.recording.disk import check_disk, spike_bytes
from neurodyn.running.stopping import Resume
from neurodyn.session import Trial
from neurodyn.specs import label_axis, whole_steps
from neurodyn.trees.circuits import to_tree

if TYPE_CHECKING:
    from neurodyn.recording import Recording


SPIKES_PER_SECOND = 20.0  # a rate on the high side, for spikes not counted yet


@dataclass(frozen=True, eq=False)
class Plan:
    """What is recorded: populations' spikes, samples of arrays, and whether weights are kept."""

    spikes: tuple[str, ...]
    samples: tuple[SampleSpec, ...]
    weights: bool


def plan_recording(network: Network, record: Sequence[Any]) -> Plan:
    """Resolve the words of ``record``; an unknown one is refused with the nearest known."""
    program, circuit = network.program, network.circuit
    spikes: list[str] = []
    samples: dict[str, SampleSpec] = {}
    weights = False
    arrays = {
        a.name: a
        for a in program.arrays
        if a.role in ("state", "memory", "input") and "@" not in a.name and len(a.axes) < 2 and a.dtype == "float"
    }
    short: dict[str, list[str]] = {}
    for name in arrays:
        short.setdefault(name.partition(".")[2], []).append(name)
        short.setdefault(name.partition(".")[0], [])
    for f in circuit.filters:
        short[f.name] = [f"{f.name}.r"]
    for i in circuit.inputs:
        short[i.name] = [f"{i.name}.value"]

    def add(name: str, spec: Any = None) -> None:
        size = int(np.prod([network.sizes[a] for a in arrays[name].axes], dtype=int))
        ids, every = np.arange(size), 1
        if spec is not None and spec.units is not None:
            ids = np.unique(np.asarray(spec.units, dtype=np.int64).ravel())
            if ids.size and (ids[0] < 0 or ids[-1] >= size):
                raise CircuitError(
                    f"record: unit {ids[-1] if ids[-1] >= size else ids[0]} of {name} outside 0..{size - 1}"
                )
        if spec is not None and spec.every is not None:
            every = whole_steps(spec.every, circuit.timestep, f"every of {name}")
        samples[name] = SampleSpec(name, ids, every)

    for item in record:
        text = item if isinstance(item, str) else item.array
        if text == "spikes":
            spikes += program.spiking
        elif text.startswith("spikes/") and text[7:] in program.spiking:
            spikes.append(text[7:])
        elif text == "weights":
            weights = True
        elif text == "readout":
            if not circuit.readouts:
                raise CircuitError(
                    "record: 'readout', but the circuit has none; give simulate(..., learn=...) or Circuit(readouts=...)"
                )
            for r in circuit.readouts:
                for name, kind in r.state.items():
                    if (
                        (kind if isinstance(kind, str) else kind[0]) == "output"
                        and np.ndim(kind[1] if not isinstance(kind, str) else 0) == 0
                        and name != "ones"
                    ):
                        add(f"{r.name}.{name}")
        elif text == "stimulus":
            for i in circuit.inputs:
                add(f"{i.name}.value")
        elif text in arrays:
            add(text, None if isinstance(item, str) else item)
        elif len(short.get(text, [])) == 1:
            add(short[text][0], None if isinstance(item, str) else item)
        else:
            words = ["spikes", "weights", "readout", "stimulus", *(f"spikes/{p}" for p in program.spiking), *arrays]
            near = difflib.get_close_matches(text, words, n=1)
            why = f"; several parts have {text!r}: {', '.join(short[text])}" if short.get(text) else ""
            raise CircuitError(
                f"record: {text!r} is unknown{why}; {f'did you mean {near[0]!r}? ' if near else ''}known are {', '.join(words)}"
            )
    return Plan(tuple(dict.fromkeys(spikes)), tuple(samples.values()), weights)


def recording_bytes(network: Network, plan: Plan, steps: int) -> int:
    """Return the size of a recording before compression, spikes guessed."""
    samples = sum(8 * s.units.size * (steps // s.every) for s in plan.samples)
    seconds = steps * network.circuit.timestep
    return samples + sum(spike_bytes(round(SPIKES_PER_SECOND * network.sizes[p] * seconds)) for p in plan.spikes)


class Recorder:
    """Write the records of one run; the file appears under its name when the run is complete."""

    def __init__(
        self,
        network: Network,
        plan: Plan,
        header: Mapping[str, Any],
        out: Any,
        *,
        overwrite: bool,
        resume: Resume,
        steps: int,
    ) -> None:
        self.network, self.plan = network, plan
        self.arrays: dict[str, Array] = {a.name: a for a in network.program.arrays}
        self.dt_ms = network.circuit.timestep * 1e3
        if out is not None:
            size = recording_bytes(network, plan, steps)
            parent = Path(out).absolute().parent
            if parent.is_dir():
                check_disk(parent, size)
        kept = {"checkpoints": True, "resume": resume} if out is not None else {}
        self.writer = Writer(out, header=header, overwrite=overwrite, **kept)
        self.state = self.writer.state  # where an earlier process stopped, if this run goes on from there
        for population in plan.spikes:
            self.writer.spikes(population, np.empty(0, np.int64), np.empty(0, np.int64), size=network.sizes[population])
        for spec in plan.samples:  # a run shorter than the interval has the array too, without rows
            empty = np.empty((0, spec.units.size), dtype=header["dtype"])
            self._samples(spec, empty, np.empty(0), rows=spec.rows(0, steps))

    @property
    def path(self) -> Path | None:
        """The file to be; None for a recording in memory."""
        return self.writer.path

    @property
    def due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return self.writer.due

    def checkpoint(self, state: Mapping[str, Any]) -> None:
        """Save what was recorded with the state to go on from."""
        self.writer.checkpoint(state)

    def suspend(self) -> None:
        """Close, to be resumed; what is in memory only is lost."""
        if self.path is None:
            self.close()
        else:
            self.writer.suspend()

    def given(self, tree: Mapping[str, Any]) -> None:
        """Keep what the run was given, so that it can be repeated."""
        self.writer.tree("run", tree)

    def trial(self, number: int, trial: Trial, first: int, steps: int) -> None:
        """Add the row of a trial, on its own clock (labels) and the clock of the run."""
        self.writer.trial(
            {
                **trial.labels,
                "start_ms": first * self.dt_ms,
                "duration_ms": steps * self.dt_ms,
                "learning": trial.learning,
                "calibration": trial.calibration,
                "reset": trial.reset,
            }
        )

    def chunk(self, records: Records, first: int, last: int) -> None:
        """Add what one chunk of steps gave."""
        for population, (steps, ids) in records.spikes.items():
            self.writer.spikes(population, steps, ids)
        for spec in self.plan.samples:
            values = records.samples[spec.array]
            start = (first // spec.every + 1) * spec.every
            self._samples(spec, values, np.arange(start, last + 1, spec.every)[: len(values)] * self.dt_ms)

    def _samples(self, spec: SampleSpec, values: np.ndarray, times: np.ndarray, *, rows: int = 0) -> None:
        path, dims, coords, unit, scale = self._place(spec)
        attrs = {"units": unit}  # values are ours to keep, see Records
        self.writer.samples(
            path, values, times, dims=dims, coords=coords, attrs=attrs, scale=scale, rows=rows, copy=False
        )

    def weights(self, engine: Engine) -> None:
        """Add a snapshot of the memory of readouts."""
        if not self.plan.weights:
            return
        for array in self.network.program.arrays:
            if array.role != "memory" or not array.axes or any(a.endswith("'") for a in array.axes):
                continue
            owner, _, variable = array.name.partition(".")
            owners = (r for r in self.network.circuit.readouts if owner in (r.name, r.rule and r.rule.name))
            outputs = next((label_axis(r.outputs) for r in owners), None)
            coords = {}
            dims = ["time"]
            for axis in array.axes:
                dim = "output" if axis == outputs else self._dimension(axis)  # what is read may have labels as well
                dims.append(dim)
                labelled = axis.startswith("#")
                coords[dim] = list(self._labels(axis)) if labelled else np.arange(self.network.sizes[axis])
            unit, scale = self._unit(array, None)
            self.writer.samples(
                f"weights/{owner}/{variable}",
                engine.value(array.name)[None].astype(float),
                np.array([engine.step * self.dt_ms]),
                dims=tuple(dims),
                coords=coords,
                attrs={"units": unit},
                scale=scale,
            )

    def finish(self, trained: Circuit) -> Recording:
        """Store the network with what it has learned and close the file."""
        self.writer.tree("network", to_tree(trained, self.network), copy=self.path is None)  # it is written at once
        return self.writer.finish()

    def abort(self, error: BaseException) -> None:
        """Keep what was recorded; the error carries it as ``recording`` and ``path``."""
        kept = self.writer.abort(f"{type(error).__name__}: {error}")
        error.path, error.recording = kept, self.writer.recording  # type: ignore[attr-defined]
        if kept is not None:
            error.add_note(f"what was recorded until then is in {kept}")

    def leave(self) -> None:
        """Close what is still open, to be resumed; one that has not begun leaves nothing."""
        if self.path is not None and not self.writer._closed:
            self.writer.suspend()

    def close(self) -> None:
        """Release a writer that another run's error left open."""
        if not self.writer._closed:
            self.writer.abort("another network of the same call stopped")

    def _dimension(self, axis: str) -> str:
        return "synapse" if axis in self.network.wiring else "unit"

    @staticmethod
    def _labels(axis: str) -> tuple[str, ...]:
        return tuple(axis[1:].split(","))

    def _place(self, spec: SampleSpec) -> tuple[str, tuple[str, str], dict[str, Any], str, float]:
        array = self.arrays[spec.array]
        owner, _, variable = spec.array.partition(".")
        part = self.network.circuit[owner] if any(p.name == owner for p in self.network.circuit.parts()) else None
        label_dim, path = "unit", f"state/{owner}/{variable}"
        if isinstance(part, Input):
            label_dim, path = "channel", f"stimulus/{owner}"
            coords: dict[str, Any] = {"channel": [part.channels[k] for k in spec.units]}
        elif array.axes and not array.axes[0].startswith("#"):
            label_dim = self._dimension(array.axes[0])
            coords = {label_dim: spec.units}
        else:
            names = (
                self._labels(array.axes[0])
                if array.axes
                else (part.outputs if isinstance(part, Readout) and len(part.outputs) == 1 else (variable,))
            )
            label_dim, coords = "output", {"output": [names[k] for k in spec.units]}
        if isinstance(part, Readout) or not (
            isinstance(part, Population | Filter | Input) or owner in self._synaptic()
        ):
            path = f"readout/{owner}/{variable}"
        unit, scale = self._unit(array, part)
        return path, ("time", label_dim), coords, unit, scale

    def _unit(self, array: Array, part: Any) -> tuple[str, float]:
        """Return the unit of the file and what to divide SI values by."""
        owner, _, variable = array.name.partition(".")
        if (isinstance(part, Population) and variable not in part.labels) or owner in self._synaptic():
            with contextlib.suppress(UnitsError):  # pseudo-units, such as "mV (2003 form)"
                return array.unit, parse(array.unit)[0]
        return array.unit, 1.0

    def _synaptic(self) -> set[str]:
        """Names of connections and of the rules of their synapses."""
        return {name for c in self.network.circuit.connections for name in (c.name, *(r.name for r in c.rules))}
