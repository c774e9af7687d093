"""Spike-timing-dependent plasticity, plain and with a third factor, and the scaling that keeps it in check.

Each function returns a rule for ``nd.Connection(..., rules=..., bounds=...)``; amplitudes are in the weight's SI unit.
"""

from __future__ import annotations

from typing import Any

from neurodyn import units
from neurodyn.citing import cites
from neurodyn.plasticity.rule import SynapticRule, Trace


@cites("song2000", "vanrossum2000", "morrison2008")
def stdp(
    name: str = "stdp",
    *,
    A_plus: Any = 0.01,
    A_minus: Any = 0.0105,
    tau_plus: Any = "20 ms",
    tau_minus: Any = "20 ms",
    w_max: Any = None,
    nearest: bool = False,
) -> SynapticRule:
    """Return pair-based STDP: w grows by A_plus x when the target spikes and falls by A_minus y when a spike arrives.

    x and y are traces of arriving and of target spikes: dw = A_plus exp(-(t_post - t_pre)/tau_plus) where pre comes first, else
    -A_minus exp(-(t_pre - t_post)/tau_minus), summed over pairs; t_pre is when the spike arrives. Spikes of one step don't pair.

    Parameters
    ----------
    name : str
        Of the rule, a Python identifier; its values are recorded under it.
    A_plus, A_minus : quantity
        Amplitudes in the unit of the weight; without unit where ``w_max`` is given.
    tau_plus, tau_minus : quantity
        Time constants, above 0.
    w_max : quantity
        Makes the rule multiplicative: A_plus is multiplied by w_max - w, A_minus by w.
    nearest : bool
        Whether only nearest neighbours pair.

    References
    ----------
    Song, Miller & Abbott (2000) Nat. Neurosci. 3:919; van Rossum, Bi & Turrigiano (2000) J. Neurosci. 20:8812;
    Morrison, Diesmann & Gerstner (2008) Biol. Cybern. 98:459, eq. 5 to 9.
    """
    soft = w_max is not None
    return SynapticRule(
        name,
        traces={"x": Trace("pre", tau_plus, nearest=nearest), "y": Trace("post", tau_minus, nearest=nearest)},
        parameters={"A_plus": A_plus, "A_minus": A_minus, **({"w_max": w_max} if soft else {})},
        on_post=f"w += A_plus*{'(w_max - w)*' if soft else ''}x",
        on_pre=f"w -= A_minus*{'w*' if soft else ''}y",
    )


@cites("izhikevich2007dopamine")
def dopamine_stdp(
    name: str = "dopamine_stdp",
    *,
    reward: str = "reward",
    A_plus: Any = 0.1,
    A_minus: Any = 0.15,
    tau_plus: Any = "20 ms",
    tau_minus: Any = "20 ms",
    tau_c: Any = "1 s",
    tau_d: Any = "200 ms",
    baseline: float = 0.002,
    gain: float = 100.0,
) -> SynapticRule:
    """Return STDP that dopamine makes into weight changes, seconds later.

    STDP changes the eligibility c instead of the weight, and ::

        dc/dt = -c/tau_c,   dd/dt = -d/tau_d + reward,
        dw/dt = gain (baseline + d) c,

    integrated exactly over each step. For a pair t_post - t_pre = D > 0 and a reward of size R a time delta after it the
    weight has, a time T later, changed by gain A_plus exp(-D/tau_plus) exp(-delta/tau_c) R tau (1 - exp(-T/tau)) with
    1/tau = 1/tau_c + 1/tau_d, if ``baseline`` is 0.

    Parameters
    ----------
    name : str
        Of the rule, a Python identifier; its values are recorded under it.
    reward : str
        What is added to the level d of dopamine in a step: the name of an input of one channel, or any network-wide
        expression, such as "sum(rewarder.released)". Negative values are dips.
    A_plus, A_minus : quantity
        Amplitudes of c, in the unit of the weight.
    tau_plus, tau_minus, tau_c, tau_d : quantity
        Time constants of STDP, of the eligibility and of dopamine, above 0.
    baseline : float
        Tonic level of dopamine.
    gain : float
        Per second.

    References
    ----------
    Izhikevich (2007) Cereb. Cortex 17:2443, eq. 3 and 4; defaults as in ModelDB 84167 (daspnet.m), whose weights
    move every 10 ms by (0.002 + d) c.
    """
    c, d = (float(units.si(tau, "second", name=key, above=0.0)) for key, tau in (("tau_c", tau_c), ("tau_d", tau_d)))  # type: ignore[arg-type]
    return SynapticRule(
        name,
        traces={
            "x": Trace("pre", tau_plus),
            "y": Trace("post", tau_minus),
            "c": Trace("synapse", tau_c),
            "d": Trace("network", tau_d),
        },
        parameters={
            "A_plus": A_plus,
            "A_minus": A_minus,
            "baseline": baseline,
            "gain": gain,
            "tau_c": f"{c!r} s",
            "tau_cd": f"{c * d / (c + d)!r} s",
        },
        on_post="c += A_plus*x",
        on_pre="c -= A_minus*y",
        modulator=f"d += {reward}",
        # the mean over the step of what decays in it
        dw_dt="gain*(baseline*tau_c*(1 - exp(-dt/tau_c))/dt + d*tau_cd*(1 - exp(-dt/tau_cd))/dt)*c",
    )


