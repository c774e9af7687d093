"""Runs side by side: results by a parameter, with intervals, and differences between runs of the same seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from neurodyn.comparison.found import RunComparison
from neurodyn.comparison.intervals import Method, difference_interval, mean_interval
from neurodyn.comparison.pairs import check_single, pairing, unpaired
from neurodyn.comparison.rows import of_all, rows_of
from neurodyn.comparison.values import missing, numbers

if TYPE_CHECKING:
    import pandas

    from neurodyn.recording import Recording


def compare_runs(
    runs: Any,
    *,
    by: str,
    value: str | Sequence[str] | Callable[[Recording], float] | None = None,
    pair: str | Sequence[str] | None = "seed",
    reference: Any = None,
    interval: Method = "t",
    confidence: float = 0.95,
) -> RunComparison:
    """Compare results of runs that differ in a parameter.

    Parameters
    ----------
    runs : recordings, paths, a glob, the folder of a scan or what ``nd.load_scan`` returns, or a sequence of these
        Points of a scan that are not done are left out, and counted in the remarks.
    by : str
        The parameter, by its name in the configuration of the runs ("rule") or an unmistakable end of it ("learning_rate"
        for training.learning_rate).
    value : str, sequence of str, or callable, optional
        A result ("nRMSE"), an element of one that is a list ("nRMSE at block ends[-1]"), a key of the recordings that holds
        one number or an element of it ("training/loss[-1]"), or a function of a recording. Left out: every result that is a
        number in all runs.
    pair : str or sequence of str, optional
        Parameters that runs of different groups share if they belong together. None: no pairs.
    reference : optional
        The value of ``by`` that differences are taken from; left out, the first one.
    interval : "t" or "bootstrap"
        Of means: Student's t, or percentiles of 10 000 resamples of the runs, drawn from a stream of the package's own
        (always the same). Of differences: the same for the differences of the pairs; where no runs are paired, Welch's t,
        or both groups resampled. Of five normal values the bootstrap of 95 % covers the mean in about 84 % of cases.
    confidence : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        A parameter or result that a run does not have, one group only, two runs that share group and pair, an unknown
        reference or interval.
    FileNotFoundError, TypeError
        No runs there, or something that is no run.

    Notes
    -----
    Intervals of several values and groups are not corrected for their number.

    References
    ----------
    Cumming 2014, Psychological Science 25:7; Welch 1938, Biometrika 29:350; Efron & Tibshirani 1993, chapter 13.
    """
    import pandas

    if interval not in get_args(Method):
        raise ValueError(f"interval = {interval!r}; there are 't' and 'bootstrap'")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence = {confidence!r}; give a number between 0 and 1, such as 0.95")
    rows, remarks = rows_of(runs)
    labels = [str(one) for one in of_all(rows, by, "by")]
    groups = _ordered(labels)
    if len(groups) < 2:
        raise ValueError(f"by = {by!r}: it is {labels[0]} in all {len(rows)} runs; give runs that differ in it")
    chosen = groups[0] if reference is None else str(reference)
    if chosen not in groups:
        raise ValueError(f"reference = {reference!r} is no value of {by}; there are {', '.join(groups)}")
    names, keys, said = pairing(rows, pair, by)
    check_single(rows, labels, keys, by, names)
    columns, more = numbers(rows, value)
    frame = pandas.DataFrame(
        {"run": [row.name for row in rows], by: labels, **dict(zip(names, zip(*keys, strict=True), strict=True))}
    )
    values = tuple(f"result: {name}" if name in frame else name for name in columns)
    frame = frame.assign(**dict(zip(values, columns.values(), strict=True)))
    remarks += [*said, *more, *missing(frame, values), *unpaired(frame, by, names, groups, chosen)]
    summary, differences = [], []
    for name in values:
        of: dict[str, Any] = {g: frame[frame[by] == g].set_index(list(names) or "run")[name] for g in groups}
        for group, one in of.items():
            finite = _finite(one)
            summary.append((name, group, len(finite), *mean_interval(finite, interval, confidence)))
            if group != chosen:
                differences.append((name, group, *_difference(one, of[chosen], names, interval, confidence)))
    return RunComparison(
        by=by,
        groups=groups,
        values=values,
        pair=names,
        reference=chosen,
        interval=interval,
        confidence=confidence,
        table=frame,
        summary=pandas.DataFrame(summary, columns=["result", "group", "runs", "mean", "low", "high"]),
        differences=pandas.DataFrame(differences, columns=["result", "group", "pairs", "difference", "low", "high"]),
        remarks=tuple(remarks),
    )


def _ordered(labels: Sequence[str]) -> tuple[str, ...]:
    """Groups, numbers (of one unit) by size and all others as they come."""
    groups = list(dict.fromkeys(labels))
    parts = {group: group.partition(" ") for group in groups}
    try:
        size = {group: float(number) for group, (number, _, _) in parts.items()}
    except ValueError:
        return tuple(groups)
    one_unit = len({unit for _, _, unit in parts.values()}) == 1
    return tuple(sorted(groups, key=size.__getitem__) if one_unit else groups)


def _finite(values: pandas.Series) -> np.ndarray:
    found = values.to_numpy(dtype=float)
    return found[np.isfinite(found)]


def _difference(
    values: pandas.Series, others: pandas.Series, names: tuple[str, ...], interval: Method, confidence: float
) -> tuple[int, float, float, float]:
    """Number of pairs, and the difference with its interval."""
    shared = values.index.intersection(others.index) if names else []
    if not len(shared):
        return 0, *difference_interval(_finite(values), _finite(others), interval, confidence)
    gaps = _finite(values.loc[shared] - others.loc[shared])
    return len(gaps), *mean_interval(gaps, interval, confidence)
