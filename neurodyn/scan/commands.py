"""``neurodyn scan``: plan a scan, run it and let it grow from the command line; each function returns the exit code."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from neurodyn.recording.places import shown
from neurodyn.scan.errors import ScanError
from neurodyn.scan.looking import collect, log, plot, status
from neurodyn.scan.options import RunOptions
from neurodyn.scan.plan_file import Asked, read_plan
from neurodyn.scan.progress import Progress
from neurodyn.scan.scan import Scan
from neurodyn.scan.words import assignments, grid_of
from neurodyn.scripts import simulation_of

FAILED, LEFT = 1, 75  # exit codes


def new(options: argparse.Namespace) -> int:
    """``neurodyn scan SCRIPT|PLAN.toml``."""
    asked = _asked(options)
    if options.dry_run:
        with tempfile.TemporaryDirectory(prefix="neurodyn-dry-run-") as place:
            return _dry(asked.scan(Path(place) / "scan"), asked.run)
    scan = asked.scan()
    print(f"{scan.folder.header.simulation}: {scan.folder.size} points in {shown(scan.path)}")
    if options.plan_only:
        print(f"run them: neurodyn scan run {shown(scan.path)}")
        return 0
    return _run(scan, ("missing",), asked.run)


def run(options: argparse.Namespace) -> int:
    """``neurodyn scan run DIR``."""
    scan = Scan.open(options.folder)
    which = [kind for kind in ("missing", "failed", "outdated") if getattr(options, kind)] or ["missing"]
    how = _how(options)
    if "directives" in how:
        how["directives"] = _merged(scan.options().directives, how["directives"])
    return _dry(scan, how, which) if options.dry_run else _run(scan, which, how)


def extend(options: argparse.Namespace) -> int:
    """``neurodyn scan extend DIR``."""
    scan = Scan.open(options.folder)
    header = scan.folder.header
    grid = assignments(getattr(options, "grid", []), "--grid")
    given = {name: getattr(options, name) for name in ("points", "seeds") if hasattr(options, name)}
    if not grid and not given:
        raise ScanError("nothing to add: give --grid, --points or --seeds")
    count = scan.extend(grid=grid_of(simulation_of(f"{header.script}:{header.simulation}"), grid), **given)
    print(f"{count} new points, {scan.folder.size} in all")
    if not options.run:
        if count:
            print(f"run them: neurodyn scan run {options.folder}")
        return 0
    return _run(scan, ("missing",), {})


def _asked(options: argparse.Namespace) -> Asked:
    """The plan file, or the script, with what was typed put over it."""
    target = options.simulation
    asked = read_plan(Path(target)) if target.endswith(".toml") else Asked(target)
    given: dict[str, Any] = {
        name: assignments(getattr(options, name), f"--{name}") for name in ("grid", "set") if hasattr(options, name)
    }
    given |= {name: getattr(options, name) for name in ("points", "seeds", "root_seed") if hasattr(options, name)}
    if hasattr(options, "out"):
        given["out"] = Path(options.out)
    if hasattr(options, "paired"):
        given["paired"] = tuple(name.strip() for text in options.paired for name in text.split(","))
    how = _how(options)
    if "directives" in how:
        how["directives"] = _merged(asked.run.get("directives", {}), how["directives"])
    return asked.changed(**given, run=how)


def _how(options: argparse.Namespace) -> dict[str, Any]:
    """The options of the run that were typed."""
    names = {field.name for field in dataclasses.fields(RunOptions)}
    how = {name: value for name, value in vars(options).items() if name in names}
    if "setup" in how:
        how["setup"] = [line for line in how["setup"] if line]  # --setup "" takes the lines of last time away
    if how.get("scheduler") and Path(how["scheduler"]).is_file():
        how["scheduler"] = str(Path(how["scheduler"]).resolve())
    if hasattr(options, "slurm"):
        flags = [word for word in options.slurm if "=" not in word]  # --slurm exclusive
        how["directives"] = assignments([word for word in options.slurm if "=" in word], "--slurm")
        how["directives"] |= dict.fromkeys(flags, True)
        how["directives"] = {name.replace("_", "-"): value for name, value in how["directives"].items()}
    return how


def _merged(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Directives with others put over them; an empty value takes one away."""
    return {name: value for name, value in {**before, **given}.items() if value != ""}


def _dry(scan: Scan, how: Mapping[str, Any], which: Collection[str] = ("missing",)) -> int:
    found = scan.dry_run(which, **how)
    print(found)
    return 0 if found else FAILED


def _run(scan: Scan, which: Collection[str], how: Mapping[str, Any]) -> int:
    chosen = scan.options(**how)
    script = Path(scan.folder.header.script)
    if not script.is_file():
        raise ScanError(f"the script of this scan, {script}, is no longer there; its points need it")
    _say_changes(scan)
    with Progress(scan.folder) as progress:
        said = scan.run(which, begin=progress.begin, report=progress.report, **how)
    if said:
        print(said)
    return _summary(scan, waits=chosen.on == "slurm" and said != "nothing to do")


def _say_changes(scan: Scan) -> None:
    """What is no longer as it was when points were done."""
    changed = scan.changes()
    if not changed:
        return
    for line in changed:
        print(f"note: {line}", file=sys.stderr)
    done, old = len(scan.folder.done()), len(scan.outdated())
    if old:
        print(
            f"note: {old} of the {done} points that are done were done with an earlier text; "
            f"neurodyn scan run {shown(scan.path)} --outdated does these again",
            file=sys.stderr,
        )


def _summary(scan: Scan, *, waits: bool) -> int:
    """What there is now and what to do next."""
    done, failed, size = scan.folder.done(), scan.folder.failed(), scan.folder.size
    lost = len(failed - done)
    left = size - len(done) - lost
    place = shown(scan.path)
    print(f"{len(done)} of {size} points are done" + (f", {lost} failed" if lost else ""))
    if waits:
        print(f"watch them: neurodyn scan status {place} --watch")
        return 0
    if lost:
        print(f"{lost} failed: neurodyn scan run {place} --failed; why: neurodyn scan status {place}")
    if left:
        print(f"{left} left: neurodyn scan run {place}")
    return LEFT if left else FAILED if lost else 0


COMMANDS = {
    "new": new,
    "run": run,
    "status": status,
    "extend": extend,
    "collect": collect,
    "plot": plot,
    "log": log,
}
