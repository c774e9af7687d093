"""Time constants that are trained: what is stored, what acts, and where the gradient ends."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from neurodyn.models.time_constants import PARAMETRISATIONS, TimeConstants

TAU = torch.tensor([1.0, 1.3, 2.0, 7.5, 40.0], dtype=torch.float64)


def made(kind, tau=TAU, *, bounds=(1.0, 100.0), learn=True) -> Any:
    return TimeConstants(tau, parametrisation=kind, bounds=bounds, learn=learn)


@pytest.mark.parametrize("kind", PARAMETRISATIONS)
def test_tau_is_what_was_given(kind):
    torch.testing.assert_close(made(kind).tau.detach(), TAU, rtol=1e-4 if kind == "sigmoid" else 1e-12, atol=0)
    constants = made(kind)
    constants.set(TAU.flip(0))
    torch.testing.assert_close(constants.tau.detach()[1:4], TAU.flip(0)[1:4], rtol=1e-12, atol=0)
    constants.set(3.0)
    torch.testing.assert_close(constants.tau.detach(), torch.full_like(TAU, 3.0), rtol=1e-12, atol=0)


@pytest.mark.parametrize("kind", PARAMETRISATIONS)
@pytest.mark.parametrize("substeps", [1, 4])
def test_alpha(kind, substeps):
    """1/(k tau), or for "decay" what an exponential loses in 1/k of a step: k steps are one."""
    found = made(kind).alpha(substeps).detach()
    if kind == "decay":
        torch.testing.assert_close((1 - found) ** substeps, torch.exp(-1 / TAU), rtol=1e-12, atol=0)
    else:
        expected = 1 / (substeps * TAU)
        torch.testing.assert_close(found, expected, rtol=2e-4 if kind == "sigmoid" else 1e-12, atol=0)


def test_raw_acts_as_one_and_has_no_gradient_below_one():
    """U2 of the sheet: units get stuck there. At 1 itself, and above, the gradient is that of 1/tau."""
    constants = made("raw")
    with torch.no_grad():
        constants.value.copy_(torch.tensor([0.2, 0.999, 1.0, 1.5, -3.0], dtype=torch.float64))
    alpha = constants.alpha()
    assert alpha.tolist() == [1.0, 1.0, 1.0, 1 / 1.5, 1.0]
    alpha.sum().backward()
    assert constants.value.grad.tolist() == [0.0, 0.0, -1.0, -1 / 1.5**2, 0.0]
    assert constants.tau.tolist() == [0.2, 0.999, 1.0, 1.5, -3.0]


def test_raw_in_digits_may_be_faster_than_a_digit_but_not_than_a_step():
    constants = made("raw")
    with torch.no_grad():
        constants.value.copy_(torch.tensor([0.5, 0.25, 0.24, 1.0, 2.0]))
    alpha = constants.alpha(4)
    assert alpha.tolist() == [0.5, 1.0, 1.0, 0.25, 0.125]
    alpha.sum().backward()
    assert [g != 0 for g in constants.value.grad.tolist()] == [True, True, False, True, True]


@pytest.mark.parametrize("kind", ["alpha", "sigmoid", "decay"])
def test_no_other_parametrisation_gets_stuck(kind):
    """Taken to its fastest, a unit still has a gradient that can slow it down."""
    constants = made(kind, bounds=(1.0, 50.0))
    with torch.no_grad():
        constants.value.copy_({"alpha": torch.ones(5), "sigmoid": -6 * torch.ones(5), "decay": torch.zeros(5)}[kind])
    constants.alpha().sum().backward()
    assert (constants.value.grad != 0).all()


def test_decay_is_put_within_its_bounds_in_place():
    """As Perez-Nieves et al. (2021) do after every step of the optimiser; an optimiser may leave it anywhere."""
    constants = made("decay", bounds=(1.0, 50.0))
    with torch.no_grad():
        constants.value.copy_(torch.tensor([-0.4, 0.1, 0.9, 0.999, 1.7], dtype=torch.float64))
    constants.alpha()
    low, high = math.exp(-1), math.exp(-1 / 50)
    assert constants.value.tolist() == pytest.approx([low, low, 0.9, high, high])
    assert constants.tau.tolist() == pytest.approx([1.0, 1.0, -1 / math.log(0.9), 50.0, 50.0])


@pytest.mark.parametrize("kind", PARAMETRISATIONS)
def test_two_passes_before_one_step_back(kind):
    """What is put right in place must not spoil the pass before."""
    constants = made(kind)
    first = constants.alpha().square().sum()
    second = constants.alpha(2).square().sum()
    (first + second).backward()
    assert torch.isfinite(constants.value.grad).all()


@pytest.mark.parametrize("kind", PARAMETRISATIONS)
def test_gradient_by_finite_differences(kind):
    constants, step = made(kind, torch.tensor([1.2, 2.0, 9.0], dtype=torch.float64)), 1e-6
    for substeps in (1, 3):
        (found,) = torch.autograd.grad(constants.alpha(substeps).sum(), constants.value)
        start, around = constants.value.detach().clone(), []
        for sign in (1, -1):
            constants.value.data = start + sign * step
            around.append(constants.alpha(substeps).detach())
        constants.value.data = start
        torch.testing.assert_close(found, (around[0] - around[1]) / (2 * step), rtol=1e-7, atol=1e-9)


def test_fixed_ones_are_no_parameters_but_are_kept():
    constants = made("raw", learn=False)
    assert not list(constants.parameters())
    assert list(constants.state_dict()) == ["value"]


@pytest.mark.parametrize(
    ("kind", "tau", "bounds", "message"),
    [
        ("raw", [0.5], (1, 100), "tau starts at 0.5; 'raw' allows 1 and more"),
        ("alpha", [0.0], (1, 100), "tau starts at 0; 'alpha' allows 1"),
        ("raw", [float("nan")], (1, 100), "tau starts at nan"),
        ("raw", [float("inf")], (1, 100), "tau starts at inf"),
        ("raw", [2.0, float("nan")], (1, 100), "tau starts at nan"),
        ("sigmoid", [1.5], (2, 100), "'sigmoid' allows 2 and more"),
        ("sigmoid", [101.0], (1, 100), r"above tau_bounds = \(1, 100\); raise the upper bound"),
        ("decay", [101.0], (0.5, 100), "above tau_bounds"),
        ("raw", [2.0], (5, 5), r"tau_bounds = \(5, 5\); give \(low, high\)"),
        ("raw", [2.0], (0, 5), "with 0 < low < high"),
        ("raw", [2.0], (1, float("inf")), "tau_bounds"),
        ("sigmiod", [2.0], (1, 100), "parametrisation = 'sigmiod'; did you mean 'sigmoid'"),
    ],
)
def test_errors(kind, tau, bounds, message):
    with pytest.raises(ValueError, match=message):
        made(kind, torch.tensor(tau), bounds=bounds)


@pytest.mark.parametrize("kind", PARAMETRISATIONS)
@pytest.mark.parametrize("substeps", [1, 3])
def test_slope_is_the_derivative(kind, substeps):
    made = TimeConstants(
        torch.tensor([1.0, 2.0, 7.5], dtype=torch.float64), parametrisation=kind, bounds=(1.0, 100.0), learn=True
    )
    if kind == "raw":
        made.value.data[0] = 0.2  # faster than a step
    (wanted,) = torch.autograd.grad(made.alpha(substeps).sum(), made.value)
    torch.testing.assert_close(made.slope(substeps).detach(), wanted, rtol=1e-13, atol=1e-15)
