"""How much memory a batch of networks takes, and whether it is there."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import torch

from neurodyn.kernels.packing import gathered_whole
from neurodyn.network import Network


def layout_bytes(networks: Sequence[Network], dtype: str) -> int:
    """Return the memory of the tensors of a batch, padding included, and of a copy of what changes (for blow-ups)."""
    program, count, item = networks[0].program, len(networks), np.dtype(dtype).itemsize
    width = {axis: max(n.sizes[axis] for n in networks) for axis in networks[0].sizes}
    units = max((width[p] for p in (*program.populations, *program.spike_sources)), default=0)
    whole, total = gathered_whole(program), 0
    for array in program.arrays:
        size = 1 if array.dtype == "bool" else 8 if array.wide else item
        if array.dtype == "index":
            size = 8 if array.name in whole else 2 if units <= 2**15 else 4
        total += (1 + array.kept) * size * count * int(np.prod([width[a] for a in array.axes], dtype=int))
    for s in program.spikes:
        wirings = [n.wiring[s.name] for n in networks]
        length = 1 + max(int(w.delays.max(initial=0)) for w in wirings)
        if s.plastic:
            lags = len({int(d) for w in wirings for d in np.unique(w.delays)})
            total += count * 2 * (item * width[s.target_population] + 4 * length * (1 + width[s.source]))
            total += 8 * count * (lags * width[s.source] + width[s.target_population])
            index = 4 if count * width[s.name] < 2**31 else 8
            total += sum(w.targets.size for w in wirings) * index * (1 + (s.delays == "heterogeneous"))
            continue
        index = 4 if count * length * width[s.target_population] < 2**31 else 8
        total += 2 * item * count * length * width[s.target_population] + 8 * count * width[s.source]
        total += sum(w.targets.size for w in wirings) * (index + item + index * (length > 1))
    for s in program.sums:
        sources = width[s.source_axis] if s.source_axis else 1
        if s.layout == "dense" and not s.plastic:
            total += item * count * sources * width[s.target_population]
        else:
            total += sum(n.wiring[s.name].targets.size for n in networks) * (16 + item)
        total += item * count * (2 * max(s.delay, 1) * sources + width[s.target_population])
    return total


def check_memory(networks: Sequence[Network], dtype: str, device: torch.device) -> None:
    """Raise MemoryError, with the batch that fits, where the tensors of a batch don't fit into what is free."""
    need, free = layout_bytes(networks, dtype), _free_bytes(device)
    if need > 0.9 * free:
        fits = int(0.9 * free * len(networks) / need)
        advice = f"at most {fits} such networks fit" if fits else "not even one such network fits"
        raise MemoryError(
            f"{len(networks)} networks need {need / 2**30:.3g} GiB on {device}, {free / 2**30:.3g} GiB are free: {advice}. "
            "Simulate them in several calls, or use dtype='float32'"
        )


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):  # a system that doesn't tell
        return 2**62
