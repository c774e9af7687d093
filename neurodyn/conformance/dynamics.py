"""Exact circuits whose point is what one unit does: published schemes, integrators, noise, refractoriness, arithmetic.

Each function returns (circuit, session); a duration is a session of one trial.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import neurodyn as nd


def heterogeneous():
    """The published 1-ms scheme of Izhikevich 2003, each cell another one."""
    return nd.Circuit([nd.izhikevich_2003("cells", 20, parameters={"bias": nd.Uniform(0, 15)})], seed=1), "1 s"


def euler_2003():
    """The 2003 form by forward Euler at half the step."""
    cells = nd.izhikevich_2003("cells", 7, scheme="euler", dt="0.5 ms", parameters={"bias": nd.Uniform(4, 15)})
    return nd.Circuit([cells], seed=2), "1 s"


def regular_spiking_2007():
    """The 2007 form in physical units, 10 000 steps of 0.1 ms."""
    current = np.linspace(60, 400, 5) * 1e-12
    cells = nd.izhikevich_2007("cells", 5, parameters={"I": nd.quantity([f"{x} A" for x in current])})
    return nd.Circuit([cells], dt="0.1 ms", seed=3), "1 s"


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


def multiplicative_noise():
    """Spiking cells with noise that grows with v, by Heun and by Milstein, at rest after a spike; quadratic cells by rk2."""
    noisy: dict[str, Any] = {
        "threshold": "v > 1.5",
        "reset": "v = 0.5",
        "refractory": "4 ms",
        "parameters": {"mu": nd.Uniform(1.0, 1.6), "s": 0.3, "tau": "10 ms"},
        "initial": {"v": "rand()"},
    }
    equations = "dv/dt = (mu - v)/tau + s*v*xi/sqrt(tau) : 1 (unless refractory)"
    heun = nd.Population("heun", 5, equations, method="heun", **noisy)
    milstein = nd.Population("milstein", 5, equations, method="milstein", **noisy)
    quadratic = nd.Population(
        "quadratic", 6, "dv/dt = (v*v + b + I)/tau : 1\ndI/dt = -I/tau : 1", threshold="v > 8", reset="v = -8", method="rk2",
        parameters={"b": nd.Uniform(0.1, 0.6), "tau": "8 ms"}, initial={"v": "-1 + rand()"},
    )  # fmt: skip
    connections = [
        nd.Connection(heun, quadratic, "I", probability=0.5, weight=0.5, delay="1 ms"),
        nd.Connection(quadratic, milstein, "v", probability=0.5, weight=0.25, delay="3 ms"),
        nd.Connection(milstein, heun, "v", probability=0.5, weight=-0.125, delay=nd.Uniform("1 ms", "5 ms")),
    ]
    return nd.Circuit([heun, milstein, quadratic], connections, dt="0.5 ms", seed=15), "1 s"


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


def refractoriness():
    """Periods of rest: a constant one, one shared by all and one for each unit, in equations and in code.

    A constant period is no whole number of steps; one of two variables rests, and spikes meet both.
    """
    model = "dv/dt = (drive - v + w)/tau : 1 (unless refractory)\ndw/dt = -w/tau : 1"
    common: dict[str, Any] = {"threshold": "v > 1", "reset": "v = 0\nw -= 0.125", "method": "euler"}
    numbers = {"drive": nd.Uniform(1.1, 1.8), "tau": "15 ms"}
    constant = nd.Population("constant", 5, model, refractory="2.5 ms", parameters=numbers, **common)
    shared = nd.Population("shared", 5, model, refractory="rest", parameters={**numbers, "rest": "7 ms"}, **common)
    coded = nd.Population(
        "coded", 8, code="v = v + x", threshold="v > 1", reset="v = 0.25*v", refractory="rest", variables={"v": "1"},
        parameters={"x": nd.Uniform(0, 0.6), "rest": nd.Uniform("0 ms", "12 ms")},
    )  # fmt: skip
    always = nd.Population(
        "always", 2, code="", threshold="i >= 0", reset="", refractory="3 ms", variables={"v": "1"}
    )  # only its rest keeps it from spiking in every step
    connections = [
        nd.Connection(always, constant, "v", pattern="all", weight=0.0625),
        nd.Connection(coded, shared, "v", probability=0.4, weight=0.125, delay=nd.Uniform("1 ms", "9 ms")),
        nd.Connection(coded, shared, "w", probability=0.4, weight=-0.125),
        nd.Connection(constant, coded, "v", pattern="all", weight=0.03125, delay="2 ms"),
    ]
    return nd.Circuit([constant, shared, coded, always], connections, dt="1 ms", seed=16), "1 s"


def integrators(dt: str = "1 ms", units: int = 20):
    """Every integrator whose statements are exact; a population each, named for it.

    "euler", "rk2", "rk4", "heun" and "milstein" integrate predator and prey; "exact" a linear system; "euler_noise" an
    Ornstein-Uhlenbeck process; "heun_noise" and "milstein_noise" geometric Brownian motion. Their orders of convergence
    are measured on this circuit (:mod:`neurodyn.conformance.orders`); ``units`` counts those of the noisy populations.
    """
    tau = {"tau": "20 ms"}
    growth: dict[str, Any] = {"parameters": {"rate": "3 Hz", "s": "1.5 Hz**0.5"}, "initial": {"x": 1.0}}
    deterministic = [
        nd.Population(
            method,
            4,
            "dx/dt = x*(1 - y)/tau : 1\ndy/dt = y*(x - 1)/tau : 1",
            method=method,
            parameters=tau,
            initial={"x": "0.5 + 0.25*i", "y": 1.0},
        )
        for method in ("euler", "rk2", "rk4", "heun", "milstein")
    ]
    linear = nd.Population(
        "exact", 4, "dx/dt = (y - x)/tau : 1\ndy/dt = -y/(2*tau) : 1", method="exact", parameters=tau,
        initial={"x": "0.5 + 0.25*i", "y": 1.0},
    )  # fmt: skip
    process = nd.Population(
        "euler_noise", units, "dx/dt = -x/tau + s*xi/sqrt(tau) : 1", method="euler", parameters={**tau, "s": 0.5},
        initial={"x": 1.0},
    )  # fmt: skip
    motions = [
        nd.Population(f"{method}_noise", units, "dx/dt = rate*x + s*x*xi : 1", method=method, **growth)
        for method in ("heun", "milstein")
    ]
    return nd.Circuit([*deterministic, linear, process, *motions], dt=dt, seed=17), "1 s"


def arithmetic():
    """Every exact operation of the language, on both sides of zero: remainders, roundings, signs, limits, conditions."""
    cells = nd.Population(
        "cells", 16, code="""
            x = 0.75*x + 0.5*rand() - 0.25
            m = (7*x) % 3 + (-7.5*x) % 2.5
            q = (9*x)//2 + (5*x)//1.5
            n = floor(4*x) + 0.5*ceil(3*x) + int(5*x) + sign(x) - abs(x)
            s = sqrt(abs(m) + 0.01)/(1 + x**2)
            c = clip(q, -2, 1.5) + minimum(s, m) + maximum(n, q) + int(x > 0 and not (m < 0.5 or n == 2))
            v = 0.9*v + where(x != 0 and c >= 0, 0.1, 0.05) + 0.001*(c - n)
        """, threshold="v > 1 and x <= 0.5", reset="v = 0.25*v", variables=dict.fromkeys("xmqnscv", "1"),
    )  # fmt: skip
    return nd.Circuit([cells], dt="1 ms", seed=18), "1 s"


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
