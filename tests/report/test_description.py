"""The methods tables say what the model is, in words, with units; and in each form they stay tables."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.report import Methods, methods, tables
from neurodyn.report.words import Code, words


def network() -> nd.Circuit:
    """Two populations with everything that a table has a word for."""
    cells = nd.Population(
        "cells",
        4,
        """dv/dt = (v_rest - v + R*drive)/tau : volt (unless refractory)
           I : amp""",
        threshold="v > -50*mV",
        reset="v = v_rest",
        refractory="2 ms",
        method="euler",
        parameters={"tau": "20 ms", "v_rest": "-70 mV", "R": "100 Mohm", "drive": nd.Uniform("180 pA", "260 pA")},
        initial={"v": nd.Normal("-60 mV", "2 mV")},
        silenced=[1, 3],
    )
    given = nd.SpikeTimes("given", 2, [0, 1, 0], "1 ms, 2 ms, 3 ms".split(", "))
    noise = nd.poisson("noise", 3, "10 Hz")
    drive = nd.Input("pulse", ("x",), pulses=(("1 ms", "2 ms", 3.0),))
    links = [
        nd.Connection(cells, cells, "I", probability=0.5, weight="2 pA", delay=nd.Uniform("1 ms", "5 ms"), name="back",
                      rules=nd.stdp(A_plus="1 pA", A_minus="1 pA"), bounds=("0 pA", None)),
        nd.Connection(given, cells, "I", pairs=([0, 1], [2, 3]), weight="i*pA", name="pairs"),
        nd.Connection(noise, cells, "I", pattern="all", weight=nd.Normal("0 pA", "20 pA"), name="all"),
    ]  # fmt: skip
    rate = nd.Filter("rate", cells, "20 ms", tau_rise="2 ms")
    rule = nd.Rule("delta", parameters={"eta": 0.02}, per_step="w += eta*x")
    out = nd.Readout("out", "rate", ("a", "b"), state={"x": "unit", "y": "output"}, memory={"w": "output*unit"},
                     per_step="x = r\ny = sum(w*x)", rule=rule)  # fmt: skip
    return nd.Circuit(
        [cells, given, noise], links, inputs=[drive], filters=[rate], readouts=[out], seed=7, name="all of it"
    )


def rows(found: Methods, letter: str) -> dict[str, tuple[str, ...]]:
    """Cells by the first one of their row, of all tables with a letter."""
    return {row[0]: row[1:] for table in found.tables if table.letter == letter for row in table.rows}


def titled(found: Methods, title: str) -> dict[str, str]:
    """The two columns of the table with a title."""
    (table,) = (table for table in found.tables if table.title == title)
    return {row[0]: row[1] for row in table.rows}


def test_every_part_of_a_circuit_is_described() -> None:
    found = methods(network())
    assert [table.letter for table in found.tables] == list("ABCDDDEF")
    a = {name: value for name, (value,) in rows(found, "A").items()}
    assert a["Populations"] == "cells (4 units), given (2 units), noise (3 units)" and a["Time step"] == "0.1 ms"
    assert a["Neuron model"].split("\n") == [
        "cells: spiking units, equations integrated by euler", "given: given spike times",
        "noise: spiking units, point process",
    ]  # fmt: skip
    assert a["Synapse model"] == "a spike adds its weight to I of cells" and a["Plasticity"] == "stdp, delta"
    assert "Song S, Miller KD and Abbott LF (2000)" in a["References"] and "neurodyn" not in a["References"]
    assert rows(found, "B")["cells"] == ("4", "spiking", "2 units silenced")
    c = rows(found, "C")
    assert c["back"] == (
        "cells", "cells.I", "each pair with probability 0.5, without autapses", "2 pA; plastic, bounds 0 pA and -",
        "uniform, 1 to 5 ms",
    )  # fmt: skip
    assert c["pairs"] == ("given", "cells.I", "2 given pairs", "i*pA", "none") and isinstance(c["pairs"][3], Code)
    assert c["all"][2:4] == ("all to all", "normal, mean 0 pA, SD 20 pA")
    d = {name: value for name, (value,) in rows(found, "D").items()}
    assert (
        d["Refractory"] == "2 ms"
        and "rate = 10 Hz" in d["Parameters"]
        and d["Start values"] == "v = normal, mean -60 mV, SD 2 mV"
    )
    cells = titled(found, "Neuron model: cells")
    assert "drive = uniform, 180 to 260 pA" in cells["Parameters"].split("\n") and cells["Spike"] == "v > -50*mV"
    assert cells["Dynamics"] == "dv/dt = (v_rest - v + R*drive)/tau : volt (unless refractory)\nI : amp"
    assert (
        d["rate"] == "spikes of cells, exponential, 20 ms, rise 2 ms; in Hz"
        and d["out, each step"] == "x = r\ny = sum(w*x)"
    )
    e = {name: value for name, (value,) in rows(found, "E").items()}
    assert e["stdp, trace x"] == "pre, decays with 20 ms" and e["stdp, parameters"] == "A_plus = 1 pA\nA_minus = 1 pA"
    assert e["delta, each step"] == "w += eta*x" and e["delta"] == "memory of readout out: w"
    f = {name: value for name, (value,) in rows(found, "F").items()}
    assert f["pulse"] == "channels x; pulses from the start of a trial, 1 ms to 2 ms: 3"
    assert f["given"] == "3 spikes of 2 units at given times"


def test_blocks_keep_their_indentation() -> None:
    """Also where all that follows the first line is inside of it; the indentation of a script goes."""
    block = "if x > 0:  # above\n    y = 1\n    if y > 0:\n        x = y"
    script = "\n        ".join(["", *block.split("\n"), ""])
    cells = [
        nd.Population(name, 1, code=code, variables={"x": "1", "y": "1"})
        for name, code in (("a", block), ("b", script))
    ]
    found = methods(nd.Circuit(cells))
    for name in ("a", "b"):
        assert titled(found, f"Neuron model: {name}")["Assignments of a step"] == block


def test_a_closed_loop_and_a_clamp_are_said() -> None:
    loop = nd.Input("loop", tuple(f"c{k}" for k in range(20)), function=lambda t, values: np.zeros(20), every="1 ms")
    net = nd.RateReservoir(5).with_part(loop).clamp("cells", "x", [0, 2], 0.5)
    found = methods(net)
    assert rows(found, "F")["loop"] == (
        "channels c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, ..., c19 (20 in all); a closed loop: a Python function, "
        "asked every 1 ms",
    )
    assert rows(found, "B")["cells"][2] == "x of 2 units clamped" and rows(found, "C")["recurrent"][4] == "1 step"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("20 ms", "20 ms"),
        (3, "3"),
        (nd.Uniform(0, "2 nS"), "uniform, 0 to 2 nS"),
        (nd.Uniform("a", "b"), "uniform, a to b"),
        (nd.Normal(0, 1), "normal, mean 0, SD 1"),
        ("where(i > 2, 1, 0)", "where(i > 2, 1, 0)"),
        ([1.0, 2.0], "1, 2"),
        (
            nd.Quantity(np.arange(10) * 1e-3, nd.units.dimensions_of("second")),
            "given, 10 values: 0 to 9 ms, mean 4.5 ms",
        ),
        (np.full((2, 3), 5.0), "5 (2 x 3 values)"),
        (np.array([[np.nan, 1.0], [2.0, np.nan]]), "given, 2 x 2 values: 1 to 2, mean 1.5"),
        (np.full(9, np.nan), "given, 9 values, none of them finite"),
        (np.empty(0), "none given"),
    ],
)
def test_values_in_words(value: object, said: str) -> None:
    assert words(value) == said


def test_numbers_without_a_unit_get_the_label_of_their_variable() -> None:
    assert words(nd.Uniform(-1.5, 1.5), unit="mV/ms (2003 form)") == "uniform, -1.5 to 1.5 mV/ms (2003 form)"
    assert words("5 ms", unit="mV") == "5 ms"


def test_a_recording_adds_what_was_fed_in_and_measured(kinds: dict[str, Path]) -> None:
    found = methods(kinds["session"])
    a, c, f, g = (rows(found, letter) for letter in "ACFG")
    assert a["Runner"] == ("interpreter, cpu, float64",) and a["Exactness"] == ("other runners agree to a tolerance",)
    assert re.fullmatch(r"each pair with probability 0.1, without autapses: \d+ synapses", c["recurrent"][2])
    assert f["task"] == ("WhatWhen",) and f["latencies"] == ("150 ms, 300 ms",)
    assert f["Trials"] == (
        f"{len(nd.load(kinds['session']).trials)} trials, {0.7 * len(nd.load(kinds['session']).trials):g} s in all",
    )
    assert re.fullmatch(r"\d+ spikes, 20 units", g["spikes/cells"][0]) and g["readout/when/y"][0].endswith("float64")
    assert found.references[1] == "yamada2025" and found.name == "spiking reservoir"


def test_a_training_is_described_with_its_network(kinds: dict[str, Path]) -> None:
    found = methods(kinds["training"])
    assert rows(found, "A")["network"] == ("LeakyRNN",) and "Plasticity" not in rows(found, "A")
    assert titled(found, "Training by gradient")["curriculum.curriculum"] == "MultiHead" and rows(found, "F")[
        "task"
    ] == ("Parity",)
    assert rows(found, "D")["readout"][0].endswith("head 99 output 1 (200 in all)")
    many = methods(nd.load_training(kinds["models"]))
    assert rows(many, "A")["layers.1.d"] == ("4",) and rows(many, "A")["seed"] == ("1, 2",)
    assert rows(many, "C")["recurrent_1"][2] == "given by the matrix of weights"


def test_networks_themselves() -> None:
    found = methods(nd.GRU(3, seed=2))
    assert rows(found, "A")["network"] == ("GRU",) and [t.letter for t in found.tables] == [
        "A"
    ]  # no circuit can be made
    assert rows(methods(nd.LeakyRNN(3)), "B")["units"][0] == "3"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nd.SpikingReservoir, r"call it: nd.methods\(SpikingReservoir\(\)\)"),
        (3, "3 is no model"),
        (nd.LeakyRNN, "is no model"),
    ],
)
def test_what_is_no_model_is_refused(model: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        methods(model)


def test_results_alone_have_no_model(kinds: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match="results alone and no network"):
        methods(kinds["results"])


class Cells(HTMLParser):
    """The cells of each table of a page, as text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[list[list[str]]] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag == "table":
            self.found.append([])
        elif tag == "tr":
            self.found[-1].append([])
        elif tag in ("td", "th"):
            self.found[-1][-1].append("")
        elif tag == "br":
            self.found[-1][-1][-1] += "\n"
        self._inside = (self._inside or tag in ("td", "th")) and tag not in ("caption",)

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1][-1][-1] += data


