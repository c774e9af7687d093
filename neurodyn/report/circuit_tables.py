"""Tables B to F of a circuit: its populations, connections, dynamics, rules and inputs."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurodyn.circuit import Circuit
from neurodyn.parts import Connection, Filter, Input, Population, Readout, SpikeTimes
from neurodyn.report.tables import Table
from neurodyn.report.words import Code, counted, words

Rows = list[tuple[str, ...]]
_MANY = 12  # labels that are listed


def kind_of(part: Population | SpikeTimes) -> str:
    """What kind of model a population has, in a few words."""
    if isinstance(part, SpikeTimes):
        return f"{part.name}: given spike times"
    if part.code is not None and not part.code.strip():
        how = "point process"
    elif part.code is not None:
        how = "assignments of one step"
    else:
        how = f"equations integrated by {part.method or 'the method that Brian2 chooses'}"
    return f"{part.name}: {'spiking' if part.spiking else 'rate'} units, {how}"


def populations(circuit: Circuit) -> Table:
    """Return table B."""
    rows = []
    for p in circuit.populations:
        spiking = isinstance(p, SpikeTimes) or p.spiking
        rows.append((p.name, str(p.size), "spiking" if spiking else "rate", _altered(p)))
    return Table("B", "Populations", ("Name", "Size", "Units", "Altered"), tuple(rows) or (("none", "", "", ""),))


def _altered(p: Population | SpikeTimes) -> str:
    if isinstance(p, SpikeTimes):
        return "-"
    found = [f"{counted(len(p.silenced), 'unit')} silenced"] if p.silenced else []
    found += [f"{name} of {counted(len(ids), 'unit')} clamped" for name, (ids, _) in p.clamped.items()]
    return ", ".join(found) or "-"


def connectivity(circuit: Circuit) -> Table:
    """Return table C."""
    header = ("Name", "From", "To", "Pattern", "Weight", "Delay")
    rows = []
    for c in circuit.connections:
        target = f"{c.target}.{c.variable}"
        rows.append((c.name, c.source, target, _pattern(circuit, c), _weight(circuit, c), _delay(circuit, c)))
    return Table("C", "Connectivity", header, tuple(rows) or (("none", "", "", "", "", ""),))


def _pattern(circuit: Circuit, c: Connection) -> str:
    if c.pairs is not None:
        return f"{counted(np.size(c.pairs[0]), 'given pair')}"
    itself = c.source.split(".")[0] == c.target and _spikes(circuit, c)
    among = f", {'with' if c.autapses else 'without'} autapses" if itself else ""
    if c.probability is not None:
        found = f"each pair with probability {c.probability:g}{among}"
    elif c.pattern == "one-to-one":
        found = "one to one"
    elif c.pattern is None and np.ndim(c.weight) == 2:
        found = "given by the matrix of weights"
    else:
        found = f"all to all{among}"
    targets = circuit.values.get(f"{c.name}.targets")
    return found if targets is None else f"{found}: {counted(np.size(targets), 'synapse')}"


def _weight(circuit: Circuit, c: Connection) -> str:
    unit = circuit[c.target].labels.get(c.variable, "")
    found = words(c.weight, unit=unit)
    if any(bound is not None for bound in c.bounds):
        low, high = ("-" if bound is None else words(bound, unit=unit) for bound in c.bounds)
        return f"{found}; plastic, bounds {low} and {high}"
    return f"{found}; plastic" if c.plastic else found


def _delay(circuit: Circuit, c: Connection) -> str:
    if c.delay is not None:
        return words(c.delay)
    return "none" if _spikes(circuit, c) or isinstance(circuit[c.source.split(".")[0]], Input) else "1 step"


def _spikes(circuit: Circuit, c: Connection) -> bool:
    source = None if "." in c.source else circuit[c.source]
    return isinstance(source, Population | SpikeTimes)


def synapse(circuit: Circuit, c: Connection) -> str:
    """Return what a connection does to its target, in words."""
    if _spikes(circuit, c):
        return f"a spike adds its weight to {c.variable} of {c.target}"
    return f"{c.variable} of {c.target} is a weighted sum, made anew in each step"


def dynamics(circuit: Circuit) -> list[Table]:
    """Return tables D: one for each population, one for filters and readouts."""
    found = [_neuron(p) for p in circuit.populations if isinstance(p, Population)]
    rows: Rows = []
    for f in circuit.filters:
        rows.append((f.name, _filter(f)))
    for r in circuit.readouts:
        rows += _readout(r)
    return found + ([Table("D", "Filters and readouts", (), tuple(rows))] if rows else [])


def _neuron(p: Population) -> Table:
    text = p.code if p.code is not None else p.equations
    rows: Rows = [
        (
            "Assignments of a step" if p.code is not None else "Dynamics",
            _code(text) if text and text.strip() else "none",
        )
    ]
    rows += [("Integration", p.method)] if p.method else []
    rows += [("Spike", Code(p.threshold))] if p.threshold else []
    rows += [("Reset", _code(p.reset))] if p.reset else []
    rows += [("Refractory", words(p.refractory))] if p.refractory is not None else []
    rows += [("Parameters", _listed(p.parameters, p.labels))] if p.parameters else []
    rows += [("Start values", _listed(p.initial, p.labels))] if p.initial else []
    rows += [("Pseudo-units", _plain(p.labels))] if p.labels else []
    return Table("D", f"Neuron model: {p.name}", (), tuple(rows))


def _filter(f: Filter) -> str:
    rise = f", rise {words(f.tau_rise)}" if f.tau_rise is not None else ""
    return f"spikes of {f.source}, exponential, {words(f.tau)}{rise}; in {f.unit}"


def _readout(r: Readout) -> Rows:
    rows: Rows = [(r.name, f"r = {r.source}; outputs {_named(r.outputs)}")]
    for title, text in (("each step", r.per_step), ("trial start", r.trial_start), ("trial end", r.trial_end)):
        if text.strip():
            rows.append((f"{r.name}, {title}", _code(text)))
    if r.parameters:
        rows.append((f"{r.name}, parameters", _listed(r.parameters)))
    return rows


def plasticity(circuit: Circuit) -> Table:
    """Return table E."""
    rows: Rows = []
    for c in circuit.connections:
        for rule in c.rules:
            rows.append((rule.name, f"synapses of {c.name}, w; numbers in SI"))
            for name, trace in rule.traces.items():
                nearest = ", nearest neighbours" if trace.nearest else ""
                rows.append((f"{rule.name}, trace {name}", f"{trace.where}, decays with {words(trace.tau)}{nearest}"))
            rows += _texts(rule, "on_pre", "on_post", "modulator", "dw_dt", "per_step", "trial_start", "trial_end")
            if rule.every is not None:
                rows.append((f"{rule.name}, per step", f"every {words(rule.every)}"))
    for r in circuit.readouts:
        if r.rule is not None:
            rows.append((r.rule.name, f"memory of readout {r.name}: {', '.join({**r.memory, **r.rule.memory})}"))
            rows += _texts(r.rule, "trial_start", "per_step", "trial_end")
    return Table("E", "Plasticity", (), tuple(rows) or (("Plasticity", "none"),))


_TITLES = {
    "on_pre": "when a spike arrives", "on_post": "when the target spikes", "modulator": "modulator", "dw_dt": "dw/dt",
    "per_step": "each step", "trial_start": "trial start", "trial_end": "trial end",
}  # fmt: skip


def _texts(rule: Any, *names: str) -> Rows:
    rows: Rows = [
        (f"{rule.name}, {_TITLES[name]}", _code(getattr(rule, name))) for name in names if getattr(rule, name).strip()
    ]
    return rows + ([(f"{rule.name}, parameters", _listed(rule.parameters))] if rule.parameters else [])


def sources(circuit: Circuit) -> list[SpikeTimes]:
    """Return the populations whose spikes are given."""
    return [p for p in circuit.populations if isinstance(p, SpikeTimes)]


def inputs(circuit: Circuit) -> Table:
    """Return table F."""
    rows: Rows = []
    for i in circuit.inputs:
        if i.function is not None or i.every is not None:
            how = f"a closed loop: a Python function, asked every {words(i.every)}"
        elif i.pulses:
            shown = (f"{words(a)} to {words(b)}: {height:g}" for a, b, height in i.pulses)
            how = "pulses from the start of a trial, " + ", ".join(shown)
        else:
            how = "brought by the session, 0 where it brings nothing"
        rows.append((i.name, f"channels {_named(i.channels)}; {how}"))
    for p in sources(circuit):
        rows.append((p.name, f"{counted(np.size(p.units), 'spike')} of {counted(p.size, 'unit')} at given times"))
    return Table("F", "Input", (), tuple(rows))


def _code(text: str) -> Code:
    """Text of the model language, without empty lines and the indentation that its place in a script had."""
    lines = textwrap.dedent(text).strip("\n").split("\n")
    first, *others = lines
    if not first.partition("#")[0].rstrip().endswith(":"):  # no block: what is indented below it was so by the script
        lines = [first, *textwrap.dedent("\n".join(others)).split("\n")]
    return Code("\n".join(line.rstrip() for line in lines if line.strip()))


def _listed(values: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> str:
    return "\n".join(f"{name} = {words(value, unit=(labels or {}).get(name, ''))}" for name, value in values.items())


def _plain(labels: Mapping[str, str]) -> str:
    return "\n".join(f"{name} in {unit}" for name, unit in labels.items())


def _named(labels: Sequence[str]) -> str:
    if len(labels) <= _MANY:
        return ", ".join(labels)
    return f"{', '.join(labels[: _MANY - 2])}, ..., {labels[-1]} ({len(labels)} in all)"
