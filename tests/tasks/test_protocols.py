import pytest

from neurodyn.tasks import WhatWhen, blocks, protocol, sweep, switching


def rows(session, phase):
    return [trial.labels for trial in session.trials if trial.labels["phase"] == phase]


def test_stationary_protocol_is_one_block_of_the_default_task():
    session = protocol("P1", seed=4)
    alone = WhatWhen().session(seed=4)
    assert [str(trial.labels) for trial in session.trials] == [str(trial.labels) for trial in alone.trials]
    assert session.config["protocol"] == "P1"


def test_switches_of_the_four_block_protocol():
    told = [(task.probabilities[0], *task.latencies_ms) for task in blocks("P3")]
    assert told == [(0.8, 150, 300), (0.2, 150, 300), (0.2, 300, 150), (0.8, 150, 300)]
    session = protocol("P3", seed=1, trials=20, tests=(1, 20))
    train = rows(session, "train")
    assert [row["block"] for row in train] == [b for b in range(4) for _ in range(20)]
    assert [row["exposure"] for row in train] == list(range(1, 21)) * 4
    for block, (p, a, b) in enumerate(told):
        events = [(row["event"], row["latency_ms"]) for row in train if row["block"] == block]
        assert events.count(("A", a)) == round(20 * p) and events.count(("B", b)) == round(20 * (1 - p))
    assert len(rows(session, "test")) == 4 * 2 * 3


def test_only_the_first_block_is_calibrated():
    calibration = rows(switching(blocks("P3"), trials=2, calibration=7), "calibration")
    assert [row["block"] for row in calibration] == [0] * 7


def test_blocks_have_orders_of_their_own():
    train = rows(switching([WhatWhen(probability=0.5)] * 2, trials=50), "train")
    events = [row["event"] for row in train]
    assert events[:50] != events[50:]


def test_config_holds_every_block():
    config = protocol("P3", trials=3).config
    assert [block["probability"][0] for block in config["blocks"]] == [0.8, 0.2, 0.2, 0.8]
    assert [block["session"]["block"] for block in config["blocks"]] == [0, 1, 2, 3]


def test_probability_sweep():
    tasks = sweep("P2")
    assert [task.probabilities[0] for task in tasks] == [k / 10 for k in range(11)]
    assert {task.latencies for task in tasks} == {("150 ms", "300 ms")}


def test_grid_of_probabilities_and_latencies():
    tasks = sweep("P4")
    assert [task.probabilities[0] for task in tasks] == [0.2] * 3 + [0.5] * 3 + [0.8] * 3
    assert [task.latencies_ms for task in tasks[:3]] == [(120, 270), (180, 330), (240, 390)]
    assert len({(task.probabilities, task.latencies) for task in tasks}) == 9


def test_other_parameters_come_from_the_base():
    base = WhatWhen(gate="local", width="20 ms", events=("x", "y"))
    for task in [*blocks("P1", base=base), *blocks("P3", base=base), *sweep("P2", base=base)]:
        assert (task.gate, task.width, task.names) == ("local", "20 ms", ("x", "y"))
    assert protocol("P1", trials=1, base=base).channels["occurred"] == ("x", "y")


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: protocol("P2"), r"name='P2' is not a protocol; it is made by sweep\('P2'\)"),
        (lambda: sweep("P3"), r"it is made by protocol\('P3'\)"),
        (lambda: protocol("p1"), "did you mean 'P1'"),
        (lambda: protocol("stationary"), "known: P1, P3"),
        (lambda: switching([]), "at least one task"),
        (lambda: switching([WhatWhen(), WhatWhen(dt="0.5 ms")]), "block 1 .*dt=500 us|block 1 .*dt=0.5 ms"),
        (lambda: switching([WhatWhen(), WhatWhen(events=("x", "y"))]), r"block 1 has events \('x', 'y'\)"),
    ],
)
def test_bad_protocols(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_switch_is_marked_once_in_every_block_but_the_first() -> None:
    session = protocol("P3", seed=1, trials=10, tests=(10,))
    marked = [t.labels["block"] for t in session.trials if t.inputs["switch"][0] > 0]
    assert marked == [1, 2, 3]
    assert all(t.learning for t in session.trials if t.inputs["switch"][0] > 0)
