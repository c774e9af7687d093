import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurodyn.analysis.learning.expectation import (
    amplitude,
    bump_ratio,
    expectation_error,
    expectation_trace,
    overshoot,
    peak_times,
    trials_to_recover,
)

TIME = np.arange(-100.0, 600.0)
SD = 30.0


def bump(latency, height=1.0):
    return height * np.exp(-0.5 * ((TIME - latency) / SD) ** 2)


TARGET = np.stack([bump(150, 0.8), bump(300, 0.2)], axis=-1)


class TestTrace:
    def test_of_one_trial(self):
        y = np.array([[0.5, 1.0], [-0.2, 2.0], [1.0, 0.0]])
        assert expectation_trace([0.8, 0.25], y).tolist() == [[0.4, 0.25], [0.0, 0.5], [0.8, 0.0]]

    def test_negative_probabilities_count_as_zero(self):
        assert not expectation_trace([-0.1, -3.0], np.ones((4, 2))).any()

    def test_trials_are_broadcast(self):
        q, y = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]), np.ones((4, 2))
        out = expectation_trace(q, y)
        assert out.shape == (3, 4, 2)
        assert (out == q[:, None, :]).all()
        # as many trials as samples: the axes must not be mixed up
        assert (expectation_trace(q, np.ones((3, 2))) == q[:, None, :]).all()

    def test_wrong_shapes(self):
        with pytest.raises(ValueError, match=r"q \(..., event\)"):
            expectation_trace([0.5, 0.5, 0.0], np.ones((4, 2)))


class TestError:
    def test_zero_output_has_relative_error_one_and_no_correlation(self):
        error = expectation_error(np.zeros_like(TARGET), TARGET)
        assert error.nrmse == 1.0 and np.isnan(error.correlation)
        assert error.rmse == pytest.approx(np.sqrt(np.mean(TARGET**2)))

    def test_perfect_output(self):
        error = expectation_error(TARGET, TARGET)
        assert (error.nrmse, error.rmse) == (0.0, 0.0)
        assert error.correlation == pytest.approx(1.0)

    @given(factor=st.floats(0.01, 10))
    def test_scaled_output(self, factor):
        error = expectation_error(factor * TARGET, TARGET)
        assert error.nrmse == pytest.approx(abs(factor - 1), abs=1e-12)
        assert error.correlation == pytest.approx(1.0)

    def test_wrong_probabilities_at_right_times(self):
        # |(0.1, -0.1)| / |(0.8, 0.2)| for bumps of equal norm
        error = expectation_error(TARGET * [0.9 / 0.8, 0.1 / 0.2], TARGET, TIME > -1000)
        assert error.nrmse == pytest.approx(np.hypot(0.1, 0.1) / np.hypot(0.8, 0.2), rel=1e-6)

    @given(
        o=arrays(np.float64, (6, 2), elements=st.floats(-2, 2)),
        goal=arrays(np.float64, (6, 2), elements=st.floats(0.1, 2)),
    )
    def test_against_numpy(self, o, goal):
        error = expectation_error(o, goal)
        assert error.nrmse == pytest.approx(np.linalg.norm(o - goal) / np.linalg.norm(goal))
        assert error.rmse == pytest.approx(np.sqrt(((o - goal) ** 2).mean()))
        if np.ptp(o) > 1e-3 and np.ptp(goal) > 1e-3:
            assert error.correlation == pytest.approx(np.corrcoef(o.ravel(), goal.ravel())[0, 1], abs=1e-9)
        else:
            assert np.isnan(error.correlation) or abs(error.correlation) <= 1 + 1e-6

    @pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
    def test_only_scored_samples_count(self, shape):
        scored = (TIME >= 0).reshape(shape).astype(float)
        output = TARGET.copy()
        output[TIME < 0] = 7.0
        assert expectation_error(output, TARGET, scored).nrmse == 0.0
        assert expectation_error(output, TARGET).nrmse > 1

    def test_one_value_per_trial(self):
        error = expectation_error(np.stack([TARGET, 0 * TARGET, 2 * TARGET]), TARGET)
        assert np.asarray(error.nrmse).tolist() == pytest.approx([0, 1, 1])
        assert np.isnan(np.asarray(error.correlation)).tolist() == [False, True, False]

    def test_zero_target_has_no_relative_error(self):
        assert np.isnan(expectation_error(TARGET, 0 * TARGET).nrmse)

    @pytest.mark.parametrize(
        "output, scored, message",
        [
            (TARGET[:, :1], None, "time and event must agree"),
            (TARGET, np.zeros(700), "0 scored samples"),
            (TARGET, np.ones(5), r"scored has shape \(5,\)"),
            (np.full_like(TARGET, np.nan), None, r"output is nan at index \(0, 0\)"),
        ],
    )
    def test_refusals(self, output, scored, message):
        with pytest.raises(ValueError, match=message):
            expectation_error(output, TARGET, scored)


