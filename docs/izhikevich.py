"""Write the tables and figures of docs/izhikevich.md from recordings: ``python docs/izhikevich.py runs/izhikevich.h5 ...``.

The first recording holds every experiment and the figures; the others, of other runners, are compared with it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from results import cell, number

import neurodyn as nd

HERE = Path(__file__).parent
FIGURES = ("patterns", "rates", "network")


def tables(main: Any, others: list[Any]) -> dict[str, str]:
    """Return Markdown by the name of the table."""
    checks = {c["name"]: c for c in main.checks}
    same = agreement(checks, others)
    of = {kind: {n: c for n, c in checks.items() if re.match(pattern, n)} for kind, pattern in KINDS.items()}
    return {
        "made": made(main, others),
        "patterns": patterns(of["patterns"], same),
        "cells": distances(of["cells"], same),
        "counts": counts(of["cells"], same),
        "delays": facts(of["delays"], same),
        "chaos": listed(
            main.results, r"2007/FS, 400 pA, euler, (.*): fewest and most.*", "step", "fewest, most spikes"
        ),
        "rates": rates(of["rates"]),
        "bifurcations": bifurcations(of["bifurcations"]),
        "rest": facts(of["rest"]),
        "schemes": schemes(main.results),
        "sources": sources(main.results),
        "network": network(main.checks, main.results),
    }


#: Which checks go where, by the beginning of their names.
KINDS = {
    "patterns": r"pattern ",
    "cells": r"200[37]/\S+, .*(spikes|distance)",
    "delays": r"2007/.*delay",
    "rates": r"200[37]/.*rate \(Hz\)",
    "bifurcations": r".*: rest ends",
    "rest": r".* at rest",
    "schemes": r"scheme ",
}


def agreement(checks: Mapping[str, Any], others: list[Any]) -> dict[str, str]:
    """For each check which of the other runners measured the same number, and what the rest did."""
    found: dict[str, str] = {}
    for name, check in checks.items():
        different, count = [], 0
        for recording in others:
            for c in recording.checks:
                if c["name"] == name:
                    count += 1
                    if c["value"] != check["value"]:
                        different.append(f"{backend(recording)} {number(c['value'])}")
        found[name] = ", ".join(different) if different else ("the same" if count else "-")
    return found


def backend(recording: Any) -> str:
    return str(recording.config["parameters"]["backend"])


def made(main: Any, others: list[Any]) -> str:
    """One line: what made the tables, and how many checks passed."""
    runners = sorted({backend(r) for r in others})
    passed = sum(c["passed"] for c in main.checks)
    text = f"Made by `make results-izhikevich` with neurodyn {nd.__version__}, {backend(main)}: {passed} of {len(main.checks)} checks passed."
    if runners:
        other = [c for r in others for c in r.checks]
        text += f" Compared with {', '.join(runners)}: {sum(c['passed'] for c in other)} of {len(other)} passed."
    failed = [c["name"] for c in main.checks if not c["passed"]]
    return text + (f" Failed: {'; '.join(failed)}." if failed else "")


def rows(head: Iterable[str], lines: Iterable[Iterable[Any]]) -> str:
    """Return a Markdown table."""
    head = list(head)
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    out += ["| " + " | ".join(cell(str(x)) for x in line) + " |" for line in lines]
    return "\n".join(out)


def mark(check: Mapping[str, Any], digits: int = 6) -> str:
    """The measured number, bold if it missed its threshold."""
    text = f"{check['value']:.{digits}g}"
    return text if check["passed"] else f"**{text}**"


def told(reference: Any) -> str:
    """What was expected."""
    return f"{reference:.6g}" if isinstance(reference, float | int) else number(reference)


def allowed(threshold: str) -> str:
    """A range without its signs."""
    match = re.fullmatch(r">= (\S+) and <= (\S+)", threshold)
    return f"{match[1]} to {match[2]}" if match else threshold.replace("<=", "≤").replace(">=", "≥")


def runners(checks: Iterable[Mapping[str, Any]], same: Mapping[str, str]) -> str:
    """What the other runners measured of these checks, in a few words."""
    found = {same[c["name"]] for c in checks}
    return found.pop() if len(found) == 1 else "; ".join(sorted(found - {"the same"}))


def patterns(checks: Mapping[str, Any], same: Mapping[str, str]) -> str:
    """One row a pattern: expected and measured in the figure's step, in 0.01 ms, and with substituted numbers."""
    found: dict[str, dict[tuple[str, str], Any]] = {}
    for name, c in checks.items():
        match = re.fullmatch(
            r"pattern (\w, .*), (sequential|substituted), ([\d.]+) ms: (spikes|first spike \(ms\))", name
        )
        if match:
            title, kind, step, what = match.groups()
            column = "substituted" if kind == "substituted" else "fine" if step == "0.01" else step
            found.setdefault(title, {})[column, what[:5]] = c

    def pair(entry: Mapping[tuple[str, str], Any], column: str) -> list[str]:
        count, first = entry.get((column, "spike")), entry.get((column, "first"))
        if count is None:
            return ["", ""]
        both = [c for c in (count, first) if c is not None]
        return [", ".join(told(c["reference"]) for c in both), ", ".join(mark(c) for c in both)]

    lines = []
    for title, entry in found.items():
        step = next(column for column, _ in entry if column not in ("fine", "substituted"))
        letter, _, label = title.partition(", ")
        measured = (*pair(entry, step), *pair(entry, "fine"), pair(entry, "substituted")[1])
        lines.append((f"{letter} {label}", step, *measured, runners(entry.values(), same)))
    return rows(
        ("pattern", "step (ms)", "expected: spikes, first (ms)", "measured", "expected at 0.01 ms", "measured", "other numbers", "other runners"),
        lines,
    )  # fmt: skip


