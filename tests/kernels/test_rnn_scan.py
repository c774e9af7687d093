"""The scan against a plain loop and against finite differences, in all its variants."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch.nn import functional

from neurodyn.kernels.rnn_scan import ACTIVATIONS, SLOPE, scan

F = {
    "leaky_relu": lambda u: functional.leaky_relu(u, SLOPE),
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "identity": lambda u: u,
}
SHAPES = {  # steps, batch, channels, units
    "usual": (7, 3, 2, 5),
    "few": (3, 2, 2, 3),
    "one step": (1, 3, 2, 5),
    "one sequence": (6, 1, 2, 4),
    "one unit": (6, 3, 1, 1),
    "one of each": (1, 1, 1, 1),
}


def made(shape, *, inner, noise, seed=0, dtype=torch.float64) -> dict[str, Any]:
    """Tensors of one pass by name, all with gradient."""
    steps, batch, channels, units = SHAPES[shape]
    generator = torch.Generator().manual_seed(seed)
    normal = lambda *s: torch.randn(*s, generator=generator, dtype=torch.float64)  # noqa: E731
    tensors = {
        "recurrent": normal(units, units) * 0.8 / units**0.5,
        "drive": normal(units, channels),
        "x": normal(steps, batch, channels),
        "start": normal(batch, units),
        "keep": torch.rand(units, generator=generator, dtype=torch.float64) if inner else None,
        "gain": torch.rand(units, generator=generator, dtype=torch.float64) if inner else None,
        "noise": 0.3 * normal(steps, batch, units) if noise else None,
    }
    return {k: v if v is None else v.to(dtype).requires_grad_() for k, v in tensors.items()}


def loop(recurrent, drive, x, start, keep, gain, noise, activation, last):
    """The recurrence as it is written, left to autograd."""
    r, states = start, []
    for t in range(len(x)):
        u = r @ recurrent.T + x[t] @ drive.T
        y = F[activation](u if noise is None else u + noise[t])
        r = y if keep is None else keep * r + gain * y
        states.append(r)
    return r if last else torch.stack(states)


def scanned(given, activation, last):
    return scan(**given, activation=activation, last=last)


def names_of(given):
    return [k for k, v in given.items() if v is not None]


def gradients(value, given):
    """By a fixed weighting of all entries, so that no two of them can change places."""
    weighting = torch.linspace(0.5, 1.5, value.numel(), dtype=value.dtype).reshape(value.shape)
    return torch.autograd.grad((value * weighting).sum(), [given[k] for k in names_of(given)])


def test_all_activations_are_tested():
    assert set(F) == set(ACTIVATIONS)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("activation", F)
def test_scan_is_the_loop(activation, shape):
    for inner, noise, last in itertools.product((False, True), repeat=3):
        given = made(shape, inner=inner, noise=noise)
        found, wanted = scanned(given, activation, last), loop(**given, activation=activation, last=last)
        torch.testing.assert_close(found, wanted, rtol=1e-13, atol=1e-14)
        for name, a, b in zip(names_of(given), gradients(found, given), gradients(wanted, given), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-12, msg=lambda m, name=name: f"{name}: {m}")


@pytest.mark.parametrize("activation", F)
def test_gradient_by_finite_differences(activation):
    for inner, noise, last in itertools.product((False, True), repeat=3):
        given = made("few", inner=inner, noise=noise, seed=1)
        names = names_of(given)

        def function(*values, given=given, names=names, last=last):
            return scanned({**given, **dict(zip(names, values, strict=True))}, activation, last)

        assert torch.autograd.gradcheck(function, [given[k] for k in names], eps=1e-6, atol=1e-7)


def test_the_rest_may_be_without_gradient():
    """Inputs, start states and noise are drawn, and leaks may be fixed."""
    for inner in (False, True):
        given = made("usual", inner=inner, noise=True)
        for name in ("x", "start", "noise", "keep", "gain"):
            given[name] = given[name].detach() if given[name] is not None else None
        scanned(given, "tanh", False).sum().backward()
        assert [k for k, v in given.items() if v is not None and v.grad is not None] == ["recurrent", "drive"]


def test_states_that_the_user_changes_in_place_are_noticed():
    """The states returned are those that the step back reads."""
    for inner in (False, True):
        states = scanned(made("usual", inner=inner, noise=False), "tanh", False)
        states.detach().mul_(2.0)
        with pytest.raises(RuntimeError, match="inplace"):
            states.sum().backward()


def test_a_second_gradient_is_refused_rather_than_wrong():
    given = made("usual", inner=False, noise=False)
    (first,) = torch.autograd.grad(scanned(given, "tanh", True).square().sum(), given["recurrent"], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


@pytest.mark.parametrize("inner", [False, True])
def test_bfloat16_is_near_float32(inner):
    """Its significand has 8 bits: one rounding of each state is 2^-9; the recurrence of this size keeps errors small."""
    given = made("usual", inner=inner, noise=True)
    low = {k: v if v is None else v.detach().bfloat16().requires_grad_() for k, v in given.items()}
    exact = {k: v if v is None else v.detach().double().requires_grad_() for k, v in low.items()}
    found, wanted = scanned(low, "tanh", False), scanned(exact, "tanh", False)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double(), wanted, rtol=0, atol=2e-2)
    for a, b in zip(gradients(found, low), gradients(wanted, exact), strict=True):
        assert float((a.double() - b).norm() / b.norm()) < 2e-2


def test_bfloat16_adds_up_gradients_of_long_sequences():
    """A sum in bfloat16 stands still once a summand is below 1/256 of it."""
    steps, batch, units = 2000, 1, 3
    x, start = torch.ones(steps, batch, 1).bfloat16(), torch.zeros(batch, units).bfloat16()
    shared = [torch.zeros(units, units), torch.ones(units, 1)]
    for name in ("keep", "gain"):
        found = []
        for dtype in (torch.bfloat16, torch.float64):
            leaks: dict[str, Any] = {k: torch.full((units,), 0.5, dtype=dtype) for k in ("keep", "gain")}
            leaks[name].requires_grad_()
            recurrent, drive = (a.to(dtype) for a in shared)
            states = scan(recurrent, drive, x.to(dtype), start.to(dtype), activation="identity", **leaks)
            states.sum().backward()
            found.append(leaks[name].grad.double())
        torch.testing.assert_close(found[0], found[1], rtol=1e-2, atol=0.0)
