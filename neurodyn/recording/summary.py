"""A recording in words."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import h5py

from neurodyn.recording.arrays import dimensions
from neurodyn.recording.layout import children, dataset_at, group_at, lookup
from neurodyn.recording.places import shown
from neurodyn.recording.values import decode

if TYPE_CHECKING:
    from neurodyn.recording.reader import Recording

_TREES = {
    "network": "the circuit as it was at the end: nd.load(FILE).network()",
    "run": "session and options: neurodyn rerun FILE repeats the run",
}
_SHOWN_APART = {"config_json", "results_json", "checks_json", "complete", "stopped"}
_FOR_PROGRAMS = {"time_stamps", "neurodyn_format", "run_fingerprint"}


def headline(recording: Recording) -> str:
    """A few lines: where, what, how much."""
    attrs = recording.attrs
    what = [str(attrs[key]) for key in ("simulation", "name", "backend") if attrs.get(key)]
    what.append("complete" if recording.complete else f"incomplete: {attrs.get('stopped', 'cut short')}")
    place = shown(recording.path) if recording.path is not None else "in memory"
    lines = [f"<Recording {place} ({', '.join(what)})", *_lines(entries(recording))]
    lines += [f"  {name} = {_short(value)}" for name, value in recording.results.items()]
    return "\n".join(lines) + ">"


def describe(recording: Recording) -> str:
    """All of it: what was recorded, what computed it, where and when, configuration, results, checks."""
    attrs = dict(recording.attrs)
    parts = [*_title(recording, attrs), "", "recorded", *_lines(entries(recording) | _trees(recording))]
    # each takes from `attrs` what it shows; whatever nobody shows comes last
    for title, rows in (
        ("computed", _computed(attrs)),
        ("where and when", _origin(attrs)),
        ("further attributes", {key: value for key, value in attrs.items() if key not in _SHOWN_APART | _FOR_PROGRAMS}),
    ):
        if rows:
            parts += ["", title, *_lines(rows)]
    for title, values in (("configuration", recording.config), ("results", recording.results)):
        if values:
            parts += ["", title, *_nested(values)]
    if recording.checks:
        parts += ["", "checks"]
        for check in recording.checks:
            verdict = "passed" if check.get("passed") else "FAILED"
            shown = (str(check.get(key)) for key in ("name", "value", "threshold", "reference"))
            parts.append(f"  {verdict}  {{}} = {{}}, to be {{}} (reference {{}})".format(*shown))
    return "\n".join(parts)


def _title(recording: Recording, attrs: dict[str, Any]) -> list[str]:
    what = [str(attrs.pop(key)) for key in ("simulation", "circuit", "name") if attrs.get(key)]
    trials = recording.trials
    if "duration_ms" in trials and trials["duration_ms"].dtype.kind in "fiu":
        several = f" in {len(trials)} trials" if len(trials) > 1 else ""
        what.append(f"{trials['duration_ms'].to_numpy().sum() / 1e3:g} s{several}")
    what.append("complete" if recording.complete else f"incomplete: {attrs.get('stopped', 'cut short')}")
    size = f" ({recording.path.stat().st_size / 1e6:.3g} MB)" if recording.path is not None else ""
    return [f"{recording.path or 'recording in memory'}{size}", ", ".join(what)]


def _computed(attrs: dict[str, Any]) -> dict[str, Any]:
    """What the numbers depend on: runner, precision, step, seed, Program and its class."""
    rows: dict[str, Any] = {}
    if "backend" in attrs:
        parts = [attrs.pop("backend"), attrs.pop("device", None), attrs.pop("dtype", None)]
        rows["runner"] = ", ".join(str(part) for part in parts if part)
        threads = attrs.pop("threads", None)
        if threads is not None:
            rows["runner"] += f", {threads} thread{'' if threads == 1 else 's'}"
    if "dt_ms" in attrs:
        rows["step"] = f"{attrs.pop('dt_ms')} ms"
    if "seed" in attrs:
        rows["seed"] = attrs.pop("seed")
    if "program_hash" in attrs:
        rows["Program"] = attrs.pop("program_hash")
    if "exactness" in attrs:
        rows["class"] = _exactness(attrs.pop("exactness"), attrs.pop("inexact", None))
    return rows


def _exactness(kind: Any, reasons: Any) -> str:
    """The class of the circuit: what may be expected of the same run on another runner, and why."""
    if kind == "exact":
        return "exact: the same bits on every runner in float64 on the CPU"
    if isinstance(reasons, str):
        with contextlib.suppress(ValueError):
            reasons = json.loads(reasons)
    why = f" ({'; '.join(map(str, reasons))})" if isinstance(reasons, list) and reasons else ""
    return f"{kind}: other runners and machines agree to a tolerance, until chaos parts them{why}"


def _origin(attrs: dict[str, Any]) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    if "started" in attrs:
        rows["started"] = str(attrs.pop("started"))[:19].replace("T", " ") + " UTC"
        if "wall_s" in attrs:
            rows["started"] += f", took {_short(attrs.pop('wall_s'))} s"
    if isinstance(attrs.get("resumed"), list):
        rows["resumed"] = [" on ".join(map(str, at.values())) for at in attrs.pop("resumed") if isinstance(at, Mapping)]
    for name in ("host", "platform"):
        if name in attrs:
            rows[name] = attrs.pop(name)
    versions = attrs.pop("versions", None)
    if isinstance(versions, Mapping):
        rows["versions"] = ", ".join(f"{package} {version}" for package, version in versions.items())
    if "git_revision" in attrs:
        rows["revision"] = attrs.pop("git_revision")
    return rows


def _nested(values: Mapping[str, Any], indent: str = "  ") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{name}"
            yield from _nested(value, indent + "  ")
        else:
            yield f"{indent}{name} = {_short(value)}"


def _trees(recording: Recording) -> dict[str, str]:
    with recording.open() as file:
        keys = list(recording)
        trees = [name for name, member in children(file) if not any(key.startswith(f"{name}/") for key in keys)]
    return {f"{name}/": _TREES.get(name, "") for name in trees if name != "trials"}


def entries(recording: Recording) -> dict[str, str]:
    """Return what was recorded: by path, shape with the names of dimensions, type and unit, or how many spikes and trials."""
    found = {}
    with recording.open() as file:
        for path in recording:
            member = lookup(file, path)
            if isinstance(member, h5py.Group):
                size = f", {decode(member.attrs['size'])} units" if "size" in member.attrs else ""
                found[path] = f"{dataset_at(member, 'node_ids').shape[0]} spikes{size}"
            elif isinstance(member, h5py.Dataset):
                try:
                    shape = ", ".join(
                        f"{dim}: {size}" for dim, size in zip(dimensions(member), member.shape, strict=True)
                    )
                except ValueError:
                    shape = f"{', '.join(map(str, member.shape))}; its dims do not fit"
                units = decode(member.attrs.get("units", ""))
                found[path] = f"({shape}) {member.dtype} {units}".rstrip()
        trials = lookup(file, "trials/trial")
        if isinstance(trials, h5py.Dataset):
            columns = ", ".join(name for name, _ in children(group_at(file, "trials")) if name != "trial")
            found["trials"] = f"{len(trials)} rows: {columns}"
    return found


def _lines(rows: Mapping[str, Any]) -> list[str]:
    width = max(map(len, rows), default=0)
    return [f"  {name:{width}}  {_short(value)}".rstrip() for name, value in rows.items()]


def _short(value: Any) -> str:
    if isinstance(value, list) and not any(isinstance(item, (list, dict)) for item in value):
        value = ", ".join(map(str, value)) or "(none)"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 200 else text[:197] + "..."
