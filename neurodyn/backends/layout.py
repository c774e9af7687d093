"""Many networks of one Program side by side: every array with a leading axis of networks, synapses in one list.

The disjoint union of the networks. Population axes are padded to the largest network, so that one stride serves all;
padded units have no synapses, never spike and are left out of sums. A connection is one list of synapses sorted by
(network, source, synapse), the order in which a single network adds them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neurodyn.kernels.packing import gathered_whole, packs
from neurodyn.network import Network
from neurodyn.program import Array, Axes, Spikes, WeightedSum


@dataclass(eq=False)
class Synapses:
    """The synapses of one connection in all networks.

    ``indptr`` (networks * sources + 1,) int64 by network and (padded) source; ``targets`` (synapses,) int32 (int64 where
    that is too small), the index network * length * width + target into the flat ``ring`` (networks, length, width);
    ``weights`` (synapses,); ``delays`` (synapses,) likewise, in steps, or None where nothing is delayed. The slot of step k
    is k modulo length.
    """

    indptr: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor
    delays: torch.Tensor | None
    ring: torch.Tensor


@dataclass(eq=False)
class PlasticSynapses:
    """The synapses of one plastic connection in all networks, as flat indices network * width + synapse.

    ``lags`` are the delays that occur, in steps, longest first. A spike of (padded) source j of all networks reaches, after
    ``lags[l]`` steps, ``arriving[first[l, j]:first[l, j + 1]]``; ``onto_first`` and ``onto`` are the same by target.
    Firsts are int64, the lists int32 (int64 where that is too small). Where each network has one delay ``arriving`` has
    its synapses in order, so that a kernel needs no list; it is made when tensors ask for it. ``emitted`` (networks,
    length, 1 + sources) int32 says who fired in step k, in slot k modulo length: how many, then the units. ``ring``
    (networks, 1, targets) gathers what arrives in a step.
    """

    lags: tuple[int, ...]
    first: torch.Tensor
    reached: Callable[[], torch.Tensor]
    onto_first: torch.Tensor
    onto: torch.Tensor
    emitted: torch.Tensor
    ring: torch.Tensor

    @functools.cached_property
    def arriving(self) -> torch.Tensor:
        """The synapses that spikes reach, lag after lag."""
        return self.reached()


@dataclass(eq=False)
class Sums:
    """A weighted sum in all networks: ``matrix`` (networks, sources, targets), or synapses sorted by source.

    A plastic one has the array of weights instead, at ``at`` (synapses,). ``sources`` and ``targets`` (synapses,) int64 are flat indices network * width + unit. ``history`` (networks,
    delay, sources) holds late sources, ``total`` (networks, targets) the sum.
    """

    matrix: torch.Tensor | None
    sources: torch.Tensor | None
    targets: torch.Tensor | None
    weights: torch.Tensor | None
    history: torch.Tensor
    total: torch.Tensor
    at: torch.Tensor | None = None


class Layout:
    """Tensors of a batch of networks of one Program on one device.

    ``arrays`` by name, shape (networks, \\*widths of the axes), of which some are views into ``packs`` (networks,
    synapses, arrays), by plastic connection (:mod:`neurodyn.kernels.packing`); ``sizes`` (networks,) int64 and ``width`` by axis;
    ``valid`` (networks, width) bool by axis where networks differ in size; ``seeds`` (networks,) int64 with the bits of
    the unsigned seed; ``schedules`` by spike source: (steps, networks, units), sorted.
    """

    def __init__(self, networks: Sequence[Network], dtype: str, device: torch.device) -> None:
        self.networks, self.program = tuple(networks), networks[0].program
        self.device, self.dtype = device, {"float64": torch.float64, "float32": torch.float32}[dtype]
        counts = {axis: np.array([n.sizes[axis] for n in networks], np.int64) for axis in networks[0].sizes}
        self.width = {axis: int(c.max()) for axis, c in counts.items()}
        self.sizes = {axis: self.tensor(c) for axis, c in counts.items()}
        self.valid = {
            axis: self.tensor(np.arange(self.width[axis]) < c[:, None]) for axis, c in counts.items() if np.ptp(c)
        }
        self.seeds = self.tensor(np.array([n.seed for n in networks], np.uint64).view(np.int64))
        self._whole = gathered_whole(self.program)
        self.packs: dict[str, torch.Tensor] = {}
        self.arrays = {a.name: self._array(a) for a in self.program.arrays}
        for connection, names in packs(self.program).items():
            self.packs[connection] = torch.stack([self.arrays[name] for name in names], -1)
            self.arrays |= zip(names, self.packs[connection].unbind(-1), strict=True)
        self.synapses = {s.name: self._synapses(s) for s in self.program.spikes if not s.plastic}
        self.plastic = {s.name: self._plastic(s) for s in self.program.spikes if s.plastic}
        self.sums = {s.name: self._sums(s) for s in self.program.sums}
        self.schedules = {name: self._schedule(name) for name in self.program.spike_sources}

    def __len__(self) -> int:
        return len(self.networks)

    def shape(self, axes: Axes) -> tuple[int, ...]:
        """Return the shape of an array with these axes."""
        return (len(self), *(self.width[a] for a in axes))

    def part(self, lane: int, axes: Axes) -> tuple[int | slice, ...]:
        """Return the index of one network's values in an array with these axes."""
        return (lane, *(slice(self.networks[lane].sizes[a]) for a in axes))

    @property
    def buffers(self) -> dict[str, torch.Tensor]:
        """What travels between steps beside the arrays: delay rings and histories of weighted sums."""
        rings = {f"ring/{name}": c.ring for name, c in {**self.synapses, **self.plastic}.items()}
        rings |= {f"emitted/{name}": c.emitted for name, c in self.plastic.items()}
        return rings | {f"history/{name}": c.history for name, c in self.sums.items()}

    def state(
        self, lane: int, arrays: Mapping[str, torch.Tensor], buffers: Mapping[str, torch.Tensor], step: int
    ) -> dict[str, Any]:
        """Return the state of one network as every runner gives it: its own sizes, and a ring of its own length."""
        network = self.networks[lane]
        state: dict[str, Any] = {"step": np.int64(step)}
        for array in self.program.arrays:
            if array.kept:
                state[f"array/{array.name}"] = arrays[array.name][self.part(lane, array.axes)].cpu().numpy().copy()
        for s in self.program.spikes:
            ring = buffers[f"ring/{s.name}"][lane, :, : network.sizes[s.target_population]].cpu().numpy()
            own = int(network.wiring[s.name].delays.max(initial=0)) + 1
            if s.plastic:
                state[f"ring/{s.name}"] = ring.copy()
                fired = buffers[f"emitted/{s.name}"][lane].cpu().numpy()
                rows = state[f"emitted/{s.name}"] = np.zeros((own, network.sizes[s.source] + 1), np.int32)
                for k in range(max(step - own, 0), step):
                    row = fired[k % len(fired)]
                    rows[k % own, : 1 + row[0]] = row[: 1 + row[0]]
                continue
            ahead = step + np.arange(own)
            mine = np.zeros((own, ring.shape[1]), ring.dtype)
            mine[ahead % own] = ring[ahead % len(ring)]
            state[f"ring/{s.name}"] = mine
        for s in self.program.sums:
            size = network.sizes[s.source_axis] if s.source_axis else 1
            state[f"history/{s.name}"] = buffers[f"history/{s.name}"][lane, :, :size].cpu().numpy().copy()
        return state

    def restore(self, lane: int, state: Mapping[str, Any]) -> None:
        """Set the state of one network."""
        for key, value in state.items():
            kind, _, name = key.partition("/")
            if kind == "array":
                self.arrays[name][self.part(lane, self.program.array(name).axes)] = self.tensor(value)
            elif kind == "emitted":
                emitted, step = self.plastic[name].emitted, int(state["step"])
                emitted[lane] = 0
                for k in range(max(step - len(value), 0), step):
                    row = value[k % len(value)]
                    emitted[lane, k % emitted.shape[1], : len(row)] = self.tensor(row)
            elif kind == "ring" and name in self.plastic:
                self.plastic[name].ring[lane] = 0.0
                self.plastic[name].ring[lane, :, : value.shape[1]] = self.tensor(value)
            elif kind == "ring":
                ring = self.synapses[name].ring
                ahead = int(state["step"]) + np.arange(len(value))
                ring[lane] = 0.0
                ring[lane, ahead % ring.shape[1], : value.shape[1]] = self.tensor(value[ahead % len(value)]).to(
                    ring.dtype
                )
            elif kind == "history":
                self.sums[name].history[lane, :, : value.shape[1]] = self.tensor(value)

    def tensor(self, values: Any) -> torch.Tensor:
        """Return values on the device."""
        return torch.from_numpy(np.require(values, requirements=["C", "W"])).to(self.device)

    def _array(self, array: Array) -> torch.Tensor:
        values = [n.values.get(array.name) for n in self.networks]
        kind = np.float64 if array.wide else self._kind
        if array.dtype == "bool":
            kind = np.bool_
        elif array.dtype == "index":  # of few units: two bytes do, but torch gathers whole arrays by int64 only
            largest = max((int(np.max(v, initial=0)) for v in values if v is not None), default=0)
            kind = np.int64 if array.name in self._whole else np.int16 if largest < 2**15 else np.int32
        out = np.zeros(self.shape(array.axes), kind)
        for lane, value in enumerate(values):
            if value is not None:
                out[self.part(lane, array.axes)] = value
        return self.tensor(out)

    def _synapses(self, s: Spikes) -> Synapses:
        wirings = [n.wiring[s.name] for n in self.networks]
        length = 1 + max(int(w.delays.max(initial=0)) for w in wirings)
        sources, width = self.width[s.source], self.width[s.target_population]
        counts = np.zeros((len(self), sources), np.int64)
        for lane, w in enumerate(wirings):
            counts[lane, : w.indptr.size - 1] = np.diff(w.indptr)
        kind = _index(len(self) * length * width)
        return Synapses(
            self.tensor(np.concatenate([[0], np.cumsum(counts)])),
            self._joined([w.targets for w in wirings], kind, length * width),
            self._joined([w.weights for w in wirings], self._kind),
            None if length == 1 else self._joined([w.delays for w in wirings], kind),
            torch.zeros((len(self), length, width), dtype=self.dtype, device=self.device),
        )

    @property
    def _kind(self) -> Any:
        return np.float64 if self.dtype == torch.float64 else np.float32

    def _joined(self, parts: Sequence[np.ndarray], kind: Any, step: int = 0) -> torch.Tensor:
        """Join what networks have of their synapses, ``step`` added from network to network."""
        out, begin = np.empty(sum(p.size for p in parts), kind), 0
        for lane, part in enumerate(parts):
            np.add(part, kind(lane * step), out=out[begin : begin + part.size], casting="same_kind")
            begin += part.size
        return self.tensor(out)

    def _plastic(self, s: Spikes) -> PlasticSynapses:
        wirings = [n.wiring[s.name] for n in self.networks]
        lags = tuple(sorted({int(d) for w in wirings for d in np.unique(w.delays)}, reverse=True))
        sources, targets = self.width[s.source], self.width[s.target_population]
        length, rows = 1 + max(lags, default=0), len(self) * sources
        onto = self._joined([w.targets for w in wirings], np.int64, targets)
        first = _begins(self._arrivals(s, lags), len(lags) * rows)
        by_lag = [first[k * rows : (k + 1) * rows + 1] for k in range(len(lags))]
        return PlasticSynapses(
            lags,
            torch.stack(by_lag) if lags else first.new_empty((0, rows + 1)),
            lambda: self._own(s)[torch.argsort(self._arrivals(s, lags), stable=True)],
            _begins(onto, len(self) * targets),
            self._own(s)[torch.argsort(onto, stable=True)],
            torch.zeros((len(self), length, 1 + sources), dtype=torch.int32, device=self.device),
            torch.zeros((len(self), 1, targets), dtype=self.dtype, device=self.device),
        )

    def _own(self, s: Spikes) -> torch.Tensor:
        """Return the synapses of all networks, network * width + synapse, in the order (network, source, synapse)."""
        width = self.width[s.name]
        kind = _index(len(self) * width)
        return self._joined([np.arange(n.sizes[s.name], dtype=kind) for n in self.networks], kind, width)

    def _arrivals(self, s: Spikes, lags: Sequence[int]) -> torch.Tensor:
        """Return for each synapse (lag, network, source) as one number: what brings spikes to it."""
        late, wirings = -np.array(lags, np.int64), [n.wiring[s.name] for n in self.networks]
        lag = self._joined([np.searchsorted(late, -w.delays.astype(np.int64)) for w in wirings], np.int64)
        unit = self._joined([w.sources for w in wirings], np.int64, self.width[s.source])
        return lag * (len(self) * self.width[s.source]) + unit

    def _sums(self, s: WeightedSum) -> Sums:
        wirings = [n.wiring[s.name] for n in self.networks]
        sources = self.width[s.source_axis] if s.source_axis else 1
        width = self.width[s.target_population]
        zeros = {"dtype": self.dtype, "device": self.device}
        history = torch.zeros((len(self), max(s.delay, 1), sources), **zeros)
        total = torch.zeros((len(self), width), **zeros)
        if s.layout == "dense" and not s.plastic:
            matrix = np.zeros((len(self), sources, width))
            for lane, w in enumerate(wirings):
                assert w.matrix is not None
                matrix[lane, : w.matrix.shape[0], : w.matrix.shape[1]] = w.matrix
            return Sums(self.tensor(matrix).to(self.dtype), None, None, None, history, total)
        at = (
            [np.arange(w.targets.size) + lane * self.width[s.name] for lane, w in enumerate(wirings)]
            if s.plastic
            else None
        )
        return Sums(
            None,
            self._joined([w.sources for w in wirings], np.int64, sources),
            self._joined([w.targets for w in wirings], np.int64, width),
            self._joined([w.weights for w in wirings], self._kind),
            history,
            total,
            None if at is None else self.tensor(np.concatenate(at)),
        )

    def _schedule(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        found = [n.schedules[name] for n in self.networks]
        steps = np.concatenate([s for s, _ in found], dtype=np.int64)
        lanes = np.repeat(np.arange(len(self)), [s.size for s, _ in found])
        units = np.concatenate([u for _, u in found], dtype=np.int64)
        order = np.lexsort((units, lanes, steps))
        return steps[order], lanes[order], units[order]


def _index(size: int) -> Any:
    """Return the type of indices into so many numbers."""
    return np.int32 if size < 2**31 else np.int64


def _begins(units: torch.Tensor, count: int) -> torch.Tensor:
    """Return where each of so many units begins in a list sorted by unit, and where the last one ends."""
    ends = torch.bincount(units, minlength=count).cumsum(0)
    return torch.cat([ends.new_zeros(1), ends])
