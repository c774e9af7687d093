"""What of a training is looked at first: losses, what was learnt, time constants, over epochs or updates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from neurodyn.plots.contents import Track, track

# Each a panel, with what it shows beside each other; in this order, as far as recorded.
PANELS = {
    "loss": ("loss", "validation_loss", "floor"),
    "reconstruction error": ("reconstruction",),
    "divergence": ("divergence",),
    "log-likelihood": ("log_likelihood",),
    "accuracy": ("accuracy",),
    "N": ("N",),
    "time constant (steps)": ("tau_mean", "tau_sd"),
    "symbols that change": ("symbol_change",),
}
MOST = 6


def epochs(recording: Any, *, lines: int) -> tuple[list[Track], list[str]]:
    """Panels of a training, and keys of what else was recorded of it."""
    keys = [key for key in recording if key.startswith("training/")]
    x = recording["training/update"] if "training/update" in keys else None
    found, used = [], {"training/update"}
    for title, names in PANELS.items():
        own = [f"training/{name}" for name in names if f"training/{name}" in keys]
        many = f"{own[0]}_of_model" if own else ""
        if not own or len(found) == MOST:
            continue
        used |= {*own, many}
        # Of models that learn apart, each is a line; the mean would hide what becomes of them.
        single = many in keys and len(own) == 1
        parts = [track(key, recording[key], lines=lines) for key in ([many] if single else own)]
        one = _joined(title, [part for part in parts if part is not None], single=single)
        if one is not None:
            found.append(one if x is None else replace(one, x=np.asarray(x.values, dtype=float), x_label="update"))
    return found, [key for key in keys if key not in used]


def _joined(title: str, parts: list[Track], *, single: bool) -> Track | None:
    """Several courses as lines of one panel."""
    if not parts:
        return None
    if single:
        return replace(parts[0], name=title)
    labels = tuple(part.key.rpartition("/")[2] for part in parts)
    values = np.concatenate([part.values[:, :1] for part in parts], axis=1)
    return replace(parts[0], values=values, labels=labels, name=title, key=", ".join((parts[0].key, *labels[1:])))
