"""Write the notebook of each tutorial from its source: `python tutorials/pair.py`.

A tutorial is edited as NN_name.py (jupytext's percent format) or, in Jupyter with jupytext, as the notebook, which
then writes both. Notebooks are kept without outputs; `make docs` and the tests execute them.
"""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat

HERE = Path(__file__).parent
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebook_of(source: Path) -> str:
    """Return the text of the notebook of a tutorial, the same for the same source."""
    notebook = jupytext.read(source)
    notebook.metadata = nbformat.from_dict(
        {"jupytext": {"formats": "ipynb,py:percent"}, "kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # jupytext draws them at random
    return nbformat.writes(notebook) + "\n"


def sources() -> list[Path]:
    """Return the sources of all tutorials in their order."""
    return sorted(HERE.glob("[0-9][0-9]_*.py"))


if __name__ == "__main__":
    for source in sources():
        source.with_suffix(".ipynb").write_text(notebook_of(source))
