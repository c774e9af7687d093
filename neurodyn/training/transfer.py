"""What a trained network can still do: smaller N that it has left behind, and new N after more training."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neurodyn.training.curricula import NoCurriculum
from neurodyn.training.trainer import train

if TYPE_CHECKING:
    from neurodyn.models.recurrent import RecurrentNetwork
    from neurodyn.tasks.digits import DigitTask

_LEFT_OUT = 2**20  # numbers of batches that no training reaches


@dataclass(frozen=True, eq=False)
class Memory:
    """What of each N is left in a network.

    Attributes
    ----------
    n : array, shape (N,)
    own : array, shape (N,)
        Accuracy of the heads that the network has, each at its N.
    refitted : array, shape (N,)
        Accuracy of new heads on the frozen network: whether its states still tell.
    chance : array, shape (N,)
        Accuracy of the better constant answer on the same sequences.
    """

    n: np.ndarray
    own: np.ndarray
    refitted: np.ndarray
    chance: np.ndarray


def memory(
    net: RecurrentNetwork,
    task: DigitTask,
    n: Sequence[int],
    *,
    heads: Sequence[int],
    longest: int | None = None,
    sequences: int = 4096,
    seed: int = 1,
) -> Memory:
    """Ask a network for each N by the heads it has, and by new heads fitted to its frozen states.

    Parameters
    ----------
    net : RecurrentNetwork
    task : DigitTask
        As for :func:`running_accuracy`.
    n : sequence of int
        N that are asked for.
    heads : sequence of int
        The head that the network has for each N (0 under a single-head curriculum).
    longest : int, optional
        N that the lengths of the sequences go by; the largest of ``n``.
    sequences : int
        For fitting (logistic regression on standardised states), and as many for testing; at least 64.
    seed : int
        Key of the sequences.

    Raises
    ------
    ValueError
        Not one head for each N, or fewer than 64 sequences.
    """
    if len(heads) != len(n):
        raise ValueError(f"heads = {list(heads)}: give one for each of the {len(n)} N")
    if sequences < 64:
        raise ValueError(f"sequences = {sequences}; give at least 64")
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fit, test = (_states(net, task, n, longest or max(n), sequences, seed, k) for k in (0, 1))
    own, refitted, chance = [], [], []
    for k, head in enumerate(heads):
        weight, bias = (p[head].detach().double().cpu().numpy() for p in (net.readout_weight, net.readout_bias))
        right = (test[0] @ weight.T + bias).argmax(1) == test[1][k]
        own.append(right.mean())
        share = test[1][k].mean()
        chance.append(max(share, 1 - share))
        if len(np.unique(fit[1][k])) < 2:
            refitted.append(chance[-1])
            continue
        model = make_pipeline(StandardScaler(), LogisticRegression(C=10.0, max_iter=2000)).fit(fit[0], fit[1][k])
        refitted.append(model.score(test[0], test[1][k]))
    return Memory(np.array(n), np.array(own), np.array(refitted), np.array(chance))


def _states(
    net: RecurrentNetwork, task: DigitTask, n: Sequence[int], longest: int, sequences: int, seed: int, part: int
) -> tuple[np.ndarray, np.ndarray]:
    """States after the last digit, (sequence, unit) float64, and labels (N, sequence), from batches of many lengths."""
    states, labels = [], []
    batches = 16
    for k in range(batches):
        step = _LEFT_OUT + part * batches + k
        length = task.length(longest, seed=seed, step=step)
        given = task.batch(n, sequences // batches, seed=seed, step=step, length=max(length, *n), device=net.device)
        draws = net.draws(len(given.inputs), sequences // batches, seed=seed, step=step)
        with torch.no_grad():
            states.append(net.run(given.inputs, hold=given.hold, draws=draws, last=True).double().cpu().numpy())
        labels.append(given.labels.cpu().numpy())
    return np.concatenate(states), np.concatenate(labels, axis=1)


def retraining(
    net: RecurrentNetwork, task: DigitTask, n: Sequence[int], *, epochs: int = 20, **options: Any
) -> Mapping[int, np.ndarray]:
    """Train copies of a network on single N by head 0, and return the accuracy after each epoch, by N.

    A copy that exceeds the threshold is done early.

    Parameters
    ----------
    net : RecurrentNetwork
        Where each copy starts.
    task : DigitTask
    n : sequence of int
        N that copies are trained on.
    epochs : int
        At most, for each.
    options
        Those of :func:`neurodyn.train`.

    References
    ----------
    Khajehabdollahi et al. (2024) ICLR: from N = 16 to single N up to 46, 20 epochs.
    """
    found = {}
    for k in n:
        run = train(copy.deepcopy(net), task, curriculum=NoCurriculum(n=k), epochs=epochs, **options)
        found[k] = run.history["accuracy"].to_numpy()
    return found
