"""However a run is cut, it is the same run: chunks, resumption from stored arrays, and a change of runner under way."""

from __future__ import annotations

import pytest

LENGTHS = (1, 7, 2, 131, 3)
NAMES = ("delays", "noisy_equations", "periods", "learning", "two_noises")


@pytest.mark.parametrize("name", NAMES)
def test_chunked_is_whole(name, runner, suite):
    """Chunks of odd sizes, which cut the trials of 'learning' (217 steps each) anywhere."""
    case = suite.described(name)
    whole, chunked = (suite.engine(case.network, runner) for _ in range(2))
    expected = suite.play(whole, case.trials, (10**6,))
    suite.same(suite.play(chunked, case.trials, LENGTHS), expected)
    suite.same(chunked.to_arrays(), whole.to_arrays())


@pytest.mark.parametrize("name", NAMES)
def test_resumed_is_uninterrupted(name, runner, suite):
    case = suite.described(name)
    cut = case.trials[0][0] // 2 + 3
    first, whole = suite.engine(case.network, runner), suite.engine(case.network, runner)
    suite.play(first, case.trials, (10**6,), stop=cut)
    second = suite.engine(case.network, runner)
    second.from_arrays(first.to_arrays())
    expected = suite.play(whole, case.trials, (10**6,))
    rest = suite.play(second, case.trials, (10**6,), skip=cut)
    for key, values in rest.items():
        kept = expected[key]
        kept = kept[:, kept[0] >= cut] if key.startswith("spikes/") else kept[cut:]
        suite.same({key: values}, {key: kept})
    suite.same(second.to_arrays(), whole.to_arrays())


@pytest.mark.parametrize(
    "order", [("brian2", "numba", "brian2", "interpreter"), ("numba", "brian2", "interpreter", "numba")]
)
@pytest.mark.parametrize("name", ["delays", "periods"])
def test_runners_take_over_from_each_other(name, order, suite):
    """With spikes on their way: rings of one runner, queues of another."""
    case = suite.described(name)
    whole = suite.engine(case.network, "interpreter")
    suite.play(whole, case.trials, (10**6,), stop=400)
    state, under_way = None, 0
    for number, runner in enumerate(order):
        machine = suite.engine(case.network, runner)
        if state is not None:
            machine.from_arrays(state)
        suite.play(machine, case.trials, (10**6,), skip=100 * number, stop=100 * (number + 1))
        state = machine.to_arrays()
        under_way += any(ring.any() for key, ring in state.items() if key.startswith("ring/"))
    suite.same(state, whole.to_arrays())
    assert under_way >= 3


def test_stepping_back_repeats(runner, suite):
    """The runs that end in a blow-up are repeated step by step from a stored state."""
    case = suite.described("periods")
    machine = suite.engine(case.network, runner)
    suite.play(machine, case.trials, (10**6,), stop=150)
    state = machine.to_arrays()
    once = machine.advance(100, {})
    machine.from_arrays(state)
    again = machine.advance(100, {})
    assert len(once.spikes["cells"][0]) > 0
    for a, b in zip(once.spikes["cells"], again.spikes["cells"], strict=True):
        suite.same({"spikes": a}, {"spikes": b})
    suite.same(once.samples, again.samples)
