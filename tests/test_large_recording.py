"""What is left in its file is analysed in little memory, and the numbers are the exact ones."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from neurodyn.recording import load

FOLDER = Path(__file__).parents[1] / "benchmarks"

CHILD = """
import resource, sys
from neurodyn import analysis
from neurodyn.recording import load
x = load(sys.argv[1]).lazy("state/cells/r")
analysis.participation_ratio(x[:1000])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
ratio = analysis.participation_ratio(x, bias_correction=False)
print(ratio, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.delitem(sys.modules, "large_recording", raising=False)
    return importlib.import_module("large_recording")


def test_memory_does_not_grow_with_the_file(large: ModuleType, tmp_path: Path) -> None:
    samples = large.make(tmp_path / "a.h5", 0.4, units=100)
    x = load(tmp_path / "a.h5").lazy("state/cells/r")
    assert x.shape == (samples, 100) and x.nbytes > 390e6 and (tmp_path / "a.h5").stat().st_size < 60e6
    assert x.coordinate("time")[[0, 1, -1]].tolist() == [1, 2, samples]
    command = [sys.executable, "-c", CHILD, str(tmp_path / "a.h5")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ratio, grown = (float(word) for word in done.stdout.split())
    assert ratio == pytest.approx(large.exact(100)[1], rel=1e-9)
    assert (
        grown * (1 if sys.platform == "darwin" else 1024) < 200e6
    )  # half of the array; a block is 32 MB, and held a few times


@pytest.mark.slow
def test_the_command_takes_no_more_for_ten_times_the_file(large: ModuleType, tmp_path: Path) -> None:
    peaks = []
    for name, size in (("small", 0.2), ("large", 2.0)):
        large.make(tmp_path / f"{name}.h5", size)
        for what in ("participation", "pca"):
            peaks.append(large.measured(["analyse", str(tmp_path / f"{name}.h5"), what])[1])
            results = load(tmp_path / f"{name}.analysis.h5").results
    assert max(peaks[2:]) < min(peaks[:2]) + 0.2 and max(peaks) < 1
    np.testing.assert_allclose(results["pca: share of variance"], large.exact(250)[0][:3], rtol=1e-6)
