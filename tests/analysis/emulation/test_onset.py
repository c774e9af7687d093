from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import neurodyn as nd
from neurodyn import analysis


def recorded(nets, loss) -> Any:
    """What is asked of a training: networks by update, and what was noted at them."""
    history = pd.DataFrame({"update": list(nets), "validation_loss": loss, "floor": 2.0, "growth": 1.0})
    config = {"network": {"network": "HMMRNN"}}
    return SimpleNamespace(snapshots=list(nets), config=config, history=history, network=nets.__getitem__)


def test_stages_are_told_apart(hand_made):
    still = hand_made.made([[0.5]], 0.0, [[10.0], [-10.0]], bias=[1.0])
    switching, endless = hand_made.clock(20), hand_made.ring(gain=1e9)
    run = recorded({5: still, 10: endless, 15: switching}, [10.0, 8.0, 3.0])
    found = analysis.training_onset(run, paths=2, steps=201, spectra=400)
    assert found.update.tolist() == [5, 10, 15] and found.drop == 15 and found.first_unstable == 10
    # The first unit of the clock is active after the last one, once a turn.
    assert found.unstable[[0, 2]] == pytest.approx([0, 1 / 20], abs=1e-12)
    assert np.isnan(found.mean_inverse[0]) and found.mean_inverse[2] == pytest.approx(0.1)
    assert found.switch_rate[[0, 2]] == pytest.approx([0, 0.1]) and found.symbol_change[2] == pytest.approx(0.1)
    # Beyond 1e308 after some 34 steps.
    assert found.finite[1] == pytest.approx(24 / 201, abs=3 / 201) and found.finite[[0, 2]].tolist() == [1, 1]
    assert not found.near_critical[[0, 2]].any()
    assert "leaves its plateau of 9 at update 15" in str(found) and "not finite in 1 of them" in str(found)


def test_the_mean_of_the_inverse_is_not_the_inverse_of_the_mean(hand_made):
    found = analysis.training_onset(recorded({1: hand_made.ring()}, [5.0]), paths=4, steps=500, spectra=5)
    path = hand_made.ring().generate(4, 500, burn_in=10, seed=0).winners.numpy()
    lengths = np.concatenate([np.diff(np.flatnonzero(np.diff(each))) for each in path])
    assert found.mean_inverse[0] == pytest.approx(np.mean(1 / lengths))
    assert found.switch_rate[0] == pytest.approx(np.mean(path[:, 1:] != path[:, :-1]))
    assert found.mean_inverse[0] > 1.2 * found.switch_rate[0]
    assert found.drop is None


def test_the_drop_is_found_where_the_plateau_ends(hand_made):
    nets = dict.fromkeys(range(1, 11), hand_made.clock(20))
    # From 8 to a floor of 2, a quarter of the way is 6.5.
    for end, drop in (([6.6, 6.4, 7, 2], 8), ([8, 7.9, 8.1, 6.6], None)):
        run = recorded(nets, [12.0, 8, 8, 8, 8, 8, *end])
        found = analysis.training_onset(run, paths=1, steps=10, spectra=1)
        assert found.plateau == 8 and found.drop == drop


def test_a_drop_in_the_first_fifth_is_found(hand_made):
    nets = dict.fromkeys(range(1, 31), hand_made.clock(20))
    run = recorded(nets, [12.0, 8, 8, 8, 8, 8, 5, *[2.0] * 23])
    found = analysis.training_onset(run, paths=1, steps=10, spectra=1)
    assert found.plateau == 8 and found.drop == 7


def test_snapshots_of_a_training_are_read(tmp_path):
    run = nd.emulate(
        nd.HMMRNN(8, noise_inputs=3, seed=1),
        nd.tasks.HiddenMarkov.chain(2),
        length=6,
        batch=16,
        sequences=16,
        validation=16,
        updates=4,
        test_every=2,
        keep_every=2,
        out=tmp_path / "small.h5",
        progress=False,
    )
    found = analysis.training_onset(nd.load_training(tmp_path / "small.h5"), paths=2, steps=50, spectra=20)
    assert found.update.tolist() == [2, 4] and np.array_equal(found.loss, run.history.validation_loss)
    net = run.network(4).double()
    path = net.generate(2, 50, burn_in=10, full=True, seed=0)
    states, noise = path.states[:, :-1].reshape(98, 8).numpy(), path.noise[:, 1:].reshape(98, 3).numpy()
    local = analysis.local_spectra(net, states[::4], noise=noise[::4])
    assert found.unstable[1] == np.mean(local.unstable > 0) and found.near_critical[1] == np.mean(
        local.near_critical > 0
    )


def test_a_training_without_snapshots_is_refused():
    with pytest.raises(ValueError, match="give an emulation with snapshots"):
        analysis.training_onset(recorded({}, []))
