"""One step of a batch of networks on tensors: the blocks of a Program in order, spikes and events as lists of indices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from neurodyn.backends.layout import Layout
from neurodyn.kernels.tensors import TensorKernels
from neurodyn.program import LAST_PHASES, Spikes, WeightedSum


class TensorStep:
    """Makes steps of the networks of a layout, tensor by tensor; ``number`` counts those done."""

    def __init__(self, layout: Layout) -> None:
        self.layout, self.program, self.arrays, self.device = layout, layout.program, layout.arrays, layout.device
        self.kernels = TensorKernels(layout)
        self.blocks = self.kernels.blocks()
        self.number = 0

    def make(self) -> dict[str, torch.Tensor]:
        """Make one step in the order that the design fixes; return who fired, flat indices network * width + unit."""
        program = self.program
        for s in program.sums:
            if s.delay >= 1 or s.source_axis not in program.populations:
                self._sum(s)
        for population in program.populations:
            self._sums_onto(population)
            self.run("update", population)
        masks, fired = {}, {}
        for population in program.spiking:
            above = self.run("threshold", population).expand(self.layout.shape((population,)))
            if population in self.layout.valid:
                above = above & self.layout.valid[population]
            masks[population] = above
            fired[population] = above.reshape(-1).nonzero().squeeze(1)
            self.run("spiked", population, fired=masks)
        for population in program.spike_sources:
            steps, lanes, units = self.layout.schedules[population]
            now = slice(*np.searchsorted(steps, [self.number, self.number + 1]))
            at = self.layout.tensor(lanes[now] * self.layout.width[population] + units[now])
            fired[population] = at
            masks[population] = torch.zeros(self.layout.shape((population,)), dtype=torch.bool, device=self.device)
            masks[population].view(-1)[at] = True
        for s in program.spikes:
            if s.plastic:
                self._pair(s, fired, masks)
            elif fired[s.source].numel():
                self._propagate(s.name, fired[s.source])
        for s in program.spikes:
            ring, target = (
                (self.layout.plastic if s.plastic else self.layout.synapses)[s.name].ring,
                self.arrays[s.target],
            )
            slot = ring[:, self.number % ring.shape[1]]
            total = target + slot
            target.copy_(total if s.guard is None else torch.where(self.arrays[s.guard], total, target))
            slot.zero_()
        for population in program.populations:
            self.run("reset", population, fired=masks)
        for phase in LAST_PHASES:
            self.run(phase, fired=masks)
        for s in program.sums:
            if s.late:
                self.layout.sums[s.name].history[:, (self.number + 1) % s.delay] = self._source(s)
        return fired

    def run(
        self, phase: str, owner: str = "", *, mask: Any = None, fired: Mapping[str, torch.Tensor] | None = None
    ) -> Any:
        """Run the blocks of a phase, of one owner or of all; return the result of the last."""
        result = None
        for function, spikes_of in self.blocks.get((phase, owner), ()):
            result = function(fired[spikes_of] if spikes_of and fired is not None else mask)
        return result

    def _propagate(self, name: str, fired: torch.Tensor) -> None:
        """Add the weights of the synapses of who fired, and touch no other synapse."""
        c = self.layout.synapses[name]
        at = _of_rows(c.indptr, fired)
        cells = c.targets[at]
        if c.delays is not None:
            _, length, width = c.ring.shape
            cells = cells + (self.number % length + c.delays[at]) % length * width
        c.ring.view(-1).index_add_(0, cells, c.weights[at])

    def _pair(self, s: Spikes, fired: Mapping[str, torch.Tensor], masks: Mapping[str, torch.Tensor]) -> None:
        """Run the rules of a plastic connection at spikes of its targets and at those that arrive, which deliver."""
        c, width = self.layout.plastic[s.name], self.layout.width[s.source]
        length = c.emitted.shape[1]
        now, spikes = c.emitted[:, self.number % length], fired[s.source]
        lanes = spikes // max(width, 1)
        now[:, 0] = torch.bincount(lanes, minlength=len(now))
        place = torch.arange(spikes.numel(), device=self.device) - torch.searchsorted(lanes, lanes)
        now[lanes, 1 + place] = (spikes % max(width, 1)).to(torch.int32)
        spiking = fired.get(s.target_population)
        if spiking is not None and spiking.numel():
            self.events("on_post", s.name, c.onto[_of_rows(c.onto_first, spiking)].long())
        found = []
        for lag, first in zip(c.lags, c.first, strict=True):
            then = c.emitted[:, (self.number - lag) % length]
            lanes, place = (torch.arange(width, device=self.device) < then[:, :1]).nonzero(as_tuple=True)
            if lanes.numel():
                found.append(c.arriving[_of_rows(first, lanes * width + then[lanes, 1 + place])].long())
        if found:
            self.events("on_pre", s.name, torch.cat(found))
        self.run("paired", s.name, fired=masks)

    def events(self, phase: str, owner: str, at: torch.Tensor) -> Any:
        """Run blocks for the events of a plastic connection alone; return the result of the last."""
        result = None
        for function, _ in self.blocks.get((phase, owner), ()):
            result = function(at)
        return result

    def _source(self, s: WeightedSum) -> torch.Tensor:
        values = self.arrays[s.source]
        return values[:, None] if values.ndim == 1 else values

    def _sum(self, s: WeightedSum) -> None:
        c = self.layout.sums[s.name]
        x = c.history[:, (self.number + 1) % s.delay] if s.late else self._source(s)
        if s.source_axis in self.layout.valid:  # padded units may hold anything
            x = torch.where(self.layout.valid[s.source_axis], x, 0.0)
        if c.matrix is None:
            assert c.sources is not None and c.targets is not None and c.weights is not None
            weights = c.weights if c.at is None else self.arrays[f"{s.name}.w"].view(-1)[c.at]
            c.total.zero_().view(-1).index_add_(0, c.targets, weights * x.reshape(-1)[c.sources])
        elif s.source_axis in self.program.populations:
            torch.bmm(x[:, None], c.matrix, out=c.total[:, None])
        else:  # few labels: in index order, for such sums belong to the exact class
            c.total.zero_()
            for j in range(x.shape[1]):
                c.total += c.matrix[:, j] * x[:, j, None]

    def _sums_onto(self, population: str) -> None:
        onto = [s for s in self.program.sums if s.target_population == population]
        for s in onto:
            if s.delay == 0 and s.source_axis in self.program.populations:
                self._sum(s)
        for target in dict.fromkeys(s.target for s in onto):
            first, *rest = (self.layout.sums[s.name].total for s in onto if s.target == target)
            for term in rest:
                first = first + term
            self.arrays[target].copy_(first)

    def clock(self) -> None:
        """Set the step and the time of what runs next."""
        self.kernels.step = self.number
        self.arrays["step"].fill_(self.number)
        torch.mul(self.arrays["dt"], float(self.number), out=self.arrays["t"])


def _of_rows(indptr: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Return the places in a list of what belongs to ``rows``, row after row."""
    first, last = indptr[rows], indptr[rows + 1]
    counts = last - first
    behind = counts.cumsum(0)
    return torch.arange(int(behind[-1]), device=rows.device) + (first - behind + counts).repeat_interleave(counts)
