"""What can be wrong with a scan."""

from __future__ import annotations


class ScanError(ValueError):
    """A scan that can't be planned, run or read as it was asked; the message says what to do."""
