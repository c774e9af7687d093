"""Circuits whose synapses change inside the network: at spikes, by eligibility and modulators, at the border of a trial.

Each function returns (circuit, session). Those in closed form advance synapses at their events only; Brian2, which
advances all in every step, runs the others.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import neurodyn as nd


def eligibility(*, size=25, seed=31, form="auto", delay=None, lengths=(460, 220, 320)):
    """Dopamine, dips included, turns eligibility into weights between hard bounds; beside it STDP and scaling, delays of all lengths."""
    noisy = {"current": "bias + I_syn + noise*randn()", "jitter": 1.0}
    cells = nd.izhikevich_2003("cells", size, parameters={"bias": nd.Uniform(2, 7), "noise": 2.0}, **noisy)
    rate = nd.Filter("rate", cells, "50 ms")
    rules = (
        nd.dopamine_stdp(tau_c="150 ms", tau_d="60 ms", baseline=0.01, gain=20.0),
        nd.stdp(A_plus=0.01, A_minus=0.012, nearest=True),
        nd.synaptic_scaling(target="20 Hz", strength=0.05, every="70 ms"),
    )
    plastic = nd.Connection(
        cells,
        cells,
        "I_syn",
        probability=0.3,
        weight=nd.Uniform(0, 2),
        delay=nd.Uniform("1 ms", "9 ms") if delay is None else delay,
        rules=[replace(rule, form=form) for rule in rules],
        bounds=(0, 2.05),
        name="plastic",
    )
    circuit = nd.Circuit([cells], [plastic], inputs=[nd.Input("reward", ("reward",))], filters=[rate], seed=seed)
    trials = []
    for number, steps in enumerate(lengths):
        reward = np.zeros((steps, 1))
        reward[20::60], reward[50::90], reward[-7:] = 0.5, -0.8, 0.05
        trials.append(nd.Trial(steps, {"reward": reward}, learning=number != 1, reset=number != 2))
    return circuit, nd.Session(tuple(trials), 1e-3, {"reward": ("reward",)})


def eligibility_per_step():
    """The same rules with every synapse advanced in every step."""
    return eligibility(form="per_step")


def pair_rules(*, form="auto"):
    """STDP, additive and multiplicative, without delay and a step late; at the border of a trial weights are normalised."""
    cells = nd.izhikevich_2003(
        "cells", 20, current="bias + I_syn + noise*randn()", parameters={"bias": 5.0, "noise": 3.0}
    )
    counted = nd.SynapticRule(
        "counted",
        state={"pairs": "synapse", "spent": ("synapse", 1.0)},
        memory={"seen": "synapse"},
        traces={"x": nd.Trace("pre", "15 ms"), "y": nd.Trace("post", "25 ms")},
        on_pre="pairs += where(y > 0.5, 1, 0)\nseen += 1",
        on_post="spent *= 1 - 0.1*x\npairs -= 0.5*x",
        trial_start="pairs = 0.25",
        trial_end="w = 0.9*w + 0.01*pairs*spent + 0.001*u_pre - 0.001*u_post",
    )
    counted = replace(counted, form=form)
    soft = nd.stdp(A_plus=0.05, A_minus=0.06, w_max=1.5)
    links = [
        nd.Connection(cells, cells, "I_syn", probability=0.3, weight=0.5, rules=[soft, counted], name="soft"),
        nd.Connection(
            cells,
            cells,
            "I_syn",
            probability=0.2,
            weight=0.7,
            delay="1 ms",
            rules=replace(nd.stdp("hard"), form=form),
            bounds=(None, 0.75),
            name="late",
        ),
    ]
    trials = tuple(nd.Trial(steps, learning=number != 2) for number, steps in enumerate((450, 1, 150, 400)))
    return nd.Circuit([cells], links, seed=33), nd.Session(trials, 1e-3)


def pair_rules_per_step():
    """The same, with every trace of every synapse advanced in every step."""
    return pair_rules(form="per_step")


def learning_rates(*, size=12, seed=34):
    """Weighted sums that learn: node perturbation all to all, a Hebbian rule with decay between few, both bounded."""
    cells = nd.Population(
        "cells",
        size,
        code="""
before = r
kick = where(rand() < 0.1, 4*(rand() - 0.5), 0)
x += 0.1*(I_rec + I_few + I_in + kick - x)
r = tanh(x)
fluctuation = x - x_mean
x_mean = 0.1*x_mean + 0.9*x
""",
        variables=dict.fromkeys(("x", "r", "before", "kick", "fluctuation", "x_mean", "I_rec", "I_few", "I_in"), "1"),
        initial={"x": "0.3*randn()", "r": "tanh(x)"},
        dt="1 ms",
    )
    paid = nd.Input("paid", ("paid",))
    perturbed = nd.node_perturbation(activity="before", modulation="paid", rate=0.5, largest=0.05)
    hebbian = nd.SynapticRule(
        "hebbian", parameters={"eta": "2 Hz"}, traces={"e": nd.Trace("synapse", "30 ms")}, per_step="e += 0.1*r_pre*r_post", dw_dt="eta*(paid*e - w)"
    )  # fmt: skip
    links = [
        nd.Connection("cells.r", cells, "I_rec", weight=nd.Normal(0, 0.4), rules=perturbed, name="all"),
        nd.Connection("cells.r", cells, "I_few", probability=0.4, weight=0.1, delay="3 ms", rules=hebbian, bounds=(-0.2, 0.2), name="few"),
        nd.Connection(paid, cells, "I_in", weight=nd.Uniform(-1, 1), name="input"),
    ]  # fmt: skip
    trials = tuple(nd.Trial(80, {"paid": np.full(1, value)}, reset=False) for value in (1.0, -0.5, 0.25))
    return nd.Circuit([cells], links, inputs=[paid], seed=seed), nd.Session(trials, 1e-3, {"paid": ("paid",)})
