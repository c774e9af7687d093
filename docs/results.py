"""Write a page of measured numbers from recordings of its simulations: ``python docs/results.py runs/E1.h5 ...``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import neurodyn as nd

#: simulation: its page, heading, and the command that makes it
PAGES = {
    "what_when": ("what_when", "What/when reservoir", "make results"),
    "force_spiking": ("force_spiking", "FORCE on spiking networks", "make results-force"),
    "dopamine_stdp": ("plasticity", "Plasticity inside the network", "make results-plasticity"),
    "delayed_match_reward": ("plasticity", "Plasticity inside the network", "make results-plasticity"),
    "timescales_parity": ("timescales", "Learnable timescales", "make results-timescales"),
    "timescales_delayed_match": ("timescales", "Learnable timescales", "make results-timescales"),
    "timescales_robustness": ("timescales", "Learnable timescales", "make results-timescales"),
    "hmm_emulation": ("emulation", "Emulation of hidden Markov models", "make results-emulation"),
    "hmm_mechanism": ("emulation", "Emulation of hidden Markov models", "make results-emulation"),
    "hmm_noise": ("emulation", "Emulation of hidden Markov models", "make results-emulation"),
    "hmm_data": ("emulation", "Emulation of hidden Markov models", "make results-emulation"),
    "pvrnn_meta_prior": ("pvrnn", "PV-RNN", "make results-pvrnn"),
    "pvrnn_primitives": ("pvrnn", "PV-RNN", "make results-pvrnn"),
    "pvrnn_joints": ("pvrnn", "PV-RNN", "make results-pvrnn"),
    "stochastic_resonance": ("resonance", "Stochastic and coherence resonance", "make results-analysis"),
    "coherence_resonance": ("resonance", "Stochastic and coherence resonance", "make results-analysis"),
    "reservoir_resonance": ("resonance", "Stochastic and coherence resonance", "make results-analysis"),
    "reservoir_dimensionality": ("analysis", "Dimensions and chaos", "make results-analysis"),
    "chaotic_systems": ("analysis", "Dimensions and chaos", "make results-analysis"),
    "local_learning": ("local_learning", "Local learning rules", "make results-local"),
}

#: page: the pages that say what its numbers mean
TOLD = {
    "force_spiking": ("force",),
    "analysis": ("dimensionality", "dynamics"),
}

LEGEND = """A value "a ± b (c to d)" is the mean over networks, their standard deviation, the least and the greatest; with one network it is the value
alone. "k of n (95 %: ...)" counts the networks that pass, with Wilson's interval for their share. Lists have an element for each network, or for each
size or time that a row of the same section names. Of a check, "value" is held to "threshold"; "reference" is the published number or a pilot's.
A dash stands where there is no value."""

SHOWN = (
    "quick",
    "curriculum",
    "until",
    "seeds",
    "seed",
    "neurons",
    "trials",
    "minutes",
    "rule",
    "backend",
    "n",
    "family",
    "units",
    "batch",
    "updates",
    "files",
    "at",
    "bias",
    "pairs",
    "joints",
    "data_seed",
    "paths",
    "time",
    "seconds",
    "amplitude",
)


def page(recordings: list[Any]) -> str:
    """Return Markdown with the checks and results of each recording."""
    names = list(dict.fromkeys(recording.config["simulation"] for recording in recordings))
    target, heading, command = PAGES[names[0]]
    *others, last = (f"`simulations/{name}.py`" for name in names)
    scripts = f"{', '.join(others)} and {last}" if others else last
    told = " and ".join(f"[{name}](../{name}.md)" for name in TOLD.get(target, (target,)))
    lines = [
        f"# {heading}: measured numbers",
        "",
        f"Made by `{command}`; one section for each run of {scripts}, whose docstrings say what is run. What the numbers",
        f"mean is said in {told}.",
        "",
        LEGEND,
        "",
    ]
    for recording, title in zip(recordings, titles(recordings), strict=True):
        lines += [f"## {title}", "", ", ".join(shown(recording)) + f"; neurodyn {nd.__version__}", ""]
        if recording.checks:
            lines += ["| check | value | threshold | reference | passed |", "|---|---|---|---|---|"]
            for c in recording.checks:
                lines.append(
                    f"| {cell(c['name'])} | {number(c['value'])} | {c['threshold']} | {number(c['reference'])} | {'yes' if c['passed'] else '**no**'} |"
                )
            lines.append("")
        lines += ["| result | value |", "|---|---|"]
        rows = grouped(recording.results, alone=alone(recording))
        lines += [f"| {cell(name)} | {number(value)} |" for name, value in rows.items()]
        lines.append("")
    return "\n".join(lines)


def titles(recordings: list[Any]) -> list[str]:
    """Name each section by its experiment, and by what it was run with where several have one name."""
    several = len({recording.config["simulation"] for recording in recordings}) > 1
    found = []
    for recording in recordings:
        parameters, simulation = recording.config["parameters"], recording.config["simulation"]
        title = parameters.get("experiment", parameters.get("family", simulation))
        found.append(f"{simulation}, {title}" if several and title != simulation else title)
    for title in {title for title in found if found.count(title) > 1}:
        at = [k for k, other in enumerate(found) if other == title]
        words = [dict.fromkeys(shown(recordings[k])) for k in at]
        for k, own in zip(at, words, strict=True):
            apart = [word for word in own if not all(word in other for other in words)]
            found[k] = f"{title}: {', '.join(apart)}" if apart else title
    return found


def shown(recording: Any) -> list[str]:
    """Return the parameters that a reader needs, as "name = value"."""
    parameters = {k: v for k, v in recording.config["parameters"].items() if k in SHOWN}
    values = {k: ", ".join(Path(file).name for file in v) if k == "files" else v for k, v in parameters.items()}
    return [f"{k} = {v}" for k, v in values.items() if v not in (None, 0, False, "", [])]


def alone(recording: Any) -> bool:
    """Whether its results are those of one network."""
    parameters = recording.config["parameters"]
    files = parameters.get("files") or parameters.get("multi") or parameters.get("single")
    return recording.results.get("networks", len(files) if files else parameters.get("seeds")) == 1


def grouped(results: dict[str, Any], *, alone: bool = False) -> dict[str, Any]:
    """Gather ``name: mean``, ``SD``, ``min``, ``max`` into one row; one network has no more than its value."""
    rows: dict[str, Any] = {}
    for name, value in results.items():
        head, _, kind = name.rpartition(": ")
        if kind == "mean" and f"{head}: SD" in results:
            spread, least, most = (results[f"{head}: {of}"] for of in ("SD", "min", "max"))
            several = f"{number(value)} ± {number(spread)} ({number(least)} to {number(most)})"
            rows[head] = value if alone and not spread else several
        elif not (kind in ("SD", "min", "max") and f"{head}: mean" in results):
            rows[name] = value
    return rows


def number(value: Any) -> str:
    """Return a number with four digits, a list of them, or the text; "-" where there is none."""
    if value is None or value != value:
        return "-"
    if isinstance(value, list):
        return ", ".join(number(v) for v in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{float(f'{value:.4g}'):.0f}" if 1e4 <= abs(value) < 1e6 else f"{value:.4g}"
    return cell(str(value))


def cell(text: str) -> str:
    """Return text that doesn't end a cell of a table."""
    return text.replace("|", "\\|").replace("\n", "; ")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    recordings = [nd.load(path) for path in sys.argv[1:]]
    names = {recording.config["simulation"] for recording in recordings}
    pages = {PAGES[name][0] for name in names & set(PAGES)}
    if len(pages) != 1 or not names <= set(PAGES):
        sys.exit(
            f"simulations with a page are {', '.join(PAGES)}, and a call makes one page; these recordings are of {', '.join(sorted(names))}"
        )
    target = Path(__file__).parent / "results" / f"{pages.pop()}.md"
    target.write_text(page(recordings) + "\n")
    print(f"written: {target}")
