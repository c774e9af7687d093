import numpy as np
import pytest
import xarray as xr

from neurodyn import plots
from neurodyn.recording import Writer, annotate, load

OUTPUTS = {"dims": ("time", "output"), "coords": {"output": ["A", "B"]}}


def record(trials=3, units=20, header=None, path=None):
    random = np.random.default_rng(0)
    steps, ids = np.nonzero(random.random((trials * 700, units)) < 0.01)
    time = np.arange(10.0, trials * 700 + 1, 10)
    writer = Writer(
        path, header={"dt_ms": 1.0, "simulation": "what_when", "seed": 3, "backend": "numba", **(header or {})}
    )
    writer.spikes("cells", steps, ids, size=units)
    v = random.normal(-60, 1, (len(time), units))
    writer.samples("state/cells/v", v, time, attrs={"units": "mV", "long_name": "membrane potential"})
    y = random.random((len(time), 2))
    writer.samples("readout/when/y", y, time, **OUTPUTS)
    writer.samples("stimulus/target", y / 2, time, **OUTPUTS)
    writer.samples("stimulus/drive", y, time, dims=("time", "channel"), coords={"channel": ["cue", "noise"]})
    writer.samples("weights/when/w", random.random((trials, 2, units)), np.arange(1, trials + 1) * 700.0,
                   dims=("time", "output", "unit"), coords={"output": ["A", "B"]})  # fmt: skip
    for trial in range(trials):
        writer.trial({"start_ms": trial * 700.0, "phase": "train" if trial % 2 else "test"})
    return writer


def titles(figure):
    return [ax.get_title(loc="left") for ax in figure.axes]


def test_all_parts_of_a_recording(sound, texts, xy):
    figure = plots.overview(record().finish(), max_units=10)
    sound(figure)
    assert titles(figure)[0] == "Spikes of cells (10 of 20 units shown)"
    assert titles(figure)[1].startswith("Rate of cells (5.25 ms bins, 20 units, mean ")
    assert titles(figure)[2:] == [
        "state/cells/v (4 of 20 units shown)", "readout/when/y", "stimulus/drive", "weights/when/w (norm)",
    ]  # fmt: skip
    assert [ax.get_ylabel() for ax in figure.axes[:4]] == ["unit", "rate (Hz)", "membrane\npotential (mV)", "y"]
    found = texts(figure)
    assert {"what_when, seed 3, numba", "stimulus/target", "unit 0", "cue", "time (ms)", "0 test", "1 train"} <= set(
        found
    )
    y, target = figure.axes[3].lines[:2]
    assert np.allclose(xy(target)[1], xy(y)[1] / 2)
    starts = [xy(line)[0][0] for line in figure.axes[0].lines if line.get_linestyle() == ":"]
    assert starts == [0, 700, 1400]


def test_a_long_run_shows_its_last_whole_trials_and_says_so(sound, texts):
    figure = plots.overview(record(trials=20).finish())
    sound(figure)
    assert np.allclose(figure.axes[0].get_xlim(), (9.1, 14))  # in seconds
    assert "what_when, seed 3, numba: 4.9 s of 14 s shown (trials 13 to 19 of 0 to 19)" in texts(figure)
    weights = figure.axes[-1]
    assert weights.get_xlabel() == "time (s)"
    assert np.allclose(weights.get_xlim(), (0.7, 14))


def test_a_long_run_without_trials_shows_its_last_seconds(texts):
    writer = Writer(None, header={"dt_ms": 1.0})
    writer.spikes("cells", [0, 29_999], [0, 1], size=2)
    figure = plots.overview(writer.finish())
    assert figure.axes[0].get_xlim() == (25, 30)  # in seconds
    assert "Recording: 5 s of 30 s shown" in texts(figure)


def test_one_trial_longer_than_the_window_is_shown_whole():
    writer = Writer(None, header={"dt_ms": 1.0})
    writer.spikes("cells", [29_999], [0], size=2)
    for start in (0.0, 18_000.0):
        writer.trial({"start_ms": start})
    assert plots.overview(writer.finish()).axes[0].get_xlim() == (18, 30)  # in seconds


@pytest.mark.parametrize(("label", "drawn"), [({}, []), ({"phase": "test"}, ["0 test"])])
def test_the_only_trial_needs_no_number(label, drawn):
    writer = Writer(None, header={"dt_ms": 1.0})
    writer.spikes("cells", [999], [0], size=2)
    writer.trial({"start_ms": 0.0, **label})
    assert [text.get_text() for text in plots.overview(writer.finish()).axes[0].texts] == drawn


def test_a_window_of_ones_own(texts):
    recording = record().finish()
    figure = plots.overview(recording, window=(700, 1400))
    assert figure.axes[0].get_xlim() == (700, 1400)
    assert any("700 ms of 2.1 s shown (trials 1 to 1 of 0 to 2)" in text for text in texts(figure))
    beyond = texts(plots.overview(recording, window=(5000, 6000)))
    assert "nothing recorded in this stretch of time" in beyond
    assert "no spikes of these units in this stretch of time" in beyond
    with pytest.raises(ValueError, match="window = "):
        plots.overview(recording, window=(5, 5))


def test_many_trials_are_numbered_as_far_as_there_is_room(texts):
    figure = plots.overview(record(trials=40).finish(), window=(0, 28_000))
    numbers = [text for text in figure.axes[0].texts if text.get_text().isdigit()]
    texts(figure)
    boxes = [text.get_window_extent() for text in numbers]
    assert 10 < len(boxes) < 40
    assert all(one.x1 < other.x0 for one, other in zip(boxes, boxes[1:], strict=False))


