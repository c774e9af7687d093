"""A noise-driven network whose kick neurons are known, because they were put there, and a chaotic one."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

KICKS = 3  # for each direction


@pytest.fixture(scope="session")
def relay() -> Callable[..., SimpleNamespace]:
    """A function that returns the network, its directions and who is who in it, for a number of symbols.

    A holder for each symbol excites itself and inhibits the other holders. For each direction an integrator sums up noise
    while the holder of the source is active; when it is high, it opens three kick neurons, which shut the holder of the
    source, open that of the target, and help each other. Idle units, rectified noise, reach nobody.
    """
    import torch

    import neurodyn as nd

    def made(symbols: int = 2, idle: int = 20) -> SimpleNamespace:
        directions = [(s, t) for s in range(symbols) for t in range(symbols) if s != t]
        holders = list(range(symbols))
        integrators = [symbols + d for d in range(len(directions))]
        first = symbols + len(directions)
        kicks = [[first + KICKS * d + k for k in range(KICKS)] for d in range(len(directions))]
        rest = first + KICKS * len(directions)
        idlers = list(range(rest, rest + idle))
        net: Any = nd.HMMRNN(
            rest + idle, noise_inputs=rest + idle, outputs=symbols, bias=True, dtype=torch.float64, seed=5
        )
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.zero_()
            w, noise = net.recurrent_weight, torch.zeros(rest + idle)
            w[:symbols, :symbols] = -1.0
            for k in holders:
                w[k, k] = 0.7
                net.bias[k] = 0.3
                net.readout_weight[k, k] = 6.0
            for d, (s, t) in enumerate(directions):
                n = integrators[d]
                w[n, n], noise[n] = 0.9, 0.5
                w[n, [k for k in holders if k != s]] = -3.0
                for k in kicks[d]:
                    w[k, n], w[k, s], net.bias[k] = 0.6, 0.3, -0.8
                    w[k, [other for other in kicks[d] if other != k]] = 0.3
                    for e in range(len(directions)):
                        if e != d:
                            w[k, kicks[e]] = -0.3
                            w[k, integrators[e]] = -0.05
                    w[s, k], w[t, k] = -0.2, 0.2
            noise[holders] = 0.05  # or they stay alike
            noise[idlers], net.bias[idlers] = 1.0, -1.0
            net.noise_weight.copy_(torch.diag(noise))
        return SimpleNamespace(
            net=net, directions=directions, holders=holders, integrators=integrators, kicks=kicks, idlers=idlers
        )

    return made


@pytest.fixture(scope="session")
def two(relay: Callable[..., SimpleNamespace]) -> SimpleNamespace:
    """The network of two symbols with its residence map and kick neurons."""
    from neurodyn import analysis

    found = relay(2)
    found.map = analysis.residence_map(found.net, states=1200, rollouts=6, cap=12, paths=6)
    found.found = analysis.kick_neurons(found.net, found.map, shifts=40)
    return found


@pytest.fixture(scope="session")
def three(relay: Callable[..., SimpleNamespace]) -> SimpleNamespace:
    """The same of three symbols."""
    from neurodyn import analysis

    found = relay(3, idle=5)
    found.map = analysis.residence_map(found.net, states=2400, rollouts=5, cap=12, paths=6)
    found.found = analysis.kick_neurons(found.net, found.map, shifts=40, least=3)
    return found


@pytest.fixture(scope="session")
def chosen() -> Callable[..., Any]:
    """A function that makes KickNeurons of groups that are given, for a network of so many units."""
    import numpy as np

    from neurodyn.analysis import KickNeurons, NullTest

    def made(units: int, groups: dict[tuple[int, int], list[int]], activity: Any = None) -> KickNeurons:
        count = len(groups)
        passes = np.zeros((count, units), dtype=bool)
        score = np.zeros((count, units))
        for d, group in enumerate(groups.values()):
            passes[d, group] = True
            score[d, group] = np.arange(len(group), 0, -1)
        overlap = passes.astype(int) @ passes.T
        return KickNeurons(
            directions=tuple(groups),
            states=np.full((count, 4), 10),
            profile=np.zeros((count, 4, units)),
            opening=np.zeros((count, 4, units)),
            sd=np.ones(units),
            score=score,
            passes=passes,
            arriving=np.zeros(count, dtype=int),
            groups=tuple(np.array(g, dtype=int) for g in groups.values()),
            passing=NullTest(passes.sum(axis=1).astype(float), np.zeros((9, count))),
            overlap=overlap,
            overlap_p=np.ones((count, count)),
            skipped=(),
            activity=np.ones(units) if activity is None else np.asarray(activity),
        )

    return made


@pytest.fixture(scope="session")
def chaotic() -> Any:
    """A strongly coupled random PV-RNN without any noise worth the name."""
    import torch

    import neurodyn as nd

    net = nd.PVRNN([nd.Layer(d=30, z=1, tau=1)], output=nd.SymbolCoding(symbols=2), seed=3)
    with torch.no_grad():
        weights: Any = net.stack[0]
        weights.recurrent.mul_(3.0)
        weights.prior_bias[:, 1] = -12.0
    return net
