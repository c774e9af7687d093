"""The simulation of published facts: quick parts of it here, all of it as a slow test."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "simulations" / "izhikevich_patterns.py"


@pytest.fixture(scope="module")
def izhikevich_patterns():
    sys.path.insert(0, str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("izhikevich_patterns_script", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module.izhikevich_patterns
    sys.path.remove(str(SCRIPT.parent))


def failed(outcome):
    return [f"{c.name}: {c.value} not {c.threshold}" for c in outcome.checks if not c.passed]


@pytest.fixture
def page():
    """The script that makes the tables of docs/izhikevich.md."""
    folder = SCRIPT.parents[1] / "docs"
    sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location("izhikevich_page", folder / "izhikevich.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(folder))


def test_patterns_and_their_table(izhikevich_patterns, page):
    outcome = izhikevich_patterns(experiment="patterns")
    assert not failed(outcome) and len(outcome.checks) >= 75
    assert set(outcome.figures) == {"patterns"}

    class Stored:
        checks, results, config = [vars(c) for c in outcome.checks], outcome.results, {"parameters": outcome.config}

    class Other(Stored):
        checks = [c | {"value": 4.0} if "A, tonic" in c["name"] else c for c in Stored.checks]
        config = {"parameters": {"backend": "other"}}

    table = page.tables(Stored, [Other])["patterns"].splitlines()
    assert len(table) == 22 and table[2].startswith("| A tonic spiking | 0.25 | 5, 13 | 5, 13 | 5, 12.65 | 5, 12.65 |")
    assert "other 4" in table[2] and table[3].endswith("| the same |")


def check(name, value, reference, threshold="", passed=True):
    return name, {"name": name, "value": value, "reference": reference, "threshold": threshold, "passed": passed}


def test_tables_of_the_cells(page):
    checks = dict(
        [
            check("2007/FS, 100 pA, euler, 0.25 ms: spikes", 4.0, 4),
            check("2007/FS, 400 pA, euler, 0.25 ms: spikes", 15.0, 13, passed=False),
            check("2007/FS, 100 pA, euler, 0.01 ms: spikes", 5.0, 5),
            check("2007/FS, 400 pA, euler, 0.01 ms: spikes", 16.0, 16),
            check("2003/TC, released from inhibition, sequential, 0.25 ms: largest distance (ms)", 0.25, 0.0, "<= 0.5"),
            check("2003/FS, I = 20, euler, 0.01 ms: rate (Hz)", 313.5, 313.0),
            check("2003/FS, I = 20, half_steps, 1 ms: rate (Hz)", 122.0, 128.0),
            check("2007/RS, 52 pA, euler, 0.01 ms: rate (Hz)", 1.0, 1.0),
            check("2007/RS: rest ends, saddle-node, euler (pA)", 51.43, 51.4286, ">= 51.1714 and <= 51.6857"),
        ]
    )
    same = dict.fromkeys(checks, "the same") | {"2007/FS, 400 pA, euler, 0.01 ms: spikes": "torch 15"}
    assert page.counts(checks, same).splitlines()[2:] == [
        "| 2007/FS | 100, 400 | 4, 13 | 4, **15** | 5, 16 | 5, 16 | torch 15 |"
    ]
    assert page.distances(checks, same).splitlines()[2:] == [
        "| 2003/TC | released from inhibition | 0.25 | ≤ 0.5 | the same |"
    ]
    assert page.rates(checks).splitlines()[2:] == [
        "| 2003/FS | 20 | 0.01 | 313 | 313.5 | 128 | 122 |",
        "| 2007/RS | 52 pA | 0.01 | 1 | 1 |  |  |",
    ]
    assert page.bifurcations(checks).splitlines()[2:] == [
        "| 2007/RS | saddle-node | 51.4286 pA | 51.43 pA | 51.1714 to 51.6857 pA |"
    ]


def test_every_table_has_a_place_in_the_page(page, tmp_path):
    text = (page.HERE / "izhikevich.md").read_text()
    copy = tmp_path / "izhikevich.md"
    copy.write_text(text)
    names = re.findall("<!-- table: (\\w+) -->", text)
    page.write(copy, {name: f"new {name}" for name in names})
    assert all(f"<!-- table: {name} -->\nnew {name}\n<!-- end -->" in copy.read_text() for name in names)
    assert set(page.KINDS) < set(names)
    with pytest.raises(ValueError, match="no place for the table 'other'"):
        page.write(copy, {"other": ""})


def test_a_short_network(izhikevich_patterns):
    outcome = izhikevich_patterns(experiment="network", seeds=1, duration="4 s")
    rates = {c.name: c for c in outcome.checks if "rate of" in c.name}
    assert len(rates) == 2 and all(c.passed for c in rates.values())
    power = outcome.data["network: power, recurrent"]
    assert power.shape == (1, outcome.data["network: frequency"].size) and np.isfinite(power).all()
    with pytest.raises(ValueError, match="duration = '1 s': the spectrum needs at least 4 s"):
        izhikevich_patterns(experiment="network", seeds=1, duration="1 s")


@pytest.mark.slow
@pytest.mark.parametrize("experiment", ["cells", "rates", "bifurcations", "schemes", "network"])
def test_everything(izhikevich_patterns, experiment):
    outcome = izhikevich_patterns(experiment=experiment)
    assert not failed(outcome) and outcome.checks
