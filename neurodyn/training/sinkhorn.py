"""How far two batches of symbol sequences are apart: the Sinkhorn divergence, its value and its gradient.

OT(a, b) is the entropic transport cost between the two batches, each sequence a point of equal weight. The divergence
S = OT(x, y) - OT(x, x)/2 - OT(y, y)/2 (Feydy et al. 2019, "Interpolating between optimal transport and MMD using Sinkhorn
divergences") is 0 for equal batches. Potentials are found by geomloss's schedule: the width eps falls from the squared
diameter to blur^2, with one symmetric, averaged update a width and one full update at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from neurodyn.training.distances import Costs, costs

LIMIT = 100_000  # sweeps at the last width before convergence is given up
LARGEST = 1e6  # a code; squares of more lose what tells sequences apart


def sinkhorn_divergence(
    x: Tensor, y: Tensor, *, blur: float = 0.2, scaling: float = 0.5, converged: bool = False, tolerance: float = 1e-3
) -> Tensor:
    """Return the debiased Sinkhorn divergence between two batches of symbol sequences, differentiable in both.

    The cost of a pair is half its squared Euclidean distance; between one-hot codes that is the number of steps at which
    the symbols differ. Value and gradient are those of ``geomloss.SamplesLoss(blur=blur, scaling=scaling)`` on codes
    flattened to (batch, time*symbols). That schedule doesn't converge: its value lies a few per cent below that of the
    optimal plan, and its gradient is not that of its value. ``converged=True`` iterates at the last width, and the
    gradient is then that of the value.

    Parameters
    ----------
    x, y : Tensor (batch, time, symbols)
        Codes, float32 or float64, on one device; the batches may differ in size. Codes within 1e-6 of one-hot (straight-through
        samples are not exact) count as one-hot.
    blur : float
        Square root of the last eps, in the unit of a Euclidean distance, above 0.
    scaling : float
        Factor of the square root of eps from one update to the next, between 0 and 1.
    converged : bool
        Go on at the last width until the marginals of the plans are met. Costs are whole numbers and many plans are nearly as
        good as the best one, so this is slow: at blur 0.2 some 1500 sweeps, where the schedule takes 11.
    tolerance : float
        Mean relative error of the marginals at which ``converged=True`` stops, above 0. At 1e-3 values are right to about
        1e-5; each further digit takes two to eight times as long.

    Returns
    -------
    Tensor ()
        In units of the cost. Across batch sizes values can't be compared: two batches of one source are the further apart
        the smaller they are.

    Raises
    ------
    ValueError
        For shapes, types or values that don't fit, NaN and inf among them.
    ArithmeticError
        If the marginals are not met within 100 000 sweeps.

    References
    ----------
    Feydy et al. (2019) AISTATS, Interpolating between optimal transport and MMD using Sinkhorn divergences.
    """
    _check(x, y)
    if not (math.isfinite(blur) and blur > 0):
        raise ValueError(f"blur is {blur!r}: give a distance above 0, such as 0.2")
    if not 0 < scaling < 1:
        raise ValueError(f"scaling is {scaling!r}: give a factor above 0 and below 1, such as 0.5")
    if not (math.isfinite(tolerance) and tolerance > 0):
        raise ValueError(f"tolerance is {tolerance!r}: give a relative error above 0, such as 1e-3")
    widths = schedule(_diameter(x.detach(), y.detach()), blur, scaling)
    return _Divergence.apply(x.flatten(1), y.flatten(1), x.shape[2], widths, tolerance if converged else None, None)


class Wanted:
    """Sequences that several batches come near to: what is theirs alone in the divergence, a quarter of it, is computed once.

    Parameters
    ----------
    codes : Tensor (batch, time, symbols)
        One-hot.
    """

    def __init__(self, codes: Tensor) -> None:
        self.codes = codes
        self._lock, self._widths = Lock(), []
        self._plan: _Plan | None = None

    def divergence(self, x: Tensor, *, blur: float, scaling: float) -> Tensor:
        """Return what :func:`sinkhorn_divergence` does of ``x`` and these, the same bits, differentiable in ``x``."""
        y = self.codes
        _check(x, y)
        widths = schedule(_diameter(x.detach(), y), blur, scaling)
        return _Divergence.apply(x.flatten(1), y.flatten(1), x.shape[2], widths, None, self._own)

    def _own(self, widths: list[float]) -> _Plan:
        """The plan between these and themselves; the widths, which hang on the other batch as well, seldom change."""
        with self._lock:
            if self._plan is None or widths != self._widths:
                (cost,) = costs([self.codes.flatten(1)], [(0, 0)], self.codes.shape[2])
                self._plan, self._widths = _solved(cost, widths, None), widths
            return self._plan


def schedule(diameter: float, blur: float, scaling: float) -> list[float]:
    """Return the widths eps of geomloss's schedule: diameter^2, from there down by scaling^2, and blur^2."""
    top = 2 * math.log(diameter or blur)  # identical sequences: any width will do
    count = max(0, math.ceil((2 * math.log(blur) - top) / (2 * math.log(scaling))))
    falling = [math.exp(top + k * 2 * math.log(scaling)) for k in range(count)]
    return [(diameter or blur) ** 2, *falling, blur**2]


