"""One page for a recording: what was run, what came out, with figures; a single file that needs nothing else."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

import neurodyn
from neurodyn.recording import Recording
from neurodyn.recording.disk import beside, check_output, publish
from neurodyn.recording.given import check_apart, recording_of
from neurodyn.report import sections
from neurodyn.report.bibliography import keys_of
from neurodyn.report.figures import figures

if TYPE_CHECKING:
    from neurodyn.training.run import TrainingRun

_STYLE = """
:root { color-scheme: light dark; --text: #1b1b1b; --faint: #5a5a5a; --page: #fff; --line: #d4d4d4; --soft: #f4f4f4;
  --good: #0a6b4d; --bad: #a83e00; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e6e6; --faint: #a8a8a8; --page: #16181b; --line: #3a3d42;
  --soft: #20242a; --good: #4cc79a; --bad: #ff9a5c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0.5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; border-bottom: 1px solid var(--line); }
nav { font-size: 0.9rem; } nav a { margin-right: 0.8rem; } a { color: inherit; }
.facts { color: var(--faint); overflow-wrap: anywhere; }
.badge { border: 1px solid currentColor; border-radius: 0.6rem; padding: 0 0.5rem; white-space: nowrap; }
.facts .badge { white-space: normal; } .good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
.wide { overflow-x: auto; margin: 0.5rem 0; }
table { border-collapse: collapse; font-size: 0.9rem; } caption { text-align: left; padding: 0.5rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 1rem 0.2rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } tbody th { font-weight: 500; } td { white-space: pre-line; }
table:not(:has(thead)) th { min-width: min(15rem, 35vw); }
code, pre { font: 0.85rem/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
p code, li { overflow-wrap: anywhere; }
pre { background: var(--soft); padding: 0.7rem; overflow-x: auto; max-height: 30rem; }
details { margin: 0.5rem 0; } summary { cursor: pointer; }
figure { margin: 1rem 0; } figcaption { color: var(--faint); font-size: 0.9rem; }
img { display: block; max-width: 100%; height: auto; background: #fff; border: 1px solid var(--line); }
@media screen and (max-width: 40rem) { figure { overflow-x: auto; } img { max-width: none; width: 40rem; } }
footer { margin: 3rem 0 1rem; color: var(--faint); font-size: 0.85rem; }
@media print { body { max-width: none; font-size: 10pt; } nav { display: none; } figure, tr { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; } pre { max-height: none; white-space: pre-wrap; } }
"""

# Nothing is fetched and nothing is executed, whatever the page says.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def report(
    recording: Recording | TrainingRun | str | Path, out: str | Path | None = None, *, overwrite: bool = False
) -> Path:
    """Write one self-contained HTML page about a recording, and return where it is.

    What was run and when, results and checks, an overview figure and the figures saved beside the recording
    (``FILE.name.png``), trials, the methods tables, the configuration, versions, how to repeat it, and references. The
    page loads nothing and runs no script; it is readable on a phone, in print and in the dark.

    Parameters
    ----------
    recording : Recording, path of one, or TrainingRun
        Of any kind: a session, a training, results alone, one that was stopped.
    out : path, optional
        The page; by default beside the recording, with ``.html`` for its ``.h5``.
    overwrite : bool
        Whether an existing page is replaced.

    Raises
    ------
    FileExistsError, OSError
        A page that is there already, and a place that can't be written.
    TypeError
        What is no recording.
    ValueError
        A recording in memory without ``out``, and a file that is no recording, such as the table of a scan.
    """
    opened = recording_of(recording)
    if out is None:
        if opened.path is None:
            raise ValueError(
                "out = None, but the recording is in memory: say where the page goes, such as out='run.html'"
            )
        out = opened.path.with_suffix(".html")
    check_apart(opened, out)
    final = check_output(out, overwrite=overwrite)
    text = _page(opened)
    temporary = beside(final, "tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        publish(temporary, final, overwrite=overwrite)
    finally:
        temporary.unlink(missing_ok=True)
    return final


def _page(recording: Recording) -> str:
    title = html.escape(sections.title_of(recording))
    model = sections.model(recording)
    parts = {
        "Results": sections.results(recording),
        "Checks": sections.checks(recording),
        "Figures": figures(recording),
        "Trials": sections.trials(recording),
        "Recorded": sections.recorded(recording),
        "Model": sections.network(model),
        "Configuration": sections.configuration(recording),
        "Repeating it": sections.repeating(recording),
        "References": sections.references(model.references if model else keys_of(recording)),
    }
    shown = {name: body for name, body in parts.items() if body}
    links = " ".join(f'<a href="#{_anchor(name)}">{name}</a>' for name in shown)
    bodies = "\n".join(f'<section id="{_anchor(n)}"><h2>{n}</h2>{body}</section>' for n, body in shown.items())
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<header><h1>{title}</h1>{sections.headline(recording)}<nav>{links}</nav></header>
<main>
{bodies}
</main>
<footer>Made by neurodyn {html.escape(neurodyn.__version__)} from the recording and the figures beside it.</footer>
</body>
</html>
"""


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")
