"""What a recording adds to the tables of its model: what computed it, what was fed in, how it was trained, what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from neurodyn.outcome import shown
from neurodyn.recording import Recording
from neurodyn.recording.summary import entries
from neurodyn.report.tables import Table
from neurodyn.report.words import counted

_MOST = 200  # characters of a value


def computed_rows(recording: Recording) -> list[tuple[str, str]]:
    """Rows of table A: the runner, its precision, and what may be expected of another one."""
    attrs = recording.attrs
    runner = ", ".join(str(attrs[name]) for name in ("backend", "device", "dtype") if attrs.get(name))
    rows = [("Runner", runner)] if runner else []
    if "exactness" in attrs:
        same = "the same bits on every runner in float64 on the CPU"
        rows.append(("Exactness", same if attrs["exactness"] == "exact" else "other runners agree to a tolerance"))
    return rows


def network_rows(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rows of table A for a network that is trained by gradient: all that it was made with."""
    return [(_title(name), value) for name, value in flat(settings)]


def training_tables(recording: Recording) -> list[Table]:
    """Return E, how it was trained, and F, on what."""
    config, attrs = recording.config, recording.attrs
    rows = [(_title(name), value) for name, value in flat(config.get("training", {}))]
    rows.append(("Runner", ", ".join(str(attrs[k]) for k in ("backend", "device", "dtype") if attrs.get(k))))
    task = [(_title(name), value) for name, value in flat(config.get("task", {}))]
    return [Table("E", "Training by gradient", (), tuple(rows)), Table("F", "Task", (), tuple(task))]


def task_tables(recording: Recording) -> list[Table]:
    """Return F, the session: the task's own numbers, and its trials."""
    rows = [(_title(name), value) for name, value in flat(recording.config.get("session", {}))]
    trials = recording.trials
    if "duration_ms" in trials and trials["duration_ms"].dtype.kind in "fiu":
        whole = f"{trials['duration_ms'].sum() / 1e3:g} s"
        rows.append(("Trials", f"{counted(len(trials), 'trial')}, {whole} in all"))
    return [Table("F", "Session", (), tuple(rows))] if rows else []


def measurements(recording: Recording) -> Table:
    """Return G: what was recorded, with shape and unit, and what results are made of it."""
    rows = recorded(recording)
    if names := list(recording.results):
        rows.append(("Results", ", ".join(names[:_MOST])))
    return Table("G", "Measurements", (), tuple(rows) or (("Recorded", "nothing"),))


def recorded(recording: Recording) -> list[tuple[str, str]]:
    """What was recorded, by path; the unit of plain numbers, "1", is left out."""
    return [(name, about.removesuffix(" 1")) for name, about in entries(recording).items()]


def flat(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Settings as pairs of name and text; names of nested ones are joined by a dot."""
    for name, value in settings.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            value = {str(number): one for number, one in enumerate(value, 1)}
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{name}.")
        elif value is not None and value != "":
            text = shown(value)
            yield f"{before}{name}", text if len(text) <= _MOST else f"{text[: _MOST - 4]} ..."


def _title(name: str) -> str:
    return name.replace("_", " ")
