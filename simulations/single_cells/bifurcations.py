"""Where rest ends: closed forms against simulated cells, started beside rest at currents around the expected one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

import neurodyn as nd
from neurodyn.models.adaptive_exponential import TYPES_ADEX
from neurodyn.models.izhikevich_2003 import TYPES_2003
from neurodyn.models.izhikevich_2007 import TYPES_2007
from neurodyn.models.rest import RestEnds, rest_2003, rest_2007, rest_adex
from single_cells.expected import ALGEBRA

POINTS, REACH = 40, 0.02  # currents within 2 % of the expected one, 0.1 % apart, none of them that one itself
KICK_MV = 0.01
#: Step and length in ms. What swings once in a second or two is followed longer, and needs no short steps.
FAST, SLOW = (0.01, 2500), (0.1, 25000)
CELLS = (
    *(f"2003/{k}" for k in ("RS", "FS", "LTS", "RZ")),
    *(f"2007/{k}" for k in TYPES_2007),
    *(f"adex/{k}" for k in TYPES_ADEX),
)


def run(backend: str) -> nd.Outcome:
    """Measure for each cell the current at which rest loses its stability."""
    checks, results = [], {}
    for name in CELLS:
        ends = _ends(name)
        kind = "Hopf" if ends.rheobase == ends.hopf else "saddle-node"
        measured = _measured(name, ends, backend)
        unit = "" if name.startswith("2003") else " (pA)"
        low, high = sorted((0.995 * ends.rheobase, 1.005 * ends.rheobase))
        checks.append(
            nd.check(
                f"{name}: rest ends, {kind}, euler{unit}", measured, f">= {low:.6g} and <= {high:.6g}",
                reference=round(ends.rheobase, 4), source=ALGEBRA,
            )
        )  # fmt: skip
        results[f"{name}: saddle-node{unit}"] = ends.saddle_node
        results[f"{name}: Hopf{unit}"] = ends.hopf
    checks += _resting(backend)
    return nd.Outcome(results=results, checks=checks)


def _ends(name: str) -> RestEnds:
    form, _, kind = name.partition("/")
    return {"2003": rest_2003, "2007": rest_2007, "adex": rest_adex}[form](kind)


def _measured(name: str, ends: RestEnds, backend: str) -> float:
    """The current between the last at which a small kick dies out and the first at which it grows."""
    currents = ends.rheobase * (1 + REACH * np.linspace(-1, 1, POINTS))
    top = ends.hopf_v if ends.rheobase == ends.hopf else ends.saddle_node_v
    rest_current, recovery = _rest_curve(name)
    rest = np.array([_rest(rest_current, current, top) for current in currents])
    unit, slow = ("1", "u") if name.startswith("2003") else ("pA", "w" if name.startswith("adex") else "u")
    cell = nd.cells(name)
    start = rest + KICK_MV
    if unit == "1":
        cells = cell.population(
            "cells", POINTS, scheme="euler", v_start=start, u_start=recovery(rest), parameters={"bias": currents}
        )
    else:
        quantity = nd.quantity
        cells = cell.population(
            "cells", POINTS, parameters={"bias": quantity([f"{x!r} pA" for x in currents.tolist()])},
            initial={"v": quantity([f"{x!r} mV" for x in start.tolist()]), slow: quantity([f"{x!r} pA" for x in recovery(rest).tolist()])},
        )  # fmt: skip
    dt, length = SLOW if name.startswith("adex") or name.endswith("adapting") else FAST
    run = nd.simulate(
        nd.Circuit([cells], dt=f"{dt} ms"),
        f"{length} ms",
        backend=backend,
        record=["spikes", nd.Sample("cells.v", every="1 ms")],
        progress=False,
    )
    away = np.abs(np.asarray(run["v"]) - rest)
    window = length // 5
    grows = away[-window:].max(axis=0) > away[window : 2 * window].max(axis=0)
    grows |= np.bincount(run["spikes"].ids, minlength=POINTS) > 0
    if grows.all() or not grows.any():
        return float("nan")
    first = int(np.argmax(grows))
    return float((currents[first - 1] + currents[first]) / 2)


def _rest_curve(name: str) -> tuple[Callable[[float], float], Callable[[np.ndarray], np.ndarray]]:
    """The current that holds the cell at v (mV), and u (or w) there."""
    form, _, kind = name.partition("/")
    if form == "2003":
        b = TYPES_2003[kind][1]
        return lambda v: b * v - (0.04 * v * v + 5 * v + 140), lambda v: b * v

    def number(text: str, scale: float) -> float:
        return float(nd.quantity(text).value) / scale

    if form == "adex":
        p = TYPES_ADEX[kind]
        g, a, E, v_T, D = (
            number(p[n], s) for n, s in (("g_L", 1e-9), ("a", 1e-9), ("E_L", 1e-3), ("v_T", 1e-3), ("delta_T", 1e-3))
        )
        return lambda v: (g + a) * (v - E) - g * D * float(np.exp((v - v_T) / D)), lambda v: a * (v - E)
    cell = TYPES_2007[kind]
    k, v_r, v_t, b = number(cell.k, 1e-6), number(cell.v_r, 1e-3), number(cell.v_t, 1e-3), number(cell.b, 1e-9)
    if cell.cubic is not None and cell.v_b is not None:
        q, v_b = number(cell.cubic, 1e-3), number(cell.v_b, 1e-3)
        recovery = lambda v: q * np.maximum(v - v_b, 0.0) ** 3  # noqa: E731
    else:
        recovery = lambda v: b * (v - v_r)  # noqa: E731
    return lambda v: float(recovery(v)) - k * (v - v_r) * (v - v_t), recovery


def _rest(rest_current: Callable[[float], float], current: float, top: float) -> float:
    """The state of rest at a current, in mV; beyond the last one, the place where it vanished."""
    above = top
    while rest_current(above) < current and above < top + 5:
        above += 0.01
    if rest_current(above) < current:
        return top
    return brentq(lambda v: rest_current(v) - current, top - 60.0, above)  # type: ignore[return-value]


def _resting(backend: str) -> list[nd.Check]:
    """Without current a cell of 2003 with b = 0.2 rests at -70 mV, in every scheme."""
    checks = []
    for scheme, dt in (("half_steps", "1 ms"), ("euler", "0.1 ms"), ("sequential", "0.1 ms")):
        cells = nd.izhikevich_2003("cells", 1, cells="RS", scheme=scheme, v_start=-70.0)
        v = nd.simulate(nd.Circuit([cells], dt=dt), "100 ms", record=["cells.v"], backend=backend, progress=False)["v"]
        drift = float(np.abs(np.diff(np.asarray(v)[:, 0], prepend=-70.0)).max())
        checks.append(
            nd.check(
                f"2003/RS at rest, {scheme}, {dt}: largest step of v (mV)",
                drift,
                "< 1e-9",
                reference=0.0,
                source=ALGEBRA,
            )
        )
    return checks
