"""A recording in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py

from neurodyn.recording.layout import children, dataset_at, lookup
from neurodyn.recording.values import decode

if TYPE_CHECKING:
    from neurodyn.recording.reader import Recording

_SHOWN_APART = {"config_json", "results_json", "checks_json", "time_stamps", "neurodyn_format"}


def headline(recording: Recording) -> str:
    """A few lines: where, what, how much."""
    attrs = recording.attrs
    what = [str(attrs[key]) for key in ("simulation", "name", "backend") if attrs.get(key)]
    what.append("complete" if recording.complete else f"incomplete: {attrs.get('stopped', 'cut short')}")
    lines = [f"<Recording {recording.path or 'in memory'} ({', '.join(what)})", *_entry_lines(recording)]
    lines += [f"  {name} = {_short(value)}" for name, value in recording.results.items()]
    return "\n".join(lines) + ">"


def describe(recording: Recording) -> str:
    """All of it: layout, shapes, units, groups, provenance, results, checks."""
    attrs, checks = recording.attrs, recording.checks
    parts = [f"{recording.path or 'recording in memory'}", *_entry_lines(recording)]
    with recording.open() as file:
        keys = list(recording)
        trees = [name for name, member in children(file) if not any(key.startswith(f"{name}/") for key in keys)]
    parts += [f"  {name}/" for name in trees if name != "trials"]
    parts += ["", *(f"{key}: {_short(value)}" for key, value in attrs.items() if key not in _SHOWN_APART)]
    for title, values in (("configuration", recording.config), ("results", recording.results)):
        if values:
            parts += ["", title, *(f"  {name} = {_short(value)}" for name, value in values.items())]
    if checks:
        parts += ["", "checks"]
        for check in checks:
            verdict = "passed" if check.get("passed") else "FAILED"
            shown = (str(check.get(key)) for key in ("name", "value", "threshold", "reference"))
            parts.append(f"  {verdict}  {{}} = {{}}, to be {{}} (reference {{}})".format(*shown))
    return "\n".join(parts)


def _entry_lines(recording: Recording) -> list[str]:
    lines = []
    with recording.open() as file:
        for path in recording:
            member = lookup(file, path)
            if isinstance(member, h5py.Group):
                size = f", {decode(member.attrs['size'])} units" if "size" in member.attrs else ""
                lines.append((path, f"{dataset_at(member, 'node_ids').shape[0]} spikes{size}"))
            elif isinstance(member, h5py.Dataset):
                dims = zip(decode(member.attrs["dims"]), member.shape, strict=False)
                shape = ", ".join(f"{dim}: {size}" for dim, size in dims)
                units = decode(member.attrs.get("units", ""))
                lines.append((path, f"({shape}) {member.dtype} {units}".rstrip()))
        trials = lookup(file, "trials/trial")
        if isinstance(trials, h5py.Dataset):
            lines.append(("trials", f"{len(trials)} rows"))
    width = max((len(path) for path, _ in lines), default=0)
    return [f"  {path:{width}}  {text}" for path, text in lines]


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 200 else text[:197] + "..."
