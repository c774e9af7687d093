"""Where compiled kernels and lowered equations are kept between runs."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib.util
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType


def folder() -> Path:
    """Return the cache folder of this user, made if absent.

    ``NEURODYN_CACHE_DIR`` overrides the platform's place (``$XDG_CACHE_HOME`` or ``~/.cache``, ``~/Library/Caches``
    on macOS). Everything in it can be deleted at any time; ``neurodyn doctor --clear-cache`` does so.
    """
    chosen = os.environ.get("NEURODYN_CACHE_DIR")
    if chosen:
        path = Path(chosen).expanduser()
    elif sys.platform == "darwin":
        path = Path.home() / "Library" / "Caches" / "neurodyn"
    else:
        path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "neurodyn"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only home (containers, some clusters) must not stop a run
        return _temporary(tempfile.gettempdir())
    return path


@functools.cache
def _temporary(parent: str) -> Path:
    """Return a folder among the temporary files that nobody else can write: what lies in it is imported."""
    user = os.getuid() if hasattr(os, "getuid") else None
    path = Path(parent) / f"neurodyn-{'user' if user is None else user}"
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or (user is not None and (found.st_uid != user or found.st_mode & 0o022)):
        return Path(tempfile.mkdtemp(prefix="neurodyn-"))  # somebody else's: not kept between runs, but ours
    return path


@contextlib.contextmanager
def collection_later() -> Iterator[None]:
    """Put off the collection of garbage: what imports and compilers make is none, and to look for it takes a tenth of their time."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def atomic_write(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old or the new one, never half of it (array jobs race)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def module(name: str, text: str) -> ModuleType:
    """Return the module of a generated text; ``name`` holds a hash of all that it depends on.

    It is written into the folder, since compilers keep machine code beside a file and read sources from one.
    """
    if name in sys.modules:
        return sys.modules[name]
    path = folder() / "kernels" / f"{name}.py"
    if not path.exists():
        atomic_write(path, text)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    sys.modules[name] = made
    return made
