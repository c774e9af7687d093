"""Where a recording comes from: versions, revision, time, threads."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib import metadata
from typing import Any

PACKAGES = ("neurodyn", "numpy", "scipy", "h5py", "brian2", "numba", "torch")
_AGE_S = 10.0


def provenance() -> dict[str, Any]:
    """Attributes of every recording: started (ISO 8601, UTC), host, platform, versions, threads, git."""
    found: dict[str, Any] = {
        "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "host": platform.node(),
        "platform": platform.platform(),
        "versions": dict(versions()),
        "threads": threads(),
    }
    try:
        revision = _recent_revision(os.getcwd(), int(time.monotonic() // _AGE_S))
    except FileNotFoundError:  # the folder is gone
        revision = None
    if revision is not None:
        found["git_revision"] = revision
    return found


@cache  # looking them up takes longer than a short run
def versions() -> dict[str, str]:
    """Versions of Python, HDF5 and the packages that results depend on, without importing them."""
    import h5py

    found = {"python": platform.python_version(), "hdf5": h5py.version.hdf5_version}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def threads() -> int:
    """Threads that a parallel kernel would use here."""
    config = getattr(sys.modules.get("numba"), "config", None)
    if config is not None:  # asking numba itself starts its threads, and then torch computes in as many
        return int(config.NUMBA_NUM_THREADS)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=1)  # asking git takes longer than many a member of a batch
def _recent_revision(folder: str, now: int) -> str | None:
    """The revision as it was up to ten seconds ago."""
    del now
    return git_revision(folder)


def git_revision(folder: str | os.PathLike | None = None) -> str | None:
    """The commit of the repository around `folder` (the current one), "-dirty" if files differ, or None."""
    # without locks or helper programs: looking must not change the repository
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false"]
    command += ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
