"""The run of a recording again: the same from the file alone, and what is said where it isn't or can't be."""

import h5py
import numpy as np
import pytest

import neurodyn as nd
from neurodyn.cli import main
from neurodyn.recording import annotate
from neurodyn.rerun import RerunError

TASK = nd.tasks.WhatWhen(latencies=("100 ms", "160 ms"), probability=0.7, trial="300 ms", cue="50 ms", window="90 ms")
RECORD = ("spikes", "readout", nd.Sample("cells.v", units=[1, 4], every="2 ms"))
INTERPRETER = {"backend": "interpreter", "record": RECORD}  # nothing to compile


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """A reservoir with noise that learned for two trials."""
    path = tmp_path_factory.mktemp("rerun") / "a.h5"
    session = TASK.session(trials=2, calibration=1, test_trials=1)
    nd.simulate(nd.SpikingReservoir(30, seed=3), session, learn=nd.WhatWhenRule(), out=path, **INTERPRETER)
    return path


def altered(path, place, change):
    """The recording with one dataset changed by hand."""
    copy = place / "altered.h5"
    copy.write_bytes(path.read_bytes())
    with h5py.File(copy, "r+") as file:
        change(file)
    return copy


def test_a_run_is_repeated_from_its_recording_alone(learnt, tmp_path):
    found = nd.rerun(learnt, out=tmp_path / "b.h5")
    assert found and found.comparison.deviation == 0.0 and not found.comparison.skipped
    assert "when.w" in found.learned and not found.learned_otherwise and not found.changed
    first, second = nd.load(learnt), nd.load(tmp_path / "b.h5")
    assert len(first["spikes"]) > 100 and np.abs(first.network().values["when.w"]).max() > 0
    assert first.keys() == second.keys() and first.config == second.config
    assert first.trials.equals(second.trials)
    text = str(found)
    assert "identical: " in text and "learned the same: " in text and "versions, revision and platform" in text


def test_a_repetition_can_be_repeated(learnt, tmp_path):
    nd.rerun(learnt, out=tmp_path / "b.h5")
    again = nd.rerun(tmp_path / "b.h5")
    assert again and nd.compare(nd.load(learnt), again.recording)


def test_another_runner_gives_the_same(learnt):
    found = nd.rerun(nd.load(learnt), backend="numba")
    assert found and found.recording.attrs["backend"] == "numba"


def test_learning_goes_on_from_where_an_earlier_run_ended(learnt, tmp_path):
    second = TASK.session(trials=1, calibration=0, tests=(), seed=5)
    nd.simulate(nd.load(learnt).network(), second, out=tmp_path / "b.h5", **INTERPRETER)
    assert nd.rerun(tmp_path / "b.h5")


def test_a_recording_in_memory_and_one_of_a_batch(learnt):
    net = nd.Circuit([nd.izhikevich_2003("cells", 5, parameters={"bias": nd.Uniform(5, 15)})])
    runs = nd.simulate([net.with_(seed=s) for s in (1, 2)], "100 ms")
    for run in runs:
        assert nd.rerun(run)
    assert nd.rerun(runs[0]).recording.attrs["seed"] == "1"


def test_what_differs_is_named(learnt, tmp_path):
    def change(file):
        file["state/cells/v"][20, 1] += 1.0
        file["network/values/when.w"][0, 3] += 1e-6

    found = nd.rerun(altered(learnt, tmp_path, change))
    assert not found
    difference = found.comparison.difference
    assert difference is not None
    assert (difference.path, difference.unit, difference.time_ms) == ("state/cells/v", 4, 42.0)
    assert found.learned_otherwise == ("when.w",)
    assert "step 41 (t = 42 ms), state/cells/v, unit 4" in str(found) and "learned otherwise: when.w" in str(found)
    assert nd.rerun(altered(learnt, tmp_path, change), tolerance=0.1)


def test_versions_of_then_and_now_are_shown(learnt, tmp_path):
    def change(file):
        file.attrs["versions"] = 'json:{"numba": "0.0.1", "gone": "3"}'
        file.attrs["program_hash"] = "abc"

    found = nd.rerun(altered(learnt, tmp_path, change))
    assert found.changed["numba"][0] == "0.0.1" and found.changed["gone"] == ("3", "none")
    assert found.changed["Program"] == ("abc", found.recording.attrs["program_hash"])
    assert "\n  numba: 0.0.1 then, " in str(found)


def closed_loop(path):
    cells = nd.Population("cells", 1, code="v = v", variables={"v": "1"})
    drive = nd.Input("drive", ("p",), function=lambda t, values: 1.0, every="1 ms")
    nd.simulate(nd.Circuit([cells], inputs=[drive], dt="1 ms"), "5 ms", out=path, record=["cells.v"])


def blown_up(path):
    cells = nd.Population("cells", 1, code="v = v*1e300 + 1", variables={"v": "1"})
    with pytest.raises(nd.BlowUpError) as error:
        nd.simulate(nd.Circuit([cells], dt="1 ms"), "5 ms", out=path, record=["cells.v"])
    assert error.value.path is not None
    error.value.path.rename(path)