class TestAmplitude:
    def test_of_a_bump_is_its_mean_within_one_standard_deviation(self):
        # mean of exp(-x^2 / 2) over |x| <= 1 is sqrt(pi / 2) erf(1 / sqrt(2)) = 0.8556
        assert amplitude(bump(150), TIME, 150.0, SD) == pytest.approx(0.8556, abs=0.005)

    def test_ends_are_included(self):
        assert amplitude(TIME, TIME, 10.0, 2.0) == 10.0
        assert amplitude((TIME == 12.0) * 5.0, TIME, 10.0, 2.0) == 1.0

    def test_one_latency_per_event_and_trials_ahead(self):
        values = amplitude(np.stack([TARGET, 2 * TARGET]), TIME, [150.0, 300.0], SD)
        assert np.asarray(values) == pytest.approx(0.853 * np.array([[0.8, 0.2], [1.6, 0.4]]), rel=0.01)

    def test_nan_outside_the_samples(self):
        assert np.isnan(amplitude(bump(150), TIME, 5000.0, SD))

    def test_refusals(self):
        with pytest.raises(ValueError, match="each of 2 events"):
            amplitude(TARGET, TIME, [1.0, 2.0, 3.0], SD)
        with pytest.raises(ValueError, match="one time for each of 700 samples"):
            amplitude(TARGET, TIME[:-1], 150.0, SD)
        with pytest.raises(ValueError, match="width_ms"):
            amplitude(TARGET, TIME, 150.0, -1.0)


class TestPeaks:
    def test_of_each_event(self):
        assert np.asarray(peak_times(TARGET, TIME)).tolist() == [150.0, 300.0]
        assert peak_times(bump(77), TIME) == 77.0

    def test_within_a_window(self):
        both = bump(150) + 0.5 * bump(400)
        assert peak_times(both, TIME) == 150.0
        assert peak_times(both, TIME, (250.0, 550.0)) == 400.0
        assert peak_times(bump(150), TIME, (200.0, 300.0)) == 200.0

    def test_a_silent_trace_has_none(self):
        peaks = np.asarray(peak_times(np.stack([bump(150), 0 * TIME, -bump(150) - 1], axis=-1), TIME))
        assert peaks[0] == 150.0 and np.isnan(peaks[1:]).all()

    def test_the_earliest_of_equals(self):
        assert peak_times((TIME >= 20.0) * 1.0, TIME) == 20.0

    def test_a_window_without_samples_is_refused(self):
        with pytest.raises(ValueError, match="-100 to 599 ms"):
            peak_times(bump(150), TIME, (700.0, 800.0))


class TestBumpRatio:
    @given(left=st.floats(0, 2))
    def test_is_the_ratio_of_the_heights(self, left):
        both = bump(450) + left * bump(100)
        assert bump_ratio(both, TIME, 100.0, 450.0, SD) == pytest.approx(left, abs=1e-6)

    def test_per_event(self):
        output = np.stack([bump(400) + 0.3 * bump(100), bump(100)], axis=-1)
        ratio = bump_ratio(output, TIME, [100.0, 400.0], [400.0, 100.0], SD)
        assert np.asarray(ratio) == pytest.approx([0.3, 0.0], abs=1e-6)

    def test_nan_without_a_new_bump(self):
        assert np.isnan(bump_ratio((TIME < 200) * 1.0, TIME, 100.0, 450.0, SD))


class TestRecovery:
    def test_first_trial_at_or_below_the_limit(self):
        assert trials_to_recover([1, 10, 25, 50], [1.0, 0.6, 0.25, 0.1], 0.2) == 25
        assert trials_to_recover([1, 10, 25, 50], [1.0, 0.6, 0.25, 0.1], 0.5) == 10
        assert trials_to_recover([1, 10, 25], [0.1, 0.9, 0.9], 0.2) == 1

    def test_never(self):
        assert np.isnan(trials_to_recover([1, 10], [1.0, np.nan], 0.2))

    def test_many_networks(self):
        errors = [[1.0, 0.2], [0.3, 0.2], [1.0, 0.9]]
        recovered = np.asarray(trials_to_recover([5, 10], errors, [0.2, 0.3, 0.2], factor=1.0))
        assert recovered[:2].tolist() == [10, 5] and np.isnan(recovered[2])

    @pytest.mark.parametrize("trials", [[10, 1], [1], []])
    def test_trials_must_be_in_order_and_match(self, trials):
        with pytest.raises(ValueError, match="increasing trial numbers"):
            trials_to_recover(trials, [0.1, 0.2], 0.1)


class TestOvershoot:
    def test_in_either_direction(self):
        assert overshoot([0.8, 0.5, 0.15, 0.2], 0.8, 0.2) == pytest.approx(0.05)
        assert overshoot([0.2, 0.5, 0.95, 0.8], 0.2, 0.8) == pytest.approx(0.15)

    def test_none(self):
        assert overshoot([0.8, 0.5, 0.3], 0.8, 0.2) == 0.0

    def test_many_networks(self):
        assert np.asarray(overshoot([[0.5, 0.1], [0.5, 0.3]], 0.8, 0.2)).tolist() == pytest.approx([0.1, 0.0])

    def test_no_change_has_no_direction(self):
        assert np.isnan(overshoot([0.1, 0.9], 0.5, 0.5))
        with pytest.raises(ValueError, match="at least one trial"):
            overshoot([], 0.1, 0.2)
