"""The sections of the page of a recording, as HTML; whatever comes from the file is escaped."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from neurodyn.outcome import shown
from neurodyn.recording import Recording
from neurodyn.recording.layout import lookup
from neurodyn.recording.values import decode
from neurodyn.report import run_tables
from neurodyn.report.bibliography import bibtex, short
from neurodyn.report.circuits import is_training
from neurodyn.report.description import Methods, methods
from neurodyn.report.tables import markup
from neurodyn.report.words import counted
from neurodyn.rerun import by_hand

_FIRST, _KINDS = 20, 6  # rows of the table of trials that are shown, values of a column that are counted


def title_of(recording: Recording) -> str:
    """Name of the simulation, of the network that was trained, of the circuit, or of the file."""
    attrs, config = recording.attrs, recording.config
    given = [attrs.get("simulation"), config.get("simulation"), attrs.get("name")]
    if is_training(recording):
        given.append(f"{config['network']['network']} on {config.get('task', {}).get('task', 'a task')}")
    given.append(attrs.get("circuit") if attrs.get("circuit") != "circuit" else None)
    return str(next((one for one in given if one), recording.path.name if recording.path else "recording"))


def headline(recording: Recording) -> str:
    """What was run, when, on what, and how it ended."""
    attrs = recording.attrs
    facts = []
    if "started" in attrs:
        took = f", took {shown(attrs['wall_s'])} s" if "wall_s" in attrs else ""
        facts.append(f"{str(attrs['started'])[:19].replace('T', ' ')} UTC{took}")
    if attrs.get("backend"):
        facts.append(", ".join(str(attrs[name]) for name in ("backend", "device", "dtype") if attrs.get(name)))
    if "seed" in attrs:
        facts.append(f"seed {attrs['seed']}")
    if attrs.get("host"):
        facts.append(f"on {attrs['host']}")
    if recording.complete:
        badge = '<span class="badge good">complete</span>'
    else:
        why = f"stopped: {attrs.get('stopped', 'cut short')}"
        badge = f'<span class="badge bad">{html.escape(why)}</span>'
    name = recording.path.name if recording.path else "in memory"
    return f'<p class="facts">{badge} {html.escape(" · ".join([name, *facts]))}</p>'


def results(recording: Recording) -> str:
    """The named results."""
    return grid((), [(name, shown(value)) for name, value in recording.results.items()])


def checks(recording: Recording) -> str:
    """Results beside their thresholds, and how many passed."""
    found = recording.checks
    if not found:
        return ""
    rows = []
    for check in found:
        verdict = (
            '<span class="badge good">passed</span>' if check.get("passed") else '<span class="badge bad">failed</span>'
        )
        cells = [html.escape(shown(check.get(key))) for key in ("name", "value", "threshold", "reference", "source")]
        rows.append([*cells[:4], verdict, cells[4]])
    passed = sum(bool(check.get("passed")) for check in found)
    header = ("check", "value", "threshold", "reference", "", "source")
    return f"<p>{passed} of {len(found)} passed.</p>{grid(header, rows, escaped=True)}"


def trials(recording: Recording) -> str:
    """What the columns of the table of trials hold, and its first rows."""
    table = recording.trials
    if not len(table):
        return ""
    rows = [(str(name), _column(table[name])) for name in table.columns]
    first = [
        [str(index), *map(_cell, row)]
        for index, row in zip(table.index, table.head(_FIRST).values.tolist(), strict=False)
    ]
    some = f"first {_FIRST} of {counted(len(table), 'trial')}" if len(table) > _FIRST else counted(len(table), "trial")
    return grid((), rows) + folded(f"Rows: {some}", grid(("trial", *map(str, table.columns)), first))


def _column(values: Any) -> str:
    """A column of the table of trials in a few words."""
    if values.dtype.kind == "b":
        return f"true in {int(values.sum())} of {len(values)}"
    if values.dtype.kind in "iuf" and values.nunique() > _KINDS:
        missing = int(values.isna().sum())
        least, greatest, mean = (_cell(float(one)) for one in (values.min(), values.max(), values.mean()))
        text = f"{least} to {greatest}, mean {mean}"
        return text + (f"; none in {missing}" if missing else "")
    counts = values.value_counts(dropna=False, sort=values.dtype.kind not in "iuf")
    if len(counts) == 1:
        return f"{_cell(counts.index[0])} throughout"
    parts = [f"{_cell(value)} ({number})" for value, number in counts.head(_KINDS).items()]
    more = len(counts) - len(parts)
    return ", ".join(parts) + (f" and {more} others" if more > 0 else "")


def _cell(value: Any) -> str:
    """A cell of the table of trials; a number that is missing as a dash, milliseconds of a long session in full."""
    if isinstance(value, float) and 1e4 <= abs(value) < 1e9:
        return f"{value:.0f}"
    return "-" if isinstance(value, float) and math.isnan(value) else shown(value)


def recorded(recording: Recording) -> str:
    """What was recorded, with shapes and units."""
    return grid((), run_tables.recorded(recording))


def model(recording: Recording) -> Methods | None:
    """The methods tables; None of a recording that holds no network."""
    with recording.open() as file:
        described = is_training(recording) or lookup(file, "network") is not None
    return methods(recording) if described else None


def network(found: Methods | None) -> str:
    """The methods tables: the summary, and the others folded."""
    if found is None:
        return ""
    first, *others = (f'<div class="wide">{markup(table)}</div>' for table in found.tables)
    return first + folded("Populations, connections, equations, rules, inputs, measurements", "".join(others))


def configuration(recording: Recording) -> str:
    """The whole configuration, as a table and as JSON."""
    config = recording.config
    if not config:
        return ""
    text = json.dumps(config, indent=2, ensure_ascii=False)
    return folded("As a table", grid((), list(run_tables.flat(config)))) + folded(
        "As JSON", f"<pre>{html.escape(text)}</pre>"
    )


def repeating(recording: Recording) -> str:
    """What the numbers depend on, and how to run it again."""
    attrs = recording.attrs
    versions = attrs.get("versions", {})
    rows = [(name, str(versions[name])) for name in versions] if isinstance(versions, dict) else []
    names = {
        "git_revision": "git revision", "platform": "platform", "threads": "threads", "dt_ms": "step (ms)", "seed": "seed",
        "program_hash": "Program", "exactness": "exactness", "inexact": "because of", "resumed": "resumed",
    }  # fmt: skip
    rows += [
        (title, _said(attrs[name])) for name, title in names.items() if attrs.get(name) not in (None, "", "[]", [])
    ]
    return f"<p>{_again(recording)}</p>{folded('Versions, revision, seed, Program', grid((), rows))}"


def _again(recording: Recording) -> str:
    with recording.open() as file:
        run = lookup(file, "run")
        kept = {} if run is None else {name: decode(value) for name, value in run.attrs.items()}
    if (
        recording.complete
        and recording.path
        and run is not None
        and not kept.get("functions")
        and "left_out" not in kept
    ):
        command = html.escape(f"neurodyn rerun {recording.path.name}")
        return f"The file holds all that it takes: <code>{command}</code> repeats the run and compares."
    how, colon, command = by_hand(recording).partition(": ")
    return f"To repeat it, {html.escape(how)}{colon}<code>{html.escape(command)}</code>"


def references(keys: Sequence[str]) -> str:
    """The papers behind what was run, in words and as BibTeX."""
    items = "".join(f"<li>{html.escape(short(key))}</li>" for key in keys)
    return f"<ul>{items}</ul>{folded('BibTeX', f'<pre>{html.escape(bibtex(*keys))}</pre>')}"


def grid(header: Sequence[str], rows: Iterable[Sequence[str]], *, escaped: bool = False) -> str:
    """A table that scrolls on its own where the page is narrow; nothing without rows."""
    lines = [[cell if escaped else html.escape(cell) for cell in row] for row in rows]
    if not lines:
        return ""
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in header)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in others)}</tr>'
        for first, *others in lines
    )
    top = f"<thead><tr>{head}</tr></thead>" if head else ""
    return f'<div class="wide"><table>{top}<tbody>{body}</tbody></table></div>'


def folded(title: str, body: str) -> str:
    """What opens at a click; nothing where there is nothing to show."""
    return f"<details><summary>{html.escape(title)}</summary>{body}</details>" if body else ""


def _said(value: Any) -> str:
    if isinstance(value, str) and value.startswith("["):
        return "; ".join(map(str, json.loads(value)))
    return shown(value) if not isinstance(value, list) else "; ".join(map(str, value))
