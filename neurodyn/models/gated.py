"""Gated networks as baselines: torch's GRU and LSTM under the same heads, tasks and trainer."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from neurodyn.kernels.draws import uniforms
from neurodyn.models.recurrent import Draws, RecurrentNetwork


class _Gated(RecurrentNetwork):
    _layer: type[nn.GRU] | type[nn.LSTM]

    def __init__(
        self,
        units: int = 500,
        *,
        inputs: int = 1,
        outputs: int = 2,
        heads: int = 100,
        chrono: int | None = None,
        seed: int = 1,
        dtype: torch.dtype = torch.float32,
        device: Any = "cpu",
    ) -> None:
        super().__init__(
            units=units, inputs=inputs, outputs=outputs, heads=heads, seed=seed, dtype=dtype, device=device
        )
        if chrono is not None and not chrono > 2:
            raise ValueError(f"chrono = {chrono!r}; give the longest dependency in steps, above 2, or None")
        self.config["chrono"] = chrono
        self.layer = self._layer(inputs, units, dtype=dtype, device=device)
        for name, parameter in self.layer.named_parameters():
            drawn = self._uniform(f"layer.{name}", tuple(parameter.shape), units**-0.5)
            parameter.data.copy_(drawn.detach())
        if chrono is not None:
            spans = 1 + (chrono - 2) * uniforms("initial.chrono", (units,), seed=seed, step=0)
            with torch.no_grad():
                self._chrono(torch.log(spans).to(dtype=dtype, device=device))
        self._add_readout()

    def _chrono(self, log_spans: Tensor) -> None:
        raise NotImplementedError

    def _bias(self, gate: int, value: Tensor) -> None:
        """Set the bias of a gate: one of torch's two, the other is zero."""
        rows = slice(gate * self.units, (gate + 1) * self.units)
        self.layer.get_parameter("bias_ih_l0")[rows] = value
        self.layer.get_parameter("bias_hh_l0")[rows] = 0.0

    def run(self, x: Tensor, *, hold: int = 1, draws: Draws | None = None, last: bool = False) -> Tensor:
        """Return the states of the units after each step, (time, batch, unit), or the last alone (batch, unit)."""
        states = self.layer(x.to(self.dtype))[0]
        return states[-1] if last else states

    def go_on(self, x: Tensor, state: Any, *, hold: int = 1, draws: Draws | None = None) -> tuple[Tensor, Any]:
        """Return the states (time, batch, unit) from ``state`` on, and torch's state to go on from; None begins anew."""
        return self.layer(x.to(self.dtype), state)

    def _gates(self, h: Tensor, x: Tensor | None) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """What inputs and states bring to each gate, in the precision of the states."""
        w_x, w_h, b_x, b_h = (
            self.layer.get_parameter(name).to(h.dtype)
            for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        )
        of_input = b_x if x is None else functional.linear(x.to(h.dtype), w_x, b_x)
        of_state = functional.linear(h, w_h, b_h)
        return of_input.split(self.units, -1), of_state.split(self.units, -1)

    def draws(self, steps: int, batch: int, *, seed: int, step: int) -> Draws:
        """Return nothing: a pass starts from zero and has no noise."""
        return {}


class GRU(_Gated):
    """A gated recurrent network (``torch.nn.GRU``, one layer) with readout heads, starting each pass from zero.

    Parameters
    ----------
    units, inputs, outputs, heads, seed, dtype, device
        As in :class:`neurodyn.LeakyRNN`.
    chrono : int, optional
        Longest dependency T in steps: chrono initialisation puts the bias of the update gate at ln u, u uniform in
        (1, T - 1), so that a unit keeps its state for about 1 + u steps (torch's gate is the share that is kept).

    References
    ----------
    Cho et al. (2014) arXiv 1406.1078; Tallec & Ollivier (2018) arXiv 1804.11188.
    """

    references: ClassVar[tuple[str, ...]] = ("cho2014", "tallec2018")

    _layer = nn.GRU

    def step(self, states: Tensor, x: Tensor | None = None) -> Tensor:
        """Return the states (..., unit) a step later under inputs x (..., input), by default 0.

        Computed in the precision of ``states``. For :func:`neurodyn.analysis.fixed_points` and the like, which differentiate it.
        """
        (r_x, z_x, n_x), (r_h, z_h, n_h) = self._gates(states, x)
        z = torch.sigmoid(z_x + z_h)
        return (1 - z) * torch.tanh(n_x + torch.sigmoid(r_x + r_h) * n_h) + z * states

    def _chrono(self, log_spans: Tensor) -> None:
        self._bias(1, log_spans)


class LSTM(_Gated):
    """A long short-term memory network (``torch.nn.LSTM``, one layer) with readout heads, starting from zero.

    Parameters
    ----------
    units, inputs, outputs, heads, seed, dtype, device
        As in :class:`neurodyn.LeakyRNN`.
    chrono : int, optional
        Longest dependency T in steps: chrono initialisation puts the bias of the forget gate at ln u, u uniform in
        (1, T - 1), and that of the input gate at the negative.

    References
    ----------
    Hochreiter & Schmidhuber (1997) Neural Comput. 9:1735; Tallec & Ollivier (2018) arXiv 1804.11188.
    """

    references: ClassVar[tuple[str, ...]] = ("hochreiter1997", "tallec2018")

    _layer = nn.LSTM

    def step(self, states: Tensor, x: Tensor | None = None) -> Tensor:
        """Return the states a step later under inputs x (..., input), by default 0; a state is h, then c: (..., 2 unit).

        Computed in the precision of ``states``. For :func:`neurodyn.analysis.fixed_points` and the like, which differentiate it.
        """
        h, c = states.split(self.units, -1)
        i, f, g, o = (a + b for a, b in zip(*self._gates(h, x), strict=True))
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.cat([torch.sigmoid(o) * torch.tanh(c), c], -1)

    def _chrono(self, log_spans: Tensor) -> None:
        self._bias(1, log_spans)
        self._bias(0, -log_spans)

    def forget_times(self, x: Tensor) -> Tensor:
        """Return 1/(1 - mean forget gate) of each unit over the sequences x (time, batch, input): (unit,), in steps."""
        rows = slice(self.units, 2 * self.units)
        from_input, from_state, bias, other = (
            self.layer.get_parameter(name)[rows]
            for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        )
        with torch.no_grad():
            h = self.run(x)
            before = torch.cat([torch.zeros_like(h[:1]), h[:-1]])
            gate = x.to(self.dtype) @ from_input.T + before @ from_state.T + bias + other
            return 1 / (1 - torch.sigmoid(gate).mean((0, 1)))
