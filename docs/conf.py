"""How Sphinx makes the documentation: `make docs`."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import reference  # noqa: E402
import reference_text  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402

import neurodyn  # noqa: E402

project = "neurodyn"
author = "The neurodyn authors"
copyright = f"{date.today().year}, {author}"
release = version = neurodyn.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx-mathjax-offline",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "examples", "**/.ipynb_checkpoints", "tutorials/recordings", "tutorials/runs"]
nitpicky = False

# Pages are read on GitHub too, so they are plain Markdown: links between files, headings as anchors.
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
myst_links_external_new_tab = True
source_suffix = {".md": "myst-nb", ".rst": "restructuredtext", ".ipynb": "myst-nb"}

# Each tutorial is executed for its pictures; what did not change comes from the cache.
nb_execution_mode = "cache"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autosummary_generate = False
napoleon_google_docstring = False
napoleon_use_rtype = False
# Types are words ("array (time, unit)"): as text, not as names to be looked up.
napoleon_use_param = False
napoleon_custom_sections = [("Attributes", "params_style")]
default_role = "py:obj"
smartquotes_action = "De"  # dashes and dots; quotes stay straight, since most of them are of code
toc_object_entries = False
python_maximum_signature_line_length = 110
copybutton_prompt_text = "$ "

html_theme = "pydata_sphinx_theme"
html_title = f"neurodyn {release}"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
templates_path = ["_templates"]
html_sidebars = {"**": ["pages"], "index": ["pages"]}
html_theme_options = {
    "navbar_center": [],
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_show_sourcelink = False


# Folders beside this one whose pages belong to the documentation: copied below it, which Sphinx asks for.
GATHERED = {"tutorials": ("*.ipynb", "recordings/*.h5"), "benchmarks/results": ("*.md", "*.png")}


def gather() -> None:
    """Copy what lies beside docs/ into it; a file that is the same keeps its date, and its place in the cache."""
    for folder, patterns in GATHERED.items():
        target, beside = HERE / folder, HERE.parent / folder
        sources = [file for pattern in patterns for file in sorted(beside.glob(pattern))]
        for old in [file for pattern in patterns for file in target.glob(pattern)]:
            if not (beside / old.relative_to(target)).exists():
                old.unlink()
        for source in sources:
            copy = target / source.relative_to(beside)
            content = source.read_bytes()
            if source.suffix == ".ipynb":
                content = content.replace(b"](../docs/", b"](../")
            if not copy.exists() or copy.read_bytes() != content:
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(content)


def before_reading(app: Sphinx) -> None:
    """Make the pages that are not written by hand, before Sphinx looks for pages."""
    gather()
    reference.write(HERE / "reference")


def as_read_here(app: Sphinx, page: str, source: list[str]) -> None:
    """Point links to the copies; results of benchmarks are reached by links alone, not by a search."""
    for folder in GATHERED:
        source[0] = source[0].replace(f"](../{folder}/", f"]({folder}/")
    if page.startswith("benchmarks/"):
        source[0] = source[0].replace("](../../docs/", "](../../")
        source[0] = f"---\norphan: true\nnosearch: true\n---\n\n{source[0]}"


def setup(app: Sphinx) -> None:
    """Connect the steps above, and those of the reference."""
    app.connect("builder-inited", before_reading)
    app.connect("source-read", as_read_here)
    app.connect("autodoc-process-docstring", reference.whole_text, priority=400)  # before napoleon's, which is 500
    app.connect("autodoc-process-docstring", reference_text.shown_docstring, priority=390)
    app.connect("autodoc-process-signature", reference_text.shown_signature)
    app.connect("missing-reference", reference_text.link_from_afar)
