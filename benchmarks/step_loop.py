"""Our side of the cases of spiking networks: the step loop of a runner, without what comes before and after it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from measure import cpu_seconds

from neurodyn.backends import engine_class
from neurodyn.network import Network


class StepLoop:
    """The step loop of a network, from the start of a trial, spikes recorded."""

    def __init__(
        self, network: Network, steps: int, *, backend: str = "numba", dtype: str = "float64", **options: Any
    ) -> None:
        self.spikes: tuple[np.ndarray, np.ndarray] = (np.empty(0), np.empty(0))
        self.steps, self.population = steps, network.program.spiking[0]
        start = cpu_seconds()
        self.engine = engine_class(backend)(network, spikes=[self.population], dtype=dtype, **options)
        self._rewind()
        self.engine.advance(1, {})
        self.build_s = cpu_seconds() - start

    def _rewind(self) -> None:
        self.engine.step = 0
        self.engine.start_trial(learning=False, calibration=False, reset=True)

    def run(self) -> float:
        """Run once; return the CPU seconds."""
        self._rewind()
        start = time.process_time()
        records = self.engine.advance(self.steps, {})
        took = time.process_time() - start
        self.spikes = records.spikes[self.population]
        return took
