"""Rectified networks driven by noise alone, whose symbols emulate a hidden Markov model (Torre et al. 2025)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from neurodyn.kernels.draws import normals, uniforms
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

        h(t) = relu[W h(t-1) + U x(t) + b],    x(t) ~ N(0, noise^2) independent,    logits(t) = A h(t) + c

    Without biases (the published form) the states scale with the noise: the symbol of the largest logit does not depend
    on its level at all, and the softmax gets sharper with it. With biases the level matters.

    Parameters
    ----------
    units, noise_inputs, outputs : int
        Sizes, at least 1 each; ``outputs`` is the number of symbols.
    bias : bool
        Whether units and readout have a bias, b and c.
    noise : float
        Standard deviation of the input, > 0.
    seed : int
        Key of the start weights: uniform in +-1/sqrt(units), all of them (torch's default for ``nn.RNN``).
    dtype, device : torch.dtype, torch.device

    Raises
    ------
    ValueError
        For values out of range; names the parameter.

    Examples
    --------
    >>> import neurodyn as nd
    >>> net = nd.HMMRNN(50, noise_inputs=10)
    >>> net.generate(4, 30, seed=1).symbols.shape
    torch.Size([4, 30])

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante (2025) NeurIPS, arXiv 2510.25674.
    """

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
        noise: float = 1.0,
        seed: int = 1,
        dtype: torch.dtype = torch.float32,
        device: Any = "cpu",
    ) -> None:
        super().__init__(units=units, noise_inputs=noise_inputs, outputs=outputs, seed=seed, dtype=dtype, device=device)
        self.noise = _level("noise", noise)
        self.config |= {"bias": bool(bias), "noise": self.noise}
        bound = units**-0.5
        self.recurrent_weight = self._uniform("recurrent_weight", (units, units), bound)
        self.noise_weight = self._uniform("noise_weight", (units, noise_inputs), bound)
        self.readout_weight = self._uniform("readout_weight", (outputs, units), bound)
        self.bias = self._uniform("bias", (units,), bound) if bias else None
        self.readout_bias = self._uniform("readout_bias", (outputs,), bound) if bias else None

    def draws(self, steps: int, sequences: int, *, seed: int, step: int, first: int = 0) -> Mapping[str, Tensor]:
        """Return what is random in one pass: a function of seed, ``step`` (number of the pass) and time alone.

        ``noise`` (time, sequence, noise input) has the standard deviation of the network, ``gumbel``
        (time, sequence, symbol) picks the symbols. ``first`` is the first step that is wanted. More sequences begin with
        the fewer.
        """
        noise = torch.empty(steps, sequences, self.noise_inputs, dtype=self.dtype, device=self.device)
        gumbel = torch.empty(steps, sequences, self.outputs, dtype=self.dtype, device=self.device)
        for t in range(steps):
            where: dict[str, Any] = {"seed": seed, "step": step * _STEPS + first + t, "device": self.device}
            noise[t] = normals("noise", (sequences, self.noise_inputs), **where)
            u = uniforms("symbols", (sequences, self.outputs), **where)
            gumbel[t] = u.log_().neg_().log_().neg_()  # in double: in float32 some u would be 1
        if self.noise != 1:
            noise *= self.noise
        return {"noise": noise, "gumbel": gumbel}

    def run(self, noise: Tensor, *, start: Tensor | None = None) -> Tensor:
        """Return the states (time, sequence, unit) under ``noise`` (time, sequence, noise input).

        ``start`` (sequence, unit) is the state before the first step, 0 by default.
        """
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

        return hmm_rnn_circuit(self, dt)


def _level(name: str, value: Any, *, zero: bool = False) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{name} = {value!r}; give a standard deviation, such as 1.0")
    if value < 0 or (value == 0 and not zero):
        raise ValueError(f"{name} = {value!r}; give {'0 or ' if zero else ''}a positive standard deviation")
    return float(value)
