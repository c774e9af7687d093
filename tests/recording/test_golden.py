"""Files of every format version that ever was are read, gone on with and repeated."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pytest
import xarray

import neurodyn as nd
from neurodyn.recording import FORMAT

HERE = Path(__file__).parent / "golden"
FILES = sorted(HERE.glob("format_*.h5"))
each = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_golden", HERE / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_todays_format_has_a_golden_file() -> None:
    assert HERE / f"format_{FORMAT}.h5" in FILES


@each
def test_its_numbers_are_read(file: Path, make: ModuleType) -> None:
    told = json.loads(file.with_suffix(".json").read_text())
    found = json.loads(json.dumps(make.summary(nd.load(file))))
    for key, entry in told["entries"].items():
        total = entry.pop("sum", None)
        if total is not None:  # the order in which numpy adds is its own
            assert found["entries"][key].pop("sum") == pytest.approx(total, rel=1e-12, abs=1e-15)
    assert found == told
    assert "cells" in nd.load(file).info()


@each
def test_others_read_it(file: Path) -> None:
    spikes = nd.load(file)["spikes"]
    with h5py.File(file) as plain:
        assert np.array_equal(plain["spikes/cells/timestamps"][:], spikes.times)  # type: ignore[index]
    with xarray.open_dataset(file, engine="h5netcdf", group="state/cells") as state:
        assert state["v"].dims == ("time", "unit") and state["v"].attrs["units"] == "mV"


@each
def test_its_run_is_repeated(file: Path) -> None:
    again = nd.rerun(file, backend="interpreter")
    assert again, str(again)


@each
def test_its_network_goes_on(file: Path, make: ModuleType) -> None:
    recording = nd.load(file)
    trained = recording.network()
    assert trained["plastic"].plastic
    learned = recording["weights/output/w"].values[-1]
    run = nd.simulate(trained.freeze(), make.session(), record=["output.y", "weights"], backend="interpreter")
    assert np.array_equal(run["weights/output/w"].values[-1], learned) and np.isfinite(run["output.y"].values).all()
