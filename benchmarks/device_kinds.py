"""The networks of `python benchmarks/device.py`: kinds, batches of different ones, and the bytes that a step has to move."""

from __future__ import annotations

import functools
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import plastic_network
import speed_network
import vogels_abbott
from limits import count

import neurodyn as nd
from neurodyn.kernels.packing import packs
from neurodyn.network import Network, realize
from neurodyn.program import Program, operations, stores

DRAWN = 1024  # different wirings; larger batches have each of them several times, under other seeds


@dataclass(frozen=True, eq=False)
class Kind:
    """Networks of one structure, by seed, and a trial that is repeated, with its inputs (none: they run on).

    ``sizes`` are the batches by precision, in order of worth. ``steps`` are simulated for the checks, in which spikes of
    device and CPU may differ by the fraction ``within``.
    """

    title: str
    circuit: Callable[[int], nd.Circuit]
    sizes: dict[str, tuple[int, ...]]
    steps: int
    trial: nd.Trial | None = None
    within: float = 0.02

    def session(self) -> nd.Session | str:
        """Return what the checks simulate."""
        dt = self.circuit(0).timestep
        return f"{self.steps * dt} s" if self.trial is None else nd.Session((self.trial,), dt)

    def network(self, seed: int) -> Network:
        """Return the network of a seed with all its numbers."""
        return realize(self.circuit(seed), self._program)

    @functools.cached_property
    def _program(self) -> Program:
        return self.circuit(0).program

    def networks(self, number: int, processes: int) -> list[Network]:
        """Return the networks of seeds 0, 1, ...; several ``processes`` draw those of a kind for a device."""
        seeds = range(min(number, DRAWN))
        if processes > 1:
            new = multiprocessing.get_context("spawn")  # a fork would take along what the device has set up
            with ProcessPoolExecutor(min(processes, len(seeds)), new) as pool:
                drawn = list(pool.map(functools.partial(_network, self.title), seeds, chunksize=4))
        else:
            drawn = [self.network(seed) for seed in seeds]
        rest = [(k, drawn[k % DRAWN]) for k in range(DRAWN, number)]
        return [*drawn, *(replace(n, circuit=n.circuit.with_(seed=k)) for k, n in rest)]


@functools.cache
def _kind(title: str) -> Kind:
    return next(kind for kind in kinds(smoke=False) if kind.title == title)


def _network(title: str, seed: int) -> Network:
    return _kind(title).network(seed)


def kinds(*, smoke: bool) -> tuple[Kind, ...]:
    """Return all kinds in order of worth, for a device or (``smoke``) small enough for a test on the CPU."""
    small, neurons = {"float32": (2, 1), "float64": (2, 1)}, 30 if smoke else 1000
    short = {"latencies": ("40 ms", "60 ms"), "trial": "100 ms", "cue": "10 ms", "window": "30 ms"}
    task = nd.tasks.WhatWhen(**(short if smoke else {}))
    training = next(t for t in task.session(1, calibration=0, tests=()).trials if t.learning)
    reservoir = nd.WhatWhenRule().attach(nd.SpikingReservoir(neurons, events=task.names))
    excitatory = neurons * 4 // 5
    plastic = {"excitatory": excitatory, "inhibitory": neurons - excitatory, "fan_out": max(1, neurons // 10)}
    many = 40 if smoke else 10_000
    speed, large = speed_network.circuit(neurons), speed_network.circuit(many)
    cells = 80 if smoke else vogels_abbott.CELLS

    def sizes(float32: tuple[int, ...], float64: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        return small if smoke else {"float32": float32, "float64": float64}

    return (
        Kind(
            f"dopamine-modulated STDP, {neurons} cells, {excitatory * (neurons // 10)} plastic synapses, 1 ms steps",
            lambda s: plastic_network.circuit(seed=s, **plastic),
            sizes((1024, 1, 256, 64, 16, 4, 4096), (1024, 1)),
            1000,
            nd.Trial(100 if smoke else 1000, {}, reset=False),
            0.05,
        ),
        Kind(
            f"speed network, {neurons} cells, {speed_network.DT_MS} ms steps",
            lambda s: speed.with_(seed=s),
            sizes((1, 1024, 256, 64, 16, 4, 4096), (1, 1024)),
            100 if smoke else 2500,
        ),
        Kind(
            f"what/when reservoir with learning, {neurons} cells, 1 ms steps",
            lambda s: reservoir.with_(seed=s),
            sizes((1, 1024, 64), (1024, 1)),
            0,
            training,
        ),
        *(
            Kind(
                f"{name.upper()}, {cells} cells, {vogels_abbott.DT_MS} ms steps",
                lambda s, name=name: vogels_abbott.circuit(name, cells=cells, seed=s, drive="20 mV" if smoke else "0 mV"),
                sizes((1, 64), (1,)),
                300 if smoke else 2000,
                within=0.05,
            )
            for name in ("coba", "cuba")
        ),
        Kind(
            f"speed network, {many} cells, {speed_network.DT_MS} ms steps",
            lambda s: large.with_(seed=s),
            sizes((1, 8), (1,)),
            100 if smoke else 1000,
        ),
    )  # fmt: skip


def bytes_moved(network: Network, spikes_per_step: float, itemsize: int, *, learning: bool) -> float:
    """Return the least bytes of a step of one network.

    As in ``limits.count``; but for plastic synapses each event reads and writes what its rule does, its index of two
    bytes and, at spikes of targets, its entry of four in the list of synapses.
    """
    if not any(s.plastic for s in network.program.spikes):
        return count(network, spikes_per_step, learning=float(learning), itemsize=itemsize).bytes
    program = network.program
    _, moved = plastic_network.count(network, spikes_per_step, itemsize=itemsize)
    total = moved.near
    for s in (s for s in program.spikes if s.plastic):
        numbers = set(packs(program)[s.name])
        events = spikes_per_step * network.wiring[s.name].targets.size / network.sizes[s.source]
        for phase in ("on_pre", "on_post"):
            bodies = [b.body for b in program.phase(phase, s.name)]
            read = numbers & {a for body in bodies for op in operations(body) for a in op.args}
            written = numbers & {store.array for body in bodies for store in stores(body)}
            total += events * itemsize * (len(read) + len(written))
            total += events * (
                4 if phase == "on_post" else 2 + 2 * itemsize
            )  # an index, and what arrives at the target
    return total


def degrees(networks: Sequence[Network], population: str) -> list[np.ndarray]:
    """Return the synapses of each unit of a population, of each network."""
    names = [s.name for s in networks[0].program.spikes if s.source == population]
    return [sum((np.diff(n.wiring[name].indptr) for name in names), start=np.int64(0)) for n in networks]  # type: ignore[misc]
