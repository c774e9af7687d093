"""Least squares of one or two decaying exponentials to autocorrelations: the global optimum, all units at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, number, whole

SHORTEST = 0.02  # steps: exp(-1/0.02) is 2e-22, a component that lives at lag 0 only
ROUNDING = 1e-16  # mean squared residual of a fit that is exact but for rounding
_FINE_GRID, _GRID, _STARTS, _ITERATIONS = 400, 63, 4, 100


@dataclass(frozen=True, eq=False)
class ExponentialFit:
    """A sum of exponentials fitted to the autocorrelation of each unit.

    Attributes
    ----------
    tau : array, shape (unit, component)
        Time constants in steps, shortest first.
    weight : array, shape (unit, component)
        What each component contributes at lag 0; at least 0, with a sum of at most 1.
    rss : array, shape (unit)
        Sum of squared residuals over the lags.
    lags : int
        Number of lags fitted, lag 0 included.
    """

    tau: FloatArray
    weight: FloatArray
    rss: FloatArray
    lags: int

    @property
    def aic(self) -> FloatArray:
        """Akaike's criterion 2k + n ln(RSS / n), shape (unit); k = 2 parameters for each component, n = `lags`."""
        # Below the floor lies rounding, in which more parameters would always win.
        return 4 * self.tau.shape[1] + self.lags * np.log(np.maximum(self.rss / self.lags, ROUNDING))


def fit_exponentials(autocorrelation: ArrayLike, *, components: int = 1, longest: float = 100.0) -> ExponentialFit:
    """Least squares of exponentials with bounds to the autocorrelation of each unit.

    One component is A exp(-k/tau); two are A [c exp(-k/tau1) + (1-c) exp(-k/tau2)], with A and c in [0, 1] and
    tau in (0, `longest`]; k counts lags.

    Parameters
    ----------
    autocorrelation : array, shape (lag, unit)
        From lag 0 in steps of 1, at least 5 lags; all of them are fitted. A column with NaN gives NaN.
    components : 1 or 2
    longest : float
        Upper bound of tau in steps, above 1.

    Returns
    -------
    ExponentialFit

    Raises
    ------
    TypeError
        No real numbers.
    ValueError
        Fewer than 5 lags, another shape, or numbers out of range.

    Notes
    -----
    For given time constants the best amplitudes are a closed form (variable projection, Golub & Pereyra 1973,
    SIAM J Numer Anal 10:413), so the search is over time constants only: a grid, then Gauss-Newton with
    damping from its best local minima. No start values and no units that fail; in tests ``scipy.optimize.curve_fit``
    from ten random starts never found a better optimum, and from its default start often a worse one.
    """
    values = np.asarray(autocorrelation)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"autocorrelation has dtype {values.dtype}: give real numbers, shape (lag, unit)")
    if values.ndim != 2 or values.shape[0] < 5:
        raise ValueError(f"autocorrelation has shape {values.shape}: give (lag, unit) with 5 lags or more")
    whole(components, "components", high=2)
    longest = number(longest, "longest", unit="steps", low=1, strict=True)
    units = values.shape[1]
    result = ExponentialFit(
        np.full((units, components), np.nan), np.full((units, components), np.nan), np.full(units, np.nan), len(values)
    )
    usable = np.flatnonzero(np.isfinite(values).all(axis=0))
    # Blocks whose grids of RSS stay in the cache.
    for start in range(0, len(usable), 100):
        block = usable[start : start + 100]
        y = np.ascontiguousarray(values[:, block].T, dtype=np.float64)
        single = _single(y, longest)
        tau, weight, rss = single if components == 1 else _double(y, longest, *single)
        result.tau[block], result.weight[block], result.rss[block] = tau, weight, rss
    return result


def _decays(log_tau: FloatArray, lags: int) -> FloatArray:
    """exp(-k / tau), shape (..., lag)."""
    return np.exp(-np.arange(lags) / np.exp(log_tau)[..., None])


