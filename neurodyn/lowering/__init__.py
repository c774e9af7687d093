"""From the description of a circuit to its Program.

:mod:`populations`, :mod:`readouts`, :mod:`connections` and :mod:`plasticity` each lower one kind of part into a common
:class:`Draft`;
:mod:`hoist` moves what depends on parameters alone out of the step.
"""

from __future__ import annotations

from collections.abc import Mapping

from neurodyn import units
from neurodyn.circuit import Circuit
from neurodyn.lowering import populations, readouts
from neurodyn.lowering.connections import lower_connections
from neurodyn.lowering.draft import CLOCK, Draft
from neurodyn.lowering.hoist import hoist
from neurodyn.lowering.plasticity import Projection
from neurodyn.parts import Population, SpikeTimes
from neurodyn.program import Axes, Program
from neurodyn.specs import label_axis


def lower(circuit: Circuit) -> Program:
    """Lower a circuit: texts to statements, constants hoisted, arrays and order of a step made explicit.

    :attr:`Circuit.program` keeps the result; call this only where it is to be made anew.
    """
    return _lowered(circuit)[0]


def dimensions_of_populations(circuit: Circuit) -> Mapping[str, units.Dimensions]:
    """Return the dimensions of the parameters and variables of all populations, by array name."""
    return _lowered(circuit)[1].dimensions


def forms(circuit: Circuit) -> Mapping[str, str]:
    """Return how the synapses of each plastic connection are advanced (see :meth:`Circuit.forms`)."""
    return _lowered(circuit)[1].forms


def _lowered(circuit: Circuit) -> tuple[Program, Draft]:
    draft = Draft(circuit)
    for array in CLOCK:
        draft.arrays[array.name] = array
    draft.dimensions["dt"] = draft.dimensions["t"] = units.dimensions_of("second")
    cells = [p for p in circuit.populations if isinstance(p, Population)]
    for population in cells:
        populations.declare(draft, population)
    for source in circuit.inputs:
        axes: Axes = () if len(source.channels) == 1 else (label_axis(source.channels),)
        draft.array(f"{source.name}.value", axes, "input")
    for trace in circuit.filters:
        readouts.declare_filter(draft, trace)
    for readout in circuit.readouts:
        readouts.declare(draft, readout)
    for population in cells:
        populations.write(draft, population)
    for trace in circuit.filters:
        readouts.write_filter(draft, trace)
    for readout in circuit.readouts:
        readouts.write(draft, readout)
    spikes, sums = lower_connections(draft)
    axis = {s.name: s.source for s in spikes} | {s.name: s.source_axis for s in sums}
    plastic = [
        Projection(draft, c, axis[c.name], spiking=any(s.name == c.name for s in spikes))
        for c in circuit.connections
        if c.plastic
    ]
    for projection in plastic:
        projection.declare()
    for projection in plastic:
        projection.write()
    blocks = hoist(draft.blocks, draft.arrays)
    program = Program(
        arrays=tuple(draft.arrays.values()),
        blocks=tuple(b for b in blocks if b.body or b.result is not None),
        populations=tuple(p.name for p in cells),
        spiking=tuple(p.name for p in cells if p.spiking),
        spike_sources=tuple(p.name for p in circuit.populations if isinstance(p, SpikeTimes)),
        inputs=tuple(i.name for i in circuit.inputs),
        spikes=spikes,
        sums=sums,
    )
    return program, draft
