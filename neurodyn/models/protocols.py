"""The currents that the published figures of single cells apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurodyn.models.responses import Course, step_to


@dataclass(frozen=True)
class Protocol:
    """Currents that a cell gets, each from the same start.

    Attributes
    ----------
    title : str
    courses : tuple of Course
        In ``unit``.
    labels : tuple of str
        What sets one course apart from the others, in ``unit``.
    duration_ms, dt_ms : float
        Length, and step of the published figure.
    unit : str
        "pA", or "1" for the pseudo-units of the 2003 form.
    options : mapping
        How the population is made for it: scheme, start.
    """

    title: str
    courses: tuple[Course, ...]
    labels: tuple[str, ...]
    duration_ms: float
    dt_ms: float
    unit: str = "pA"
    options: Mapping[str, Any] = field(default_factory=dict)


def _figure_2003(title: str, course: Course, label: str, duration: float, v_start: float) -> Protocol:
    options = {"scheme": "sequential", "v_start": v_start}
    return Protocol(title, (course,), (label,), duration, 0.25, "1", options)


def _constant(
    currents: tuple[float, ...], duration: float, *, dt: float = 0.25, title: str = "constant current"
) -> Protocol:
    return Protocol(title, tuple(Course(x) for x in currents), tuple(f"{x:g}" for x in currents), duration, dt)


def _released(before: float, currents: tuple[float, ...], duration: float) -> Protocol:
    # From the step that begins at 120 ms on, as in the published script; a course begins after its edge.
    courses = tuple(step_to(x, at=119.999, before=before) for x in currents)
    labels = tuple(f"{before:g} for 120 ms, then {x:g}" for x in currents)
    return Protocol("released from inhibition", courses, labels, 120 + duration, 0.25)


#: By the name of the cell; the first protocol is that of the figure's main part.
PROTOCOLS: Mapping[str, tuple[Protocol, ...]] = {
    "2003/RS": (_figure_2003("step of current", step_to(14, at=15), "14", 150, -63),),
    "2003/IB": (_figure_2003("step of current", step_to(11, at=15), "11", 150, -70),),
    "2003/CH": (_figure_2003("step of current", step_to(10, at=15), "10", 150, -70),),
    "2003/FS": (_figure_2003("step of current", step_to(10, at=15), "10", 150, -70),),
    "2003/TC": (
        _figure_2003("step of current", step_to(1.5, at=30), "1.5", 150, -63),
        _figure_2003("released from inhibition", step_to(0, at=45, before=-25), "-25, then 0", 150, -87),
    ),
    "2003/RZ": (
        _figure_2003(
            "step and pulse", Course(-2.0, ((10.0, np.inf, 1.5, 0.0), (60.0, 65.0, 10.5, 0.0))), "-2, -0.5, pulse to 10", 100, -70
        ),
    ),
    "2003/LTS": (_figure_2003("step of current", step_to(10, at=25), "10", 250, -63),),
    "2007/RS": (_constant((60, 70, 85, 100), 520),),
    "2007/IB": (_constant((290, 370, 500, 550), 600),),
    "2007/CH": (_constant((200, 300, 400, 600), 210),),
    "2007/LTS": (_constant((100, 125, 200, 300), 320),),
    "2007/FS": (_constant((73.2, 100, 200, 400), 100),),
    "2007/TC": (_constant((50, 100, 150), 650), _released(-1200, (0, 50, 100), 650)),
    "2007/RTN": (_constant((50, 70, 110), 650), _released(-350, (30, 50, 90), 720)),
    "2007/weakly_adapting": (_constant((55,), 1000, dt=0.025),),
    "2007/strongly_adapting": (_constant((100,), 1000, dt=0.025),),
    "2007/LS": (Protocol("pulse of current", (Course(0.0, ((100.0, 600.0, 130.0, 0.0),)),), ("130",), 700, 0.025),),
    "2007/nicola_clopath": (_constant((1000, 1050, 1200, 1500), 1000, dt=0.04),),
    "adex/regular_spiking": (_constant((600, 800, 1000), 400, dt=0.1),),
    "adex/tonic": (_constant((500,), 400, dt=0.1),),
    "adex/adapting": (_constant((500,), 400, dt=0.1),),
    "adex/initial_bursting": (_constant((400,), 400, dt=0.1),),
    "adex/regular_bursting": (_constant((210,), 600, dt=0.1),),
    "adex/delayed_accelerating": (_constant((300,), 600, dt=0.1),),
    "adex/irregular": (_constant((160,), 600, dt=0.1),),
    "lif": (_constant((190, 210, 250), 200, dt=0.1),),
}  # fmt: skip
