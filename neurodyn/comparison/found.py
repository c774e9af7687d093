"""What a comparison of runs found: as tables, as text and as a figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from neurodyn.comparison.intervals import WORDS, Method
from neurodyn.outcome import shown, table

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class RunComparison:
    """Results of groups of runs; ``print`` shows them, :meth:`RunComparison.plot` draws them.

    Attributes
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
        level, way = f"{self.confidence:.0%}", WORDS[self.interval]
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
