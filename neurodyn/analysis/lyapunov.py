"""Lyapunov exponents of any map, alone or driven, from its tangent dynamics."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._checks import FloatArray, number, whole
from ._result import Result

if TYPE_CHECKING:
    from torch import Tensor

BLOCKS = 20  # of steps, whose means tell the standard error


@dataclass(frozen=True, eq=False)
class LyapunovExponents(Result, figure="lyapunov_exponents"):
    """Exponents of each member of a batch, the largest first; ``print`` shows a table.

    Attributes
    ----------
    rates : array, shape (step, batch, exponent)
        Logarithm of the stretching in each step, natural, over ``dt``: exponents are their means.
    units : int
        Dimensions of the state.
    dt : float
        Time that a step stands for.
    """

    rates: FloatArray
    units: int
    dt: float

    @property
    def exponents(self) -> FloatArray:
        """Mean rates, (batch, exponent); nats per unit of time. -inf where a direction is mapped to nothing."""
        return self.rates.mean(axis=0)

    @property
    def largest(self) -> FloatArray:
        """The first exponent, (batch,)."""
        return self.exponents[:, 0]

    @property
    def error(self) -> FloatArray:
        """Standard error of the exponents, (batch, exponent), from the means of 20 blocks of consecutive steps.

        It counts blocks as independent, and knows nothing of other attractors. NaN where an exponent is -inf.
        """
        length = len(self.rates) // BLOCKS
        means = self.rates[-length * BLOCKS :].reshape(BLOCKS, length, *self.rates.shape[1:]).mean(axis=1)
        with np.errstate(invalid="ignore"):
            return means.std(axis=0, ddof=1) / np.sqrt(BLOCKS)

    @property
    def running(self) -> FloatArray:
        """Estimates from the first steps alone, (step, batch, exponent): how they converge."""
        return self.rates.cumsum(axis=0) / np.arange(1, len(self.rates) + 1)[:, None, None]

    @property
    def kaplan_yorke(self) -> FloatArray:
        """Kaplan-Yorke dimension of the attractor, (batch,); NaN where too few exponents are there to tell it."""
        return np.array([_dimension(each, self.units) for each in self.exponents])

    def __str__(self) -> str:
        exponents, error, dimension = self.exponents, self.error, self.kaplan_yorke
        steps, batch, count = self.rates.shape
        lines = [f"{count} of {self.units} exponents from {steps} steps of {self.dt:g}; nats per unit of time"]
        for k in range(batch):
            shown = [f"{value:+.4f} ± {e:.4f}" for value, e in zip(exponents[k, :6], error[k], strict=False)]
            more = ", ..." if count > 6 else ""
            lines.append(f"  {k:>3}  {', '.join(shown)}{more}; Kaplan-Yorke dimension {dimension[k]:.3f}")
        return "\n".join(lines)


def lyapunov_exponents(
    step: Callable[..., Tensor],
    start: Any,
    *,
    steps: int = 2500,
    discard: int = 500,
    count: int | None = 1,
    inputs: Any = None,
    tangent: Callable[..., Tensor] | None = None,
    dt: float = 1.0,
    seed: int = 0,
) -> LyapunovExponents:
    """Follow small perturbations along the orbits of a map, and average how fast they grow.

    Perturbations are orthonormalised after every step (QR). All is computed in float64.

    Parameters
    ----------
    step : callable of state (batch, unit), and of an input if there are ``inputs``
        Returns the next state, in torch. Members of the batch must not touch each other. Of a flow: an integration step.
    start : array or tensor, shape (batch, unit) or (unit)
        On the device where all is to be computed.
    steps : int
        That are averaged over, at least 40.
    discard : int
        Steps before them, at least 0, in which the state finds its attractor, and perturbations the fastest directions.
    count : int or None
        Exponents, the largest ones, at least 1; all of them if None.
    inputs : array or tensor, shape (step, ...), or callable of the number of a step, optional
        What drives the map: ``inputs[k]`` or ``inputs(k)`` in step k, discarded ones included. State and perturbations
        see the same, so that the exponents of a noisy map are those of a random dynamical system. A ``step`` that draws
        noise of its own gives wrong ones.
    tangent : callable of state, state after the step, perturbations (batch, unit, exponent), and input, optional
        Returns the perturbations after the step: the product with the Jacobian of ``step``. By default torch
        differentiates ``step`` forward, which takes some twenty times as long as the step itself.
    dt : float
        Time that a step stands for, above 0.
    seed : int
        Of the first perturbations.

    Raises
    ------
    ValueError
        For numbers out of range, too few inputs, a ``step`` that changes the shape, and states that aren't finite.

    Notes
    -----
    One attractor is sampled for each start. A neighbour that leaves along the flow neither grows nor shrinks: chaotic flows
    have an exponent 0 beside the positive one.

    References
    ----------
    Benettin, Galgani, Giorgilli & Strelcyn (1980) Meccanica 15:9. Kaplan & Yorke (1979) Springer LNM 730:204. Random
    dynamical systems: Arnold (1998), Springer.

    Examples
    --------
    >>> from neurodyn.analysis import lyapunov_exponents
    >>> found = lyapunov_exponents(lambda x: 4 * x * (1 - x), [0.3], steps=5000)
    >>> bool(abs(found.largest[0] - 0.693) < 0.02)
    True
    """
    import torch

    steps, discard = whole(steps, "steps", low=2 * BLOCKS), whole(discard, "discard", low=0)
    dt = number(dt, "dt", unit="", low=0, strict=True)
    state = _start(torch.as_tensor(start))
    batch, units = state.shape
    count = units if count is None else whole(count, "count", high=units)
    given = _given(inputs, discard + steps, state)
    drawn = np.random.default_rng(whole(seed, "seed", low=0)).standard_normal((batch, units, count))
    directions = torch.linalg.qr(torch.from_numpy(drawn).to(state)).Q
    if tangent is None:
        _load_rules()
    rates = []
    with torch.no_grad():
        for k in range(discard + steps):
            now = () if given is None else (given(k),)
            if tangent is None:
                after, moved = _pushed(step, state, directions, now)
            else:
                after = step(state, *now)
                moved = tangent(state, after, directions, *now)
            if after.shape != state.shape or moved.shape != directions.shape:
                raise ValueError(
                    f"step returns {tuple(after.shape)} and perturbations {tuple(moved.shape)}; states are "
                    f"{tuple(state.shape)}, perturbations {tuple(directions.shape)}: give the same shapes back"
                )
            _refuse_infinite(after, k)
            state = after
            directions, stretched = torch.linalg.qr(moved)
            if k >= discard:
                rates.append(stretched.diagonal(dim1=-2, dim2=-1).abs().log() / dt)
    found = torch.stack(rates).cpu().numpy()
    order = np.argsort(-found.mean(axis=0), axis=1, kind="stable")
    return LyapunovExponents(np.take_along_axis(found, order[None], axis=2), units, dt)


def _start(given: Tensor) -> Tensor:
    """The first state, (batch, unit), float64."""
    state = given.detach().double()
    if state.ndim == 1:
        state = state[None]
    if state.ndim != 2 or not state.numel():
        raise ValueError(f"start has shape {tuple(given.shape)}: give (batch, unit) or (unit), none of them empty")
    _refuse_infinite(state, None)
    return state


def _given(inputs: Any, needed: int, state: Tensor) -> Callable[[int], Any] | None:
    """The input of a step by its number; None if there are none."""
    import torch

    if inputs is None or callable(inputs):
        return inputs
    values = torch.as_tensor(inputs).to(state)
    if not values.ndim or len(values) < needed:
        raise ValueError(
            f"inputs has shape {tuple(values.shape)}: give (step, ...) with {needed} steps, the discarded ones included"
        )
    return values.__getitem__


def _load_rules() -> None:
    """torch loads what forward mode needs at its first use, by way of a function that it has deprecated itself."""
    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        torch.func.jvp(torch.neg, (torch.zeros(1),), (torch.zeros(1),))


def _pushed(step: Callable[..., Tensor], state: Tensor, directions: Tensor, now: tuple[Any, ...]) -> tuple[Any, Any]:
    """The next state, and perturbations (batch, unit, exponent) after the step."""
    from torch.func import jvp, vmap

    def along(direction: Tensor) -> tuple[Tensor, Tensor]:
        return jvp(lambda x: step(x, *now), (state,), (direction,))  # type: ignore[return-value]

    if directions.shape[2] == 1:
        after, moved = along(directions[..., 0])
        return after, moved[..., None]
    return vmap(along, in_dims=2, out_dims=(None, 2))(directions)  # type: ignore[return-value]


def _refuse_infinite(state: Tensor, k: int | None) -> None:
    if not bool(state.isfinite().all()):
        member = int((~state.isfinite()).any(1).nonzero()[0])
        where = "start" if k is None else f"the state after step {k}"
        raise ValueError(f"{where} of member {member} is NaN or infinite: the orbit has to stay bounded")


def _dimension(exponents: FloatArray, units: int) -> float:
    sums = np.cumsum(exponents)
    inside = int((sums >= 0).sum())  # sums of falling numbers: they rise, then fall, and stay below 0
    if inside == len(exponents):
        return float(units) if inside == units else np.nan
    return inside + (sums[inside - 1] / -exponents[inside] if inside else 0.0)
