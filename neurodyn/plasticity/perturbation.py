"""Node perturbation: what a unit did by chance, and whether it paid (Miconi 2017)."""

from __future__ import annotations

from neurodyn.citing import cites
from neurodyn.plasticity.rule import SynapticRule


@cites("miconi2017")
def node_perturbation(
    name: str = "node_perturbation",
    *,
    activity: str = "r_before",
    fluctuation: str = "fluctuation",
    modulation: str = "reward.modulation",
    rate: float = 0.1,
    largest: float = 3e-4,
) -> SynapticRule:
    """Return the rule of Miconi: e sums (r_j dx_i)^3 over a trial, and at its end w grows by rate M e, clipped.

    The cube lets sudden perturbations count and slow drift not. For the recurrent weighted sum of
    :func:`neurodyn.PerturbedRateNetwork`, whose names are the defaults.

    Parameters
    ----------
    name : str
        Of the rule, a Python identifier; its values are recorded under it.
    activity, fluctuation : str
        Variables of the source (r_j, as it entered the sum of this step) and of the target (dx_i, its deviation from its running mean).
    modulation : str
        Network-wide value at the end of the trial: the third factor M.
    rate : float
        Learning rate.
    largest : float
        Largest change of a weight in one trial, above 0.

    Raises
    ------
    ValueError
        A rate or a largest change that is not positive.

    References
    ----------
    Miconi (2017) eLife 6:e20899, eq. 5 and 6, and its published code (dnms/net.cpp).
    """
    for key, value in (("rate", rate), ("largest", largest)):
        if not 0 < value < float("inf"):
            raise ValueError(f"node_perturbation: {key} = {value!r}, give a positive number")
    return SynapticRule(
        name,
        parameters={"rate": rate, "largest": largest},
        state={"e": "synapse"},
        per_step=f"kick = {activity}_pre*{fluctuation}_post\ne += kick*kick*kick",
        trial_end=f"w += clip(rate*{modulation}*e, -largest, largest)\ne = 0",
    )
