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
    _, heading, command = PAGES[names[0]]
    scripts = " and ".join(f"`simulations/{name}.py`" for name in names)
    lines = [
        f"# {heading}: measured numbers",
        "",
        f"Made by `{command}`; one section for each experiment of {scripts}.",
        "",
    ]
    for recording in recordings:
        parameters = recording.config["parameters"]
        simulation = recording.config["simulation"]
        title = parameters.get("experiment", parameters.get("family", simulation))
        lines += [
            f"## {title if len(names) == 1 or title == simulation else f'{simulation}, {title}'}",
            "",
            ", ".join(f"{k} = {v}" for k, v in parameters.items() if k in SHOWN and v not in (None, 0, False, []))
            + f"; neurodyn {nd.__version__}",
            "",
        ]
        if recording.checks:
            lines += ["| check | value | threshold | reference | passed |", "|---|---|---|---|---|"]
            for c in recording.checks:
                lines.append(
                    f"| {cell(c['name'])} | {number(c['value'])} | {c['threshold']} | {number(c['reference'])} | {'yes' if c['passed'] else '**no**'} |"
                )
            lines.append("")
        lines += ["| result | value |", "|---|---|"]
        lines += [f"| {cell(name)} | {number(value)} |" for name, value in grouped(recording.results).items()]
        lines.append("")
    return "\n".join(lines)


def grouped(results: dict[str, Any]) -> dict[str, Any]:
    """Gather ``name: mean``, ``SD``, ``min``, ``max`` into one row."""
    rows: dict[str, Any] = {}
    for name, value in results.items():
        head, _, kind = name.rpartition(": ")
        if kind == "mean" and f"{head}: SD" in results:
            rows[head] = (
                f"{number(value)} ± {number(results[f'{head}: SD'])} ({number(results[f'{head}: min'])} to {number(results[f'{head}: max'])})"
            )
        elif not (kind in ("SD", "min", "max") and f"{head}: mean" in results):
            rows[name] = value
    return rows


def number(value: Any) -> str:
    """Return a number with four digits, a list of them, or the text."""
    if value is None:
        return "-"
    if isinstance(value, list):
        return ", ".join(number(v) for v in value)
    return f"{value:.4g}" if isinstance(value, float) else cell(str(value))


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
