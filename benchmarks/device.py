"""What a GPU does: `python benchmarks/device.py`, at most nine minutes, the rows that matter most first.

Many different networks at once, each with wiring, weights and seed of its own, in batches of 1 to 4096: 1000 cells
with 80 000 synapses under dopamine-modulated STDP, the speed network, COBA and CUBA, the speed network of 10 000 cells,
the what/when reservoir with learning; then training steps of leaky rate networks and sweeps of PV-RNNs. Of each kind first
that a batch is its single runs and fires like the same networks on the CPU, and when float32 parts from float64. The page
is written anew after each part, so that a run that is cut leaves what it has.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import device_pvrnn
import device_rows
import device_training
import numpy as np
import table
from device_kinds import DRAWN, Kind, kinds

import neurodyn as nd

RESULTS = Path(__file__).resolve().parent / "results"
TIMED_S = 0.6  # of each repetition
#: options of the kernel that are tried beside the runner's own, where networks wait for each other
TRIED: tuple[dict[str, int], ...] = ({"warps": 4},)
LEAST_S = 25.0  # what the checks of a kind take, and its first batch
GOAL_S = 1.0  # for an hour of one plastic network, in a batch of 1024


@dataclass
class Page:
    """All that was found so far, and where it goes."""

    about: dict[str, Any]
    copy: float
    path: Path | None
    checks: list[str] = field(default_factory=list)
    rows: list[device_rows.Row] = field(default_factory=list)
    training: list[device_training.Step] = field(default_factory=list)
    sweeps: list[device_pvrnn.Sweep] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return the page."""
        lines = ["# What a GPU does", "", *(f"* {key}: {value}" for key, value in self.about.items()), ""]
        for row in (r for r in self.rows if "STDP" in r.kind and r.batch == 1024):
            verdict = "met" if row.hour_s <= GOAL_S else "not met"
            lines += [
                f"An hour of one of 1024 different networks with plastic synapses, {row.dtype}, {row.how}: {row.hour_s:.3g} s "
                f"(goal {GOAL_S:g} s: {verdict}).",
                "",
            ]
        lines += ["Checked before times were taken:", "", *(f"* {text}" for text in self.checks), ""]
        lines += device_rows.lines(self.rows, self.copy)
        lines += device_training.lines(self.training)
        lines += device_pvrnn.lines(self.sweeps)
        if self.left_out:
            lines += ["Left out:", "", *(f"* {text}" for text in self.left_out), ""]
        lines += [
            "All spikes are recorded and brought to the host, which is part of the time. Bytes are the least that a step has to",
            "move, counted from the Program (see docs/benchmarks.md); what launches and the host cost comes on top. Batches",
            f"of more than {DRAWN} networks have each wiring several times, with other seeds.",
            "",
        ]
        return "\n".join(lines)

    def write(self) -> None:
        """Write the page, and all single values beside it as JSON."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.text(), encoding="utf-8")
        data = {
            "about": self.about,
            "copy_bytes_per_s": self.copy,
            "checks": self.checks,
            "left_out": self.left_out,
            **{name: [asdict(x) for x in getattr(self, name)] for name in ("rows", "training", "sweeps")},
        }
        self.path.with_suffix(".json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def spiking(page: Page, kind: Kind, device: str, timed_s: float, until: float) -> None:
    """Check and time one kind of spiking networks."""
    most = max(size for sizes in kind.sizes.values() for size in sizes)
    with ThreadPoolExecutor(1) as beside:
        drawn = beside.submit(kind.networks, most, (os.cpu_count() or 1) if most > 2 else 1)
        start = time.perf_counter()
        page.checks += device_rows.check(kind, device)
        print(*page.checks[-4:], f"  checks took {time.perf_counter() - start:.0f} s", sep="\n", flush=True)
        networks = drawn.result()
    print(f"  {most} networks, drawn beside the checks: {time.perf_counter() - start:.0f} s", flush=True)
    cost = 0.0
    for dtype, size in ((dtype, size) for dtype, sizes in kind.sizes.items() for size in sizes):
        what = f"{kind.title}, {dtype}, {size} networks"
        start = time.perf_counter()
        if start + 2 * cost > until:
            page.left_out.append(f"{what}: no time left")
            continue
        try:
            made = device_rows.Batch(kind, networks[:size], dtype, device)
            for launch in ({}, *TRIED) if size == 1024 and dtype == "float32" else ({},):
                page.rows.append(device_rows.measure(made, timed_s, launch=launch))
                row = page.rows[-1]
                print(
                    f"  {dtype} x {size}, {row.how}: {row.median * 1e6:.4g} us a step, built in {row.build_s:.1f} s",
                    flush=True,
                )
        except (MemoryError, _out_of_memory()) as error:
            page.left_out.append(f"{what}: {error}")
        cost = time.perf_counter() - start


def training(page: Page, sizes: Sequence[tuple[int, int]], device: str, timed_s: float, until: float) -> None:
    """Check and time training steps of leaky rate networks."""
    page.checks.append(device_training.check(device))
    graphs = (False,) if device == "cpu" else (False, True)
    # graphs last: one that can't be captured ends the part
    for graph, (units, batch), what in itertools.product(graphs, sizes, device_training.CONTENDERS):
        if time.perf_counter() > until:
            page.left_out.append(f"training step, {units} units, {what}: no time left")
            continue
        step = device_training.measure(units, batch, what, device, timed_s / 3, graph=graph)
        page.training.append(step)
        print(f"  {units} units, {step.what}: {step.median * 1e6:.4g} us a training step", flush=True)


def sweeps(page: Page, models: Sequence[int] | None, device: str, timed_s: float, until: float) -> None:
    """Check and time sweeps of PV-RNNs, of ``models`` or as many as are meant for a device."""
    for data, sizes in device_pvrnn.MODELS.items():
        for dtype in device_pvrnn.WITHIN:
            if time.perf_counter() > until:
                page.left_out.append(f"PV-RNN, {data}, {dtype}: no time left")
                continue
            page.checks.append(device_pvrnn.check(data, dtype, device))
            for size in models or sizes:
                try:
                    page.sweeps.append(device_pvrnn.measure(data, size, dtype, device, timed_s / 5))
                except _out_of_memory() as error:
                    page.left_out.append(f"PV-RNN, {data}, {dtype}, {size} models: {error}")


def _out_of_memory() -> type[Exception]:
    import torch

    return torch.cuda.OutOfMemoryError


def copy_bandwidth(device: str, megabytes: int) -> float:
    """Return bytes/s of a copy within the memory of the device, read and written bytes counted."""
    import torch

    source = torch.ones(megabytes << 18, dtype=torch.float32, device=device)
    target = torch.empty_like(source)
    wait: Callable[[], Any] = torch.cuda.synchronize if device != "cpu" else lambda: None
    best = 0.0
    for _ in range(10):
        wait()
        start = time.perf_counter()
        target.copy_(source)
        wait()
        best = max(best, 2 * source.numel() * 4 / (time.perf_counter() - start))
    return best


def device_text(device: str) -> str:
    """Return the name of the device and its memory."""
    import torch

    if device == "cpu":
        return f"{table.processor()}, torch on the CPU"
    properties = torch.cuda.get_device_properties(0)
    return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, time, print and write the page; 2 without a GPU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu-smoke", action="store_true", help="tiny networks on the CPU: whether this script works")
    parser.add_argument("--minutes", type=float, default=9.0, help="what would take longer is left out")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="WORD", help="parts with one of these words in their title"
    )
    parser.add_argument("--out", type=Path, help="page (default: benchmarks/results/<date>-<device>.md)")
    options = parser.parse_args(arguments)

    import torch

    began = time.perf_counter()
    if not options.cpu_smoke and not torch.cuda.is_available():
        print(
            f"torch {torch.__version__} finds no GPU here, so there is nothing to measure; run this on a machine with one. "
            "--cpu-smoke tries the script itself with tiny networks on the CPU",
            file=sys.stderr,
        )
        return 2
    smoke = options.cpu_smoke
    device, timed = ("cpu", 0.01) if smoke else ("cuda", TIMED_S)
    copy = copy_bandwidth(device, 8 if smoke else 1024)
    about = {
        "device": device_text(device),
        "date": datetime.date.today().isoformat(),
        "copy, measured": f"{copy / 1e9:.0f} GB/s (read and written)",
        "versions": f"neurodyn {nd.__version__}, torch {torch.__version__}, CUDA {torch.version.cuda}, numpy {np.__version__}",
    }
    if smoke:
        about["note"] = "a trial of this script with networks of a few cells: its times say nothing"
    print(*(f"{key}: {value}" for key, value in about.items()), sep="\n", flush=True)
    default = None if smoke else RESULTS / f"{about['date']}-{_slug(about['device'])}.md"
    page = Page(about, copy, options.out or default)
    until = began + 60 * options.minutes
    small = ((16, 8),) if smoke else device_training.SIZES
    parts: list[tuple[str, Callable[..., None]]] = [(k.title, partial(spiking, page, k)) for k in kinds(smoke=smoke)]
    parts[2:2] = [  # before networks that fill a device less
        ("training steps", partial(training, page, small)),
        ("PV-RNN", partial(sweeps, page, (1, 2) if smoke else None)),
    ]
    chosen = [(t, p) for t, p in parts if not options.only or any(word.lower() in t.lower() for word in options.only)]
    if not chosen:
        parser.error(f"--only {' '.join(options.only)} is in no title; there are: {'; '.join(t for t, _ in parts)}")
    for title, part in chosen:
        print(title, flush=True)
        if time.perf_counter() + LEAST_S > until:
            page.left_out.append(f"{title}: no time left")
            continue
        try:
            part(device, timed, until)
        except Exception as error:  # what else there is still counts, on a device that is lent for minutes
            page.left_out.append(f"{title}: {type(error).__name__}: {error}")
            print(f"  {page.left_out[-1]}", flush=True)
        about["took"] = f"{time.perf_counter() - began:.0f} s"
        page.write()
    print("\n" + page.text())
    if page.path is not None:
        print(f"written: {os.path.relpath(page.path)}")
    return 0


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


if __name__ == "__main__":
    sys.exit(main())
