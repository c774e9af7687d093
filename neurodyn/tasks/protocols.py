"""Protocols of the what-when task: one block, switches between blocks, and sweeps over fresh networks."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from neurodyn.session import Session
from neurodyn.tasks.what_when import WhatWhen

_EARLY_LATE, _LATE_EARLY = ("150 ms", "300 ms"), ("300 ms", "150 ms")
_Table = dict[str, tuple[tuple[float, tuple[str, str]], ...]]
_BLOCKS: _Table = {
    "P1": ((0.8, _EARLY_LATE),),
    "P3": ((0.8, _EARLY_LATE), (0.2, _EARLY_LATE), (0.2, _LATE_EARLY), (0.8, _EARLY_LATE)),
}
_SWEEPS: _Table = {
    "P2": tuple((k / 10, _EARLY_LATE) for k in range(11)),
    "P4": tuple(
        (p, latencies)
        for p in (0.2, 0.5, 0.8)
        for latencies in (("120 ms", "270 ms"), ("180 ms", "330 ms"), ("240 ms", "390 ms"))
    ),
}


def blocks(name: str, *, base: WhatWhen | None = None) -> list[WhatWhen]:
    """The tasks of the blocks of a protocol, in order.

    Parameters
    ----------
    name : "P1" or "P3"
        "P1": one block, p(A) = 0.8, latencies 150 and 300 ms. "P3": four blocks, the second with another
        probability (0.2), the third with exchanged latencies (300 and 150 ms), the fourth as the first.
    base : WhatWhen, optional
        Where all other parameters come from (of two events).
    """
    return _tasks(name, _BLOCKS, _SWEEPS, "protocol", "sweep", base)


def sweep(name: str, *, base: WhatWhen | None = None) -> list[WhatWhen]:
    """The tasks of a sweep, each of them for a fresh network.

    Parameters
    ----------
    name : "P2" or "P4"
        "P2": p(A) = 0, 0.1, ..., 1. "P4": p(A) = 0.2, 0.5, 0.8 (slowest) by the latencies 120/270, 180/330
        and 240/390 ms (fastest), nine tasks.
    base : WhatWhen, optional
        Where all other parameters come from (of two events).
    """
    return _tasks(name, _SWEEPS, _BLOCKS, "sweep", "protocol", base)


def protocol(
    name: str,
    *,
    seed: int = 1,
    trials: int = 100,
    tests: Sequence[int] | None = None,
    base: WhatWhen | None = None,
) -> Session:
    """The session of a protocol: "P1" (stationary) or "P3" (three switches), see :func:`blocks`.

    Parameters
    ----------
    name : "P1" or "P3"
    seed : int
        Key of the order of events.
    trials : int
        Training trials of each block.
    tests : sequence of int, optional
        Training trials after which tests come, as in :meth:`WhatWhen.session`, the same in each block.
    base : WhatWhen, optional
        Where all other parameters come from, as in :func:`blocks`.
    """
    session = switching(blocks(name, base=base), seed=seed, trials=trials, tests=tests)
    return replace(session, config={"protocol": name, **session.config})


def switching(
    tasks: Sequence[WhatWhen],
    *,
    trials: int = 100,
    calibration: int = 5,
    tests: Sequence[int] | None = None,
    test_trials: int = 3,
    seed: int = 1,
) -> Session:
    """One session of several blocks with an unannounced switch from each task to the next.

    Parameters
    ----------
    tasks : sequence of WhatWhen
        One per block, of the same events and dt.
    trials, tests, test_trials
        Of each block, as in :meth:`WhatWhen.session`.
    calibration : int
        Cue-only trials before the first block; the other blocks have none, since a switch is not announced.
    seed : int
        Key of the event orders; every block has its own.

    Raises
    ------
    ValueError
        No task, or tasks that differ in events or dt.
    """
    tasks = tuple(tasks)
    if not tasks:
        raise ValueError("tasks=(): give at least one task")
    first = tasks[0]
    for number, task in enumerate(tasks):
        if task.names != first.names or task.dt != first.dt:
            raise ValueError(
                f"tasks: block {number} has events {task.names} at dt={task.dt}, block 0 has {first.names} "
                f"at dt={first.dt}; all blocks of a session need the same"
            )
    sessions = [
        task.session(
            trials,
            calibration=calibration if block == 0 else 0,
            tests=tests,
            test_trials=test_trials,
            seed=seed,
            block=block,
        )
        for block, task in enumerate(tasks)
    ]
    return replace(
        sessions[0],
        trials=tuple(trial for session in sessions for trial in session.trials),
        config={"blocks": [dict(session.config) for session in sessions]},
    )


def _tasks(name: str, known: _Table, other: _Table, kind: str, elsewhere: str, base: WhatWhen | None) -> list[WhatWhen]:
    if name not in known:
        if name in other:
            hint = f"it is made by {elsewhere}({name!r})"
        else:
            near = difflib.get_close_matches(str(name).upper(), known, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        raise ValueError(f"name={name!r} is not a {kind}; {hint}")
    base = WhatWhen() if base is None else base
    return [base.with_(probability=p, latencies=latencies) for p, latencies in known[name]]
