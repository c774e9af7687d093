"""``neurodyn scan``: what is typed, right and wrong, and what it says."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from neurodyn import cli
from neurodyn.scan.ending import End
from neurodyn.scan.points import Point
from neurodyn.scan.progress import Progress
from neurodyn.scan.scan import Scan

SCRIPT = '''
import os, time
from pathlib import Path
from typing import Any
import neurodyn as nd

@nd.simulation
def doubling(*, a: float = 1.0, b: int = 1, mode: str = "ok", seed: int = 1):
    """Double."""
    if mode == "slow":
        time.sleep(0.3)
    if mode == "raise" and not Path("mended").exists():
        raise ValueError("no such thing")
    print("doubling", a)
    return {"y": 2 * a + b}
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "model.py").write_text(SCRIPT)
    return tmp_path


def scan(*words: str) -> int:
    return cli.main(["scan", *words])


def test_from_nothing_to_done(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("model.py", "--grid", "a=linspace(0, 1, 3)", "--grid", "mode=ok,raise", "--seeds", "2", "--out", "s")
    assert scan(*words) == 1
    said = capsys.readouterr()
    assert "12 points in s" in said.out and "6 of 12 points are done, 6 failed" in said.out
    assert "neurodyn scan run s --failed; why: neurodyn scan status s" in said.out
    assert said.err.count("ValueError: no such thing") == 6
    times = {path: path.stat().st_mtime_ns for path in (folder / "s").glob("points/*/*.h5")}

    assert scan(*words) == 1  # the same command again: nothing is missing
    assert "nothing to do" in capsys.readouterr().out

    (folder / "mended").touch()
    assert scan("run", "s", "--failed") == 0
    assert "12 of 12 points are done" in capsys.readouterr().out
    assert all(path.stat().st_mtime_ns == at for path, at in times.items())


def test_growing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scan("model.py", "--grid", "a=1,2", "--seeds", "1", "--out", "s", "--plan-only") == 0
    assert "run them: neurodyn scan run s" in capsys.readouterr().out and not list((folder / "s").glob("points/*/*"))
    assert scan("extend", "s", "--grid", "a=3,geomspace(10,100,2)", "--seeds", "2") == 0
    assert "8 new points, 10 in all" in capsys.readouterr().out
    assert scan("extend", "s", "--grid", "b=5", "--run") == 0
    assert "10 new points, 20 in all" in capsys.readouterr().out
    assert len(Scan.open("s").folder.done()) == 20


def test_status_points_and_log(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scan("model.py", "--grid", "mode=ok,raise", "--out", "s")
    capsys.readouterr()
    assert scan("status", "s") == 0
    assert "ValueError: no such thing" in capsys.readouterr().out
    assert scan("status", "s", "--points", "failed", "--json") == 0
    row = json.loads(capsys.readouterr().out)
    assert row["state"] == "failed" and row["values"] == {"mode": "raise"}
    assert scan("status", "s", "--points") == 0
    assert re.findall(r"^\w+", capsys.readouterr().out, re.M) == ["done", "failed"]
    assert scan("status", "s", "--json") == 0
    assert json.loads(capsys.readouterr().out)["failed"] == 1
    assert scan("status", "s", "--watch", "0.01") == 0  # ends: every point has
    capsys.readouterr()

    assert scan("log", "s", row["key"][:6]) == 0
    said = capsys.readouterr().out
    assert "failed: ValueError: no such thing (raised; on" in said and 'raise ValueError("no such thing")' in said
    done = next(point.key for point in Scan.open("s").folder.points() if point.key != row["key"])
    assert scan("log", "s", done) == 0
    said = capsys.readouterr().out
    assert "doubling 1.0" in said and "failed" not in said


def test_log_of_a_point_that_has_not_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scan("model.py", "--out", "s", "--plan-only")
    (point,) = Scan.open("s").folder.points()
    assert scan("log", "s", point.key) == 0 and "it has not run to its end yet" in capsys.readouterr().out


def test_options_are_remembered_and_directives_merged(folder: Path) -> None:
    scan("model.py", "--out", "s", "--plan-only")
    options = ("--time-limit", "1 min", "--workers", "1", "--slurm", "partition=a", "--slurm", "exclusive")
    assert scan("run", "s", *options, "--setup", "module load x") == 0
    assert scan("run", "s", "--slurm", "partition=b", "--slurm", "account=c", "--time-limit", "none") == 0
    kept = Scan.open("s").options()
    assert kept.directives == {"partition": "b", "account": "c", "exclusive": True}
    assert kept.time_limit is None and kept.workers == 1 and list(kept.setup) == ["module load x"]
    assert scan("run", "s", "--slurm", "account=", "--setup", "") == 0
    kept = Scan.open("s").options()
    assert kept.directives == {"partition": "b", "exclusive": True} and list(kept.setup) == []


def test_a_changed_script_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scan("model.py", "--grid", "a=1,2", "--out", "s")
    (folder / "model.py").write_text(SCRIPT.replace("2 * a", "3 * a"))
    capsys.readouterr()
    assert scan("run", "s") == 0
    said = capsys.readouterr()
    assert "model.py has changed since the scan was planned" in said.err
    assert "2 of the 2 points that are done were done with an earlier text" in said.err
    assert "nothing to do" in said.out
    assert scan("run", "s", "--outdated") == 0
    scan("collect", "s")
    assert sorted(re.findall(r"(?:^|,)(4\.0|7\.0)(?=,|$)", next(folder.glob("s/*.csv")).read_text(), re.M)) == [
        "4.0",
        "7.0",
    ]


def test_dry_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scan("model.py", "--grid", "a=1,2,3", "--out", "s", "--dry-run") == 0
    assert "3 points" in capsys.readouterr().out and not (folder / "s").exists()
    assert scan("model.py", "--set", "mode=raise", "--dry-run") == 1
    assert "did not come to its end: ValueError: no such thing" in capsys.readouterr().out
    scan("model.py", "--grid", "a=1,2", "--out", "s", "--plan-only")
    assert scan("run", "s", "--dry-run") == 0 and not Scan.open("s").folder.done()


def test_plan_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "plans").mkdir()
    (folder / "plans" / "p.toml").write_text('simulation = "../model.py"\nout = "../s"\nseeds = 1\n[grid]\na = "1,2"\n')
    assert scan("plans/p.toml", "--seeds", "2", "--set", "b=4", "--workers", "1") == 0
    made = Scan.open("s")
    assert made.folder.size == 4 and made.folder.plan.fixed == {"b": 4} and made.options().workers == 1
    assert scan("plans/p.toml") == 2  # another plan
    assert "neurodyn scan extend" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "required: SCRIPT"),
        (("statsu", "s"), "did you mean 'status'"),
        (("frobnicate",), "there are run, status, extend"),
        (("no.py",), "there is no script 'no.py'"),
        (("model.py", "--gird", "a=1"), "--gird"),
        (("model.py", "--grid", "x=1"), "unknown parameter 'x'; there are a, b, mode, seed"),
        (("model.py", "--grid", "a"), "has no '='"),
        (("model.py", "--grid", "a=1", "--grid", "a=2"), "given twice"),
        (("model.py", "--grid", "a=1,1.0"), "has 1 twice"),
        (("model.py", "--grid", "b=0.5"), "b='0.5' has to be int"),
        (("model.py", "--grid", "a=1", "--set", "a=1"), "given in set and in grid"),
        (("model.py", "--set", "out=x.h5"), "out is not set for a point"),
        (("model.py", "--seeds", "1,2"), "seeds of your own: --grid seed=1,2"),
        (("model.py", "--seeds", "0"), "at least 1"),
        (("model.py", "--on", "slrum"), "there are local, slurm, dask"),
        (("model.py", "--workers", "0"), "has to be a whole number, at least 1"),
        (("model.py", "--time-limit", "soon"), "time_limit = 'soon'"),
        (("model.py", "--points", "no.csv"), "no.csv"),
        (("status", "nowhere"), "is no folder of a scan"),
        (("extend", "nowhere", "--seeds", "3"), "is no folder of a scan"),
    ],
)
def test_what_is_refused(folder: Path, capsys: pytest.CaptureFixture[str], words: tuple, message: str) -> None:
    assert scan(*words) == 2
    said = capsys.readouterr()
    assert message in said.err and said.err.count("\n") == 1 and "Traceback" not in said.err and not said.out
    assert {path.name for path in folder.iterdir()} <= {"model.py", "__pycache__"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("status", "s", "--watch", "0"), "above 0"),
        (("status", "s", "--points", "dnoe"), "there are done"),
        (("extend", "s"), "give --grid, --points or --seeds"),
        (("extend", "s", "--seeds", "3"), "without seeds"),
        (("log", "s", "zz"), "'zz' is the beginning of no point"),
    ],
)
def test_what_is_refused_of_a_scan(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple, message: str
) -> None:
    scan("model.py", "--grid", "a=1,2", "--out", "s", "--plan-only")
    capsys.readouterr()
    assert scan(*words) == 2 and message in capsys.readouterr().err


def test_a_script_that_is_gone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scan("model.py", "--out", "s", "--plan-only")
    (folder / "model.py").unlink()
    assert scan("run", "s") == 2 and "is no longer there" in capsys.readouterr().err


@pytest.mark.parametrize("verb", [(), ("run",), ("status",), ("extend",), ("collect",), ("plot",), ("log",)])
def test_help(capsys: pytest.CaptureFixture[str], verb: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as end:
        scan(*verb, "--help")
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: neurodyn scan{''.join(f' {word}' for word in verb)} ")


def test_told_to_stop(folder: Path) -> None:
    """Ctrl-C leaves the rest pending; the same command goes on."""
    words = ["scan", "model.py", "--set", "mode=slow", "--grid", "a=range(0,30)", "--workers", "1", "--out", "s"]
    command = [sys.executable, "-m", "neurodyn.cli", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if list((folder / "s").glob("points/*/*.h5")):
            break
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 75, out
    assert "stopped:" in out and re.search(r"\d+ left: neurodyn scan run s", out)
    assert 0 < len(Scan.open("s").folder.done()) < 30


class Terminal:
    """A standard error output that is a terminal."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


