"""The spiking reservoir of the what/when task."""

from __future__ import annotations

from typing import Any

from neurodyn.circuit import Circuit
from neurodyn.citing import cites
from neurodyn.models.izhikevich import izhikevich_2003
from neurodyn.parts import CircuitError, Connection, Input, Uniform

BIAS = Uniform(0, 3)


@cites("yamada2025")
def SpikingReservoir(
    neurons: int = 1000,
    *,
    connection_probability: float = 0.1,
    events: tuple[str, ...] = ("A", "B"),
    seed: int = 1,
    inhibitory: float = 0.2,
    excitatory_weight: float = 0.3,
    inhibitory_weight: float = 1.2,
    tau_syn: Any = "5 ms",
    bias: Any = BIAS,
    noise: float = 0.5,
    cue_weight: float = 15.0,
    event_weight: float = 2.0,
    input_fraction: float = 0.5,
    jitter: float = 0.3,
) -> Circuit:
    """Return a heterogeneous Izhikevich reservoir with fixed random recurrence and inputs for a cue and events.

    1 ms steps of the published 2003 scheme; Dale's law; synaptic current decaying exponentially. Only the structure (1000 cells, Dale's law,
    fixed recurrence) is from the paper; its parameters are not public, these are ours (and every one can be changed).

    Parameters
    ----------
    neurons : int
        Number of cells, at least 1; the last ``inhibitory`` fraction is inhibitory.
    connection_probability : float
        Chance of each directed pair, in (0, 1]; no autapses.
    events : tuple of str
        Names of the events; the input "task" has the channels ``("cue", *events)``.
    inhibitory : float
        Fraction of inhibitory cells, 0 to 1.
    excitatory_weight, inhibitory_weight : float
        A spike adds ``excitatory_weight*|n|/sqrt(p N)`` or ``-inhibitory_weight*|n|/sqrt(p N)`` to the synaptic current,
        n standard normal; >= 0, in "mV/ms".
    tau_syn : time
        Time constant of the synaptic current.
    bias : number or distribution
        Constant current of each cell.
    noise : float
        Standard deviation of the current noise, drawn anew each ms, >= 0.
    cue_weight, event_weight : float
        Weights from the cue and from events are uniform between 0 and this.
    input_fraction : float
        Chance that a channel reaches a cell, 0 to 1.
    jitter : float
        Trial-to-trial standard deviation of v at a reset.
    seed : int
        Key of wiring, parameters and noise.

    Raises
    ------
    CircuitError
        For numbers out of range.

    References
    ----------
    Yamada & Chao (2025) arXiv:2510.14382; cells and scheme Izhikevich (2003) IEEE Trans. Neural Netw. 14:1569.
    """
    if not 0 < connection_probability <= 1:
        raise CircuitError(f"connection_probability = {connection_probability!r}, allowed is above 0 up to 1")
    for name, value in (
        ("noise", noise),
        ("jitter", jitter),
        ("excitatory_weight", excitatory_weight),
        ("inhibitory_weight", inhibitory_weight),
    ):
        if not 0 <= value < float("inf"):
            raise CircuitError(f"{name} = {value!r}, give 0 or a positive number (signs follow from Dale's law)")
    for name, value in (("cue_weight", cue_weight), ("event_weight", event_weight)):
        if not abs(value) < float("inf"):
            raise CircuitError(f"{name} = {value!r}, give a finite number")
    if not 0 <= input_fraction <= 1:
        raise CircuitError(f"input_fraction = {input_fraction!r}, allowed is 0 to 1")
    cells = izhikevich_2003(
        "cells",
        neurons,
        inhibitory=inhibitory,
        current="bias + I_syn + I_in + noise*randn()",
        tau_syn=tau_syn,
        parameters={"bias": bias, "noise": noise},
        jitter=jitter,
    )
    recurrent = Connection(
        cells,
        cells,
        "I_syn",
        probability=connection_probability,
        name="recurrent",
        weight=f"where(inhibitory_pre, -{inhibitory_weight}, {excitatory_weight})*abs(randn())/sqrt({connection_probability}*N_pre)",
    )
    task = Input("task", ("cue", *events))
    drive = Connection(
        task,
        cells,
        "I_in",
        name="input",
        weight=f"where(i == 0, {cue_weight}, {event_weight})*rand()*int(rand() < {input_fraction})",
    )
    return Circuit([cells], [recurrent, drive], inputs=[task], seed=seed, name="spiking reservoir")
