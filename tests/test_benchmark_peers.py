"""Networks that the benchmarks hand to others: they spike as ours do; peers are built, run, and missed with a word."""

import sys
from pathlib import Path

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.network import realize

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.parametrize("kind", ["cuba", "coba"])
def test_networks_of_vogels_and_abbott_spike_as_the_naive_loop(part, kind):
    networks, naive = part("vogels_abbott"), part("naive")
    # 400 cells get a tenth of the synapses, so each weighs more
    circuit = networks.circuit(kind, cells=400, strength=3.0, drive="10 mV")
    spikes = nd.simulate(circuit, "100 ms", backend="interpreter")["spikes"]  # nothing to compile
    steps, units = naive.vogels_abbott(networks.numbers(circuit), 1000)
    assert len(spikes) > 400
    np.testing.assert_array_equal(np.rint(spikes.times / networks.DT_MS), steps)
    np.testing.assert_array_equal(spikes.ids, units)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Brian2 calls pyparsing by old names
@pytest.mark.parametrize("kind", ["speed", "cuba", "coba"])
def test_networks_handed_to_brian2_spike_as_ours(part, kind):
    if kind == "speed":
        circuit, seconds = part("speed_network").circuit(60, gain=100.0), 0.05
        numbers = part("speed_large").numbers(circuit)
    else:
        networks, seconds = part("vogels_abbott"), 0.05
        circuit = networks.circuit(kind, cells=400, strength=3.0, drive="10 mV")
        numbers = networks.numbers(circuit)
    spikes = nd.simulate(circuit, f"{seconds} s", backend="interpreter")["spikes"]
    theirs = part("brian2_peer").Runtime(numbers, target="numpy", exact=True, seconds=seconds)
    theirs.run()
    steps, units = theirs.spikes()
    assert len(spikes) > 50
    np.testing.assert_array_equal(np.rint(spikes.times / numbers["dt_ms"]), steps)
    np.testing.assert_array_equal(spikes.ids, units)


def test_numbers_of_vogels_and_abbott_are_those_of_the_paper(part):
    networks = part("vogels_abbott")
    coba = networks.numbers(networks.circuit("coba"))
    joined = coba["excitation_targets"].size + coba["inhibition_targets"].size
    assert abs(joined - 4000 * 3999 * 0.02) < 5 * np.sqrt(4000 * 3999 * 0.02)
    assert coba["excitation_sources"].max() == 3199 and coba["inhibition_sources"].min() == 3200
    assert (coba["excitation_weight"], coba["inhibition_weight"], coba["refractory"]) == (0.6, 6.7, 5e-3)
    cuba = networks.numbers(networks.circuit("cuba"))
    assert cuba["excitation_weight"] == pytest.approx(1.62e-3) and cuba["inhibition_weight"] == pytest.approx(-9e-3)


STAND_IN = """
from peer_loop import serve

def build(numbers, seconds):
    print("what a simulator says about itself")
    if numbers["fail"]:
        raise ValueError("this cell is unknown")
    return lambda: (seconds * float(numbers["weights"].sum()), 7)

serve(build, lambda: "1.2")
"""


@pytest.fixture
def peers(part, monkeypatch, tmp_path):
    """The module of peers with one of them, "NEST", installed: a script that stands for it."""
    peer = part("peer")
    monkeypatch.setattr(peer, "ENVIRONMENTS", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(FOLDER))
    script, home = tmp_path / "stand_in.py", tmp_path / "nest"
    script.write_text(STAND_IN, encoding="utf-8")
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.setitem(peer.PEERS, "NEST", (str(script), "nest", "nest"))
    return peer


def test_peer_builds_once_and_runs_when_asked(peers, tmp_path):
    (tmp_path / "nest/lib/python3/site-packages/nest").mkdir(parents=True)
    numbers = {"weights": np.array([0.5, 1.5]), "fail": False}
    there, lines = peers.installed(["NEST", "ANNarchy"], numbers, 3.0, folder=tmp_path / "run")
    assert list(there) == ["NEST"] and lines == [
        "Not installed, so not measured (docs/benchmarks.md says how): ANNarchy"
    ]
    nest = there["NEST"]
    assert [nest.run(), nest.run()] == [6.0, 6.0] and nest.spikes == 7
    assert nest.version == "1.2" and nest.build_s >= 0
    nest.close()


def test_peer_that_fails_says_why_and_one_half_installed_is_absent(peers, tmp_path):
    numbers = {"weights": np.zeros(1), "fail": True}
    assert peers.installed(["NEST"], numbers, 1.0, folder=tmp_path / "run")[0] == {}
    with pytest.raises(RuntimeError, match="NEST is not installed"):
        peers.Peer("NEST", numbers, 1.0, folder=tmp_path / "run")
    (tmp_path / "nest/lib/python3/site-packages/nest").mkdir(parents=True)
    with pytest.raises(RuntimeError, match="this cell is unknown"):
        peers.Peer("NEST", numbers, 1.0, folder=tmp_path / "run")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["NEST", "GeNN", "ANNarchy", "brainevent"])
def test_rates_of_an_installed_peer_agree(part, name, tmp_path):
    peer, networks, loop = part("peer"), part("vogels_abbott"), part("step_loop")
    if peer.environment(name) is None:
        pytest.skip(f"{name} is not installed")
    for kind in ("cuba", "coba"):
        circuit = networks.circuit(kind)
        ours = loop.StepLoop(realize(circuit), 10_000)
        ours.run()
        theirs = peer.Peer(name, networks.numbers(circuit), 1.0, folder=tmp_path / kind)
        assert theirs.run() > 0
        theirs.close()
        assert theirs.spikes == pytest.approx(ours.spikes[0].size, rel=0.06)