def test_bar_on_a_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan("model.py", "--out", "s", "--plan-only")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("neurodyn.running.progress._Terminal.every", 0.01)
    with Progress(Scan.open("s").folder) as progress:
        progress.begin(2)
        progress.report(Point("ab" * 10, {"a": 1}), End("raised", "ValueError: no"))
        progress.report(Point("cd" * 10, {"a": 2}), End("done"))
        for _ in range(600):
            if "1 failed, 0 running" in terminal.text:
                break
            time.sleep(0.05)
    assert "point 2 of 2, " in terminal.text and "1 failed, 0 running" in terminal.text
    assert "failed: abababab (a=1): ValueError: no" in terminal.text


def test_lines_in_a_log(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    scan("model.py", "--out", "s", "--plan-only")
    capsys.readouterr()
    monkeypatch.setattr("neurodyn.running.progress._LINE_S", 0.01)
    monkeypatch.setattr("neurodyn.running.progress.Bar.every", 0.01)
    text = ""
    with Progress(Scan.open("s").folder) as progress:
        progress.begin(100)
        for number in range(30):
            progress.report(Point(f"{number:020}", {}), End("raised", "no"))
        progress.report(Point("ab" * 10, {}), End("done"))
        for _ in range(600):
            text += capsys.readouterr().err
            if "point 31 of 100, 30 failed, 0 running, " in text:
                break
            time.sleep(0.05)
    assert re.search(r"neurodyn: point 31 of 100, 30 failed, 0 running, 0 s, \d+ s left", text)
    assert text.count("failed: 0000") == 20 and text.count("further failures are not printed") == 1


def test_on_slurm(folder: Path, slurm: Any, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("model.py", "--grid", "mode=ok,raise", "--seeds", "3", "--out", "s")
    assert (
        scan(
            *words,
            "--on",
            "slurm",
            "--point-time",
            "1 s",
            "--memory-limit",
            "200 MB",
            "--slurm",
            "comment=cli",
            "--slurm",
            "exclusive",
        )
        == 0
    )
    said = capsys.readouterr().out
    assert re.search(r"submitted job \d+: 1 task of 6 points", said)
    assert "watch them: neurodyn scan status s --watch" in said and "failed:" not in said
    written = next((folder / "s" / "submissions").glob("*/array.sh")).read_text()
    assert "#SBATCH --comment=cli\n" in written and "#SBATCH --exclusive\n" in written
    slurm.wait_until_empty()
    made = Scan.open("s").folder
    assert len(made.done()) == 3 and len(made.failed()) == 3
    (folder / "mended").touch()
    assert scan("run", "s", "--failed", "--on", "local") == 0  # now here
    assert len(made.done()) == 6


def test_plot(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scan("model.py", "--grid", "a=1,2,3", "--grid", "b=1,2", "--seeds", "1", "--out", "s")
    capsys.readouterr()
    assert scan("plot", "s") == 0
    assert "y" in capsys.readouterr().out.split()
    assert scan("plot", "s", "--of", "y") == 0
    assert capsys.readouterr().out == "s/y.png\n"
    assert scan("plot", "s", "--of", "y", "--x", "a", "--out", "lines.png") == 0
    for picture in ("s/y.png", "lines.png"):
        assert (folder / picture).read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    assert scan("plot", "s", "--of", "z") == 2 and "there are" in capsys.readouterr().err
    assert scan("plot", "s", "--of", "y", "--out", "no/y.png") == 2
    assert "there is no folder 'no'" in capsys.readouterr().err
