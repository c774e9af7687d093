"""The checks as tests, for any runner: ``pytest --pyargs neurodyn.conformance --neurodyn-runner package.module:Class``.

Without the option they test our own runners. A refusal is a skipped test with its reason. Long ones carry the mark
"slow" (``-m "not slow"`` leaves them out).
"""

from __future__ import annotations

import pytest

from neurodyn.conformance import checks
from neurodyn.conformance.batches import BATCHES
from neurodyn.conformance.circuits import BORDERS, EXACT, TOLERANT
from neurodyn.conformance.golden import GOLDEN
from neurodyn.conformance.harness import REFERENCE, Refused, case, promises_bits
from neurodyn.conformance.orders import orders
from neurodyn.conformance.table import known

QUICK_CUTS = ("delays", "periods", "learning")  # delays on their way, rest, rules: what a cut may lose
QUICK_BATCHES = ("equations", "sizes")
QUICK_BORDERS = ("empty_population", "all_spikes", "delay_0", "silent_and_busy_sources")
SLOW_TO_BUILD = ("brian2",)  # an engine takes it as long as others a whole run
LONG_TO_COMPILE = ("local_rule",)

UNDER_WAY = ("delays_of_any_length", "delay_beyond_the_run")  # borders with something to lose at a cut

CIRCUITS_OF = {
    "exact": [*EXACT, *BORDERS],
    "tolerant": [*TOLERANT],
    "golden": [*GOLDEN],
    "batch": [*BATCHES],
    "cut": [*EXACT, *UNDER_WAY, *TOLERANT],
    "relayed": [*EXACT, *UNDER_WAY],
    "single": [*EXACT, *BORDERS, *TOLERANT],
    "order": ["integrators"],
}


def pytest_generate_tests(metafunc) -> None:
    """Make a test for each runner, and for each circuit of the kind that a test names as its argument."""
    if "runner" not in metafunc.fixturenames:
        return
    if not any(line.startswith("slow") for line in metafunc.config.getini("markers")):
        metafunc.config.addinivalue_line("markers", "slow: takes more than a few seconds")
    try:
        runners = known(metafunc.config.getoption("--neurodyn-runner", default=[]))
    except ValueError as error:
        raise pytest.UsageError(f"--neurodyn-runner: {error}") from None
    kind = next((k for k in CIRCUITS_OF if k in metafunc.fixturenames), None)
    if kind is None:
        metafunc.parametrize("runner", runners)
        return
    pairs = [
        pytest.param(runner, name, marks=[pytest.mark.slow] if _slow(kind, runner, name) else [], id=f"{runner}-{name}")
        for runner in runners
        for name in CIRCUITS_OF[kind]
        if kind not in ("exact", "tolerant") or runner != REFERENCE
    ]
    metafunc.parametrize(("runner", kind), pairs)


def _slow(kind: str, runner: str, name: str) -> bool:
    if kind in ("cut", "relayed"):
        return name not in QUICK_CUTS[: 1 if runner in SLOW_TO_BUILD else None]
    if kind == "batch":
        return runner in SLOW_TO_BUILD and name not in QUICK_BATCHES
    if kind == "single":
        return name != "heterogeneous"
    if kind == "order":
        return runner in SLOW_TO_BUILD
    return name in LONG_TO_COMPILE or (runner in SLOW_TO_BUILD and name in set(BORDERS) - set(QUICK_BORDERS))


def _held(check, *arguments):
    """Carry out a check; what a runner refuses by name is skipped with its reason."""
    try:
        return check(*arguments)
    except Refused as refusal:
        pytest.skip(f"refused: {refusal}")


def test_exact_circuits_give_the_bits_of_the_interpreter(runner, exact):
    if promises_bits(runner):
        _held(checks.same_bits, runner, exact)
    else:
        _held(checks.parting, runner, exact, "float64")


def test_tolerant_circuits_agree_step_by_step(runner, tolerant):
    _held(checks.each_step, runner, tolerant)
    _held(checks.short_trajectory, runner, tolerant)


def test_spike_trains_are_those_of_the_golden_hashes(runner, golden):
    if not promises_bits(runner):
        pytest.skip("held to bits on the CPU only")
    _held(checks.golden, runner, golden)


def test_chunked_is_whole(runner, cut):
    _held(checks.chunked, runner, cut)


def test_resumed_is_uninterrupted(runner, cut):
    _held(checks.resumed, runner, cut)


def test_stepping_back_repeats(runner, cut):
    _held(checks.repeated, runner, cut)


def test_runners_take_over_from_each_other(runner, relayed):
    _held(checks.taken_over, runner, relayed)


def test_a_batch_is_its_single_runs(runner, batch):
    _held(checks.batched, runner, batch)


def test_single_precision_is_right_to_rounding(runner, single):
    found = _held(checks.parting, runner, single)
    assert found is None or found.steps == case(single).steps


def test_integrators_converge_with_their_order(runner, order):
    _held(orders, runner)
