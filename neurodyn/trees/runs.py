"""What a run was given, as nested dicts and arrays: its session, its options, and what it knew before it learned.

A recording keeps this as /run, beside /network, which holds the circuit as it was at the end. Together they are
enough to repeat the run (:mod:`neurodyn.rerun`). Nothing is executed when they are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.circuit import Circuit
from neurodyn.session import Session

KEPT_MB = 256.0  # inputs beyond this are not kept: they would take longer to store than to simulate
OPTIONS = ("backend", "device", "dtype")  # what chooses the runner


def run_tree(circuit: Circuit, session: Session, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run was given.

    Parameters
    ----------
    circuit : Circuit
        As it is before the first step, rules attached.
    session : Session
        One whose different inputs take more than ``KEPT_MB`` is left out; the tree says so.
    options : mapping
        Those of :func:`neurodyn.simulate`; ``record`` and what chooses the runner are kept.
    """
    learned = _memory(circuit)
    tree = {
        "record": [_item(item) for item in options["record"]],
        "options": {name: options[name] for name in OPTIONS if name in options},
        "functions": [i.name for i in circuit.inputs if i.function is not None],
        # what the circuit brings already, such as weights of an earlier run; the rest starts as it is described
        "learned": {name: np.asarray(value) for name, value in circuit.values.items() if name in learned},
    }
    arrays = {id(a): a.nbytes for trial in session.trials for a in trial.inputs.values()}
    size = sum(arrays.values()) / 1e6
    if size > KEPT_MB:
        return {**tree, "left_out": f"the inputs of its session take {size:.3g} MB (up to {KEPT_MB:.3g} MB are kept)"}
    return {**tree, "session": session.to_tree()}


def untrained(tree: Mapping[str, Any], trained: Circuit) -> Circuit:
    """Return the circuit before the run, from what the run was given and the circuit after it."""
    learned = _memory(trained)
    kept = {k: v for k, v in trained.values.items() if k.removesuffix("@initial") not in learned}
    return replace(trained, values={**kept, **tree["learned"]})


def _memory(circuit: Circuit) -> set[str]:
    return {a.name for a in circuit.program.arrays if a.role == "memory"}


def _item(item: Any) -> Any:
    """An entry of ``record``: a word, or a sample of some units or steps as a mapping."""
    if isinstance(item, str):
        return item
    ids = None if item.units is None else np.asarray(item.units, dtype=np.int64).ravel().tolist()
    every = None if item.every is None else float(units.si(item.every, "second", name="every"))  # type: ignore[arg-type]
    return {"array": item.array, "units": ids, "every": every}
