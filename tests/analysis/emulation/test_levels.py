"""Switching against the level of the noise, in networks whose answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn import analysis

LEVELS = (0.25, 1.0, 4.0)


def halves(a: float, bias: float | None = None) -> Any:
    """Two units hold the halves of y(t) = a y(t-1) + x(t) above 0; the sign of y changes in arccos(a)/pi of the steps."""
    net = nd.HMMRNN(2, noise_inputs=1, outputs=2, bias=bias is not None, dtype=torch.float64)
    with torch.no_grad():
        net.recurrent_weight.copy_(a * torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))
        net.noise_weight.copy_(torch.tensor([[1.0], [-1.0]]))
        net.readout_weight.copy_(torch.eye(2))
        if net.bias is not None and net.readout_bias is not None and bias is not None:
            net.bias.fill_(bias)
            net.readout_bias.zero_()
    return net


def test_without_biases_the_level_sharpens_symbols_and_changes_nothing_else():
    found = analysis.noise_sweep(halves(0.9), LEVELS, paths=64, steps=2000)
    assert np.ptp(found.switching) == np.ptp(found.cv) == np.ptp(found.dwell) == 0
    assert found.switching[0] == pytest.approx(np.arccos(0.9) / np.pi, rel=0.03)
    assert found.dwell[0] == pytest.approx(1 / found.switching[0], rel=0.05)
    assert (np.diff(found.change) < 0).all() and (np.diff(found.confidence) > 0).all()
    np.testing.assert_allclose(found.size / found.level, found.size[1], rtol=1e-12)
    # y has the variance 1 / (1 - a^2), half of which is in each unit
    assert found.size[1] ** 2 == pytest.approx(0.5 / (1 - 0.81), rel=0.05)
    assert np.isnan(found.distance).all() and np.isnan(found.floor).all() and found.trained_at == 1


def test_with_biases_the_noise_has_a_scale():
    """Both units sit at bias / (1 - a): noise that is small beside it moves neither to 0, and the difference alone counts."""
    found = analysis.noise_sweep(halves(-0.5, bias=1.0), (0.05, 20.0), paths=32, steps=1000)
    other = analysis.noise_sweep(halves(-0.5), (0.05, 20.0), paths=32, steps=1000)
    assert abs(found.switching[0] - found.switching[1]) > 0.05
    assert found.switching[1] == pytest.approx(other.switching[1], abs=0.02)  # a bias is nothing beside much noise


def test_distance_is_that_of_words_and_has_a_floor():
    target = nd.tasks.HiddenMarkov([[0.5, 0.5], [0.5, 0.5]], np.eye(2))  # coins
    coins = halves(0.0)
    with torch.no_grad():
        coins.readout_weight.mul_(1e3)
    found = analysis.noise_sweep(coins, (1.0,), target=target, paths=32, steps=2000)
    assert found.distance[0] < 3 * found.floor[0] < 0.05
    constant = nd.tasks.HiddenMarkov([[1.0]], [[1.0, 0.0]])
    found = analysis.noise_sweep(coins, (1.0,), target=constant, paths=32, steps=2000)
    assert found.distance[0] == pytest.approx(1 - 2**-5, abs=0.01) and found.floor[0] == 0


def test_rare_switches_have_no_moments():
    net = halves(0.9999999)
    found = analysis.noise_sweep(net, (1.0,), paths=1, steps=50)
    assert np.isnan(found.dwell).all() and np.isnan(found.cv).all()
    assert "nan" in str(found) and "switching" in str(found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": ()}, "levels is empty"),
        ({"levels": (1.0, 0.0)}, r"levels\[1\] = 0.0"),
        ({"levels": (float("nan"),)}, r"levels\[0\] = nan"),
        ({"steps": 4}, "steps = 4: at least 5"),
        ({"target": nd.tasks.HiddenMarkov.chain(2)}, "target has 3 symbols and net 2 outputs"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        analysis.noise_sweep(halves(0.5), **options)
