"""The twenty firing patterns of Izhikevich (2004), as data that runs.

Each pattern is a cell of the 2003 form with a course of current. The published figure comes from a script in forward Euler
steps of 0.1 to 0.5 ms in which u uses the new v ("sequential" in :func:`neurodyn.izhikevich_2003`). Some patterns are
properties of the equations; others of these steps, and change or vanish when steps get shorter. ``Pattern.robust`` says
which; ``Pattern.fine()`` gives the numbers with which the pattern appears at 0.01 ms.

>>> response = respond(["A"])["A"]
>>> [float(t) for t in response.spikes_ms]
[13.0, 17.0, 31.5, 59.25, 86.75]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from neurodyn.citing import cites
from neurodyn.models import responses
from neurodyn.models.izhikevich_2003 import izhikevich_2003
from neurodyn.models.naming import nearest
from neurodyn.models.responses import Course, Response
from neurodyn.parts import Population

CITATION = "Izhikevich (2004) IEEE Trans. Neural Netw. 15:1063, figure 1; ModelDB 39948, izhi2003.m"
FINE_DT_MS = 0.01


@dataclass(frozen=True)
class Pattern:
    """A cell, its current, and the step of the published figure.

    Attributes
    ----------
    letter, title : str
    a, b, c, d : float
    v_start : float
        v at the beginning, in mV.
    duration_ms, dt_ms : float
        Length, and step of the published figure.
    course : Course
        Current in the form's pseudo-units.
    u_start : float, optional
        u at the beginning; b v unless given.
    variant : mapping
        Where the equations are others: see ``linear``, ``constant``, ``leak``, ``v_b`` of :func:`neurodyn.izhikevich_2003`.
    robust : bool
        Whether the pattern is one of the equations, the same at any short step.
    substitute : mapping
        Numbers with which the pattern appears at a step of 0.01 ms, where they are others (those of the PyNN script of
        Open Source Brain).
    """

    letter: str
    title: str
    a: float
    b: float
    c: float
    d: float
    v_start: float
    duration_ms: float
    dt_ms: float
    course: Course
    u_start: float | None = None
    variant: Mapping[str, float] = field(default_factory=dict)
    robust: bool = True
    substitute: Mapping[str, Any] = field(default_factory=dict)

    def fine(self) -> Pattern:
        """Return the pattern for a step of 0.01 ms, with its substituted numbers."""
        return replace(self, dt_ms=FINE_DT_MS, substitute={}, **self.substitute)


def _pulses(value: float, *starts: float, length: float) -> tuple[tuple[float, float, float, float], ...]:
    return tuple((start, start + length, value, 0.0) for start in starts)


def _on(value: float, start: float) -> Course:
    return Course(0.0, ((start, np.inf, value, 0.0),))


# The published condition includes both ends.
_RELEASE = Course(80.0, ((49.999, 250.001, -5.0, 0.0),))
_INTEGRATOR = {"linear": 4.1, "constant": 108.0}

_LIST = (
    Pattern("A", "tonic spiking", 0.02, 0.2, -65, 6, -70, 100, 0.25, _on(14.0, 10.0)),
    Pattern("B", "phasic spiking", 0.02, 0.25, -65, 6, -64, 200, 0.25, _on(0.5, 20.0)),
    Pattern("C", "tonic bursting", 0.02, 0.2, -50, 2, -70, 220, 0.25, _on(15.0, 22.0), robust=False),
    Pattern("D", "phasic bursting", 0.02, 0.25, -55, 0.05, -64, 200, 0.2, _on(0.6, 20.0), robust=False),
    Pattern("E", "mixed mode", 0.02, 0.2, -55, 4, -70, 160, 0.25, _on(10.0, 16.0)),
    Pattern("F", "spike frequency adaptation", 0.01, 0.2, -65, 8, -70, 85, 0.25, _on(30.0, 8.5)),
    Pattern("G", "class 1 excitable", 0.02, -0.1, -55, 6, -60, 300, 0.25, Course(0.0, ((30.0, np.inf, 0.0, 0.075),)), variant=_INTEGRATOR),
    Pattern("H", "class 2 excitable", 0.2, 0.26, -65, 0, -64, 300, 0.25, Course(-0.5, ((30.0, np.inf, 0.0, 0.015),)), robust=False),
    Pattern("I", "spike latency", 0.02, 0.2, -65, 6, -70, 100, 0.2, Course(0.0, _pulses(7.04, 10.0, length=3.0)), robust=False,
            substitute={"course": Course(0.0, _pulses(6.71, 10.0, length=3.0))}),
    Pattern("J", "subthreshold oscillations", 0.05, 0.26, -60, 0, -62, 200, 0.25, Course(0.0, _pulses(2.0, 20.0, length=5.0))),
    Pattern("K", "resonator", 0.1, 0.26, -60, -1, -62, 400, 0.25, Course(0.0, _pulses(0.65, 40.0, 60.0, 280.0, 320.0, length=4.0))),
    Pattern("L", "integrator", 0.02, -0.1, -55, 6, -60, 100, 0.25, Course(0.0, _pulses(9.0, 100 / 11, 100 / 11 + 5, 70.0, 80.0, length=2.0)), variant=_INTEGRATOR),
    Pattern("M", "rebound spike", 0.03, 0.25, -60, 4, -64, 200, 0.2, Course(0.0, _pulses(-15.0, 20.0, length=5.0))),
    Pattern("N", "rebound burst", 0.03, 0.25, -52, 0, -64, 200, 0.2, Course(0.0, _pulses(-15.0, 20.0, length=5.0)), robust=False),
    Pattern("O", "threshold variability", 0.03, 0.25, -60, 4, -64, 100, 0.25, Course(0.0, _pulses(1.0, 10.0, 80.0, length=5.0) + _pulses(-6.0, 70.0, length=5.0))),
    Pattern("P", "bistability", 0.1, 0.26, -60, 0, -61, 300, 0.25, Course(0.24, _pulses(1.0, 37.5, 216.0, length=5.0)), robust=False,
            substitute={"course": Course(0.24, _pulses(1.0, 37.5, 208.0, length=5.0))}),
    Pattern("Q", "depolarizing afterpotential", 1.0, 0.2, -60, -21, -70, 50, 0.1, Course(0.0, _pulses(20.0, 9.0, length=2.0)), robust=False,
            substitute={"b": 0.18}),
    Pattern("R", "accommodation", 0.02, 1.0, -55, 4, -65, 400, 0.5, Course(0.0, ((0.0, 200.0, 0.0, 0.04), (300.0, 312.5, 0.0, 0.32))), u_start=-16.0,
            variant={"leak": 0.0, "v_b": -65.0}),
    Pattern("S", "inhibition-induced spiking", -0.02, -1.0, -60, 8, -63.8, 350, 0.5, _RELEASE, robust=False,
            substitute={"course": Course(80.0, ((49.999, 220.001, -5.0, 0.0),))}),
    Pattern("T", "inhibition-induced bursting", -0.026, -1.0, -45, -2, -63.8, 350, 0.5, _RELEASE, robust=False, substitute={"d": -0.7}),
)  # fmt: skip

#: The patterns by letter, A to T.
PATTERNS: Mapping[str, Pattern] = {p.letter: p for p in _LIST}


def pattern(name: str) -> Pattern:
    """Return a pattern by its letter or title.

    Parameters
    ----------
    name : str
        "A" to "T", or a title such as "resonator".

    Raises
    ------
    ValueError
        Another name; names the nearest one.
    """
    for one in _LIST:
        if str(name).lower() in (one.letter.lower(), one.title):
            return one
    titles = [p.title for p in _LIST]
    raise ValueError(f"pattern {name!r}: give a letter A to T or one of {', '.join(titles)}{nearest(name, titles)}")


@cites("izhikevich2004")
def population(patterns: Iterable[Pattern], *, scheme: str = "sequential", name: str = "cells") -> Population:
    """Return one population whose units are the cells of the patterns; ``I_in`` takes their currents.

    Parameters
    ----------
    patterns : sequence of Pattern
        As from :func:`pattern`; one unit for each.
    scheme : "sequential", "euler" or "half_steps"
        See :func:`neurodyn.izhikevich_2003`; the published figure is that of "sequential".
    name : str
        Of the population.
    """
    cells = list(patterns)

    def column(read: Callable[[Pattern], float]) -> np.ndarray:
        return np.array([float(read(p)) for p in cells])

    usual = {"linear": 5.0, "constant": 140.0, "leak": 1.0, "v_b": 0.0}
    variant: dict[str, Any] = {k: column(lambda p, k=k: p.variant.get(k, usual[k])) for k in usual}
    a, b, c, d = (column(lambda p, k=k: getattr(p, k)) for k in "abcd")
    return izhikevich_2003(
        name,
        len(cells),
        cells=(a, b, c, d),
        scheme=scheme,
        tau_syn=None,
        v_start=column(lambda p: p.v_start),
        u_start=column(lambda p: p.b * p.v_start if p.u_start is None else p.u_start),
        **variant,
    )


def respond(
    patterns: Iterable[str | Pattern] | None = None,
    *,
    scheme: str = "sequential",
    dt_ms: float | None = None,
    backend: str = "numba",
) -> dict[str, Response]:
    """Run patterns and return their responses by letter.

    Parameters
    ----------
    patterns : iterable of str or Pattern
        Letters, titles or patterns; all twenty by default.
    scheme : "sequential", "euler" or "half_steps"
        Numerical scheme; "half_steps" needs ``dt_ms=1``.
    dt_ms : float
        Step in ms; that of each pattern by default, so patterns of one step run side by side.
    backend : str
        Runner.

    Raises
    ------
    ValueError
        For a pattern that isn't there.
    """
    chosen = [p if isinstance(p, Pattern) else pattern(p) for p in (_LIST if patterns is None else patterns)]
    found: dict[str, Response] = {}
    for dt in sorted({p.dt_ms if dt_ms is None else dt_ms for p in chosen}):
        group = [p for p in chosen if (p.dt_ms if dt_ms is None else dt_ms) == dt]
        answers = responses.respond(
            population(group, scheme=scheme),
            [p.course for p in group],
            [p.duration_ms + dt for p in group],  # the published scripts include the end
            dt_ms=dt,
            backend=backend,
        )
        found.update(zip((p.letter for p in group), answers, strict=True))
    return {p.letter: found[p.letter] for p in chosen}
