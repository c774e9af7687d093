"""Case "training": a step of training a leaky rate network, beside the products of matrices that it can't do without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from limits import Ceiling
from measure import BUSY, Times, cores_free, in_turn
from naive_training import CLIP, MOMENTUM, RATE, LeakyLoop, Products, TorchRNN, sequences, trainer
from table import Case, Row, at_most

import neurodyn as nd
from neurodyn.training.loop import Loop
from neurodyn.training.many_stages import ManyStages
from neurodyn.training.plan import StagesPlan
from neurodyn.training.stages import Stages

STEPS = 25  # digits of a sequence, about the mean at N = 9
HEADS = 8
SIZES = ((64, 128), (128, 128), (500, 256))  # units, batch
OF_A_RUN = {64: 20, 128: 10, 500: 2}  # training steps
AIMS = {64: 40, 128: 85, 500: 1550}  # us a digit, two threads
MODELS = 16  # of the ensemble
SOLVED, SEEDS = 6, 3  # of the comparison of precisions


@dataclass(frozen=True, kw_only=True)
class Digits(nd.tasks.Parity):
    """Parity, all batches of one length."""

    def length(self, n: int, *, seed: int, step: int) -> int:
        return STEPS


class Ours:
    """The training step of ``nd.train``: batch, draws, forward, loss, back, clip, optimiser."""

    def __init__(self, units: int, batch: int, precision: Any = "float32", seed: Any = 1, key: Any = 1) -> None:
        self.net = nd.LeakyRNN(units, precision=precision, seed=seed)
        plan = StagesPlan(
            curriculum=nd.MultiHead(), until=None, epochs=1, patience=None, batch=batch, steps=1, tests=1, threshold=0.98,
            optimizer="sgd", learning_rate=RATE, momentum=MOMENTUM, clip=CLIP, seed=key,
        )  # fmt: skip
        objective: Any = (ManyStages if self.net.many else Stages)(self.net, Digits(), plan)
        self.number = 0
        for stages in objective.each if self.net.many else [objective]:
            stages.stage = tuple(range(2, HEADS + 2))
        self.loop = Loop(self.net, objective, plan)

    def step(self) -> torch.Tensor:
        """Train one step; return the loss, (model,) of many."""
        self.number += 1
        return self.loop.step(0, self.number)[0]


def run(ceiling: Ceiling, *, quick: bool) -> Iterator[Case]:
    """Time the step for each size on two threads; with --full, on one as well, and learn with either precision."""
    before = torch.get_num_threads()
    try:
        for threads in (2,) if quick else (1, 2):
            if threads > 1 and not cores_free(threads):
                yield Case(f"Training step, {threads} threads", notes=[f"Not measured: {BUSY}"])
                continue
            torch.set_num_threads(threads)
            for units, batch in SIZES:
                yield _step(units, batch, threads, rounds=3 if quick else 11)
            if threads > 1:
                yield _ensemble(64, 128, threads, rounds=3 if quick else 11)
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
    if threads > 1:
        what = f"training: a digit of a step, {units} units, batch {batch}, two threads"
        case.goals.append(at_most(what, row.median, AIMS[units]))
    case.notes.append(f"Times, {clock}, of one of {STEPS} steps of a sequence; {count} training steps a run")
    return case


def _ensemble(units: int, batch: int, threads: int, *, rounds: int) -> Case:
    """Many models at once, and one after the other."""
    case = Case(f"Training step of {MODELS} models of {units} units, batch {batch}, {threads} threads (wall clock)")
    seeds = tuple(range(1, MODELS + 1))
    same, apart = Ours(units, batch, seed=seeds), Ours(units, batch, seed=seeds, key=seeds)
    single = [Ours(units, batch, seed=seed, key=seed) for seed in seeds]
    losses = apart.step(), torch.stack([one.step() for one in single])
    weights = [torch.equal(p[k], q) for k, one in enumerate(single) for p, q in zip(apart.net.parameters(), one.net.parameters(), strict=True)]  # fmt: skip
    case.check("a step of each model alone has the loss and ends at the weights that it has among the others, bit for bit",
               torch.equal(*losses) and all(weights))  # fmt: skip
    plain = [trainer(LeakyLoop(units, HEADS)) for _ in seeds]
    contenders: dict[str, Callable[[], Any]] = {
        "alone": lambda: [one.step() for one in single],
        "apart": apart.step,
        "same": same.step,
        "naive": lambda: [step(*sequences(STEPS, batch, units, HEADS)) for step in plain],
    }
    times = in_turn({name: _repeated(step, 2) for name, step in contenders.items()}, rounds)

    def add(what: str, name: str, against: Row | None) -> Row:
        return case.add(what, times[name].wall, unit="us", per=2 * STEPS * MODELS, against=against)

    base = add("one model after the other, each on all threads", "alone", None)
    add("many at once, each with sequences of its own", "apart", base)
    add("many at once, with the same sequences", "same", base)
    add("loop over steps in torch, autograd, one after the other", "naive", base)
    case.notes.append(f"Times of one of {STEPS} steps of a sequence of one model")
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
