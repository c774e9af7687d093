"""The suite fails on runners that are wrong, and says where: circuit, step, unit, variable."""

from __future__ import annotations

import re

import pytest

from neurodyn.conformance import checks
from neurodyn.conformance.harness import NotConformant, Refused
from neurodyn.conformance.orders import orders


@pytest.mark.parametrize(
    "name, check, circuit, says",
    [
        (
            "Late",
            checks.same_bits,
            "silent_and_busy_sources",
            r"step 1 \(t = 2 ms\), state/cells/v, unit 0: \S+ instead of",
        ),
        ("OtherStream", checks.same_bits, "arithmetic", r"step 0 .*state/cells/\w, unit \d+"),
        ("OtherStream", checks.golden, "arithmetic", r"hash of \w{16}|stored is \w{16}"),
        ("Reordered", checks.same_bits, "sums", r"step \d+ .*(state|readout)/\w+/\w, unit \w+: -?\d"),
        ("Backwards", checks.same_bits, "patterns", r"step \d+ .*(state|spikes)/\w+.*, unit \d"),
        ("Narrow", checks.same_bits, "heterogeneous", r"step 0 .*state/cells/\w+, unit \d+"),
        (
            "Drifting",
            checks.each_step,
            "rates",
            r"one step from .*: step 0, array/a.x, unit \d: deviates by 1e-10 .* allowed is 1e-12",
        ),
        ("Drifting", checks.short_trajectory, "rates", r"within 50 steps"),
        (
            "Lazy",
            checks.each_step,
            "forgetting",
            r"the end of a trial .*: step 100, array/by_trial.w, unit 0, \d+: deviates",
        ),
        ("Lazy", checks.same_bits, "what_and_when", r"step \d+ .*(weights|readout|state)/"),
        (
            "Stuck",
            checks.each_step,
            "forgetting",
            r"the start of a trial .*: step 100, array/\w+.\w, unit \d+: deviates",
        ),
        ("Forgetful", checks.resumed, "delays_of_any_length", r"resumed .* at step 103, .*step 1\d\d, .*cells"),
        ("Forgetful", checks.taken_over, "delays_of_any_length", r"in turns of 20 steps .*cells\.v, unit \d"),
        ("Cutting", checks.chunked, "delays_of_any_length", r"in chunks of .*step \d+, .*cells.*, unit \d"),
        ("Stubborn", checks.repeated, "arithmetic", r"from step 500 a second time: step 500, .*cells.*, unit \d"),
        (
            "Noisy32",
            checks.parting,
            "heterogeneous",
            r"one step .*float32: step 0, array/cells.u, unit \d+: deviates by 0.01",
        ),
    ],
)
def test_a_broken_promise_is_found_and_placed(name, check, circuit, says, wrong):
    with pytest.raises(NotConformant) as caught:
        check(wrong(name), circuit)
    text = str(caught.value)
    assert text.startswith(f"wrong_runners:{name} on circuit '{circuit}': "), text
    assert re.search(says, text), text


@pytest.mark.parametrize(
    "check, circuit",
    [
        (checks.same_bits, "silent_and_busy_sources"),
        (checks.same_bits, "sums"),
        (checks.golden, "arithmetic"),
        (checks.each_step, "rates"),
        (checks.short_trajectory, "rates"),
        (checks.resumed, "delays_of_any_length"),
        (checks.taken_over, "delays_of_any_length"),
        (checks.chunked, "delays_of_any_length"),
        (checks.repeated, "arithmetic"),
        (checks.parting, "heterogeneous"),
        (checks.batched, "spiking"),
    ],
)
def test_a_right_runner_passes_the_same_checks(check, circuit, wrong):
    check(wrong("Right"), circuit)


def test_a_batch_that_shares_a_seed_is_found(wrong):
    with pytest.raises(NotConformant, match=r"'spiking': network 1 of 4 in one batch: step 0 .*exc/v"):
        checks.batched(wrong("Shared"), "spiking")


def test_an_integrator_that_lost_its_order_is_found(wrong):
    with pytest.raises(
        NotConformant, match=r"population 'euler_noise' converges with order 0\.\d+, expected is 1|population '"
    ):
        orders(wrong("FirstOrder"))


def test_a_refusal_names_another_runner(wrong):
    with pytest.raises(NotConformant, match="without naming a runner that can run it: not today"):
        checks.same_bits(wrong("Vague"), "heterogeneous")
    with pytest.raises(Refused, match="noise is not supported"):
        checks.same_bits(wrong("Choosy"), "delays")
    checks.same_bits(wrong("Choosy"), "sums")
