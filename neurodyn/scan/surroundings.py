"""What all code of a process shares without naming it: each point of a batch has its own."""

from __future__ import annotations

import os
import random
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import numpy as np


class Surroundings:
    """Output, working folder, environment, filters of warnings, global generators, figures of pyplot, as they were.

    Made at one moment, brought back at another: what ran between the two leaves no trace in them.
    """

    def __init__(self) -> None:
        self._streams = sys.stdout, sys.stderr
        self._folder, self._environment, self._scratch = os.getcwd(), dict(os.environ), tempfile.tempdir
        self._warnings = list(warnings.filters), warnings.showwarning
        self._random, self._numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
        self._torch: Any = sys.modules["torch"].get_rng_state() if "torch" in sys.modules else None
        self._figures = self._settings = None
        if "matplotlib.pyplot" in sys.modules:
            from matplotlib import rcParams
            from matplotlib._pylab_helpers import Gcf

            self._figures, self._settings = Gcf.figs.copy(), dict.copy(rcParams)

    def restore(self) -> None:
        """Have everything be as it was."""
        sys.stdout, sys.stderr = self._streams
        if os.getcwd() != self._folder:
            os.chdir(self._folder)
        if dict(os.environ) != self._environment:
            os.environ.clear()
            os.environ.update(self._environment)
        tempfile.tempdir = self._scratch
        filters, warnings.showwarning = self._warnings
        warnings.resetwarnings()  # which also tells Python's C code that they have changed
        cast(list[Any], warnings.filters)[:] = filters
        random.setstate(self._random)
        np.random.set_state(self._numpy)  # noqa: NPY002
        if self._torch is not None:
            sys.modules["torch"].set_rng_state(self._torch)
        if "matplotlib.pyplot" in sys.modules:
            from matplotlib import rcParams
            from matplotlib._pylab_helpers import Gcf

            Gcf.figs.clear()
            Gcf.figs.update(self._figures or {})
            if self._settings is not None:
                dict.update(rcParams, self._settings)


class Output:
    """Where the descriptors 1 and 2 lead, for all that writes to them: Python, compiled code, other programs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o666)

    def use(self) -> None:
        """Send everything that is written from now on here."""
        flush()
        for number in (1, 2):
            os.dup2(self._descriptor, number)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def flush() -> None:
    """Write out what Python holds back."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
