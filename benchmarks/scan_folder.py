"""A scan folder whose points are done, without running them: what a worker leaves, written directly."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from neurodyn.recording import annotate
from neurodyn.scan import Scan

SCRIPT = '''"""A simulation for scans that are filled by hand."""

import neurodyn as nd


@nd.simulation
def filled(*, gain: float = 1.0, delay: nd.Time = "10 ms", seed: int = 1):
    """Three results."""
    return {"rate": 12.5 * gain, "error": 0.25, "label": "steady"}
'''
_LINKS = 20_000  # to one file; file systems allow so many


def script(folder: Path) -> Path:
    """Write the simulation and return its path."""
    place = folder / "filled.py"
    place.write_text(SCRIPT, encoding="utf-8")
    return place


def fill(scan: Scan, *, failing: int) -> None:
    """Have all points done, every `failing`-th one failed: real recordings, linked, and the journal of one worker."""
    folder = scan.folder
    source = annotate(folder.path / "work" / "one.h5", results={"rate": 12.5}, checks=[], config={})
    content = source.read_bytes()
    source.unlink()
    for place in ("points", "failures"):
        for number in range(256):
            (folder.path / place / f"{number:02x}").mkdir(exist_ok=True)
    recordings: list[Path] = []
    with open(folder.path / "journal" / "by-hand.jsonl", "w", encoding="utf-8") as journal:
        for number, point in enumerate(folder.points()):
            usage = {"seconds": 0.01 + 1e-6 * number, "cpu": 0.01, "peak": 40_000_000, "worker": "by-hand"}
            entry = {"key": point.key, "at": time.time(), "source": "80b849fc31d0", **usage, "log": [0, 200]}
            if number % failing == 0:
                place = folder.failure(point.key)
                record = {"key": point.key, "kind": "raised", "message": "ValueError: no such thing", **usage}
                place.write_text(json.dumps({**record, "printed": "x" * 1000}), encoding="utf-8")
                entry |= {"state": "raised", "message": "ValueError: no such thing"}
            else:
                place = folder.recording(point.key)
                if len(recordings) % _LINKS == 0:
                    place.write_bytes(content)
                else:
                    os.link(recordings[-1], place)
                recordings.append(place)
                results = {"rate": 12.5 * point.values["gain"], "error": 0.25, "label": "steady"}
                check = {
                    "name": "low",
                    "value": 0.25,
                    "threshold": "< 1",
                    "reference": None,
                    "source": "",
                    "passed": True,
                }
                entry |= {"state": "done", "results": results, "checks": [check]}
            about = place.stat()
            journal.write(json.dumps({**entry, "stamp": [about.st_size, about.st_mtime_ns]}) + "\n")
