"""What the level of its noise does to a noise-driven network: how often it switches, how regularly, how well it emulates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._checks import FloatArray, number, whole
from .switching import dwell_of, intervals

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN
    from neurodyn.tasks.hidden_markov import HiddenMarkov


@dataclass(frozen=True, eq=False)
class NoiseSweep:
    """A network at several levels of its noise; arrays have shape (level); ``print`` shows a table.

    Attributes
    ----------
    level : array
        Standard deviation of the noise.
    switching : array
        Share of steps after which another symbol has the largest logit.
    change : array
        Share of steps after which another symbol is drawn.
    dwell, cv : array
        Mean (steps) and coefficient of variation of the times between switches; NaN with fewer than 20.
    confidence : array
        Mean probability of the likeliest symbol, 0 to 1.
    size : array
        Root mean square of the activity, over units and steps.
    distance, floor : array
        Total variation, 0 to 1, between the words of 5 symbols that the network draws and those of the target, and
        that of as many sequences of the target itself; NaN without a target.
    trained_at : float
        The network's own level.
    """

    level: FloatArray
    switching: FloatArray
    change: FloatArray
    dwell: FloatArray
    cv: FloatArray
    confidence: FloatArray
    size: FloatArray
    distance: FloatArray
    floor: FloatArray
    trained_at: float

    def __str__(self) -> str:
        names = ("level", "switching", "change", "dwell", "cv", "confidence", "size", "distance", "floor")
        rows = zip(*(getattr(self, name) for name in names), strict=True)
        head = "".join(f"{name:>11}" for name in names)
        return "\n".join([head, *("".join(f"{value:>11.4g}" for value in row) for row in rows)])


FEWEST = 20  # dwell times for a mean and a variation
WORD = 5  # symbols, whose distribution is compared


def noise_sweep(
    net: HMMRNN,
    levels: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0),
    *,
    target: HiddenMarkov | None = None,
    paths: int = 32,
    steps: int = 2000,
    burn_in: int = 200,
    seed: int = 0,
) -> NoiseSweep:
    """Run a network at several levels of its noise, with the same random numbers at each.

    Parameters
    ----------
    net : HMMRNN
        Without biases ``switching``, ``dwell`` and ``cv`` are the same at all levels: states scale with the noise.
    levels : sequence of float
        Standard deviations, above 0.
    target : HiddenMarkov, optional
        What the network emulates.
    paths, steps : int
        Independent paths and steps of each, at least 5; dwell times that a path's ends cut are left out.
    burn_in : int
        Steps before, >= 0.
    seed : int

    Raises
    ------
    ValueError
        For numbers out of range, and a target with other symbols.

    Notes
    -----
    The Sinkhorn divergence that trained the network is no measure here: it is lower the less sequences vary, so that it
    prefers a network that is surer, at a higher level, to the target itself.
    """
    values = np.array([number(v, f"levels[{k}]", unit="", low=0, strict=True) for k, v in enumerate(levels)])
    if not values.size:
        raise ValueError("levels is empty: give at least one standard deviation")
    whole(steps, "steps", low=WORD)
    if target is not None and target.symbols != net.outputs:
        raise ValueError(f"target has {target.symbols} symbols and net {net.outputs} outputs: they have to be as many")
    words, floor = None, np.nan
    if target is not None:
        words = target.ngrams(WORD).ravel()
        floor = _distance(target.sample(paths, steps, seed=seed)[1].numpy(), words)
    rows = []
    for level in values:
        found = net.generate(paths, steps, burn_in=burn_in, noise=float(level), full=True, seed=seed)
        assert found.logits is not None and found.states is not None
        winners = found.winners.cpu().numpy()
        between = dwell_of(intervals(winners))
        enough = between.count >= FEWEST
        rows.append(
            (
                float((winners[:, 1:] != winners[:, :-1]).mean()),
                float((found.symbols[:, 1:] != found.symbols[:, :-1]).double().mean()),
                between.mean if enough else np.nan,
                between.cv if enough else np.nan,
                float(found.logits.double().softmax(2).amax(2).mean()),
                float(found.states.double().square().mean().sqrt()),
                np.nan if words is None else _distance(found.symbols.cpu().numpy(), words),
                floor,
            )
        )
    return NoiseSweep(values, *(np.array(column) for column in zip(*rows, strict=True)), trained_at=net.noise)


def _distance(symbols: np.ndarray, words: FloatArray) -> float:
    """Total variation between the words in symbols (path, time) and their probabilities."""
    base = round(len(words) ** (1 / WORD))
    number = sum(symbols[:, k : symbols.shape[1] - WORD + 1 + k] * base ** (WORD - 1 - k) for k in range(WORD))
    found = np.bincount(np.ravel(number), minlength=len(words))
    return float(np.abs(found / found.sum() - words).sum() / 2)
