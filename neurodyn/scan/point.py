"""What happens in the process of a point: it runs the simulation and says in `end.json` how that went."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from neurodyn.running.stopping import StopRequest, Suspended
from neurodyn.scan import warm

_MOST_TRACE = 20_000  # characters
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def run_in_child(simulation: Any, order: Mapping[str, Any]) -> NoReturn:
    """Run one point, or a batch of them, in a process just forked; never returns."""
    code = 1
    try:
        work = Path(order["work"])
        _alone(work, order)
        if "batch" in order:
            from neurodyn.scan.together import run_batch

            run_batch(simulation, order["batch"], threads=order["threads"])
        else:
            end = run_point(simulation, order["config"], work / f"{order['run']}.h5", resume=order["resume"])
            write_end(work, end)
        code = 0
        warm.note(Path(f"{order['scratch']}.loaded"))
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def run_point(simulation: Any, config: Mapping[str, Any], out: Path, *, resume: Any) -> dict[str, Any]:
    """Run the simulation into `out` and return how it ended: {"kind": "done", "results": ..., ...} and the like."""
    started = time.perf_counter()
    _seed_globals(out.stem)
    try:
        if resume:
            _clear_unusable(out)
        outcome = simulation(resume=resume, **config, out=str(out))  # text is what any kind of `out` takes
    except Suspended as suspended:
        return {"kind": "stopped", "message": str(suspended)}
    except MemoryError as error:
        return _raised("memory", error)
    except KeyboardInterrupt:
        return {"kind": "stopped", "message": "interrupted"}
    except BaseException as error:  # SystemExit too: a simulation has no business ending the process
        return _raised("raised", error)
    seconds = time.perf_counter() - started
    # not to_json, which is for others' readers: NaN and infinity stay what they are
    checks = [asdict(member) for member in outcome.checks]
    return {"kind": "done", "results": dict(outcome.results), "checks": checks, "seconds": seconds}


def _seed_globals(key: str) -> None:
    """Give the generators that all code shares a beginning of each point's own; forked, all would have the server's."""
    random.seed(key)
    np.random.seed(int(key[:8], 16))  # noqa: NPY002


def _clear_unusable(out: Path) -> None:
    """Remove what a killed run left without a checkpoint to go on from."""
    from neurodyn.recording.leftovers import leftovers
    from neurodyn.recording.segments import last_state, whole_segments

    for left in leftovers(out):
        segments = whole_segments(left.folder)
        if not segments or last_state(segments)[1] is None:
            shutil.rmtree(left.folder, ignore_errors=True)


def _raised(kind: str, error: BaseException) -> dict[str, Any]:
    lines = traceback.format_exception(error)
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return {"kind": kind, "message": message[:2000], "traceback": "".join(lines)[-_MOST_TRACE:]}


def write_end(work: Path, end: Mapping[str, Any]) -> None:
    """Leave word for the worker, whole or not at all."""
    temporary = work / ".end.json"
    temporary.write_text(json.dumps(end), encoding="utf-8")
    os.replace(temporary, work / "end.json")


def _alone(work: Path, order: Mapping[str, Any]) -> None:
    """Cut this process loose: own group, own output, own processors, nothing that outlives the server."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    StopRequest.impatient = False  # Slurm tells all processes of a task, and then the worker does; it kills the deaf
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None).prctl
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        prctl(_PR_SET_CHILD_SUBREAPER, 1)  # daemons that it starts stay below it, and go to the server with its end
        if os.getppid() != order["server"]:  # it ended before that
            os._exit(1)
        with contextlib.suppress(OSError):  # of all processes, a point is the one that a lack of memory should cost
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    if order.get("cpus") and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, order["cpus"])
    log = os.open(work / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(log)
    os.close(nothing)
    use_scratch(order["scratch"])


def use_scratch(folder: str) -> None:
    """Have temporary files of this process, and of those that it starts, stand in a folder of its own."""
    os.makedirs(folder, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = folder
