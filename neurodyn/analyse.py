"""Analyse a recording by name: numbers and arrays into a results file beside it, and a figure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from neurodyn.analyses import ANALYSES
from neurodyn.analyses.of_networks import network_of
from neurodyn.analyses.table import Analysis, Found, Series
from neurodyn.outcome import shown, table
from neurodyn.parameters import ParameterError, nearest, unknown
from neurodyn.recording import Recording, annotate, load

_MOST = 2**30  # bytes of rates that are made of spikes
_SUFFIX = ".analysis"


@dataclass(frozen=True)
class Written:
    """An analysis that was made: what it found, on what, and where it is."""

    found: Found
    key: str
    path: Path
    figure: Path


def analyse(
    recording: Recording,
    what: str,
    *,
    of: str | None = None,
    options: Mapping[str, str] | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
) -> Written:
    """Make one of the analyses of :mod:`neurodyn.analyses` and write it down.

    Parameters
    ----------
    recording : Recording
        In a file.
    what : str
    of : str, optional
        Key of the array or population; needed if there are several.
    options : mapping of str to str
        As typed on a command line.
    out : path, optional
        The results file; by default beside the recording, with `.analysis.h5` for its `.h5`. One that is there gains the
        analysis.
    overwrite : bool
        Whether an analysis of the same name, and its figure, is replaced.

    Raises
    ------
    ParameterError, KeyError, ValueError, FileExistsError
        Before anything is computed: an unknown name, an option of the wrong kind, nothing to work on, or results that are
        there. ValueError also from the analysis itself.
    """
    assert recording.path is not None
    if what not in ANALYSES:
        hint = nearest(what, ANALYSES) or f"; there are {', '.join(ANALYSES)}"
        raise ParameterError(f"unknown analysis {what!r}{hint}")
    analysis = ANALYSES[what]
    by_name = {p.name: p for p in analysis.parameters}
    for name in options or {}:
        if name not in by_name:
            raise ParameterError(f"{what}: {unknown(name, by_name)}")
    given = {name: by_name[name].from_text(text) for name, text in (options or {}).items()}
    checked = analysis.options(given)
    path = _results_file(recording.path, out)
    figure = path.with_name(f"{path.stem.removesuffix(_SUFFIX)}.{what}.png")
    before = _earlier(path)
    if not overwrite and (what in before or figure.exists()):
        there = f"{path} holds {what}" if what in before else f"{figure} exists"
        raise FileExistsError(f"{there} already; replace it with --overwrite, or name another file with --out")
    key = _chosen(recording, analysis, of)
    found = analysis.function(_source(recording, analysis, key), **checked)
    config = {
        "of": key,
        "options": checked,
        "source": identity(recording),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    annotate(
        path,
        results={f"{what}: {name}": value for name, value in found.results.items()},
        config={"analyses": {**before, what: config}},
        data={f"{what}_{name}": values for name, values in found.data.items()},
    )
    found.figure.savefig(figure, dpi=300)
    return Written(found, key, path, figure)


def describe(recording: Recording) -> str:
    """What can be done with what the recording holds, and the options of each analysis, as text."""
    lines = [f"{recording.path}: analyses of what it holds"]
    for name, analysis in ANALYSES.items():
        keys = candidates(recording, analysis)
        where = f"of {', '.join(keys)}" if keys else f"nothing here: it needs {_NEEDS[analysis.kind]}"
        lines += ["", f"{name}: {analysis.summary}", f"  {where}"]
        if keys:
            rows = [(p.name, p.type, shown(p.default), p.doc) for p in analysis.parameters]
            lines.append(table(("option", "type", "default", "meaning"), rows))
    done = _earlier(_results_file(recording.path or Path(), None))
    lines += ["", f"made already: {', '.join(done) or 'none'}"]
    return "\n".join(lines)


_NEEDS = {"array": "an array (time, unit) or (trial, time, unit)", "spikes": "spikes", "network": "a rate network"}


def candidates(recording: Recording, analysis: Analysis) -> list[str]:
    """Keys of what the analysis can work on; the first is taken if it is 'rate' or the only one."""
    if analysis.kind == "network":
        return ["network"] if network_of(recording) else []
    keys = recording.keys()
    spiking = [key for key in keys if key.startswith("spikes/")]
    if analysis.kind == "spikes":
        return spiking
    with recording.open() as file:
        dims = {key: tuple(_dims(file[key])) for key in keys if key not in spiking}
    over_time = [
        key for key in dims if dims[key][:-1] in (("time",), ("trial", "time")) and not key.startswith("weights/")
    ]
    recorded_rate = [key for key in over_time if key.endswith("/rate")]
    made = [] if recorded_rate else (["rate"] if len(spiking) == 1 else [f"rate/{key[7:]}" for key in spiking])
    return recorded_rate + made + [key for key in over_time if key not in recorded_rate]


def _dims(dataset: Any) -> list[str]:
    from neurodyn.recording.arrays import dimensions

    return [str(dim) for dim in dimensions(dataset)]


def _chosen(recording: Recording, analysis: Analysis, of: str | None) -> str:
    """The key to work on: the one asked for, or the only one, or the rates."""
    keys = candidates(recording, analysis)
    if not keys:
        raise ValueError(f"{recording.path} holds nothing for {analysis.name}, which needs {_NEEDS[analysis.kind]}")
    if of is None:
        rates = [key for key in keys if key == "rate" or key.endswith("/rate")]
        if len(keys) > 1 and len(rates) != 1:
            raise ValueError(f"{analysis.name} of what? --of one of {', '.join(keys)}")
        return rates[0] if len(rates) == 1 else keys[0]
    if of in keys:
        return of
    near = [key for key in keys if f"/{of.replace('.', '/')}/" in f"/{key}/"]
    if len(near) == 1:
        return near[0]
    hint = f"; it may mean {', '.join(near)}" if near else nearest(of, keys) or f"; there are {', '.join(keys)}"
    raise ValueError(f"{analysis.name} can't work on {of!r}{hint}")


def _source(recording: Recording, analysis: Analysis, key: str) -> Any:
    if analysis.kind == "spikes":
        return recording[key]
    if analysis.kind == "network":
        return network_of(recording)
    if key != "rate" and not key.startswith("rate/"):
        lazy = recording.lazy(key)
        return Series(lazy, key, _step(lazy))
    spikes = recording["spikes"] if key == "rate" else recording[f"spikes/{key[5:]}"]
    size = spikes.duration_ms * spikes.size * 4
    if size > _MOST:
        raise ValueError(
            f"rates of {spikes.size} units every ms for {spikes.duration_ms / 1000:g} s are {size / 1e9:.3g} GB: record them "
            "(nd.Filter, every k-th step), which leaves them in the file"
        )
    made = recording[key]
    return Series(np.asarray(made), key, 1.0)


def _step(lazy: Any) -> float | None:
    """The time between samples in ms; None if the array has no times, or uneven ones."""
    try:
        times = lazy.coordinate("time")
    except KeyError:
        return None
    if times.dtype.kind not in "fiu" or len(times) < 2:
        return None
    step = float(times[-1] - times[0]) / (len(times) - 1)
    slack = 1e-6 * step + 1e-12 * abs(float(times[-1]))
    pieces = (times[k : k + 2**20 + 1] for k in range(0, len(times), 2**20))  # small beside what was read
    even = all(np.abs(np.diff(piece) - step).max(initial=0.0) <= slack for piece in pieces)
    return step if even and step > 0 else None


def _results_file(source: Path, out: str | Path | None) -> Path:
    path = source.with_name(f"{source.stem}{_SUFFIX}.h5") if out is None else Path(out).expanduser()
    if path.suffix not in (".h5", ".hdf5"):
        raise ParameterError(f"out={str(out)!r} has to end in .h5")
    if not path.parent.is_dir():
        raise ParameterError(f"out={str(out)!r}: there is no folder {str(path.parent)!r}")
    if path.resolve() == source.resolve():
        raise ParameterError(f"out={str(out)!r} is the recording itself; name another file for the results")
    return path


def _earlier(path: Path) -> dict[str, Any]:
    """The analyses that a results file holds already."""
    if not path.exists():
        return {}
    found = load(path).config.get("analyses")
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no analyses; name another file for the results with --out")
    return found


def identity(recording: Recording) -> dict[str, Any]:
    """Which recording it was: its name, seed, size, and a hash of everything that its root says about the run."""
    assert recording.path is not None
    attrs = recording.attrs
    text = json.dumps(attrs, sort_keys=True, default=str)
    return {
        "file": recording.path.name,
        "bytes": recording.path.stat().st_size,
        "seed": str(attrs.get("seed", "")),
        "started": str(attrs.get("started", "")),
        "sha256 of the attributes": hashlib.sha256(text.encode()).hexdigest(),
    }
