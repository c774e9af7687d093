"""Training by gradient: curricula, one loop, snapshots that are read back, and what training left behind, measured.

:func:`neurodyn.train` trains. What is here asks a trained network: its activity, its running accuracy, and what it
loses or keeps when units are silenced, weights perturbed, or tasks changed. :func:`sinkhorn_divergence` is the loss of
networks whose sequences are to be distributed as others are.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurodyn.training.driving import activity as activity
    from neurodyn.training.driving import head_of as head_of
    from neurodyn.training.driving import running_accuracy as running_accuracy
    from neurodyn.training.robustness import Ablation as Ablation
    from neurodyn.training.robustness import Perturbation as Perturbation
    from neurodyn.training.robustness import ablated as ablated
    from neurodyn.training.robustness import ablation as ablation
    from neurodyn.training.robustness import perturbation as perturbation
    from neurodyn.training.robustness import perturbed as perturbed
    from neurodyn.training.robustness import relative_accuracy as relative_accuracy
    from neurodyn.training.sinkhorn import sinkhorn_divergence as sinkhorn_divergence
    from neurodyn.training.transfer import Memory as Memory
    from neurodyn.training.transfer import memory as memory
    from neurodyn.training.transfer import retraining as retraining

# Imported on first use; no file bears the name of a function in it.
_FILES = {
    "Ablation": "robustness",
    "Memory": "transfer",
    "Perturbation": "robustness",
    "ablated": "robustness",
    "ablation": "robustness",
    "activity": "driving",
    "head_of": "driving",
    "memory": "transfer",
    "perturbation": "robustness",
    "perturbed": "robustness",
    "relative_accuracy": "robustness",
    "retraining": "transfer",
    "running_accuracy": "driving",
    "sinkhorn_divergence": "sinkhorn",
}

__all__ = sorted(_FILES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"neurodyn.training has no {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f"{__name__}.{_FILES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
