"""The flag of refractoriness is left out where its result is, and nowhere else."""

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.lowering.refractory import awake
from neurodyn.program import operations

FLAG = "int(not_refractory)"


def test_the_flag_is_one_where_only_resting_variables_are_reached() -> None:
    code = f"_a = x * {FLAG} / tau\n_v = v + _a * exp(-dt * {FLAG})\n_w = w * {FLAG}\nv = _v\nw = _w"
    assert awake(code, {"v"}) == f"_a = x * 1.0 / tau\n_v = v + _a * exp(-dt * 1.0)\n_w = w * {FLAG}\nv = _v\nw = _w"
    assert awake(code, {"v", "w"}).count(FLAG) == 0


@pytest.mark.parametrize(
    "code",
    [
        f"_a = x * {FLAG}\n_v = v + _a\n_w = w + _a\nv = _v\nw = _w",  # w needs the flag in _a
        f"a = x * {FLAG}\nv = v + a",  # a is a state that others may read
        f"_a = x * {FLAG}\n_a = _a + 1\nv = v + _a",  # assigned twice
        f"_v = v * {FLAG}",  # read by nothing
    ],
)
def test_the_flag_stays_where_something_else_reads_it(code: str) -> None:
    changed = awake(code, {"v"})
    assert FLAG in changed.splitlines()[0]


@pytest.mark.parametrize("method", ["exact", "exponential_euler", "euler", "rk2"])
def test_resting_cells_give_the_bits_of_brian2(method: str) -> None:
    text = "dv/dt = (E - v + g)/tau : 1 (unless refractory)\ndg/dt = -g/(5*ms) : 1"
    cells = nd.Population(
        "cells",
        20,
        text,
        threshold="v > 1",
        reset="v = 0",
        refractory="3 ms",
        method=method,
        parameters={"E": 1.2, "tau": "10 ms"},
        initial={"v": nd.Uniform(0, 1), "g": nd.Uniform(0, 2)},
    )
    joined = nd.Connection(cells, cells, "g", probability=0.3, weight=0.1)
    net = nd.Circuit([cells], [joined], dt="0.1 ms", seed=2)
    runs = [nd.simulate(net, "30 ms", record=["spikes", "cells.v"], backend=b) for b in ("interpreter", "brian2")]
    assert len(runs[0]["spikes"]) > 20
    if method in ("exact", "euler", "rk2"):
        assert nd.compare(*runs).difference is None
    else:
        np.testing.assert_allclose(runs[0]["cells.v"], runs[1]["cells.v"], rtol=1e-9, atol=1e-12)


def test_factors_of_an_exact_update_are_made_once() -> None:
    text = "dv/dt = (g - v)/tau : 1 (unless refractory)\ndg/dt = -g/(5*ms) : 1"
    cells = nd.Population(
        "cells",
        3,
        text,
        threshold="v > 1",
        reset="v = 0",
        refractory="3 ms",
        method="exact",
        parameters={"tau": "10 ms"},
    )
    (update,) = nd.Circuit([cells], dt="0.1 ms").program.phase("update")
    assert not [op for op in operations(update.body) if op.op == "exp" and op.axes]