def results_alone(path):
    parameters = {"trials": 400, "gain": 0.123456789, "latencies": ["150 ms", "300 ms"], "out": None}
    annotate(path, results={"end": 1.0}, config={"simulation": "growing", "parameters": parameters})


REFUSED = {
    closed_loop: "input 'drive' is closed by a Python function, which no file holds; run the script that made it again",
    blown_up: r"a run that didn't reach its end \(BlowUpError: .*\); run the script that made it again",
    results_alone: "holds no run of nd.simulate, only results; run the simulation again: "
    'neurodyn run SCRIPT.py:growing --set trials=400 --set gain=0.123456789 --set latencies="150 ms,300 ms"',
}


@pytest.mark.parametrize("make", REFUSED)
def test_what_can_not_be_repeated_says_why_and_what_to_do(make, tmp_path):
    make(tmp_path / "a.h5")
    with pytest.raises(RerunError, match=REFUSED[make]):
        nd.rerun(tmp_path / "a.h5")


def test_inputs_that_were_not_kept(learnt, tmp_path, monkeypatch):
    monkeypatch.setattr("neurodyn.trees.runs.KEPT_MB", 0.001)
    session = TASK.session(trials=1, calibration=0, tests=())
    nd.simulate(nd.SpikingReservoir(5), session, learn=nd.WhatWhenRule(), out=tmp_path / "a.h5", **INTERPRETER)
    with pytest.raises(RerunError, match=r"the inputs of its session take .* MB \(up to 0.001 MB are kept\); run"):
        nd.rerun(tmp_path / "a.h5")


def test_the_first_recording_is_never_replaced(learnt):
    with pytest.raises(RerunError, match="is the recording that is compared with"):
        nd.rerun(learnt, out=learnt, overwrite=True)


@pytest.mark.parametrize("break_", ["run/session/samples", "run/session/steps", "network/populations"])
def test_a_damaged_recording_is_no_crash(break_, learnt, tmp_path):
    def change(file):
        del file[break_]

    with pytest.raises(RerunError, match="its circuit and session can't be built again"):
        nd.rerun(altered(learnt, tmp_path, change))


def test_a_file_can_not_say_where_to_write(learnt, tmp_path):
    def change(file):
        file["run/options"].attrs["out"] = str(tmp_path / "elsewhere.h5")
        file["run/options"].attrs["overwrite"] = True

    assert nd.rerun(altered(learnt, tmp_path, change)).recording.path is None
    assert not (tmp_path / "elsewhere.h5").exists()


# -- the command ---------------------------------------------------------------------------------------------------


def test_command_says_that_the_runs_are_the_same(learnt, tmp_path, capsys):
    assert main(["rerun", str(learnt), "--out", str(tmp_path / "b.h5")]) == 0
    printed = capsys.readouterr().out
    assert "identical: " in printed and f"recording: {tmp_path / 'b.h5'}" in printed
    assert nd.load(tmp_path / "b.h5").complete
    assert main(["rerun", str(learnt), "--out", str(tmp_path / "b.h5")]) == 2
    assert "b.h5 exists; choose another name, or replace it with --overwrite" in capsys.readouterr().err
    assert main(["rerun", str(learnt), "--out", str(tmp_path / "b.h5"), "--overwrite", "--backend", "numba"]) == 0


def test_command_says_that_they_differ_or_that_it_can_not(learnt, tmp_path, capsys):
    def change(file):
        file["state/cells/v"][20, 1] += 1.0

    assert main(["rerun", str(altered(learnt, tmp_path, change))]) == 1
    assert "first difference: step 41" in capsys.readouterr().out
    assert main(["rerun", str(altered(learnt, tmp_path, change)), "--tolerance", "0.1"]) == 0
    results_alone(tmp_path / "r.h5")
    assert main(["rerun", str(tmp_path / "r.h5")]) == 2
    assert "only results" in capsys.readouterr().err
    assert main(["rerun", str(tmp_path / "none.h5")]) == 2
    assert main(["rerun", str(learnt), "--backend", "interpeter"]) == 2
    assert "did you mean 'interpreter'" in capsys.readouterr().err


def test_a_simulation_needs_no_script_to_be_repeated(tmp_path, capsys):
    @nd.simulation
    def growing(*, seed: int = 1, out: str = "a.h5"):
        """Grow."""
        net = nd.Circuit([nd.izhikevich_2003("cells", 5, parameters={"bias": 9.0})], seed=seed)
        return {"spikes": len(nd.simulate(net, "100 ms", out=out, backend="interpreter")["spikes"])}

    growing(seed=4, out=str(tmp_path / "a.h5"))
    capsys.readouterr()
    assert main(["rerun", str(tmp_path / "a.h5"), "--out", str(tmp_path / "b.h5")]) == 0
    assert nd.load(tmp_path / "b.h5").config["parameters"] == {"seed": 4}
    assert "results_json" not in nd.load(tmp_path / "b.h5").attrs  # those are the script's
