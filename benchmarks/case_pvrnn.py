"""Case "pvrnn": training and error regression of PV-RNNs, beside loops over steps in torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from limits import FLOPS, Ceiling, Work
from measure import in_turn
from naive_pvrnn import Regression, Trainer, gradients
from table import Case, at_most

import neurodyn as nd
from neurodyn.training.fitting import Fit, FitPlan
from neurodyn.training.loop import Loop

SWEEP = 21  # models
RATE = 1e-3
WINDOW, ITERATIONS = 15, 30
WANTED = {"D1": 0.85, "D2": 3.0}  # us per sequence and step, of loops in C++
WANTED_STEP = 5.0  # ms, of an observation
_CELL = 6 + FLOPS["tanh"]  # flops of a unit beside its products, forward
_LATENT = 2 * FLOPS["tanh"] + 2 * FLOPS["exp"] + 30  # prior, posterior, divergence, forward and back


class Ours:
    """The update of ``nd.fit``: draws, free energy with its gradient, norm, Adam."""

    def __init__(self, net: nd.PVRNN, data: Any) -> None:
        plan = FitPlan(
            epochs=1, steps=1, updates=1, keep_every=None, particles=1, patience=None, optimizer="adam",
            learning_rate=RATE, clip=None, seed=1,
        )  # fmt: skip
        self.net, self.fit, self.number = net, Fit(net, data, None, plan), -1
        self.loop = Loop(net, self.fit, plan)

    def step(self) -> torch.Tensor:
        """Take an update; return the loss, summed over models."""
        self.number += 1
        return self.loop.step(0, self.number)[0]


def network(data: str, models: int = 1, **options: Any) -> nd.PVRNN:
    """Return the networks of D1, symbols of a machine of three states, or D2, loops in the plane."""
    meta_prior = [0.05] if models == 1 else np.geomspace(1e-4, 1, models).tolist()
    if data == "D1":
        layers, output = [nd.Layer(d=10, z=1, tau=2)], nd.SymbolCoding(symbols=2)
    else:
        layers, output = (
            [nd.Layer(d=20, z=2, tau=2), nd.Layer(d=10, z=1, tau=8)],
            nd.SoftmaxCoding(dims=2, low=-1.2, high=1.2),
        )
    return nd.PVRNN(layers, output=output, meta_prior=meta_prior, **options)


def sequences(data: str) -> np.ndarray:
    """Return 20 sequences of 48 symbols, or 8 of 120 points."""
    if data == "D1":
        return np.asarray(nd.tasks.FiniteState.cycle().sample(20, 48, seed=1)[1])
    return nd.tasks.Primitives().sample(8, 120, seed=1).values


def run(ceiling: Ceiling, *, quick: bool) -> Iterator[Case]:
    """Time an update for a model and for a sweep, and what an observation takes; one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for data in ("D1", "D2"):
            yield _training(data, ceiling, rounds=7 if quick else 21)
        yield _regression(ceiling, rounds=7 if quick else 21)
    finally:
        torch.set_num_threads(before)


def work(net: nd.PVRNN, *, training: bool) -> Work:
    """Count the work of one step of one sequence of one model, forward and back, in float32.

    A product of a matrix takes two flops a weight forward, as many back, and in training as many for the gradient of the
    weights. Of arrays the least is counted: each in once and out once. Adaptive vectors are moved by Adam.
    """
    weights = sum(value[0].numel() for name, value in net.named_parameters() if "bias" not in name)
    units, latents, outputs, adam = net.units, net.latents, net.output.units, 2 * net.latents
    flops = (6 if training else 4) * weights + (_CELL + 8) * units + _LATENT * latents + 12 * adam
    flops += (FLOPS["exp"] + 6) * outputs + FLOPS["log"] * net.output.dims + FLOPS["normal"] * latents
    arrays = 3 * units + 10 * latents + 2 * outputs + 4 * adam  # d and two gradients; what there is of latents; Adam's
    # registers hold twice as many numbers of float32, so a flop and a division count half
    return Work(bytes=4 * 2 * arrays, flops=flops / 2, divisions=(2 * adam + latents) / 2)


