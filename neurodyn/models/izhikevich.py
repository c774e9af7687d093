"""Izhikevich's neurons, both forms in one place."""

from neurodyn.models.izhikevich_2003 import PSEUDO_UNITS, SCHEMES, TYPES_2003, izhikevich_2003
from neurodyn.models.izhikevich_2007 import TYPES_2007, Cell2007, izhikevich_2007

__all__ = ["PSEUDO_UNITS", "SCHEMES", "TYPES_2003", "TYPES_2007", "Cell2007", "izhikevich_2003", "izhikevich_2007"]
