"""Fixed and slow points of any map or flow, with their stability."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from .._checks import FloatArray, IntArray, choice, number, whole
from .._result import Result
from ._least_squares import jacobians, least

if TYPE_CHECKING:
    from torch import Tensor

ComplexArray = NDArray[np.complexfloating]
_FLAT = 1e-3  # of the squared speed, that a way as long as the cloud is wide would gain downhill: a minimum
_SHOWN = 12  # points of a printed table
STABILITY = ("stable node", "stable spiral", "marginal", "saddle", "unstable node", "unstable spiral")


@dataclass(frozen=True, eq=False)
class FixedPoints(Result, figure="fixed_points"):
    """Fixed and slow points that starts have led to, the most visited first; ``print`` shows a table.

    Attributes
    ----------
    points : array, shape (point, unit)
    speed : array, shape (point)
        ``|F(x) - x|`` in a step of a map, ``|f(x)|`` of a flow. The q of the literature is its square over 2.
    fixed : array of bool, shape (point)
        Whether it is a fixed point; else it is a slow point, a minimum of the speed that isn't 0.
    outlier : array of bool, shape (point)
        Whether it lies far from the starts, where they tell nothing about the system.
    jacobians : array, shape (point, unit, unit)
        Of F or f: row i holds the derivatives of unit i.
    starts : array, shape (start, unit)
    start_speed : array, shape (start)
    ended : array of int, shape (start)
        Index of the point in which a start ended; -1 in a minimum that is too quick to be called slow, -2 if it
        was still under way, or had come to where the speed isn't finite.
    kind : str
        "map" or "flow".
    scale : float
        Root mean square distance of the starts from their mean: what tolerances are relative to.
    margin : float
        Growth that counts as none.
    """

    points: FloatArray
    speed: FloatArray
    fixed: np.ndarray
    outlier: np.ndarray
    jacobians: FloatArray
    starts: FloatArray
    start_speed: FloatArray
    ended: IntArray
    kind: str
    scale: float
    margin: float

    @cached_property
    def eigenvalues(self) -> ComplexArray:
        """Eigenvalues of the Jacobians, (point, unit), complex, those that grow fastest first."""
        found = np.linalg.eigvals(self.jacobians).astype(complex)
        order = np.argsort(-_growth(found, self.kind), axis=1, kind="stable")
        return np.take_along_axis(found, order, axis=1)

    @property
    def growth(self) -> FloatArray:
        """``|l| - 1`` of the eigenvalues l of a map, Re l of a flow, (point, unit): above 0 where perturbations grow."""
        return _growth(self.eigenvalues, self.kind)

    @property
    def index(self) -> IntArray:
        """Number of unstable directions of each point."""
        return (self.growth > self.margin).sum(axis=1)

    @property
    def stability(self) -> list[str]:
        """Class of each point.

        "stable node" or "stable spiral": all directions shrink, and the slowest has a real or complex eigenvalue.
        "marginal": none grows, and some neither grow nor shrink. "saddle": some grow (``index`` of them), some don't.
        "unstable node", "unstable spiral": all grow. A real negative eigenvalue of a map counts as that of a node.
        """
        growth, units = self.growth, self.points.shape[1]
        turning = np.abs(self.eigenvalues.imag) > 1e-9 * np.maximum(np.abs(self.eigenvalues), 1e-300)
        names = []
        for k, unstable in enumerate(self.index):
            form = "spiral" if turning[k, 0] else "node"
            if 0 < unstable < units:
                names.append("saddle")
            elif unstable:
                names.append(f"unstable {form}")
            else:
                names.append("marginal" if growth[k, 0] >= -self.margin else f"stable {form}")
        return names

    @property
    def visits(self) -> IntArray:
        """Number of starts that ended in each point."""
        return np.bincount(self.ended[self.ended >= 0], minlength=len(self.points))

    @property
    def quick(self) -> int:
        """Starts that ended in minima of the speed that are too quick to be called slow points."""
        return int((self.ended == -1).sum())

    @property
    def unfinished(self) -> int:
        """Starts that ended nowhere: give more ``iterations``."""
        return int((self.ended == -2).sum())

    def __str__(self) -> str:
        count, unit = len(self.points), "step" if self.kind == "map" else "unit of time"
        lines = [
            f"{int(self.fixed.sum())} fixed and {int((~self.fixed).sum())} slow points of a {self.kind} from "
            f"{len(self.starts)} starts; {self.quick} starts ended in quick minima, {self.unfinished} nowhere",
            f"  speed at the starts, for comparison: median {np.median(self.start_speed):.3g}, least "
            f"{self.start_speed.min():.3g} a {unit}; starts lie {self.scale:.3g} from their mean",
        ]
        names, index, visits = self.stability, self.index, self.visits
        lines += [f"  {n} {name}" for name, n in Counter(names).items()]
        if count:
            lines.append(f"  {'':>3} {'speed':>9} {'starts':>7}  {'growth':>10}  what")
        for k in range(min(count, _SHOWN)):
            what = f"{'fixed' if self.fixed[k] else 'slow'}, {names[k]}"
            what += f" of index {index[k]}" if names[k] == "saddle" else ""
            what += ", OUTLIER: far from all starts" if self.outlier[k] else ""
            lines.append(f"  {k:>3} {self.speed[k]:>9.2g} {visits[k]:>7}  {self.growth[k, 0]:>+10.4g}  {what}")
        return "\n".join(lines + ([f"  ... and {count - _SHOWN} more"] if count > _SHOWN else []))


def fixed_points(
    step: Callable[..., Tensor],
    starts: Any,
    *,
    inputs: Any = None,
    kind: Literal["map", "flow"] = "map",
    tolerance: float = 1e-9,
    slow: float = 0.1,
    separation: float = 1e-3,
    far: float = 10.0,
    margin: float = 1e-6,
    iterations: int = 300,
) -> FixedPoints:
    """Find where a system stands still, or nearly, by minimising its squared speed from many starts at once.

    ``q(x) = |F(x) - x|^2 / 2`` of a map, ``|f(x)|^2 / 2`` of a flow, is minimised by damped Gauss-Newton steps (Levenberg and
    Marquardt), with the full Hessian of q where these gain little, as at slow points. All is computed in float64, with
    derivatives by torch.

    Parameters
    ----------
    step : callable of state (batch, unit), and of the inputs if there are ``inputs``
        Returns the next state (map) or the velocity (flow), in torch. Members of the batch must not touch each other, and
        nothing may be drawn. ``net.step``, ``circuit.step_function()``, any function.
    starts : array or tensor, shape (start, unit)
        States that the system visits, such as a recording of it, on the device where all is to be computed. Points that
        no start leads to aren't found.
    inputs : array or tensor, shape (channel), optional
        What is held: ``step(state, inputs)``.
    kind : "map" or "flow"
    tolerance : float
        A point is fixed if its speed is at most ``tolerance`` times ``scale`` (see :class:`FixedPoints`), > 0.
    slow : float
        A minimum of the speed is a slow point if its speed is at most this share of the median speed at the starts, >= 0.
    separation : float
        Points closer than ``separation`` times ``scale`` are one, > 0.
    far : float
        A point is an outlier if it is farther than ``far`` times ``scale`` from the mean of the starts, > 0. Such
        points are kept and marked.
    margin : float
        Growth, ``|l| - 1`` of a map or Re l of a flow, that counts as none, >= 0. Of an integration step dt it is that of dt.
    iterations : int
        Steps at most, of each start.

    Raises
    ------
    ValueError
        For numbers out of range, starts that aren't finite, and a ``step`` that changes the shape, draws noise,
        mixes the members of a batch, or computes in less than float64 (``net.double()`` makes it).

    Notes
    -----
    A minimum of the speed counts as one where ``|grad q|`` times ``scale`` is below ``0.001 |F(x) - x|^2``.

    Don't trust it: that a list of points is complete (more starts may find more; how many starts ended in each tells); slow
    points far from where the activity goes; the class of a point where ``step`` has a kink (rectified units), whose
    derivative on one side is taken; points of a line attractor as if they were distinct: they are where starts happened
    to fall on it, and are marginal. Many points that one start each has found are a sign of such a continuum.

    References
    ----------
    Sussillo & Barak (2013) Neural Comput. 25:626. Golub & Sussillo (2018) JOSS 3:1003. Damping in proportion to the
    squared residual, which converges quadratically at zeros that aren't isolated too: Fan & Yuan (2005) Computing 74:23.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodyn.analysis import fixed_points
    >>> starts = np.random.default_rng(0).normal(size=(50, 1))
    >>> found = fixed_points(lambda x: x - x**3, starts, kind="flow")
    >>> places = (found.points[:, 0].round(6) + 0.0).tolist()
    >>> sorted(zip(places, found.stability, strict=True))
    [(-1.0, 'stable node'), (0.0, 'unstable node'), (1.0, 'stable node')]
    """
    import torch

    choice(kind, "kind", ("map", "flow"))
    options = {"tolerance": tolerance, "separation": separation, "far": far}
    tolerance, separation, far = (number(v, k, unit="", low=0, strict=True) for k, v in options.items())
    slow, margin = (number(v, k, unit="", low=0) for k, v in {"slow": slow, "margin": margin}.items())
    state = _starts(starts)
    if inputs is not None:
        given = torch.as_tensor(inputs).to(state)
        if given.ndim != 1 or not bool(given.isfinite().all()):
            raise ValueError(f"inputs has shape {tuple(given.shape)}: give (channel), finite numbers that are held")
        system = partial(_held, step, given)
    else:
        system = step
    velocity = system if kind == "flow" else lambda x: system(x) - x
    with torch.no_grad():
        started = _checked(system, state, velocity)
        scale = _scale(state)
        found = least(
            velocity, state, size=tolerance * scale, flat=_FLAT / scale, iterations=whole(iterations, "iterations")
        )
        speed = found.values.norm(dim=1)
        slow_enough = found.minimum & (speed <= slow * started.median())
        kept = (found.zero | slow_enough).nonzero().squeeze(1)
        chosen, label = _distinct(found.at[kept], speed[kept], separation * scale)
        at = found.at[kept[chosen]]
        derivatives = jacobians(system, at) if len(at) else state.new_empty(0, state.shape[1], state.shape[1])
    ended = np.where(found.minimum.cpu().numpy(), -1, -2)
    order = np.argsort(-np.bincount(label, minlength=len(chosen)), kind="stable")
    ended[kept.cpu().numpy()] = np.argsort(order)[label] if len(label) else []
    at, derivatives = at.cpu().numpy()[order], derivatives.cpu().numpy()[order]
    cloud = state.cpu().numpy()
    return FixedPoints(
        points=at,
        speed=speed[kept[chosen]].cpu().numpy()[order],
        fixed=found.zero[kept[chosen]].cpu().numpy()[order],
        outlier=np.linalg.norm(at - cloud.mean(axis=0), axis=1) > far * scale,
        jacobians=derivatives,
        starts=cloud,
        start_speed=started.cpu().numpy(),
        ended=ended,
        kind=kind,
        scale=scale,
        margin=margin,
    )


def _held(step: Callable[..., Tensor], given: Tensor, state: Tensor) -> Tensor:
    return step(state, given)


def _starts(given: Any) -> Tensor:
    import torch

    state = torch.as_tensor(given).detach().double()
    if state.ndim != 2 or not state.numel():
        raise ValueError(f"starts has shape {tuple(state.shape)}: give (start, unit), none of them empty")
    bad = (~state.isfinite()).any(1).nonzero()
    if len(bad):
        raise ValueError(f"starts: start {int(bad[0])} is NaN or infinite; leave such states out")
    return state


def _scale(state: Tensor) -> float:
    """Extent of the starts; of a single one its distance from 0, or 1 if that is 0."""
    extent = float((state - state.mean(0)).square().sum(1).mean().sqrt())
    return extent or float(state.norm(dim=1).mean()) or 1.0


def _checked(system: Callable[[Tensor], Tensor], state: Tensor, velocity: Callable[[Tensor], Tensor]) -> Tensor:
    """Speed at the starts, once it is sure that the system can be analysed."""
    import torch

    few = state[:8]
    once = system(few)
    if once.shape != few.shape:
        raise ValueError(f"step returns {tuple(once.shape)} for states of {tuple(few.shape)}: give the same shape back")
    if once.dtype != torch.float64:
        raise ValueError(f"step returns {once.dtype} for float64 states: compute in float64, as net.double() does")
    if not torch.equal(once.nan_to_num(), system(few).nan_to_num()):
        raise ValueError("step returns another state at a second call: switch off its noise, it has no fixed points")
    alone = torch.cat([system(row[None]) for row in few])
    if not torch.allclose(once, alone, rtol=1e-6, atol=1e-9, equal_nan=True):
        raise ValueError("step gives a state alone another successor than in a batch: its members touch each other")
    return velocity(state).norm(dim=1)


def _growth(eigenvalues: ComplexArray, kind: str) -> FloatArray:
    return np.abs(eigenvalues) - 1 if kind == "map" else eigenvalues.real


def _distinct(points: Tensor, speed: Tensor, apart: float) -> tuple[list[int], IntArray]:
    """Indices of distinct points, the slowest of each heap, and the heap of each point."""
    import torch

    label = np.full(len(points), -1, dtype=np.int64)
    chosen: list[int] = []
    for k in torch.argsort(speed, stable=True).tolist():
        if label[k] >= 0:
            continue
        near = ((points - points[k]).norm(dim=1) <= apart).cpu().numpy() & (label < 0)
        label[near] = len(chosen)
        chosen.append(k)
    return chosen, label
