"""Case "emulation": an update of nd.emulate, of one network and of eight, beside the loop in torch with geomloss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from limits import Ceiling
from measure import BUSY, Times, cores_free, in_turn
from naive_emulation import BETAS, BLUR, CLIP, RATE, DrivenLoop, Products, draws, trainer
from table import Case, Row

import neurodyn as nd
from neurodyn.training.emulating import Emulation
from neurodyn.training.emulation import EmulationPlan
from neurodyn.training.loop import Loop

UNITS, INPUTS, SYMBOLS, STEPS = 150, 100, 3, 100  # the published size
MODELS = 8
SIZES, FULL = (512,), (512, 1024, 4096)  # sequences in a batch
ROUNDS = {512: 7, 1024: 5, 4096: 3}


class Ours:
    """An update of ``nd.emulate``: draws, sequences, divergence, gradient, clip, optimiser."""

    def __init__(self, batch: int, seed: Any, keys: Any = 1) -> None:
        plan = EmulationPlan(
            epochs=1, steps=1, updates=1, length=STEPS, batch=batch, keep_every=None, sequences=batch, validation=2,
            blur=BLUR, scaling=0.5, optimizer="adam", learning_rate=RATE, betas=BETAS, clip=CLIP, seed=keys,
        )  # fmt: skip
        self.net = nd.HMMRNN(UNITS, noise_inputs=INPUTS, outputs=SYMBOLS, seed=seed)
        self.emulation = Emulation(self.net, nd.tasks.HiddenMarkov.chain(2), plan)
        self.loop, self.number = Loop(self.net, self.emulation, plan), 0

    def update(self) -> torch.Tensor:
        """Train an update; return the loss."""
        self.number += 1
        return self.loop.step(0, self.number)[0]


def run(ceiling: Ceiling, *, quick: bool) -> Iterator[Case]:
    """Time an update for each size, on one thread and on two."""
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            if threads > 1 and not cores_free(threads):
                yield Case(f"Emulation, {threads} threads", notes=[f"Not measured: {BUSY}"])
                continue
            torch.set_num_threads(threads)
            for batch in SIZES if quick else FULL:
                yield _update(batch, threads, rounds=3 if quick else ROUNDS[batch])
    finally:
        torch.set_num_threads(before)


def _update(batch: int, threads: int, *, rounds: int) -> Case:
    clock = "CPU time" if threads == 1 else "wall clock"
    case = Case(
        f"Emulation, an update, {UNITS} units, {STEPS} steps, batch {batch}, {threads} thread{'s' * (threads > 1)} ({clock})"
    )
    _check(case, batch)
    seeds = list(range(1, MODELS + 1))
    one, bare, plain = (
        Ours(batch, 1),
        Products(UNITS, INPUTS, batch, STEPS),
        trainer(DrivenLoop(UNITS, INPUTS, SYMBOLS)),
    )
    together, apart = Ours(batch, seeds), Ours(batch, seeds, tuple(seeds))
    wanted = _wanted(one)
    contenders: dict[str, Callable[[], Any]] = {
        "bare": bare.run,
        "one": one.update,
        "together": together.update,
        "apart": apart.update,
        "naive": lambda: plain(*draws(STEPS, batch, INPUTS, SYMBOLS), wanted),
    }
    slow = {"naive": 1} if batch > max(SIZES) else None
    times = in_turn({name: _silent(update) for name, update in contenders.items()}, rounds, slow)

    def add(what: str, name: str, models: int = 1, note: str = "", against: Row | None = None) -> Row:
        limit = None if name == "bare" else base.median / 1e3 * models
        return case.add(what, _seconds(times[name], threads), per=models, against=against, limit=limit, note=note)

    base = add("torch.mm float32, the products alone", "bare", note="the limit")
    first = add("neurodyn, one network", "one")
    add(f"neurodyn, {MODELS} networks that see the same noise, each", "together", MODELS, against=first)
    add(f"neurodyn, {MODELS} networks with noise of their own, each", "apart", MODELS, against=first)
    add("loop over steps in torch, autograd, geomloss", "naive", against=first)
    case.notes.append(f"Times, {clock}, of an update, for each network; a limit holds no draws and no divergence")
    return case


def _silent(update: Callable[[], Any]) -> Callable[[], None]:
    def run() -> None:
        update()

    return run


def _seconds(times: Times, threads: int) -> list[float]:
    return times.cpu if threads == 1 else times.wall


def _wanted(ours: Ours) -> torch.Tensor:
    return ours.emulation.wanted(1).codes


def _check(case: Case, batch: int) -> None:
    """Check that an update of the loop in torch, from the same weights and draws, has our loss and ends at our weights."""
    ours, plain = Ours(batch, 1), DrivenLoop(UNITS, INPUTS, SYMBOLS)
    many = Ours(batch, [1, 2])
    net = ours.net
    pairs = [
        (plain.recurrent.weight, net.recurrent_weight),
        (plain.input.weight, net.noise_weight),
        (plain.readout.weight, net.readout_weight),
    ]
    with torch.no_grad():
        for theirs, mine in pairs:
            theirs.copy_(mine)
        before = [mine.clone() for _, mine in pairs]
    given = net.draws(STEPS, batch, seed=1, step=1)
    losses = [float(trainer(plain)(given["noise"], given["gumbel"], _wanted(ours))), float(ours.update())]
    with torch.no_grad():
        away = torch.cat([(theirs - mine).flatten() for theirs, mine in pairs]).norm()
        moved = torch.cat([(mine - old).flatten() for (_, mine), old in zip(pairs, before, strict=True)]).norm()
    case.check(
        f"an update of the loop in torch: loss {losses[0]:.6f}, ours {losses[1]:.6f}; the weights move as ours do up to "
        f"{float(away / moved):.1g} of it",
        abs(losses[0] - losses[1]) < 1e-4 * losses[1] and bool(away < 1e-2 * moved),
    )
    first = float(many.update()[0])
    case.check(f"the first of two networks has the loss {first:.6f}", abs(first - losses[1]) < 1e-5 * first)
