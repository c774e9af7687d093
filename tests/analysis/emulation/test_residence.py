import numpy as np
import pytest

import neurodyn as nd
from neurodyn import analysis


def test_residence_on_a_clock_is_the_time_to_the_next_symbol(hand_made):
    found = analysis.residence_map(hand_made.clock(20), states=205, rollouts=3, cap=30, paths=4, seed=1)
    phase = found.states.argmax(axis=1)
    assert np.array_equal(found.states, np.eye(20)[phase])
    assert np.array_equal(found.winner, phase // 10)
    assert np.array_equal(found.residence, 10 - phase % 10)
    assert not found.capped.any()
    # The first unit inhibits itself twofold, and is the active one in the step after the last.
    assert np.array_equal(found.unstable, phase == 19)
    # The logit falls from 10 to 0 only when the winner changes: no turn before.
    assert not found.sign_changes.any()
    # Sure everywhere, so that the residence alone decides.
    assert np.array_equal(found.zone, np.select([found.residence < 2, found.residence <= 8], [0, 1], 2))
    assert found.fractions == pytest.approx({"transition": 0.1, "kick": 0.7, "cluster": 0.2, "none": 0}, abs=0.03)
    assert found.means["cluster"]["residence"] == pytest.approx(9.5, abs=0.1)
    assert np.isnan(found.means["none"]["residence"]) and "cluster" in str(found)


def test_states_come_in_the_order_of_their_paths(hand_made):
    net = hand_made.ring()
    found = analysis.residence_map(net, states=50, rollouts=1, cap=9, paths=4, burn_in=7, seed=3)
    assert found.path.tolist() == sum(([p] * 13 for p in range(4)), [])[:50]
    assert found.time.tolist() == [k % 13 for k in range(50)]
    path = net.generate(4, 13, burn_in=7, full=True, seed=3)
    assert np.array_equal(found.states, path.states.reshape(52, 8)[:50].numpy())
    assert np.array_equal(found.winner, path.winners.flatten()[:50].numpy())


def test_what_never_changes_is_capped(hand_made):
    found = analysis.residence_map(hand_made.bistable(noise=1e-6), states=20, rollouts=2, cap=12, seed=1)
    assert (found.residence == 12).all() and (found.capped == 1).all() and (found.zone == 2).all()
    # The logit wanders under tiny noise: it turns about two times in three steps, as independent draws would.
    assert 3 < found.sign_changes.mean() < 8


def test_residence_follows_by_rollouts_one_by_one(hand_made):
    net = hand_made.ring()
    found = analysis.residence_map(net, states=30, rollouts=6, cap=15, paths=3, seed=2)
    again = net.generate(180, 15, start=np.repeat(found.states, 6, axis=0), full=True, seed=2, step=1)
    for k in range(30):
        stays, turns = [], []
        for r in range(6):
            winners, logits = again.winners[6 * k + r].tolist(), again.logits[6 * k + r, :, found.winner[k]].tolist()
            gone = next((t + 1 for t, w in enumerate(winners) if w != found.winner[k]), 16)
            slopes = np.diff([found.logits[k, found.winner[k]], *logits[: gone - 1]]) > 0
            stays.append(min(gone, 15))
            turns.append(np.sum(slopes[1:] != slopes[:-1]))
        assert found.residence[k] == pytest.approx(np.mean(stays))
        assert found.sign_changes[k] == pytest.approx(np.mean(turns))


def test_unstable_eigenvalues_are_those_of_the_whole_jacobian():
    net = nd.HMMRNN(30, noise_inputs=5, seed=4)
    net.recurrent_weight.data.mul_(2.5)
    found = analysis.residence_map(net, states=40, rollouts=1, cap=9, burn_in=10, paths=40)
    w = net.recurrent_weight.detach().double().numpy()
    for state, count in zip(found.states, found.unstable, strict=True):
        full = (w @ state > 0)[:, None] * w
        assert count == np.sum(np.abs(np.linalg.eigvals(full)) > 1)
    assert found.unstable.any()


def test_wrong_input_is_named(hand_made):
    for options, words in (({"cap": 5}, "cap = 5: at least 9"), ({"states": 0}, "states = 0"), ({"paths": 0}, "paths")):
        with pytest.raises(ValueError, match=words):
            analysis.residence_map(hand_made.ring(), **options)
    with pytest.raises(TypeError, match="net is a LeakyRNN: give an HMMRNN"):
        analysis.residence_map(nd.LeakyRNN(4))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is not bounded"):
        analysis.residence_map(hand_made.ring(gain=1e30), states=20)
