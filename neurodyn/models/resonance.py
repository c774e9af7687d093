"""Systems in which noise can help: a double well, an excitable cell, a threshold detector, each as many independent paths.

Time is dimensionless in the papers; here one unit of time is a millisecond, so that the times of a recording in ms are theirs.
All steps are Euler-Maruyama, written out, so that runners agree to the last bit where no cosine is in them.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from neurodyn.circuit import Circuit
from neurodyn.citing import cites
from neurodyn.parts import CircuitError, Population

_FORCE = "force = amplitude*cos(6.283185307179586*frequency*t)\n"

_WELL = """x += (dt/ms)*(x - x*x*x{force}) + sqrt(2*noise*(dt/ms))*randn()
"""

_EXCITABLE = """x_before = x
x += (dt/ms)*(x - x*x*x/3 - y)/epsilon{fast}
y += (dt/ms)*(x_before + a{force}){slow}
armed = where(x < {rearm}, 1, armed)
"""

_DETECTOR = """above_before = above
z = {force}noise*randn()
above = where(z > level, 1, 0)
"""

_FILTERED = """above_before = above
fluctuation = keep*fluctuation + sqrt(1 - keep*keep)*randn()
z = {force}noise*fluctuation
above = where(z > level, 1, 0)
"""


@cites("gammaitoni1998")
def DoubleWell(
    paths: int = 200,
    *,
    noise: Any = 0.1,
    amplitude: Any = 0.0,
    frequency: float = 0.0,
    switch_at: float = 0.5,
    start: Any = -1.0,
    dt: float = 0.01,
    seed: int = 1,
) -> Circuit:
    """Return independent overdamped particles in the double well V = -x^2/2 + x^4/4, forced by a weak cosine.

    dx = (x - x^3 + A cos(2 pi f t)) dt + sqrt(2 D) dW: wells at -1 and 1, a barrier of 1/4 between them. The variable is
    "well.x". A spike of a path is a switch of its well, with hysteresis: it has come to ``switch_at`` beyond the middle.

    Parameters
    ----------
    paths : int
        Number of particles.
    noise : number or array (paths,)
        D, at least 0.
    amplitude : number or array (paths,)
        The A of the force; up to 2/sqrt(27) = 0.385 both wells remain.
    frequency : float
        f in cycles per unit of time, at least 0; the angular frequency of the papers is 2 pi f.
    switch_at : float
        0 to below the far end of the other well, such as 0.5; 1 makes the first switch the passage to the bottom.
    start : number, array (paths,) or distribution
        Position at the start.
    dt : float
        Step, in units of time; at 0.01 means of x^2 are right to 1 %.
    seed : int
        Key of the noise. Circuits of one seed and different ``noise`` see the same noise, scaled.

    Raises
    ------
    CircuitError
        For numbers out of range.

    References
    ----------
    Gammaitoni, Haenggi, Jung & Marchesoni (1998) Rev. Mod. Phys. 70:223.
    """
    forced = _forced(amplitude, frequency)
    _at_least("switch_at", switch_at, 0.0)
    parameters = {"noise": _at_least("noise", noise, 0.0), "switch_at": switch_at, **forced}
    well = Population(
        "well",
        paths,
        code=(_FORCE if forced else "") + _WELL.format(force=" + force" if forced else ""),
        variables={"x": "1", "side": "1"},
        threshold="side*x < -switch_at",
        reset="side = -side",
        parameters=parameters,
        initial={"x": start, "side": "where(x < 0, -1, 1)"},
    )
    return Circuit([well], dt=_milliseconds(dt), seed=seed, name="double well")


@cites("pikovsky1997", "deville2005")
def FitzHughNagumo(
    paths: int = 40,
    *,
    noise: Any = 0.07,
    noise_in: Literal["slow", "fast"] = "slow",
    epsilon: float = 0.01,
    a: Any = 1.05,
    amplitude: Any = 0.0,
    frequency: float = 0.0,
    spike_at: float = 1.0,
    rearm_at: float = -0.5,
    dt: float | None = None,
    seed: int = 1,
) -> Circuit:
    """Return independent FitzHugh-Nagumo cells, excitable where a > 1 and oscillating below.

    epsilon x' = x - x^3/3 - y and y' = x + a + A cos(2 pi f t), with noise s xi added to y' ("slow": coherence resonance) or
    sqrt(epsilon) s xi to epsilon x' ("fast": self-induced stochastic resonance), <xi xi> = delta. Variables are "cells.x" and
    "cells.y". A cell spikes when x rises above ``spike_at``, once until it has fallen below ``rearm_at``.

    Parameters
    ----------
    paths : int
        Number of cells.
    noise : number or array (paths,)
        s, at least 0; Pikovsky & Kurths call it D, though it is the sigma of other papers.
    noise_in : "slow" or "fast"
    epsilon : float
        Ratio of the time scales, above 0.
    a : number or array (paths,)
        Distance from the bifurcation at 1.
    amplitude, frequency
        A >= 0 and f >= 0, in cycles per unit of time.
    spike_at, rearm_at : float
        spike_at > rearm_at.
    dt : float
        Step; by default epsilon/20.
    seed : int
        Key of the noise. Circuits of one seed and different ``noise`` see the same noise, scaled.

    Raises
    ------
    CircuitError
        For numbers out of range.

    References
    ----------
    Pikovsky & Kurths (1997) Phys. Rev. Lett. 78:775; DeVille, Vanden-Eijnden & Muratov (2005) Phys. Rev. E 72:031105.
    """
    if noise_in not in ("slow", "fast"):
        raise CircuitError(f"noise_in = {noise_in!r}, allowed are 'slow' and 'fast'")
    if not spike_at > rearm_at:
        raise CircuitError(f"spike_at = {spike_at!r} and rearm_at = {rearm_at!r}: a spike lies above where it is armed")
    if not 0 < epsilon < float("inf"):
        raise CircuitError(f"epsilon = {epsilon!r}, give a number above 0")
    forced = _forced(amplitude, frequency)
    drawn = {"slow": " + noise*sqrt((dt/ms))*randn()", "fast": " + noise*sqrt((dt/ms)/epsilon)*randn()"}
    step = epsilon / 20 if dt is None else dt
    text = _EXCITABLE.format(
        fast=drawn["fast"] if noise_in == "fast" else "",
        slow=drawn["slow"] if noise_in == "slow" else "",
        force=" + force" if forced else "",
        rearm=repr(float(rearm_at)),
    )
    cells = Population(
        "cells",
        paths,
        code=(_FORCE if forced else "") + text,
        variables={"x": "1", "y": "1", "armed": "1"},
        threshold="(x > spike_at) and (armed > 0)",
        reset="armed = 0",
        parameters={
            "noise": _at_least("noise", noise, 0.0),
            "a": a,
            "epsilon": epsilon,
            "spike_at": spike_at,
            **forced,
        },
        initial={"x": "-a", "y": "-a + a*a*a/3", "armed": 1},  # where the noise-free cell rests
    )
    return Circuit([cells], dt=_milliseconds(step), seed=seed, name="FitzHugh-Nagumo cells")


@cites("gammaitoni1995", "jung1994")
def ThresholdDetector(
    paths: int = 200,
    *,
    noise: Any = 0.5,
    level: float = 1.0,
    amplitude: Any = 0.0,
    frequency: float = 0.0,
    correlation_time: float = 0.0,
    dt: float = 1.0,
    seed: int = 1,
) -> Circuit:
    """Return detectors that know only whether z = A cos(2 pi f t) + sigma xi lies above a level.

    Variables are "detector.z" and "detector.above", 1 or 0. A spike is an upward crossing.

    Parameters
    ----------
    paths : int
        Number of detectors, each with its own noise.
    noise : number or array (paths,)
        Standard deviation sigma of the noise, at least 0.
    level : float
        Beyond the amplitude, or the signal crosses it without noise.
    amplitude, frequency
        A and f >= 0, in cycles per unit of time.
    correlation_time : float
        0: a new independent number each step. Above: an Ornstein-Uhlenbeck process with this correlation time.
    dt : float
        Step, in units of time.
    seed : int
        Key of the noise. Circuits of one seed and different ``noise`` see the same noise, scaled.

    Raises
    ------
    CircuitError
        For numbers out of range.

    References
    ----------
    Gammaitoni (1995) Phys. Rev. E 52:4691; Jung (1994) Phys. Rev. E 50:2513.
    """
    forced = _forced(amplitude, frequency)
    _at_least("correlation_time", correlation_time, 0.0)
    parameters: dict[str, Any] = {"noise": _at_least("noise", noise, 0.0), "level": level, **forced}
    text, variables = _DETECTOR, {"z": "1", "above": "1", "above_before": "1"}
    initial: dict[str, Any] = {"above": 1}  # so that what begins above has not crossed
    if correlation_time:
        parameters["keep"] = float(np.exp(-dt / correlation_time))
        text, initial["fluctuation"] = _FILTERED, "randn()"
        variables["fluctuation"] = "1"
    detector = Population(
        "detector",
        paths,
        code=(_FORCE if forced else "") + text.format(force="force + " if forced else ""),
        variables=variables,
        threshold="(above > 0.5) and (above_before < 0.5)",
        parameters=parameters,
        initial=initial,
    )
    return Circuit([detector], dt=_milliseconds(dt), seed=seed, name="threshold detector")


def _forced(amplitude: Any, frequency: float) -> dict[str, Any]:
    """Parameters of the forcing; none if there is none."""
    _at_least("frequency", frequency, 0.0)
    if np.ndim(amplitude) == 0 and amplitude == 0:
        return {}
    return {"amplitude": _at_least("amplitude", amplitude, 0.0), "frequency": f"{frequency!r} kHz"}


def _milliseconds(dt: float) -> str:
    if isinstance(dt, bool) or not isinstance(dt, int | float) or not 0 < dt < float("inf"):
        raise CircuitError(f"dt = {dt!r}, give a step above 0, in units of time")
    return f"{float(dt)!r} ms"


def _at_least(name: str, value: Any, low: float) -> Any:
    """`value`, a finite number or array of them, if it is at least `low`."""
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all() or (array < low).any():
        raise CircuitError(f"{name} = {value!r}, give finite numbers of at least {low:g}")
    return value
