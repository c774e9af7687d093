"""How far a run is, on the screen."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Self


class _Silent:
    """A progress bar where nobody watches."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments, **more: None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None: ...


def progress_bar(total: int, progress: bool | None, unit: str = "trial") -> Any:
    """Return a progress bar; silent where nobody watches (``progress=None`` and no terminal)."""
    if not (sys.stderr.isatty() if progress is None else progress):
        return _Silent()
    from tqdm.auto import tqdm  # it takes a while to import

    return tqdm(total=total, unit=unit, leave=False)
