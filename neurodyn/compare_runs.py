"""Runs side by side: results by a parameter, with intervals, and differences between runs of the same seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from neurodyn.mean_intervals import Method, difference_interval, mean_interval
from neurodyn.outcome import shown, table
from neurodyn.run_rows import RunRow, rows_of

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from neurodyn.recording import Recording


@dataclass(frozen=True, eq=False)
class RunComparison:
    """Results of groups of runs; ``print`` shows them, :meth:`plot` draws them.

    Parameters
    ----------
    by : str
        The parameter that makes the groups.
    groups : tuple of str
        Its values, as text.
    values : tuple of str
        The results that are compared.
    pair : tuple of str
        What runs share that belong together; empty if nothing pairs them.
    reference : str
        The group that differences are taken from.
    interval, confidence
        Student's t or bootstrap, and its level.
    table : pandas.DataFrame
        A row a run: its name, the group, what pairs it, and its results (NaN where a run has none).
    summary : pandas.DataFrame
        A row for each result and group: runs, mean, low, high.
    differences : pandas.DataFrame
        A row for each result and group but the reference: pairs (0: of groups that are not paired), difference of the means,
        low, high.
    remarks : tuple of str
        What was left out, and why.
    """

    by: str
    groups: tuple[str, ...]
    values: tuple[str, ...]
    pair: tuple[str, ...]
    reference: str
    interval: Method
    confidence: float
    table: pandas.DataFrame
    summary: pandas.DataFrame
    differences: pandas.DataFrame
    remarks: tuple[str, ...]

    def __str__(self) -> str:
        level, way = f"{self.confidence:.0%}", {"t": "Student's t", "bootstrap": "bootstrap"}[self.interval]
        counts = ", ".join(f"{group}: {n}" for group, n in zip(self.groups, self._counts, strict=True))
        lines = [f"{len(self.table)} runs by {self.by} ({counts}); mean with {level} interval ({way})", ""]
        lines.append(
            table(
                ("result", self.by, "runs", "mean", "low", "high"),
                [tuple(map(shown, row)) for row in self.summary.itertuples(index=False)],
            )
        )
        if len(self.differences):
            lines += ["", f"difference from {self.by} = {self.reference}", ""]
            rows = [
                (*map(shown, row[:2]), shown(row[2]) if row[2] else "not paired", *map(shown, row[3:]))
                for row in self.differences.itertuples(index=False)
            ]
            lines.append(table(("result", self.by, "pairs", "difference", "low", "high"), rows))
        if self.remarks:
            lines += ["", *(f"- {remark}" for remark in self.remarks)]
        return "\n".join(lines)

    @property
    def _counts(self) -> list[int]:
        of_run = self.table[self.by].tolist()
        return [of_run.count(group) for group in self.groups]

    def plot(self) -> Figure:
        """Every run as a point, pairs joined, means with their interval, and differences on axes of their own."""
        from neurodyn.plots.comparison import run_comparison

        return run_comparison(self)


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
    labels = [str(one) for one in _of_all(rows, by, "by")]
    groups = _ordered(labels)
    if len(groups) < 2:
        raise ValueError(f"by = {by!r}: it is {labels[0]} in all {len(rows)} runs; give runs that differ in it")
    chosen = groups[0] if reference is None else str(reference)
    if chosen not in groups:
        raise ValueError(f"reference = {reference!r} is no value of {by}; there are {', '.join(groups)}")
    names, keys, said = _pairing(rows, pair, by)
    _check_single(rows, labels, keys, by, names)
    columns, more = _numbers(rows, value)
    frame = pandas.DataFrame(
        {"run": [row.name for row in rows], by: labels, **dict(zip(names, zip(*keys, strict=True), strict=True))}
    )
    values = tuple(f"result: {name}" if name in frame else name for name in columns)
    frame = frame.assign(**dict(zip(values, columns.values(), strict=True)))
    remarks += [*said, *more, *_missing(frame, values), *_unpaired(frame, by, names, groups, chosen)]
    summary, differences = [], []
    for name in values:
        of: dict[str, Any] = {g: frame[frame[by] == g].set_index(list(names) or "run")[name].dropna() for g in groups}
        for group, one in of.items():
            summary.append((name, group, len(one), *mean_interval(one.to_numpy(), interval, confidence)))
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


def _of_all(rows: Sequence[RunRow], name: str, option: str) -> list[Any]:
    """A parameter of all runs."""
    found = []
    for row in rows:
        try:
            found.append(row.parameter(name))
        except KeyError as error:
            raise ValueError(f"{option} = {name!r} is no parameter of {row.name}; {error.args[0]}") from None
    return found


def _ordered(labels: Sequence[str]) -> tuple[str, ...]:
    """Groups, numbers by size and all others as they come."""
    groups = list(dict.fromkeys(labels))
    try:
        return tuple(sorted(groups, key=float))
    except ValueError:
        return tuple(groups)


def _pairing(
    rows: Sequence[RunRow], pair: str | Sequence[str] | None, by: str
) -> tuple[tuple[str, ...], list[tuple[str, ...]], list[str]]:
    """Names of what pairs runs, its values for each run, and a remark where there is nothing of it."""
    names = tuple(n for n in ([pair] if isinstance(pair, str) else pair or ()) if n != by)
    if list(names) == ["seed"] and not any(_has(row, "seed") for row in rows):
        return (), [() for _ in rows], ["no pairs: the runs name no seed"]
    columns = [_of_all(rows, name, "pair") for name in names]
    return names, [tuple(str(column[k]) for column in columns) for k in range(len(rows))], []


def _has(row: RunRow, name: str) -> bool:
    try:
        row.parameter(name)
    except KeyError:
        return False
    return True


def _check_single(
    rows: Sequence[RunRow], labels: Sequence[str], keys: Sequence[tuple[str, ...]], by: str, names: tuple[str, ...]
) -> None:
    """Refuse two runs in one place of a group."""
    seen: dict[Any, RunRow] = {}
    for row, label, key in zip(rows, labels, keys, strict=True):
        first = seen.setdefault((label, key), row) if names else row
        if first is row:
            continue
        share = ", ".join(f"{name} = {one}" for name, one in zip((by, *names), (label, *key), strict=True))
        ways = [
            n for n in first.parameters if repr(first.parameters[n]) != repr(row.parameters.get(n)) and n not in names
        ]
        advice = (
            f"they differ in {', '.join(ways[:4])}: name that in pair, or give runs that share it"
            if ways
            else "give one"
        )
        raise ValueError(f"{first.name} and {row.name} both have {share}; {advice}; pair=None compares without pairs")


def _numbers(
    rows: Sequence[RunRow], value: str | Sequence[str] | Callable[[Recording], float] | None
) -> tuple[dict[str, list[float]], list[str]]:
    """The results to compare, by name, and remarks on those that are not."""
    if callable(value):
        return {getattr(value, "__name__", "value").strip("<>"): [_called(value, row) for row in rows]}, []
    if value is not None:
        return {
            name: [_number(row, name) for row in rows] for name in ([value] if isinstance(value, str) else value)
        }, []
    every = list(dict.fromkeys(name for row in rows for name in row.results))
    numeric = [n for n in every if all(isinstance(row.results.get(n, ""), (int, float, type(None))) for row in rows)]
    found = {n: [row.number(n) for row in rows] for n in numeric}
    found = {n: numbers for n, numbers in found.items() if not np.isnan(numbers).all()}
    varying = {n: numbers for n, numbers in found.items() if len(set(numbers)) > 1}
    if not found:
        raise ValueError(
            f"value: no result is a number in all runs; there are {', '.join(every) or 'none'}; name an element of one that is "
            "a list, such as 'NAME[-1]', a key of the recordings, or give a function of a recording"
        )
    remarks = []
    if varying and (same := [n for n in found if n not in varying]):
        remarks.append(f"the same in all runs: {', '.join(same)}")
    if absent := [n for n in every if any(n not in row.results for row in rows)]:
        remarks.append(f"not in all runs: {', '.join(absent)}")
    return varying or found, remarks


def _number(row: RunRow, name: str) -> float:
    try:
        return row.number(name)
    except ValueError as error:
        raise ValueError(f"value = {name!r}: {row.name} {error}") from None


def _called(function: Callable[[Recording], float], row: RunRow) -> float:
    if row.recording is None:
        raise ValueError("value: a function needs recordings; give their paths, such as 'scans/rules/points/*/*.h5'")
    found = function(row.recording)
    try:
        return float(found)
    except (TypeError, ValueError):
        raise ValueError(f"value: the function gives {found!r} for {row.name}; it has to give a number") from None


def _missing(frame: pandas.DataFrame, values: Sequence[str]) -> list[str]:
    found = []
    for name in values:
        runs = frame["run"][~np.isfinite(frame[name].to_numpy(dtype=float))]
        if len(runs):
            found.append(f"{name}: left out where it is not finite, in {_some(runs)}")
    return found


def _unpaired(
    frame: pandas.DataFrame, by: str, names: tuple[str, ...], groups: Sequence[str], reference: str
) -> list[str]:
    """What has no partner, by group."""
    if not names:
        return []
    keys = {g: set(frame[frame[by] == g].set_index(list(names)).index) for g in groups}
    found = []
    for group in groups:
        if group == reference:
            continue
        what, shared = " and ".join(names), keys[group] & keys[reference]
        if not shared:
            found.append(
                f"{group} and {reference} share no {what}: their difference is that of groups that are not paired"
            )
            continue
        for one, other in ((group, reference), (reference, group)):
            if alone := sorted(keys[one] - shared, key=str):
                found.append(
                    f"without a partner in {other}, left out of their difference: {what} {_some(alone)} of {one}"
                )
    return found


def _difference(
    values: Any, others: Any, names: tuple[str, ...], interval: Method, confidence: float
) -> tuple[int, float, float, float]:
    """Number of pairs, and the difference with its interval."""
    shared = values.index.intersection(others.index) if names else []
    if not len(shared):
        return 0, *difference_interval(values.to_numpy(), others.to_numpy(), interval, confidence)
    gaps = (values.loc[shared] - others.loc[shared]).to_numpy()
    return len(shared), *mean_interval(gaps, interval, confidence)


def _some(names: Any) -> str:
    """The first few of many."""
    every = [str(name) for name in names]
    return ", ".join(every[:5]) + (f" and {len(every) - 5} more" if len(every) > 5 else "")
