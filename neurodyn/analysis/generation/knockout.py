"""What a generative network still does when its noise is switched off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import FloatArray, IntArray, number, whole
from .grammar import BranchProbabilities, branch_probabilities
from .prior_dynamics import BURN_IN, in_float64
from .words import WordDivergence, word_divergence

if TYPE_CHECKING:
    from neurodyn.models.pvrnn import PVRNN
    from neurodyn.tasks.finite_state import FiniteState


@dataclass(frozen=True, eq=False)
class NoiseKnockout:
    """What networks generate with their noise and without it; ``print`` shows a table.

    Attributes
    ----------
    period : array of int, shape (model, run)
        Steps after which the state comes back without noise; 0 if it does in none up to ``longest``.
    output_period : array of int, shape (model, run)
        The same of what is generated.
    longest : int
    shares, shares_silent : array, shape (model, symbol)
        How often each symbol is generated, with noise and without. NaN where there are none.
    words, words_silent : tuples of WordDivergence or None, one for each model
        From the words of the machine; without a machine, of what is generated without noise from what is with it, and
        None with noise. None also where sequences are shorter than words.
    branches, branches_silent : tuples of BranchProbabilities or None, one for each model
        The choices of the machine; None without one, and of one that isn't unifilar.
    meta_prior : array, shape (model)
    """

    period: IntArray
    output_period: IntArray
    longest: int
    shares: FloatArray
    shares_silent: FloatArray
    words: tuple[WordDivergence | None, ...]
    words_silent: tuple[WordDivergence | None, ...]
    branches: tuple[BranchProbabilities | None, ...]
    branches_silent: tuple[BranchProbabilities | None, ...]
    meta_prior: FloatArray

    @property
    def divergence(self) -> FloatArray:
        """KL(reference || generated) with noise and without, (2, model), nats; NaN where there is none."""
        return np.array(
            [[np.nan if w is None else w.divergence for w in row] for row in (self.words, self.words_silent)]
        )

    @property
    def periodic(self) -> FloatArray:
        """Share of runs whose output is periodic without noise, (model,)."""
        return (self.output_period > 0).mean(axis=1)

    def __str__(self) -> str:
        symbols = self.shares.shape[1]
        shares = "".join(f"{f'p({s})':>7}{'silent':>7}" for s in range(symbols))
        first = next((b for b in self.branches if b is not None), None)
        if first is not None:
            shares += f"{choice_named(first):>7}{'silent':>7}"
        lines = [f"{'model':>5}{'w':>9}  {'periods without noise':<22}{shares}{'KL':>8}{'silent':>8}"]
        for k, found in enumerate(self.output_period):
            periods = ", ".join(str(p) if p else f">{self.longest}" for p in np.unique(found))
            pairs = zip(self.shares[k], self.shares_silent[k], strict=True)
            numbers = "".join(f"{a:>7.3f}{b:>7.3f}" for a, b in pairs)
            choices = [likeliest(b) for b in (self.branches[k], self.branches_silent[k]) if b is not None]
            numbers += "".join(f"{share:>7.3f}" for share in choices)
            both = "".join(f"{value:>8.3f}" for value in self.divergence[:, k])
            lines.append(f"{k:>5}{self.meta_prior[k]:>9.4g}  {periods:<22}{numbers}{both}")
        return "\n".join(lines)


def noise_knockout(
    net: PVRNN,
    machine: FiniteState | None = None,
    *,
    labels: Callable[[Any], Any] | None = None,
    steps: int = 1000,
    runs: int = 10,
    settle: int = 1000,
    longest: int = 200,
    tolerance: float = 1e-3,
    n: int = 12,
    seed: int = 1,
) -> NoiseKnockout:
    """Switch off the noise of networks that run freely, and compare what they generate.

    A network that its noise drives falls into one periodic orbit; one that is chaotic goes on. Both conditions begin in
    the same states, which full noise had led to. Computed in float64.

    Parameters
    ----------
    net : PVRNN
    machine : FiniteState, optional
        What the symbols are compared with.
    labels : callable, optional
        Makes symbols (sequence, time), or a list of arrays of them, of values (sequence, time, dimension), such as
        ``lambda values: task.segment(values).labels``. Needed for values.
    steps, runs : int
        Steps of each run, at least 2 ``longest``, and runs of each model, at least 1.
    settle : int
        Steps before, at least 0, in the condition: orbits that approach a cycle slowly need many.
    longest : int
        Longest period that is looked for, at least 1.
    tolerance : float
        Largest difference, in activities d (-1 to 1) and values, at which a state counts as the same, above 0.
    n : int
        Symbols in a word; see :func:`word_divergence`.
    seed : int
        Key of the noise.

    Raises
    ------
    ValueError
        For numbers out of range, and values without ``labels``.
    """
    runs, longest = whole(runs, "runs"), whole(longest, "longest")
    steps, settle = whole(steps, "steps", low=2 * longest), whole(settle, "settle", low=0)
    tolerance, n = number(tolerance, "tolerance", unit="", low=0, strict=True), whole(n, "n")
    if labels is None and net.output.axis:
        raise ValueError("labels is missing: the network generates values; say how they become symbols")
    exact = in_float64(net)
    start = exact.generate(1, sequences=runs, burn_in=BURN_IN, seed=seed).h[:, :, -1]
    noisy, silent = (
        exact.generate(steps, sequences=runs, burn_in=settle, noise=factor, start=start, seed=seed, step=1)
        for factor in (1.0, 0.0)
    )
    values = silent.values[..., None] if silent.values.ndim == 3 else silent.values
    made = [[_symbols(each, labels) for each in found.values.numpy(force=True)] for found in (noisy, silent)]
    symbols = (
        net.output.units if labels is None else 1 + max(int(s.max(initial=0)) for row in made for m in row for s in m)
    )
    shares = np.array([[_shares(m, symbols) for m in row] for row in made])
    words = [
        (None if machine is None else _words(a, machine, n), _words(b, a if machine is None else machine, n))
        for a, b in zip(*made, strict=True)
    ]
    return NoiseKnockout(
        period=_periods(silent.d.numpy(force=True), longest, tolerance),
        output_period=_periods(values.numpy(force=True), longest, tolerance),
        longest=longest,
        shares=shares[0],
        shares_silent=shares[1],
        words=tuple(pair[0] for pair in words),
        words_silent=tuple(pair[1] for pair in words),
        branches=tuple(_branches(m, machine) for m in made[0]),
        branches_silent=tuple(_branches(m, machine) for m in made[1]),
        meta_prior=np.array(net.meta_prior),
    )


def likeliest(found: BranchProbabilities) -> float:
    """Share of the likeliest choice of the machine."""
    return float(found.share[found.expected.argmax()])


def choice_named(found: BranchProbabilities) -> str:
    """The likeliest choice of the machine, such as p(1|2): symbol 1 in state 2."""
    k = found.expected.argmax()
    return f"p({found.symbol[k]}|{found.state[k]})"


def _symbols(values: np.ndarray, labels: Callable[[Any], Any] | None) -> list[IntArray]:
    """The symbols of each run of a model."""
    return [np.asarray(row, dtype=np.int64) for row in (values if labels is None else labels(values))]


def _shares(symbols: list[IntArray], number: int) -> FloatArray:
    counts = np.bincount(np.concatenate(symbols), minlength=number)
    return counts / counts.sum() if counts.any() else np.full(number, np.nan)


def _words(symbols: list[IntArray], reference: Any, n: int) -> WordDivergence | None:
    long = [[s for s in given if len(s) >= n] for given in (symbols, reference if isinstance(reference, list) else [])]
    if not long[0] or (isinstance(reference, list) and not long[1]):
        return None
    return word_divergence(long[0], long[1] or reference, n=n, repeats=1)


def _branches(symbols: list[IntArray], machine: FiniteState | None) -> BranchProbabilities | None:
    if machine is None or not machine.unifilar:
        return None
    return branch_probabilities([s for s in symbols if len(s)], machine)


def _periods(values: FloatArray, longest: int, tolerance: float) -> IntArray:
    """The first lag, at most ``longest``, at which the last steps of (model, run, time, unit) agree; 0 if none does."""
    last = values[:, :, -longest:]
    period = np.zeros(values.shape[:2], dtype=np.int64)
    for lag in range(longest, 0, -1):
        apart = np.abs(last - values[:, :, -longest - lag : -lag])
        period[apart.max(axis=(2, 3)) <= tolerance] = lag
    return period
