"""Exact circuits whose point is what passes between units: spikes with and without delay, weighted sums, inputs.

Each function returns (circuit, session); a duration is a session of one trial.
"""

from __future__ import annotations

import numpy as np

import neurodyn as nd

LEAKY = """
dv/dt = (v_rest - v + R*(I + drive))/tau + sigma*xi/sqrt(tau) : volt (unless refractory)
dI/dt = -I/(5*ms) : amp
"""


def delays(*, excitatory=40, inhibitory=10, seed=4, probability=0.2, longest="20 ms", silenced=(1, 7)):
    """Two populations, every synapse with its own delay, noise in the code, four connections onto one variable."""
    drive = "bias + I_syn + I_in + noise*randn()"
    parameters = {"bias": nd.Uniform(3, 9), "noise": 3.0}
    exc = nd.izhikevich_2003("exc", excitatory, cells="RS", current=drive, parameters=parameters, jitter=1.0)
    inh = nd.izhikevich_2003("inh", inhibitory, cells="FS", current=drive, parameters=parameters)
    connections = [
        nd.Connection(
            exc,
            exc,
            "I_syn",
            probability=probability,
            weight=nd.Uniform(0, 3),
            delay=nd.Uniform("1 ms", longest),
            name="ee",
        ),
        nd.Connection(inh, exc, "I_syn", probability=0.5, weight=nd.Normal(-3, 1), delay="2 ms", name="ie"),
        nd.Connection(exc, inh, "I_syn", probability=0.3, weight="2 + 3*rand()", delay="(1 + 5*rand())*ms", name="ei"),
        nd.Connection(exc, exc, "I_syn", pattern="one-to-one", weight=0.25, name="loop"),
    ]
    return nd.Circuit([exc, inh], connections, seed=seed).lesion("exc", silenced), "1 s"


def noisy_equations(*, cells=12, sources=15, seed=5, refractory="3 ms", silenced=(3, 4)):
    """Noise and refractoriness in equations, Poisson input onto a variable that rests, and a lesion."""
    leaky = nd.Population(
        "cells",
        cells,
        LEAKY,
        threshold="v > -50*mV",
        reset="v = v_rest + 1*mV\nI = I + 2*pA",
        refractory=refractory,
        method="euler",
        parameters={
            "tau": "20 ms",
            "v_rest": nd.Uniform("-72 mV", "-68 mV"),
            "R": "100 Mohm",
            "sigma": "4 mV",
            "drive": nd.Uniform("150 pA", "280 pA"),
        },
        initial={"v": "v_rest + 10*mV*rand()"},
    )
    source = nd.poisson("source", sources, nd.Uniform("5 Hz", "60 Hz"))
    connections = [
        nd.Connection(source, leaky, "v", probability=0.3, weight="3 mV", delay=nd.Uniform("0.5 ms", "4 ms")),
        nd.Connection(source, leaky, "I", probability=0.3, weight="20 pA"),
        nd.Connection(leaky, leaky, "I", probability=0.3, weight="-30 pA", delay="1.5 ms"),
    ]
    return nd.Circuit([source, leaky], connections, dt="0.5 ms", seed=seed).lesion("cells", silenced), "1 s"


def periods():
    """A refractory period for each unit, Runge-Kutta, clamps (of a variable that rests, too), given spike times."""
    cells = nd.Population(
        "cells",
        8,
        "dv/dt = (v_rest - v + R*I)/tau : volt (unless refractory)\ndI/dt = -I/tau_s : amp\ntau_s : second (constant)",
        threshold="v > -55*mV",
        reset="v = v_rest",
        refractory="period",
        method="rk4",
        parameters={
            "tau": "20 ms",
            "tau_s": nd.Uniform("3 ms", "9 ms"),
            "v_rest": "-70 mV",
            "R": "100 Mohm",
            "period": nd.Uniform("0 ms", "12 ms"),
        },
        initial={"v": "v_rest"},
    )
    rng = np.random.default_rng(0)
    steps, units = np.divmod(rng.choice(2000 * 5, 400, replace=False), 5)
    source = nd.SpikeTimes("source", 5, units, nd.quantity([f"{step / 2} ms" for step in steps]))
    connections = [
        nd.Connection(source, cells, "I", weight="150 pA", delay="2 ms"),
        nd.Connection(cells, cells, "v", probability=0.4, weight="2 mV", delay=nd.Uniform("0.5 ms", "6 ms")),
    ]
    circuit = nd.Circuit([source, cells], connections, dt="0.5 ms", seed=7)
    return circuit.clamp("cells", "v", [2, 6], "-54 mV").clamp("cells", "I", [0, 5], "200 pA"), "1 s"