def facts(checks: Mapping[str, Any], same: Mapping[str, str] | None = None) -> str:
    """One row a check."""
    lines = [
        (name, told(c["reference"]), mark(c), allowed(c["threshold"]), *([same[name]] if same else []))
        for name, c in checks.items()
    ]
    return rows(("fact", "expected", "measured", "allowed", *(["other runners"] if same else [])), lines)


def distances(checks: Mapping[str, Any], same: Mapping[str, str]) -> str:
    """One row a cell of 2003 and a protocol: how far its spikes are from the stored ones."""
    lines = []
    for name, c in checks.items():
        match = re.fullmatch(r"(\S+), (.*), (\w+), ([\d.]+) ms: largest distance \(ms\)", name)
        if match:
            lines.append((match[1], match[2], mark(c), allowed(c["threshold"]), same[name]))
    return rows(("cell", "current", "largest distance (ms)", "allowed", "other runners"), lines)


def counts(checks: Mapping[str, Any], same: Mapping[str, str]) -> str:
    """One row a cell of 2007: its numbers of spikes at each current, in each step."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for name, c in checks.items():
        match = re.fullmatch(r"(\S+), ([\d.]+) pA, euler, ([\d.]+) ms: spikes", name)
        if match:
            found.setdefault(match[1], {}).setdefault(match[3], {})[match[2]] = c
    steps = list(dict.fromkeys(step for by_step in found.values() for step in by_step))
    lines = []
    for who, by_step in found.items():
        line = [who, ", ".join(next(iter(by_step.values())))]
        for step in steps:
            line += [", ".join(told(c["reference"]) for c in by_step[step].values())]
            line += [", ".join(mark(c) for c in by_step[step].values())]
        lines.append((*line, runners((c for by in by_step.values() for c in by.values()), same)))
    columns = [text for step in steps for text in (f"expected at {step} ms", "measured")]
    return rows(("cell", "currents (pA)", *columns, "other runners"), lines)


def bifurcations(checks: Mapping[str, Any]) -> str:
    """One row a cell: how its rest ends, and at which current."""
    lines = []
    for name, c in checks.items():
        match = re.fullmatch(r"(\S+): rest ends, (\S+), euler(?: \((pA)\))?", name)
        if match:
            unit = f" {match[3]}" if match[3] else ""
            measured = (told(c["reference"]), mark(c), allowed(c["threshold"]))
            lines.append((match[1], match[2], *(text + unit for text in measured)))
    return rows(("cell", "bifurcation", "expected", "measured", "allowed"), lines)


def listed(results: Mapping[str, Any], pattern: str, head: str, value: str) -> str:
    """Results whose names match, one row each."""
    matches = ((re.fullmatch(pattern, name), v) for name, v in results.items())
    return rows((head, value), ((m[1], number(v)) for m, v in matches if m))


def rates(checks: Mapping[str, Any]) -> str:
    """Expected and measured rates, both schemes of a cell and current in one row."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for name, c in checks.items():
        match = re.fullmatch(r"(\S+), (?:I = )?([\d.]+(?: pA)?), (\w+, [\d.]+ ms): rate \(Hz\)", name)
        if match:
            found.setdefault((match[1], match[2]), {})[match[3]] = c
    lines = []
    for (who, current), by_scheme in found.items():
        line = [who, current]
        for wanted in ("euler", "half_steps"):
            scheme, c = next(((s, c) for s, c in by_scheme.items() if s.startswith(wanted)), ("", None))
            line += ["", "", ""] if c is None else [scheme.split()[1], number(c["reference"]), mark(c)]
        lines.append(line[:-3] + line[-2:])  # half steps are of 1 ms
    return rows(
        ("cell", "current", "step (ms)", "euler: expected (Hz)", "measured", "half_steps, 1 ms: expected (Hz)", "measured"),
        lines,
    )  # fmt: skip


