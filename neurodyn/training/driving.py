"""A trained network under streams of digits: its activity, and how often its running answer is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from neurodyn.models.recurrent import RecurrentNetwork
    from neurodyn.tasks.digits import DigitTask

_CHUNK = 2**22  # numbers of activity computed at a time


def activity(
    net: RecurrentNetwork,
    task: DigitTask,
    *,
    steps: int = 20_000,
    trials: int = 10,
    burn_in: int = 500,
    units: Any = None,
    seed: int = 1,
) -> np.ndarray:
    """Return the activity of a network while digits of the task come without end, float32 (trial, time, unit).

    Parameters
    ----------
    net, task
        Digits come as in the task: with its ``probability`` None each trial has its own chance of a 1. Held digits are
        held for the first of ``task.hold``.
    steps, burn_in : int
        Steps of the network that are returned, and that go before them.
    trials : int
        Streams side by side.
    units : sequence of int, optional
        Units that are returned; all by default.
    seed : int
        Key of digits and start states.

    Raises
    ------
    ValueError
        For numbers below 1 (``burn_in``: below 0).
    """
    for name, value, least in (("steps", steps, 1), ("trials", trials, 1), ("burn_in", burn_in, 0)):
        if value < least:
            raise ValueError(f"{name} = {value!r}; give a whole number, at least {least}")
    chosen = np.arange(net.units) if units is None else np.asarray(units, dtype=int)
    found = np.empty((trials, steps, len(chosen)), dtype=np.float32)
    hold = task.holds[0]
    digits = _digits(task, -(-(steps + burn_in) // hold), trials, seed, net.device)
    x = task.shown(digits, hold)[: steps + burn_in]
    chunk = max(1, _CHUNK // (trials * net.units))
    with torch.no_grad():
        state: Any = None
        for start in range(0, steps + burn_in, chunk):
            draws = dict(net.draws(len(x[start : start + chunk]), trials, seed=seed, step=start))
            r, state = net.go_on(x[start : start + chunk], state, hold=hold, draws=draws)
            first = max(start, burn_in)
            if first < start + len(r):
                part = r[first - start :][..., torch.from_numpy(chosen).to(r.device)]
                found[:, first - burn_in : first - burn_in + len(part)] = part.transpose(0, 1).float().cpu().numpy()
    return found


def running_accuracy(
    net: RecurrentNetwork,
    task: DigitTask,
    n: int,
    *,
    head: int,
    digits: int = 1000,
    warm_up: int = 100,
    repeats: int = 10,
    seed: int = 1,
) -> np.ndarray:
    """Return how often a head is right about N after each digit of a long stream, (repeat,).

    Parameters
    ----------
    net : RecurrentNetwork
        A trained network with heads.
    task : DigitTask
        What is asked for, such as ``nd.tasks.Parity()``.
    n, head : int
        N that is asked for, and the head that answers (N - 2 under a multi-head curriculum, else 0).
    digits, warm_up : int
        Digits that are scored in each stream, and that go before them; these are at least n - 1.
    repeats : int
        Streams. Relative accuracies are defined for digits that are 0 and 1 equally often:
        ``nd.tasks.Parity(probability=0.5)``.
    seed : int
        Key of digits and start states.

    Notes
    -----
    This is harder than training, where the answer is wanted once, after 4 N + 1 digits at most.
    """
    warm_up = max(warm_up, n - 1)
    hold = task.holds[0]
    stream = _digits(task, digits + warm_up, repeats, seed, net.device)
    x = task.shown(stream, hold)
    with torch.no_grad():
        draws = net.draws(len(x), repeats, seed=seed, step=0)
        states = net.run(x, hold=hold, draws=draws)[hold - 1 :: hold][warm_up:]
        logits = states @ net.readout_weight[head].T + net.readout_bias[head]
        labels = task.running_labels(stream, n)[-digits:]
        return (logits.argmax(2) == labels).double().mean(0).cpu().numpy()


def _digits(task: DigitTask, length: int, streams: int, seed: int, device: Any) -> torch.Tensor:
    return task.batch(1, streams, seed=seed, step=0, length=length, device=device).digits


def head_of(n: int, config: dict[str, Any]) -> int:
    """Return the head that serves N at the end of the stage in which it was the newest.

    Parameters
    ----------
    n : int
    config : mapping
        Configuration of a training: ``run.recording.config``.
    """
    if config["training"]["curriculum"]["curriculum"] == "MultiHead":
        return n - config["training"]["curriculum"]["start"]
    return 0
