"""What points load anew in each process, and need not: the server loads it once, and its later children have it.

A point that has ended leaves the names of the modules that it imported and the compiled functions that it used. They
hold no state of a point: they are what `import` and Numba's cache would give the next one too, only slowly.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

# others may start threads, or more, when they are imported, which no process may have that is forked
_PACKAGES = {"neurodyn", "numpy", "scipy", "numba", "llvmlite", "h5py", "matplotlib", "torch", *sys.stdlib_module_names}
_loaded: set[str] = set()


def begin() -> None:
    """In the server: take note of what is loaded before the first point."""
    _loaded.update(sys.modules)


def note(place: Path) -> None:
    """In the process of a point: write down what it has loaded that the server had not."""
    modules = [name for name in list(sys.modules) if name not in _loaded and name.partition(".")[0] in _PACKAGES]
    functions = {key: types for key, types in _compiled() if f"{key} {types}" not in _loaded}
    if modules or functions:
        place.write_bytes(pickle.dumps((modules, functions)))


def load(place: Path) -> None:
    """In the server: load what a point wrote down."""
    try:
        modules, functions = pickle.loads(place.read_bytes())  # written by a process forked from this one
    except (OSError, EOFError, ValueError, pickle.UnpicklingError):  # not there, or cut short by a kill
        return
    place.unlink()
    for name in modules:
        with contextlib.suppress(Exception):  # names that stand for no file
            importlib.import_module(name)
    for (module, name), types in functions.items():
        with contextlib.suppress(Exception):
            function = getattr(_module(module), name)
            for signature in types:
                if signature not in function.signatures:
                    function.compile(signature)
    _loaded.update(modules, (f"{key} {types}" for key, types in functions.items()))
    gc.collect()
    gc.freeze()


def _compiled() -> Iterator[tuple[tuple[str, str], list[Any]]]:
    """Functions of the package and of the script that Numba has loaded or compiled, and for which types."""
    if "numba" not in sys.modules:
        return
    from numba.core.dispatcher import Dispatcher

    for module in [name for name in sys.modules if name.startswith("neurodyn")]:
        for name, function in list(vars(sys.modules[module]).items()):
            if isinstance(function, Dispatcher) and function.signatures and function.__module__ == module:
                yield (module, name), list(function.signatures)


def _module(name: str) -> ModuleType:
    """A module of the package, the script, or a module that the package has generated."""
    if name in sys.modules or "." in name:
        return importlib.import_module(name)
    from neurodyn.kernels import cache, step

    step.allow_many_pointer_checks()
    path = cache.folder() / "kernels" / f"{name}.py"
    return cache.module(name, path.read_text(encoding="utf-8"))
