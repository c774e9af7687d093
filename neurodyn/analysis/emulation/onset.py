"""When in training a network begins to switch: its eigenvalues, its rate of switching and its loss at each snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._checks import FloatArray, IntArray, whole
from ._driven_network import array
from .jacobians import BAND, LEAST, local_spectra
from .switching import intervals

if TYPE_CHECKING:
    from neurodyn.training.run import TrainingRun


@dataclass(frozen=True, eq=False)
class TrainingOnset:
    """Snapshots of a training, all arrays of shape (snapshot); ``print`` shows the stages.

    Attributes
    ----------
    update : array of int
    loss, floor, growth : array
        Validation loss, that of a fresh sample of the target, and growth of activity, as noted in the training.
    unstable : array
        Share of steps at which an eigenvalue lies beyond the unit circle, with noise in the gate.
    near_critical : array
        Share of steps with a complex pair near it; see :func:`neurodyn.analysis.local_spectra`.
    mean_inverse : array
        Mean of 1 / interval between switches of the winner: the published rate. NaN without a complete interval.
    switch_rate : array
        Switches per step, 1 / mean dwell; for geometric intervals far below ``mean_inverse``.
    symbol_change : array
        Share of steps at which the sampled symbol changes.
    finite : array
        Share of the steps in which activity was finite; the rest doesn't count. Below 1 activity grew beyond all numbers.
    """

    update: IntArray
    loss: FloatArray
    floor: FloatArray
    growth: FloatArray
    unstable: FloatArray
    near_critical: FloatArray
    mean_inverse: FloatArray
    switch_rate: FloatArray
    symbol_change: FloatArray
    finite: FloatArray

    @property
    def plateau(self) -> float:
        """Loss before the drop: the median over the first six snapshots, or the first tenth, but at most the first half.

        Every training begins there; one that leaves it early spends most of its first half below.
        """
        count = len(self.loss)
        return float(np.median(self.loss[: min(max(6, count // 10), (count + 1) // 2)]))

    @property
    def drop(self) -> int | None:
        """The first update at which the loss is a quarter of the way from the plateau to the floor; None if none is."""
        level = self.plateau - (self.plateau - np.median(self.floor)) / 4
        below = np.flatnonzero(self.loss < level)
        return int(self.update[below[0]]) if len(below) else None

    @property
    def first_unstable(self) -> int | None:
        """The first update with more than 1 % unstable steps; None if there is none."""
        found = np.flatnonzero(self.unstable > 0.01)
        return int(self.update[found[0]]) if len(found) else None

    def __str__(self) -> str:
        before = self.update < (np.inf if self.drop is None else self.drop)
        late = np.arange(len(self.update)) >= 3 * len(self.update) // 4
        lines = [
            f"loss leaves its plateau of {self.plateau:.3g} at update {self.drop}; first unstable snapshot at update {self.first_unstable}, "
            f"{np.sum(self.unstable[before] > 0.01)} of {before.sum()} before the drop",
            f"{'':<22}{'loss':>8}{'unstable':>10}{'near-crit.':>12}{'E[1/int]':>10}{'switches':>10}{'P(change)':>11}",
        ]
        for name, part in (
            ("before the drop", before),
            ("at the drop", self.update == self.drop),
            ("last quarter", late),
        ):
            if part.any():
                numbers = [
                    float(np.median(v[part][np.isfinite(v[part])])) if np.isfinite(v[part]).any() else np.nan
                    for v in (self.loss, self.unstable, self.near_critical, self.mean_inverse, self.switch_rate)
                ]
                change = np.median(self.symbol_change[part])
                lines.append(
                    f"{name:<22}{numbers[0]:>8.2f}{numbers[1]:>10.3f}{numbers[2]:>12.3f}{numbers[3]:>10.3f}"
                    f"{numbers[4]:>10.3f}{change:>11.3f}"
                )
        return "\n".join(
            [*lines, f"(medians over snapshots; activity not finite in {np.sum(self.finite < 1)} of them)"]
        )


def training_onset(
    run: TrainingRun, *, paths: int = 5, steps: int = 1000, spectra: int = 1000, warm_up: int = 10, seed: int = 0
) -> TrainingOnset:
    """Follow eigenvalues, switching and loss over all numbered snapshots of an emulation.

    Parameters
    ----------
    run : TrainingRun
        From :func:`neurodyn.emulate` with ``keep_every``, or its file.
    paths, steps : int
        Independent paths of each snapshot, and the steps of each, at least 2.
    spectra : int
        Steps whose Jacobian is taken, at least 1, spread evenly over all.
    warm_up : int
        Steps before a path, >= 0, from rest.
    seed : int
        Key of the noise, the same for all snapshots.

    Returns
    -------
    TrainingOnset

    Raises
    ------
    ValueError
        For a training without numbered snapshots, or that is no emulation.

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante (2025) NeurIPS, arXiv 2510.25674: one path of 5000 steps, warm-up 10.
    """
    paths, steps = whole(paths, "paths"), whole(steps, "steps", low=2)
    spectra, warm_up = whole(spectra, "spectra"), whole(warm_up, "warm_up", low=0)
    updates = run.snapshots
    if not updates or run.config["network"]["network"] != "HMMRNN":
        raise ValueError(f"{run!r}: give an emulation with snapshots, from nd.emulate(..., keep_every=25)")
    noted = run.history.set_index("update")
    rows = []
    for update in updates:
        # float64 holds what grows, where float32 would already be infinite.
        net = run.network(update).double()
        found = net.generate(paths, steps, burn_in=warm_up, full=True, seed=seed)
        states, noise = array(found.states), array(found.noise)
        # All paths are followed as far as the first that leaves the numbers.
        whole_steps = np.isfinite(states).all(axis=(0, 2))
        end = steps if whole_steps.all() else int(whole_steps.argmin())
        winners, symbols = found.winners[:, :end].cpu().numpy(), found.symbols[:, :end].cpu().numpy()
        lengths = intervals(winners)
        before = states[:, : max(end - 1, 0)].reshape(-1, net.units)
        after = noise[:, 1 : max(end, 1)].reshape(-1, net.noise_inputs)
        every = slice(None, None, max(1, len(before) // spectra))
        local = local_spectra(net, before[every], noise=after[every], band=BAND, least=LEAST) if len(before) else None
        rows.append(
            (
                np.nan if local is None else np.mean(local.unstable > 0),
                np.nan if local is None else np.mean(local.near_critical > 0),
                np.mean(1 / lengths) if len(lengths) else np.nan,
                np.mean(winners[:, 1:] != winners[:, :-1]) if end > 1 else np.nan,
                np.mean(symbols[:, 1:] != symbols[:, :-1]) if end > 1 else np.nan,
                end / steps,
            )
        )
    unstable, near_critical, mean_inverse, switch_rate, symbol_change, finite = np.array(rows, dtype=float).T
    columns = [noted[name].reindex(updates).to_numpy(dtype=float) for name in ("validation_loss", "floor", "growth")]
    return TrainingOnset(
        np.array(updates),
        *columns,
        unstable=unstable,
        near_critical=near_critical,
        mean_inverse=mean_inverse,
        switch_rate=switch_rate,
        symbol_change=symbol_change,
        finite=finite,
    )