def simulators(results: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What was found of each simulator, by its name."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in results.items():
        match = re.fullmatch(r"scheme of (.+): (.+?)", name)
        if match:
            found.setdefault(match[1].removeprefix("none, "), {})[match[2]] = value
    return found


def schemes(results: Mapping[str, Any]) -> str:
    """One row a simulator."""
    lines = []
    for name, entry in simulators(results).items():
        agree = next((str(v) for k, v in entry.items() if k.startswith("cells with")), "-")
        step = number(entry["step (ms)"]) if "step (ms)" in entry else "0.01"
        ours = entry.get("ours", "euler")
        lines.append((name, step, ours, agree, entry.get("parts later", "-"), number(entry["rates (Hz)"])))
    return rows(
        ("simulator", "step (ms)", "our scheme", "cells with the same spikes for 500 ms", "parts later", "rates of RS, IB, CH, FS, LTS at I = 10 (Hz)"),
        lines,
    )  # fmt: skip


def sources(results: Mapping[str, Any]) -> str:
    """Where each scheme was read."""
    found: dict[str, list[str]] = {}
    for name, entry in simulators(results).items():
        if "read from" in entry:
            found.setdefault(str(entry["read from"]), []).append(name.partition(",")[0])
    return f"Read from: {'; '.join(f'{names[0]}: {source}' for source, names in found.items())}."


def network(checks: list[Any], results: Mapping[str, Any]) -> str:
    """Mean and spread over seeds, with what the worst seed has to meet."""
    by_name = {c["name"].removesuffix(", mean of seeds"): c for c in checks if c["name"].startswith("network, ")}
    lines = []
    for name in results:
        head, _, kind = name.rpartition(": ")
        if name.startswith("network, ") and kind == "mean":
            low, high, deviation = (number(results[f"{head}: {k}"]) for k in ("min", "max", "SD"))
            c = by_name.get(head)
            if c is None:
                line = [ABOUT[head.split()[-3]], number(results[name]), "-", "-"]
            else:
                line = [
                    number(c["reference"]),
                    mark(c, 4),
                    allowed(c["threshold"]),
                    results[f"{head}: seeds that meet it"],
                ]
            line[1] += f" ± {deviation} ({low} to {high})"
            lines.append((head[9:], *line))
    return rows(
        ("fact", "expected", "measured: mean ± SD (range)", "allowed for the mean", "seeds that meet it"), lines
    )


#: What the sheet says of uncoupled cells, without a threshold.
ABOUT = {"excitatory": "about 5.1", "inhibitory": "about 2"}


def write(page: Path, parts: Mapping[str, str]) -> None:
    """Replace what stands between the marks of each table."""
    text = page.read_text()
    for name, table in parts.items():
        pattern = rf"(<!-- table: {name} -->\n).*?(<!-- end -->)"
        if not re.search(pattern, text, flags=re.S):
            raise ValueError(
                f"{page}: no place for the table {name!r}; it stands between '<!-- table: {name} -->' and '<!-- end -->'"
            )
        text = re.sub(pattern, lambda m, table=table: f"{m[1]}{table}\n{m[2]}", text, flags=re.S)
    page.write_text(text)


def figures(recording: Path) -> None:
    """Copy the figures beside the recording to docs/images."""
    from figures import shrink

    for name in FIGURES:
        shrink(recording.with_name(f"{recording.stem}.{name}.png"), HERE / "images" / f"izhikevich_{name}.png")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    paths = [Path(p) for p in sys.argv[1:]]
    recordings = [nd.load(p) for p in paths]
    write(HERE / "izhikevich.md", tables(recordings[0], recordings[1:]))
    figures(paths[0])
    print(f"written: {HERE / 'izhikevich.md'}")
