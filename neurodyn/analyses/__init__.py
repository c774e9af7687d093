"""The analyses that ``neurodyn analyse`` offers: one small function each, from what a recording holds to numbers and a figure.

A function takes what it works on (an array over time, spikes, a network) and typed options by name; its docstring is
the help text. Results are printed with their null.
"""

from __future__ import annotations

from neurodyn.analyses import of_arrays, of_networks, of_spikes
from neurodyn.analyses.table import Analysis, Kind

_TABLES: dict[Kind, dict] = {"array": of_arrays.ANALYSES, "spikes": of_spikes.ANALYSES, "network": of_networks.ANALYSES}

#: By name, in the order in which they are listed.
ANALYSES = {name: Analysis(name, kind, function) for kind, some in _TABLES.items() for name, function in some.items()}
