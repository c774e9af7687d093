"""Rate networks of tanh units: a reservoir (Hoerzer et al. 2014), and one that explores by perturbations (Miconi 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.circuit import Circuit
from neurodyn.citing import cites
from neurodyn.parts import CircuitError, Connection, Input, Normal, Population, Readout, Uniform

_RESERVOIR = """
x += dt/tau*(I_rec + I_in - x)
r = tanh(x) + noise*(2*rand() - 1)
"""

# The mean follows x within a step or two, so that the fluctuation is what is sudden: a perturbation, not the drift.
_PERTURBED = """
r_before = r
kick = where(rand() < kick_rate*dt, perturbation*(2*rand() - 1), 0)
x = where(held > 0, held_at, x + dt/tau*(I_rec + I_in + kick - x))
r = tanh(x)
fluctuation = x - x_mean
x_mean = (1 - mean_rate)*x_mean + mean_rate*x
"""

_REWARD = """
y = sum(cells.is_output*r)
if scored > 0:
    samples += 1
    error += (abs(target - y) - error)/samples
reward = -error
surprise = reward - sum(kind*expected)
modulation = -sum(kind*expected)*surprise
"""

#: bias units of Miconi's network, by index
HELD = {1: 1.0, 10: 1.0, 11: -1.0}


@cites("hoerzer2014", "sompolinsky1988")
def RateReservoir(
    neurons: int = 1000,
    *,
    connection_probability: float = 0.1,
    gain: float = 1.5,
    tau: Any = "50 ms",
    noise: float = 0.05,
    channels: tuple[str, ...] = (),
    input_weight: float = 1.0,
    dt: Any = "1 ms",
    seed: int = 1,
) -> Circuit:
    """Return a reservoir of tanh units with fixed random recurrence, chaotic where the gain is above 1.

    tau x' = -x + J r(t - dt) + I_in by forward Euler, r = tanh(x) + noise*U(-1, 1), J normal with standard deviation
    gain/sqrt(p N). Attach a readout with ``nd.Supervised(rates="r", ...)``; its feedback goes to ``I_in``.

    Parameters
    ----------
    neurons : int
        Number of units, at least 1.
    connection_probability : float
        Chance of each directed pair, in (0, 1]; no autapses.
    gain : float
        Spectral radius of J for many units, >= 0.
    tau, dt : time
        Time constant of the units, and step.
    noise : float
        Half the width of the uniform noise of the rates, drawn anew each step, >= 0.
    channels : tuple of str
        Channels of the input "task", which reaches all units; none: no input.
    input_weight : float
        Its weights are uniform in +-input_weight, >= 0.
    seed : int
        Key of wiring, start values and noise.

    Raises
    ------
    CircuitError
        For numbers out of range.

    References
    ----------
    Hoerzer, Legenstein & Maass (2014) Cereb. Cortex 24:677; Sompolinsky, Crisanti & Sommers (1988) PRL 61:259.
    """
    _check_probability(connection_probability)
    _check(gain=gain, noise=noise, input_weight=input_weight)
    cells = Population(
        "cells",
        neurons,
        code=_RESERVOIR,
        variables={"x": "1", "r": "1", "I_rec": "1", "I_in": "1"},
        parameters={"tau": tau, "noise": noise},
        initial={"x": "0.5*randn()", "r": "tanh(x)"},
    )
    spread = gain / np.sqrt(connection_probability * max(neurons, 1))
    recurrent = Connection(
        "cells.r", cells, "I_rec", probability=connection_probability, weight=Normal(0, spread), name="recurrent"
    )
    inputs, links = [], [recurrent]
    if channels:
        inputs = [Input("task", channels)]
        links.append(Connection(inputs[0], cells, "I_in", weight=Uniform(-input_weight, input_weight), name="input"))
    return Circuit([cells], links, inputs=inputs, dt=dt, seed=seed, name="rate reservoir")


@cites("miconi2017")
def PerturbedRateNetwork(
    neurons: int = 200,
    *,
    channels: tuple[str, ...] = ("A", "B"),
    kinds: tuple[str, ...] = ("AA", "AB", "BA", "BB"),
    gain: float = 1.5,
    tau: Any = "30 ms",
    input_weight: float = 1.0,
    perturbation: float = 16.0,
    perturbation_rate: Any = "3 Hz",
    held: Mapping[int, float] = HELD,
    mean_rate: float = 0.95,
    reward_rate: float = 0.25,
    dt: Any = "1 ms",
    seed: int = 1,
) -> Circuit:
    """Return a rate network that explores by rare perturbations of its units, with its own reward and expected reward.

    tau x' = -x + J r(t - dt) + W u + kick by forward Euler, r = tanh(x). A unit is kicked at random times, for one step,
    by perturbation*U(-1, 1): x jumps by dt/tau of that. Unit 0 is the output and has no input; units of ``held`` are
    clamped (biases). What a three-factor rule needs lies in variables of "cells": ``r_before`` (rates before this step)
    and ``fluctuation`` = x - x_mean, with x_mean <- (1 - mean_rate) x_mean + mean_rate x after it was used.

    The readout "reward" scores the trial: ``error`` is the mean of ``|target - y|`` over the steps in which the input
    "scored" is 1, ``reward`` = -error, ``surprise`` = reward - expected reward of this kind of trial, ``modulation`` =
    -expected*surprise, Miconi's third factor. They are complete in the last step of a trial, and at its end
    expected <- expected + reward_rate*surprise, also where nothing is learnt.

    Parameters
    ----------
    neurons : int
        Number of units, more than the largest index in ``held``.
    channels, kinds : tuple of str
        Channels of the input "task", and kinds of trials (input "kind", 1 for that of the trial).
    gain : float
        Weights J are normal with standard deviation gain/sqrt(neurons), all to all.
    tau, dt : time
        Time constant of the units, and step.
    input_weight : float
        Weights of the input are uniform in +-input_weight.
    perturbation, perturbation_rate : float, quantity in Hz
        Greatest kick, >= 0, and how often a unit is kicked on average; at most one kick a step.
    held : mapping of unit to value
        Bias units and their x.
    mean_rate, reward_rate : float
        How much of the new value enters the running means, in (0, 1].
    seed : int
        Key of wiring, start values and perturbations.

    Raises
    ------
    CircuitError
        For numbers out of range.

    References
    ----------
    Miconi (2017) eLife 6:e20899, and its published code (dnms/net.cpp).
    """
    _check(gain=gain, input_weight=input_weight, perturbation=perturbation)
    for name, value in (("mean_rate", mean_rate), ("reward_rate", reward_rate)):
        if not 0 < value <= 1:
            raise CircuitError(f"{name} = {value!r}, allowed is above 0 up to 1")
    for unit in held:
        if not 0 < unit < neurons:
            raise CircuitError(f"held: unit {unit!r}; allowed are 1 to {neurons - 1} (unit 0 is the output)")
    chance = units.si(perturbation_rate, "hertz", name="perturbation_rate", low=0.0) * units.si(dt, "s", name="dt")  # type: ignore[operator]
    if not chance <= 1:
        raise CircuitError(f"perturbation_rate = {perturbation_rate!r}: at most one kick in a step of {dt}")
    index = np.array(list(held), dtype=np.int64)
    flags, values, output = np.zeros(neurons), np.zeros(neurons), np.zeros(neurons)
    flags[index], values[index], output[:1] = 1.0, list(held.values()), 1.0
    cells = Population(
        "cells",
        neurons,
        code=_PERTURBED,
        variables=dict.fromkeys(("x", "r", "r_before", "I_rec", "I_in", "kick", "fluctuation", "x_mean"), "1"),
        parameters={
            "tau": tau,
            "perturbation": perturbation,
            "kick_rate": perturbation_rate,
            "held": flags,
            "held_at": values,
            "is_output": output,
            "mean_rate": mean_rate,
        },
        initial={"x": "where(held > 0, held_at, 0.2*rand() - 0.1)", "r": "tanh(x)", "x_mean": "x"},
    )
    task = Input("task", channels)
    reward = Readout(
        "reward",
        "cells.r",
        kinds,
        state=dict.fromkeys(("y", "samples", "error", "reward", "surprise", "modulation"), "network"),
        memory={"expected": "output"},
        parameters={"reward_rate": reward_rate},
        per_step=_REWARD,
        trial_end="expected += reward_rate*kind*surprise",
    )
    return Circuit(
        [cells],
        [
            Connection("cells.r", cells, "I_rec", weight=Normal(0, gain / np.sqrt(neurons)), name="recurrent"),
            Connection(task, cells, "I_in", weight=f"{input_weight}*(2*rand() - 1)*(j > 0)", name="input"),
        ],
        inputs=[task, Input("target", ("target",)), Input("scored", ("scored",)), Input("kind", kinds)],
        readouts=[reward],
        dt=dt,
        seed=seed,
        name="perturbed rate network",
    )


def _check_probability(value: float) -> None:
    if not 0 < value <= 1:
        raise CircuitError(f"connection_probability = {value!r}, allowed is above 0 up to 1")


def _check(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value < float("inf"):
            raise CircuitError(f"{name} = {value!r}, give 0 or a positive number")
