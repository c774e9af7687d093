"""Case "dynamics": fixed points from many starts, and Lyapunov spectra beside the bare products of their Jacobians."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from limits import Ceiling
from measure import in_turn
from table import Case, at_most

from neurodyn import analysis

UNITS, STEPS, EVERY = 500, 200, 10  # of the spectrum; its steps are all alike, so that few tell the ratio
STARTS, FEWER, NEURONS = 1000, 250, 150  # of the fixed points
GAINS = (0.9, 1.2, 1.5)
DT = 0.1


def run(ceiling: Ceiling, *, quick: bool) -> Iterator[Case]:
    """Time both on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield _spectrum(3 if quick else 7)
        yield _fixed_points(FEWER if quick else STARTS)
    finally:
        torch.set_num_threads(before)


def network(units: int, gain: float, seed: int = 1) -> torch.Tensor:
    """Return random weights."""
    return torch.from_numpy(gain * np.random.default_rng(seed).normal(size=(units, units)) / units**0.5)


def _spectrum(rounds: int) -> Case:
    case = Case(f"Lyapunov spectrum, all {UNITS} exponents of a rate network, {STEPS} steps (CPU time, one thread)")
    weights = network(UNITS, 1.5)
    start = 0.5 * torch.randn(1, UNITS, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def step(x: torch.Tensor) -> torch.Tensor:
        return x + DT * (torch.tanh(x) @ weights.T - x)

    def tangent(x: torch.Tensor, _: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        return torch.baddbmm(q, weights[None], (1 - torch.tanh(x) ** 2)[..., None] * q, beta=1 - DT, alpha=DT)

    def spectrum(every: int, steps: int = STEPS) -> np.ndarray:
        options = {"count": None, "discard": 0, "dt": DT, "tangent": tangent}
        return analysis.lyapunov_exponents(step, start, steps=steps, every=every, **options).exponents[0]

    def products() -> None:
        jacobian, q, out = weights.clone(), torch.eye(UNITS, dtype=torch.float64), torch.empty_like(weights)
        for _ in range(STEPS):
            torch.mm(jacobian, q, out=out)

    often, seldom = spectrum(1, 400), spectrum(EVERY, 400)
    case.check(
        f"exponents with every = 1 and every = {EVERY} differ by {np.abs(often - seldom).max():.1g} at most",
        bool(np.allclose(often, seldom, atol=1e-6)),
    )
    times = in_turn(
        {
            "products": products,
            "every 5": lambda: (spectrum(5), None)[1],
            "every": lambda: (spectrum(EVERY, 400), None)[1],
            "often": lambda: (spectrum(1), None)[1],
        },
        rounds,
        {"often": 1},
    )
    half = [t / 2 for t in times["every"].cpu]
    row = case.add(f"torch.mm of Jacobian and perturbations, {STEPS} times", times["products"].cpu)
    ours = case.add(f"neurodyn, every = {EVERY}", half, against=row, note="400 steps, halved")
    case.add("neurodyn, every = 5", times["every 5"].cpu, against=row)
    case.add("neurodyn, every = 1", times["often"].cpu, against=row, note="once")
    case.goals.append(
        at_most(f"Lyapunov spectrum, every = {EVERY}: times as long as the products", ours.relative or 0.0, 2)
    )
    return case


def _fixed_points(starts: int) -> Case:
    case = Case(
        f"Fixed points of a rate network of {NEURONS} units from {starts} starts on its orbits (CPU time, one thread)"
    )
    for gain in GAINS:
        weights = network(NEURONS, gain)

        def step(x: torch.Tensor, weights: torch.Tensor = weights) -> torch.Tensor:
            return x + DT * (torch.tanh(x) @ weights.T - x)

        states = torch.randn(starts, NEURONS, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
        for _ in range(50):
            states = step(states)
        found: list[analysis.FixedPoints] = []
        times = in_turn({"ours": lambda: (found.append(analysis.fixed_points(step, states)), None)[1]}, 1)  # noqa: B023
        seconds = times["ours"].cpu
        one = found[-1]
        moved = float(
            (step(torch.from_numpy(one.points[one.fixed])) - torch.from_numpy(one.points[one.fixed])).abs().max()
        )
        case.check(f"gain {gain}: fixed points move by {moved:.1g} in a step", moved < 1e-8)
        case.add(
            f"gain {gain}",
            seconds,
            note=f"{int(one.fixed.sum())} fixed, {int((~one.fixed).sum())} slow, {one.quick} starts quick, "
            f"{one.unfinished} unfinished",
        )
        case.goals.append(
            at_most(f"fixed points, gain {gain}: seconds for 1000 starts", seconds[0] * 1000 / starts, 10)
        )
    return case
