"""Repeating the run of a recording, from the recording alone, and comparing."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurodyn.circuit import Circuit
from neurodyn.compare import Comparison, compare
from neurodyn.recording import Recording, load
from neurodyn.recording.provenance import git_revision, versions
from neurodyn.session import Session
from neurodyn.simulate import Sample, simulate
from neurodyn.trees.runs import OPTIONS, untrained
from neurodyn.units import Quantity, dimensions_of


class RerunError(ValueError):
    """A recording whose run can't be repeated, with the reason and what to do instead."""


@dataclass(frozen=True)
class Rerun:
    """What :func:`rerun` found; true where the two runs are the same, and readable as text.

    Attributes
    ----------
    recording : Recording
        Of the second run.
    comparison : Comparison
        Of everything that was recorded over time; the first run is the recording, the second its repetition.
    learned : tuple of str
        What the runs learned: every array of the memory of readouts and rules.
    learned_otherwise : tuple of str
        Those whose final values differ by more than the tolerance.
    changed : mapping of name to (then, now)
        Versions, revision, platform and Program that are others than at the first run.
    """

    recording: Recording
    comparison: Comparison
    learned: tuple[str, ...]
    learned_otherwise: tuple[str, ...]
    changed: Mapping[str, tuple[str, str]]

    def __bool__(self) -> bool:
        return self.comparison.equal and not self.learned_otherwise

    def __str__(self) -> str:
        lines = [str(self.comparison)]
        if self.learned_otherwise:
            lines.append(f"learned otherwise: {', '.join(self.learned_otherwise)}")
        elif self.learned:
            lines.append(f"learned the same: {', '.join(self.learned)}")
        if self.changed:
            lines += ["changed since:", *(f"  {name}: {a} then, {b} now" for name, (a, b) in self.changed.items())]
        else:
            lines.append("versions, revision and platform are those of then")
        return "\n".join(lines)


def rerun(
    recording: Recording | str | Path,
    *,
    backend: str | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    tolerance: float = 0.0,
    progress: bool | None = None,
) -> Rerun:
    """Repeat the run of a recording, with its circuit, session, options and seed, and compare.

    Parameters
    ----------
    recording : Recording or path
        Of a complete run of :func:`neurodyn.simulate`. A run that was one of several side by side is repeated alone.
    backend : str
        Runner, on the best device it has here; runner and device of the recording if not given.
    out : path
        Where the second recording goes; it stays in memory if not given.
    overwrite : bool
        Whether an existing ``out`` is replaced.
    tolerance : float
        Largest accepted deviation of samples and learned arrays, relative to the largest magnitude of each
        (see :func:`neurodyn.compare`). Spikes are equal or not.
    progress : bool
        As in :func:`simulate`.

    Returns
    -------
    Rerun
        True where both runs are the same.

    Raises
    ------
    RerunError
        A recording that doesn't hold all it takes: a run that stopped early, a closed-loop function, inputs that
        were too large to keep, a file of results alone.
    FileExistsError, CircuitError, BlowUpError
        As :func:`neurodyn.simulate`.
    """
    first = recording if isinstance(recording, Recording) else load(recording)
    if out is not None and first.path is not None and Path(out).expanduser().resolve() == first.path.resolve():
        raise RerunError(f"out = {str(out)!r} is the recording that is compared with; choose another name")
    tree = _given(first)
    try:
        circuit = untrained(tree, first.network())
        session, record = Session.from_tree(tree["session"]), [_item(item) for item in tree["record"]]
        given = tree["options"]  # a file may hold anything: these and no others
        options: dict[str, Any] = {name: str(given[name]) for name in OPTIONS if name in given}
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise RerunError(f"{_name(first)}: its circuit and session can't be built again: {error}") from error
    config = first.config
    if backend is not None:
        options = {"backend": backend, "dtype": options.get("dtype", "float64")}  # on the best device there is
        config.get("simulate", {}).pop("device", None)
    config["simulate"] = {**config.get("simulate", {}), **options}  # how rules were made is known only there
    second = simulate(
        circuit, session, record=record, out=out, overwrite=overwrite, progress=progress, config=config, **options
    )
    learned = _learned(circuit, first, second, tolerance)
    return Rerun(
        second,
        compare(first, second, tolerance=tolerance),
        tuple(learned),
        tuple(name for name, same in learned.items() if not same),
        _changed(first, circuit),
    )


def _given(recording: Recording) -> dict[str, Any]:
    """Return /run, or say why the run can't be repeated and what to do."""
    attrs, again = recording.attrs, by_hand(recording)
    if not recording.complete:
        why = attrs.get("stopped", "it was cut short")
        raise RerunError(f"{_name(recording)} holds a run that didn't reach its end ({why}); {again}")
    try:
        tree = recording.tree("run")
    except KeyError:
        raise RerunError(f"{_name(recording)} holds no run of nd.simulate, only results; {again}") from None
    if tree["functions"]:
        names = ", ".join(map(repr, tree["functions"]))
        raise RerunError(
            f"{_name(recording)}: input {names} is closed by a Python function, which no file holds; {again}"
        )
    if "left_out" in tree:
        raise RerunError(f"{_name(recording)}: {tree['left_out']}; {again}")
    return tree


def _item(item: Any) -> str | Sample:
    """An entry of ``record`` as :func:`neurodyn.simulate` takes it."""
    if isinstance(item, str):
        return item
    every = item["every"] and Quantity(item["every"], dimensions_of("second"))
    return Sample(item["array"], item["units"], every)


def by_hand(recording: Recording) -> str:
    """Say how to run it again without the recording: with the stored configuration where a simulation made it."""
    config = recording.config
    if "simulation" not in config:
        return "run the script that made it again"
    sets = " ".join(_set(name, value) for name, value in config.get("parameters", {}).items() if value is not None)
    return f"run the simulation again: neurodyn run SCRIPT.py:{config['simulation']} {sets}".rstrip()


def _set(name: str, value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return f'--set {name}="{text}"' if " " in text or not text else f"--set {name}={text}"


def _learned(circuit: Circuit, first: Recording, second: Recording, tolerance: float) -> dict[str, bool]:
    """Return by array of memory whether both runs ended with the same values."""
    values = [run.tree("network")["values"] for run in (first, second)]
    found = {}
    for array in circuit.program.arrays:
        if array.role == "memory":
            a, b = (np.asarray(v[array.name], dtype=float) for v in values)
            largest = max(np.max(np.abs(x), initial=0.0) for x in (a, b))
            found[array.name] = bool(np.all(np.abs(a - b) <= tolerance * largest))
    return found


def _changed(recording: Recording, circuit: Circuit) -> dict[str, tuple[str, str]]:
    """Return what a result may depend on besides the recording, where it is not as it was."""
    attrs = recording.attrs
    then = {**attrs.get("versions", {}), "platform": attrs.get("platform"), "revision": attrs.get("git_revision")}
    now = {**versions(), "platform": platform.platform(), "revision": git_revision()}
    then["Program"], now["Program"] = attrs.get("program_hash"), circuit.program.hash
    pairs = {name: (str(then.get(name) or "none"), str(now.get(name) or "none")) for name in {**then, **now}}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _name(recording: Recording) -> str:
    return str(recording.path or "the recording in memory")