@dataclass
class _Plan:
    """Potentials of a transport problem: those at the last update (f, g) and those it gave, each (n,) and (m,)."""

    cost: Costs
    width: float
    f: Tensor
    g: Tensor
    f_new: Tensor
    g_new: Tensor

    def value(self) -> Tensor:
        return self.f_new.mean() + self.g_new.mean()

    def sources(self, points: Tensor) -> Tensor:
        """Return the mean of ``points`` (m, c) that the plan gives each row, (n, c)."""
        return self.cost.means(self.f_new, self.g, self.width, points)

    def targets(self, points: Tensor) -> Tensor:
        """Return the mean of ``points`` (n, c) that the plan gives each column, (m, c)."""
        return self.cost.transposed().means(self.g_new, self.f, self.width, points)


class _Divergence(torch.autograd.Function):
    """The gradient is that of the last update with its own inputs held fixed, as geomloss has it (envelope theorem)."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, y: Tensor, symbols: int, widths: list[float], tolerance: float | None,
        known: Callable[[list[float]], _Plan] | None,
    ) -> Tensor:  # fmt: skip
        ctx.save_for_backward(x, y)
        pairs = [(0, 1), (0, 0), (1, 1)][: 3 if known is None else 2]
        ctx.plans = [_solved(cost, widths, tolerance) for cost in costs([x, y], pairs, symbols)]
        if known is not None:
            ctx.plans.append(known(widths))
        both, own, other = (plan.value() for plan in ctx.plans)
        return (both - (own + other) / 2).to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> Any:
        x, y = ctx.saved_tensors
        both, own, other = ctx.plans
        to_x = to_y = None
        if ctx.needs_input_grad[0]:
            to_x = grads[0] / len(x) * (own.sources(x) - both.sources(y))
        if ctx.needs_input_grad[1]:
            to_y = grads[0] / len(y) * (other.sources(y) - both.targets(x))
        return to_x, to_y, None, None, None, None


def _solved(cost: Costs, widths: Sequence[float], tolerance: float | None) -> _Plan:
    f, g = cost.step(*cost.zeros(), widths[0])
    for width in widths:
        f_new, g_new = cost.step(f, g, width)
        f, g = (f + f_new) / 2, (g + g_new) / 2
    width = widths[-1]
    if tolerance is not None:
        f, g = _settled(cost, f, g, width, tolerance)
    return _Plan(cost, width, f, g, *cost.step(f, g, width))


def _settled(cost: Costs, f: Tensor, g: Tensor, width: float, tolerance: float) -> tuple[Tensor, Tensor]:
    """Iterate at one width until the marginals are met."""
    error = math.inf
    for _ in range(LIMIT):
        f, g, error = cost.sweep(f, g, width)
        if error < tolerance:
            return f, g
    raise ArithmeticError(
        f"marginals are met up to {error:.2g} after {LIMIT} sweeps at eps = {width:.3g}, and tolerance is {tolerance:.2g}: "
        "raise tolerance or blur, or give float64 codes"
    )


def _diameter(x: Tensor, y: Tensor) -> float:
    """Return the diagonal of the smallest box around all points, which bounds their distances."""
    x, y = x.flatten(1), y.flatten(1)
    return float((torch.maximum(x.amax(0), y.amax(0)) - torch.minimum(x.amin(0), y.amin(0))).norm())


def _check(x: Tensor, y: Tensor) -> None:
    for name, codes in (("x", x), ("y", y)):
        if not isinstance(codes, Tensor):
            raise ValueError(f"{name} is of type {type(codes).__name__}: give a torch tensor (batch, time, symbols)")
        if codes.ndim != 3 or not codes.numel():
            raise ValueError(
                f"{name} has shape {tuple(codes.shape)}: give codes (batch, time, symbols), none of them 0"
            )
        if codes.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"{name} is {codes.dtype}: give float32 or float64, as {name}.float() is")
        codes = codes.detach()
        low, high = (float(end) for end in codes.aminmax())
        if not math.isfinite(low) or not math.isfinite(high):
            bad = (~torch.isfinite(codes)).nonzero()
            sequence, step, symbol = bad[0].tolist()
            raise ValueError(
                f"{name} holds {float(codes[sequence, step, symbol])} (sequence {sequence}, step {step}, symbol {symbol}; "
                f"{len(bad)} such values): look where the network that made it diverged"
            )
        largest = max(-low, high)
        if largest > LARGEST:
            raise ValueError(
                f"{name} holds {largest:.3g}: give one-hot codes or probabilities, up to {LARGEST:g} in size"
            )
    if x.shape[1:] != y.shape[1:]:
        raise ValueError(
            f"x has {x.shape[1]} steps of {x.shape[2]} symbols and y {y.shape[1]} of {y.shape[2]}: cut both to one length"
        )
    if (x.dtype, x.device) != (y.dtype, y.device):
        raise ValueError(
            f"x is {x.dtype} on {x.device} and y {y.dtype} on {y.device}: bring both to one type and device"
        )
