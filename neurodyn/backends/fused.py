"""The step loop of a batch in one launch: a generated Triton kernel on the tensors of a layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neurodyn.backends.engine import SampleSpec
from neurodyn.backends.layout import Layout, PlasticSynapses, Sums, Synapses
from neurodyn.kernels.emit import Sample
from neurodyn.kernels.vectors import DIVISORS
from neurodyn.program import Program, Spikes, WeightedSum
from neurodyn.wiring import Wiring

LARGEST = 16384  # units of a population that one program steps through; beyond, tensors use the whole device better
_OLDEST = (3, 4)  # version of triton
_BITS = 1 << 26  # bytes of fired bits that one launch may write


def reason_against(program: Program, width: Mapping[str, int]) -> str | None:
    """Return why networks of a Program can't be stepped by one kernel, or None if they can."""
    try:
        import triton
    except ImportError:
        return "triton is not installed (a CUDA build of torch brings it)"
    if tuple(int(x) for x in triton.__version__.split(".")[:2]) < _OLDEST:
        return f"triton {triton.__version__} is too old, {'.'.join(map(str, _OLDEST))} is needed"
    largest = _largest(program, width)
    if largest > LARGEST:
        return (
            f"a population has {largest} units, and one program of the kernel runs one network: up to {LARGEST} pay off"
        )
    return None


def _largest(program: Program, width: Mapping[str, int]) -> int:
    """Return the units of the largest population."""
    return max((width[p] for p in (*program.populations, *program.spike_sources)), default=1)


