"""Where two runs part: the first step, population, unit and variable that differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from neurodyn.recording import Recording


@dataclass(frozen=True)
class Difference:
    """The first place where two recordings differ.

    Attributes
    ----------
    step : int
        Step in which the two parted, from 0 at the start of the run; -1 for weights before the first step.
    time_ms : float
        Time stamp of the spike or sample there.
    path : str
        Entry of the recording, such as "spikes/cells" or "state/cells/v".
    unit : int or str or tuple
        Unit or name of the output; for weights (output, unit).
    values : tuple of two
        What each recording holds there, in the unit of the entry: for spikes whether there is one; None where a
        recording has ended.
    """

    step: int
    time_ms: float
    path: str
    unit: Any
    values: tuple[Any, Any]

    @property
    def population(self) -> str:
        """Population or other part that differs."""
        return self.path.split("/")[1] if "/" in self.path else self.path

    @property
    def variable(self) -> str:
        """ "spikes", or the variable that differs."""
        kind, _, rest = self.path.partition("/")
        return "spikes" if kind == "spikes" else rest.rpartition("/")[2] or kind

    def __str__(self) -> str:
        when = f"step {self.step} (t = {self.time_ms:g} ms)" if self.step >= 0 else "before the first step"
        where = f"{when}, {self.path}, unit {self.unit}"
        if self.variable == "spikes":
            return f"{where}: a spike in the {'first' if self.values[0] else 'second'} run only"
        a, b = (repr(float(v)) if v is not None else "nothing (the run has ended)" for v in self.values)
        return f"{where}: {a} in the first run, {b} in the second"


@dataclass(frozen=True)
class Comparison:
    """What :func:`compare` found; true where the two runs agree, and readable as text.

    Attributes
    ----------
    equal : bool
    difference : Difference or None
        The earliest difference; within one step, spikes before samples.
    compared : tuple of str
        Every entry that was compared, with its size.
    skipped : tuple of str
        Entries that only one of the two recordings has.
    deviation : float
        Largest deviation of a sample, relative to the largest magnitude of its entry; 0 if all are identical.
    deviation_path : str
        Entry of that largest deviation.
    tolerance : float
        The relative one that samples were compared with; 0 means the same bits.
    """

    equal: bool
    difference: Difference | None
    compared: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    deviation: float = 0.0
    deviation_path: str = ""
    tolerance: float = field(default=0.0, kw_only=True)

    def __bool__(self) -> bool:
        return self.equal

    def __str__(self) -> str:
        what = ", ".join(self.compared)
        if self.difference is not None:
            text = f"first difference: {self.difference} (compared: {what})"
        elif self.deviation == 0.0:
            text = f"identical: {what}"
        else:
            text = f"equal within {self.tolerance:g}: {what}"
        if self.deviation:
            text += f"; largest deviation {self.deviation:.2g} of the largest magnitude, in {self.deviation_path}"
        if self.skipped:
            text += f"; only in one of the two: {', '.join(self.skipped)}"
        return text


def compare(run_a: Recording, run_b: Recording, *, tolerance: float = 0.0) -> Comparison:
    """Compare two recordings, spikes step by step and samples value by value.

    Parameters
    ----------
    run_a, run_b : Recording
        Two runs of one circuit, on other backends, say. They must have the same step and at least one entry in common.
    tolerance : float
        Largest accepted deviation of a sample, relative to the largest magnitude of its entry (a variable over the
        whole run), 0 or more. Spikes are equal or not. NaN equals NaN.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        Recordings that can't be compared: other steps, other numbers of units, nothing in common.

    Examples
    --------
    >>> import neurodyn as nd
    >>> cells = nd.izhikevich_2003("cells", 5, parameters={"bias": 10.0})
    >>> net = nd.Circuit([cells])
    >>> run = nd.simulate(net, "100 ms")
    >>> other = nd.simulate(net, "100 ms", backend="interpreter")
    >>> print(nd.compare(run, other))
    identical: 23 spikes of cells
    """
    if not 0 <= tolerance < float("inf"):
        raise ValueError(f"tolerance = {tolerance!r}: give 0 or a positive number")
    dt = _step(run_a, run_b)
    keys_a, keys_b = run_a.keys(), run_b.keys()
    common = [key for key in keys_a if key in keys_b]
    compared, found, skipped = [], [], {*keys_a, *keys_b} - {*common}
    deviation, path = 0.0, ""
    for key in common:
        a, b = run_a[key], run_b[key]
        if key.startswith("spikes/"):
            text, difference = _spikes(key, a, b, dt)
        elif a.dims[0] == b.dims[0] == "time":
            text, difference, largest = _samples(key, a, b, dt, tolerance)
            if largest > deviation:
                deviation, path = largest, key
        else:
            skipped.add(key)
            continue
        compared.append(text)
        found += [difference] if difference is not None else []
    if not compared:
        raise ValueError(
            f"the recordings have nothing in common that runs over time: the first has {', '.join(keys_a) or 'no arrays'}, "
            f"the second {', '.join(keys_b) or 'no arrays'}; record the same in both"
        )
    first = min(found, key=lambda d: (d.step, d.variable != "spikes"), default=None)
    return Comparison(
        first is None, first, tuple(compared), tuple(sorted(skipped)), deviation, path, tolerance=tolerance
    )


def _step(run_a: Recording, run_b: Recording) -> float:
    steps = [run.attrs.get("dt_ms") for run in (run_a, run_b)]
    if None in steps or steps[0] != steps[1]:
        raise ValueError(
            f"the recordings have steps of {steps[0]} ms and {steps[1]} ms; only runs of one step can be compared"
        )
    return float(steps[0])  # type: ignore[arg-type]


def _spikes(key: str, a: Any, b: Any, dt: float) -> tuple[str, Difference | None]:
    if a.size != b.size:
        raise ValueError(
            f"{key}: {a.size} units in the first recording, {b.size} in the second; compare runs of one circuit"
        )
    # one number for each spike, in the order of step and unit
    trains = [np.unique(np.rint(s.times / dt).astype(np.int64) * max(a.size, 1) + s.ids) for s in (a, b)]
    text = f"{_count(len(a))} spikes of {a.population}"
    only = np.setxor1d(*trains, assume_unique=True)
    if not only.size:
        return text, None
    step, unit = divmod(int(only[0]), max(a.size, 1))
    return text, Difference(step, step * dt, key, unit, (bool(only[0] in trains[0]), bool(only[0] in trains[1])))


def _samples(key: str, a: Any, b: Any, dt: float, tolerance: float) -> tuple[str, Difference | None, float]:
    if a.dims != b.dims or a.shape[1:] != b.shape[1:]:
        raise ValueError(
            f"{key}: {dict(a.sizes)} in the first recording, {dict(b.sizes)} in the second; compare runs of one circuit "
            "with the same units recorded"
        )
    rows = min(len(a), len(b))
    times, x, y = np.asarray(a["time"]), np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if not np.array_equal(times[:rows], np.asarray(b["time"])[:rows]):
        raise ValueError(f"{key} was recorded at other times in the two runs; record it every same number of steps")
    text = f"{_count(rows)} samples of {key.partition('/')[2] or key}"
    with np.errstate(all="ignore"):
        off = np.abs(x[:rows] - y[:rows])
        off[(x[:rows] == y[:rows]) | (np.isnan(x[:rows]) & np.isnan(y[:rows]))] = 0.0
        scale = max((float(np.max(np.abs(z[np.isfinite(z)]), initial=0.0)) for z in (x[:rows], y[:rows])), default=0.0)
        relative = np.where(np.isfinite(off), off / (scale or 1.0), np.inf)
    largest = float(relative.max(initial=0.0))
    bad = np.argwhere(relative > tolerance)
    if bad.size:
        row, index = int(bad[0][0]), tuple(int(k) for k in bad[0][1:])
        values = float(x[(row, *index)]), float(y[(row, *index)])
        return text, Difference(_ended(times[row], dt), float(times[row]), key, _label(a, index), values), largest
    if len(a) != len(b):
        longer = a if len(a) > len(b) else b
        time, first = float(longer["time"][rows]), (0,) * (a.ndim - 1)
        a_value, b_value = (float(z[(rows, *first)]) if len(z) > rows else None for z in (x, y))
        return text, Difference(_ended(time, dt), time, key, _label(a, first), (a_value, b_value)), largest
    return text, None, largest


def _ended(time: float, dt: float) -> int:
    """The step at whose end a sample was taken; -1 before the first."""
    return round(float(time) / dt) - 1


def _label(array: Any, index: tuple[int, ...]) -> Any:
    labels = tuple(
        array[dim].values[k].item() if dim in array.coords else k for dim, k in zip(array.dims[1:], index, strict=True)
    )
    return labels[0] if len(labels) == 1 else labels


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")
