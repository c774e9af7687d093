"""The descriptions of plasticity rules: of readouts, and of synapses inside the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from neurodyn import units


@dataclass(frozen=True, eq=False)
class Rule:
    """How the memory of a readout changes, in the model language.

    The text knows everything the readout's own code knows, and runs only while learning is on. ``per_step`` runs
    after the readouts of a step, ``trial_start`` and ``trial_end`` at the borders of a trial.

    Parameters
    ----------
    name : str
    per_step, trial_start, trial_end : str
        For example ``w += eta*gate*(target - y)*x/sum(x*x)``.
    parameters : mapping of name to number
    state, memory : mapping of name to axes, or (axes, start value)
        Further arrays, declared as those of :class:`neurodyn.Readout`.
    references : tuple of str
        What to cite: keys or BibTeX entries (see :func:`neurodyn.bibtex`).
    """

    name: str
    per_step: str = field(default="", kw_only=True)
    trial_start: str = field(default="", kw_only=True)
    trial_end: str = field(default="", kw_only=True)
    parameters: Mapping[str, float] = field(default_factory=dict, kw_only=True)
    state: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    memory: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    references: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class Trace:
    """A quantity of a synaptic rule that decays exponentially, by exp(-dt/tau) at the end of each step.

    Parameters
    ----------
    where : "pre", "post", "synapse" or "network"
        A "pre" trace grows by 1 when a spike arrives at the synapse, a "post" trace when the target spikes, both after
        the code of that step: spikes of one step don't pair. A "synapse" trace (an eligibility) is changed by the code
        of the rule at spikes, a "network" trace (the level of a neuromodulator) by its ``modulator``.
    tau : quantity
        Time constant, above 0.
    nearest : bool
        Whether a "pre" or "post" trace becomes 1 at a spike, so that only nearest neighbours pair, instead of growing by 1.

    Raises
    ------
    ValueError
        A place that doesn't exist, or ``nearest`` where no spikes are counted.
    UnitsError
        A time constant that is none.
    """

    where: str
    tau: Any
    nearest: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.where not in ("pre", "post", "synapse", "network"):
            raise ValueError(f"Trace: where = {self.where!r}, allowed are 'pre', 'post', 'synapse' and 'network'")
        if self.nearest and self.where not in ("pre", "post"):
            raise ValueError(f"Trace: nearest=True belongs to 'pre' and 'post' traces, not to {self.where!r}")
        units.si(self.tau, "second", name="Trace.tau", low=1e-12)


@dataclass(frozen=True, eq=False)
class SynapticRule:
    """How the weights ``w`` of a connection change, in the model language (numbers in SI, units are not followed).

    All texts know ``w``, the names of traces, parameters, state and memory; variables and filters of both sides as
    ``v_pre``, ``v_post``, ``rate_post``; inputs by their names, and network-wide values as ``part.name``. In a step,
    ``on_post`` runs for the synapses whose target spiked, then ``on_pre`` for those at which a spike arrives (one delay
    after it was emitted, and after its weight was delivered); then traces jump. At the end of the step ``modulator`` and
    ``per_step`` run, ``w`` drifts by dt times ``dw_dt``, and traces decay. Weights and ``memory`` change only while
    learning is on; traces go on.

    Parameters
    ----------
    name : str
        A Python identifier.
    traces : mapping of name to Trace
    on_pre, on_post : str
        For example ``c -= A_minus*y`` with the synapse trace c and the post trace y. Without draws.
    modulator : str
        Assignments of network-wide values each step, such as ``d += reward`` with the network trace d and an input.
    dw_dt : str
        Drift of the weight, per second. Where it is a network-wide factor times one synapse trace (``d*c``), the
        synapses of a spiking connection are advanced in closed form at their events only; otherwise every step.
    per_step : str
        Assignments for every synapse, each step or, with ``every``, at the end of each such interval.
    every : quantity
        A whole number of steps, counted from the start of the session.
    trial_start, trial_end : str
        Assignments for every synapse at the borders of a trial.
    parameters : mapping of name to quantity or number
    state, memory : mapping of name to axes, or (axes, start value)
        Further values: axes "synapse" or "network". ``state`` returns to its start value at a reset, ``memory`` stays.
    form : "auto" or "per_step"
        "per_step" advances every synapse in every step, whatever the texts allow.
    references : tuple of str
        What to cite: keys or BibTeX entries (see :func:`neurodyn.bibtex`).

    Raises
    ------
    ValueError
        Names that are none or declared twice, axes, forms or traces that don't exist, or an interval without ``per_step``.
    """

    name: str
    traces: Mapping[str, Trace] = field(default_factory=dict, kw_only=True)
    on_pre: str = field(default="", kw_only=True)
    on_post: str = field(default="", kw_only=True)
    modulator: str = field(default="", kw_only=True)
    dw_dt: str = field(default="", kw_only=True)
    per_step: str = field(default="", kw_only=True)
    every: Any = field(default=None, kw_only=True)
    trial_start: str = field(default="", kw_only=True)
    trial_end: str = field(default="", kw_only=True)
    parameters: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    state: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    memory: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    form: str = field(default="auto", kw_only=True)
    references: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise ValueError(f"SynapticRule: name = {self.name!r}; give a Python identifier")
        for name, trace in self.traces.items():
            if not isinstance(trace, Trace):
                raise ValueError(
                    f"rule {self.name!r}: trace {name!r} = {trace!r}; give nd.Trace('pre', '20 ms') or the like"
                )
        if self.form not in ("auto", "per_step"):
            raise ValueError(f"rule {self.name!r}: form = {self.form!r}, allowed are 'auto' and 'per_step'")
        if self.every is not None and not self.per_step.strip():
            raise ValueError(f"rule {self.name!r}: every = {self.every!r} belongs to per_step, which is empty")
        for name, declared in (*self.state.items(), *self.memory.items()):
            axes = declared if isinstance(declared, str) else declared[0]
            if axes not in ("synapse", "network"):
                raise ValueError(f"rule {self.name!r}: axes {axes!r} of {name!r}, allowed are 'synapse' and 'network'")
        names = [*self.traces, *self.parameters, *self.state, *self.memory]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"rule {self.name!r}: {twice[0]!r} is declared twice; rename one of the two")
        for name in names:
            if not name.isidentifier() or name == "w" or name.endswith(("_", "_pre", "_post")):
                raise ValueError(
                    f"rule {self.name!r}: {name!r} can't be a name here: an identifier is needed that is not 'w' and "
                    "does not end in '_', '_pre' or '_post'"
                )

    @property
    def kinds(self) -> dict[str, str]:
        """For whom each name of the rule has a value: "pre", "post", "synapse" or "network"."""
        kinds = {name: trace.where for name, trace in self.traces.items()} | dict.fromkeys(self.parameters, "network")
        return kinds | {n: d if isinstance(d, str) else d[0] for n, d in (*self.state.items(), *self.memory.items())}
