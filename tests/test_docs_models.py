"""The numbers on docs/models.md are those of the code, and every model of the package stands there."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import neurodyn as nd
from neurodyn import _PUBLIC
from neurodyn.models import chaotic
from neurodyn.models.adaptive_exponential import TYPES_ADEX
from neurodyn.models.integrate_and_fire import DEFAULTS
from neurodyn.models.izhikevich_2003 import TYPES_2003
from neurodyn.models.izhikevich_2007 import TYPES_2007

PAGE = (Path(__file__).parents[1] / "docs" / "models.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")]
BESIDES = {row[0].strip("`"): row[1] for row in ROWS if re.fullmatch(r"`2007/\w+`", row[0]) and len(row) == 2}


def numbers_of_cells() -> dict[str, list[str]]:
    """Each cell's numbers; a unit that stands in the head of a column is put behind them."""
    found, units = {}, []
    for line in PAGE.splitlines():
        row = [cell.strip() for cell in line.strip("|").split("|")]
        if row[0] == "cell":
            units = [re.search(r"\((.+)\)", head) for head in row[1:]]
        elif re.fullmatch(r"`\w+/\w+`", row[0]) and len(row) > 2:
            name = row[0].strip("`")
            kept = [None] * len(units) if name.startswith("2003/") else units
            found[name] = [
                x if unit is None or x == "-" else f"{x} {unit[1]}" for x, unit in zip(row[1:], kept, strict=True)
            ]
    return found


CELLS = numbers_of_cells()


def test_every_cell_has_its_row() -> None:
    assert set(CELLS) == set(nd.cells()) - {"lif"}


@pytest.mark.parametrize("name", CELLS)
def test_numbers_of_a_cell(name: str) -> None:
    form, kind = name.split("/")
    if form == "2003":
        assert [float(x) for x in CELLS[name]] == list(TYPES_2003[kind])
    elif form == "adex":
        assert CELLS[name] == list(TYPES_ADEX[kind].values())
    else:
        parameters = dict(TYPES_2007[kind].parameters)
        plain = [parameters.pop(key, "-") for key in ("C", "k", "v_r", "v_t", "v_peak", "a", "b", "c", "d")]
        assert CELLS[name] == plain
        assert BESIDES.get(name, "") == ", ".join(f"{key} = {value}" for key, value in parameters.items())


def test_numbers_of_leaky_cells() -> None:
    section = PAGE[PAGE.index("## Leaky integrate-and-fire") : PAGE.index("## Izhikevich's cells of 2003")]
    told = dict(re.findall(r"`(\w+)` \| ([^|]+?) \|", section))
    assert told == DEFAULTS | {"refractory": "2 ms"}


@pytest.mark.parametrize(
    "rule", ["stdp", "dopamine_stdp", "reward_modulated_stdp", "synaptic_scaling", "eprop", "node_perturbation"]
)
def test_numbers_of_a_rule(rule: str) -> None:
    (row,) = (row for row in ROWS if row[0] == f"`nd.{rule}`")
    signature = inspect.signature(getattr(nd, rule)).parameters
    told = re.findall(r"((?:`\w+`(?:, )?)+) (?:s = )?(-?[\d.e-]+(?: (?:ms|s|Hz)\b)?)", row[2])
    assert told
    for names, value in told:
        for name in re.findall(r"`(\w+)`", names):
            default = signature[name].default
            assert str(default) == value or float(default) == float(value), (name, default, value)


def test_numbers_of_chaotic_systems() -> None:
    told = {row[0].strip("`"): row[-1] for row in ROWS if row[0].strip("`") in chaotic.SYSTEMS}
    assert set(told) == set(chaotic.SYSTEMS)
    for name, exponent in told.items():
        if not exponent.startswith("ln"):
            published = chaotic.system(name).published
            assert published is not None and float(exponent) == published.exponents[0]


def test_every_model_stands_there() -> None:
    models = {name for name, module in _PUBLIC.items() if module.startswith("models.")}
    assert len(models) > 20
    assert {name for name in models if f"nd.{name}" not in PAGE} == {"AnalogCoding", "SoftmaxCoding", "SymbolCoding"}
