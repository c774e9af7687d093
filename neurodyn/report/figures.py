"""The figures of a page: an overview drawn from the recording, and what was saved beside it."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neurodyn.recording import Recording
from neurodyn.report.circuits import is_training

_PNG = b"\x89PNG\r\n\x1a\n"
_OWN = "overview"  # of `neurodyn plot`: the page draws its own


def figures(recording: Recording) -> str:
    """Return all figures as HTML; the pictures are part of the text."""
    found = [*_drawn(recording), *_beside(recording)]
    return "".join(_figure(name, picture) for name, picture in found)


def _drawn(recording: Recording) -> Iterator[tuple[str, bytes]]:
    from neurodyn import plots

    if any(key.startswith("spikes/") or _drawable(recording, key) for key in recording):
        with np.errstate(over="ignore"):  # margins around numbers of a run that blew up
            yield "Overview", _png(plots.overview(recording))
    heads = any(key == "training/accuracy_of_head" for key in recording)
    if heads and is_training(recording) and not isinstance(recording.config["network"].get("seed"), list):
        from neurodyn.training.run import TrainingRun

        run = TrainingRun(recording)
        if len(run.history):
            yield "Accuracy at each N", _png(plots.accuracy_of_heads(run))


def _drawable(recording: Recording, key: str) -> bool:
    array = recording.lazy(key)
    return array.dtype.kind in "biuf" and len(array.shape) > 0 and 0 not in array.shape


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()


def _beside(recording: Recording) -> Iterator[tuple[str, bytes]]:
    """The pictures that a simulation or an analysis saved as FILE.name.png."""
    if recording.path is None:
        return
    stem = recording.path.stem
    for path in sorted(recording.path.parent.glob("*.png")):
        name = _name(path, stem)
        if name and name != _OWN:
            picture = path.read_bytes()
            if picture.startswith(_PNG):  # else it is no picture, whatever it is called
                yield name.replace("_", " "), picture


def _name(path: Path, stem: str) -> str:
    """The part between the name of the recording and ``.png``; none for pictures of other recordings."""
    match = re.fullmatch(re.escape(stem) + r"\.([\w-]+)\.png", path.name)
    return match[1] if match else ""


def _figure(name: str, picture: bytes) -> str:
    text = base64.b64encode(picture).decode("ascii")
    caption = html.escape(name)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{text}"><figcaption>{caption}</figcaption></figure>'
    )
