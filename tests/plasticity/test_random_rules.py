"""Random rules on small networks with given spikes: the two forms agree, runners agree to the bit, chunks make no difference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import neurodyn as nd
from neurodyn.conformance.harness import Case, case_of, engine, first_difference, largest_deviation, play
from tests.plasticity.replay import random_trains, replayed

SAME = 1e-9  # of the largest magnitude of an array: rules feed rounding back through products
QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
TAUS = ("300 ms", "20 ms", "300 ms", "2 ms", "0.02 ms")
WIRINGS = (
    {"pattern": "all"},
    {"pattern": "all", "autapses": True},
    {"probability": 0.5},
    {"pairs": ([0, 0, 0, 2, 3, 1, 3], [1, 1, 1, 0, 3, 2, 0])},  # three synapses between one pair, one onto itself
)


@st.composite
def expressions(draw: Any, names: list[str], depth: int = 2) -> str:
    """Continuous functions of names: where rounding could tip a comparison, forms would differ and be right."""
    if depth == 0 or draw(st.booleans()):
        name = draw(st.sampled_from([*names, "0.5"]))
        return f"clip({name}, -1, 1)" if name in names else name
    a, b = (draw(expressions(names, depth - 1)) for _ in range(2))
    return draw(
        st.sampled_from([f"({a} + {b})", f"({a} - {b})", f"{a}*{b}", f"abs({a})", f"minimum({a}, {b})", f"-{a}"])
    )


@st.composite
def assignments(draw: Any, targets: list[str], names: list[str], most: int = 2) -> str:
    lines = []
    for _ in range(draw(st.integers(0, most)) if targets else 0):
        target, value = draw(st.sampled_from(targets)), draw(expressions(names))
        lines.append(
            draw(
                st.sampled_from(
                    [f"{target} += 0.1*{value}", f"{target} = 0.5*{target} + 0.3*{value}", f"{target} *= 0.9"]
                )
            )
        )
    return "\n".join(lines)


@st.composite
def random_rules(
    draw: Any, name: str, *, drifting: bool = False, sides: tuple[str, ...] = ("pre", "post")
) -> nd.SynapticRule:
    kinds = {"x": "pre", "y": "post", "c": "synapse", "f": "synapse", "d": "network"}
    present = draw(st.lists(st.sampled_from(sorted(kinds)), unique=True, min_size=2))
    traces = {
        n: nd.Trace(kinds[n], draw(st.sampled_from(TAUS)), nearest=n in "xy" and draw(st.booleans()))
        for n in sorted(present)
    }
    eligibilities = [n for n in ("c", "f") if n in traces]
    wide = ["A", "reward", "n", "g", *(["d"] if "d" in traces else [])]
    around = [f"{name}_{side}" for side in sides for name in ("felt", "rate")]
    names = [*wide, "w", "s", "m", *around, *traces]
    synaptic = ["w", "w", "s", "m", *eligibilities]
    drift, paired = "", ""
    if eligibilities and (drifting or draw(st.integers(0, 3)) == 3):  # two on one connection have no closed form
        c = draw(st.sampled_from(eligibilities))
        paired = f"{c} += 0.2\n"  # enough for weights to reach their bounds and to leave them
        drift = draw(
            st.sampled_from(
                [
                    f"200*reward*{c}",
                    f"A*{c}",
                    f"200*reward*{c}",
                    f"(n - 0.3)*{c}/2",
                    f"-{c}*g + 5*{c}",
                    f"3*{c}*(1 - w)",
                    f"{c} - 2*w",
                    "",
                ]
            )
        )
    every = draw(st.sampled_from([None, "1 ms", "7 ms", "40 ms"]))
    per_step = draw(assignments(synaptic, names, 1)) if every else draw(st.sampled_from(["", "", "", "w *= 0.99"]))
    return nd.SynapticRule(
        name,
        traces=traces,
        parameters={"A": 0.7},
        state={"s": ("synapse", 0.2), "n": ("network", 0.1)},
        memory={"m": "synapse", "g": ("network", 0.4)},
        on_pre=paired + draw(assignments(synaptic, names)),
        on_post=draw(assignments(synaptic, names)),
        modulator=draw(assignments(wide[2:], [*wide, "sum(cells.felt)"])),
        dw_dt=drift,
        per_step=per_step,
        every=every if per_step else None,
        trial_start=draw(assignments([*synaptic, *wide[2:]], wide, 1)),
        trial_end=draw(assignments(synaptic, names, 1)),
    )


@st.composite
def cases(draw: Any) -> Case:
    """A circuit of cells that fire when told to, with plastic synapses between them, and three trials."""
    rules = [draw(random_rules(f"rule{k}", drifting=not k)) for k in range(draw(st.integers(1, 2)))]
    bounds = draw(st.sampled_from([(None, None), (0, None), (None, 0.35), (0, 0.35)]))
    delay = draw(st.sampled_from([None, "1 ms", "4 ms", nd.Uniform("1 ms", "7 ms")]))
    trains = random_trains(4, 150, draw(st.sampled_from([100.0, 20.0, 100.0, 0.0])), draw(st.integers(0, 9)))
    circuit = replayed(
        trains, 4, rules, bounds=bounds, weight=nd.Uniform(0, 0.35), delay=delay, **draw(st.sampled_from(WIRINGS))
    )
    circuit = circuit.with_part(nd.Filter("rate", "cells", "30 ms"))
    if draw(st.booleans()):  # a second one onto the same variable, from the source of spikes itself
        other = nd.Connection("given", "cells", "felt", probability=0.7, weight=0.1, rules=draw(random_rules("other", drifting=True, sides=("post",))), name="second")  # fmt: skip
        circuit = circuit.with_part(other)
    rng, trials = np.random.default_rng(draw(st.integers(0, 9))), []
    for steps in (50, 1, 99):
        reward = rng.choice([0.0, 0.0, 0.0, 1.0, -1.0], (steps, 1))
        learning, reset = draw(st.sampled_from([(True, False), (True, True), (False, False), (False, True)]))
        trials.append(nd.Trial(steps, {"reward": reward}, learning=learning, reset=reset))
    return case_of("random rule", circuit, nd.Session(tuple(trials), 1e-3, {"reward": ("reward",)}))


def text_of(of: Case) -> str:
    """Return the rules as text, for the report of a failure."""
    return "\n".join(repr(rule) for c in of.circuit.connections for rule in c.rules)


def check_forms(of: Case) -> None:
    stepped = case_of("per step", of.circuit.per_step(), of.session)
    found, expected = (play(engine(one, "interpreter"), one.trials) for one in (of, stepped))
    deviation, where = largest_deviation(found, expected)
    assert deviation < SAME, f"{where} deviates by {deviation}\n{text_of(of)}"


def check_runner(of: Case, runner: str) -> None:
    """A runner gives the interpreter's bits: alone, in chunks of any length, and where it takes over from the interpreter."""
    machine, whole = engine(of, runner), engine(of, "interpreter")
    expected = play(whole, of.trials)
    assert of.exact, of.network.program.inexact
    different = first_difference(play(machine, of.trials, (1, 13, 4)), expected)
    assert different is None, f"{different}\n{text_of(of)}"
    different = first_difference(machine.to_arrays(), whole.to_arrays(), first=None)
    assert different is None, f"at the end: {different}\n{text_of(of)}"
    first, second = engine(of, "interpreter"), engine(of, runner)
    play(first, of.trials, stop=73)
    second.from_arrays({k: np.array(v) for k, v in first.to_arrays().items()})
    play(second, of.trials, skip=73)
    different = first_difference(second.to_arrays(), whole.to_arrays(), first=None)
    assert different is None, f"gone on with: {different}\n{text_of(of)}"


def check_brian2(of: Case) -> None:
    of = case_of("per step", of.circuit.per_step(), of.session)
    found, expected = (play(engine(of, runner), of.trials) for runner in ("brian2", "interpreter"))
    deviation, where = largest_deviation(found, expected)
    assert deviation < SAME, f"{where} deviates by {deviation}\n{text_of(of)}"


@settings(max_examples=6, **QUIET)
@given(cases())
def test_at_events_is_per_step(of):
    check_forms(of)


@settings(max_examples=3, **QUIET)
@given(cases())
def test_torch_gives_the_bits_of_the_interpreter(of):
    check_runner(of, "torch")


@pytest.mark.slow
@settings(max_examples=4, **QUIET)
@given(cases())
def test_numba_gives_the_bits_of_the_interpreter(of):
    check_runner(of, "numba")


@pytest.mark.slow
@settings(max_examples=3, **QUIET)
@given(cases())
def test_brian2_learns_the_same(of):
    check_brian2(of)
