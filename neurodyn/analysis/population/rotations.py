"""jPCA: planes in which activity of all conditions rotates, beside surrogates that rotate by chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, choice, floats, number, whole
from .._result import Result
from ..nulls import NullTest
from ._thin_svd import thin_svd
from .tensor_null import tensor_surrogates

Control = Literal["tensor", "shuffle"]


@dataclass(frozen=True, eq=False)
class JPCAResult(Result, figure="jpca"):
    """Rotations of activity, always beside surrogates; ``print`` shows them.

    Attributes
    ----------
    planes : array, shape (plane, 2, unit)
        Two orthonormal directions for each plane, the fastest plane first; activity turns from the first to the second.
    frequencies : array, shape (plane), Hz
    variance : array, shape (plane)
        Share of the variance of activity, less what is common to the conditions, that lies in the plane.
    projections : array, shape (plane, condition, time, 2)
    matrix : array, shape (component, component), 1/s
        M of dx/dt = M x in principal components, skew-symmetric.
    captured : float
        Share of that variance in all of the principal components.
    r2 : NullTest
        Share of the squared derivative that the skew-symmetric M explains.
    r2_ratio : NullTest
        r2 over that of any M: 1 if the best linear dynamics are rotations.
    r2_any : float
        The latter.
    control : "tensor" or "shuffle"
    dt : float, ms
    mean : array, shape (time, unit) or (unit)
        What was taken off.
    """

    planes: FloatArray
    frequencies: FloatArray
    variance: FloatArray
    projections: FloatArray
    matrix: FloatArray
    captured: float
    r2: NullTest[float]
    r2_ratio: NullTest[float]
    r2_any: float
    control: str
    dt: float
    mean: FloatArray = field(repr=False)

    def __str__(self) -> str:
        conditions, steps = self.projections.shape[1:3]
        lines = [
            f"jPCA of {conditions} conditions, {steps} steps of {self.dt:g} ms; {len(self.matrix)} components with "
            f"{self.captured:.1%} of the variance ({self.control} control)",
            f"  R2 of rotations            {self.r2}",
            f"  R2 over that of any M ({self.r2_any:.3f})  {self.r2_ratio}",
        ]
        for k, (frequency, share) in enumerate(zip(self.frequencies, self.variance, strict=True)):
            lines.append(f"  plane {k + 1}: {frequency:.3g} Hz, {share:.1%} of the variance")
        return "\n".join(lines)


def jpca(
    x: ArrayLike,
    *,
    dt: float,
    components: int = 6,
    subtract_mean: bool = True,
    control: Control = "tensor",
    samples: int = 100,
    seed: int = 0,
) -> JPCAResult:
    """Fit rotations dx/dt = M x, M skew-symmetric, to the leading principal components of averages over trials.

    Parameters
    ----------
    x : array, shape (condition, time, unit)
        Such as averages over trials, smooth in time.
    dt : float, ms
        Time between samples.
    components : int
        Principal components, an even number: half as many planes.
    subtract_mean : bool
        Whether to take off what is common to the conditions at each time, as published. Otherwise of each unit its mean
        over conditions and times is taken off.
    control : "tensor" or "shuffle"
        What rotations are compared with. "tensor": random tensors with the same means and covariances across conditions,
        times and units, see :func:`tensor_surrogates`. "shuffle": of each unit the conditions are permuted, the same
        for all times, which keeps the time courses of each unit and what is common to the conditions. All steps from the
        principal components on are done again.
    samples, seed : int
        Number of surrogates, and the seed of their draws.

    Returns
    -------
    JPCAResult

    Raises
    ------
    ValueError
        For fewer than 2 conditions or 3 times, an odd number of components or more than the data have, and NaN.

    Notes
    -----
    With x the states half-way between samples and dx/dt their differences over dt, M minimises ``|dX - X M'|^2`` among
    skew-symmetric matrices: M G + G M = H - H' with G = X'X and H = dX'X, solved in the eigenbasis of G. Half-way, a pure rotation
    at f Hz gives the eigenvalues ± i 2 tan(pi f dt) / dt, of which frequencies are taken back exactly; and noise that is
    independent in time doesn't pull M towards decay, as it does if the difference is paired with the state before it.

    R2 is above chance for any smooth activity with condition-dependent peaks: compare with the surrogates, never
    with zero. Principal components of smooth activity are sines of growing frequency by themselves, and so rotate
    (the reason for the control). A sequence of units that peak one after the other rotates too: that isn't a
    dynamical law. Aliasing: frequencies lie below 1 / (2 dt); activity that turns by more than a quarter of a circle
    in a step is undersampled. With two conditions and the mean taken off there is one trajectory and its mirror image.

    References
    ----------
    Churchland et al. 2012, Nature 487:51 (jPCA, "shuffle"). Elsayed & Cunningham 2017, Nat Neurosci 20:1310 ("tensor").
    Lebedev et al. 2019, Sci Rep 9:18978 (sequences rotate).
    """
    values = floats(x, "x", axes=("condition, time, unit",))
    dt = number(dt, "dt", low=0, strict=True)
    conditions, steps, _ = values.shape
    if conditions < 2 or steps < 3:
        raise ValueError(f"x has shape {values.shape}: give at least 2 conditions and 3 times")
    if whole(components, "components", low=2) % 2:
        raise ValueError(f"components = {components}: an even number, two for each plane")
    choice(control, "control", ("tensor", "shuffle"))
    mean = values.mean(axis=0) if subtract_mean else values.mean(axis=(0, 1))
    rest = values - mean
    flat = rest.reshape(-1, values.shape[-1])
    singular, axes = thin_svd(flat)[1:]
    rank = int(np.sum(singular > 1e-10 * max(singular[0], 1e-300)))
    if rank < components:
        raise ValueError(
            f"components = {components}: activity less its mean has {rank} dimensions; take fewer, an even number"
        )
    axes = axes[:components]
    scores = rest @ axes.T
    matrix, r2, r2_any = _fit(scores, dt * 1e-3)

    null = np.array(
        [_of_surrogate(s, components, dt * 1e-3, subtract_mean) for s in _surrogates(values, control, samples, seed)]
    )
    # -i M is Hermitian: eigenvalues i w of M come in order, with orthonormal eigenvectors.
    speeds, vectors = np.linalg.eigh(-1j * matrix)
    order = range(components - 1, components // 2 - 1, -1)
    frequencies = np.arctan(speeds[list(order)] * dt * 1e-3 / 2) / (np.pi * dt * 1e-3)
    # With eigenvalue + i w the state turns from the real part of the eigenvector to minus its imaginary part.
    pairs = np.stack([np.stack([np.real(vectors[:, k]), -np.imag(vectors[:, k])]) for k in order])
    pairs = pairs / np.linalg.norm(pairs, axis=2, keepdims=True)
    planes = pairs @ axes
    projections = np.moveaxis(rest @ planes.reshape(-1, values.shape[-1]).T, -1, 0)
    projections = np.moveaxis(projections.reshape(-1, 2, conditions, steps), 1, -1)
    total = np.sum(singular**2)
    return JPCAResult(
        planes,
        frequencies,
        np.sum(projections**2, axis=(1, 2, 3)) / total,
        projections,
        matrix,
        float(np.sum(singular[:components] ** 2) / total),
        NullTest(r2, null[:, 0]),
        NullTest(r2 / r2_any, null[:, 0] / null[:, 1]),
        r2_any,
        control,
        dt,
        mean,
    )


def _fit(scores: FloatArray, dt: float) -> tuple[FloatArray, float, float]:
    """M in 1/s, its R2, and that of any matrix; scores (condition, time, component)."""
    units = scores.shape[-1]
    change = (np.diff(scores, axis=1) / dt).reshape(-1, units)
    state = (0.5 * (scores[:, 1:] + scores[:, :-1])).reshape(-1, units)
    gram, cross = state.T @ state, change.T @ state
    values, basis = np.linalg.eigh(gram)
    values = np.maximum(values, 1e-14 * values[-1])
    turned = basis.T @ (cross - cross.T) @ basis / (values[:, None] + values)
    skew = basis @ turned @ basis.T
    anything = np.linalg.lstsq(state, change, rcond=None)[0].T
    total = np.sum(change**2)
    r2, r2_any = (float(1 - np.sum((change - state @ m.T) ** 2) / total) for m in (skew, anything))
    return 0.5 * (skew - skew.T), r2, r2_any


def _of_surrogate(x: FloatArray, components: int, dt: float, subtract_mean: bool) -> tuple[float, float]:
    rest = x - (x.mean(axis=0) if subtract_mean else x.mean(axis=(0, 1)))
    axes = thin_svd(rest.reshape(-1, x.shape[-1]))[2][:components]
    return _fit(rest @ axes.T, dt)[1:]


def _surrogates(values: FloatArray, control: Control, samples: int, seed: int) -> Iterator[FloatArray]:
    if control == "tensor":
        yield from tensor_surrogates(values, samples=samples, seed=seed)
        return
    rng = np.random.default_rng(seed)
    conditions, _, units = values.shape
    for _ in range(whole(samples, "samples")):
        order = rng.permuted(np.tile(np.arange(conditions)[:, None], (1, units)), axis=0)
        yield np.take_along_axis(values, order[:, None, :], axis=0)
