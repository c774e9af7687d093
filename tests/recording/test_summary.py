"""The page of a recording: what computed it, what may be expected of the same run elsewhere, and nothing left out."""

import json

import h5py
import numpy as np
import pytest

from neurodyn.recording import Writer, load
from neurodyn.recording.layout import dataset_at

RUN = {
    "circuit": "spiking reservoir",
    "backend": "torch",
    "device": "cuda",
    "dtype": "float32",
    "threads": 1,
    "seed": "7",
    "program_hash": "0123abcd",
    "exactness": "tolerant",
    "inexact": json.dumps(["exp in the update of cells", "weighted sum over a population in back"]),
    "started": "2026-11-22T00:40:42.533+00:00",
    "host": "node7",
    "versions": {"python": "3.11.7", "numpy": "2.3.5"},
    "git_revision": "abc-dirty",
    "config": {"simulate": {"record": ["spikes", "cells.v"], "learn": None}, "empty": {}, "gain": 1.5},
}


def page(path=None, **more):
    writer = Writer(path, header={"dt_ms": 0.5, **RUN, **more})
    writer.tree("network", {"name": "x"})
    writer.tree("run", {"record": []})
    writer.tree("notes", {"a": 1})
    for number in range(3):
        writer.trial({"phase": "train", "start_ms": 700.0 * number, "duration_ms": 700.0})
    return writer.finish().info()


def test_in_short_a_file_below_the_folder_is_named_from_there(tmp_path, monkeypatch):
    page(tmp_path / "runs" / "a.h5")
    assert repr(load(tmp_path / "runs" / "a.h5")).startswith(f"<Recording {tmp_path / 'runs' / 'a.h5'} (torch, ")
    monkeypatch.chdir(tmp_path)
    assert repr(load(tmp_path / "runs" / "a.h5")).startswith("<Recording runs/a.h5 (torch, ")


def test_what_computed_it(tmp_path):
    lines = page(tmp_path / "a.h5").splitlines()
    assert lines[0].startswith(f"{tmp_path / 'a.h5'} (0.0") and lines[0].endswith(" MB)")
    assert lines[1] == "spiking reservoir, 2.1 s in 3 trials, complete"
    for line in (
        "  trials    3 rows: phase, start_ms, duration_ms",
        "  run/      session and options: neurodyn rerun FILE repeats the run",
        "  notes/",
        "  runner   torch, cuda, float32, 1 thread",
        "  step     0.5 ms",
        "  seed     7",
        "  Program  0123abcd",
        "  class    tolerant: other runners and machines agree to a tolerance, until chaos parts them "
        "(exp in the update of cells; weighted sum over a population in back)",
        "  host      node7",
        "  versions  python 3.11.7, numpy 2.3.5",
        "  revision  abc-dirty",
        "    record = spikes, cells.v",
        "  gain = 1.5",
    ):
        assert line in lines, line
    assert any(line.startswith("  started   2026-11-22 00:40:42 UTC, took ") for line in lines)
    assert "further attributes" not in lines


def test_an_exact_run_says_what_may_be_expected():
    assert "\n  class    exact: the same bits on every runner in float64 on the CPU\n" in page(exactness="exact")


def test_what_nobody_knows_is_shown_all_the_same():
    text = page(
        colour="red", resumed=[{"time": "2026-11-23", "host": "node8"}, {"time": "2026-11-24", "host": "node9"}]
    )
    assert "\nfurther attributes\n  colour  red" in text
    assert "\n  resumed   2026-11-23 on node8, 2026-11-24 on node9\n" in text


def test_a_run_that_stopped_says_why():
    writer = Writer(None, header=RUN)
    writer.trial({"phase": "train"})
    writer.abort("disk full")
    assert writer.recording is not None
    assert writer.recording.info().splitlines()[1] == "spiking reservoir, incomplete: disk full"


@pytest.mark.parametrize(
    "odd",
    [{"inexact": "no list"}, {"inexact": 3}, {"wall_s": "long"}, {"versions": "3"}, {"resumed": [1]}, {"dt_ms": "a"}],
)
def test_attributes_of_another_kind_are_no_crash(odd):
    assert "spiking reservoir" in page(**odd)


def test_an_array_whose_dimensions_do_not_fit_is_still_listed(tmp_path):
    writer = Writer(tmp_path / "a.h5", header={**RUN, "dt_ms": 1.0})
    writer.samples("state/cells/v", np.zeros((3, 2)), [1.0, 2.0, 3.0])
    writer.finish()
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        dataset_at(file, "state/cells/v").attrs["dims"] = 'json:["time"]'
    assert "\n  state/cells/v  (3, 2; its dims do not fit) float64\n" in load(tmp_path / "a.h5").info()
