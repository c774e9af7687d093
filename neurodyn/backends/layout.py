"""Many networks of one Program side by side: every array with a leading axis of networks, synapses in one list.

The disjoint union of the networks. Population axes are padded to the largest network, so that one stride serves all;
padded units have no synapses, never spike and are left out of sums. A connection is one list of synapses sorted by
(network, source, synapse), the order in which a single network adds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from neurodyn.network import Network, new_arrays
from neurodyn.program import Array, Axes, Spikes, WeightedSum


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
class Sums:
    """A weighted sum in all networks: ``matrix`` (networks, sources, targets), or synapses sorted by source.

    ``sources`` and ``targets`` (synapses,) int64 are flat indices network * width + unit. ``history`` (networks,
    delay, sources) holds late sources, ``total`` (networks, targets) the sum.
    """

    matrix: torch.Tensor | None
    sources: torch.Tensor | None
    targets: torch.Tensor | None
    weights: torch.Tensor | None
    history: torch.Tensor
    total: torch.Tensor


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
        self.sizes = {axis: self._put(c) for axis, c in counts.items()}
        self.valid = {
            axis: self._put(np.arange(self.width[axis]) < c[:, None]) for axis, c in counts.items() if np.ptp(c)
        }
        self.seeds = self._put(np.array([n.seed for n in networks], np.uint64).view(np.int64))
        filled = [new_arrays(n) for n in networks]
        self.arrays = {a.name: self._array(a, [f[a.name] for f in filled]) for a in self.program.arrays}
        del filled
        self.synapses = {s.name: self._synapses(s) for s in self.program.spikes}
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

    def _put(self, values: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)

    def _array(self, array: Array, values: list[np.ndarray]) -> torch.Tensor:
        out = np.zeros(self.shape(array.axes), bool if array.dtype == "bool" else float)
        for lane, value in enumerate(values):
            out[self.part(lane, array.axes)] = value
        tensor = self._put(out)
        return tensor if array.dtype == "bool" or array.wide else tensor.to(self.dtype)

    def _synapses(self, s: Spikes) -> Synapses:
        wirings = [n.wiring[s.name] for n in self.networks]
        length = 1 + max(int(w.delays.max(initial=0)) for w in wirings)
        sources, width = self.width[s.source], self.width[s.target_population]
        counts = np.zeros((len(self), sources), np.int64)
        for lane, w in enumerate(wirings):
            counts[lane, : w.indptr.size - 1] = np.diff(w.indptr)
        return Synapses(
            self._put(np.concatenate([[0], np.cumsum(counts)])),
            self._put(
                np.concatenate([w.targets + lane * length * width for lane, w in enumerate(wirings)], dtype=np.int64)
            ),
            self._put(np.concatenate([w.weights for w in wirings])).to(self.dtype),
            None if length == 1 else self._put(np.concatenate([w.delays for w in wirings], dtype=np.int64)),
            torch.zeros((len(self), length, width), dtype=self.dtype, device=self.device),
        )

    def _sums(self, s: WeightedSum) -> Sums:
        wirings = [n.wiring[s.name] for n in self.networks]
        sources = self.width[s.source_axis] if s.source_axis else 1
        width = self.width[s.target_population]
        zeros = {"dtype": self.dtype, "device": self.device}
        history = torch.zeros((len(self), max(s.delay, 1), sources), **zeros)
        total = torch.zeros((len(self), width), **zeros)
        if s.layout == "dense":
            matrix = np.zeros((len(self), sources, width))
            for lane, w in enumerate(wirings):
                assert w.matrix is not None
                matrix[lane, : w.matrix.shape[0], : w.matrix.shape[1]] = w.matrix
            return Sums(self._put(matrix).to(self.dtype), None, None, None, history, total)
        return Sums(
            None,
            self._put(np.concatenate([w.sources + lane * sources for lane, w in enumerate(wirings)], dtype=np.int64)),
            self._put(np.concatenate([w.targets + lane * width for lane, w in enumerate(wirings)], dtype=np.int64)),
            self._put(np.concatenate([w.weights for w in wirings])).to(self.dtype),
            history,
            total,
        )

    def _schedule(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        found = [n.schedules[name] for n in self.networks]
        steps = np.concatenate([s for s, _ in found], dtype=np.int64)
        lanes = np.repeat(np.arange(len(self)), [s.size for s, _ in found])
        units = np.concatenate([u for _, u in found], dtype=np.int64)
        order = np.lexsort((units, lanes, steps))
        return steps[order], lanes[order], units[order]


def layout_bytes(networks: Sequence[Network], dtype: str) -> int:
    """Return the memory of the tensors of a batch, padding included, and of a copy of what changes (for blow-ups)."""
    program, count, item = networks[0].program, len(networks), np.dtype(dtype).itemsize
    width = {axis: max(n.sizes[axis] for n in networks) for axis in networks[0].sizes}
    total = 0
    for array in program.arrays:
        size = 1 if array.dtype == "bool" else 8 if array.wide else item
        total += (1 + array.kept) * size * count * int(np.prod([width[a] for a in array.axes], dtype=int))
    for s in program.spikes:
        wirings = [n.wiring[s.name] for n in networks]
        length = 1 + max(int(w.delays.max(initial=0)) for w in wirings)
        total += 2 * item * count * length * width[s.target_population] + 8 * count * width[s.source]
        total += sum(w.targets.size for w in wirings) * (8 + item + 8 * (length > 1))
    for s in program.sums:
        sources = width[s.source_axis] if s.source_axis else 1
        if s.layout == "dense":
            total += item * count * sources * width[s.target_population]
        else:
            total += sum(n.wiring[s.name].targets.size for n in networks) * (16 + item)
        total += item * count * (2 * max(s.delay, 1) * sources + width[s.target_population])
    return total
