"""Tables of a description as plain text, Markdown, LaTeX and HTML."""

from __future__ import annotations

import html
import re
import textwrap
from dataclasses import dataclass

from neurodyn.report.words import Code

_WIDTH = 100  # characters of plain text
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "Ω": r"\(\Omega\)", "µ": r"\(\mu\)", "\u2013": "--", "\u201c": "``", "\u201d": "''",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table: letter, title, names of the columns (none where the first column names the rows), rows of text."""

    letter: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def columns(self) -> int:
        """How many there are."""
        return len(self.header) or 2


def text(table: Table) -> str:
    """Return the table as plain text, at most 100 characters wide."""
    lines = [*([table.header] if table.header else []), *table.rows]
    widths = [max(len(line) for row in lines for line in row[k].split("\n")) for k in range(table.columns)]
    spare = _WIDTH - 2 - 2 * (table.columns - 1)
    while sum(widths) > spare:
        widths[widths.index(max(widths))] -= 1
    out = [f"{table.letter}  {table.title}"]
    for number, row in enumerate(lines):
        cells = [_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
        for k in range(max(map(len, cells))):
            parts = [(cell[k] if k < len(cell) else "").ljust(width) for cell, width in zip(cells, widths, strict=True)]
            out.append(("  " + "  ".join(parts)).rstrip())
        if table.header and number == 0:
            out.append("  " + "  ".join("-" * width for width in widths))
    return "\n".join(out)


def _wrapped(cell: str, width: int) -> list[str]:
    lines: list[str] = []
    for line in cell.split("\n"):
        indent = " " * (len(line) - len(line.lstrip()))
        whole = re.sub(r"(?<=\d) (?=\d{3}\b)", "\u00a0", line)  # "12 000" is one word
        lines += textwrap.wrap(whole, width, subsequent_indent=indent + "  ", break_on_hyphens=False) or [""]
    return [line.replace("\u00a0", " ") for line in lines]


def markdown(table: Table) -> str:
    """Return the table as Markdown."""
    header = table.header or ("", "")
    rows = [header, ("---",) * table.columns, *(tuple(map(_markdown_cell, row)) for row in table.rows)]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"**{table.letter}  {markdown_text(table.title)}**\n\n{lines}"


def _markdown_cell(cell: str) -> str:
    if isinstance(cell, Code):  # in HTML, which lets a cell of a Markdown table have lines; a bar would end the cell
        lines = (html.escape(line, quote=False).replace("|", "&#124;") for line in cell.split("\n"))
        return "<br>".join(f"<code>{_kept(line)}</code>" for line in lines)
    return markdown_text(cell).replace("\n", "<br>")


def markdown_text(plain: str) -> str:
    """Return text in which nothing means anything to Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", plain)


def _kept(line: str) -> str:
    """A line whose indentation is kept."""
    bare = line.lstrip(" ")
    return "&nbsp;" * (len(line) - len(bare)) + bare


def latex(table: Table) -> str:
    """Return the table in LaTeX, with the rules of booktabs."""
    share = (0.22, 0.72) if table.columns == 2 else (0.94 / table.columns,) * table.columns
    columns = "".join(rf">{{\raggedright\arraybackslash}}p{{{x:.3f}\linewidth}}" for x in share)
    head = " & ".join(rf"\textbf{{{_escaped(name)}}}" for name in table.header)
    lines = [
        rf"\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
        r"\toprule",
        rf"\multicolumn{{{table.columns}}}{{@{{}}l@{{}}}}{{\textbf{{{table.letter}\quad {_escaped(table.title)}}}}} \\",
        r"\midrule",
        *([head + r" \\", r"\midrule"] if head else []),
        *(" & ".join(map(_latex_cell, row)) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines)


def _latex_cell(cell: str) -> str:
    if not isinstance(cell, Code):
        return r" \newline ".join(_escaped(line) for line in cell.split("\n"))
    lines = []
    for line in cell.split("\n"):
        bare = line.lstrip(" ")
        broken = re.sub(r"([*,])", r"\1\\allowbreak{}", _escaped(bare))
        lines.append(rf"\texttt{{{'~' * (len(line) - len(bare))}{broken}}}")
    return r" \newline ".join(lines)


def _escaped(plain: str) -> str:
    """Text as it has to be written, which may be broken where a path or a name has a joint."""
    found = "".join(_LATEX.get(letter, letter) for letter in plain)
    return re.sub(r"(\\_|/)", r"\1\\allowbreak{}", found)


def markup(table: Table) -> str:
    """Return the table in HTML; every text is escaped."""
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in table.header)
    rows = []
    for row in table.rows:
        first, *others = map(_markup_cell, row)
        rows.append(f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in others) + "</tr>")
    top = f"<thead><tr>{head}</tr></thead>" if head else ""
    caption = f"<caption><b>{html.escape(table.letter)}</b> {html.escape(table.title)}</caption>"
    return f'<table class="methods">{caption}{top}<tbody>{"".join(rows)}</tbody></table>'


def _markup_cell(cell: str) -> str:
    escaped = html.escape(cell)
    if isinstance(cell, Code):
        return f'<code style="white-space: pre-wrap">{escaped}</code>'
    return escaped.replace("\n", "<br>")
