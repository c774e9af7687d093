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


def register(name: str) -> None:
    """Make one's own runner known as a backend, for this process, under the name "package.module:Class".

    Only what was registered is ever imported: a recording that names a backend can't bring code in. ValueError for
    what can't be imported or is no :class:`~neurodyn.backends.engine.Engine`.
    """
    import importlib

    from neurodyn.backends.engine import Engine

    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"runner {name!r} can't be imported as 'package.module:Class': {error}") from error
    if not (isinstance(found, type) and issubclass(found, Engine)):
        raise ValueError(f"runner {name!r} is no subclass of neurodyn.backends.engine.Engine")
    _ENGINES[name] = (module, attribute)
