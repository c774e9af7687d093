"""What a trained network loses without single units, and when its weights or time constants are perturbed."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from neurodyn.models.leaky import LeakyRNN
from neurodyn.models.naming import one_of
from neurodyn.training.driving import running_accuracy

if TYPE_CHECKING:
    from neurodyn.tasks.digits import DigitTask

WEIGHT_SIZES = np.concatenate([[0.0], np.logspace(-2, 1, 10)])
TAU_SIZES = np.concatenate([[0.0], np.logspace(-3, 1, 13)])


def relative_accuracy(accuracy: Any, baseline: float) -> np.ndarray:
    """Return (accuracy - 1/2) / (baseline - 1/2): 1 is as good as the baseline, 0 is chance at p = 0.5.

    Parameters
    ----------
    accuracy : float or array of any shape
    baseline : float
        Accuracy of the intact network, above 1/2.

    Raises
    ------
    ValueError
        A baseline no better than chance.
    """
    if not baseline > 0.5:
        raise ValueError(
            f"the intact network is right in {baseline:.3f}, no better than chance; nothing can be relative to it"
        )
    return (np.asarray(accuracy) - 0.5) / (baseline - 0.5)


@dataclass(frozen=True, eq=False)
class Ablation:
    """Accuracy of a network without single units.

    Attributes
    ----------
    units : array, shape (ablation,)
        The unit that was silenced: the fastest first, then the slowest.
    tau : array, shape (ablation,)
    accuracy : array, shape (ablation, repeat)
    baseline : array, shape (repeat,)
        Of the intact network.
    fast : int
        How many of the ablations are those of fast units.
    """

    units: np.ndarray
    tau: np.ndarray
    accuracy: np.ndarray
    baseline: np.ndarray
    fast: int

    @property
    def relative(self) -> np.ndarray:
        """Relative accuracy of each ablation, (ablation,), by the best baseline as published."""
        return relative_accuracy(self.accuracy.mean(1), float(self.baseline.max()))

    @property
    def relative_fast(self) -> float:
        """Its mean over the fast units."""
        return float(self.relative[: self.fast].mean())

    @property
    def relative_slow(self) -> float:
        """Its mean over the slow units."""
        return float(self.relative[self.fast :].mean())


def ablated(net: LeakyRNN, unit: int) -> LeakyRNN:
    """Return a copy in which a unit is silent: no input, no synapses from or to it, no bias, unread by all heads.

    The published ablation left the biases and cleared head 0 alone, so that the unit kept a constant activity.

    Parameters
    ----------
    net : LeakyRNN
    unit : int
        From 0 to units - 1.

    Raises
    ------
    ValueError
        For a unit that doesn't exist.
    """
    if not 0 <= unit < net.units:
        raise ValueError(f"unit = {unit}; the network has units 0 to {net.units - 1}")
    changed = copy.deepcopy(net)
    with torch.no_grad():
        changed.recurrent_weight[unit] = 0.0
        changed.recurrent_weight[:, unit] = 0.0
        for parameter in (changed.input_weight, changed.input_bias, changed.recurrent_bias):
            parameter[unit] = 0.0
        changed.readout_weight[:, :, unit] = 0.0
    return changed


def ablation(
    net: LeakyRNN, task: DigitTask, n: int, *, head: int, group: int = 20, repeats: int = 10, seed: int = 1
) -> Ablation:
    """Silence the fastest and the slowest units, one at a time, and measure the accuracy at N.

    Parameters
    ----------
    net, task, n, head
        As for :func:`running_accuracy`; the task is to have ``probability=0.5``.
    group : int
        Units of each kind, at least 1.
    repeats : int
        Streams for each unit.
    seed : int
        Key of the streams, which are the same for all ablations.

    Raises
    ------
    ValueError
        A group outside 1 to half of the units.

    References
    ----------
    Khajehabdollahi et al. (2024) ICLR: 20 and 20 units, 10 streams of 1000 digits after 100.
    """
    if not 1 <= group <= net.units // 2:
        raise ValueError(f"group = {group}; allowed are 1 to {net.units // 2}, half of the units")
    tau = net.tau.double().cpu().numpy()
    order = np.argsort(tau, kind="stable")
    units = np.concatenate([order[:group], order[-group:]])
    measure = {"head": head, "repeats": repeats, "seed": seed}
    baseline = running_accuracy(net, task, n, **measure)
    accuracy = np.array([running_accuracy(ablated(net, int(u)), task, n, **measure) for u in units])
    return Ablation(units, tau[units], accuracy, baseline, group)


@dataclass(frozen=True, eq=False)
class Perturbation:
    """Accuracy of a network under random perturbations of growing size.

    Attributes
    ----------
    what : "recurrent" or "tau"
    sizes : array, shape (size,)
        Norm of the perturbation by that of what is perturbed; the first is 0.
    accuracy : array, shape (size, direction)
    """

    what: str
    sizes: np.ndarray
    accuracy: np.ndarray

    @property
    def relative(self) -> np.ndarray:
        """Relative accuracy, mean over directions, (size,), by the mean baseline as published."""
        return relative_accuracy(self.accuracy.mean(1), float(self.accuracy[0].mean()))

    @property
    def half(self) -> float:
        """Size at which half of the relative accuracy is left, interpolated on a logarithmic axis; NaN if it never falls so far."""
        relative, sizes = self.relative[1:], self.sizes[1:]
        below = np.flatnonzero(relative < 0.5)
        if not below.size or below[0] == 0:
            return float("nan")
        k = int(below[0])
        share = (relative[k - 1] - 0.5) / (relative[k - 1] - relative[k])
        return float(np.exp(np.log(sizes[k - 1]) + share * np.log(sizes[k] / sizes[k - 1])))


def perturbed(net: LeakyRNN, what: Literal["recurrent", "tau"], size: float, *, seed: int = 1) -> LeakyRNN:
    """Return a copy with theta + size d ``|theta|/|d|`` for theta: a random direction d, scaled to the norm of theta.

    For the recurrent weights d is normal (zero where there are no synapses) and the norm is Frobenius'; for tau
    it is the absolute value of a normal one, so that time constants only become longer.

    Parameters
    ----------
    net : LeakyRNN
    what : "recurrent" or "tau"
        theta: all recurrent weights, or the time constants of all units.
    size : float
        Relative size, at least 0.
    seed : int
        Key of the direction.

    Raises
    ------
    ValueError
        For values out of range, weights under Dale's law, and a time constant that all units share.
    """
    one_of("what", what, ("recurrent", "tau"))
    if not 0 <= size < float("inf"):
        raise ValueError(f"size = {size!r}; give 0 or a positive number")
    changed = copy.deepcopy(net)
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        if what == "recurrent":
            w = changed.weights().detach().double().cpu().numpy()
            d = rng.normal(size=w.shape) * (w != 0)
            moved = w + size * np.linalg.norm(w) * d / np.linalg.norm(d)
            if changed.sign is not None:
                raise ValueError(
                    "perturbing the weights of a network with dale changes their signs; it has none to give"
                )
            changed.recurrent_weight.copy_(torch.from_numpy(moved))
        else:
            tau = changed.tau.double().cpu().numpy()
            d = np.abs(rng.normal(size=tau.shape))
            if changed.time_constants.value.numel() != changed.units:
                raise ValueError("the time constant is shared by all units; only those of their own can be perturbed")
            changed.time_constants.set(torch.from_numpy(tau + size * np.linalg.norm(tau) * d / np.linalg.norm(d)))
    return changed


def perturbation(
    net: LeakyRNN,
    task: DigitTask,
    n: int,
    *,
    head: int,
    what: Literal["recurrent", "tau"] = "recurrent",
    sizes: Any = None,
    directions: int = 10,
    repeats: int = 10,
    seed: int = 1,
) -> Perturbation:
    """Perturb weights or time constants in random directions and measure the accuracy at N.

    Parameters
    ----------
    net, task, n, head
        As for :func:`running_accuracy`; the task is to have ``probability=0.5``.
    what : "recurrent" or "tau"
        See :func:`perturbed`.
    sizes : array, shape (size,), optional
        Relative sizes, increasing from 0; those of the paper by default.
    directions, repeats : int
        Random directions, each the same for all sizes, and streams for each.
    seed : int
        Key of directions and streams.

    Raises
    ------
    ValueError
        Sizes that don't increase from 0, and what :func:`perturbed` refuses.

    References
    ----------
    Khajehabdollahi et al. (2024) ICLR; Li et al. (2018) NeurIPS (filter-normalised directions).
    """
    one_of("what", what, ("recurrent", "tau"))
    default = WEIGHT_SIZES if what == "recurrent" else TAU_SIZES
    eps = default if sizes is None else np.asarray(sizes, dtype=float)
    if eps.ndim != 1 or len(eps) < 2 or eps[0] != 0 or (np.diff(eps) <= 0).any():
        raise ValueError(f"sizes = {sizes!r}; give increasing numbers, the first 0")
    found = np.empty((len(eps), directions))
    for k in range(directions):
        for j, size in enumerate(eps):
            changed = perturbed(net, what, float(size), seed=seed + k)
            found[j, k] = running_accuracy(changed, task, n, head=head, repeats=repeats, seed=seed + k).mean()
    return Perturbation(what, eps, found)
