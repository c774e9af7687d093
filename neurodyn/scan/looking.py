"""``neurodyn scan status``, ``log``, ``collect`` and ``plot``: look at a scan from the command line."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from neurodyn.recording.places import shown
from neurodyn.scan.amounts import show_seconds
from neurodyn.scan.errors import ScanError
from neurodyn.scan.folder import Folder, read_json

if TYPE_CHECKING:
    from neurodyn.scan.status import Listed


def status(options: argparse.Namespace) -> int:
    """``neurodyn scan status DIR``."""
    folder = Folder(options.folder)
    if not hasattr(options, "watch"):
        _show_status(folder, options)
        return 0
    if options.watch <= 0:
        raise ScanError(f"--watch {options.watch:g} has to be a number of seconds above 0")
    try:
        while _show_status(folder, options, clear=sys.stdout.isatty()):
            time.sleep(options.watch)
    except KeyboardInterrupt:
        pass
    return 0


def _show_status(folder: Folder, options: argparse.Namespace, *, clear: bool = False) -> bool:
    """Print it; whether there are points that have not ended."""
    from neurodyn.scan.status import listing, status

    found = status(folder)
    lines: Iterable[str] = [json.dumps(dataclasses.asdict(found)) if options.json else str(found)]
    if hasattr(options, "points"):
        rows = listing(folder, [options.points] if options.points else ())
        lines = (_row_as_json(row) if options.json else _row(row) for row in rows)
    print("\x1b[H\x1b[2J" if clear else "", end="")  # a terminal is cleared
    for line in lines:
        print(line)
    sys.stdout.flush()
    return found.done + found.failed < found.points


def _row(row: Listed) -> str:
    took = "" if row.seconds is None else show_seconds(row.seconds)
    return f"{row.state:<8} {took:>8}  {row.point}{'  ' if row.message else ''}{row.message}"


def _row_as_json(row: Listed) -> str:
    about = {"key": row.point.key, "state": row.state, "values": dict(row.point.values)}
    return json.dumps({**about, "seconds": row.seconds, "message": row.message})


def collect(options: argparse.Namespace) -> int:
    """``neurodyn scan collect DIR``."""
    from neurodyn.scan.tables import collect

    for path in collect(Folder(options.folder)):
        print(shown(path))
    return 0


def log(options: argparse.Namespace) -> int:
    """``neurodyn scan log DIR KEY``."""
    from neurodyn.scan.journal import printed

    folder = Folder(options.folder)
    point = folder.find(options.key)
    text = printed(folder, point.key)
    print(point, text, sep="\n", end="" if text.endswith("\n") else "\n")
    failure = folder.failure(point.key)
    if failure.exists():
        record = read_json(failure)
        where = f"on {record['host']}" + (f", job {record['job']}" if record["job"] else "")
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(record["at"]))
        print(f"failed: {record['message']} ({record['kind']}; {where}, {when}; attempt {record['attempts']})")
        print(record["traceback"], end="")
    elif not folder.recording(point.key).exists():
        print("it has not run to its end yet")
    return 0


def plot(options: argparse.Namespace) -> int:
    """``neurodyn scan plot DIR``."""
    from neurodyn.plots.scan import scan_overview
    from neurodyn.scan.dataset import load_scan

    dataset = load_scan(options.folder)
    if options.of is None:
        print(*(name for name in dataset.data_vars if name not in ("key", "state", "seed")), sep="\n")
        return 0
    axes = {name: getattr(options, name) for name in ("x", "y") if hasattr(options, name)}
    out = Path(options.out or Path(options.folder) / f"{_file_name(options.of)}.png")
    if not out.parent.is_dir():
        raise ScanError(f"there is no folder {str(out.parent)!r} for the picture; make it first")
    try:
        scan_overview(dataset, options.of, **axes).savefig(out, dpi=300)
    except ValueError as error:  # what can't be drawn
        raise ScanError(str(error)) from error
    print(shown(out.resolve()))
    return 0


def _file_name(result: str) -> str:
    """A result's name as that of a file: "rate (Hz)" is rate_Hz."""
    return re.sub(r"\W+", "_", result).strip("_") or "result"
