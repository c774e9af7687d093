"""Exports that are folders: there whole or not at all, each with a table of what its files hold."""

from __future__ import annotations

import csv
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neurodyn.recording.disk import beside, check_output, sync, sync_folder

INDEX = "index.csv"
_HEAD = ["file", "entry", "units", "contents"]


class Folder:
    """A folder that is being written: `file` gives paths in it, `note` adds rows to its index."""

    def __init__(self, path: Path) -> None:
        self.path, self._rows, self._taken = path, [], {INDEX}

    def file(self, name: str) -> Path:
        """The path of a new file called like `name` (characters that a file system may refuse become "_")."""
        stem, dot, ending = re.sub(r"[^\w.+-]", "_", name).rpartition(".")
        stem = stem.encode()[:200].decode("utf-8", "ignore")
        number, made = 1, f"{stem}{dot}{ending}"
        while made.lower() in self._taken:  # two names may differ in what was replaced, or in case alone
            number += 1
            made = f"{stem}_{number}{dot}{ending}"
        self._taken.add(made.lower())
        return self.path / made

    def note(self, file: Path | None, entry: str, units: str, contents: str) -> None:
        """Say in the index that `file` holds `entry` of the recording; None: why no file does."""
        self._rows.append(["" if file is None else file.name, entry, units, contents])

    def close(self) -> None:
        """Write the index."""
        with open(self.path / INDEX, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([_HEAD, *self._rows])


@contextmanager
def writing(path: str | Path, *, overwrite: bool) -> Iterator[tuple[Folder, Path]]:
    """A hidden folder to fill and the path that it will have at the end of the ``with`` block; removed on an error.

    Raises FileExistsError or NotADirectoryError if the name is taken. With `overwrite` a folder is replaced, but only
    one that an export made and nobody added to.
    """
    final = _check(path, overwrite=overwrite)
    temporary = beside(final, "tmp")
    temporary.mkdir()
    try:
        folder = Folder(temporary)
        yield folder, final
        folder.close()
        for file in temporary.iterdir():
            sync(file)
        sync_folder(temporary)
        _publish(temporary, final, overwrite=overwrite)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _check(path: str | Path, *, overwrite: bool) -> Path:
    final = Path(os.path.realpath(Path(path).expanduser()))
    if not final.is_dir():
        if final.exists() and overwrite:
            raise NotADirectoryError(f"out = {str(path)!r} is a file; this export is a folder: give another name")
        return check_output(path, overwrite=False)
    if not overwrite:
        raise FileExistsError(f"out = {str(path)!r} exists; give another name, or overwrite=True to replace it")
    _check_ours(final)
    return final


def _check_ours(folder: Path) -> None:
    """Refuse to replace a folder that holds anything an export did not write."""
    try:
        with open(folder / INDEX, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        rows = []
    listed = {row[0] for row in rows if row} | {INDEX} if rows[:1] == [_HEAD] else set()
    foreign = sorted(item.name for item in folder.iterdir() if item.name not in listed or item.is_dir())
    if foreign:
        raise FileExistsError(
            f"out = {str(folder)!r} holds {foreign[0]!r}, which no export wrote: the folder isn't replaced; "
            "give another name, or remove it yourself"
        )


def _publish(temporary: Path, final: Path, *, overwrite: bool) -> None:
    old = beside(final, "old")
    if overwrite and final.exists():
        os.rename(final, old)
    try:
        os.rename(temporary, final)
    except OSError as error:
        if old.exists():
            os.rename(old, final)
        elif final.exists():
            raise FileExistsError(f"out = {str(final)!r} came into being meanwhile; give another name") from error
        raise
    sync_folder(final.parent)
    shutil.rmtree(old, ignore_errors=True)
