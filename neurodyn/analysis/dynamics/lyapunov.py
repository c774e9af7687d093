"""Lyapunov exponents of any map, alone or driven, from its tangent dynamics."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import FloatArray, IntArray, number, whole
from .._result import Result

if TYPE_CHECKING:
    from torch import Tensor

BLOCKS = 20  # of stretches, whose means tell the standard error
_COLLAPSED = 1e-13  # what one perturbation may shrink to beside another: below it is rounding


@dataclass(frozen=True, eq=False)
class LyapunovExponents(Result, figure="lyapunov_exponents"):
    """Exponents of each member of a batch, the largest first; ``print`` shows a table.

    Attributes
    ----------
    rates : array, shape (stretch, batch, exponent)
        Logarithm of the growth in each stretch of ``every`` steps, natural, over its time: exponents are their means.
    units : int
        Dimensions of the state.
    dt : float
        Time that a step stands for.
    every : int
        Steps of a stretch.
    """

    rates: FloatArray
    units: int
    dt: float
    every: int = 1

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
        """Standard error of the exponents, (batch, exponent), from the means of 20 blocks of consecutive stretches.

        It counts blocks as independent, and knows nothing of other attractors. NaN where an exponent is -inf.
        """
        length = len(self.rates) // BLOCKS
        means = self.rates[-length * BLOCKS :].reshape(BLOCKS, length, *self.rates.shape[1:]).mean(axis=1)
        with np.errstate(invalid="ignore"):
            return means.std(axis=0, ddof=1) / np.sqrt(BLOCKS)

    @property
    def signs(self) -> IntArray:
        """1, -1, or 0 for exponents within two standard errors of 0, (batch, exponent): what can be told of their signs.

        The exponent 0 of a flow, and those of cycles that aren't hyperbolic, fall slowly to 0 and may seem to differ from it.
        """
        with np.errstate(invalid="ignore"):
            unclear = np.abs(self.exponents) <= 2 * self.error
        return np.where(unclear, 0, np.sign(self.exponents)).astype(np.int64)

    @property
    def running(self) -> FloatArray:
        """Estimates from the first stretches alone, (stretch, batch, exponent): how they converge."""
        return self.rates.cumsum(axis=0) / np.arange(1, len(self.rates) + 1)[:, None, None]

    @property
    def kaplan_yorke(self) -> FloatArray:
        """Kaplan-Yorke dimension of the attractor, (batch,); NaN where too few exponents are there to tell it."""
        return np.array([_dimension(each, self.units) for each in self.exponents])

    def __str__(self) -> str:
        exponents, error, dimension = self.exponents, self.error, self.kaplan_yorke
        stretches, batch, count = self.rates.shape
        steps, signs = stretches * self.every, self.signs
        lines = [
            f"{count} of {self.units} exponents from {steps} steps of {self.dt:g}; nats per unit of time, ± SE; "
            "0: within 2 SE of it"
        ]
        for k in range(batch):
            shown = [
                f"{value:+.4f} ± {e:.4f}" + ("" if sign else " (0)")
                for value, e, sign in zip(exponents[k, :6], error[k], signs[k], strict=False)
            ]
            more = ", ..." if count > 6 else ""
            told = ("not told from 0", "above 0: chaos, if bounded", "below 0: it forgets")[signs[k, 0]]
            size = f"{dimension[k]:.3f}" if np.isfinite(dimension[k]) else "takes more exponents"
            lines.append(f"  {k:>3}  {', '.join(shown)}{more}; largest {told}; Kaplan-Yorke dimension {size}")
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
    every: int = 1,
    dt: float = 1.0,
    seed: int = 0,
) -> LyapunovExponents:
    """Follow small perturbations along the orbits of a map, and average how fast they grow.

    Perturbations Q follow the tangent dynamics and are made orthonormal again by a QR decomposition, after Benettin et al.:
    exponent i is the mean of log R_ii over the time in between. All is computed in float64.

    Parameters
    ----------
    step : callable of state (batch, unit), and of an input if there are ``inputs``
        Returns the next state, in torch. Members of the batch must not touch each other. Of a flow: an integration step, as
        :func:`flow` makes it.
    start : array or tensor, shape (batch, unit) or (unit)
        On the device where all is to be computed.
    steps : int
        That are averaged over, at least 40 times ``every``, and a multiple of it.
    discard : int
        Steps before them, at least 0, a multiple of ``every``, in which the state finds its attractor, and perturbations the fastest directions.
    count : int or None
        Exponents, the largest ones, at least 1; all of them if None.
    inputs : array or tensor, shape (step, ...), or callable of the number of a step, optional
        What drives the map: ``inputs[k]`` or ``inputs(k)`` in step k, discarded ones included. State and perturbations
        see the same, so that the exponents of a noisy map are those of a random dynamical system. A ``step`` that draws
        noise of its own gives wrong ones.
    tangent : callable of state, state after the step, perturbations (batch, unit, exponent), and input, optional
        Returns the perturbations after the step: the product with the Jacobian of ``step``. By default torch
        differentiates ``step`` forward, which takes some twenty times as long as the step itself.
    every : int
        Steps from one orthonormalisation to the next, at least 1: fewer take less time, and give the same exponents as
        long as perturbations don't all turn into the direction that grows fastest. (first - last exponent) * every * dt
        should stay below 20; beyond about 30 nothing of the last direction is left, which is an error.
    dt : float
        Time that a step stands for, above 0.
    seed : int
        Of the first perturbations.

    Raises
    ------
    ValueError
        For numbers out of range, too few inputs, a ``step`` that changes the shape, states that aren't finite, and
        perturbations that collapse onto each other within ``every`` steps.

    Notes
    -----
    One attractor is sampled for each start. A neighbour that leaves along the flow neither grows nor shrinks: chaotic flows
    have an exponent 0 beside the positive one.

    Don't trust it: a sign that ``signs`` gives as 0; a transient that outlasts ``discard`` (compare halves of ``running``);
    orbits of a step that is too long for its flow; a positive exponent of an orbit that isn't bounded; maps with kinks or
    jumps (spikes, resets), whose tangent dynamics isn't the product of Jacobians.

    References
    ----------
    Benettin, Galgani, Giorgilli & Strelcyn (1980) Meccanica 15:9. Kaplan & Yorke (1979) Springer LNM 730:204. Random
    dynamical systems: Arnold (1998), Springer.

    Examples
    --------
    >>> from neurodyn.analysis import lyapunov_exponents
    >>> logistic = lambda x: 4 * x * (1 - x)
    >>> found = lyapunov_exponents(logistic, [0.3], steps=5000)
    >>> bool(abs(found.largest[0] - 0.693) < 0.02)
    True
    """
    import torch

    every = whole(every, "every")
    steps, discard = whole(steps, "steps", low=2 * BLOCKS * every), whole(discard, "discard", low=0)
    for name, value in (("steps", steps), ("discard", discard)):
        if value % every:
            raise ValueError(f"{name} = {value}: give a multiple of every = {every}")
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
            state, directions = after, moved
            if (k + 1) % every:
                continue
            directions, stretched = torch.linalg.qr(moved)
            stretch = stretched.diagonal(dim1=-2, dim2=-1).abs()
            if every > 1:
                _refuse_collapse(stretch, every)
            if k >= discard:
                rates.append(stretch.log() / (dt * every))
    found = torch.stack(rates).cpu().numpy()
    order = np.argsort(-found.mean(axis=0), axis=1, kind="stable")
    return LyapunovExponents(np.take_along_axis(found, order[None], axis=2), units, dt, every)


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


def _refuse_collapse(stretch: Tensor, every: int) -> None:
    ratio = float((stretch.amin(1) / stretch.amax(1)).min())
    if not ratio > _COLLAPSED:
        raise ValueError(
            f"every = {every}: perturbations collapse onto each other between two orthonormalisations (one shrinks to "
            f"{ratio:.1g} of another); give a smaller every, or a smaller count of exponents"
        )


def _dimension(exponents: FloatArray, units: int) -> float:
    sums = np.cumsum(exponents)
    inside = int((sums >= 0).sum())  # sums of falling numbers: they rise, then fall, and stay below 0
    if inside == len(exponents):
        return float(units) if inside == units else np.nan
    return inside + (sums[inside - 1] / -exponents[inside] if inside else 0.0)
