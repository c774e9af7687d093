"""The bibliography: references by key, and which of them stand behind a circuit, a recording, a model."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import neurodyn
from neurodyn.circuit import Circuit
from neurodyn.parts import Population
from neurodyn.plasticity.rule import Rule, SynapticRule
from neurodyn.recording import Recording, load
from neurodyn.report.circuits import circuit_of

#: what is cited because it computed, by the name of the runner
RUNNERS: Mapping[str, tuple[str, ...]] = {
    "numba": ("lam2015",),
    "torch": ("paszke2019",),
    "interpreter": ("harris2020",),
    "brian2": (),
}
_ACCENTS = {'"': "\u0308", "'": "\u0301", "`": "\u0300", "c": "\u0327", "u": "\u0306"}
_MANY = 6  # authors, from which on the first stands for all
OWN, LANGUAGE = "neurodyn", "stimberg2019"  # of every circuit: its equations are Brian2's


def bibtex(*things: Any) -> str:
    """Return the BibTeX entries of what things use, each once: neurodyn, then the papers of models and rules, then the tools.

    Parameters
    ----------
    things : Recording, path of one, Circuit or a part of it, model, rule, task, function or class of neurodyn, or text
        A recording is asked for its network, its rules, its task, and the runner that computed it; other things for what
        they say they come from. Text is a key ("izhikevich2003"), or a BibTeX entry, which is returned as it is. Without
        things, all that is in the bibliography.

    Raises
    ------
    ValueError
        A key that the bibliography doesn't have, or a thing that says nothing of its sources and could not.

    Examples
    --------
    >>> import neurodyn as nd
    >>> nd.bibtex(nd.stdp).count("@")  # neurodyn, and three papers
    4
    """
    wanted = keys_of(*things) if things else tuple(_entries())
    return "\n\n".join(_entry(key) for key in wanted) + "\n"


def keys_of(*things: Any) -> tuple[str, ...]:
    """Return the keys of what things use, each once; see :func:`bibtex`."""
    return _once(key for thing in things for key in _keys(thing))


def keys_of_recording(recording: Recording, circuit: Circuit | None) -> tuple[str, ...]:
    """Return the keys of what a recording uses, whose circuit is read already."""
    return _once(_of_recording(recording, circuit))


def _once(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((OWN, *keys)))


def short(key: str) -> str:
    """A reference as one line of text: authors, year, title, where, and DOI or arXiv number."""
    f = _fields(_entry(key))
    if not {"author", "year"} <= f.keys():  # an entry of a user, or none
        return f.get("title") or " ".join(_entry(key).split()).removeprefix("% ")
    authors = [name.strip() for name in f["author"].split(" and ")]
    if len(authors) > _MANY or authors[-1] == "others":
        names = f"{_initials(authors[0])} et al."
    else:
        names = " and ".join(x for x in (", ".join(_initials(a) for a in authors[:-1]), _initials(authors[-1])) if x)
    version = f"Version {f['version']}" if "version" in f else ""
    where = version or f.get("journal") or f.get("booktitle") or f.get("publisher") or ""
    numbers = " ".join(x for x in (f.get("volume", ""), f.get("pages", "").replace("--", "-")) if x)
    link = f"doi:{f['doi']}" if "doi" in f else f"arXiv:{f['eprint']}" if "eprint" in f else f.get("url", "")
    what = ", ".join(x for x in (where, numbers.replace(" ", ":", 1), link) if x)
    return ". ".join(x for x in (f"{names} ({f['year']})", f.get("title", key), what) if x)


def _initials(author: str) -> str:
    """Family name and initials of "Izhikevich, Eugene M."; a name without a comma as it is."""
    family, comma, given = author.partition(", ")
    initials = "".join(re.findall(r"\b[A-Z]", given))
    return f"{family} {initials}" if comma else author


def _keys(thing: Any) -> Iterator[str]:
    if isinstance(thing, Recording):
        yield from _of_recording(thing, circuit_of(thing))
    elif isinstance(thing, Path) or (isinstance(thing, str) and Path(thing).suffix in (".h5", ".hdf5")):
        yield from _keys(load(thing))
    elif isinstance(thing, str):
        yield _known(thing)
    elif isinstance(thing, Circuit):
        yield from _of_circuit(thing)
    elif hasattr(thing, "recording") and isinstance(thing.recording, Recording):  # a training
        yield from _keys(thing.recording)
    elif isinstance(thing, Population):
        yield from (*thing.references, LANGUAGE)
    elif callable(getattr(thing, "session", None)) or hasattr(thing, "references"):
        yield from getattr(thing, "references", ())
    elif str(getattr(thing, "__module__", "")).startswith("neurodyn"):
        return  # of neurodyn itself: a recipe without a source
    else:
        raise ValueError(
            f"{thing!r} is nothing that nd.bibtex knows the sources of; give a recording, a circuit, a model, a rule or a task"
        )


def _of_circuit(circuit: Circuit) -> Iterator[str]:
    yield from circuit.references
    for population in circuit.populations:
        yield from getattr(population, "references", ())
    rules: list[Rule | SynapticRule] = [r.rule for r in circuit.readouts if r.rule is not None]
    for rule in [*(rule for c in circuit.connections for rule in c.rules), *rules]:
        yield from rule.references
    yield LANGUAGE


def _of_recording(recording: Recording, circuit: Circuit | None) -> Iterator[str]:
    config = recording.config
    for name in _names(config):
        yield from getattr(_public(name), "references", ())
    if "blur" in _mapping(config, "training"):  # the loss of nd.emulate
        yield from neurodyn.emulate.references  # type: ignore[attr-defined]
    if made := _mapping(config, "analyses"):
        from neurodyn.analyses import ANALYSES

        for name in made:
            yield from getattr(getattr(ANALYSES.get(name), "function", None), "references", ())
    if circuit is not None:
        yield from _of_circuit(circuit)
    yield from RUNNERS.get(str(recording.attrs.get("backend", "")), ())


def _names(config: Mapping[str, Any]) -> Iterator[str]:
    """Public names that a configuration holds: of network, coding, task and curriculum, and in the text of the learner."""
    yield str(_mapping(config, "network").get("network", ""))
    yield str(_mapping(_mapping(config, "training"), "curriculum").get("curriculum", ""))
    for section in ("task", "session"):
        yield str(_mapping(config, section).get("task", ""))
    yield str(_mapping(_mapping(config, "network"), "output").get("coding", ""))
    yield from re.findall(r"\b([A-Z]\w*)(?=\()", str(_mapping(config, "simulate").get("learn", "")))


def _mapping(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name)
    return found if isinstance(found, Mapping) else {}


def _public(name: str) -> Any:
    """What has this public name in neurodyn or its tasks; None where there is none."""
    from neurodyn import tasks

    if name in tasks.__all__:
        return getattr(tasks, name)
    return getattr(neurodyn, name) if name in neurodyn.__all__ else None


@cache
def _entries() -> dict[str, str]:
    """Entries of the file by key, in its order."""
    text = Path(__file__).with_name("references.bib").read_text(encoding="utf-8")
    text = text.replace("VERSION", neurodyn.__version__)
    found = [entry.strip() for entry in re.split(r"\n(?=@)", text) if entry.startswith("@")]
    return {re.match(r"@\w+\{([^,]+),", entry)[1]: entry for entry in found}  # type: ignore[index]


def _known(key: str) -> str:
    """A key that was typed, or an entry; others are refused."""
    if not key.lstrip().startswith("@") and key not in _entries():
        near = difflib.get_close_matches(key, _entries(), n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(_entries())}."
        raise ValueError(f"{key!r} is no key of the bibliography; {hint} An entry of your own begins with '@'")
    return key


def _entry(key: str) -> str:
    """The entry of a key; of one that a file brings and this version doesn't have, a comment."""
    if key.lstrip().startswith("@"):
        return key.strip()
    return (
        _entries().get(key) or f"% {' '.join(key.split())}: not in the bibliography of neurodyn {neurodyn.__version__}"
    )


def _fields(entry: str) -> dict[str, str]:
    """Fields of an entry as plain text, without braces and escapes."""
    pairs: Iterable[tuple[str, str]] = re.findall(r"^\s*(\w+)\s*=\s*[{\"](.*?)[}\"],?\s*$", entry, re.MULTILINE)
    return {name.lower(): _plain(value) for name, value in pairs}


def _plain(text: str) -> str:
    accented = re.sub(r"\{\\([\"'`cu])\s*(\w)\}", lambda m: unicodedata.normalize("NFC", m[2] + _ACCENTS[m[1]]), text)
    return re.sub(r"[{}]|\\(?=[&%_])", "", accented).replace("``", "\u201c").replace("''", "\u201d")
