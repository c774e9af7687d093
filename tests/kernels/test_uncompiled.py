"""Draws and wiring in NumPy are the compiled ones, bit for bit."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from neurodyn.kernels import philox, uncompiled, wiring

SEED, STREAM = np.uint64(0xFEDCBA9876543210), np.uint64(philox.stream_number("cells.v"))


@pytest.mark.parametrize("size", [0, 1, 2, 7, 2**14, 2**14 + 1, 100_001])
@pytest.mark.parametrize("step", [0, 2**40 + 3])
def test_uniforms_and_normals(size: int, step: int) -> None:
    compiled = np.empty(size)
    philox.fill_uniform(compiled, SEED, np.uint64(step), STREAM)
    plain = uncompiled.uniform(size, SEED, np.uint64(step), STREAM)
    assert np.array_equal(plain, compiled)
    philox.normal_from_uniform(compiled)
    assert np.array_equal(uncompiled.normal(plain), compiled)


def test_normals_far_out() -> None:
    u = np.array([2.0**-53, 1e-12, 1e-5, 0.075, 0.0749999, 0.5, 0.925, 1 - 1e-12, 1 - 2.0**-53])
    compiled = u.copy()
    philox.normal_from_uniform(compiled)
    assert np.array_equal(uncompiled.normal(u), compiled) and compiled[0] < -8


@pytest.mark.parametrize("sources, targets", [(0, 5), (5, 0), (1, 1), (3, 200), (200, 3), (150, 150)])
@pytest.mark.parametrize("probability", [0.0, 1e-4, 0.1, 0.97, 1.0])
@pytest.mark.parametrize("skip_self", [False, True])
def test_wiring(sources: int, targets: int, probability: float, skip_self: bool) -> None:
    given = (sources, targets, probability, SEED, STREAM, skip_self)
    compiled, plain = wiring.random_rows(*given), uncompiled.random_rows(*given)
    assert np.array_equal(compiled[0], plain[0]) and np.array_equal(compiled[1], plain[1])
    assert [x.dtype for x in plain] == [x.dtype for x in compiled]


def test_a_small_network_compiles_no_draws() -> None:
    code = (
        "import neurodyn as nd; from neurodyn.kernels import philox, wiring;"
        "nd.simulate(nd.SpikingReservoir(50), '5 ms', backend='interpreter');"
        "f = (philox.fill_uniform, philox.normal_from_uniform, wiring.random_rows);"
        "print([x.signatures for x in f])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[[], [], []]"


def test_many_small_networks_together_are_no_small_matter() -> None:
    """Each draws few numbers; from FEW on, counted over all of them, compiled functions draw, of the same bits."""
    code = (
        "import neurodyn as nd; from neurodyn.kernels import uncompiled, wiring; from neurodyn.network import realize;"
        "uncompiled.FEW = 8000;"
        "nets = [nd.SpikingReservoir(50, seed=s) for s in (1, 2, 3, 1)];"
        "found, compiled = [], [];"
        "[(found.append(realize(n)), compiled.append(len(wiring.random_rows.signatures))) for n in nets];"
        "same = [(found[0].wiring[k].targets == found[3].wiring[k].targets).all() for k in found[0].wiring];"
        "print(compiled, all(same))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    counts, same = out.strip().rsplit(" ", 1)
    assert counts.startswith("[0, ") and counts.endswith("1]") and same == "True"
