"""Memory for samples: it comes in huge pages, and again and again where nobody has kept what was there."""

from __future__ import annotations

import sys

import numpy as np

_BYTES = 2**24  # of a block: fresh small pages cost more than what is written to them


class Block:
    """Arrays (rows, width), cut one after the other from a large one.

    They are the receiver's to keep. If none was kept (a recording to a file keeps none) the next one is cut from the
    same place, which the cache holds, and a long run touches no fresh memory.
    """

    def __init__(self, width: int, dtype: np.dtype) -> None:
        self._width, self._dtype = width, dtype
        self._new(1)

    def _new(self, rows: int) -> None:
        self._array = np.empty(
            (max(rows, _BYTES // max(1, self._dtype.itemsize * self._width)), self._width), self._dtype
        )
        self._used, self._alone = 0, self._references()

    def _references(self) -> int:
        return sys.getrefcount(self._array)  # every array that looks at it, or at a part of it, counts

    def cut(self, rows: int) -> np.ndarray:
        """Return an array of ``rows``."""
        if self._references() == self._alone:
            self._used = 0
        if len(self._array) - self._used < rows:
            self._new(rows)
        self._used += rows
        return self._array[self._used - rows : self._used]
