"""What single cells answer to given currents: courses of current, and one run for many cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurodyn.circuit import Circuit
from neurodyn.parts import Connection, Input, Population
from neurodyn.session import Session, Trial
from neurodyn.simulate import simulate


@dataclass(frozen=True)
class Course:
    """A current over time: ``base``, and pieces added to it.

    Parameters
    ----------
    base : float
    pieces : tuple of (start, stop, value, slope)
        While start < t < stop (ms) value + slope (t - start) is added.

    Examples
    --------
    >>> Course(pieces=((10.0, 13.0, 7.0, 0.0),)).at([10.0, 10.25, 13.0]).tolist()
    [0.0, 7.0, 0.0]
    """

    base: float = 0.0
    pieces: tuple[tuple[float, float, float, float], ...] = ()

    def at(self, time_ms: object) -> np.ndarray:
        """Return the current at times in ms, of the same shape."""
        t = np.asarray(time_ms, dtype=float)
        total = np.full(t.shape, float(self.base))
        for start, stop, value, slope in self.pieces:
            total += np.where((t > start) & (t < stop), value + slope * (t - start), 0.0)
        return total


def step_to(value: float, *, at: float = 0.0, before: float = 0.0) -> Course:
    """Return the course that is ``before`` until ``at`` (ms) and ``value`` from then on; constant for at = 0."""
    return Course(value) if at == 0.0 else Course(before, ((at, np.inf, value - before, 0.0),))


@dataclass(frozen=True, eq=False)
class Response:
    """What one cell did.

    Attributes
    ----------
    time_ms : array, shape (step,)
        Times k dt at which steps begin; the current of a step is that at its beginning.
    current : array, shape (step,)
        In the unit of the course.
    v, u : array, shape (step,)
        Membrane potential in mV, and recovery variable, at the end of each step, after a reset; empty if not recorded.
    spikes_ms : array, shape (spike,)
    """

    time_ms: np.ndarray
    current: np.ndarray
    v: np.ndarray
    u: np.ndarray
    spikes_ms: np.ndarray


def respond(
    cells: Population,
    courses: Sequence[Course],
    durations_ms: Sequence[float],
    *,
    dt_ms: float,
    unit: str = "1",
    backend: str = "numba",
    states: Sequence[str] = ("v", "u"),
) -> list[Response]:
    """Give each unit of a population its own current, and return what each did.

    Parameters
    ----------
    cells : Population
        With a variable ``I_in`` that takes weighted sums, as the populations of :func:`neurodyn.cells` have.
    courses, durations_ms : sequence, one for each unit
        Currents, and how long each is followed, in ms.
    dt_ms : float
        Step in ms.
    unit : str
        Unit of the currents: "pA", or "1" for the pseudo-units of the 2003 form.
    backend : str
        Runner.
    states : sequence of str
        Names of membrane potential and recovery variable; what is left out, both or the second, is not recorded.

    Raises
    ------
    ValueError
        If there isn't one course and one duration for each unit.
    """
    if not len(courses) == len(durations_ms) == cells.size:
        raise ValueError(
            f"courses and durations_ms: {len(courses)} and {len(durations_ms)} given for {cells.size} units; give one for each"
        )
    steps = round(max(durations_ms) / dt_ms)
    # Decimal times: an edge at 13 ms must not depend on how 65 * 0.2 is rounded.
    time = np.round(np.arange(steps) * dt_ms, 9)
    current = np.stack([course.at(time) for course in courses], axis=1)
    labels = tuple(f"unit{k}" for k in range(cells.size))
    drive = Input("drive", labels)
    weight = 1.0 if unit == "1" else f"1 {unit}"
    link = Connection(drive, cells, "I_in", pattern="one-to-one", weight=weight)
    circuit = Circuit([cells], [link], inputs=[drive], dt=f"{dt_ms} ms")
    session = Session((Trial(steps, {"drive": current}),), dt=dt_ms * 1e-3, channels={"drive": labels})
    record = ["spikes", *(f"{cells.name}.{name}" for name in states)]
    run = simulate(circuit, session, record=record, backend=backend, progress=False)
    spikes = run["spikes"]
    traces = [np.asarray(run[f"{cells.name}.{name}"]) for name in states]
    traces += [np.empty((0, cells.size))] * (2 - len(states))
    responses = []
    for k, duration in enumerate(durations_ms):
        n = round(duration / dt_ms)
        mine = np.asarray(spikes.times[spikes.ids == k])
        mine = mine[mine < (n - 0.5) * dt_ms]
        responses.append(Response(time[:n], current[:n, k], traces[0][:n, k], traces[1][:n, k], mine))
    return responses
