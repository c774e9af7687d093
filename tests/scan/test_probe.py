"""A dry run says what a scan would take, and leaves nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

import neurodyn as nd
from neurodyn.scan.amounts import show_bytes
from neurodyn.scan.errors import ScanError

SCRIPT = '''
import time
import numpy as np
import neurodyn as nd

@nd.simulation
def working(*, a: float = 1.0, mode: str = "ok", seed: int = 1):
    """Work a little and hold some memory."""
    if mode == "raise":
        raise ValueError("no such thing")
    if mode == "hang":
        time.sleep(1000)
    held = np.ones(10_000_000)
    time.sleep(0.2)
    return {"y": a * held[:10].sum()}
'''


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "model.py").write_text(SCRIPT)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path


def scan(place: Path, **options) -> nd.Scan:
    return nd.Scan(place / "model.py", out=place / "scan", **options)


def files(place: Path) -> set[Path]:
    return {path for path in place.rglob("*") if path.name != "__pycache__" and path.suffix != ".pyc"}


def test_one_point_is_measured_and_nothing_left(place: Path) -> None:
    planned = scan(place, grid={"a": [1, 2, 3]}, seeds=5)
    before = files(place)
    found = planned.dry_run(workers=2)
    assert files(place) == before
    points = list(planned.folder.points())
    assert found and found.probed == points[8] and list(found.points) == points
    assert 0.2 <= found.seconds < 60 and found.peak > 80e6 and found.disk > 1000
    assert found.total_disk == 15 * found.disk
    text = str(found)
    assert text.startswith("15 points\n") and "... 9 more" in text and "2 at a time" in text
    assert str(points[0]) in text and str(points[-1]) in text and str(points[4]) not in text


def test_only_what_would_run_counts(place: Path) -> None:
    planned = scan(place, grid={"mode": ["ok", "raise"]}, seeds=2)
    planned.run()
    with pytest.raises(ScanError, match="no point would run"):
        planned.dry_run()
    found = planned.dry_run("failed")
    assert len(found.points) == 2 and not found
    assert "ValueError: no such thing" in str(found) and "Traceback" in str(found)
    assert len(planned.folder.done()) == 2 and len(planned.folder.failed()) == 2


def test_limits_hold_for_the_probe(place: Path) -> None:
    found = scan(place, set={"mode": "hang"}).dry_run(time_limit="0.5 s")
    assert not found and found.end.kind == "time" and "the limit for a point" in str(found)


def test_what_slurm_would_be_asked(place: Path) -> None:
    planned = scan(place, grid={"a": list(range(90))})
    found = planned.dry_run(on="slurm", task_time="10 min", directives={"partition": "short", "exclusive": True})
    assert str(found).endswith(f"partition=short, exclusive, {show_bytes(found.total_disk)} of disk")
    assert "1 task of up to 90 points" in str(found)
    many = planned.dry_run(on="slurm", task_time="1 s")
    assert " tasks of up to " in str(many) and "partition" not in str(many)
    with pytest.raises(ScanError, match="'signal' is set by the scan"):
        str(planned.dry_run(on="slurm", directives={"signal": "9"}))
    assert not (planned.path / "run.json").exists()  # a dry run is not remembered
