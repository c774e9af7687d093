"""Entries are whole, and every model, rule and task says what it comes from, or that it comes from nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import neurodyn as nd
from neurodyn.report.bibliography import RUNNERS, _entries, _fields, bibtex, keys_of, short

# What is a tool or a form and has no paper: descriptions, codings and protocols of our own, and what picks among models.
WITHOUT = {
    "AnalogCoding", "JointAngles", "Layer", "NoCurriculum", "Rule", "Supervised", "SymbolCoding", "SynapticRule", "Trace",
    "blocks", "cells", "expected", "local_gate", "log_likelihood_per_symbol", "protocol", "sweep", "switching", "window_gate",
}  # fmt: skip
WHERE = ("neurodyn.models", "neurodyn.plasticity", "neurodyn.training.curricula", "neurodyn.tasks")
FURTHER = ("ErrorRegression", "emulate", "fit")


def sourced() -> dict[str, object]:
    """Every public model, rule, curriculum and task by name."""
    found = {name: getattr(nd, name) for name in nd.__all__ if name in nd._PUBLIC}
    found = {k: v for k, v in found.items() if getattr(v, "__module__", "").startswith(WHERE) or k in FURTHER}
    return found | {name: getattr(nd.tasks, name) for name in nd.tasks.__all__}


def test_every_model_rule_and_task_says_its_source() -> None:
    names = sourced()
    assert len(names) > 60 and set(names) >= WITHOUT
    for name, thing in names.items():
        said = vars(thing).get("references", ())
        assert bool(said) != (name in WITHOUT), f"{name}: say `references` (neurodyn/citing.py), or enter it in WITHOUT"
        assert set(said) <= set(_entries()), f"{name}: {said} are not all in references.bib"


def test_entries_are_whole() -> None:
    text = Path(nd.report.__code__.co_filename).with_name("references.bib").read_text(encoding="utf-8")
    assert text.count("\n@") == len(_entries())  # no key twice
    for key, entry in _entries().items():
        fields = _fields(entry)
        assert {"author", "title", "year"} <= fields.keys(), key
        assert entry.count("{") == entry.count("}") and entry.isascii()
        assert fields["year"] in key or key == "neurodyn"
        assert re.fullmatch(r"10\.\d{4,}/\S+", fields.get("doi", "10.1000/none"))
        if key != "neurodyn":
            assert {"journal", "booktitle", "publisher"} & fields.keys(), key
    assert {key for keys in RUNNERS.values() for key in keys} <= _entries().keys()


def test_a_reference_in_words() -> None:
    assert short("izhikevich2003") == (
        "Izhikevich EM (2003). Simple model of spiking neurons. IEEE Transactions on Neural Networks, 14:1569-1572, "
        "doi:10.1109/TNN.2003.820440"
    )
    assert short("torre2025").startswith("Torre E, Viscione M, Pompe L, Grewe BF and Mante V (2025).")
    assert short("bellec2020").startswith("Bellec G et al. (2020).") and "Frémaux N and" in short("fremaux2016")
    assert "Schäfer TJ" in short("khajehabdollahi2024") and "arXiv:2309.12927" in short("khajehabdollahi2024")
    assert "Joint encoding of “what” and “when”" in short("yamada2025")
    assert short("neurodyn") == f"The neurodyn authors (2026). neurodyn. Version {nd.__version__}"


def test_parts_carry_their_references_through_circuits_and_trees() -> None:
    cells = nd.cells("2007/nicola_clopath").population("cells", 3)
    assert cells.references == ("izhikevich2007", "nicola2017")
    assert nd.adaptive_exponential("a", 1).references == ("brette2005",)
    assert nd.adaptive_exponential("a", 1, cell="tonic").references == ("brette2005", "naud2008")
    link = nd.Connection(
        cells, cells, "I_syn", pattern="all", weight="1 pA", rules=nd.stdp(A_plus="1 pA", A_minus="1 pA")
    )
    net = nd.Circuit([cells], [link], references=("@misc{mine,\n  title = {Mine},\n}",))
    again = nd.Circuit.from_tree(net.to_tree())
    assert again.references == net.references and again["cells"].references == cells.references
    keys = ("izhikevich2007", "nicola2017", "song2000", "vanrossum2000", "morrison2008", "stimberg2019")
    assert keys_of(again) == ("neurodyn", *net.references, *keys)
    assert "@misc{mine,\n  title = {Mine},\n}\n\n@book{izhikevich2007," in bibtex(again)
    assert "references" not in nd.Circuit([nd.Population("a", 1, "x : 1")]).to_tree()  # nothing said, nothing stored
    assert keys_of(nd.NicolaClopath("sine", neurons=10))[1:4] == ("nicola2017", "sussillo2009", "stimberg2019")


def test_what_a_recording_used(kinds: dict[str, Path]) -> None:
    of = {name: keys_of(path)[1:] for name, path in kinds.items()}
    assert of["session"] == ("yamada2025", "sussillo2009", "izhikevich2003", "stimberg2019", "harris2020")
    assert of["training"] == ("khajehabdollahi2024", "paszke2019")
    assert of["models"] == ("ahmadi2019", "soda2023", "paszke2019")
    assert of["results"] == () and of["stopped"] == ("harris2020",)
    assert keys_of(str(kinds["session"])) == keys_of(nd.load(kinds["session"]))
    assert keys_of(nd.load_training(kinds["training"])) == keys_of(kinds["training"])


def test_keys_and_entries_of_others_do_no_harm() -> None:
    net = nd.Circuit([nd.Population("a", 1, "x : 1", references=("new\n2030", "@misc{x, note={n}}"))])
    assert "% new 2030: not in the bibliography of neurodyn" in bibtex(net) and "\n@misc{x, note={n}}\n" in bibtex(net)
    assert short("new\n2030").startswith("new 2030: not in") and short("@misc{x, note={n}}") == "@misc{x, note={n}}"
    assert short("@misc{x,\n  title = {Of mine},\n}") == "Of mine"


def test_things_of_many_kinds() -> None:
    assert keys_of(nd.FORCE, nd.FORCE(), nd.tasks.Parity(), nd.stdp, "nordlie2009")[1:] == (
        "sussillo2009", "khajehabdollahi2024", "song2000", "vanrossum2000", "morrison2008", "nordlie2009",
    )  # fmt: skip
    assert keys_of(nd.tasks.blocks) == ("neurodyn",)
    assert bibtex().count("\n@") == len(_entries()) - 1
    assert f"version = {{{nd.__version__}}}" in bibtex(nd.FORCE)


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        ("izhikevic2003", "did you mean izhikevich2003"),
        ([].append, "is nothing that"),
        (3, "3 is nothing that nd.bibtex knows the sources of"),
    ],
)
def test_refusals(thing: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bibtex(thing)


def test_an_analysis_is_cited(kinds: dict[str, Path], tmp_path: Path) -> None:
    from neurodyn.recording import annotate

    path = tmp_path / "a.analysis.h5"
    annotate(path, config={"analyses": {"fixed-points": {}, "unknown": {}}}, results={})
    assert keys_of(path)[1:] == ("sussillo2013", "golub2018")
