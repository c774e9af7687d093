"""What the first point loads is there when the next ones begin; what it has done is not."""

from __future__ import annotations

from pathlib import Path

from neurodyn.scan import Scan
from neurodyn.scan.journal import entries

SCRIPT = '''
import sys

import numba

import neurodyn as nd

numbers = []


@numba.njit
def triple(x):
    return 3 * x


@nd.simulation
def point(*, seed: int = 1):
    """How much was there at the beginning, and what comes out."""
    there = [len(triple.signatures), int("neurodyn.backends.numba" in sys.modules)]
    there.append(sum(name.startswith("neurodyn_step_") for name in sys.modules))
    numbers.append(seed)
    run = nd.simulate(nd.SpikingReservoir(20, seed=7), "50 ms")
    return {"there": there, "numbers": len(numbers), "tripled": triple(seed), "spikes": run["spikes"].times.size}
'''


def test_code_is_loaded_once_and_state_never(tmp_path: Path):
    script = tmp_path / "triple.py"
    script.write_text(SCRIPT, encoding="utf-8")
    scan = Scan(script, out=tmp_path / "scan", grid={"seed": [1, 2, 3]})
    scan.run(workers=1)
    results = [entry["results"] for entry in entries(scan.folder)]
    assert [result["there"] for result in results] == [[0, 0, 0], [1, 1, 1], [1, 1, 1]]
    assert [result["numbers"] for result in results] == [1, 1, 1]
    assert sorted(result["tripled"] for result in results) == [3, 6, 9]
    assert len({result["spikes"] for result in results}) == 1
    assert "Traceback" not in "".join(path.read_text() for path in scan.path.glob("logs/*.server"))