def patterns():
    """Every way to say who is connected, and with what weights and delays.

    All (with autapses and without), one-to-one, pairs (one of them twice), a matrix with gaps, a chance, a chance of
    none; weights as number, array, distribution and expression of both sides; no, one and many delays.
    """
    rng = np.random.default_rng(1)
    steps, units = np.divmod(rng.choice(1000 * 6, 300, replace=False), 6)
    source = nd.SpikeTimes("source", 6, units, nd.quantity([f"{step} ms" for step in steps]))
    code = "v = 0.9*v + drive + 0.25*a - 0.125*b\na = 0.5*a\nb = 0.75*b"
    cells, others = (
        nd.Population(
            name, 9, code=code, threshold="v > 1", reset="v = v - 1", variables=dict.fromkeys("vab", "1"),
            parameters={"drive": nd.Uniform(0.05, 0.2), "gain": nd.Uniform(0.5, 2)},
        )
        for name in ("cells", "others")
    )  # fmt: skip
    matrix = np.where(rng.random((6, 9)) < 0.5, rng.random((6, 9)), np.nan)
    pairs = ([0, 3, 3, 8, 5, 3], [4, 1, 1, 8, 0, 7])
    each = nd.quantity([f"{k} ms" for k in (1, 4, 9, 0, 2, 4)])
    connections = [
        nd.Connection(source, cells, "a", weight=matrix, delay="1 ms", name="gaps"),
        nd.Connection(source, others, "b", probability=1.0, weight=nd.Uniform(0, 0.5), name="each"),
        nd.Connection(cells, cells, "b", pattern="all", weight="0.01*(i - j)*gain_pre", delay="2 ms", name="all_but_self"),
        nd.Connection(cells, cells, "a", pattern="all", autapses=True, weight=0.03125, name="all_with_self"),
        nd.Connection(cells, others, "a", pairs=pairs, weight=rng.random(6), delay=each, name="listed"),
        nd.Connection(others, cells, "a", pattern="one-to-one", weight="rand()/gain_post", delay="(1 + 7*rand())*ms", name="beside"),
        nd.Connection(others, others, "a", probability=0.4, autapses=True, weight=nd.Uniform(-0.3, 0.5), delay=nd.Uniform("1 ms", "15 ms"), name="chance"),
        nd.Connection(others, cells, "b", probability=0.0, weight=100.0, delay="1 ms", name="none"),
    ]  # fmt: skip
    return nd.Circuit([source, cells, others], connections, dt="1 ms", seed=19), "1 s"


def sums():
    """Weighted sums from inputs and readouts, at once and up to six steps late: to all, by pairs, by chance, one to one.

    Two sums meet in one variable; a readout of a state of the cells feeds back; inputs are sampled at twice the step.
    """
    cells = nd.Population(
        "cells", 7, code="v = 0.8*v + drive + 0.5*a - 0.25*b + 0.125*c", threshold="v > 1", reset="v = v - 1",
        variables=dict.fromkeys("vabc", "1"), parameters={"drive": nd.Uniform(0.1, 0.4)},
    )  # fmt: skip
    pair = nd.Population("pair", 2, code="v = 0.5*v + a", variables=dict.fromkeys("va", "1"))
    sides = ("left", "right", "front", "back", "above", "below")
    one, many = nd.Input("one", ("level",)), nd.Input("many", sides)
    readouts = [
        nd.Readout("level", "cells.v", ("z",), state={"y": "output"}, per_step="y = mean(r)"),
        nd.Readout(
            "both", "cells.v", ("p", "q"), state={"y": "output"},
            memory={"w": ("output*unit", np.linspace(-1, 1, 14).reshape(2, 7))}, per_step="y = 0.5*y + sum(w*r)/7",
        ),
    ]  # fmt: skip
    connections = [
        nd.Connection(one, cells, "a", weight=nd.Uniform(-0.5, 0.5), name="to_all"),
        nd.Connection(many, cells, "a", probability=0.7, weight=nd.Uniform(-0.1, 0.3), delay="1 ms", name="by_chance"),
        nd.Connection(
            many,
            cells,
            "b",
            pairs=([0, 0, 5, 3, 5], [1, 6, 6, 1, 1]),
            weight="0.1*(1 + i)",
            delay="3 ms",
            name="by_pairs",
        ),
        nd.Connection("both.y", cells, "c", weight=nd.Uniform(-0.5, 0.5), delay="3 ms", name="late"),
        nd.Connection("level.y", cells, "b", weight=0.5, name="mean_back"),
        nd.Connection("both.y", pair, "a", pattern="one-to-one", weight=0.5, name="beside"),
    ]
    circuit = nd.Circuit([cells, pair], connections, inputs=[one, many], readouts=readouts, dt="0.5 ms", seed=20)
    rng = np.random.default_rng(2)
    trials = [
        nd.Trial(steps, {"one": rng.random((steps, 1)).round(2), "many": rng.random((steps, 6)).round(3)}, reset=reset)
        for steps, reset in ((301, True), (1, True), (250, False), (448, True))
    ]
    return circuit, nd.Session(tuple(trials), 1e-3, {"one": ("level",), "many": sides})


def closed_loop(*, size=10, every=7, gain=0.1, seed=10):
    """A Python function that is asked every 7 ms."""

    def function(t, values):
        return [gain * (np.mean(values["cells.u"]) + 20)]

    cells = nd.izhikevich_2003("cells", size, cells="RS", parameters={"bias": nd.Uniform(0, 5)})
    loop = nd.Input("hand", ("x",), function=function, every=f"{every} ms")
    rate = nd.Filter("rate", cells, "20 ms")
    link = nd.Connection(loop, cells, "I_in", weight=nd.Uniform(0, 5))
    return nd.Circuit([cells], [link], inputs=[loop], filters=[rate], seed=seed), "1 s"