def warps_for(units: int) -> int:
    """Return the warps of a program by its largest population: about two units a thread, 1 to 8 warps, 16 from 4096 units on.

    More warps make one network faster, fewer let more networks run side by side.
    """
    return 16 if units >= 4096 else min(8, 1 << (max(units - 1, 1) // 64).bit_length())


@dataclass(eq=False)
class Fired:
    """Spikes of a population: ``steps`` int64 and ``units`` int32 (spikes,), network after network, each in order.

    Those of network k are from ``first[k]`` to ``first[k + 1]``.
    """

    first: np.ndarray
    steps: np.ndarray
    units: np.ndarray

    @classmethod
    def of(cls, keys: torch.Tensor, networks: int, first_step: int, steps: int, width: int) -> Fired:
        """Return the spikes of ``keys`` (network * steps + step) * width + unit, sorted; all is reckoned where they lie."""
        borders = torch.arange(networks + 1, device=keys.device) * (steps * width)
        rows = keys // width
        return cls(
            torch.searchsorted(keys, borders).cpu().numpy(),
            (rows % steps + first_step).cpu().numpy(),
            (keys - rows * width).to(torch.int32).cpu().numpy(),
        )


class FusedStep:
    """Steps the networks of a layout; ``samples`` has the same arrays for every network, units of its own.

    Nothing is fused or approximated, synapses add in the order of a single network, draws are those of the CPU: what is
    left to differ from it are sums over units, which add up in another order, and functions of CUDA's library, of which
    normal draws need the logarithm. ``warps`` (a power of two) overrides :func:`warps_for`, ``registers`` bounds those of a
    thread, so that more networks run side by side, with more in memory. Raises NotImplementedError with the reason where a
    Program has what the kernel has not.
    """

    def __init__(
        self,
        layout: Layout,
        samples: Sequence[Sequence[SampleSpec]],
        recorded: Sequence[str],
        *,
        warps: int | None = None,
        registers: int | None = None,
    ) -> None:
        from neurodyn.kernels.triton_step import TritonStep, compile_triton

        self.layout, self.program, self.samples = layout, layout.program, samples
        self.recorded = [p for p in self.program.spiking if p in recorded]
        program, reason = self.program, reason_against(layout.program, layout.width)
        if reason is not None:
            raise NotImplementedError(reason)
        specs = tuple(Sample(s.array) for s in samples[0])
        dtype = {torch.float64: "float64", torch.float32: "float32"}[layout.dtype]
        self.text = TritonStep(program, specs, dtype, divisors=_divisors(layout, dtype))
        self._kernel: Any = compile_triton(self.text).advance
        warps = warps_for(_largest(program, layout.width)) if warps is None else warps
        self.options = {"num_warps": warps, "num_stages": 1, "enable_fp_fusion": False, "maxnreg": registers}
        self._device = torch.cuda.device(layout.device) if layout.device.type == "cuda" else nullcontext()
        # one unit a thread: with more, Triton lays loads out otherwise than stores, and computes twice
        self._fixed: dict[str, Any] = {"seeds": layout.seeds, "BLOCK": 32 * warps}
        emitter = self.text.e
        for axis in emitter.dynamic:
            n, width = emitter.sizes[axis], layout.width[axis]
            self._fixed |= {f"{n}_all": layout.sizes[axis], emitter.width(axis): width}
            self._fixed[f"spk_{n}"] = self._new((len(layout), width), torch.int32)
        for array in program.arrays:
            self._fixed[emitter.names[array.name]] = _bytes(layout.arrays[array.name])
        self._fixed |= {f"z_{emitter.names[name]}": 1 / layout.arrays[name] for name in emitter.inverted}
        self._fixed |= {pack: layout.packs[connection] for connection, (pack, _) in emitter.packs.items()}
        for name, array in emitter.spilled.items():
            dtype = {"bool": torch.uint8, "wide": torch.float64}.get(array.dtype, layout.dtype)
            self._fixed[name] = self._new(layout.shape(array.axes), dtype)
        for number, s in enumerate(program.spikes):
            if s.plastic:
                self._fixed |= self._plastic(f"c{number}", s, layout.plastic[s.name])
            else:
                self._fixed |= self._connection(f"c{number}", s, layout.synapses[s.name])
        for number, s in enumerate(program.sums):
            self._fixed |= self._weighted_sum(f"m{number}", s, layout.sums[s.name])
        self._fixed |= {f"rec{k}_on": population in self.recorded for k, population in enumerate(program.spiking)}
        self._units = [self._chosen(number) for number in range(len(specs))]
        for number, (spec, units) in enumerate(zip(samples[0], self._units, strict=True)):
            self._fixed |= {
                f"smp{number}_units": units,
                f"smp{number}_count": units.shape[1],
                f"smp{number}_every": spec.every,
            }
        if layout.device.type != "cpu":
            self._compile()

    def advance(
        self, step: int, steps: int, inputs: Mapping[str, torch.Tensor]
    ) -> tuple[dict[str, Fired], dict[str, torch.Tensor]]:
        """Advance by ``steps`` from ``step`` on; return spikes by population, and samples (rows, networks, units) by array.

        ``inputs`` by name are (steps, networks, \\*channels) on the device.
        """
        samples = self._samples(step, steps)
        words = sum(-(-self.layout.width[p] // 32) for p in self.recorded)
        most = max(1, _BITS // (4 * max(1, words) * len(self.layout)))
        fired: dict[str, list[torch.Tensor]] = {p: [] for p in self.recorded}
        for done in range(0, steps, most):
            length = min(most, steps - done)
            bits = self._bits(length)
            arguments = self.arguments(step, done, length, inputs, samples, bits)
            with self._device, np.errstate(all="ignore"):  # errors: where the kernel runs in NumPy
                self._kernel[(len(self.layout),)](**arguments, **self.options)
            for population in self.recorded:
                fired[population].append(_keys(bits[population], done, steps))
        return {p: self._fired(p, keys, step, steps) for p, keys in fired.items()}, samples

    def _fired(self, population: str, keys: Sequence[torch.Tensor], step: int, steps: int) -> Fired:
        """Return the spikes of the launches of a chunk."""
        found = torch.cat([torch.empty(0, dtype=torch.int64, device=self.layout.device), *keys])
        if len(keys) > 1:
            found = found.sort().values
        width = 32 * -(-self.layout.width[population] // 32)
        return Fired.of(found, len(self.layout), step, max(steps, 1), max(width, 1))

    def arguments(
        self,
        step: int,
        done: int,
        steps: int,
        inputs: Mapping[str, torch.Tensor],
        samples: Mapping[str, torch.Tensor],
        bits: Mapping[str, torch.Tensor],
    ) -> dict[str, Any]:
        """Return the arguments of a launch of ``steps`` steps, ``done`` steps into a chunk that began at ``step``."""
        given: dict[str, Any] = {"k0": step + done, "steps": steps, "row0": done}
        given |= {f"in{number}": inputs[name] for number, name in enumerate(self.program.inputs)}
        for number, population in enumerate(self.program.spiking):
            given |= {f"rec{number}": bits[population], f"rec{number}_words": -(-self.layout.width[population] // 32)}
        for number, population in enumerate(self.program.spike_sources):
            given |= self._given(f"src{number}", population, step + done, steps)
        for number, spec in enumerate(self.samples[0]):
            given |= {
                f"smp{number}": _bytes(samples[spec.array]),
                f"smp{number}_due": (step + done) % spec.every,
                f"smp{number}_row": spec.rows(step, done),
            }
        known = {**self._fixed, **given}
        return {name: known[name] for name in self.text.arguments}

    def _samples(self, step: int, steps: int) -> dict[str, torch.Tensor]:
        return {
            s.array: self._new((s.rows(step, steps), *units.shape), self.layout.arrays[s.array].dtype)
            for s, units in zip(self.samples[0], self._units, strict=True)
        }

    def _bits(self, steps: int) -> dict[str, torch.Tensor]:
        """Return room for who fired, (networks, steps, words), of the populations that are recorded."""
        rows = {p: steps if p in self.recorded else 0 for p in self.program.spiking}
        return {
            p: self._new((len(self.layout), n, -(-self.layout.width[p] // 32)), torch.int32) for p, n in rows.items()
        }

    def _compile(self) -> None:
        """Compile before the first step, so that a failure comes where tensors can take over."""
        from triton.errors import TritonError

        inputs = {name: self._new((1, *self.layout.arrays[f"{name}.value"].shape), self.layout.dtype) for name in self.program.inputs}  # fmt: skip
        arguments = self.arguments(0, 0, 1, inputs, self._samples(0, 1), self._bits(1))
        try:
            with self._device:
                self._kernel.warmup(**arguments, **self.options, grid=(1,))
        except TritonError as error:
            raise NotImplementedError(f"the kernel doesn't compile: {error}") from error

    def _new(self, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        return torch.zeros(shape, dtype=dtype, device=self.layout.device)

    # -- what the kernel is given --------------------------------------------------------------------------------

    def _connection(self, c: str, s: Spikes, of: Synapses) -> dict[str, Any]:
        late = of.delays is not None
        given: dict[str, Any] = {f"{c}_{name}": getattr(of, name) for name in ("indptr", "targets", "weights", "ring")}
        given |= {f"{c}_delays": of.delays if late else of.targets, f"{c}_length": of.ring.shape[1]}
        given |= {f"{c}_late_synapses": late, f"{c}_distinct": distinct(of)}
        if s.delays == "uniform":
            delays = [n.wiring[s.name].delays.max(initial=0) for n in self.layout.networks]
            given[f"{c}_delay"] = self.layout.tensor(np.array(delays, np.int32))
        return given

    def _plastic(self, c: str, s: Spikes, of: PlasticSynapses) -> dict[str, Any]:
        """Return the lists of a plastic connection."""
        given: dict[str, Any] = {
            f"{c}_lags": self.layout.tensor(np.array([*of.lags, 0], np.int32)),
            f"{c}_lag_count": len(of.lags),
            f"{c}_first": of.first if of.lags else of.onto_first,
            f"{c}_onto_first": of.onto_first,
            f"{c}_onto": _addressed(of.onto),
            f"{c}_emitted": of.emitted,
            f"{c}_length": of.emitted.shape[1],
            f"{c}_ring": of.ring,
            f"{c}_distinct": all(_different(n.wiring[s.name]) for n in self.layout.networks),
        }
        return given | ({f"{c}_arriving": _addressed(of.arriving)} if s.delays == "heterogeneous" else {})

    def _weighted_sum(self, m: str, s: WeightedSum, of: Sums) -> dict[str, Any]:
        """Return the synapses of a sum sorted by target, for a thread adds up what comes to its target."""
        given: dict[str, Any] = {f"{m}_history": of.history, f"{m}_total": of.total, f"{m}_matrix": of.matrix}
        if of.matrix is None:
            assert of.sources is not None and of.targets is not None and of.weights is not None
            order = torch.argsort(of.targets, stable=True)
            counts = torch.bincount(of.targets, minlength=of.total.numel())
            given[f"{m}_indptr"] = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
            given[f"{m}_sources"] = (of.sources[order] % max(of.history.shape[2], 1)).to(torch.int32)
            given[f"{m}_weights"] = of.weights[order] if of.at is None else of.at[order]
        return given

    def _chosen(self, number: int) -> torch.Tensor:
        """Return the recorded units of every network (networks, units), short lists filled up."""
        ids = [s[number].units for s in self.samples]
        index = np.zeros((len(ids), max(i.size for i in ids)), np.int32)
        for lane, i in enumerate(ids):
            index[lane, : i.size] = i
        return self.layout.tensor(index)

    def _given(self, src: str, population: str, step: int, steps: int) -> dict[str, torch.Tensor]:
        """Return the given spikes of a chunk by network and step."""
        when, lanes, units = self.layout.schedules[population]
        now = slice(*np.searchsorted(when, [step, step + steps]))
        rows = lanes[now] * steps + (when[now] - step)
        order = np.argsort(rows, kind="stable")
        ends = np.cumsum(np.bincount(rows, minlength=len(self.layout) * steps))
        return {
            f"{src}_rows": self.layout.tensor(np.concatenate([[0], ends])),
            f"{src}_units": self.layout.tensor(units[now][order].astype(np.int32)),
        }


def _divisors(layout: Layout, dtype: str) -> tuple[str, ...]:
    """Return the numbers, of each network throughout a run, by which ``quotient`` divides."""
    low, high = DIVISORS[dtype]
    single = [a.name for a in layout.program.arrays if not a.axes and a.role in ("parameter", "constant")]
    return tuple(name for name in single if bool(((layout.arrays[name] > low) & (layout.arrays[name] < high)).all()))


def _different(wiring: Wiring) -> bool:
    """Whether no source reaches a target twice after the same delay."""
    longest, targets = int(wiring.delays.max(initial=0)), int(wiring.targets.max(initial=0))
    keys = (wiring.sources * (longest + 1) + wiring.delays) * (targets + 1) + wiring.targets
    return bool((np.diff(keys) > 0).all()) or len(np.unique(keys)) == keys.size


def _addressed(tensor: torch.Tensor) -> torch.Tensor:
    return tensor if tensor.numel() else tensor.new_zeros(1)


def _bytes(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.view(torch.uint8) if tensor.dtype == torch.bool else tensor


def distinct(of: Synapses) -> bool:
    """Whether no two synapses of a row share a cell of the ring, so that they can be added side by side."""
    if of.targets.numel() < 2:
        return True
    first = torch.zeros(of.targets.numel() + 1, dtype=torch.bool, device=of.targets.device)
    first[of.indptr] = True
    if bool((first[1:-1] | (of.targets[1:] > of.targets[:-1])).all()):
        return True
    row = torch.repeat_interleave(torch.arange(len(of.indptr) - 1, device=of.targets.device), of.indptr.diff())
    cell = of.targets if of.delays is None else of.targets + of.delays * of.ring.shape[2]
    return len(torch.unique(row * of.ring[0].numel() + cell % of.ring[0].numel())) == len(cell)


def _keys(bits: torch.Tensor, done: int, steps: int) -> torch.Tensor:
    """Return the spikes in bits (networks, launched steps, words), ``done`` steps into a chunk, as keys of :class:`Fired`."""
    _, launched, words = bits.shape
    flat, shifts = bits.reshape(-1), torch.arange(32, device=bits.device, dtype=torch.int32)
    found = [torch.empty(0, dtype=torch.int64, device=bits.device)]
    for at in flat.nonzero().squeeze(1).split(1 << 20):  # few words hold a spike, and each becomes 32 numbers
        word, bit = (flat[at, None] >> shifts & 1).nonzero(as_tuple=True)
        found.append(at[word] * 32 + bit)
    keys = torch.cat(found)
    if launched == steps:
        return keys
    row = keys // max(words * 32, 1)
    return keys + (row // max(launched, 1) * (steps - launched) + done) * (words * 32)
