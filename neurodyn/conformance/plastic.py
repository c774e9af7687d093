"""Circuits whose point is what is read out and learned: filters, features, rules, feedback, trials with flags.

Each function returns (circuit, session). Delta rules are exact; recursive least squares is classified as tolerant, so
that a runner may use matrix products.
"""

from __future__ import annotations

import numpy as np

import neurodyn as nd


def learning(*, size=30, seed=9, lengths=(217, 217, 40, 217, 1, 217, 150)):
    """Trials with resets, inputs, feedback from a readout of double-exponential traces, learning by normalised LMS."""
    cells = nd.izhikevich_2003(
        "cells",
        size,
        current="bias + I_syn + I_in + noise*randn()",
        jitter=0.5,
        parameters={"bias": nd.Uniform(2, 6), "noise": 1.0},
    )
    task = nd.Input("task", ("cue", "go"))
    connections = [
        nd.Connection(cells, cells, "I_syn", probability=0.2, weight=nd.Normal(0, 1), delay=nd.Uniform("1 ms", "6 ms")),
        nd.Connection(task, cells, "I_in", probability=0.5, weight=nd.Uniform(0, 8), name="drive"),
    ]
    circuit = nd.Supervised(
        outputs=("z", "s"), learner=nd.NLMS(rate=0.1), tau="30 ms", tau_rise="4 ms", feedback=1.0
    ).attach(nd.Circuit([cells], connections, inputs=[task], seed=seed))
    trials = []
    for number, steps in enumerate(lengths):
        t = np.arange(steps)
        shown = np.stack([(t > 20) & (t < 50), t == 100 + number], axis=1).astype(float)
        target = np.stack([np.sin((t + seed) / 30), np.full(steps, 0.3)], axis=1)
        inputs = {"task": shown, "target": target}
        trials.append(nd.Trial(steps, inputs, learning=number % 3 != 1, reset=number % 4 != 2))
    return circuit, nd.Session(tuple(trials), 1e-3, {"task": ("cue", "go"), "target": ("z", "s")})


def what_and_when():
    """The reservoir that learns what comes and when, small: a trial of calibration, of training and of test."""
    circuit = nd.WhatWhenRule().attach(nd.SpikingReservoir(neurons=25, seed=3))
    return circuit, _three_trials()


def local_rule():
    """The local three-factor rule on running features, without feedback."""
    rule = nd.WhatWhenRule(when=nd.LocalThreeFactor(rate=1e-3), features="running", feedback=0.0)
    return rule.attach(nd.SpikingReservoir(neurons=20, seed=4)), _three_trials()


def least_squares(*, size=15, seed=14, steps=300):
    """Recursive least squares on a spiking network, with feedback."""
    cells = nd.izhikevich_2003("cells", size, parameters={"bias": nd.Uniform(3, 9)})
    learn = nd.Supervised(outputs=("z",), learner=nd.FORCE(every="3 ms", alpha=1.0, gated=False), feedback=2.0)
    target = np.sin((np.arange(steps) + seed) / 20)[:, None]
    session = nd.Session((nd.Trial(steps, {"target": target}),), 1e-3, {"target": ("z",)})
    return learn.attach(nd.Circuit([cells], seed=seed)), session


def forgetting():
    """Least squares that forget, with the gain of Nicola and Clopath in every step and the canonical one once a trial."""
    cells = nd.izhikevich_2003("cells", 12, jitter=0.5, parameters={"bias": nd.Uniform(4, 12)})
    circuit = nd.Circuit([cells], seed=23)
    online = nd.FORCE(every="5 ms", forgetting=0.99, alpha=10.0, variant="nicola_clopath", gated=False)
    for name, learner in (("online", online), ("by_trial", nd.TrialFORCE(forgetting=0.96))):
        circuit = nd.Supervised(outputs=("z", "s"), name=name, learner=learner, feedback=1.0).attach(circuit)
    t = np.arange(100)
    target = np.stack([np.sin(t / 15), np.full(t.size, 0.3)], axis=1)
    trials = [nd.Trial(t.size, {"target": target}, learning=number != 2) for number in range(4)]
    return circuit, nd.Session(tuple(trials), 1e-3, {"target": ("z", "s")})


def _three_trials() -> nd.Session:
    session = nd.tasks.WhatWhen(latencies=("150 ms", "300 ms"), probability=0.8).session(trials=1)
    return nd.Session(session.trials[4:7], session.dt, session.channels)
