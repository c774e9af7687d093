"""What workers did, a line of JSON for every point that ended; each worker has a file of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from neurodyn.scan.folder import Folder


class Journal:
    """The journal and the log of one worker."""

    def __init__(self, folder: Folder, worker: str) -> None:
        self._lines = open(folder.path / "journal" / f"{worker}.jsonl", "ab", buffering=0)  # noqa: SIM115
        self._log = open(folder.path / "logs" / f"{worker}.log", "ab", buffering=0)  # noqa: SIM115
        self.worker = worker

    def add(self, entry: Mapping[str, Any]) -> None:
        """Append an entry."""
        self._lines.write(json.dumps({**entry, "worker": self.worker}).encode() + b"\n")

    def keep(self, heading: str, printed: Path) -> list[int]:
        """Append what a point printed to the log; returns where: beginning and length."""
        try:
            content = printed.read_bytes()
        except FileNotFoundError:
            content = b""
        self._log.write(f"== {heading}\n".encode())
        begin = self._log.seek(0, os.SEEK_CUR)
        self._log.write(content + b"\n")
        return [begin, len(content)]

    def close(self) -> None:
        """Close both files."""
        self._lines.close()
        self._log.close()


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
