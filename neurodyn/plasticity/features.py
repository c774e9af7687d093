"""What a learning readout sees of the activity: raw, standardised or running features.

Each function returns the pieces of a :class:`neurodyn.Readout`: ``state``, ``memory``, ``parameters``, ``per_step``
and ``trial_end``; all define ``x`` (feature of each unit) and ``power`` (mean of |x|^2 during calibration; 1 if
all was silent then).
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: filtered rates are in Hz; features count in units of 100 Hz
RATE_SCALE = 0.01


@dataclass(frozen=True)
class Features:
    """Pieces of code and arrays that make features out of the filtered rate ``r``."""

    per_step: str
    trial_end: str = ""
    state: dict = field(default_factory=dict)
    memory: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)


_CALIBRATE = """
if calibration:
    if scored > 0:
        samples += 1
        total += r
        total_squared += r*r
"""
_MEMORY = {"samples": "network", "total": "unit", "total_squared": "unit", "power": ("network", 1.0)}


def standardized() -> Features:
    """x = (r - mean)/(sd + mean over units of sd), from the calibration trials.

    Centred features make the readout blind to the sign of a cell (Dale's law), and the mean over units is no local
    quantity: see :func:`running` for features that are. Units that were silent in calibration get a finite gain.
    """
    return Features(
        per_step=f"x = (r - centre)*gain\n{_CALIBRATE}",
        trial_end="""
if calibration:
    if samples > 0:
        centre = total/samples
        sd = sqrt(maximum(total_squared/samples - centre*centre, 0))
        spread = sd + mean(sd)
        gain = where(spread > 0, 1/spread, 0)
        level = sum(sd*gain*sd*gain)
        if level > 0:
            power = level
""",
        state={"x": "unit"},
        memory={**_MEMORY, "centre": "unit", "gain": ("unit", RATE_SCALE)},
    )


def raw() -> Features:
    """x = r in units of 100 Hz, neither centred nor scaled (an ablation)."""
    return Features(
        per_step=f"x = r*scale\n{_CALIBRATE}",
        trial_end="""
if calibration:
    if samples > 0:
        level = sum(total_squared)/samples*scale*scale
        if level > 0:
            power = level
""",
        state={"x": "unit"},
        memory=dict(_MEMORY),
        parameters={"scale": RATE_SCALE},
    )


def running(floor: float = 3.0) -> Features:
    """x_i = (r_i - m_i)/(s_i + floor): each synapse's own running mean and variance, nothing shared.

    Mean and variance are taken over calibration and training trials alike, each sample with weight 1/n until
    ``horizon`` samples and 1/horizon afterwards. ``floor`` is in Hz.
    """
    return Features(
        per_step=f"""
x = (r - running_mean)/(sqrt(running_variance) + floor)
if calibration or learning:
    if scored > 0:
        samples_seen = minimum(samples_seen + 1, horizon)
        step_size = 1/samples_seen
        deviation = r - running_mean
        running_mean += step_size*deviation
        running_variance += step_size*(deviation*(r - running_mean) - running_variance)
{_CALIBRATE}""",
        trial_end="""
if calibration:
    if samples > 0:
        spread = sqrt(running_variance)/(sqrt(running_variance) + floor)
        level = sum(spread*spread)
        if level > 0:
            power = level
""",
        state={"x": "unit"},
        memory={**_MEMORY, "running_mean": "unit", "running_variance": "unit", "samples_seen": "network"},
        parameters={"floor": floor, "horizon": 60000.0},
    )


FEATURES = {"standardized": standardized, "raw": raw, "running": running}
