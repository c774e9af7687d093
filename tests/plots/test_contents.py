import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurodyn.plots.contents import CLOCK, aims_of, title_of, track, trial_names, trial_starts


def array(shape, dims, **more):
    return xr.DataArray(np.arange(np.prod(shape), dtype=float).reshape(shape), dims=dims, name="v", **more)


def test_units_are_lines_with_their_own_numbers_and_the_rest_is_announced():
    one = track(
        "state/cells/v",
        array(
            (3, 10),
            ("time", "unit"),
            coords={"time": [1.0, 2, 3], "unit": np.arange(0, 100, 10)},
            attrs={"units": "mV"},
        ),
        lines=3,
    )
    assert one is not None
    assert one.x.tolist() == [1, 2, 3]
    assert one.x_label == CLOCK
    assert one.labels == ("unit 0", "unit 40", "unit 90")
    assert one.values[0].tolist() == [0, 4, 9]
    assert (one.units, one.name) == ("mV", "v")
    assert one.remark == " (3 of 10 units shown)"


def test_names_and_long_name_come_from_the_file():
    given = array((2, 2), ("time", "output"), coords={"time": [0.0, 1], "output": ["A", "B"]})
    given.attrs["long_name"] = "expectation"
    one = track("readout/when/y", given, lines=4)
    assert one is not None
    assert (one.labels, one.name, one.remark, one.units) == (("A", "B"), "expectation", "", "1")


def test_of_trials_the_last_is_shown_on_its_own_clock():
    given = array((5, 3, 2), ("trial", "time", "unit"), coords={"time": [0.0, 1, 2]})
    one = track("state/rnn/h", given, lines=4)
    assert one is not None
    assert one.values.tolist() == given.values[-1].tolist()
    assert one.x_label == "time in trial (ms)"
    assert one.remark == " (last of 5 trials)"
    assert track("state/rnn/h", given.drop_vars("time"), lines=4).x_label == "time in trial (step)"  # type: ignore[union-attr]


def test_weights_are_norms_by_output():
    given = array((2, 2, 3), ("time", "output", "unit"), coords={"time": [0.0, 1], "output": ["A", "B"]})
    one = track("weights/when/w", given, lines=4)
    assert one is not None
    assert np.allclose(one.values, np.linalg.norm(given.values, axis=2))
    assert (one.labels, one.remark) == (("A", "B"), " (norm)")
    single = track("weights/when/w", given[:, 0], lines=4)
    assert single is not None
    assert np.allclose(single.values[:, 0], np.linalg.norm(given.values[:, 0], axis=1))


def test_other_dimensions_bear_their_names():
    one = track("training/loss", array((4,), ("epoch",)), lines=4)
    assert one is not None
    assert (one.x_label, one.labels) == ("epoch", ("v",))
    many = track("data/a", array((2, 2, 3), ("level", "seed", "event")), lines=4)
    assert many is not None
    assert many.remark == " (4 of 6 entries shown)"


@pytest.mark.parametrize(
    "given", [xr.DataArray("a"), xr.DataArray(["a"]), xr.DataArray(1.0), xr.DataArray(np.zeros((0, 2)))]
)
def test_text_scalars_and_empty_arrays_make_no_lines(given):
    assert track("data/a", given, lines=4) is None


def test_a_target_belongs_to_the_outputs_of_readouts():
    def two(key):
        one = track(key, array((2, 2), ("time", "output"), coords={"time": [0.0, 1], "output": ["A", "B"]}), lines=4)
        assert one is not None
        return one

    y, q, target = two("readout/when/y"), two("readout/what/q"), two("stimulus/target")
    state, other = two("state/cells/v"), two("stimulus/cue")
    assert aims_of(y, [y, q, target, state]) is target
    assert aims_of(q, [y, q, target, state]) is None
    assert aims_of(q, [q, target]) is target
    assert aims_of(state, [y, q, target, state]) is None
    assert aims_of(y, [y, q, other]) is None


def test_trials():
    table = pd.DataFrame({"start_ms": [0.0, 700.0], "phase": ["train", "test"]})
    starts = trial_starts(table)
    assert starts is not None
    assert starts.tolist() == [0, 700]
    assert trial_names(table) == ["0 train", "1 test"]
    assert trial_names(table[["start_ms"]]) == ["0", "1"]
    assert trial_starts(table[["phase"]]) is None
    assert trial_starts(table[:0]) is None
    assert trial_starts(pd.DataFrame({"start_ms": [0.0, np.nan]})) is None


def test_titles():
    assert (
        title_of({"simulation": "what_when", "seed": 3, "backend": "numba", "complete": True}, None)
        == "what_when, seed 3, numba"
    )
    assert title_of({"complete": False, "stopped": "v is NaN"}, None) == "Recording, INCOMPLETE: v is NaN"
