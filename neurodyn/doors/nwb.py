"""A recording as a file of Neurodata Without Borders (NWB 2)."""

from __future__ import annotations

import datetime
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from hdmf.backends.hdf5 import H5DataIO
from hdmf.common import DynamicTable, VectorData, VectorIndex
from hdmf.data_utils import GenericDataChunkIterator
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.epoch import TimeIntervals
from pynwb.misc import Units

from neurodyn._unit_text import parse
from neurodyn.doors.series import Series, base_units, known_unit, over_time
from neurodyn.recording.disk import beside, check_output, publish
from neurodyn.recording.layout import SMALL_BYTES, chunk_shape

if TYPE_CHECKING:
    from neurodyn.recording.lazy import LazyArray
    from neurodyn.recording.reader import Recording

_BUFFER_BYTES = 2**26
# what a column of the table of trials can't be called: NWB has columns, arguments and attributes of these names
_TAKEN = {
    "check_ragged",
    "data",
    "enforce_unique_id",
    "start_time",
    "stop_time",
    "tags",
    "timeseries",
    *dir(TimeIntervals),
}
_NAMES = {
    parse(unit)[1]: name
    for unit, name in {
        "V": "volts", "A": "amperes", "S": "siemens", "s": "seconds", "Hz": "hertz", "ohm": "ohms", "F": "farads",
        "C": "coulombs", "m": "meters", "1": "n.a.",
    }.items()
}  # fmt: skip


