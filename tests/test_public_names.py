"""The names a user types exist, are documented, and cost nothing until they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import neurodyn as nd


@pytest.mark.parametrize("name", sorted(set(nd.__all__) - {"__version__"}))
def test_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(nd, name)
    if name not in ("Time",):  # an annotated str has the docstring of str
        assert (value.__doc__ or "").strip()


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="Popultion"):
        _ = nd.Popultion  # type: ignore[attr-defined]


def test_import_is_light() -> None:
    heavy = "brian2 torch numba matplotlib xarray sklearn pandas pydantic h5py scipy".split()
    code = f"import sys, neurodyn; print([m for m in {heavy!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_simulating_imports_neither_brian2_nor_torch() -> None:
    code = (
        "import sys, neurodyn as nd; nd.simulate(nd.SpikingReservoir(50), '5 ms', backend='interpreter');"
        "print([m for m in ('brian2', 'torch', 'matplotlib', 'sklearn') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
