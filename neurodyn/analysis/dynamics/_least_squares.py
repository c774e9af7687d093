"""Where a map (unit) -> (unit) is least in size: damped second-order steps for many starts at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

    Function = Callable[[Tensor], Tensor]

_CACHED = 2**19  # numbers of the Jacobians that are made at a time: 4 MiB, what caches hold
_HELD = 2**25  # numbers of the matrices of all starts that are followed together: 256 MiB
_LEAST, _MOST = 1e-14, 1e14  # of the damping
_ACCEPTED, _POOR, _GOOD = 1e-4, 0.25, 0.75  # share of the promised decrease: taken from, more damping below, less above
_SLOW = 0.15  # share of the square that a step takes off, below which the curvature of the function is looked at too


class Minima(NamedTuple):
    """Where starts ended: places and values (start, unit), whether each reached a zero or a minimum, and its steps."""

    at: Tensor
    values: Tensor
    zero: Tensor
    minimum: Tensor
    iterations: Tensor


def least(function: Function, starts: Tensor, *, size: float, flat: float, iterations: int) -> Minima:
    """Minimise q = |function(x)|^2/2 from each start until |function| <= size, or q is flat, or the steps are used up.

    Steps are damped Gauss-Newton steps, with the full Hessian of q where those gain little. ``flat`` bounds |gradient of
    q| / |function|^2. A start whose value isn't finite, or whose steps gain nothing at all, stays what it is: neither.
    """
    import torch

    together = max(1, _HELD // starts.shape[1] ** 2)
    found = [_followed(function, part, size, flat, iterations) for part in starts.split(together)]
    return Minima(*(torch.cat(each) for each in zip(*found, strict=True)))


def _followed(function: Function, x: Tensor, size: float, flat: float, iterations: int) -> Minima:
    import torch

    at, values = x.clone(), function(x)
    zero = values.norm(dim=1) <= size
    minimum = torch.zeros_like(zero)
    used = torch.zeros(len(x), dtype=torch.int64, device=x.device)
    damping = torch.full((len(x),), 1e-2, dtype=x.dtype, device=x.device)
    bent = torch.zeros_like(zero)  # whether the curvature of the function is looked at
    alive = (~zero & values.isfinite().all(1)).nonzero().squeeze(1)
    matrix, gradient = x.new_empty(len(alive), x.shape[1], x.shape[1]), torch.empty_like(x[alive])
    _refresh(function, at[alive], bent[alive], torch.arange(len(alive), device=x.device), matrix, gradient)
    for _ in range(iterations):
        still = gradient.norm(dim=1) > flat * values[alive].square().sum(1)
        minimum[alive[~still]] = True
        if not still.all():
            alive, matrix, gradient = alive[still], matrix[still], gradient[still]
        if not len(alive):
            break
        used[alive] += 1
        square, mu = values[alive].square().sum(1), damping[alive]
        # Damping that falls with the square keeps convergence quadratic, at zeros that aren't isolated too.
        step, solved = _solved(matrix, gradient, mu * square)
        after = function(at[alive] + step)
        promised = -(gradient * step).sum(1) - (step * (matrix @ step[..., None])[..., 0]).sum(1) / 2
        won = (square - after.square().sum(1)) / 2
        usable = solved & after.isfinite().all(1) & (promised > 0)
        ratio = torch.where(usable, won / promised, -1.0)
        factor = torch.where(ratio > _GOOD, 0.25, torch.where(ratio < _POOR, 4.0, 1.0))
        damping[alive] = (mu * factor).clamp(_LEAST, _MOST)
        taken = ratio > _ACCEPTED
        moved = alive[taken]
        at[moved] += step[taken]
        values[moved] = after[taken]
        bent[moved] = (2 * won < _SLOW * square)[taken]
        arrived = values[alive].norm(dim=1) <= size
        zero[alive[arrived]] = True
        on = ~arrived & (taken | (mu < _MOST))
        if not on.all():
            alive, matrix, gradient, taken = alive[on], matrix[on], gradient[on], taken[on]
        _refresh(function, at[alive], bent[alive], taken.nonzero().squeeze(1), matrix, gradient)
    return Minima(at, values, zero, minimum, used)


def jacobians(function: Function, x: Tensor) -> Tensor:
    """Jacobians (state, unit, unit) of a function of (state, unit) whose states don't touch each other."""
    import torch
    from torch.func import vjp, vmap

    eye = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)

    def rows(part: Tensor) -> Tensor:
        pull = vjp(function, part)[1]
        return vmap(lambda e: pull(e.expand_as(part))[0], out_dims=1)(eye)  # type: ignore[return-value]

    # Backward, and a few states at a time: that keeps what is computed in the caches, and is up to ten times as quick.
    return torch.cat([rows(part) for part in x.split(max(1, _CACHED // x.shape[1] ** 2))])


def _refresh(function: Function, x: Tensor, bent: Tensor, which: Tensor, matrix: Tensor, gradient: Tensor) -> None:
    """Write the derivatives of q at some of the x: the second ones of Gauss and Newton, or in full where ``bent``."""
    from torch.func import grad

    downhill = grad(lambda y: function(y).square().sum() / 2)
    for part in which.split(max(1, _CACHED // x.shape[1] ** 2)):
        straight, curved = part[~bent[part]], part[bent[part]]
        if len(straight):
            jacobian = jacobians(function, x[straight])
            matrix[straight] = jacobian.mT @ jacobian
            gradient[straight] = (jacobian.mT @ function(x[straight])[..., None])[..., 0]
        if len(curved):
            hessian = jacobians(downhill, x[curved])
            matrix[curved] = (hessian + hessian.mT) / 2
            gradient[curved] = downhill(x[curved])


def _solved(matrix: Tensor, gradient: Tensor, damping: Tensor) -> tuple[Tensor, Tensor]:
    """Damped steps downhill, and whether the damped matrix is positive definite."""
    import torch

    diagonal = matrix.diagonal(dim1=1, dim2=2)
    undamped = diagonal.clone()
    diagonal += damping[:, None]
    factor, failed = torch.linalg.cholesky_ex(matrix)
    diagonal.copy_(undamped)
    return torch.cholesky_solve(-gradient[..., None], factor)[..., 0], failed == 0
