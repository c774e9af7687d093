"""Rectified networks driven by noise alone, whose symbols emulate a hidden Markov model (Torre et al. 2025)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from neurodyn.kernels.draws import uniforms
from neurodyn.kernels.draws_rows import fill_normals
from neurodyn.kernels.rnn_scan import scan
from neurodyn.models.seeded import SeededModule

if TYPE_CHECKING:
    from neurodyn.circuit import Circuit

_STEPS = 2**32  # of a pass, at most
_FREE = 2**30  # numbers of passes: those of `generate` lie beyond those of a training
_CHUNK = 2**24  # numbers held at a time in a long run


@dataclass(frozen=True, eq=False)
class Generated:
    """Sequences that a network generated.

    Attributes
    ----------
    symbols : Tensor (sequence, time)
        Drawn from the softmax of the logits; integers.
    winners : Tensor (sequence, time)
        The symbol of the largest logit; integers.
    logits : Tensor (sequence, time, symbol) or None
    states, noise : Tensor (sequence, time, unit), (sequence, time, noise input) or None
        Activity of the units, and the input that drove it.
    """

    symbols: Tensor
    winners: Tensor
    logits: Tensor | None = None
    states: Tensor | None = None
    noise: Tensor | None = None


class HMMRNN(SeededModule):
    """A network of rectified units whose only input is noise, with symbols drawn from a softmax of its readout.

    In each step::

        h(t) = relu[W h(t-1) + U x(t) + b],    x(t) ~ N(0, noise^2) independent
        logits(t) = A h(t) + c

    Without biases (the published form) the states scale with the noise: the symbol of the largest logit does not depend
    on its level at all, and the softmax gets sharper with it. With biases the level matters.

    Parameters
    ----------
    units, noise_inputs, outputs : int
        Sizes, at least 1 each; ``outputs`` is the number of symbols.
    bias : bool
        Whether units and readout have a bias, b and c.
    noise : float or sequence of float
        Standard deviation of the input, > 0.
    seed : int or sequence of int
        Key of the start weights: uniform in +-1/sqrt(units), all of them (torch's default for ``nn.RNN``).
    dtype, device : torch.dtype, torch.device

    Attributes
    ----------
    many : bool
        Whether seeds or levels of noise were given as a sequence, one for each of as many models: all parameters then have a
        leading axis of models. :func:`neurodyn.emulate` trains them together, each to the bits that it gets alone, and
        :meth:`select` takes one out. All else is for one network.
    models : int

    Raises
    ------
    ValueError
        For values out of range; names the parameter. Seeds and levels that are not equally many.

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante (2025) NeurIPS, arXiv 2510.25674.

    Examples
    --------
    >>> import neurodyn as nd
    >>> net = nd.HMMRNN(50, noise_inputs=10)
    >>> net.generate(4, 30, seed=1).symbols.shape
    torch.Size([4, 30])
    """

    references: ClassVar[tuple[str, ...]] = ("torre2025",)

    several: ClassVar[bool] = True
    units: int
    noise_inputs: int
    outputs: int
    bias: nn.Parameter | None
    readout_bias: nn.Parameter | None

    def __init__(
        self,
        units: int = 150,
        *,
        noise_inputs: int = 100,
        outputs: int = 3,
        bias: bool = False,
        noise: float | Sequence[float] = 1.0,
        seed: int | Sequence[int] = 1,
        dtype: torch.dtype = torch.float32,
        device: Any = "cpu",
    ) -> None:
        seed, self.levels = _one_each(seed, noise)
        super().__init__(units=units, noise_inputs=noise_inputs, outputs=outputs, seed=seed, dtype=dtype, device=device)
        self.config |= {"bias": bool(bias), "noise": list(self.levels) if self.many else self.noise}
        bound = units**-0.5
        self.recurrent_weight = self._uniform("recurrent_weight", (units, units), bound)
        self.noise_weight = self._uniform("noise_weight", (units, noise_inputs), bound)
        self.readout_weight = self._uniform("readout_weight", (outputs, units), bound)
        self.bias = self._uniform("bias", (units,), bound) if bias else None
        self.readout_bias = self._uniform("readout_bias", (outputs,), bound) if bias else None

    @property
    def noise(self) -> float:
        """Standard deviation of the input; of many models each has one of ``levels``, a tuple."""
        self.check_one()
        return self.levels[0]

    def select(self, models: int | Sequence[int]) -> HMMRNN:
        """Return the network of one model, or one of many that holds these alone, in memory of its own."""
        chosen = np.atleast_1d(np.asarray(models, dtype=object)).tolist()
        whole = all(isinstance(k, (int, np.integer)) and not isinstance(k, bool) for k in chosen)
        if not chosen or not whole or not all(-self.models <= k < self.models for k in chosen):
            raise ValueError(f"models = {models!r}; the network has models 0 to {self.models - 1}")
        at: Any = [int(k) for k in chosen]
        seeds, levels = ([values[k] for k in at] for values in (self._seeds, self.levels))
        if np.ndim(models) == 0:
            seeds, levels, at = seeds[0], levels[0], at[0]
        made = type(self)(**{**self.config, "seed": seeds, "noise": levels}, dtype=self.dtype, device=self.device)
        state = self.state_dict()
        made.load_state_dict({name: value[at] for name, value in state.items()} if self.many else state)
        return made

    def draws(self, steps: int, sequences: int, *, seed: int, step: int, first: int = 0) -> Mapping[str, Tensor]:
        """Return what is random in one pass: a function of seed, ``step`` (number of the pass) and time alone.

        ``noise`` (time, sequence, noise input) has the standard deviation of the network, ``gumbel``
        (time, sequence, symbol) picks the symbols. ``first`` is the first step that is wanted. More sequences begin with
        the fewer.
        """
        noise = torch.empty(steps, sequences, self.noise_inputs, dtype=self.dtype, device=self.device)
        gumbel = torch.empty(steps, sequences, self.outputs, dtype=self.dtype, device=self.device)
        fill_draws(noise, gumbel, self.noise, seed=seed, step=step, first=first)
        return {"noise": noise, "gumbel": gumbel}

    def run(self, noise: Tensor, *, start: Tensor | None = None) -> Tensor:
        """Return the states (time, sequence, unit) under ``noise`` (time, sequence, noise input).

        ``start`` (sequence, unit) is the state before the first step, 0 by default.
        """
        self.check_one()
        if noise.ndim != 3 or noise.shape[2] != self.noise_inputs or not noise.shape[0]:
            raise ValueError(
                f"noise has shape {tuple(noise.shape)}; needed is (time, sequence, {self.noise_inputs}) with time >= 1"
            )
        drive, x = self.noise_weight, noise.to(self.dtype)
        if self.bias is not None:
            drive = torch.cat([drive, self.bias[:, None]], 1)
            x = torch.cat([x, x.new_ones((*x.shape[:2], 1))], 2)
        if start is not None and start.shape != (x.shape[1], self.units):
            needed = (x.shape[1], self.units)
            raise ValueError(f"start has shape {tuple(start.shape)}; needed is (sequence, unit), {needed}")
        start = x.new_zeros((x.shape[1], self.units)) if start is None else start.to(self.dtype)
        return scan(self.recurrent_weight, drive, x, start, activation="relu")

    def read(self, states: Tensor) -> Tensor:
        """Return the logits (..., symbol) of states (..., unit)."""
        self.check_one()
        return functional.linear(states, self.readout_weight, self.readout_bias)

    def forward(self, noise: Tensor, *, start: Tensor | None = None) -> Tensor:
        """Return the logits (time, sequence, symbol); see :meth:`run`."""
        return self.read(self.run(noise, start=start))

    def codes(self, draws: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return sequences as one-hot codes, (sequence, time, symbol), and the states (time, sequence, unit).

        Symbols are drawn from the softmax of the logits; the gradient is that of the softmax of logits and Gumbel noise
        (straight-through Gumbel, temperature 1).
        """
        states = self.run(draws["noise"])
        soft = torch.softmax(self.read(states) + draws["gumbel"], 2)
        hard = functional.one_hot(soft.argmax(2), self.outputs).to(soft.dtype)
        return (hard - soft.detach() + soft).transpose(0, 1), states

    def step(self, states: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return the states (..., unit) a step later, under noise (..., noise input) or, by default, without any."""
        self.check_one()
        u = functional.linear(states, self.recurrent_weight, self.bias)
        return torch.relu(u if noise is None else u + functional.linear(noise, self.noise_weight))

    @torch.no_grad()
    def generate(
        self,
        sequences: int,
        length: int,
        *,
        burn_in: int | None = None,
        noise: float | None = None,
        start: Tensor | None = None,
        full: bool = False,
        seed: int = 1,
        step: int = 0,
    ) -> Generated:
        """Run freely and return what was generated: a function of the seed alone, whatever else is computed.

        Parameters
        ----------
        sequences, length : int
            Number of sequences, and of symbols in each.
        burn_in : int, optional
            Steps before the first symbol, >= 0: by default 100 from rest, where all symbols are equally likely, and none
            from a ``start``.
        noise : float, optional
            Standard deviation of the input; that of the network by default. 0 is allowed.
        start : Tensor (unit,) or (sequence, unit), optional
            State to start from; rest (0) by default.
        full : bool
            Whether logits, states and noise are wanted as well.
        seed, step : int
            Key of the draws and number of the pass; more sequences begin with the fewer.

        Raises
        ------
        ValueError
            For numbers out of range, and a ``start`` of another shape.
        """
        self.check_one()
        burn_in = (100 if start is None else 0) if burn_in is None else burn_in
        for name, value, least, end in (
            ("sequences", sequences, 1, _STEPS),
            ("length", length, 1, _STEPS),
            ("burn_in", burn_in, 0, _STEPS),
            ("seed", seed, 0, 2**63),
            ("step", step, 0, _FREE),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value < end:
                raise ValueError(f"{name} = {value!r}; give a whole number from {least} to {end - 1}")
        scale = 1.0 if noise is None else _level("noise", noise, zero=True) / self.noise
        state = self.readout_weight.new_zeros(sequences, self.units)
        if start is not None:
            given = torch.as_tensor(start).to(state)
            if given.shape not in ((self.units,), (sequences, self.units)):
                allowed = f"(unit,), {(self.units,)}, or (sequence, unit), {(sequences, self.units)}"
                raise ValueError(f"start has shape {tuple(given.shape)}; needed is {allowed}")
            state = state + given
        kept: dict[str, list[Tensor]] = {"symbols": [], "winners": []}
        if full:
            kept |= {"logits": [], "states": [], "noise": []}
        steps = burn_in + length
        chunk = max(1, _CHUNK // (sequences * (self.units + self.noise_inputs)))
        at = 0
        while at < steps:
            until = min(at + chunk, burn_in if at < burn_in else steps)
            draws = self.draws(until - at, sequences, seed=seed, step=_FREE + step, first=at)
            noise_in = draws["noise"] * scale
            states = self.run(noise_in, start=state)
            state = states[-1]
            if at >= burn_in:
                logits = self.read(states)
                found = {"symbols": (logits + draws["gumbel"]).argmax(2), "winners": logits.argmax(2)}
                if full:
                    found |= {"logits": logits, "states": states, "noise": noise_in}
                for name, parts in kept.items():
                    parts.append(found[name].transpose(0, 1))
            at = until
        return Generated(**{name: torch.cat(parts, 1) for name, parts in kept.items()})

    def circuit(self, *, dt: Any = "1 ms") -> Circuit:
        """Return the network as a circuit, for :func:`neurodyn.simulate` on any backend, in float64.

        Populations "noise" (``noise.x``, ``noise.level``) and "units" (``units.h``), connections "recurrent" and "input",
        ``readout.logits``, and ``readout.scores``, whose largest is the symbol drawn; which row of a recording is which step:
        :func:`neurodyn.models.hmm_rnn_circuit.hmm_rnn_circuit`. ``dt`` is the time that a step stands for.
        """
        from neurodyn.models.hmm_rnn_circuit import hmm_rnn_circuit

        self.check_one()
        return hmm_rnn_circuit(self, dt)


def fill_draws(noise: Tensor, gumbel: Tensor, level: float, *, seed: int, step: int, first: int = 0) -> None:
    """Draw what is random in the steps from ``first`` on of a pass, into ``noise`` and ``gumbel``; see :meth:`HMMRNN.draws`."""
    begin = step * _STEPS + first
    fill_normals(noise, "noise", seed=seed, step=begin, scale=level)
    for t in range(len(gumbel)):
        u = uniforms("symbols", tuple(gumbel.shape[1:]), seed=seed, step=begin + t, device=gumbel.device)
        gumbel[t] = u.log_().neg_().log_().neg_()  # in double: in float32 some u would be 1


def _one_each(seed: int | Sequence[int], noise: float | Sequence[float]) -> tuple[Any, tuple[float, ...]]:
    """Return a seed and the level of a network; seeds and levels of many if either is a sequence."""
    found: dict[str, list[Any]] = {}
    for name, value in (("seed", seed), ("noise", noise)):
        if isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str):
            found[name] = np.asarray(value, dtype=object).tolist()
    if not found:
        return seed, (_level("noise", noise),)
    count = max(len(values) for values in found.values())
    if not count or any(len(values) not in (1, count) for values in found.values()):
        told = ", ".join(f"{name} has {len(values)} numbers" for name, values in found.items())
        raise ValueError(f"{told}; give one for all models, or one for each, and of one model at least")
    seeds, levels = ((v * count)[:count] for v in (found.get("seed", [seed]), found.get("noise", [noise])))
    return [int(k) if isinstance(k, np.integer) else k for k in seeds], tuple(_level("noise", x) for x in levels)


def _level(name: str, value: Any, *, zero: bool = False) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{name} = {value!r}; give a standard deviation, such as 1.0")
    if value < 0 or (value == 0 and not zero):
        raise ValueError(f"{name} = {value!r}; give {'0 or ' if zero else ''}a positive standard deviation")
    return float(value)
