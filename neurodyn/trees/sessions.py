"""Sessions as arrays over their trials, for recordings; nothing is executed when they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurodyn.recording.values import plain
from neurodyn.session import Session, Trial

_FLAGS = ("learning", "calibration", "reset")


def to_tree(session: Session) -> dict[str, Any]:
    """Return a session as arrays over its trials; every different course of a channel is kept once.

    ``samples`` holds the courses one after the other, course k from ``offsets[k]`` to ``offsets[k + 1]``; one of a
    single sample is constant over the trial. ``inputs/<n>`` says which course each channel of the n-th input
    follows in each trial, (trials, channels), -1 where the trial doesn't bring it.
    """
    trials = session.trials
    courses = _Courses()
    names = list(dict.fromkeys(name for trial in trials for name in trial.inputs))
    inputs = {}
    for number, name in enumerate(names):
        rows = [courses.rows(trial.inputs[name]) if name in trial.inputs else [] for trial in trials]
        table = np.full((len(rows), max(map(len, rows))), -1, dtype=np.int32)
        for row, numbers in zip(table, rows, strict=True):
            row[: len(numbers)] = numbers
        inputs[str(number)] = table
    return {
        "dt": session.dt,
        "channels": [[name, list(labels)] for name, labels in session.channels.items()],
        "config": json.dumps(plain(session.config, "session.config", arrays=True)),
        "steps": np.array([t.steps for t in trials], dtype=np.int64),
        **{flag: np.array([getattr(t, flag) for t in trials], dtype=bool) for flag in _FLAGS},
        **_labels(trials),
        "input_names": names,
        "inputs": inputs,
        **courses.arrays(),
    }


def from_tree(tree: Mapping[str, Any]) -> Session:
    """Rebuild a session from :func:`to_tree`; trials share the arrays that are equal, and these are read-only."""
    samples, offsets = tree["samples"], tree["offsets"]
    courses = [samples[a:b] for a, b in zip(offsets[:-1], offsets[1:], strict=True)]
    made: dict[tuple[int, ...], np.ndarray] = {}

    def values(numbers: np.ndarray, steps: int) -> np.ndarray:
        key = (steps, *numbers.tolist())
        if key not in made:
            columns = [courses[n] for n in numbers]
            length = max(len(c) for c in columns)
            array = np.stack([np.broadcast_to(c, (length,)) for c in columns], axis=-1)
            made[key] = array[0] if length == 1 else array
            made[key].setflags(write=False)
        return made[key]

    some = [json.loads(text) for text in tree.get("labels_of_some", ())] or [{} for _ in tree["steps"]]
    trials = []
    for k, steps in enumerate(tree["steps"].tolist()):
        rows = {name: tree["inputs"][str(n)][k] for n, name in enumerate(tree["input_names"])}
        inputs = {name: values(row[row >= 0], steps) for name, row in rows.items() if (row >= 0).any()}
        labels = {name: _plain(column[k]) for name, column in tree["labels"].items()}
        flags = {flag: bool(tree[flag][k]) for flag in _FLAGS}
        trials.append(Trial(steps, inputs, labels={**labels, **some[k]}, **flags))
    channels = {name: tuple(labels) for name, labels in tree["channels"]}
    return Session(tuple(trials), tree["dt"], channels, json.loads(tree["config"]))


class _Courses:
    """Numbers the different courses of channels."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._courses: list[np.ndarray] = []
        self._rows: dict[int, tuple[np.ndarray, list[int]]] = {}  # arrays seen, held so that no id is used twice

    def rows(self, array: np.ndarray) -> list[int]:
        """Return the course of each channel of an input, (steps, channels) or (channels,)."""
        if id(array) not in self._rows:
            columns = np.atleast_2d(array).T
            self._rows[id(array)] = array, [self._number(np.ascontiguousarray(c)) for c in columns]
        return self._rows[id(array)][1]

    def _number(self, course: np.ndarray) -> int:
        bits = course.view(np.int64)  # by bits: 0.0 and -0.0 differ
        if (bits == bits[0]).all():
            course = course[:1]
        key = hashlib.blake2b(course.tobytes(), digest_size=16).digest()
        if key not in self._numbers:
            self._numbers[key] = len(self._courses)
            self._courses.append(course)
        return self._numbers[key]

    def arrays(self) -> dict[str, np.ndarray]:
        samples = np.concatenate(self._courses) if self._courses else np.zeros(0)
        return {"samples": samples, "offsets": np.cumsum([0, *map(len, self._courses)], dtype=np.int64)}


def _labels(trials: Sequence[Trial]) -> dict[str, Any]:
    """Labels as columns; those that not every trial has, or that are now text and now a number, as JSON, one text a trial."""
    columns: dict[str, np.ndarray] = {}
    some: list[dict[str, Any]] = [{} for _ in trials]
    for name in dict.fromkeys(name for trial in trials for name in trial.labels):
        values = [_plain(trial.labels[name]) for trial in trials if name in trial.labels]
        column = np.array(values) if len({type(v) for v in values}) == 1 else None
        if column is not None and len(values) == len(trials) and column.dtype.kind != "O":  # whole numbers may be huge
            columns[name] = column
            continue
        for trial, kept in zip(trials, some, strict=True):
            if name in trial.labels:
                kept[name] = _plain(trial.labels[name])
    texts = {"labels_of_some": np.array([json.dumps(kept) for kept in some])} if any(some) else {}
    return {"labels": columns, **texts}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
