"""Tolerant circuits: exponentials and other functions of state, sums over populations, powers.

Each function returns (circuit, session); their runs are short, since every step is compared from the same state.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import neurodyn as nd


def adaptive_exponential():
    """Adaptive exponential integrate-and-fire cells by exponential Euler, at rest after a spike, recurrent."""
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
    return nd.Circuit([cells], [loop], dt="0.2 ms", seed=12), "80 ms"


def hodgkin_huxley():
    """Hodgkin and Huxley's membrane with its three gates, by exponential Euler (Traub and Miles's rates)."""
    cells = nd.Population(
        "cells", 5, """
        dv/dt = (g_l*(E_l - v) + g_na*m**3*h*(E_na - v) + g_k*n**4*(E_k - v) + drive)/C : volt
        dm/dt = 0.32/mV*4*mV/exprel((13*mV - v + v_t)/(4*mV))/ms*(1 - m) - 0.28/mV*5*mV/exprel((v - v_t - 40*mV)/(5*mV))/ms*m : 1
        dn/dt = 0.032/mV*5*mV/exprel((15*mV - v + v_t)/(5*mV))/ms*(1 - n) - 0.5*exp((10*mV - v + v_t)/(40*mV))/ms*n : 1
        dh/dt = 0.128*exp((17*mV - v + v_t)/(18*mV))/ms*(1 - h) - 4/(1 + exp((40*mV - v + v_t)/(5*mV)))/ms*h : 1
        """, threshold="v > -20*mV", reset="", refractory="3 ms", method="exponential_euler",
        parameters={"g_l": "10 nS", "E_l": "-65 mV", "g_na": "20 uS", "E_na": "50 mV", "g_k": "6 uS", "E_k": "-90 mV",
                    "C": "200 pF", "v_t": "-63 mV", "drive": nd.Uniform("300 pA", "900 pA")},
        initial={"v": "E_l", "h": 1.0},
    )  # fmt: skip
    return nd.Circuit([cells], dt="0.05 ms", seed=21), "30 ms"


def exponential_euler(dt: str = "1 ms"):
    """Predator and prey by exponential Euler, whose exponentials are of state; its order is measured, too."""
    cells = nd.Population(
        "exponential_euler", 4, "dx/dt = x*(1 - y)/tau : 1\ndy/dt = y*(x - 1)/tau : 1", method="exponential_euler",
        parameters={"tau": "20 ms"}, initial={"x": "0.5 + 0.25*i", "y": 1.0},
    )  # fmt: skip
    return nd.Circuit([cells], dt=dt), "200 ms"


def rates(*, first=7, second=5, seed=13):
    """Weighted sums between populations: 0, 1 and 3 steps late, dense and sparse, two onto one variable."""
    unit: dict[str, Any] = {"variables": {"x": "1", "y": "1", "z": "1"}, "initial": {"x": "randn()"}}
    a = nd.Population("a", first, code="x = tanh(0.9*y + 0.5*z + 0.1*x)", **unit)
    b = nd.Population("b", second, code="x = x + 0.2*(tanh(y) - x + z)", **unit)
    connections = [
        nd.Connection("a.x", a, "y", weight=nd.Normal(0, 0.6), name="aa"),
        nd.Connection("b.x", a, "y", weight=nd.Normal(0, 0.5), delay="3 ms", name="ba"),
        nd.Connection("a.x", b, "y", probability=0.6, weight=nd.Normal(0, 0.7), delay="0 ms", name="ab"),
        nd.Connection("b.x", b, "z", pattern="one-to-one", weight=0.1, delay="1 ms", name="bb"),
    ]
    return nd.Circuit([a, b], connections, dt="1 ms", seed=seed), "400 ms"


def functions():
    """Every function of the language whose last bit a math library decides, and powers."""
    cells = nd.Population(
        "cells", 8, code="""
            x = 0.8*x + 0.4*randn()
            p = abs(x) + 0.125
            a = exp(-p) + expm1(0.5*x) + exprel(x)
            b = log(p) + log1p(p) + log10(1 + p)
            c = sin(3*x) + cos(2*x) + tan(0.25*sin(x)) + arctan(4*x)
            d = tanh(x) + sinh(0.5*x) + cosh(0.5*x)
            f = x**3 - 0.125*x**5 + p**1.5 + p**-0.5
            v = 0.9*v + 0.02*(a + b) + 0.01*(c + d)
        """, threshold="v > 0.5", reset="v = 0.1*v", variables=dict.fromkeys("xpabcdfv", "1"),
    )  # fmt: skip
    return nd.Circuit([cells], dt="1 ms", seed=22), "300 ms"


def leaky_network(*, units=11, seed=24, lengths=(70, 1, 90, 49)):
    """A network for training by gradient, as a circuit: leaky rectifiers, noise, two heads, trials that start anew."""
    net = nd.LeakyRNN(units, heads=2, tau_initial=(1.0, 8.0), gain=1.5, noise=0.2, seed=seed)
    draws = np.random.default_rng(seed)
    trials = tuple(nd.Trial(n, {"digits": draws.integers(0, 2, (n, 1))}) for n in lengths)
    return net.circuit(), nd.Session(trials, 1e-3, {"digits": ("digit",)})


def hmm_rnn(*, units=9, noise_inputs=4, seed=26, lengths=(60, 1, 90, 49)):
    """A network that only noise drives, with symbols: a population without state into another at once, logarithms of draws."""
    net = nd.HMMRNN(units, noise_inputs=noise_inputs, bias=True, noise=1.25, seed=seed)
    net.recurrent_weight.data *= 1.5  # activity lasts for some steps
    trials = tuple(nd.Trial(n, reset=k % 2 == 0) for k, n in enumerate(lengths))
    return net.circuit(), nd.Session(trials, 1e-3)


def pvrnn(*, layers=((6, 2, 2.0), (4, 1, 5.5)), seed=27, lengths=(60, 1, 90, 49)):
    """Layers that latent noise drives: chains of populations at once, a first step of its own, a readout of a readout."""
    made = [nd.Layer(d=d, z=z, tau=tau) for d, z, tau in layers]
    net = nd.PVRNN(made, output=nd.SoftmaxCoding(dims=2, bins=3), top_down="current", seed=seed)
    trials = tuple(nd.Trial(n, reset=k % 2 == 0) for k, n in enumerate(lengths))
    return net.circuit(), nd.Session(trials, 1e-3)


def masked_leaky_network():
    """Another one: f inside the leak, excitatory and inhibitory units, synapses as a mask has them, digits held."""
    net = nd.LeakyRNN(13, heads=1, outputs=1, nonlinearity="inner", activation="sigmoid", dale=0.8, connection_probability=0.4,
                      gain=3.0, continuous=True, seed=25)  # fmt: skip
    digits = np.random.default_rng(25).integers(0, 2, (70, 1)).repeat(3, axis=0)
    return net.circuit(hold=3), nd.Session((nd.Trial(210, {"digits": digits}),), 1e-3, {"digits": ("digit",)})
