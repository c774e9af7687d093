"""The command ``neurodyn conformance``: what it prints, writes and answers."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from neurodyn import cli
from neurodyn.conformance.batches import BATCHES
from neurodyn.conformance.circuits import BORDERS, EXACT, QUICK, TOLERANT
from neurodyn.conformance.golden import GOLDEN
from neurodyn.conformance.orders import EXPECTED
from neurodyn.conformance.report import BEGIN, END
from neurodyn.conformance.table import lines

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"


def conformance(*words: str) -> int:
    return cli.main(["conformance", *words])


def test_a_table(capsys):
    circuits = ("heterogeneous", "rates", "empty_population")
    assert conformance("--circuit", *circuits, "--runner", "interpreter", "numba", "brian2") == 0
    out = capsys.readouterr().out
    assert re.search(r"^float64 +interpreter +numba +brian2$", out, re.M)
    assert re.search(r"^heterogeneous +reference +exact +exact$", out, re.M)
    assert re.search(r"^rates +reference +tolerant \de-16 +tolerant 0$", out, re.M)
    assert re.search(r"^empty_population +reference +exact +refused \[1\]$", out, re.M)
    parted = r"parts at step 61 \(61 ms\), rate -0\.7%"
    assert re.search(rf"^heterogeneous +{parted} +{parted} +refused \[2\]$", out, re.M)
    assert re.search(r"^rates +within 0\.001 for 400 steps", out, re.M)
    assert re.search(rf"^heterogeneous +({GOLDEN['heterogeneous']} *){{3}}$", out, re.M)
    assert re.search(r"^\[1\] population 'cells' is empty", out, re.M)
    assert re.search(r"^\[2\] dtype = 'float32'", out, re.M)
    assert out.splitlines()[-1].endswith("4 refused, 0 FAILED")


def test_a_failure_is_told_and_answered_with_1(capsys, wrong, tmp_path):
    page = tmp_path / "table.md"
    words = ("--circuit", "silent_and_busy_sources", "arithmetic", "--dtype", "float64", "--out", str(page))
    assert conformance("--runner", wrong("Late"), wrong("Right"), *words) == 1
    out = capsys.readouterr().out
    assert re.search(r"^silent_and_busy_sources +FAILED \[1\] +exact$", out, re.M)
    assert (
        "[1] wrong_runners:Late on circuit 'silent_and_busy_sources': step 1 (t = 2 ms), state/cells/v, unit 0" in out
    )
    assert "1 FAILED" in out.splitlines()[-1]
    assert "FAILED [1]" in page.read_text()
    hashes = page.read_text().partition("**hash of the spike trains, float64**")[2].splitlines()
    assert hashes[2:4] == ["| circuit | wrong_runners:Late | wrong_runners:Right |", "|---|---|---|"]  # none described


def test_a_runner_that_breaks_is_a_failure_not_an_end(capsys, wrong):
    assert conformance("--runner", wrong("Broken"), "--circuit", "one_step", "--dtype", "float64") == 1
    out = capsys.readouterr().out
    assert "wrong_runners:Broken on 'one_step' in float64: RuntimeError: division by cucumber" in out


def test_full_looks_at_cuts_too(capsys, wrong):
    words = ("--runner", wrong("Cutting"), "--circuit", "delays_of_any_length", "--dtype", "float64")
    assert conformance(*words) == 0
    assert conformance(*words, "--full") == 1
    assert "in chunks of (1, 7, 2, 131, 3) steps beside one piece: step" in capsys.readouterr().out


def test_json(capsys, wrong):
    assert (
        conformance("--runner", "interpreter", wrong("Late"), "--circuit", "all_spikes", "--dtype", "float64", "--json")
        == 1
    )
    told = json.loads(capsys.readouterr().out)
    assert told["passed"] is False
    statuses = [(cell["circuit"], cell["runner"], cell["dtype"], cell["status"]) for cell in told["cells"]]
    assert statuses == [
        ("all_spikes", "interpreter", "float64", "reference"),
        ("all_spikes", "wrong_runners:Late", "float64", "FAILED"),
    ]
    assert "numpy" in told["versions"]


@pytest.mark.parametrize(
    "words, says",
    [
        (["--runner", "numbaa"], "did you mean 'numba'"),
        (["--runner", "nowhere:Engine"], "runner 'nowhere:Engine' can't be imported as 'package.module:Class'"),
        (["--runner", "neurodyn.program:Program"], "is no subclass of neurodyn.backends.engine.Engine"),
        (["--runner", "numba@cuda"], "backend 'numba' computes on the CPU; use backend='torch'"),
        (["--circuit", "delay"], "did you mean 'delays'"),
        (["--dtype", "float16"], "float16"),
        (["--quick", "--full"], "not allowed with"),
    ],
)
def test_what_cannot_be_carried_out(words, says, capsys):
    assert conformance(*words) == 2
    assert says in capsys.readouterr().err


def test_a_runner_may_lie_in_the_current_folder(tmp_path, monkeypatch, capsys):
    """As it does on docs/extend.md; here one that is found, but is no runner."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    (tmp_path / "runner_in_this_folder.py").write_text("class Mine: pass\n")
    monkeypatch.setitem(sys.modules, "runner_in_this_folder", None)  # forgotten again at the end
    del sys.modules["runner_in_this_folder"]
    assert conformance("--runner", "runner_in_this_folder:Mine") == 2
    assert "is no subclass of neurodyn.backends.engine.Engine" in capsys.readouterr().err


def test_a_page_keeps_all_but_its_table(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    words = ("--runner", "interpreter", "--circuit", "one_step", "--dtype", "float64", "--out", str(page))
    assert conformance(*words) == 0
    text = page.read_text()
    assert text.startswith(
        f"before\n{BEGIN}\nMade by `neurodyn conformance --runner interpreter --circuit one_step --dtype float64 --out "
    )
    assert (
        text.endswith(f"{END}\nafter\n")
        and "old" not in text
        and "| circuit | interpreter | what it covers |\n|---|---|---|\n| `one_step` | reference | A run of one step. |"
        in text
    )
    assert conformance(*words) == 0
    assert page.read_text().count(BEGIN) == 1
    page.write_text("somebody's notes")
    assert conformance(*words) == 2
    assert page.read_text() == "somebody's notes"
    assert "has no place for the table" in capsys.readouterr().err


def test_which_rows_there_are():
    rows = [(line.section, line.name, line.dtype) for line in lines()]
    assert len(rows) == len(set(rows)) == 2 * len([*EXACT, *BORDERS, *TOLERANT]) + len([*GOLDEN, *BATCHES, *EXPECTED])
    assert {line.name for line in lines(quick=True)} >= set(QUICK)
    assert len(lines(quick=True)) < len(rows)
    assert {line.dtype for line in lines(dtypes=["float32"])} == {"float32"}


def test_the_page_in_the_docs_holds_the_table_of_today():
    table = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    for line in lines():
        assert f"| `{line.name}` |" in table, f"make it again: neurodyn conformance --full --out {PAGE.name}"
    assert "FAILED [" not in table and "0 FAILED" in table
