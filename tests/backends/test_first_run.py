"""A short first run is interpreted: the same bits, and nobody waits for a compiler longer than for the run."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.backends import first_run, numba
from neurodyn.backends.engine import SampleSpec
from neurodyn.backends.first_run import FirstRun
from neurodyn.conformance.circuits import BORDERS, EXACT
from neurodyn.conformance.harness import case
from neurodyn.network import realize


class Parts:
    """A clock that lets a run be interpreted for some parts of so many steps, then compiles."""

    def __init__(self, *lengths):
        self.lengths = list(lengths)

    def part(self, steps):
        return min(steps, self.lengths[0])

    def goes_on(self, steps, seconds):
        self.lengths.pop(0)
        return bool(self.lengths)


def run(name, monkeypatch, clock):
    """Run a circuit of the suite under a clock; everything that a recording can hold is recorded."""
    monkeypatch.setattr(numba.FirstRun, "of", lambda *given: clock)
    chosen = case(name)
    return nd.simulate(chosen.circuit, chosen.session, record=chosen.record)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ("delays", "periods", "learning", "eligibility") else pytest.mark.slow)
        for name in (*EXACT, *BORDERS)
    ],
)
def test_interpreted_first_and_compiled_later_it_is_the_same_run(name, monkeypatch):
    compiled = run(name, monkeypatch, None)
    assert nd.compare(compiled, run(name, monkeypatch, Parts(1, 7, 2, 131, 3))).difference is None


def test_what_is_recorded_has_one_type_however_it_was_made(monkeypatch):
    """Numbers and flags, every third step: parts without a sample must not turn flags into numbers."""
    cells = nd.Population("cells", 4, "dv/dt = (2 - v)/(10*ms) : 1 (unless refractory)", threshold="v > 1", reset="v = 0", refractory="3 ms", method="euler")  # fmt: skip
    network = realize(nd.Circuit([cells], dt="1 ms"))
    flags = next(a.name for a in network.program.arrays if a.dtype == "bool" and a.axes)
    samples = [SampleSpec(name, np.arange(4), 3) for name in ("cells.v", flags)]
    engine = numba.NumbaEngine(network, samples=samples, spikes=["cells"])
    engine._first = Parts(1, 1, 1, 4)  # type: ignore[assignment]
    engine.start_trial(learning=False, calibration=False, reset=True)
    mixed = engine.advance(11, {})
    plain = numba.NumbaEngine(network, samples=samples, spikes=["cells"])
    plain.start_trial(learning=False, calibration=False, reset=True)
    expected = plain.advance(11, {})
    for name, values in expected.samples.items():
        assert mixed.samples[name].dtype == values.dtype
        np.testing.assert_array_equal(mixed.samples[name], values)


# -- the clock -----------------------------------------------------------------------------------------------------


def clock(tmp_path, steps, spent=0.0, budget=2.0):
    (tmp_path / "kernels").mkdir(exist_ok=True)
    return FirstRun(steps, spent, budget, tmp_path / "kernels" / "step.interpreted")


def test_a_short_run_is_interpreted_to_its_end_and_what_it_took_is_kept(tmp_path):
    short = clock(tmp_path, 100, spent=0.25)
    while short.left:
        part = short.part(1000 if short.left > 64 else short.left)
        assert part <= 64
        assert short.goes_on(part, 0.001 * part) == (short.left > 0)
    assert float(short.tally.read_text()) == pytest.approx(0.35)


def test_a_long_run_is_compiled_after_five_steps(tmp_path):
    long = clock(tmp_path, 100_000)
    assert long.part(4096) == 1 and long.goes_on(1, 0.5)  # the first step does more than others
    assert long.part(4096) == 4 and not long.goes_on(4, 0.0008)  # 20 s for the rest
    assert float(long.tally.read_text()) == 2.0


def test_a_step_that_takes_too_long_is_the_last_one(tmp_path):
    assert not clock(tmp_path, 10).goes_on(1, 2.5)
    slower = clock(tmp_path, 1000)
    assert slower.goes_on(1, 0.01) and slower.goes_on(4, 0.004) and not slower.goes_on(16, 1.0)


@pytest.mark.parametrize("given", ["soon", "-1", "nan"])
def test_patience_that_is_none(given, monkeypatch):
    monkeypatch.setenv("NEURODYN_PATIENCE", given)
    with pytest.raises(ValueError, match=f"NEURODYN_PATIENCE = '{given}': give seconds, 0 or more"):
        first_run.patience()
    monkeypatch.setenv("NEURODYN_PATIENCE", "")
    assert first_run.patience() == first_run.PATIENCE_S


def test_only_exact_circuits_in_double_precision_that_are_not_compiled(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODYN_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("NEURODYN_PATIENCE", "2")
    exact, tolerant = case("pulses").network, case("rates").network
    stats = SimpleNamespace(cache_path=str(tmp_path))
    step: Any = SimpleNamespace(__name__="neurodyn_step_of_a_test", advance=SimpleNamespace(signatures=(), stats=stats))
    assert FirstRun.of(exact, "float64", step, 10) is not None
    with monkeypatch.context() as other:
        other.setattr(first_run, "LARGEST", exact.synapses)
        assert FirstRun.of(exact, "float64", step, 10) is None
    assert FirstRun.of(exact, "float32", step, 10) is None and FirstRun.of(tolerant, "float64", step, 10) is None
    (tmp_path / "kernels").mkdir()
    tally = tmp_path / "kernels" / "neurodyn_step_of_a_test.interpreted"
    tally.write_text("2.5")
    assert FirstRun.of(exact, "float64", step, 10) is None
    tally.write_text("cut sh")
    found = FirstRun.of(exact, "float64", step, 10)
    assert found is not None and found.spent == 0.0
    (tmp_path / "neurodyn_step_of_a_test.advance-24.py311.nbi").touch()
    assert FirstRun.of(exact, "float64", step, 10) is None


CODE = """
import neurodyn as nd
from neurodyn.kernels import step
nd.simulate(nd.SpikingReservoir(40, seed=3), "30 ms")
(module,) = step._LOADED.values()
print(len(module.advance.signatures))
"""


def test_from_one_process_to_the_next(tmp_path):
    """A short run compiles nothing; many of them do, since each process finds what those before it took."""
    environment = {**os.environ, "NEURODYN_CACHE_DIR": str(tmp_path / "a"), "NUMBA_CACHE_DIR": str(tmp_path / "b")}

    def signatures(patience):
        done = subprocess.run([sys.executable, "-c", CODE], env={**environment, "NEURODYN_PATIENCE": patience}, capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        return int(done.stdout)

    assert signatures("") == 0
    (tally,) = (tmp_path / "a" / "kernels").glob("*.interpreted")
    first = float(tally.read_text())
    assert 0 < first < first_run.PATIENCE_S
    assert signatures("") == 0 and float(tally.read_text()) > first
    assert signatures("1e-3") == 1  # they are used up
    assert signatures("") == 1  # what is compiled is used
