"""Many networks at once on a GPU: `python benchmarks/device.py`, at most nine minutes.

Batches of 1 to 4096 of the what/when reservoir with learning and of the speed network, and of 1 to 256 of the network
with dopamine-modulated STDP, each network with wiring, weights and seed of its own. First that a batch is its single runs
and fires like the same networks on the CPU; then network-steps, neuron-steps and synaptic events per second, beside the
bytes that a step has to move and a measured copy. Sweeps of PV-RNNs in training come first (device_pvrnn.py).
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import device_pvrnn
import numpy as np
import plastic_network
import speed_network
import table
from limits import count

import neurodyn as nd
from neurodyn.network import Network, realize

RESULTS = Path(__file__).resolve().parent / "results"
SIZES = tuple(4**k for k in range(7))  # 1 to 4096
MOST_PLASTIC = 256  # networks of 80 000 plastic synapses, each with its own wiring
TIMED_S = 1.5  # of each repetition
REPETITIONS = 3


@dataclass(frozen=True, eq=False)
class Kind:
    """Networks of one structure, by seed, and a trial that is repeated, with its inputs (none: they run on).

    ``most`` networks make a batch; spikes of device and CPU may differ by the fraction ``within``.
    """

    title: str
    circuit: Callable[[int], nd.Circuit]
    trial: nd.Trial | None
    most: int
    within: float = 0.02

    def session(self, steps: int) -> nd.Session | str:
        """Return so many steps to simulate, for the checks."""
        if self.trial is None:
            return f"{steps * self.circuit(0).timestep} s"
        return nd.Session((self.trial,), self.circuit(0).timestep)

    def networks(self, number: int, threads: int) -> list[Network]:
        """Return networks of seeds 0, 1, ... with all their numbers."""
        with ThreadPoolExecutor(threads) as pool:
            circuits = list(pool.map(self.circuit, range(number)))
            return list(pool.map(lambda c: realize(c, circuits[0].program), circuits))


@dataclass(frozen=True)
class Row:
    """One batch size: seconds a step (of each repetition), and what a step did in all networks together."""

    kind: str
    dtype: str
    batch: int
    steps: int
    step_s: tuple[float, ...]
    neurons: int
    events: float
    bytes: float
    build_s: float

    @property
    def median(self) -> float:
        return statistics.median(self.step_s)


def kinds(neurons: int, task: nd.tasks.WhatWhen, *, most: int, most_plastic: int) -> tuple[Kind, ...]:
    """Return the reservoir with its rule in a trial of training, the speed network, and the network with plastic synapses.

    The last, of 80 synapses a cell, has other wiring for other seeds, which takes more memory: ``most_plastic`` of them.
    """
    training = next(t for t in task.session(1, calibration=0, tests=()).trials if t.learning)
    reservoir = nd.WhatWhenRule().attach(nd.SpikingReservoir(neurons, events=task.names))
    speed, excitatory = speed_network.circuit(neurons), neurons * 4 // 5
    sizes = {"excitatory": excitatory, "inhibitory": neurons - excitatory, "fan_out": max(1, neurons // 10)}

    return (
        Kind("what/when reservoir with learning, 1 ms steps", lambda s: reservoir.with_(seed=s), training, most),
        Kind(f"speed network, {speed_network.DT_MS} ms steps", lambda s: speed.with_(seed=s), None, most),
        Kind(
            "dopamine-modulated STDP, 1 ms steps",
            lambda s: plastic_network.circuit(seed=s, **sizes),
            nd.Trial(1000, {}, reset=False),
            most_plastic,
            0.05,
        ),
    )


def check(kind: Kind, device: str, *, steps: int, batch: int = 4) -> list[str]:
    """Return what was found of a batch beside its single runs, and beside numba on the CPU; a wrong rate stops."""
    circuits, session = [kind.circuit(seed) for seed in range(batch)], kind.session(steps)
    found = []
    for dtype in ("float64", "float32"):
        how: dict[str, Any] = {"backend": "torch", "device": device, "dtype": dtype}
        together = nd.simulate(circuits, session, **how)
        alone = [nd.simulate(c, session, **how) for c in circuits]
        cpu = nd.simulate(circuits, session, backend="numba", dtype=dtype)
        differing = [d for a, b in zip(together, alone, strict=True) if (d := nd.compare(a, b).difference) is not None]
        same = (
            f"first difference in {min(differing, key=lambda d: d.step)}" if differing else "identical, spike for spike"
        )
        found.append(f"{kind.title}, {dtype}: a batch of {batch} beside its single runs on {device}: {same}")
        spikes = {
            name: sum(len(r["spikes/cells"]) for r in runs)
            for name, runs in (("device", together), ("cpu", cpu), ("alone", alone))
        }
        ratio = spikes["device"] / max(spikes["cpu"], 1)
        found.append(
            f"{kind.title}, {dtype}: {spikes['device']} spikes, numba on the CPU {spikes['cpu']} (ratio {ratio:.4f})"
        )
        worst = max(abs(spikes[name] / max(spikes["cpu"], 1) - 1) for name in ("device", "alone"))
        if worst > kind.within or not spikes["cpu"]:
            raise AssertionError(
                f"{found[-1]}: not within {kind.within:.0%}; the times would be those of another computation"
            )
    return found


def measure(kind: Kind, networks: Sequence[Network], dtype: str, device: str, timed_s: float) -> Row:
    """Time the step loop of a batch, all spikes recorded; building it and compiling kernels are apart."""
    import torch

    from neurodyn.backends.engine import Begin
    from neurodyn.backends.torch import TorchBatch

    start = time.perf_counter()
    batch = TorchBatch(networks, spikes=["cells"], dtype=dtype, device=device)
    inputs = {} if kind.trial is None else _channels(networks[0].circuit, kind.trial)
    lanes = range(len(networks))

    def advance(steps: int) -> int:
        """Advance by so many steps, or by whole trials; return the events."""
        events = 0
        chunk = min(steps, 1024) if kind.trial is None else kind.trial.steps
        for _ in range(-(-steps // chunk)):
            if kind.trial is not None:
                first = {name: values[0] for name, values in inputs.items()}
                batch.begin(dict.fromkeys(lanes, Begin(True, False, kind.trial.reset, first)))
            records = batch.advance(chunk, dict.fromkeys(lanes, inputs))
            events += sum(int(d[r.spikes["cells"][1]].sum()) for d, r in zip(degrees, records, strict=True))
            if kind.trial is not None:
                batch.end(lanes)
        if device != "cpu":
            torch.cuda.synchronize()
        return events

    wiring = [n.wiring[n.program.spikes[0].name] for n in networks]
    degrees = [np.diff(w.indptr) for w in wiring]
    if kind.trial is None:
        batch.begin(dict.fromkeys(lanes, Begin(False, False, True, {})))
    unit = 64 if kind.trial is None else kind.trial.steps
    advance(unit)  # compiles
    build = time.perf_counter() - start
    start = time.perf_counter()
    advance(unit)
    least = (time.perf_counter() - start) / unit
    steps = max(unit, min(25_000, int(timed_s / least)) // unit * unit)
    took, events = [], 0
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        events += advance(steps)
        took.append((time.perf_counter() - start) / steps)
    events_a_step = events / (steps * REPETITIONS)
    mean_degree = sum(w.targets.size for w in wiring) / max(1, sum(d.size for d in degrees))
    spikes = events_a_step / max(mean_degree, 1.0) / len(networks)
    itemsize = np.dtype(dtype).itemsize
    if any(s.plastic for s in networks[0].program.spikes):
        work, _ = plastic_network.count(networks[0], spikes, itemsize=itemsize)
    else:
        work = count(networks[0], spikes, learning=float(kind.trial is not None), itemsize=itemsize)
    return Row(
        kind.title, dtype, len(networks), steps, tuple(took), sum(n.sizes["cells"] for n in networks), events_a_step,
        work.bytes * len(networks), build,
    )  # fmt: skip


def _channels(circuit: nd.Circuit, trial: nd.Trial) -> dict[str, np.ndarray]:
    return {
        i.name: np.broadcast_to(trial.inputs.get(i.name, np.zeros(1)), (trial.steps, len(i.channels)))
        for i in circuit.inputs
    }


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


def page(
    rows: Sequence[Row],
    sweeps: Sequence[device_pvrnn.Sweep],
    checks: Sequence[str],
    left_out: Sequence[str],
    about: Mapping[str, Any],
    copy: float,
) -> str:
    """Return the page of a run."""
    lines = ["# Many networks at once on a GPU", "", *(f"* {key}: {value}" for key, value in about.items()), ""]
    lines += ["Checked before anything was timed:", "", *(f"* {text}" for text in checks), ""]
    for title in dict.fromkeys((r.kind, r.dtype) for r in rows):
        lines += [
            f"## {title[0][0].upper()}{title[0][1:]}, {title[1]}",
            "",
            "| networks | us a step | min to max | network-steps/s | neuron-steps/s | synaptic events/s | counted bytes | of the copy | to build |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for r in (r for r in rows if (r.kind, r.dtype) == title):
            rate = r.bytes / r.median
            spread = f"{min(r.step_s) * 1e6:.3g} to {max(r.step_s) * 1e6:.3g}"
            lines.append(
                f"| {r.batch} | {r.median * 1e6:.4g} | {spread} | {r.batch / r.median:.3g} | {r.neurons / r.median:.3g} | {r.events / r.median:.3g} | "
                f"{rate / 1e9:.3g} GB/s | {100 * rate / copy:.2g} % | {r.build_s:.2g} s |"
            )
        lines.append("")
    lines += device_pvrnn.lines(sweeps)
    if left_out:
        lines += ["Left out:", "", *(f"* {text}" for text in left_out), ""]
    lines += [
        "All spikes are recorded and brought to the host, which is part of the time. Bytes are the least that a step has to",
        "move, counted from the Program (see docs/benchmarks.md); what indices, launches and the host cost comes on top.",
        "",
    ]
    return "\n".join(lines)


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
    parser.add_argument("--minutes", type=float, default=9.0, help="batches that would take longer are left out")
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
    device, neurons, sizes, timed = ("cpu", 30, (1, 2), 0.01) if smoke else ("cuda", 1000, SIZES, TIMED_S)
    copy = copy_bandwidth(device, 8 if smoke else 1024)
    about = {
        "device": device_text(device),
        "date": datetime.date.today().isoformat(),
        "copy, measured": f"{copy / 1e9:.0f} GB/s (read and written)",
        "versions": f"neurodyn {nd.__version__}, torch {torch.__version__}, CUDA {torch.version.cuda}, numpy {np.__version__}",
        "networks": f"{neurons} cells each, a tenth of all connections, own wiring, weights and seed",
    }
    print(*(f"{key}: {value}" for key, value in about.items()), sep="\n", flush=True)
    checks: list[str] = []
    left_out: list[str] = []
    share = 60 * options.minutes / 7  # seconds of a part: sweeps, and three kinds of networks in two precisions
    sweeps = list(_sweeps(device, (1, 2) if smoke else None, timed, began + share, checks, left_out))
    print(*checks, sep="\n", flush=True)
    short = {"latencies": ("40 ms", "60 ms"), "trial": "100 ms", "cue": "10 ms", "window": "30 ms"}
    task = nd.tasks.WhatWhen(**(short if smoke else {}))
    all_kinds = kinds(neurons, task, most=max(sizes), most_plastic=min(max(sizes), MOST_PLASTIC))
    for kind in all_kinds:
        checks += check(kind, device, steps=100 if smoke else 2500)
        print(*checks[-4:], sep="\n", flush=True)
    rows: list[Row] = []
    parts = [(kind, dtype) for kind in all_kinds for dtype in ("float32", "float64")]
    networks: list[Network] = []
    for number, (kind, dtype) in enumerate(parts):
        until = began + share * (number + 2)
        if dtype == "float32":
            start, networks = time.perf_counter(), []
            networks = kind.networks(kind.most, os.cpu_count() or 1)
            print(f"{kind.title}: {len(networks)} networks drawn in {time.perf_counter() - start:.0f} s", flush=True)
        cost = 0.0
        for size in (size for size in sizes if size <= kind.most):
            if time.perf_counter() + 4 * cost > until:
                left_out.append(f"{kind.title}, {dtype}, {size} networks: no time left")
                continue
            start = time.perf_counter()
            try:
                r = measure(kind, networks[:size], dtype, device, timed)
            except MemoryError as error:
                left_out.append(f"{kind.title}, {dtype}, {size} networks: {error}")
                continue
            rows.append(r)
            cost = time.perf_counter() - start
            rate = f"{r.median * 1e6:.4g} us a step, {r.neurons / r.median:.3g} neuron-steps/s"
            print(f"  {dtype} x {size}: {rate}", flush=True)
    about["took"] = f"{time.perf_counter() - began:.0f} s"
    text = page(rows, sweeps, checks, left_out, about, copy)
    print("\n" + text)
    path = options.out or (None if smoke else RESULTS / f"{about['date']}-{_slug(about['device'])}.md")
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        data = {
            "about": about,
            "copy_bytes_per_s": copy,
            "checks": checks,
            "left_out": left_out,
            "rows": [asdict(r) for r in rows],
            "sweeps": [asdict(s) for s in sweeps],
        }
        path.with_suffix(".json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        print(f"written: {os.path.relpath(path)}")
    return 0


def _sweeps(
    device: str,
    models: Sequence[int] | None,
    timed_s: float,
    until: float,
    checks: list[str],
    left_out: list[str],
) -> Iterator[device_pvrnn.Sweep]:
    """Check and time sweeps of PV-RNNs, of ``models`` or as many as are meant for a device."""
    import torch

    for data, sizes in device_pvrnn.MODELS.items():
        for dtype in device_pvrnn.WITHIN:
            checks.append(device_pvrnn.check(data, dtype, device))
            for size in models or sizes:
                if time.perf_counter() > until:
                    left_out.append(f"PV-RNN, {data}, {dtype}, {size} models: no time left")
                    continue
                try:
                    yield device_pvrnn.measure(data, size, dtype, device, timed_s / 5)
                except torch.cuda.OutOfMemoryError as error:
                    left_out.append(f"PV-RNN, {data}, {dtype}, {size} models: {error}")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


if __name__ == "__main__":
    sys.exit(main())
