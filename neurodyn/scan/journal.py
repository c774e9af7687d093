"""What workers did, a line of JSON for every point that ended; each worker has a file of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from neurodyn.scan.folder import Folder

_MOST_PRINTED = 1_000_000  # bytes that are kept of what a point printed


class Journal:
    """The journal and the log of one worker."""

    def __init__(self, folder: Folder, worker: str) -> None:
        self._lines = open(folder.path / "journal" / f"{worker}.jsonl", "ab", buffering=0)  # noqa: SIM115
        self._log = open(folder.path / "logs" / f"{worker}.log", "ab", buffering=0)  # noqa: SIM115
        self.worker = worker

    def add(self, entry: Mapping[str, Any]) -> None:
        """Append an entry, whole or not at all."""
        _append(self._lines, json.dumps({**entry, "worker": self.worker}).encode() + b"\n")

    def keep(self, heading: str, printed: Path) -> list[int]:
        """Append what a point printed to the log, of very much its end; returns where: beginning and length."""
        content = last_bytes(printed, _MOST_PRINTED)
        head = f"== {heading}\n".encode()
        begin = _append(self._log, head + content + b"\n") + len(head)
        return [begin, len(content)]

    def close(self) -> None:
        """Close both files."""
        self._lines.close()
        self._log.close()


def _append(file: FileIO, content: bytes) -> int:
    """Write at the end, all or nothing (the disk may be full); returns where that was."""
    begin = os.fstat(file.fileno()).st_size
    rest = memoryview(content)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError:
        os.ftruncate(file.fileno(), begin)
        raise
    return begin


def last_bytes(path: Path, most: int) -> bytes:
    """The end of a file, of `most` bytes or less; b"" if there is none."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - most))
            return file.read(most)
    except FileNotFoundError:
        return b""


def entries(folder: Folder) -> Iterator[dict[str, Any]]:
    """All entries of all workers; lines that a kill cut short are left out."""
    for path in sorted((folder.path / "journal").glob("*.jsonl")):
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    entry = json.loads(line)
                except json.JSONDecodeError:
                    continue
                if isinstance(entry, dict):
                    yield entry


def printed(folder: Folder, key: str) -> str:
    """What a point printed when it last ran, from the log of its worker; "" if it did not."""
    latest = max((e for e in entries(folder) if e["key"] == key and "log" in e), key=lambda e: e["at"], default=None)
    if latest is None:
        return ""
    begin, length = latest["log"]
    with open(folder.path / "logs" / f"{latest['worker']}.log", "rb") as file:
        file.seek(begin)
        return file.read(length).decode("utf-8", "replace")