def test_training_without_spikes(sound):
    writer = Writer(None, header={"name": "parity"})
    writer.samples("training/loss", np.arange(5.0), np.arange(5.0), dims=("epoch",))
    writer.samples("state/rnn/h", np.zeros((2, 6, 3)), [0.0, 1.0], dims=("trial", "time", "unit"))
    figure = plots.overview(writer.finish())
    sound(figure)
    assert [ax.get_xlabel() for ax in figure.axes] == ["epoch", "time in trial (step)"]


def test_quiet_and_empty_populations(sound, texts):
    writer = Writer(None, header={"dt_ms": 1.0})
    writer.spikes("quiet", [], [], size=3)
    writer.spikes("none", [], [], size=0)
    writer.samples("state/quiet/v", np.zeros((1, 1)), [1.0], attrs={"units": "mV"})
    figure = plots.overview(writer.finish())
    sound(figure)
    assert {"no spikes", "a population without units"} <= set(texts(figure))


def test_what_is_not_drawn_is_named(texts):
    writer = Writer(None, header={"dt_ms": 1.0})
    for number in range(7):
        writer.spikes(f"p{number}", [1], [0], size=1)
    for number in range(6):
        writer.samples(f"state/p0/x{number}", np.zeros(2), [0.0, 1.0], dims=("time",))
    figure = plots.overview(writer.finish())
    assert len(figure.axes) == 5 * 2 + 4
    (headline,) = [text.replace("\n", " ") for text in texts(figure) if "Not drawn" in text]
    assert headline == "Recording. Not drawn: spikes/p5; spikes/p6; state/p0/x4; state/p0/x5"


def test_an_incomplete_run_is_called_so(tmp_path, texts):
    writer = record(path=tmp_path / "a.h5")
    kept = writer.abort("v of cells is NaN at step 3")
    assert kept is not None
    assert "what_when, seed 3, numba, INCOMPLETE: v of cells is NaN at step 3" in texts(plots.overview(load(kept)))


def test_results_alone_are_a_table_and_their_arrays_lines(tmp_path, sound, texts):
    path = tmp_path / "results.h5"
    annotate(path, results={}, checks=[], config={}, data={})
    with pytest.raises(ValueError, match="neither spikes nor arrays, results or checks"):
        plots.overview(load(path))
    checks = [{"name": "error", "value": 0.25, "threshold": "< 0.2", "reference": None, "source": "", "passed": False}]
    annotate(path, results={"error": 0.25}, checks=checks, config={"simulation": "bump"}, data={})
    assert {"bump", "Checks: 0 of 1 passed", "Results", "< 0.2", "NO"} <= set(texts(plots.overview(load(path))))
    data = {"error": np.arange(6.0).reshape(3, 2), "rate": xr.DataArray([1.0, 2.0], dims="unit")}
    annotate(path, results={}, checks=checks, config={}, data=data)
    figure = plots.overview(load(path))
    sound(figure)
    assert titles(figure) == ["data/error", "data/rate"]
    assert [ax.get_xlabel() for ax in figure.axes] == ["row", "unit"]
    assert [line.get_linestyle() for line in figure.axes[1].lines] == ["None"]
    ticks = np.concatenate([ax.get_xticks() for ax in figure.axes])  # of rows and units: whole numbers
    assert ticks.size and (ticks == np.round(ticks)).all()
    assert any("0 of 1 checks passed" in text for text in texts(figure))


def test_weights_of_synapses_are_distributions(sound, xy):
    writer = Writer(None, header={"dt_ms": 1.0})
    weights = np.array([[1.0] * 50, [2.0] * 50, [0.0] * 20 + [4.0] * 30])
    writer.samples("weights/plastic/w", weights, [0.0, 500.0, 1000.0], dims=("time", "synapse"), attrs={"units": "nS"})
    figure = plots.overview(writer.finish())
    sound(figure)
    (ax,) = figure.axes
    assert ax.get_title(loc="left") == "weights/plastic/w of 50 synapses, at the first and the last snapshot"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("w (nS)", "synapses")
    first, last = ax.lines
    assert [line.get_label() for line in ax.lines] == ["0 s", "1 s"]
    assert sorted(xy(first)[1])[-1] == 50 and sorted(xy(last)[1])[-2:] == [20, 30]


def test_the_file_stays_as_it_was(tmp_path):
    path = tmp_path / "a.h5"
    recording = record(path=path).finish()
    before = path.read_bytes()
    plots.overview(recording).savefig(tmp_path / "a.png", dpi=50)
    assert path.read_bytes() == before


def test_excitatory_and_inhibitory_cells_are_told_apart(sound, texts, xy):
    writer = Writer(None, header={"dt_ms": 1.0})
    writer.spikes("cells", [0, 4, 9], [0, 1, 3], size=4)
    writer.tree("network", {"values": {"cells.inhibitory": np.array([0.0, 0, 0, 1])}})
    figure = plots.overview(writer.finish())
    sound(figure)
    assert [xy(line)[1].tolist() for line in figure.axes[0].lines] == [[0, 1], [3]]
    assert len(figure.axes[1].lines) == 2
    assert any(text.startswith("E: 3 units,\nmean") for text in texts(figure))


def test_constant_stimuli_are_named_only(texts):
    writer = Writer(None, header={"dt_ms": 1.0})
    writer.samples("stimulus/switch", np.zeros((3, 1)), [1.0, 2.0, 3.0])
    writer.samples("stimulus/cue", np.arange(3.0)[:, None], [1.0, 2.0, 3.0])
    figure = plots.overview(writer.finish())
    assert titles(figure) == ["stimulus/cue"]
    assert "Recording. Constant: stimulus/switch" in texts(figure)
