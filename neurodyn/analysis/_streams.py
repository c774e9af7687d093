"""Arrays read in pieces, so that those in a file need not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ._checks import FloatArray, floats

_BLOCK_BYTES = 2**25  # of float64


def in_file(x: Any) -> bool:
    """Whether `x` is sliced out of a file (``recording.lazy(key)``, an ``h5py.Dataset``), and no array in memory."""
    return (
        not isinstance(x, np.ndarray)
        and all(hasattr(x, name) for name in ("shape", "dtype", "__getitem__"))
        and not hasattr(x, "__array_interface__")
        and not hasattr(x, "values")
    )


def shape_of(x: Any, name: str, *, axes: tuple[str, ...]) -> tuple[int, ...]:
    """The shape of `x`, an array or something in a file, once it is known to be real numbers with the axes asked for."""
    if not in_file(x):
        return floats(x, name, axes=axes).shape
    shapes = " or ".join(f"({text})" for text in axes)
    if np.dtype(x.dtype).kind not in "biuf":
        raise TypeError(f"{name} has dtype {x.dtype}: give real numbers, shape {shapes}")
    if len(x.shape) not in {text.count(",") + 1 for text in axes} or 0 in x.shape:
        raise ValueError(f"{name} has shape {tuple(x.shape)}: give {shapes}, no axis empty")
    return tuple(x.shape)


def blocks(x: Any, name: str, *, axes: tuple[str, ...] = ("time, unit", "trial, time, unit")) -> Iterator[FloatArray]:
    """Successive stretches of `x` as finite float64 (sample, unit), of about 32 MB; trials are laid end to end."""
    shape = shape_of(x, name, axes=axes)
    if not in_file(x):
        x = floats(x, name, axes=axes)
    at = 0
    for where in _places(shape):
        piece = np.asarray(x[where], dtype=np.float64).reshape(-1, shape[-1])
        bad = ~np.isfinite(piece)
        if bad.any():
            sample, unit = (int(k) for k in np.argwhere(bad)[0])
            raise ValueError(
                f"{name} holds values that are NaN or infinite, the first at sample {at + sample}, unit {unit}: "
                "cut or fill them before the analysis"
            )
        yield piece
        at += len(piece)


def _places(shape: tuple[int, ...]) -> Iterator[Any]:
    """Where successive blocks lie: rows, whole trials, or the rows of a trial that is larger than a block."""
    rows = max(1, _BLOCK_BYTES // (8 * shape[-1]))
    if len(shape) == 2:
        yield from (slice(k, k + rows) for k in range(0, shape[0], rows))
    elif shape[1] <= rows:
        trials = rows // shape[1]
        yield from (slice(k, k + trials) for k in range(0, shape[0], trials))
    else:
        yield from ((trial, slice(k, k + rows)) for trial in range(shape[0]) for k in range(0, shape[1], rows))
