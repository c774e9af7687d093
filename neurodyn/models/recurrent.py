"""What recurrent networks that are trained by gradient have in common: readout heads, seeded draws, a configuration."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn import functional

from neurodyn.models.seeded import SeededModule

if TYPE_CHECKING:
    from neurodyn.kernels.leaky_launch import LeakyStep

Draws = Mapping[str, Tensor]


class RecurrentNetwork(SeededModule, ABC):
    """A recurrent network with linear readouts, ``heads``, that share its units.

    Parameters
    ----------
    units, inputs, outputs, heads : int
        Sizes, at least 1 each; every head has ``outputs`` logits.
    seed : int
        Key of the start weights: one seed, one network, on every device.
    dtype, device : torch.dtype, torch.device

    Notes
    -----
    Weights and biases of a layer are uniform in +-1/sqrt(fan in), torch's default for ``nn.Linear``.
    """

    units: int
    inputs: int
    outputs: int
    heads: int
    readout_weight: nn.Parameter
    readout_bias: nn.Parameter

    def _add_readout(self) -> None:
        bound = self.units**-0.5
        self.readout_weight = self._uniform("readout_weight", (self.heads, self.outputs, self.units), bound)
        self.readout_bias = self._uniform("readout_bias", (self.heads, self.outputs), bound)

    @abstractmethod
    def run(self, x: Tensor, *, hold: int = 1, draws: Draws | None = None, last: bool = False) -> Tensor:
        """Return the states of the units after each step, (time, batch, unit), or the last alone (batch, unit).

        ``draws``, from :meth:`draws`, holds what is random in a pass; None takes it from torch's generator.
        """

    @abstractmethod
    def go_on(self, x: Tensor, state: Any, *, hold: int = 1, draws: Draws | None = None) -> tuple[Tensor, Any]:
        """Return the states (time, batch, unit) from ``state`` on, and the state to go on from; None begins anew."""

    @abstractmethod
    def draws(self, steps: int, batch: int, *, seed: int, step: int) -> Draws:
        """Return what is random in one pass (start states, noise): a function of seed and step alone."""

    def forward(
        self,
        x: Tensor,
        *,
        heads: int | Sequence[int] | None = None,
        every: bool = False,
        hold: int = 1,
        draws: Draws | None = None,
    ) -> Tensor:
        """Return the logits of the heads after the last step, (head, batch, output).

        Parameters
        ----------
        x : array, shape (time, batch, input)
        heads : int or sequence of int
            The first so many heads, or these; all by default.
        every : bool
            Whether to read out after each step: (time, head, batch, output).
        hold : int
            Steps for which each digit of ``x`` is held; x has them already. It matters to networks in continuous time.
        draws : mapping
            See :meth:`run`.

        Raises
        ------
        ValueError
            For x of another shape, or heads that the network lacks.
        """
        if x.ndim != 3 or x.shape[2] != self.inputs or not x.shape[0]:
            raise ValueError(f"x has shape {tuple(x.shape)}; needed is (time, batch, {self.inputs}) with time >= 1")
        chosen = self._chosen(heads)
        weight, bias = self.readout_weight[chosen], self.readout_bias[chosen]
        r = self.run(x, hold=hold, draws=draws, last=not every)
        logits = functional.linear(r, weight.flatten(0, 1), bias.flatten()).unflatten(-1, bias.shape)
        return logits.movedim(-2, -3)

    def own_step(self) -> LeakyStep | None:
        """Return what computes losses with their gradient, and logits, without autograd, if there is such a thing."""
        return None

    def _chosen(self, heads: int | Sequence[int] | None) -> slice | list[int]:
        if heads is None or isinstance(heads, int):
            count = self.heads if heads is None else heads
            if not 1 <= count <= self.heads:
                raise ValueError(f"heads = {heads}; the network has {self.heads}")
            return slice(count)
        chosen = list(heads)
        if not chosen or min(chosen) < 0 or max(chosen) >= self.heads:
            raise ValueError(f"heads = {chosen}; the network has heads 0 to {self.heads - 1}")
        return slice(chosen[0], chosen[-1] + 1) if chosen == list(range(chosen[0], chosen[-1] + 1)) else chosen
