"""Small recordings of each kind, made once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurodyn as nd


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Paths of recordings: of a session, a training under a curriculum, one of many models, results alone, one that stopped."""
    folder = tmp_path_factory.mktemp("kinds")
    found = {name: folder / f"{name}.h5" for name in ("session", "training", "models", "results", "stopped")}

    task = nd.tasks.WhatWhen()
    net = nd.SpikingReservoir(neurons=20, seed=1)
    session = task.session(trials=1, calibration=1, tests=())
    how: dict[str, Any] = {
        "learn": nd.WhatWhenRule(when=nd.FORCE(every="20 ms"), feedback=0.0),
        "backend": "interpreter",
    }
    nd.simulate(net, session, record=["spikes", "readout"], out=found["session"], **how)

    nd.train(
        nd.LeakyRNN(8, tau="learn", seed=1),
        nd.tasks.Parity(),
        epochs=2,
        batch=4,
        steps=2,
        tests=2,
        out=found["training"],
    )
    wave = 0.7 * np.sin(np.linspace(0, 6, 20))[None, :, None]
    many = nd.PVRNN([nd.Layer(d=4, z=1, tau=2)], output=nd.SoftmaxCoding(dims=1), seed=(1, 2))
    nd.fit(many, wave, updates=2, test_every=1, out=found["models"])

    @nd.simulation
    def coins(*, throws: int = 10, out: str = "coins.h5") -> nd.Outcome:
        """Throw coins."""
        checks = [nd.check("few", throws, "<= 60", reference=50, source="chance"), nd.check("many", throws, ">= 90")]
        return nd.Outcome(results={"throws": throws}, checks=checks)

    coins(out=str(found["results"]))
    cells = nd.Population("cells", 2, "dv/dt = v/ms : 1", method="euler", initial={"v": 1e300})
    with pytest.raises(nd.BlowUpError) as error:
        nd.simulate(
            nd.Circuit([cells], name="grows"), "100 ms", record=["cells.v"], out=found["stopped"], backend="interpreter"
        )
    assert error.value.path is not None
    found["stopped"] = error.value.path
    return found