@cites("florian2007", "fremaux2016")
def reward_modulated_stdp(
    name: str = "reward_modulated_stdp",
    *,
    reward: str = "reward",
    rate: float = 1.0,
    A_plus: Any = 1.0,
    A_minus: Any = 1.0,
    tau_plus: Any = "20 ms",
    tau_minus: Any = "20 ms",
    tau_e: Any = "500 ms",
    tau_mean: Any = None,
) -> SynapticRule:
    """Return STDP with an eligibility trace and a reward signal: dw/dt = rate r e, or rate (r - <r>) e.

    Parameters
    ----------
    name : str
        Of the rule, a Python identifier; its values are recorded under it.
    reward : str
        Name of an input of one channel, or any network-wide expression; held over a step.
    rate : float
        Learning rate, per second and unit of reward.
    A_plus, A_minus : quantity
        Amplitudes of the eligibility e, in the unit of the weight.
    tau_plus, tau_minus, tau_e : quantity
        Time constants of STDP and of e, above 0.
    tau_mean : quantity
        Time constant of the running mean <r> that is taken off the reward (its unsupervised bias); None takes nothing off.

    References
    ----------
    Florian (2007) Neural Comput. 19:1468 (MSTDPET); Fremaux & Gerstner (2016) Front. Neural Circuits 9:85 (R-STDP: with
    the mean reward subtracted).
    """
    mean = tau_mean is not None
    tau = float(units.si(tau_e, "second", name="tau_e", above=0.0))  # type: ignore[arg-type]
    parameters = {"rate": rate, "A_plus": A_plus, "A_minus": A_minus, "tau_e": f"{tau!r} s"}
    return SynapticRule(
        name,
        traces={"x": Trace("pre", tau_plus), "y": Trace("post", tau_minus), "e": Trace("synapse", tau_e)},
        parameters={**parameters, **({"tau_mean": tau_mean} if mean else {})},
        state={"success": "network", **({"mean_reward": "network"} if mean else {})},
        on_post="e += A_plus*x",
        on_pre="e -= A_minus*y",
        modulator=f"success = {reward} - mean_reward\nmean_reward += (1 - exp(-dt/tau_mean))*success"
        if mean
        else f"success = {reward}",
        dw_dt="rate*success*tau_e*(1 - exp(-dt/tau_e))/dt*e",
    )


@cites("turrigiano1998", "vanrossum2000")
def synaptic_scaling(
    name: str = "synaptic_scaling",
    *,
    rates: str = "rate",
    target: Any = "10 Hz",
    strength: float = 0.1,
    every: Any = "1 s",
) -> SynapticRule:
    """Return homeostatic scaling: every interval w is multiplied by 1 + strength (1 - rate/target) of its target cell.

    Parameters
    ----------
    name : str
        Of the rule, a Python identifier; its values are recorded under it.
    rates : str
        Name of a :class:`neurodyn.Filter` of the target population, whose time constant is the time scale of the control.
    target : quantity in Hz
        Wanted rate, above 0.
    strength : float
        Largest relative growth at one interval, in (0, 1).
    every : quantity
        Interval, a whole number of steps.

    Raises
    ------
    ValueError
        A strength outside (0, 1).
    UnitsError
        A target that is no rate above 0.

    References
    ----------
    Turrigiano et al. (1998) Nature 391:892; van Rossum, Bi & Turrigiano (2000) J. Neurosci. 20:8812, eq. 10.
    """
    if not 0 < strength < 1:
        raise ValueError(f"synaptic_scaling: strength = {strength!r}, allowed is above 0 and below 1")
    units.si(target, "hertz", name="synaptic_scaling: target", above=0.0)
    return SynapticRule(
        name,
        parameters={"target": target, "strength": strength},
        per_step=f"w *= maximum(0, 1 + strength*(1 - {rates}_post/target))",
        every=every,
    )
