"""Hashes of spike trains of exact circuits: what the trains of today are, for every machine and every later version.

Only circuits whose trains hold no number from a math library are listed: no normal draws (their tails take a
logarithm), no exponential among the constants. See :func:`neurodyn.conformance.checks.spike_hash`.
"""

from __future__ import annotations

from collections.abc import Mapping

GOLDEN: Mapping[str, str] = {
    "heterogeneous": "036141436a2f3d48",
    "euler_2003": "1449f5af0eecb81e",
    "regular_spiking_2007": "a1b8b52413b27f46",
    "refractoriness": "f5b201bb732bed5c",
    "arithmetic": "a3bbeda1d34c1b4a",
    "pulses": "04e94435e65f714f",
    "periods": "82e3150d12625a9c",
    "patterns": "dea35848fae01336",
    "sums": "c81e24d8bf8ce1c5",
    "delays_of_any_length": "cd919d9d9e7654d6",
}
