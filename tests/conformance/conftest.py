"""Circuits and a harness for the suite that every runner has to pass.

Each circuit is a function that returns (circuit, session); ``EXACT`` hold + - * / and comparisons only, so that every
runner has to give the same bits; ``TOLERANT`` hold exponentials, sums over populations or matrix products.
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.backends import engine_class
from neurodyn.backends.engine import SampleSpec
from neurodyn.network import realize
from neurodyn.session import Session, Trial

RUNNERS = ("interpreter", "numba", "brian2")


def heterogeneous():
    """The published 1-ms scheme, each cell another one."""
    return nd.Circuit([nd.izhikevich_2003("cells", 20, parameters={"bias": nd.Uniform(0, 15)})], seed=1), "1 s"


def euler_2003():
    cells = nd.izhikevich_2003("cells", 7, scheme="euler", dt="0.5 ms", parameters={"bias": nd.Uniform(4, 15)})
    return nd.Circuit([cells], seed=2), "1 s"


def regular_spiking_2007():
    """Physical units, 10 000 steps of 0.1 ms."""
    current = np.linspace(60, 400, 5) * 1e-12
    cells = nd.izhikevich_2007("cells", 5, parameters={"I": nd.quantity([f"{x} A" for x in current])})
    return nd.Circuit([cells], dt="0.1 ms", seed=3), "1 s"


def delays():
    """Two populations, every synapse with its own delay, noise in the code, four connections onto one variable."""
    drive = "bias + I_syn + I_in + noise*randn()"
    parameters = {"bias": nd.Uniform(3, 9), "noise": 3.0}
    exc = nd.izhikevich_2003("exc", 40, cells="RS", current=drive, parameters=parameters, jitter=1.0)
    inh = nd.izhikevich_2003("inh", 10, cells="FS", current=drive, parameters=parameters)
    connections = [
        nd.Connection(
            exc, exc, "I_syn", probability=0.2, weight=nd.Uniform(0, 3), delay=nd.Uniform("1 ms", "20 ms"), name="ee"
        ),
        nd.Connection(inh, exc, "I_syn", probability=0.5, weight=nd.Normal(-3, 1), delay="2 ms", name="ie"),
        nd.Connection(exc, inh, "I_syn", probability=0.3, weight="2 + 3*rand()", delay="(1 + 5*rand())*ms", name="ei"),
        nd.Connection(exc, exc, "I_syn", pattern="one-to-one", weight=0.25, name="loop"),
    ]
    return nd.Circuit([exc, inh], connections, seed=4).lesion("exc", [1, 7]), "1 s"


LEAKY = """
dv/dt = (v_rest - v + R*(I + drive))/tau + sigma*xi/sqrt(tau) : volt (unless refractory)
dI/dt = -I/(5*ms) : amp
"""


def noisy_equations():
    """Noise and refractoriness in equations, Poisson input onto a variable that rests, and a lesion."""
    cells = nd.Population(
        "cells",
        12,
        LEAKY,
        threshold="v > -50*mV",
        reset="v = v_rest + 1*mV\nI = I + 2*pA",
        refractory="3 ms",
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
    source = nd.poisson("source", 15, nd.Uniform("5 Hz", "60 Hz"))
    connections = [
        nd.Connection(source, cells, "v", probability=0.3, weight="3 mV", delay=nd.Uniform("0.5 ms", "4 ms")),
        nd.Connection(source, cells, "I", probability=0.3, weight="20 pA"),
        nd.Connection(cells, cells, "I", probability=0.3, weight="-30 pA", delay="1.5 ms"),
    ]
    return nd.Circuit([source, cells], connections, dt="0.5 ms", seed=5).lesion("cells", [3, 4]), "1 s"


def two_noises():
    """Two noise terms (which Brian2 draws in another order from process to process), draws in threshold and reset."""
    cells = nd.Population(
        "cells",
        6,
        "dv/dt = (mu - v)/tau + s*xi_b/sqrt(tau) + s*xi_a/sqrt(tau) : 1\ndw/dt = -w/tau + 2*xi_a/sqrt(tau) : 1",
        threshold="v > 1 or rand() < 30*Hz*dt",
        reset="v = 0.1*randn()\nw = w + 0.1*rand()",
        method="euler",
        parameters={"mu": np.linspace(0.6, 1.2, 6), "s": 0.4, "tau": "10 ms"},
    )
    return nd.Circuit([cells], dt="1 ms", seed=6).lesion("cells", [5]), "1 s"


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


def closed_form():
    """Integration by 'exact': every exponential is constant, so the class is exact, too."""
    cells = nd.Population(
        "cells", 6, "dv/dt = (v_rest - v + R*I)/tau : volt\ndI/dt = (drive - I)/tau_s : amp", threshold="v > -55*mV", reset="v = v_rest",
        parameters={"tau": nd.Uniform("12 ms", "25 ms"), "tau_s": "5 ms", "v_rest": "-70 mV", "R": "100 Mohm", "drive": "200 pA"},
        initial={"v": "v_rest"}, method="exact",
    )  # fmt: skip
    return nd.Circuit(
        [cells], [nd.Connection(cells, cells, "I", probability=0.5, weight="-40 pA", delay="3 ms")], dt="1 ms", seed=11
    ), "1 s"


def pulses():
    """Stimulation through weighted sums, and a code with a swap, a condition, a chained comparison and the step."""
    cells = nd.Population(
        "cells", 9, code="""
            a_old = a
            a = b + 0.01*I
            b = 0.9*a_old - 0.2*c
            c = 0.5*c + a - b + where(0.1 < r < 0.7 and not flip, 0.25, -0.125*maximum(c, 0.5))
            v = v + 0.1*c + 0.05*I + 0.5*(step % 7 < 2)
        """, threshold="v > 1", reset="v = v - 1\nb = b + a - 0.5", variables=dict.fromkeys(["a", "b", "c", "v", "I"], "1"),
        parameters={"r": nd.Uniform(0, 1), "flip": "r < 0.3"}, initial={"a": "r", "b": 1.0},
    )  # fmt: skip
    circuit = nd.Circuit([cells], dt="1 ms", seed=8)
    circuit = circuit.stimulate("cells", "I", [0, 1, 2], amplitude=2.0, start="100 ms", stop="300 ms")
    return circuit.stimulate("cells", "I", [2, 3], amplitude=-1.5, start="250 ms", stop="700 ms"), "1 s"


def learning():
    """Trials with resets, inputs, feedback from a readout of double-exponential traces, learning by normalised LMS."""
    cells = nd.izhikevich_2003(
        "cells",
        30,
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
    ).attach(nd.Circuit([cells], connections, inputs=[task], seed=9))
    t = np.arange(217)
    trials = []
    for number in range(6):
        shown = np.stack([(t > 20) & (t < 50), t == 100 + number], axis=1).astype(float)
        target = np.stack([np.sin(t / 30), np.full(t.size, 0.3)], axis=1)
        trials.append(Trial(217, {"task": shown, "target": target}, learning=number != 3, reset=number != 4))
    return circuit, Session(tuple(trials), 1e-3, {"task": ("cue", "go"), "target": ("z", "s")})


def what_and_when():
    """The reservoir that learns what comes and when, small: a trial of calibration, of training and of test."""
    circuit = nd.WhatWhenRule().attach(nd.SpikingReservoir(neurons=25, seed=3))
    session = nd.tasks.WhatWhen(latencies=("150 ms", "300 ms"), probability=0.8).session(trials=1)
    return circuit, Session(session.trials[4:7], session.dt, session.channels)


def closed_loop():
    """A Python function that is asked every 7 ms."""
    cells = nd.izhikevich_2003("cells", 10, cells="RS", parameters={"bias": nd.Uniform(0, 5)})
    loop = nd.Input("hand", ("x",), function=lambda t, values: [0.1 * (np.mean(values["cells.u"]) + 20)], every="7 ms")
    rate = nd.Filter("rate", cells, "20 ms")
    return nd.Circuit(
        [cells], [nd.Connection(loop, cells, "I_in", weight=nd.Uniform(0, 5))], inputs=[loop], filters=[rate], seed=10
    ), "1 s"


EXACT = {
    f.__name__: f
    for f in (
        heterogeneous,
        euler_2003,
        regular_spiking_2007,
        delays,
        noisy_equations,
        two_noises,
        periods,
        closed_form,
        pulses,
        learning,
        what_and_when,
        closed_loop,
    )
}


# -- tolerant ----------------------------------------------------------------------------------------------------


def adaptive_exponential():
    cells = nd.Population(
        "cells", 9, """
        dv/dt = (g*(E - v) + g*D*exp((v - v_t)/D) - w + I + drive)/C : volt (unless refractory)
        dw/dt = (a*(v - E) - w)/tau_w : amp
        dI/dt = -I/(5*ms) : amp
        """, threshold="v > v_t + 5*D", reset="v = -58*mV\nw += 50*pA", refractory="2 ms", method="exponential_euler",
        parameters={"g": "10 nS", "E": "-70 mV", "D": "2 mV", "v_t": nd.Uniform("-51 mV", "-49 mV"), "C": "200 pF", "a": "2 nS",
                    "tau_w": "30 ms", "drive": nd.Uniform("250 pA", "600 pA")},
        initial={"v": "E"},
    )  # fmt: skip
    loop = nd.Connection(cells, cells, "I", probability=0.4, weight="60 pA", delay=nd.Uniform("0.2 ms", "3 ms"))
    return nd.Circuit([cells], [loop], dt="0.2 ms", seed=12), "400 steps"


def rates():
    """Weighted sums between populations: 0, 1 and 3 steps late, dense and sparse, two onto one variable."""
    unit: dict[str, Any] = {"variables": {"x": "1", "y": "1", "z": "1"}, "initial": {"x": "randn()"}}
    a = nd.Population("a", 7, code="x = tanh(0.9*y + 0.5*z + 0.1*x)", **unit)
    b = nd.Population("b", 5, code="x = x + 0.2*(tanh(y) - x + z)", **unit)
    connections = [
        nd.Connection("a.x", a, "y", weight=nd.Normal(0, 0.6), name="aa"),
        nd.Connection("b.x", a, "y", weight=nd.Normal(0, 0.5), delay="3 ms", name="ba"),
        nd.Connection("a.x", b, "y", probability=0.6, weight=nd.Normal(0, 0.7), delay="0 ms", name="ab"),
        nd.Connection("b.x", b, "z", pattern="one-to-one", weight=0.1, delay="1 ms", name="bb"),
    ]
    return nd.Circuit([a, b], connections, dt="1 ms", seed=13), "400 steps"


def least_squares():
    """Recursive least squares on a spiking network, with feedback."""
    cells = nd.izhikevich_2003("cells", 15, parameters={"bias": nd.Uniform(3, 9)})
    learn = nd.Supervised(outputs=("z",), learner=nd.FORCE(every="3 ms", alpha=1.0, gated=False), feedback=2.0)
    target = np.sin(np.arange(300) / 20)[:, None]
    session = Session((Trial(300, {"target": target}),), 1e-3, {"target": ("z",)})
    return learn.attach(nd.Circuit([cells], seed=14)), session


TOLERANT = {f.__name__: f for f in (adaptive_exponential, rates, least_squares)}


# -- harness -----------------------------------------------------------------------------------------------------


def pytest_generate_tests(metafunc):
    for name, values in (("exact", EXACT), ("tolerant", TOLERANT), ("runner", RUNNERS)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, list(values))


@functools.cache
def described(name):
    """The circuit of that name, its network, and its trials as (steps, options, inputs)."""
    circuit, session = {**EXACT, **TOLERANT}[name]()
    trials = []
    if isinstance(session, str):
        number, unit = session.split()
        steps = int(number) if unit == "steps" else round(float(number) / circuit.timestep)
        trials.append((steps, {"learning": True, "calibration": False, "reset": True}, _pulses(circuit, steps)))
    else:
        for trial in session.trials:
            options = {"learning": trial.learning, "calibration": trial.calibration, "reset": trial.reset}
            inputs = {i.name: trial.inputs.get(i.name, np.zeros(len(i.channels))) for i in circuit.inputs}
            trials.append(
                (trial.steps, options, {k: np.broadcast_to(v, (trial.steps, v.shape[-1])) for k, v in inputs.items()})
            )
    return SimpleNamespace(circuit=circuit, session=session, network=realize(circuit), trials=trials)


def _pulses(circuit, steps):
    t, inputs = np.arange(steps) * circuit.timestep, {}
    for source in circuit.inputs:
        inputs[source.name] = np.zeros((steps, len(source.channels)))
        for start, stop, amplitude in source.pulses:
            low, high = (nd.quantity(x).value - 1e-9 for x in (start, stop))
            inputs[source.name][(t >= low) & (t < high)] += amplitude
    return inputs


def engine(network, runner, **options):
    """A runner that records all spikes and every state or memory of one axis at most."""
    program = network.program
    names = [a for a in program.arrays if a.role in ("state", "memory") and len(a.axes) < 2]
    samples = [
        SampleSpec(a.name, np.arange(int(np.prod([network.sizes[x] for x in a.axes], dtype=int))), 1) for a in names
    ]
    return engine_class(runner)(network, samples=samples, spikes=program.spiking, **options)


def play(machine, trials, lengths, *, skip=0, stop=None):
    """Run the steps from ``skip`` to ``stop`` of a list of trials in chunks of ``lengths`` (in turn); return what was recorded."""
    spikes, samples, turn, at = [], [], 0, 0
    for steps, options, inputs in trials:
        if at >= skip:
            machine.start_trial(**options, inputs={k: v[0] for k, v in inputs.items()})
        done = 0
        while done < steps:
            if at + done < skip:
                done = min(steps, skip - at)
                continue
            if stop is not None and at + done >= stop:
                break
            length = min(lengths[turn % len(lengths)], steps - done, (stop or 10**9) - at - done)
            turn += 1
            records = machine.advance(length, {k: v[done : done + length] for k, v in inputs.items()})
            spikes.append(records.spikes)
            samples.append(records.samples)
            done += length
        if done < steps:
            break
        at += steps
        if at > skip:
            machine.end_trial()
    joined = {
        f"spikes/{p}": np.concatenate([np.stack(s[p]) for s in spikes], axis=1) for p in (spikes[0] if spikes else ())
    }
    return joined | {p: np.concatenate([s[p] for s in samples]) for p in (samples[0] if samples else ())}


def same(a, b):
    """Assert that two results of `play`, or two states, are the same bits."""
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@pytest.fixture(scope="session")
def suite():
    return SimpleNamespace(described=described, engine=engine, play=play, same=same, EXACT=EXACT, TOLERANT=TOLERANT)
