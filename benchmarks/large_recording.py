"""How much memory the analysis of a recording larger than memory takes: ``python benchmarks/large_recording.py``.

Makes a recording of 20 GB whose chunks are copies of few, so that it takes some hundred MB on disk and a minute to write; each
chunk is decompressed and analysed like any other. Then runs ``neurodyn analyse FILE pca`` and ``participation`` in processes
of their own, and prints wall time, peak resident memory, and the deviation from the exact values, which the few chunks give.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from neurodyn.recording import Writer, load
from neurodyn.recording.arrays import Axis, Scales
from neurodyn.recording.layout import ordered_group
from neurodyn.recording.values import encode

ROWS, PATTERNS = 1024, 32  # samples of a chunk, and different chunks


def patterns(units: int) -> np.ndarray:
    """Chunks (pattern, sample, unit) float32 of activity with a few large dimensions; each has sixteen distinct samples."""
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(PATTERNS, 16, 6)) * np.array([5.0, 4.0, 3.0, 2.0, 1.0, 0.5])
    distinct = latent @ rng.normal(size=(6, units)) + rng.normal(size=(PATTERNS, 16, units))
    return np.repeat(distinct, ROWS // 16, axis=1).astype(np.float32)


def make(path: Path, gigabytes: float, units: int = 250) -> int:
    """Write the recording, and return how many samples it has: the array ``state/cells/r`` (time, unit), a chunk after another."""
    chunks = max(PATTERNS, round(gigabytes * 1e9 / (4 * units * ROWS) / PATTERNS) * PATTERNS)
    writer = Writer(path, header={"seed": 0})
    writer.trial({"trial": 0})
    writer.finish()
    packed = [zlib.compress(pattern.tobytes(), 1) for pattern in patterns(units)]
    with h5py.File(path, "r+") as file:
        group = ordered_group(file, "state/cells")
        dataset = group.create_dataset(
            "r", (chunks * ROWS, units), "f4", chunks=(ROWS, units), compression="gzip", compression_opts=1
        )
        for k in range(chunks):
            dataset.id.write_direct_chunk((k * ROWS, 0), packed[k % PATTERNS])
        scales = Scales(group, {"r"}, compress=True)
        times = Axis("time", chunks * ROWS, lambda: _times(chunks), {"units": "ms"})
        scales.attach(dataset, "r", [times, Axis("unit", units)])
        dataset.attrs["units"] = encode("Hz", "units")
    return chunks * ROWS


def _times(chunks: int) -> Iterator[np.ndarray]:
    """The stamps of the samples in ms, chunk by chunk."""
    return (np.arange(k * ROWS, (k + 1) * ROWS) + 1.0 for k in range(chunks))


def exact(units: int) -> tuple[np.ndarray, float]:
    """Shares of variance and participation ratio (no correction) of the recording, from its few chunks."""
    flat = patterns(units).reshape(-1, units).astype(np.float64)
    eigenvalues = np.linalg.eigvalsh(np.cov(flat.T))[::-1]
    return eigenvalues / eigenvalues.sum(), float(eigenvalues.sum() ** 2 / (eigenvalues**2).sum())


def measured(arguments: list[str]) -> tuple[float, float]:
    """Seconds and peak resident GB of a command in a process of its own."""
    begun = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", "neurodyn.cli", *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)  # or it would be taken for still running
    if child.returncode:
        raise SystemExit(f"neurodyn {' '.join(arguments)} ended with {child.returncode}")
    # Linux counts in KiB, macOS in bytes.
    return time.perf_counter() - begun, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=20.0)
    parser.add_argument("--units", type=int, default=250)
    parser.add_argument("--analyses", nargs="+", default=["participation", "pca"])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.h5"
        begun = time.perf_counter()
        samples = make(path, chosen.gigabytes, chosen.units)
        size = samples * chosen.units * 4 / 1e9
        print(
            f"{size:.2f} GB, {samples} samples of {chosen.units} units; {path.stat().st_size / 1e9:.3f} GB on disk, "
            f"made in {time.perf_counter() - begun:.0f} s",
            flush=True,
        )
        shares, ratio = exact(chosen.units)
        for what in chosen.analyses:
            options = ["--set", "bias_correction=false"] if what == "participation" else []
            seconds, peak = measured(["analyse", str(path), what, "--of", "state/cells/r", *options])
            results = load(Path(folder) / "large.analysis.h5").results
            found = results["participation: ratio" if what == "participation" else "pca: share of variance"]
            wanted = ratio if what == "participation" else shares[: len(found)]
            off = float(np.max(np.abs(np.asarray(found) / wanted - 1)))
            print(
                f"{what}: {seconds:.0f} s, peak {peak:.2f} GB, relative deviation from the exact value {off:.1e}",
                flush=True,
            )


if __name__ == "__main__":
    main()
