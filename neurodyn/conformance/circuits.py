"""The circuits of the suite by name, in three groups.

``EXACT`` hold + - * / and comparisons only, so that every runner has to give the same bits for any length; ``BORDERS``
are exact as well; ``TOLERANT`` hold exponentials, sums over populations or matrix products, and are compared one step
at a time. A circuit is a function that returns (circuit, session) and needs no arguments; its docstring says what it covers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from neurodyn.circuit import Circuit
from neurodyn.conformance import borders, dynamics, plastic, synapses, tolerant, wiring

Build = Callable[[], tuple[Circuit, Any]]


def _named(*functions: Build) -> Mapping[str, Build]:
    return {f.__name__: f for f in functions}


EXACT = _named(
    dynamics.heterogeneous,
    dynamics.euler_2003,
    dynamics.regular_spiking_2007,
    dynamics.two_noises,
    dynamics.multiplicative_noise,
    dynamics.closed_form,
    dynamics.refractoriness,
    dynamics.integrators,
    dynamics.arithmetic,
    dynamics.pulses,
    wiring.delays,
    wiring.noisy_equations,
    wiring.periods,
    wiring.patterns,
    wiring.sums,
    wiring.closed_loop,
    plastic.learning,
    plastic.what_and_when,
    plastic.local_rule,
    synapses.eligibility,
    synapses.eligibility_per_step,
    synapses.pair_rules,
    synapses.pair_rules_per_step,
)

BORDERS = _named(
    borders.empty_population,
    borders.one_unit,
    borders.no_synapses,
    borders.one_step,
    borders.no_spikes,
    borders.all_spikes,
    borders.delay_0,
    borders.delays_of_any_length,
    borders.delay_beyond_the_run,
    borders.silent_and_busy_sources,
)

TOLERANT = _named(
    tolerant.adaptive_exponential,
    tolerant.hodgkin_huxley,
    tolerant.exponential_euler,
    tolerant.rates,
    tolerant.functions,
    tolerant.leaky_network,
    tolerant.masked_leaky_network,
    tolerant.hmm_rnn,
    tolerant.pvrnn,
    plastic.least_squares,
    plastic.forgetting,
    synapses.learning_rates,
)

CIRCUITS: Mapping[str, Build] = {**EXACT, **BORDERS, **TOLERANT}

#: one exact and one tolerant circuit for each family, and the borders that other circuits don't come near
QUICK = (
    "heterogeneous",
    "noisy_equations",
    "periods",
    "patterns",
    "sums",
    "learning",
    "eligibility",
    "eligibility_per_step",
    "integrators",
    "empty_population",
    "all_spikes",
    "adaptive_exponential",
    "rates",
    "leaky_network",
    "hmm_rnn",
    "least_squares",
    "learning_rates",
)


def described(name: str) -> str:
    """Return the first line of what a circuit says about itself."""
    return (CIRCUITS[name].__doc__ or "").strip().splitlines()[0]


def chosen(names: Iterable[str]) -> list[str]:
    """Return the names in the order of the suite; ValueError with the nearest one for an unknown circuit."""
    import difflib

    wanted = list(names)
    for name in wanted:
        if name not in CIRCUITS:
            near = difflib.get_close_matches(name, CIRCUITS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(CIRCUITS)}"
            raise ValueError(f"circuit = {name!r} is none of the suite; {hint}")
    return [name for name in CIRCUITS if name in wanted]
