"""Leaky integrate-and-fire cells with a surrogate derivative of their spikes, for gradient-like rules (e-prop)."""

from __future__ import annotations

from typing import Any

from neurodyn import units
from neurodyn.citing import cites
from neurodyn.parts import CircuitError, Population

# In this order: the trace holds spikes of earlier steps only, as the current that they cause does.
_CODE = """
age += 1
firing += (spiked - firing)/age
trace = decay*trace + (1 - decay)*spiked
v = decay*v + (1 - decay)*(I_rec + I_in) - v_threshold*spiked
psi = dampening*maximum(0, 1 - abs(v - v_threshold)/v_threshold)/v_threshold
spiked = 0
I_rec = 0
"""
_VARIABLES = ("v", "I_rec", "I_in", "spiked", "trace", "psi", "learning_signal", "firing", "age")


@cites("bellec2020")
def surrogate_lif(
    name: str, size: int, *, tau: Any = "30 ms", threshold: float = 0.03, dampening: float = 0.3
) -> Population:
    """Return dimensionless leaky integrate-and-fire cells that hold what e-prop needs to know of each cell.

    v(t) = a v(t - dt) + (1 - a)(I_rec + I_in) - v_threshold z(t - dt), a = exp(-dt/tau), z = 1 where v > v_threshold.

    ``I_rec`` takes spikes, of this or other populations, and is cleared every step (delay 0: felt in the next step);
    ``I_in`` takes weighted sums; ``spiked`` is z. ``trace`` is z(t - dt), low-passed with a: the derivative by a weight
    of v of a target with the same tau. ``psi = dampening max(0, 1 - |v - v_threshold|/v_threshold)/v_threshold`` stands
    for the derivative of z by v. ``learning_signal`` takes a weighted sum of errors (see
    :class:`neurodyn.EpropReadout`), which arrives a step late: combine it with eligibility of the step before.
    ``firing`` is the mean of z over the ``age`` in steps since the last reset, up to the step before.

    Parameters
    ----------
    name : str
        Of the population, a Python identifier.
    size : int
        Number of cells, 0 or more.
    tau : quantity
        Membrane time constant, above 0.
    threshold, dampening : float
        v_threshold, and the height of psi; above 0.

    Raises
    ------
    CircuitError
        For numbers out of range.

    References
    ----------
    Bellec et al. (2020) Nat. Commun. 11:3625, eq. 6 to 8 and the published tutorial on pattern generation.
    """
    for key, value in (("threshold", threshold), ("dampening", dampening)):
        if not 0 < value < float("inf"):
            raise CircuitError(f"population {name!r}: {key} = {value!r}, give a positive number")
    units.si(tau, "second", name=f"{name}.tau", above=0.0)
    return Population(
        name,
        size,
        code=_CODE,
        variables=dict.fromkeys(_VARIABLES, "1"),
        threshold="v > v_threshold",
        reset="spiked = 1",
        parameters={"tau": tau, "v_threshold": threshold, "dampening": dampening, "decay": "exp(-dt/tau)"},
    )
