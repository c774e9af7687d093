"""Make the pages of the API reference from the tables of public names; conf.py calls `write` at each build.

A page is a table of first sentences, then each name with its docstring. What a name means stands in its docstring and
nowhere else; here stands only on which page a name is.
"""

from __future__ import annotations

import inspect
import os.path
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from sphinx.pycode import ModuleAnalyzer

import neurodyn

# Page: its title and where its names of `nd` are defined (module, or folder of modules, in neurodyn).
_PAGES = {
    "describe": ("Describe a network", ("circuit", "parts", "session", "language")),
    "run": ("Run", ("simulate", "running", "estimate", "compare", "comparison", "rerun", "simulation", "outcome")),
    "record": ("Record and read", ("recording",)),
    "rules": ("Rules", ("plasticity",)),
    "models": ("Models", ("models",)),
    "tasks": ("Tasks", ("tasks",)),
    "train": ("Train", ("training",)),
    "plots": ("Plots", ("plots",)),
    "scan": ("Scan", ("scan",)),
    "doors": ("Doors: import, export, reports", ("doors", "report")),
    "units": ("Units", ("units",)),
}
_TEXTS = {
    "describe": "Frozen descriptions: what a network is made of, and the trials that it lives through.",
    "run": "What runs a description, says beforehand what it costs, compares runs, and makes a function a command.",
    "doors": "From and to the tools that people already use; pages and tables made from recordings.",
}
# Pages that begin with all that the docstring of their module says, and not with its first paragraph alone.
_WHOLE = ("plots", "train")
# Public modules whose names are asked for by their module, as in nd.tasks.sine, and the page of each.
_MODULES = {
    "recording": "record", "models.chaotic": "models", "models.force": "models", "models.patterns": "models",
    "models.rest": "models", "tasks": "tasks", "training": "train", "plots": "plots", "doors": "doors", "units": "units",
}  # fmt: skip
# What functions of a page return and raise, and what methods hand on to, at the end of the page: nobody calls it by hand.
_RETURNED = {
    "describe": ("backends.brian2_network.Brian2Network", "backends.step_function.StepFunction"),
    "run": (
        "compare.Comparison", "comparison.found.RunComparison", "estimate.Estimate", "parameters.ParameterError",
        "rerun.Rerun", "rerun.RerunError", "simulation.Simulation",
    ),
    "models": (
        "models.cells.Cell", "models.generative.FreeEnergy", "models.generative.Rollout", "models.hmm_rnn.Generated",
        "models.hmm_rnn_circuit.hmm_rnn_circuit", "models.izhikevich_2007.Cell2007",
        "models.pvrnn_circuit.pvrnn_circuit", "models.responses.Response", "models.time_constants.TimeConstants",
    ),
    "tasks": (
        "tasks.digits.Batch", "tasks.hidden_markov_choice.HiddenMarkovChoice", "tasks.hidden_markov_fit.HiddenMarkovFit",
        "tasks.switching.PrimitiveSample", "tasks.switching.Segments",
    ),
    "train": ("training.error_regression.Regressed", "training.error_regression.RegressionRun"),
    "scan": ("scan.options.RunOptions", "scan.probe.DryRun", "scan.status.Status", "scripts.ScriptError"),
    "doors": ("report.description.Methods",),
}  # fmt: skip
# Values have no docstring: modules whose comments describe those of a public module that only hands them on.
_COMMENTS = {
    "neurodyn": ("units",),
    "neurodyn.models.force": ("models.force_published",),
    "neurodyn.plots": ("plots.styles",),
    "neurodyn.recording": ("recording.layout",),
    "neurodyn.units": ("units", "_unit_text"),
}


