"""What is simulated: equations, parameters, citations; no time loop."""

from __future__ import annotations

import importlib
from types import ModuleType

# Imported at its first use, so that `nd.models.patterns` works and `import neurodyn` stays quick.
_MODULES = ("chaotic", "counter", "force", "patterns", "rest")


def __getattr__(name: str) -> ModuleType:
    if name not in _MODULES:
        raise AttributeError(f"module 'neurodyn.models' has no attribute {name!r}; there are {', '.join(_MODULES)}")
    return importlib.import_module(f"{__name__}.{name}")
