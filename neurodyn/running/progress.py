"""How far a run is, on the screen."""

from __future__ import annotations

import sys
from typing import Any


def progress_bar(total: int, progress: bool | None, unit: str = "trial") -> Any:
    """Return a progress bar; silent where nobody watches (``progress=None`` and no terminal)."""
    from tqdm.auto import tqdm  # it takes a while to import

    return tqdm(
        total=total, unit=unit, disable=not (sys.stderr.isatty() if progress is None else progress), leave=False
    )