def _training(data: str, ceiling: Ceiling, *, rounds: int) -> Case:
    values, kept = sequences(data), {1: (200, 2), SWEEP: (30, 1)}
    count, steps = values.shape[:2]
    case = Case(f"PV-RNN training, {data}, {count} sequences of {steps} steps, float32, one thread (CPU time)")
    contenders: dict[str, Callable[[], None]] = {}
    for models, (ours, theirs) in kept.items():
        _check(case, data, values, models)
        contenders[f"ours {models}"] = _repeated(Ours(network(data, models), values).step, ours)
        contenders[f"loop {models}"] = _repeated(Trainer(network(data, models), values, rate=RATE).step, theirs)
    times = in_turn(contenders, rounds)
    limit = ceiling.seconds(work(network(data), training=True)) * count * steps
    for models, (ours, theirs) in kept.items():
        name = "one model" if models == 1 else f"a sweep of {models}, for each"
        of_all = count * steps * models
        row = case.add(
            f"neurodyn, nd.fit's update, {name}", times[f"ours {models}"].cpu, unit="us", per=ours * of_all,
            limit=ours * models * limit,
        )  # fmt: skip
        case.add(
            f"loop over steps in torch, {name}",
            times[f"loop {models}"].cpu,
            unit="us",
            per=theirs * of_all,
            against=row,
        )
        if models == 1:
            case.goals.append(
                at_most(f"pvrnn: us of training per sequence and step, {data}, one model", row.median, WANTED[data])
            )
    case.notes.append("Times per sequence and step (and model) of an update: draws, forward, back, norm, Adam")
    return case


def _regression(ceiling: Ceiling, *, rounds: int) -> Case:
    case = Case(
        f"PV-RNN error regression, D2, one observation: window {WINDOW}, {ITERATIONS} iterations, one sequence, float32, "
        "one thread (CPU time)"
    )
    values, net = sequences("D2")[0], network("D2")
    _check_regression(case, values)
    ours, theirs = nd.ErrorRegression(net, window=WINDOW, iterations=ITERATIONS), _naive(net, ITERATIONS)
    many = nd.ErrorRegression(network("D2", SWEEP), window=WINDOW, iterations=ITERATIONS)
    targets = net.output.encode(values[None], dtype=net.dtype).targets[0]
    for value in values[:WINDOW]:  # from here on the window is full
        ours.step(value)
        many.step(value)
    theirs.seen, theirs.vectors = list(targets[:WINDOW]), torch.zeros(2, 1, 1, WINDOW, net.latents)
    times = in_turn(
        {
            "ours": _repeated(lambda: ours.step(values[ours.time % len(values)]), 20),
            "many": _repeated(lambda: many.step(values[many.time % len(values)]), 3),
            "loop": _repeated(lambda: theirs.step(targets[theirs.time % len(values)]), 1),
        },
        rounds,
    )
    limit = ceiling.seconds(work(net, training=False)) * WINDOW * ITERATIONS
    row = case.add("neurodyn, ErrorRegression.step", times["ours"].cpu, per=20, limit=20 * limit)
    case.add(f"neurodyn, a sweep of {SWEEP}, for each", times["many"].cpu, per=3 * SWEEP, against=row)
    case.add("loop over steps in torch", times["loop"].cpu, against=row)
    case.goals.append(at_most("pvrnn: ms of error regression for an observation, D2", row.median, WANTED_STEP))
    case.notes.append("The kernel takes sequences in eights: one costs as much as eight; the limit counts one")
    return case


def _naive(net: nd.PVRNN, iterations: int) -> Regression:
    made = nd.ErrorRegression(net, window=WINDOW, iterations=iterations).net  # with the meta-prior of a regression
    return Regression(made, window=WINDOW, iterations=iterations)


def _repeated(step: Callable[[], Any], count: int) -> Callable[[], None]:
    def run() -> None:
        for _ in range(count):
            step()

    return run


def _check(case: Case, data: str, values: np.ndarray, models: int) -> None:
    """Check that an update has the loss and the gradient that the loop in torch has."""
    ours, theirs = Ours(network(data, models), values), Trainer(network(data, models), values, rate=RATE)
    losses = [float(ours.step()), float(theirs.step().double().sum())]
    found, wanted = (gradients({**dict(net.named_parameters()), **adaptive}) for net, adaptive in (
        (ours.net, ours.fit.parameters), (theirs.net, theirs.adaptive)
    ))  # fmt: skip
    away = float((found - wanted).norm() / wanted.norm())
    case.check(
        f"{models} model{'s' * (models > 1)}: loss {losses[0]:.6g}, of the loop in torch {losses[1]:.6g}; gradients differ by "
        f"{away:.1g} of their length",
        abs(losses[0] - losses[1]) < 1e-5 * losses[1] and away < 1e-4,
    )


def _check_regression(case: Case, values: np.ndarray) -> None:
    """Check in float64 that predictions are those of the loop in torch, from a window that grows to one that slides."""
    net, away = network("D2", dtype=torch.float64), 0.0
    ours, theirs = nd.ErrorRegression(net, window=WINDOW, iterations=2), _naive(net, 2)
    for value, targets in zip(values[: WINDOW + 3], net.output.encode(values[None]).targets[0], strict=False):
        found = ours.step(value).prediction_outputs[0, 0, 0]
        away = max(away, float(np.abs(found - theirs.step(targets).numpy()[0, 0]).max()))
    case.check(f"predictions of the loop in torch, in float64, differ by {away:.1g} at most", away < 1e-8)