def test_html_holds_the_same_cells() -> None:
    found = methods(network())
    shown = Cells(found.html()).found
    assert len(shown) == len(found.tables) and found._repr_html_() == found.html()
    for table, cells in zip(found.tables, shown, strict=True):
        assert cells == [list(row) for row in (*([table.header] if table.header else []), *table.rows)]


def test_text_fits_and_markdown_keeps_its_columns() -> None:
    found = methods(network())
    assert max(map(len, str(found).split("\n"))) <= 100 and "drive = uniform, 180 to 260 pA" in str(found)
    assert str(found).startswith("all of it\n\nA  Model summary\n")
    for block in found.markdown().split("\n\n"):
        if block.startswith("|"):
            counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.strip().split("\n")}
            assert len(counts) == 1, block
    assert r"v\_rest = -70 mV" in found.markdown() and "<code>v &gt; -50*mV</code>" in found.markdown()


def test_a_number_in_groups_of_digits_is_not_broken() -> None:
    cell = "probability 0.1, no autapses: 4 110 synapses"  # the place of a break is behind the 4
    shown = tables.text(tables.Table("C", "Connectivity", ("a", "b", "c"), ((cell,) * 3,)))
    assert cell not in shown and shown.count("4 110 synapses") == 3 and "\u00a0" not in shown


def test_latex_is_balanced_and_escaped() -> None:
    text = methods(network().with_(name="50% of_it & $more")).latex()
    bare = re.sub(r"\\[{}%&$#_\\]", "", text)
    assert bare.count("{") == bare.count("}") and "$" not in bare and "_" not in bare
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == text.count(r"\toprule") == 8
    for block in re.findall(r"\\begin\{tabular\}.*?\\end\{tabular\}", text, re.DOTALL):
        columns = block.split("\n")[0].count(r"p{")
        for line in block.split("\n"):
            if line.endswith(r"\\") and "multicolumn" not in line:
                assert len(re.findall(r"(?<!\\)&", line)) == columns - 1, line
    assert r"\texttt{v \textgreater{} -50*\allowbreak{}mV}" in text


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles(tmp_path: Path) -> None:
    body = methods(network()).latex()
    page = rf"\documentclass{{article}}\usepackage{{array,booktabs}}\begin{{document}}{body}\end{{document}}"
    (tmp_path / "a.tex").write_text(page)
    subprocess.run(["pdflatex", "-halt-on-error", "a.tex"], cwd=tmp_path, check=True, capture_output=True, timeout=120)