def write_nwb(recording: Recording, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write `recording` as one NWB file and return its path.

    Spikes are the ``Units`` table (a row for each unit of each population, silent ones included; seconds), states are
    acquisition, stimuli are stimulus, readouts, weights and training are processing modules, each array a
    ``TimeSeries`` in the unit of the recording with its conversion to SI. The table of trials is that of NWB. Arrays
    without time are scratch. Configuration, results, checks and provenance are JSON in the notes.

    Raises FileExistsError, and ValueError where the recording does not say when it was started.
    """
    final = check_output(path, overwrite=overwrite)
    file = _file(recording)
    _units(recording, file)
    taken = set()
    for series in over_time(recording):
        _series(file, series)
        taken.add(series.key)
    for key in recording:
        if key not in taken and not key.startswith("spikes/"):
            _scratch(recording, file, key)
    _trials(recording, file)
    temporary = beside(final, "nwb")  # pynwb warns of another ending
    try:
        with NWBHDF5IO(path=temporary, mode="w") as io:
            io.write(container=file)
        publish(temporary, final, overwrite=overwrite)
    finally:
        temporary.unlink(missing_ok=True)
    return final


def _file(recording: Recording) -> Any:  # what pynwb makes has methods that no type checker sees
    attrs = recording.attrs
    try:
        started = datetime.datetime.fromisoformat(str(attrs["started"]))
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"{recording.path or 'the recording'} does not say when it was started, which NWB demands"
        ) from error
    if started.tzinfo is None:
        started = started.replace(tzinfo=datetime.UTC)
    what = str(attrs.get("simulation") or attrs.get("circuit") or "circuit")
    versions = attrs.get("versions")
    about = {
        "attributes": {k: v for k, v in attrs.items() if k not in ("config_json", "results_json", "checks_json")},
        "configuration": recording.config,
        "results": recording.results,
        "checks": recording.checks,
    }
    return NWBFile(
        session_description=f"Simulation of {what} with neurodyn"
        + ("" if recording.complete else f"; stopped early: {attrs.get('stopped', 'cut short')}"),
        # the same recording has the same identifier, whenever it is exported
        identifier=str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(attrs, sort_keys=True, default=str))),
        session_start_time=started,
        experiment_description="A simulation: times are those of the model, not of the computer.",
        keywords=["simulation", "computational neuroscience"],
        notes=json.dumps(about, ensure_ascii=False),
        was_generated_by=[[str(k), str(v)] for k, v in versions.items()] if isinstance(versions, dict) else None,
    )


def _units(recording: Recording, file: Any) -> None:
    keys = [key for key in recording if key.startswith("spikes/")]
    if not any(recording[key].size for key in keys):
        return
    times, ends, names, ids, spans, steps, total = [], [], [], [], [], set(), 0
    for key in keys:
        spikes = recording[key]
        order = np.lexsort((spikes.times, spikes.ids))
        times.append(spikes.times[order] / 1000.0)
        ends.append(total + np.cumsum(spikes.counts()))
        total += len(spikes)
        names += [spikes.population] * spikes.size
        ids.append(np.arange(spikes.size))
        spans.append(np.tile([0.0, spikes.duration_ms / 1000.0], (spikes.size, 1)))
        steps.add(spikes.dt_ms)
    count = len(names)
    flat = VectorData(name="spike_times", description="seconds from the start of the run", data=np.concatenate(times))
    observed = VectorData(name="obs_intervals", description="what was recorded", data=np.concatenate(spans))
    of_times = VectorIndex(name="spike_times_index", data=np.concatenate(ends).astype(np.uint64), target=flat)
    of_observed = VectorIndex(
        name="obs_intervals_index", data=np.arange(1, count + 1, dtype=np.uint64), target=observed
    )
    (step,) = steps if len(steps) == 1 else (None,)
    file.units = Units(
        name="units",
        description="Model neurons, silent ones included; 'unit' counts within 'population' from 0",
        columns=[
            VectorData(name="population", description="population of the circuit", data=names),
            VectorData(name="unit", description="number within the population, from 0", data=np.concatenate(ids)),
            flat,
            of_times,
            observed,
            of_observed,
        ],
        id=list(range(count)),
        **({} if step is None else {"resolution": step / 1000.0}),
    )


def _series(file: Any, series: Series) -> None:
    section, name = series.key.partition("/")[0], _named(series.name)
    known = known_unit(series.array.units)
    unit, conversion = series.array.units or "unknown", 1.0
    if known is not None:
        conversion, unit = known[0], _NAMES.get(known[1]) or base_units(known[1])
    clock = (
        {"starting_time": float(series.times[0]) / 1000.0, "rate": 1000.0 / series.step_ms}
        if series.step_ms
        else {"timestamps": series.times / 1000.0}
    )
    columns = [dim for dim, labels in series.labels.items() if not np.array_equal(labels, np.arange(len(labels)))]
    described = f"{series.key} ({', '.join(series.array.dims)})"
    if columns:
        tables = (f"labels/{name}.{dim}" for dim in columns)
        described += f"; what stands along {' and '.join(columns)}: {', '.join(tables)}"
    made = TimeSeries(
        name=name, data=_data(series.array), unit=unit, conversion=conversion, description=described, **clock
    )
    if section == "state":
        file.add_acquisition(made)
    elif section == "stimulus":
        file.add_stimulus(made)
    else:
        _module(file, section, f"/{section} of the recording").add(made)
    for dim in columns:
        labels = series.labels[dim]
        column = VectorData(
            name=dim,
            description=f"what stands where along {dim}",
            data=labels.tolist() if labels.dtype.kind == "U" else labels,
        )
        table = DynamicTable(name=f"{name}.{dim}", description=f"{dim} of {series.key}", columns=[column])
        _module(file, "labels", "what stands along the dimensions of arrays, in the order of their columns").add(table)


def _module(file: Any, name: str, description: str) -> Any:
    if name in file.processing:
        return file.processing[name]
    return file.create_processing_module(name=name, description=description)


def _data(array: LazyArray) -> Any:
    """The values, or what reads them block by block while they are written."""
    if array.nbytes < SMALL_BYTES:
        return np.asarray(array)
    chunk = chunk_shape(array.shape, array.dtype.itemsize)
    rows = chunk[0] * max(1, _BUFFER_BYTES * len(array) // (array.nbytes * chunk[0]))
    buffer = (min(rows, len(array)), *array.shape[1:])
    blocks = _Blocks(array, chunk_shape=chunk, buffer_shape=buffer)
    return H5DataIO(data=blocks, compression="gzip", compression_opts=1, shuffle=True)


class _Blocks(GenericDataChunkIterator):
    def __init__(self, array: LazyArray, **shapes: tuple[int, ...]) -> None:
        self._array = array
        super().__init__(**shapes)

    def _get_data(self, selection: tuple[slice, ...]) -> np.ndarray:
        return self._array[selection]

    def _get_maxshape(self) -> tuple[int, ...]:
        return self._array.shape

    def _get_dtype(self) -> np.dtype:
        return self._array.dtype


def _scratch(recording: Recording, file: Any, key: str) -> None:
    array = recording[key]
    values = array.values.tolist() if array.dtype.kind == "U" else array.values
    coords = {str(dim): array[dim].values.tolist() for dim in array.dims if dim in array.coords}
    about = {"entry": key, "dims": list(array.dims), "coords": coords, "attributes": array.attrs}
    file.add_scratch(values, name=_named(key), description=json.dumps(about, ensure_ascii=False))


def _named(key: str) -> str:
    """A path as a name in NWB, which has neither "/" nor ":" in names."""
    return key.replace("/", ".").replace(":", "_")


def _trials(recording: Recording, file: Any) -> None:
    trials = recording.trials
    if not {"start_ms", "duration_ms"} <= set(trials):
        if len(trials):
            file.add_scratch(trials.reset_index(), name="trials", description="the table of trials, without times")
        return
    start = trials["start_ms"].to_numpy(float) / 1000.0
    stop = start + trials["duration_ms"].to_numpy(float) / 1000.0
    others = trials.drop(columns=["start_ms", "duration_ms"])
    names = [_named(f"{name}_" if name in _TAKEN else str(name)) for name in others]
    for name, column in zip(names, others, strict=True):
        unit = ", milliseconds from the start of the trial" if str(column).endswith("_ms") else ""
        file.add_trial_column(name=name, description=f"column {column} of the table of trials{unit}")
    for number, row in enumerate(others.itertuples(index=False, name=None)):
        file.add_trial(start_time=start[number], stop_time=stop[number], **dict(zip(names, row, strict=True)))
