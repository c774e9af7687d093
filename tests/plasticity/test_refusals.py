"""What can't be right is refused before the first step, with the part, the value and what to do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import neurodyn as nd
from tests.plasticity.replay import replayed, rewards

RULE = nd.SynapticRule("rule", traces={"c": nd.Trace("synapse", "1 s"), "y": nd.Trace("post", "20 ms")})


def run(rule, **options) -> None:
    nd.simulate(replayed([(0, 5.0)], 2, rule, **options), rewards(10, {}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"on_pre": "c -= 0.1*z"}, "unknown name 'z'"),
        ({"on_post": "c += x"}, "unknown name 'x'"),
        ({"on_pre": "y += 1"}, "jumps by itself"),
        ({"on_pre": "c += rand()"}, "draws random numbers"),
        ({"on_pre": "if learning:\n    c += 1"}, "where\\(condition"),
        ({"on_pre": "c = "}, "can't read"),
        ({"modulator": "m = c"}, "uses 'c', which has a value for each synapse"),
        ({"modulator": "m = go_post"}, "each synapse"),
        ({"dw_dt": "d*c"}, "unknown name 'd'"),
        ({"per_step": "w = rate_post"}, "unknown name 'rate_post'"),
        ({"parameters": {"A": "1 banana"}}, "banana"),
        ({"parameters": {"A": float("nan")}}, "finite"),
        ({"state": {"n": "network"}, "on_pre": "n += 1"}, "one value for the network"),
    ],
)
def test_texts_that_can_not_be(change, message):
    with pytest.raises(ValueError, match=message):
        run(replace(RULE, **change))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"form": "fast"}, "'auto' and 'per_step'"),
        ({"every": "10 ms"}, "per_step, which is empty"),
        ({"state": {"s": "unit"}}, "'synapse' and 'network'"),
        ({"parameters": {"w": 1}}, "'w' can't be a name|'w'"),
        ({"parameters": {"c": 1}}, "declared twice"),
        ({"traces": {"c": "20 ms"}}, "nd.Trace"),
        ({"name": "two words"}, "identifier"),
    ],
)
def test_descriptions_that_can_not_be(given, message):
    with pytest.raises(ValueError, match=message):
        replace(RULE, **given)


@pytest.mark.parametrize(
    ("where", "options", "message"), [("soma", {}, "'pre', 'post'"), ("synapse", {"nearest": True}, "nearest")]
)
def test_traces_that_can_not_be(where, options, message):
    with pytest.raises(ValueError, match=message):
        nd.Trace(where, "20 ms", **options)


def test_weights_beyond_their_bounds_or_not_finite():
    with pytest.raises(nd.circuit.CircuitError, match="synapse 0 .*1.5, beyond its bound 1"):
        run(RULE, weight=1.5, bounds=(0, 1))
    with pytest.raises(nd.circuit.CircuitError, match="not finite"):
        run(RULE, pairs=([0, 1], [1, 0]), weight=np.array([0.5, np.inf]))
    with pytest.raises(ValueError, match="give \\(low, high\\)"):
        run(RULE, bounds=(0, 1, 2))
    with pytest.raises(ValueError, match="no rules"):
        nd.Connection("a", "b", "v", bounds=(0, 1))
    with pytest.raises(ValueError, match="need the unit"):
        run(RULE, bounds=("0 pA", "1 pA"))
    with pytest.raises(ValueError, match="rules hold 'stdp'"):
        nd.Connection("a", "b", "v", rules=["stdp"])


def test_a_modulator_of_the_wrong_length():
    circuit = replayed([(0, 5.0)], 2, nd.dopamine_stdp())
    session = nd.Session((nd.Trial(10, {"reward": np.zeros((10, 2))}),), 1e-3)
    with pytest.raises(ValueError, match="2 channels, the circuit 1"):
        nd.simulate(circuit, session)
    wide = circuit.with_part(nd.Input("reward", ("a", "b")))
    with pytest.raises(ValueError, match="each of"):
        nd.simulate(wide, "10 ms")


def test_rules_where_there_is_nothing_to_learn_from():
    cells = nd.Population("cells", 3, code="r = 1", variables={"r": "1", "I": "1"}, dt="1 ms")
    link = nd.Connection("cells.r", cells, "I", weight=1.0, rules=nd.stdp())
    with pytest.raises(ValueError, match="trace 'x' follows spikes"):
        nd.simulate(nd.Circuit([cells], [link]), "10 ms")
    drive = nd.Input("drive", ("a",))
    link = nd.Connection(drive, cells, "I", weight=1.0, rules=RULE)
    with pytest.raises(ValueError, match="rules need a source population"):
        nd.simulate(nd.Circuit([cells], [link], inputs=[drive]), "10 ms")
    source = nd.poisson("source", 3, "20 Hz")
    link = nd.Connection(source, cells, "I", weight=1.0, rules=nd.stdp())
    with pytest.raises(ValueError, match="follows spikes of 'cells', which emits none"):
        nd.simulate(nd.Circuit([source, cells], [link], dt="1 ms"), "10 ms")


def test_two_rules_of_one_name():
    with pytest.raises(ValueError, match="declared twice"):
        run([nd.stdp(), nd.stdp()])
    with pytest.raises(ValueError, match="name of a part"):
        run(nd.stdp("cells"))
