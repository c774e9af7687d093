"""Case "training": a step of training a leaky rate network, beside the products of matrices that it can't do without."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from limits import Ceiling
from measure import Times, in_turn
from naive_training import CLIP, MOMENTUM, RATE, LeakyLoop, Products, TorchRNN, sequences, trainer
from table import Case, Row, at_least

import neurodyn as nd
from neurodyn.training.loop import Loop
from neurodyn.training.plan import StagesPlan
from neurodyn.training.stages import Stages

STEPS = 25  # digits of a sequence, about the mean at N = 9
HEADS = 8
SIZES = ((64, 128), (128, 128), (500, 256))  # units, batch
OF_A_RUN = {64: 20, 128: 10, 500: 2}  # training steps
WANTED = 0.85
SOLVED, SEEDS = 6, 3  # of the comparison of precisions
_BUSY = "the load average is {:.1f}, and threads that wait for each other on a busy machine time the others"


@dataclass(frozen=True, kw_only=True)
class Digits(nd.tasks.Parity):
    """Parity, all batches of one length."""

    def length(self, n: int, *, seed: int, step: int) -> int:
        return STEPS


class Ours:
    """The training step of ``nd.train``: batch, draws, forward, loss, back, clip, optimiser."""

    def __init__(self, units: int, batch: int, precision: Any = "float32") -> None:
        self.net = nd.LeakyRNN(units, precision=precision)
        plan = StagesPlan(
            curriculum=nd.MultiHead(), until=None, epochs=1, patience=None, batch=batch, steps=1, tests=1, threshold=0.98,
            optimizer="sgd", learning_rate=RATE, momentum=MOMENTUM, clip=CLIP, seed=1,
        )  # fmt: skip
        self.stages, self.number = Stages(self.net, Digits(), plan), 0
        self.stages.stage = tuple(range(2, HEADS + 2))
        self.loop = Loop(self.net, self.stages, plan)

    def step(self) -> torch.Tensor:
        """Train one step; return the loss."""
        self.number += 1
        return self.loop.step(0, self.number)[0]


def run(ceiling: Ceiling, *, quick: bool) -> Iterator[Case]:
    """Time the step for each size on one thread and on two; with --full, learn with either precision."""
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            if threads > 1 and (load := os.getloadavg()[0]) > (os.cpu_count() or 1):
                yield Case(f"Training step, {threads} threads", notes=[f"Not measured: {_BUSY.format(load)}"])
                continue
            torch.set_num_threads(threads)
            for units, batch in SIZES:
                yield _step(units, batch, threads, rounds=5 if quick else 11)
        torch.set_num_threads(1)
        if not quick:
            yield _learning()
    finally:
        torch.set_num_threads(before)


def _step(units: int, batch: int, threads: int, *, rounds: int) -> Case:
    clock = "CPU time" if threads == 1 else "wall clock"
    case = Case(f"Training step, {units} units, batch {batch}, {threads} thread{'s' * (threads > 1)} ({clock})")
    _check(case, units, batch)
    ours, low = Ours(units, batch), Ours(units, batch, "bfloat16")
    bare = {t: Products(units, batch, STEPS, t) for t in (torch.float32, torch.bfloat16)}
    others = {kind: trainer(kind(units, HEADS)) for kind in (LeakyLoop, TorchRNN)}
    contenders: dict[str, Callable[[], Any]] = {
        "bare": bare[torch.float32].run,
        "ours": ours.step,
        "naive": lambda: others[LeakyLoop](*sequences(STEPS, batch, units, HEADS)),
        "peer": lambda: others[TorchRNN](*sequences(STEPS, batch, units, HEADS)),
        "bare low": bare[torch.bfloat16].run,
        "low": low.step,
    }
    count = OF_A_RUN[units]
    times = in_turn({name: _repeated(step, count) for name, step in contenders.items()}, rounds)

    def add(what: str, name: str, against: Row | None, note: str = "") -> Row:
        seconds = _seconds(times[name], threads)
        return case.add(what, seconds, unit="us", per=count * STEPS, against=against, note=note)

    base = add("torch.mm float32, the products alone", "bare", None, note="the limit")
    row = add("neurodyn, nd.train's step, float32", "ours", base)
    add("loop over steps in torch, autograd", "naive", base)
    add("torch.nn.RNN, relu, autograd", "peer", base, note="no leak")
    lower = add("torch.mm bfloat16, the products alone", "bare low", base)
    add("neurodyn, nd.train's step, bfloat16", "low", lower)
    what = f"training: share of bare products, {units} units, batch {batch}, {threads} thread{'s' * (threads > 1)}"
    case.goals.append(at_least(what, 1 / (row.relative or 1.0), WANTED))
    case.notes.append(f"Times, {clock}, of one of {STEPS} steps of a sequence; {count} training steps a run")
    return case


def _repeated(step: Callable[[], Any], count: int) -> Callable[[], None]:
    def run() -> None:
        for _ in range(count):
            step()

    return run


def _seconds(times: Times, threads: int) -> list[float]:
    return times.cpu if threads == 1 else times.wall


def _check(case: Case, units: int, batch: int) -> None:
    """Check that a step of the loop in torch, from the same weights and sequences, has our loss and ends at our weights."""
    ours, plain = Ours(units, batch), LeakyLoop(units, HEADS)
    net, given = ours.net, Digits().batch(range(2, HEADS + 2), batch, seed=1, step=1)
    pairs = [
        (plain.input.weight, net.input_weight),
        (plain.input.bias, net.input_bias),
        (plain.recurrent.weight, net.recurrent_weight),
        (plain.recurrent.bias, net.recurrent_bias),
        (plain.tau, net.time_constants.value),
        *((head.weight, net.readout_weight[k]) for k, head in enumerate(plain.heads)),
        *((head.bias, net.readout_bias[k]) for k, head in enumerate(plain.heads)),
    ]
    with torch.no_grad():
        for theirs, mine in pairs:
            theirs.copy_(mine)
        before = [mine.clone() for _, mine in pairs]
    state = net.draws(STEPS, batch, seed=1, step=1)["state"]
    losses = [float(trainer(plain)(given.inputs, state, given.labels)), float(ours.step())]
    with torch.no_grad():
        away = torch.cat([(theirs - mine).flatten() for theirs, mine in pairs]).norm()
        moved = torch.cat([(mine - old).flatten() for (_, mine), old in zip(pairs, before, strict=True)]).norm()
    case.check(
        f"a step of the loop in torch: loss {losses[0]:.6f}, ours {losses[1]:.6f}; the weights move as ours do up to "
        f"{float(away / moved):.1g} of it",
        abs(losses[0] - losses[1]) < 1e-4 * losses[1] and bool(away < 1e-3 * moved),
    )


def _learning() -> Case:
    """Count epochs until parity is solved, in float32 and in bfloat16, over seeds."""
    case = Case(
        f"Training, precision: epochs of 600 steps until N = {SOLVED} of parity, 64 units, multi-head, {SEEDS} seeds"
    )
    for precision in ("float32", "bfloat16"):
        epochs = []
        for seed in range(1, SEEDS + 1):
            net = nd.LeakyRNN(64, precision=precision, seed=seed)
            done = nd.train(
                net, nd.tasks.Parity(), until=SOLVED, epochs=150, batch=128, tests=20, seed=seed, progress=False
            )
            reached = done.recording.results["N"]
            case.notes.append(
                f"{precision}, seed {seed}: N = {reached} after {done.recording.results['epochs']} epochs"
            )
            epochs.append(float(done.recording.results["epochs"]))
        case.rows.append(Row(f"neurodyn, {precision}", tuple(epochs), unit="epochs"))
    return case
