"""Many networks of one Program side by side: every array with a leading axis of networks, synapses in one list.

The disjoint union of the networks. Population axes are padded to the largest network, so that one stride serves all;
padded units have no synapses, never spike and are left out of sums. A connection is one list of synapses sorted by
(network, source, synapse), the order in which a single network adds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neurodyn.network import Network, new_arrays
from neurodyn.program import Array, Axes, Spikes, WeightedSum
from neurodyn.wiring import Events


@dataclass(eq=False)
class Synapses:
    """The synapses of one connection in all networks.

    ``indptr`` (networks * sources + 1,) int64 by network and (padded) source; ``targets`` (synapses,) int64, the index
    network * length * width + target into the flat ``ring`` (networks, length, width); ``weights`` (synapses,);
    ``delays`` (synapses,) int64 in steps, or None where nothing is delayed. The slot of step k is k modulo length.
    """

    indptr: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor
    delays: torch.Tensor | None
    ring: torch.Tensor


@dataclass(eq=False)
class PlasticSynapses:
    """The synapses of one plastic connection in all networks, as flat indices network * width + synapse.

    ``arriving`` by delay in steps, longest first: ``indptr`` by network and (padded) source, and the synapses that a spike
    reaches after this delay. ``onto``: the same by target. ``emitted`` (networks, length, 1 + sources) int32 says who fired
    in step k, in slot k modulo length: how many, then the units. ``ring`` (networks, 1, targets) gathers what arrives in a step.
    """

    arriving: Mapping[int, tuple[torch.Tensor, torch.Tensor]]
    onto: tuple[torch.Tensor, torch.Tensor]
    emitted: torch.Tensor
    ring: torch.Tensor


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

    ``arrays`` by name, shape (networks, \\*widths of the axes); ``sizes`` (networks,) int64 and ``width`` by axis;
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
        filled = [new_arrays(n) for n in networks]
        self.arrays = {a.name: self._array(a, [f[a.name] for f in filled]) for a in self.program.arrays}
        del filled
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

    def _array(self, array: Array, values: list[np.ndarray]) -> torch.Tensor:
        kind = {"bool": np.bool_, "index": np.int64}.get(array.dtype, np.float64)
        out = np.zeros(self.shape(array.axes), kind)
        for lane, value in enumerate(values):
            out[self.part(lane, array.axes)] = value
        tensor = self.tensor(out)
        return tensor if array.dtype != "float" or array.wide else tensor.to(self.dtype)

    def _synapses(self, s: Spikes) -> Synapses:
        wirings = [n.wiring[s.name] for n in self.networks]
        length = 1 + max(int(w.delays.max(initial=0)) for w in wirings)
        sources, width = self.width[s.source], self.width[s.target_population]
        counts = np.zeros((len(self), sources), np.int64)
        for lane, w in enumerate(wirings):
            counts[lane, : w.indptr.size - 1] = np.diff(w.indptr)
        return Synapses(
            self.tensor(np.concatenate([[0], np.cumsum(counts)])),
            self.tensor(
                np.concatenate([w.targets + lane * length * width for lane, w in enumerate(wirings)], dtype=np.int64)
            ),
            self.tensor(np.concatenate([w.weights for w in wirings])).to(self.dtype),
            None if length == 1 else self.tensor(np.concatenate([w.delays for w in wirings], dtype=np.int64)),
            torch.zeros((len(self), length, width), dtype=self.dtype, device=self.device),
        )

    def _plastic(self, s: Spikes) -> PlasticSynapses:
        lists = [Events.of(n.wiring[s.name], n.sizes[s.target_population]) for n in self.networks]
        lags = sorted({int(lag) for e in lists for lag in e.lags}, reverse=True)
        arriving = {}
        for lag in lags:
            rows = [e.first[e.lags == lag] for e in lists]
            arriving[lag] = self._lists(s, s.source, [(r[0] if len(r) else np.zeros(1, np.int64), e.arriving) for r, e in zip(rows, lists, strict=True)])  # fmt: skip
        onto = self._lists(s, s.target_population, [(e.onto_first, e.onto) for e in lists])
        length = 1 + max(lags, default=0)
        shape = (len(self), length, 1 + self.width[s.source])
        emitted = torch.zeros(shape, dtype=torch.int32, device=self.device)
        ring = torch.zeros((len(self), 1, self.width[s.target_population]), dtype=self.dtype, device=self.device)
        return PlasticSynapses(arriving, onto, emitted, ring)

    def _lists(
        self, s: Spikes, axis: str, rows: list[tuple[np.ndarray, np.ndarray]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Join the lists of synapses by unit of all networks: indptr by network and padded unit, flat synapses."""
        counts = np.zeros((len(self), self.width[axis]), np.int64)
        flat = [np.empty(0, np.int64)]
        for lane, (first, synapses) in enumerate(rows):
            counts[lane, : first.size - 1] = np.diff(first)
            flat.append(synapses[first[0] : first[-1]] + lane * self.width[s.name])
        return self.tensor(np.concatenate([[0], np.cumsum(counts)])), self.tensor(np.concatenate(flat))

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
            self.tensor(np.concatenate([w.sources + lane * sources for lane, w in enumerate(wirings)], dtype=np.int64)),
            self.tensor(np.concatenate([w.targets + lane * width for lane, w in enumerate(wirings)], dtype=np.int64)),
            self.tensor(np.concatenate([w.weights for w in wirings])).to(self.dtype),
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
