"""What can be wrong with a scan."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE}


class ScanError(ValueError):
    """A scan that can't be planned, run or read as it was asked; the message says what to do."""


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Say what it means for the scan in `path` when its disk is full, or can't be written."""
    try:
        yield
    except OSError as error:
        if error.errno not in _OF_THE_DISK:
            raise
        raise ScanError(
            f"the scan in {path} can't go on: {error}. What was done is done; run it again when this is mended"
        ) from error
