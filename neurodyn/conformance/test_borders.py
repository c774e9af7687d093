"""Sizes, delays, thresholds, chunks and seeds by Hypothesis, for any runner (see :mod:`neurodyn.conformance.test_runner`)."""

from __future__ import annotations

import pytest

pytest.importorskip("hypothesis", reason="the borders are searched with hypothesis: pip install hypothesis")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import neurodyn as nd
from neurodyn.conformance.borders import counters
from neurodyn.conformance.harness import REFERENCE, Refused, case_of, demand, engine, first_difference, play
from neurodyn.conformance.test_runner import SLOW_TO_BUILD, pytest_generate_tests  # noqa: F401  (makes the runners)

EXAMPLES, FEW = 40, 8


def test_a_runner_is_the_interpreter_whatever_the_sizes(runner):
    """Sizes, delays and parameters are numbers of one Program, so that a compiled runner compiles once."""
    search = settings(
        max_examples=FEW if runner in SLOW_TO_BUILD else EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    cases = given(
        size=st.integers(0, 4),
        steps=st.integers(1, 12),
        lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
        delays=st.tuples(st.integers(1, 4), st.integers(0, 15)),
        probability=st.sampled_from([0.0, 0.4, 1.0]),
        threshold=st.sampled_from([-1e9, 0.5, 2.0, 1e9]),
        seed=st.integers(0, 2**64 - 1),
    )

    @search
    @cases
    def compare(size, steps, lengths, delays, probability, threshold, seed):
        low, spread = delays
        delay = nd.Uniform(f"{low} ms", f"{low + spread} ms")
        circuit = counters(size, threshold=threshold, delay=delay, probability=probability, seed=seed)
        of = case_of(f"{size} units", circuit, f"{steps} ms")
        reference = engine(of, REFERENCE)
        try:
            machine = engine(of, runner)
        except Refused as refusal:
            assert size == 0, refusal
            return
        parted = first_difference(play(machine, of.trials, lengths), play(reference, of.trials))
        parted = parted or first_difference(machine.to_arrays(), reference.to_arrays(), first=None)
        demand(parted is None, runner, of.name, f"in chunks of {lengths} steps: {parted}")

    compare()
