"""Where a generative network puts its noise, and what its layers hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._arrays import plain
from .._checks import FloatArray, IntArray, whole
from ..nulls import NullTest
from ..population.dimensionality import pca

if TYPE_CHECKING:
    from neurodyn.models.generative import Rollout
    from neurodyn.models.pvrnn import PVRNN
    from neurodyn.tasks.switching import PrimitiveSample


@dataclass(frozen=True, eq=False)
class LatentProfile:
    """Latents of networks in each state of what they generate or explain; ``print`` shows a table.

    Attributes
    ----------
    states : array of int, shape (state)
    prior_sigma, posterior_sigma : array, shape (model, sequence, state, latent)
        Means over the steps in the state; NaN where there are none, and of posteriors where z came from the prior.
    prior_size, posterior_size : array, shape (model, sequence, state, latent)
        The same of ``|mu|``.
    count : array of int, shape (model, state)
        Steps.
    """

    states: IntArray
    prior_sigma: FloatArray
    posterior_sigma: FloatArray
    prior_size: FloatArray
    posterior_size: FloatArray
    count: IntArray

    def mean(self, name: str) -> FloatArray:
        """Mean of a quantity over sequences and latents, (model, state)."""
        return _nanmean(getattr(self, name), (1, 3))

    @property
    def peak(self) -> IntArray:
        """State in which the prior is noisiest, (model,); -1 for a model whose states are never known."""
        sigma = self.mean("prior_sigma")
        place = np.where(np.isnan(sigma), -np.inf, sigma).argmax(axis=1)
        return np.where(np.isnan(sigma).all(axis=1), -1, self.states[place])

    def contrast(self, state: int) -> FloatArray:
        """Mean sigma of the prior in a state over its mean in the others, (model,)."""
        at = self.states == state
        if not at.any() or at.all():
            raise ValueError(
                f"state = {state!r}: there are {self.states.tolist()}, and it takes others to compare with"
            )
        sigma = self.mean("prior_sigma")
        return sigma[:, at][:, 0] / _nanmean(sigma[:, ~at], 1)

    def __str__(self) -> str:
        lines = ["mean sigma of the prior by state", f"{'model':>5}" + "".join(f"{s:>9}" for s in self.states)]
        for k, row in enumerate(self.mean("prior_sigma")):
            lines.append(f"{k:>5}" + "".join(f"{value:>9.4f}" for value in row))
        return "\n".join(lines)


def latent_profile(rollout: Rollout, states: Any, *, skip: int = 1) -> LatentProfile:
    """Average the latents of networks over the steps in each state.

    Parameters
    ----------
    rollout : Rollout
        From ``net.generate`` or ``net.reconstruct``.
    states : array of int, shape (sequence, time) or (model, sequence, time)
        State before each step's output, such as ``machine.track(values)``; negative where it isn't known: left out.
        :func:`primitive_phases` makes them of movements.
    skip : int
        First steps that are left out, at least 0: the prior of the first step is another one.

    Raises
    ------
    ValueError
        States of another shape than the rollout, or none that is known.

    Notes
    -----
    The prior of a step is made of the activity before it. A choice can be drawn steps before it shows, in any state from
    which the network still remembers it, so sigma need not peak at the state that chooses: see ``peak``.
    """
    quantities = {
        "prior_sigma": plain(rollout.prior_sigma),
        "posterior_sigma": plain(rollout.posterior_sigma),
        "prior_size": np.abs(plain(rollout.prior_mean)),
        "posterior_size": np.abs(plain(rollout.posterior_mean)),
    }
    shape = quantities["prior_sigma"].shape
    skip = whole(skip, "skip", low=0, high=shape[2] - 1)
    given = _labels(states, shape[:3], "states")[..., skip:]
    known = np.unique(given[given >= 0])
    if not len(known):
        raise ValueError("states are all negative, not known: nothing to average over")
    found = {
        name: np.stack([_nanmean(values[:, :, skip:], 2, given == state) for state in known], axis=2)
        for name, values in quantities.items()
    }
    count = np.stack([(given == state).sum(axis=(1, 2)) for state in known], axis=1)
    return LatentProfile(states=known, count=count, **found)


def primitive_phases(sample: PrimitiveSample, *, bins: int = 4) -> IntArray:
    """Return which part of which primitive each step of sampled movements belongs to, (sequence, time).

    Numbers are ``bins`` times the primitive plus the part, 0 to ``bins`` - 1; -1 in the last primitive of a sequence, which
    is cut. What follows is chosen at the end of the last part.

    Parameters
    ----------
    sample : PrimitiveSample
        From ``task.sample``, :class:`neurodyn.tasks.Primitives` or another.
    bins : int
        Parts of a primitive, at least 1.
    """
    bins = whole(bins, "bins")
    phases = np.full(sample.labels.shape, -1, dtype=np.int64)
    for row, labels, onsets in zip(phases, sample.labels, sample.onsets, strict=True):
        for begin, end in zip(onsets[:-1], onsets[1:], strict=True):
            part = np.arange(end - begin) * bins // (end - begin)
            row[begin:end] = labels[begin] * bins + part
    return phases


@dataclass(frozen=True, eq=False)
class LayerPCA:
    """Principal components of the activity of a layer, and how far they tell labels apart.

    Attributes
    ----------
    scores : array, shape (model, sequence, time, component)
    explained_ratio : array, shape (model, component)
        Share of the variance of the layer, 0 to 1.
    labels : array of int, shape (model, sequence, time)
        Negative: not known.
    separation : NullTest of an array (model)
        Share of the variance of the layer that lies between the means of the labels, 0 to 1, where labels are known. Null:
        labels moved along their sequences by random times, which keeps how long they last.
    """

    scores: FloatArray
    explained_ratio: FloatArray
    labels: IntArray
    separation: NullTest[FloatArray]


def layer_pca(
    net: PVRNN,
    rollout: Rollout,
    labels: Any,
    *,
    layer: int = -1,
    components: int = 2,
    samples: int = 200,
    seed: int = 0,
) -> LayerPCA:
    """Find the principal components of a layer's activity, and whether it holds which primitive, or state, it is.

    Parameters
    ----------
    net : PVRNN
    rollout : Rollout
        What it generated, or how it explains sequences.
    labels : array of int, shape (sequence, time) or (model, sequence, time)
        At least two; negative: not known.
    layer : int
        0 is the lowest, -1 the top one.
    components : int
        At most the units of the layer.
    samples, seed : int
        Shifts of the labels for the null, at least 1, and their seed.

    Raises
    ------
    ValueError
        A layer that isn't there, or labels of another shape or with fewer than two kinds.
    """
    if not isinstance(layer, int) or not -net.depth <= layer < net.depth:
        raise ValueError(f"layer = {layer!r}: the network has layers 0 to {net.depth - 1}")
    d = plain(rollout.d)[..., net.of_d[layer]].astype(np.float64)
    given = _labels(labels, d.shape[:3], "labels")
    if len(np.unique(given[given >= 0])) < 2:
        raise ValueError("labels has fewer than two that are known: nothing to tell apart")
    rng = np.random.default_rng(whole(seed, "seed", low=0))
    length = d.shape[2]
    null = []
    for _ in range(whole(samples, "samples")):
        shift = rng.integers(1, length, size=(1, d.shape[1], 1))
        moved = np.take_along_axis(given, np.broadcast_to((np.arange(length) + shift) % length, given.shape), axis=2)
        null.append(_between(d, moved))
    found = [pca(each, components) for each in d]
    return LayerPCA(
        scores=np.stack([f.scores for f in found]),
        explained_ratio=np.stack([f.explained_ratio for f in found]),
        labels=given,
        separation=NullTest(_between(d, given), np.array(null)),
    )


def _between(d: FloatArray, labels: IntArray) -> FloatArray:
    """Variance between the means of labels over all variance, (model,)."""
    shares = []
    for activity, of in zip(d, labels, strict=True):
        known = activity[of >= 0]
        centred, of = known - known.mean(axis=0), of[of >= 0]
        groups = [centred[of == k] for k in np.unique(of)]
        between = sum(len(group) * np.square(group.mean(axis=0)).sum() for group in groups)
        total = np.square(centred).sum()
        shares.append(between / total if total > 0 else np.nan)
    return np.array(shares)


def _labels(given: Any, shape: tuple[int, ...], name: str) -> IntArray:
    """Labels of each model, sequence and step."""
    values = plain(given)
    if values.dtype.kind not in "iu" or values.shape not in (shape, shape[1:]):
        raise ValueError(
            f"{name} has dtype {values.dtype}, shape {values.shape}: give integers (sequence, time), {shape[1:]}, or "
            f"(model, sequence, time), {shape}"
        )
    return np.array(np.broadcast_to(values, shape), dtype=np.int64)


def _nanmean(values: FloatArray, axis: Any, where: np.ndarray | None = None) -> FloatArray:
    """Mean of what isn't NaN and, if told, ``where`` (model, sequence, time); NaN where nothing is left."""
    there = ~np.isnan(values)
    if where is not None:
        there &= where[..., None]
    count = there.sum(axis=axis)
    total = np.where(there, values, 0.0).sum(axis=axis)
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)
