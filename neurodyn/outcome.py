"""What a simulation returns, and how it is printed: results, checks, tables."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_COMPARISONS = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_COMPARISON = re.compile(r"\s*(<=|>=|==|!=|<|>)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*")


@dataclass(frozen=True)
class Check:
    """A measured number beside the threshold it has to meet and the published value it is compared with; see :func:`check`.

    Attributes
    ----------
    name : str
        What was measured, with its unit.
    value : float
        The measured number.
    threshold : str
        One or several comparisons, such as "<= 0.4".
    reference : float, str or None
        The published value.
    source : str
        Where it was published.
    passed : bool
        Whether the value meets the threshold.
    """

    name: str
    value: float
    threshold: str
    reference: float | str | None
    source: str
    passed: bool


def check(name: str, value: float, threshold: str, *, reference: float | str | None = None, source: str = "") -> Check:
    """Compare a measured number with a threshold.

    Parameters
    ----------
    name : str
        What is measured, with its unit: ``"timing error (ms)"``.
    value : float
        The measured number. NaN fails every threshold.
    threshold : str
        ``"<= 0.4"``, ``"> 0"``, ``"== 3"``, or several, all to be met: ``">= 0.2 and <= 0.4"``.
    reference : float or str, optional
        The published value.
    source : str
        Where it was published: paper and figure or table.

    Raises
    ------
    ValueError
        A threshold that can't be read, or a value that is not a number.
    """
    plain = _plain(f"check {name!r}", value)
    if not isinstance(plain, (int, float)):
        raise ValueError(f"check {name!r}: value={value!r} has to be a number")
    passed = not math.isnan(plain)
    for part in threshold.split(" and "):
        match = _COMPARISON.fullmatch(part)
        if match is None:
            raise ValueError(
                f"check {name!r}: threshold={threshold!r} has to be a comparison, such as '<= 0.4' or "
                "'>= 0.2 and <= 0.4'"
            )
        passed = passed and _COMPARISONS[match[1]](plain, float(match[2]))
    return Check(name, plain, threshold, _plain(f"check {name!r}", reference), source, bool(passed))


@dataclass(frozen=True)
class Outcome:
    """What a simulation returns.

    Parameters
    ----------
    results : mapping of str to number, text or short list
        Named results; printed, stored in the recording, and collected by scans.
    checks : sequence of Check
        Results beside their thresholds, see :func:`check`.
    data : mapping of str to array or xarray.DataArray
        Larger results; stored in the recording only.
    figures : mapping of str to matplotlib Figure
        Saved beside the recording as ``<recording>.<name>.png``.
    config, path
        Filled in by the call: the resolved parameters, and the recording (None if nothing was written).

    Raises
    ------
    TypeError
        Checks that were not made by :func:`check`, or figures that are none.
    ValueError
        Results that are no number, text or short list, or names of figures that can't be part of a file name.
    """

    results: Mapping[str, Any] = field(default_factory=dict)
    checks: Sequence[Check] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None

    def __post_init__(self) -> None:
        plain = {name: _plain(f"result {name!r}", value) for name, value in self.results.items()}
        object.__setattr__(self, "results", plain)
        for member in self.checks:
            if not isinstance(member, Check):
                raise TypeError(f"checks has {member!r} in it; make its members with nd.check(name, value, threshold)")
        for name, figure in self.figures.items():
            if not hasattr(figure, "savefig"):
                raise TypeError(f"figures[{name!r}] is {figure!r}; it has to be a matplotlib Figure")
            if not re.fullmatch(r"[\w-]+", name):
                raise ValueError(
                    f"figures[{name!r}]: the name becomes part of a file name; use letters, digits, _ and -"
                )

    @property
    def passed(self) -> bool:
        """Whether every check passed (True without checks)."""
        return all(member.passed for member in self.checks)

    def to_json(self) -> dict[str, Any]:
        """``{"results": {...}, "checks": [...]}`` for ``--json``; NaN and infinity become None (null)."""
        keys = ("name", "value", "threshold", "reference", "passed")
        checks = [{key: getattr(member, key) for key in keys} for member in self.checks]
        return _finite({"results": dict(self.results), "checks": checks})


def report(outcome: Outcome) -> str:
    """Results and checks as a table."""
    lines = []
    if outcome.results:
        lines += ["", "results", table(None, [(n, shown(v)) for n, v in outcome.results.items()])]
    if outcome.checks:
        rows = [
            (c.name, shown(c.value), c.threshold, shown(c.reference), "yes" if c.passed else "NO", c.source)
            for c in outcome.checks
        ]
        lines += ["", table(("check", "value", "threshold", "reference", "passed", "source"), rows)]
        count = sum(c.passed for c in outcome.checks)
        lines += [f"{count} of {len(rows)} checks passed"]
    return "\n".join(lines)


def table(header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns, indented by two spaces."""
    lines = [*([header] if header else []), *rows]
    if not lines:
        return "  (none)"
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  " + "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def shown(value: Any) -> str:
    """A value for a table: four digits, lists with commas, '-' for None."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(member) for member in value) or "(empty)"
    return str(value)


def _plain(where: str, value: Any) -> Any:
    """Numbers, text and short lists without NumPy types; raises `TypeError` for anything else."""
    if hasattr(value, "tolist") and getattr(value, "ndim", 0) <= 1:
        value = value.tolist()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)) and len(value) <= 1000:
        return [_plain(where, member) for member in value]
    raise TypeError(f"{where} is a {type(value).__name__}; a result is a number, text or short list; use data={{...}}")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_finite(member) for member in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def spread(name: str, values: Any) -> dict[str, float]:
    """Return results for a number of several seeds: ``name: mean``, ``SD`` (ddof 1, 0 for one seed), ``min``, ``max``.

    Parameters
    ----------
    name : str
        What was measured, with its unit.
    values : array of float, (seed,)
        One number for each seed, at least one.

    Returns
    -------
    dict of str to float
        Under "name: mean", "name: SD", "name: min" and "name: max".
    """
    import numpy as np

    found = np.asarray(values, dtype=float)
    return {
        f"{name}: mean": float(found.mean()),
        f"{name}: SD": float(found.std(ddof=1)) if found.size > 1 else 0.0,
        f"{name}: min": float(found.min()),
        f"{name}: max": float(found.max()),
    }


def passes(name: str, passed: Any) -> dict[str, str]:
    """Return as a result how many seeds pass on their own, with the 95 % interval (Wilson's) of that fraction.

    Parameters
    ----------
    name : str
        What the seeds have to pass; the result is called "name: seeds".
    passed : sequence of bool, (seed,)
        Whether each passes.

    Returns
    -------
    dict of str to str
        Such as {"learns: seeds": "9 of 10 (95 %: 0.60 to 0.98)"}.
    """
    import numpy as np

    from neurodyn.analysis.statistics import binomial_interval

    found = np.asarray(passed, dtype=bool)
    interval = binomial_interval(int(found.sum()), int(found.size))
    return {f"{name}: seeds": f"{int(found.sum())} of {found.size} (95 %: {interval.low:.2f} to {interval.high:.2f})"}


def rounded(rows: Mapping[str, Any], digits: int = 3) -> dict[str, list[Any]]:
    """Return arrays by name as results: lists of numbers.

    Parameters
    ----------
    rows : mapping of str to array of any shape
    digits : int
        Decimals that are kept.

    Returns
    -------
    dict of str to nested list of float
    """
    import numpy as np

    return {name: np.round(np.asarray(values, dtype=float), digits).tolist() for name, values in rows.items()}