@dataclass(frozen=True)
class Name:
    """A public name: ``full`` as it is imported (neurodyn.analysis.pca), and the object; whether it is only returned."""

    full: str
    target: Any
    returned: bool = False

    @property
    def last(self) -> str:
        return self.full.rpartition(".")[2]

    @property
    def kind(self) -> str:
        """Which kind of object: "class", "function" or "value"."""
        if inspect.isclass(self.target):
            return "class"
        return "function" if inspect.isroutine(self.target) else "value"

    @property
    def doc(self) -> str:
        """The docstring, or the comment beside a value."""
        if self.kind != "value":
            return inspect.getdoc(self.target) or ""
        module = self.full.rpartition(".")[0]
        homes = [f"neurodyn.{home}" for home in _COMMENTS.get(module, ())] or [module]
        comments = [ModuleAnalyzer.for_module(home).find_attr_docs().get(("", self.last), []) for home in homes]
        return "\n".join(line for lines in comments for line in lines).strip()


@dataclass(frozen=True)
class Page:
    """A page of the reference: its file without suffix, title, an opening sentence, and the names on it."""

    file: str
    title: str
    text: str
    names: tuple[Name, ...]


def public_names(module: ModuleType) -> list[Name]:
    """The public names of a module: its ``__all__``, or else what is defined in it."""
    names = getattr(module, "__all__", None)
    if names is None:
        names = [n for n, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
        names += [name for owner, name in ModuleAnalyzer.for_module(module.__name__).find_attr_docs() if not owner]
    found = [Name(f"{module.__name__}.{n}", getattr(module, n)) for n in names if not n.startswith("_")]
    return [name for name in found if not inspect.ismodule(name.target)]


def pages() -> list[Page]:
    """All pages in the order of the contents; each public object stands on exactly one."""
    names: dict[str, list[Name]] = {page: [] for page in _PAGES}
    page_of = {home: page for page, (_, homes) in _PAGES.items() for home in homes}
    for name in public_names(neurodyn):
        names[page_of[neurodyn._PUBLIC[name.last].split(".")[0]]].append(name)
    seen = {(name.last, id(name.target)) for page in names.values() for name in page}
    for module, page in _MODULES.items():
        for name in public_names(import_module(f"neurodyn.{module}")):
            if (name.last, id(name.target)) not in seen:
                seen.add((name.last, id(name.target)))
                names[page].append(name)
    made = []
    for page, (title, homes) in _PAGES.items():
        doc = "" if page in _TEXTS else inspect.getdoc(import_module(f"neurodyn.{homes[0]}")) or ""
        text = _TEXTS.get(page) or (doc if page in _WHOLE else _opening(doc))
        ordered = sorted(names[page], key=_in_order)
        made.append(Page(page, title, text, (*ordered, *_returned(page))))
    at = list(_PAGES).index("plots")
    return made[:at] + _analysis() + made[at:]


def _in_order(name: Name) -> tuple[int, str, bool, str]:
    """What is at hand as nd.name comes first, then module by module; values come last."""
    module = name.full.rpartition(".")[0]
    return module.count("."), module, name.kind == "value", name.last.lower()


def _returned(page: str) -> list[Name]:
    """What the functions of a page return and raise."""
    paths = [f"neurodyn.{path}".rpartition(".") for path in _RETURNED.get(page, ())]
    return [Name(f"{module}.{last}", getattr(import_module(module), last), True) for module, _, last in paths]


def _analysis() -> list[Page]:
    """A page for each folder of analysis; a function stands before the class of its result."""
    from neurodyn import analysis

    folders: dict[str, list[Name]] = {}
    for last, home in analysis._MODULE_OF.items():
        folder = home.split(".")[0] if "." in home else "nulls"
        folders.setdefault(folder, []).append(Name(f"neurodyn.analysis.{last}", getattr(analysis, last)))
    made = []
    for folder, names in sorted(folders.items()):
        if folder == "nulls":
            title, text = (
                "Analysis: nulls and statistics",
                "What every analysis leans on: null tests, intervals, conventions.",
            )
        else:
            title, text = f"Analysis: {folder}", inspect.getdoc(import_module(f"neurodyn.analysis.{folder}")) or ""
        homes = list(dict.fromkeys(name.target.__module__ for name in names))
        ordered = sorted(names, key=lambda n: (homes.index(n.target.__module__), n.kind == "class"))
        made.append(Page(f"analysis_{folder}", title, text, tuple(ordered + _returned(f"analysis_{folder}"))))
    return made


def _opening(doc: str) -> str:
    return doc.split("\n\n")[0]


def first_sentence(doc: str) -> str:
    """The first sentence of a docstring, on one line; "et al." and the like don't end it."""
    text = " ".join(_opening(doc).split())
    return re.split(r"(?<!\bal\.)(?<!\bvs\.)(?<!e\.g\.)(?<!i\.e\.)(?<=[.])\s+(?=[A-Z`])", text)[0]


def _described(name: Name, heading: str) -> list[str]:
    """The section of a name: a heading, and the directive that brings in its docstring."""
    lines = ["", heading, "-" * len(heading), ""]
    if name.kind == "function":
        return [*lines, f".. autofunction:: {name.full}"]
    if name.kind == "value":
        shown = isinstance(name.target, int | float | str | tuple) and len(repr(name.target)) <= 100
        value = [f"   :value: {name.target!r}"] if shown else []
        return [*lines, f".. py:data:: {name.full}", *value, "", *(f"   {line}" for line in name.doc.splitlines())]
    foreign = [c.__name__ for c in name.target.__mro__ if not c.__module__.startswith("neurodyn")]
    members = ["   :members:", f"   :inherited-members: {', '.join(foreign)}"]
    if issubclass(name.target, Exception):
        return [*lines, f".. autoexception:: {name.full}", *members, "   :show-inheritance:"]
    return [*lines, f".. autoclass:: {name.full}", *members]


def _text(page: Page) -> str:
    lines = [".. highlight:: none", "", page.title, "=" * len(page.title), "", page.text, ""]
    modules = [name.full.split(".")[:-1] for name in page.names if not name.returned]
    shared = len(os.path.commonprefix(modules))  # what all names begin with is left out
    lines += [f".. py:currentmodule:: {'.'.join(modules[0][:shared])}", ""]  # where the sentences' own links begin
    lines += [".. list-table::", "   :widths: 30 70", ""]
    headings = [name.last if name.returned else ".".join(name.full.split(".")[shared:]) for name in page.names]
    for name, heading in zip(page.names, headings, strict=True):
        role = {"class": "class", "function": "func", "value": "data"}[name.kind]
        lines += [f"   * - :py:{role}:`{heading} <{name.full}>`", f"     - {first_sentence(name.doc)}"]
    lines += ["", ".. py:currentmodule:: None"]
    for name, heading in zip(page.names, headings, strict=True):
        lines += _described(name, heading)
    return "\n".join(lines) + "\n"


_INDEX = """Reference
=========

Every public name, by what it is for. In all of it ``nd`` is ``import neurodyn as nd``. Shapes of arrays name their axes:
(time, unit). A quantity is text with its unit, ``"20 ms"``, or a number where it has none. A seed, or key, is a whole
number: the same one gives the same draws.

.. toctree::
   :hidden:
   :maxdepth: 1

"""


def _index(made: list[Page]) -> str:
    """The first page: what each page is about."""
    lines = [*(f"   {page.file}" for page in made), "", ".. list-table::", "   :widths: 30 70", ""]
    for page in made:
        lines += [f"   * - :doc:`{page.title} <{page.file}>`", f"     - {' '.join(_opening(page.text).split())}"]
    return _INDEX + "\n".join(lines) + "\n"


def whole_text(app: object, what: str, name: str, target: object, options: object, lines: list[str]) -> None:
    """Keep napoleon from reading "share: of what" of a property as its type: an empty comment goes before (autodoc's hook)."""
    if what in ("property", "attribute"):
        lines[:0] = ["..", ""]


def write(folder: Path) -> list[Path]:
    """Write the pages and ``index.rst`` into ``folder``; pages of names that are gone are removed.

    A page that did not change is not touched, so that Sphinx reads again only what is new.

    Parameters
    ----------
    folder : Path
        Made if it isn't there.

    Returns
    -------
    list of Path
        The pages, the index first.
    """
    made = pages()
    texts = {"index": _index(made)} | {page.file: _text(page) for page in made}
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.rst"):
        if old.stem not in texts:
            old.unlink()
    paths = []
    for name, text in texts.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        paths.append(path)
    return paths
