"""A recording as a block of neo, which elephant and its kin work on."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodyn.doors import need
from neurodyn.doors.series import Series, known_unit, over_time
from neurodyn.recording.given import recording_of

if TYPE_CHECKING:
    import neo

    from neurodyn.recording.reader import Recording
    from neurodyn.recording.spikes import Spikes
    from neurodyn.training.run import TrainingRun

_TIMES = {"start_ms", "duration_ms"}
_NOT_SHOWN = ("config_json", "results_json", "checks_json")


def to_neo(recording: Recording | TrainingRun | str | Path, *, trials: bool = False) -> neo.Block:
    """The recording as a ``neo.Block`` with one segment, the whole run, or with one for each trial.

    Spike trains in ms, one a unit of each population, silent ones included, annotated with ``population`` and ``unit``;
    arrays over time as analog signals (irregularly sampled ones where the step varies), their columns with array
    annotations (unit, output, ...); the trials as the epoch "trials" with each column of their table as array
    annotation. Configuration, results and provenance are annotations of the block.

    With `trials` the segments are annotated with the rows of the table instead, and their times count from the start
    of the trial. A trial has the spikes with start <= t < stop and the samples with start < t <= stop, since samples
    are taken at the end of a step.

    Units that neo's package of quantities can't express, such as "mV (2003 form)", become dimensionless, with the text
    as the annotation ``recorded_units``. All is read into memory. Arrays without time are left out: neo has no place.

    Parameters
    ----------
    recording : Recording, path of one, or TrainingRun
    trials : bool
        Whether each trial is a segment of its own.

    Raises
    ------
    ImportError
        neo is missing.
    TypeError
        What is no recording.
    ValueError
        For ``trials`` without a table of them.

    References
    ----------
    Garcia et al. (2014) Front. Neuroinform. 8:10.
    """
    need("neo", "neo")
    import neo

    recording = recording_of(recording)
    attrs = recording.attrs
    block = neo.Block(name=str(attrs.get("simulation") or attrs.get("circuit") or "run"))
    block.description = "A simulation with neurodyn"
    if recording.path is not None:
        block.file_origin = recording.path.name
    if "started" in attrs:
        block.rec_datetime = datetime.datetime.fromisoformat(str(attrs["started"]))
    block.annotate(**{key: value for key, value in attrs.items() if key not in _NOT_SHOWN and value is not None})
    block.annotate(configuration=_nested(recording.config), results=_nested(recording.results))
    spikes = [recording[key] for key in recording if key.startswith("spikes/")]
    arrays = [(series, np.asarray(series.array)) for series in over_time(recording)]
    if trials:
        block.segments.extend(list(_by_trial(recording, spikes, arrays)))
        return block
    segment = neo.Segment(name="run")
    for one in spikes:
        segment.spiketrains.extend(_trains(one))
    for series, values in arrays:
        _add(segment, series, values, series.times)
    epoch = _epoch(recording)
    if epoch is not None:
        segment.epochs.append(epoch)
    block.segments.append(segment)
    return block


def _by_trial(
    recording: Recording, spikes: list[Spikes], arrays: list[tuple[Series, np.ndarray]]
) -> Iterator[neo.Segment]:
    import neo

    table = recording.trials
    if not len(table) or not set(table) >= _TIMES:
        raise ValueError(
            f"{recording.path or 'the recording'} has no table of trials with their times; leave trials=False"
        )
    for number, row in table.iterrows():
        about = {str(name): value.item() if hasattr(value, "item") else value for name, value in row.items()}
        start, stop = about["start_ms"], about["start_ms"] + about["duration_ms"]
        segment = neo.Segment(name=f"trial {number}")
        segment.annotate(trial=number, **about)
        for one in spikes:
            segment.spiketrains.extend(_trains(one.between(start, stop)))
        for series, values in arrays:
            slack = 1e-6 * (series.step_ms or 0.0)
            first, last = np.searchsorted(series.times, (start + slack, stop + slack), side="right")
            if last > first:
                _add(segment, series, values[first:last], series.times[first:last] - start)
        yield segment


def _nested(value: Any) -> Any:
    """A mapping without the entries None, which neo doesn't take."""
    if isinstance(value, dict):
        return {key: _nested(item) for key, item in value.items() if item is not None}
    return [_nested(item) for item in value] if isinstance(value, list) else value


def _trains(spikes: Spikes) -> list[neo.SpikeTrain]:
    import neo
    import quantities as pq

    step = {} if spikes.dt_ms is None else {"sampling_rate": 1000.0 / spikes.dt_ms * pq.Hz}
    return [
        neo.SpikeTrain(
            times * pq.ms,
            t_start=0.0 * pq.ms,
            t_stop=spikes.duration_ms * pq.ms,
            name=f"{spikes.population} {unit}",
            population=spikes.population,
            unit=unit,
            **step,
        )
        for unit, times in enumerate(spikes.trains())
    ]


def _add(segment: neo.Segment, series: Series, values: np.ndarray, times: np.ndarray) -> None:
    """Add the samples of an array to a segment."""
    import neo
    import quantities as pq

    columns = series.columns()
    values = values.reshape(len(values), int(np.prod(values.shape[1:])))
    units, scale = _units(series.array.units)
    if scale != 1.0 or values.dtype.kind != "f":
        values = values * scale
    about: dict[str, Any] = {"units": units, "name": series.key, "array_annotations": columns}
    if units == pq.dimensionless and series.array.units not in ("", "1"):
        about["recorded_units"] = series.array.units
    if series.step_ms is None:
        segment.irregularlysampledsignals.append(neo.IrregularlySampledSignal(times * pq.ms, values, **about))
        return
    clock = {"sampling_period": series.step_ms * pq.ms, "t_start": float(times[0]) * pq.ms}
    segment.analogsignals.append(neo.AnalogSignal(values, **about, **clock))


def _units(text: str) -> tuple[Any, float]:
    """The unit of quantities for a unit of ours, and what to multiply values by."""
    import quantities as pq

    known = known_unit(text)
    if known is None:
        return pq.dimensionless, 1.0
    scale, dimensions = known
    if text.isidentifier() and isinstance(getattr(pq, text, None), pq.UnitQuantity):
        return getattr(pq, text), 1.0  # mV stays mV; quantities reads other texts by executing them
    base = (pq.m, pq.kg, pq.s, pq.A, pq.K, pq.mol, pq.cd)
    made = pq.dimensionless
    for unit, exponent in zip(base, dimensions, strict=True):
        made = made * unit**exponent if exponent else made
    return made, scale


def _epoch(recording: Recording) -> Any:
    import neo
    import quantities as pq

    trials = recording.trials
    if not set(trials) >= _TIMES:
        return None
    return neo.Epoch(
        times=trials["start_ms"].to_numpy(float) * pq.ms,
        durations=trials["duration_ms"].to_numpy(float) * pq.ms,
        labels=np.array([f"trial {number}" for number in trials.index]),
        name="trials",
        array_annotations={str(name): _column(trials[name]) for name in trials},
    )


def _column(values: Any) -> np.ndarray:
    array = values.to_numpy()
    return array.astype(str) if array.dtype.kind not in "biuf" else array