def _single(y: FloatArray, longest: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """tau (unit, 1), weight (unit, 1) and rss (unit): the grid, then ever finer grids around its minimum."""
    low, high = np.log(SHORTEST), np.log(longest)
    u = np.linspace(low, high, _FINE_GRID)[None]
    step, rows = u[0, 1] - u[0, 0], np.arange(len(y))
    while True:
        basis = _decays(u, y.shape[1])
        amplitude = np.clip((basis @ y[:, :, None])[:, :, 0] / (basis * basis).sum(axis=2), 0.0, 1.0)
        # From the residuals, since expanded into products it would lose half the digits of tau.
        cost = ((y[:, None] - amplitude[:, :, None] * basis) ** 2).sum(axis=2)
        best = np.argmin(cost, axis=1)
        centre = np.broadcast_to(u, cost.shape)[rows, best]
        if step < 1e-11:
            return np.exp(centre)[:, None], amplitude[rows, best][:, None], cost[rows, best]
        step = step / 4
        u = np.clip(centre[:, None] + step * np.arange(-4, 5), low, high)


def _double(
    y: FloatArray, longest: float, tau1: FloatArray, weight1: FloatArray, rss1: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """tau (unit, 2), weight (unit, 2) and rss (unit); never worse than the single fit that is given."""
    owner, u = _starts(y, np.log(tau1[:, 0]), longest)
    u, weight, rss = _descend(y[owner], u, np.log(longest))
    tau = np.concatenate([tau1, tau1], axis=1)
    weights = np.concatenate([weight1, np.zeros_like(weight1)], axis=1)
    least = rss1.copy()
    # Starts of a unit, the worst first, so that the best is written last.
    order = np.argsort(-rss, kind="stable")
    order = order[rss[order] < least[owner[order]]]
    tau[owner[order]], weights[owner[order]], least[owner[order]] = np.exp(u[order]), weight[order], rss[order]
    swap = np.argsort(tau, axis=1, kind="stable")
    return np.take_along_axis(tau, swap, axis=1), np.take_along_axis(weights, swap, axis=1), least


def _starts(y: FloatArray, single: FloatArray, longest: float) -> tuple[IntArray, FloatArray]:
    """Starts of the search: unit of each, and log tau, shape (start, 2).

    They are the best local minima of RSS on a grid of pairs, and the best partners, slower and faster, of the
    time constant `single` of the single fit: a second component of small weight falls between the grid's lines.
    """
    from scipy.ndimage import minimum_filter

    grid = np.append(np.log(SHORTEST), np.linspace(np.log(0.15), np.log(longest), _GRID))
    basis = _decays(grid, y.shape[1])
    i, j = np.triu_indices(len(grid), 1)
    gram, along = basis @ basis.T, y @ basis.T
    cost = _cost(gram[i, i], gram[i, j], gram[j, j], along[:, i], along[:, j])
    surface = np.full((len(y), len(grid), len(grid)), np.inf)
    surface[:, i, j] = surface[:, j, i] = cost
    bottom = minimum_filter(surface, size=(1, 3, 3), mode="constant", cval=np.inf)[:, i, j]
    cost[cost > bottom] = np.inf
    pick = np.argpartition(cost, _STARTS, axis=1)[:, :_STARTS]
    unit, column = np.nonzero(np.isfinite(np.take_along_axis(cost, pick, axis=1)))
    pair = pick[unit, column]
    units, starts = [unit], [np.stack([grid[i[pair]], grid[j[pair]]], axis=1)]

    own = _decays(single, y.shape[1])
    power, product = (own * own).sum(axis=1)[:, None], (own * y).sum(axis=1)[:, None]
    partners = _cost(power, own @ basis.T, gram.diagonal(), product, along)
    for side in (grid < single[:, None], grid > single[:, None]):
        cost = np.where(side, partners, np.inf)
        best = np.argmin(cost, axis=1)
        unit = np.flatnonzero(np.isfinite(cost[np.arange(len(y)), best]))
        units.append(unit)
        starts.append(np.stack([single[unit], grid[best[unit]]], axis=1))
    return np.concatenate(units), np.concatenate(starts)


def _cost(*products: FloatArray) -> FloatArray:
    """The least cost, infinite where one amplitude is zero: such a pair is a single fit, and that is known."""
    a, b, cost = _amplitudes(*products)
    return np.where((a > 0) & (b > 0), cost, np.inf)


def _amplitudes(
    g11: FloatArray, g12: FloatArray, g22: FloatArray, h1: FloatArray, h2: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Minimum of -2(a h1 + b h2) + a^2 g11 + 2 a b g12 + b^2 g22 over a, b >= 0 and a + b <= 1.

    Convex: the stationary point if it lies inside, otherwise the best of the three edges.
    """

    def cost(a: FloatArray, b: FloatArray) -> FloatArray:
        return a * (a * g11 + 2 * (b * g12 - h1)) + b * (b * g22 - 2 * h2)

    with np.errstate(divide="ignore", invalid="ignore"):
        determinant = g11 * g22 - g12 * g12
        a, b = (h1 * g22 - h2 * g12) / determinant, (h2 * g11 - h1 * g12) / determinant
        inside = (determinant > 1e-14 * g11 * g22) & (a > 0) & (b > 0) & (a + b < 1)
        slope = (h1 - h2 - g12 + g22) / (g11 - 2 * g12 + g22)
    one, other = np.clip(h1 / g11, 0.0, 1.0), np.clip(h2 / g22, 0.0, 1.0)
    share = np.clip(np.nan_to_num(slope, nan=0.0), 0.0, 1.0)
    zero = np.zeros_like(one)
    edges = ((one, zero), (zero, other), (share, 1 - share))
    best_a, best_b = np.where(inside, a, 0.0), np.where(inside, b, 0.0)
    least = np.where(inside, cost(best_a, best_b), np.inf)
    for a, b in edges:
        value = cost(a, b)
        better = ~inside & (value < least)
        best_a, best_b = np.where(better, a, best_a), np.where(better, b, best_b)
        least = np.where(better, value, least)
    return best_a, best_b, least


def _state(y: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Exponentials (problem, 2, lag), amplitudes (problem, 2), residuals and RSS at log tau = u."""
    basis = _decays(u, y.shape[1])
    gram = basis @ basis.transpose(0, 2, 1)
    along = (basis @ y[:, :, None])[:, :, 0]
    a, b, _ = _amplitudes(gram[:, 0, 0], gram[:, 0, 1], gram[:, 1, 1], along[:, 0], along[:, 1])
    weight = np.stack([a, b], axis=1)
    residual = y - (weight[:, None, :] @ basis)[:, 0]
    return basis, weight, residual, (residual * residual).sum(axis=1)


def _descend(y: FloatArray, u: FloatArray, high: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Levenberg-Marquardt over log tau with the amplitudes projected out (Kaufman 1975, BIT 15:49; Nielsen 1999)."""
    low, u = np.log(SHORTEST), u.copy()
    basis, weight, residual, rss = _state(y, u)
    damping = np.full(len(y), 1e-3)
    active = np.arange(len(y))
    for _ in range(_ITERATIONS):
        if not len(active):
            break
        now = u[active]
        slopes = _slopes(basis[active], weight[active], np.exp(now))
        pull = (slopes @ residual[active][:, :, None])[:, :, 0]
        held = ((now >= high) & (pull > 0)) | ((now <= low) & (pull < 0))
        pull[held], slopes[held] = 0.0, 0.0
        curvature = slopes @ slopes.transpose(0, 2, 1)
        step = np.clip(_solve(curvature, pull, damping[active]), -1.0, 1.0)
        moved = np.clip(now + step, low, high)
        trial = _state(y[active], moved)
        gain = rss[active] - trial[3]
        better = gain > 0
        won = active[better]
        still = ~better | (gain > 1e-14 * rss[active]) | (np.abs(step).max(axis=1) > 1e-6)
        # Nielsen's rule: trust the linear model as far as the gain it foretold came true.
        foretold = 2 * (step * pull).sum(axis=1) - (step * (curvature @ step[:, :, None])[:, :, 0]).sum(axis=1)
        ratio = np.divide(gain, foretold, out=np.zeros_like(gain), where=foretold > 0)
        u[won] = moved[better]
        for kept, new in zip((basis, weight, residual, rss), trial, strict=True):
            kept[won] = new[better]
        damping[active] *= np.where(better, np.clip(1 - (2 * ratio - 1) ** 3, 0.1, 2.0), 5.0)
        active = active[still & (damping[active] < 1e8)]
    return u, weight, rss


def _slopes(basis: FloatArray, weight: FloatArray, tau: FloatArray) -> FloatArray:
    """Derivatives of the fit by log tau, less what the free amplitudes can make up for; (problem, 2, lag)."""
    slopes = weight[:, :, None] * basis * (np.arange(basis.shape[2]) / tau[:, :, None])
    free = (weight > 0)[:, :, None] * basis
    # Where the amplitudes add up to 1 they can only be traded, if there are two of them.
    full = weight.sum(axis=1) >= 1 - 1e-12
    both = np.asarray((weight > 0).all(axis=1))
    free[full, 0] = both[full, None] * (free[full, 0] - free[full, 1])
    free[full, 1] = 0.0
    first = _unit(free[:, 0])
    second = _unit(free[:, 1] - _along(free[:, 1], first))
    for direction in (first, second):
        slopes -= _along(slopes, direction[:, None])
    return slopes


def _along(vectors: FloatArray, direction: FloatArray) -> FloatArray:
    return (vectors * direction).sum(axis=-1, keepdims=True) * direction


def _unit(vectors: FloatArray) -> FloatArray:
    length = np.sqrt((vectors * vectors).sum(axis=-1, keepdims=True))
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 1e-12)


def _solve(curvature: FloatArray, pull: FloatArray, damping: FloatArray) -> FloatArray:
    """Solutions of damped 2 x 2 systems; a direction without curvature doesn't move."""
    a, c = (np.where(curvature[:, k, k] > 0, curvature[:, k, k] * (1 + damping), 1.0) for k in (0, 1))
    b = curvature[:, 0, 1]
    # Positive in exact arithmetic, since the damping weighs on the diagonal only.
    determinant = np.maximum(a * c - b * b, 1e-16 * a * c)
    return np.stack([c * pull[:, 0] - b * pull[:, 1], a * pull[:, 1] - b * pull[:, 0]], axis=1) / determinant[:, None]
