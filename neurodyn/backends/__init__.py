"""Runners of a Program: the interpreter, numba, torch, brian2; one seam (:class:`neurodyn.backends.engine.Engine`)."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neurodyn.backends.engine import Engine

_ENGINES = {
    "numba": ("neurodyn.backends.numba", "NumbaEngine"),
    "torch": ("neurodyn.backends.torch", "TorchEngine"),
    "interpreter": ("neurodyn.backends.interpreter", "InterpreterEngine"),
    "brian2": ("neurodyn.backends.brian2", "Brian2Engine"),
}
NAMES = tuple(_ENGINES)


def engine_class(name: str) -> type[Engine]:
    """Return the engine class of a backend; ValueError with the nearest name for an unknown one."""
    import importlib

    if name not in _ENGINES:
        near = difflib.get_close_matches(name, NAMES, n=1)
        raise ValueError(
            f"backend = {name!r}{f'; did you mean {near[0]!r}?' if near else ''} Backends are {', '.join(NAMES)}"
        )
    module, attribute = _ENGINES[name]
    return getattr(importlib.import_module(module), attribute)
