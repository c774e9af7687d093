"""Serving runs: one engine after the other, side by side in threads, or a batch that advances as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from neurodyn.backends.engine import Advance, Begin, End, Engine, Records, Request, joined
from neurodyn.running.run import BlowUpError, Reply, Run, blow_up
from neurodyn.running.stopping import Suspended

if TYPE_CHECKING:
    from neurodyn.backends.torch import TorchBatch

Tick = Callable[[int, int], Any]  # trials that ended, and steps that were made


def in_threads(runs: Sequence[Run], tick: Tick, threads: int) -> None:
    """Run engines that are independent of each other; an error of one is raised when the others are done."""
    if threads == 1:
        for run in runs:
            alone(run, tick)
        return
    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(alone, run, tick) for run in runs]:
            future.result()


def alone(run: Run, tick: Tick) -> None:
    """Serve one run by its own engine."""
    requests, engine = run.requests(), run.engine
    answer = None
    while True:
        try:
            request = requests.send(answer)
        except StopIteration:
            return
        answer = None
        try:
            if isinstance(request, Begin):
                engine.start_trial(**vars(request))
            elif isinstance(request, Advance):
                answer = _advance(engine, request)
                tick(0, answer.steps)
            else:
                engine.end_trial()
                tick(1, 0)
        except BaseException as error:  # of the engine, or the user's Ctrl-C: the run keeps what it has
            requests.throw(error)


def together(runs: Sequence[Run], batch: TorchBatch, tick: Tick) -> None:
    """Serve runs whose engines are the networks of a batch: all advance to the next border of any of them.

    A run that is done, or failed, leaves; its network goes on unheard. The first error is raised at the end.
    """
    asking = {lane: run.requests() for lane, run in enumerate(runs)}
    waiting: dict[int, Request] = {}
    errors: list[Exception | Suspended] = []

    def answer(lane: int, reply: Reply | None) -> None:
        try:
            waiting[lane] = asking[lane].send(reply)
        except StopIteration:
            waiting.pop(lane, None)
        except (Exception, Suspended) as error:
            waiting.pop(lane, None)
            errors.append(error)

    try:
        for lane in asking:
            answer(lane, None)
        while waiting:
            begins = {lane: r for lane, r in waiting.items() if isinstance(r, Begin)}
            ends = [lane for lane, r in waiting.items() if isinstance(r, End)]
            if ends:
                batch.end(ends)
                tick(len(ends), 0)
            if begins:
                batch.begin(begins)
            for lane in (*begins, *ends):
                answer(lane, None)
            chunks = {lane: r for lane, r in waiting.items() if isinstance(r, Advance)}
            if chunks and len(chunks) == len(waiting):
                replies = _advance_batch(batch, chunks)
                tick(0, sum(reply.steps for reply in replies.values()))
                for lane, reply in replies.items():
                    answer(lane, reply)
    except BaseException as error:  # of the batch, or the user's Ctrl-C: the runs keep what they have
        for lane in waiting:
            with suppress(BaseException):
                asking[lane].throw(error)
        raise
    if errors:
        raise errors[0]


def _advance(engine: Engine, request: Advance) -> Reply:
    """Advance, and where a number blows up find the step: the same numbers again, one by one."""
    if request.steps == 1:  # a copy each step would cost a tight loop dearly
        records, at = engine.advance(1, request.inputs), engine.step - 1
        bad = engine.infinite()
        if bad is None:
            return Reply(records, 1)
        return Reply(_nothing(engine), 0, _in_step(engine, bad, at))
    before = engine.to_arrays()
    records = engine.advance(request.steps, request.inputs)
    if engine.infinite() is None:
        return Reply(records, request.steps)
    engine.from_arrays(before)
    return _search(engine, request)


def _advance_batch(batch: TorchBatch, chunks: dict[int, Advance]) -> dict[int, Reply]:
    """Advance a batch to the nearest border of those that ask."""
    steps = min(request.steps for request in chunks.values())
    inputs = {lane: {n: v[:steps] for n, v in r.inputs.items()} for lane, r in chunks.items()}
    before = batch.snapshot()
    records = batch.advance(steps, inputs)
    bad = set(batch.infinite())
    replies = {}
    for lane in chunks:
        if lane in bad:
            replies[lane] = _search(batch.alone(lane, before), Advance(steps, inputs[lane]))
        else:
            replies[lane] = Reply(records[lane], steps)
    return replies


def _search(engine: Engine, request: Advance) -> Reply:
    """Repeat a chunk step by step until a number is not finite; return what came before, and the error."""
    found: list[Records] = []
    first = engine.step
    for k in range(request.steps):
        records = engine.advance(1, {n: v[k : k + 1] for n, v in request.inputs.items()})
        bad = engine.infinite()
        if bad is not None:
            return Reply(joined(engine, found), k, _in_step(engine, bad, first + k))
        found.append(records)
    message = f"numbers became infinite between steps {first} and {engine.step}, but not when repeated one by one"
    return Reply(joined(engine, found), request.steps, BlowUpError(message))


def _in_step(engine: Engine, bad: tuple[str, list[int]], step: int) -> BlowUpError:
    t = step * engine.network.circuit.timestep * 1e3
    return blow_up(engine, bad, f"in step {step} (t = {t:g} ms)")


def _nothing(engine: Engine) -> Records:
    return joined(engine, [])
