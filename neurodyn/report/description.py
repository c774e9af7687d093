"""The methods table of a model, in the style of Nordlie, Gewaltig and Plesser (2009), made from what was simulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurodyn.circuit import Circuit
from neurodyn.recording import Recording, load
from neurodyn.report import circuit_tables, run_tables, tables
from neurodyn.report.bibliography import OWN, keys_of, keys_of_recording, short
from neurodyn.report.circuits import circuit_of, circuit_of_training, is_training
from neurodyn.report.tables import Table
from neurodyn.report.words import counted


@dataclass(frozen=True)
class Methods:
    """Tables that describe a model: A summary, B populations, C connectivity, D neurons, synapses and readouts, and so on.

    ``str()`` gives plain text; notebooks show the tables.

    Attributes
    ----------
    name : str
        Of the model.
    tables : tuple of Table
        Each with letter, title, names of the columns, and rows of text.
    references : tuple of str
        Keys of the papers behind the model; :func:`neurodyn.bibtex` gives their entries.
    """

    name: str
    tables: tuple[Table, ...]
    references: tuple[str, ...]

    def __str__(self) -> str:
        return "\n\n".join([self.name, *map(tables.text, self.tables)])

    def markdown(self) -> str:
        """Return the tables as Markdown."""
        return "\n\n".join([f"### {tables.markdown_text(self.name)}", *map(tables.markdown, self.tables)]) + "\n"

    def latex(self) -> str:
        r"""Return the tables in LaTeX; the document needs the packages array and booktabs."""
        head = [r"% \usepackage{array,booktabs}", r"\begingroup\small\noindent"]
        each = [f"{tables.latex(table)}\n\n\\medskip\\noindent" for table in self.tables]
        return "\n".join([*head, *each, r"\endgroup"]) + "\n"

    def html(self) -> str:
        """Return the tables in HTML, without a page around them."""
        return "\n".join(map(tables.markup, self.tables))

    def _repr_html_(self) -> str:
        return self.html()


def methods(model: Any) -> Methods:
    """Describe a model as tables: what it consists of, every equation, parameter, weight and rule, with units.

    Parameters
    ----------
    model : Circuit, trained network, Recording, path of one, or TrainingRun
        Of a recording, the tables also say what was fed in, what was measured and how it was trained.

    Raises
    ------
    ValueError
        A recording of results alone, which holds no network, and what is no model.

    References
    ----------
    Nordlie, Gewaltig & Plesser (2009) PLoS Comput. Biol. 5:e1000456.

    Examples
    --------
    >>> import neurodyn as nd
    >>> print(nd.methods(nd.DoubleWell()).tables[0].title)
    Model summary
    """
    if isinstance(model, Circuit):
        return _described(model.name, model, keys_of(model))
    recording = getattr(model, "recording", model)  # of a training
    if isinstance(recording, str | Path):
        recording = load(recording)
    if isinstance(recording, Recording):
        return _of_recording(recording)
    if hasattr(model, "config") and hasattr(model, "parameters"):  # a torch module of neurodyn
        return _of_network(model)
    if callable(model) and not isinstance(model, type):
        raise ValueError(
            f"{model!r} makes a model but is none; call it: nd.methods({getattr(model, '__name__', 'it')}())"
        )
    raise ValueError(f"{model!r} is no model; give a circuit, a trained network, a recording, or the path of one")


def _of_recording(recording: Recording) -> Methods:
    name = str(recording.attrs.get("simulation") or recording.config.get("simulation") or "")
    kept = circuit_of(recording)
    keys = keys_of_recording(recording, kept)
    if is_training(recording):
        settings = recording.config["network"]
        circuit = circuit_of_training(recording)
        found = _described(
            name or settings["network"], circuit, keys, summary=run_tables.network_rows(settings), plasticity=False
        )
        more = [*run_tables.training_tables(recording), run_tables.measurements(recording)]
    else:
        if kept is None:
            raise ValueError(
                f"{recording.path or 'the recording in memory'} holds results alone and no network, so there is no model to describe"
            )
        found = _described(name or kept.name, kept, keys, summary=run_tables.computed_rows(recording))
        more = [*run_tables.task_tables(recording), run_tables.measurements(recording)]
    return Methods(found.name, _lettered([*found.tables, *more]), keys)


def _of_network(net: Any) -> Methods:
    one = net.select(0) if getattr(net, "many", False) else net
    circuit = one.circuit() if hasattr(one, "circuit") else None
    settings = {"network": type(net).__name__, **net.config}
    return _described(
        type(net).__name__, circuit, keys_of(net), summary=run_tables.network_rows(settings), plasticity=False
    )


def _described(
    name: str,
    circuit: Circuit | None,
    keys: Sequence[str],
    *,
    summary: Sequence[tuple[str, str]] = (),
    plasticity: bool = True,
) -> Methods:
    """Tables of a circuit, or of settings alone; ``plasticity`` is False where learning is not the circuit's."""
    rows = [*(_summary(circuit, plasticity) if circuit is not None else ()), *summary]
    papers = [key for key in keys if key != OWN]
    if papers:
        rows.append(("References", "\n".join(map(short, papers))))
    found = [Table("A", "Model summary", (), tuple(rows))]
    if circuit is not None:
        found += [
            circuit_tables.populations(circuit),
            circuit_tables.connectivity(circuit),
            *circuit_tables.dynamics(circuit),
        ]
        found += [circuit_tables.plasticity(circuit)] if plasticity else []
        found += [circuit_tables.inputs(circuit)] if circuit.inputs or circuit_tables.sources(circuit) else []
    return Methods(name, _lettered(found), tuple(keys))


def _lettered(found: Sequence[Table]) -> tuple[Table, ...]:
    """Tables in the order of their letters."""
    return tuple(sorted(found, key=lambda table: table.letter))


def _summary(circuit: Circuit, plasticity: bool) -> list[tuple[str, str]]:
    groups = [f"{p.name} ({counted(p.size, 'unit')})" for p in circuit.populations]
    rules = [rule.name for c in circuit.connections for rule in c.rules]
    rules += [r.rule.name for r in circuit.readouts if r.rule is not None]
    rows = [
        ("Populations", ", ".join(groups) or "none"),
        ("Connectivity", ", ".join(c.name for c in circuit.connections) or "none"),
        ("Neuron model", "\n".join(circuit_tables.kind_of(p) for p in circuit.populations) or "none"),
        (
            "Synapse model",
            "\n".join(dict.fromkeys(circuit_tables.synapse(circuit, c) for c in circuit.connections)) or "none",
        ),
        *([("Plasticity", ", ".join(rules) or "none")] if plasticity else []),
        ("Input", ", ".join(i.name for i in circuit.inputs) or "none"),
        ("Readouts", ", ".join(r.name for r in circuit.readouts) or "none"),
        ("Time step", str(circuit.dt)),
        ("Seed of wiring, parameters and noise", str(circuit.seed)),
    ]
    return rows
