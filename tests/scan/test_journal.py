"""Journals on a disk that gets full."""

import errno
import json
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from neurodyn.scan.folder import Folder, Header
from neurodyn.scan.journal import Journal


class Small(FileIO):
    """A file on a disk that has room for so many bytes."""

    room = 150

    def write(self, content: Any, /) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = super().write(memoryview(content)[: self.room]) or 0
        self.room -= written
        return written


def test_a_line_that_does_not_fit_leaves_the_journal_as_it_was(tmp_path):
    header = Header("00000000", "/nowhere/script.py", "f", "/nowhere", {}, {}, {}, "2026-01-01T00:00:00+00:00")
    journal = Journal(Folder.create(tmp_path / "scan", header), "me")
    journal._lines.close()
    journal._lines = Small(journal._lines.name, "ab")
    journal.add({"key": "a" * 20, "state": "done"})
    with pytest.raises(OSError, match="No space left"):
        journal.add({"key": "b" * 200, "state": "done"})
    journal._lines.room = 1000
    journal.add({"key": "c" * 20, "state": "done"})
    journal.close()
    lines = Path(str(journal._lines.name)).read_text().splitlines()
    assert [json.loads(line)["key"][0] for line in lines] == ["a", "c"]
