"""Runners that are wrong on purpose, known as backends "wrong_runners:Name"; which circuits take long."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from neurodyn.backends import register

# They take 7 to 20 s each to compile or to run; rules per step stand beside those at events in tests/plasticity too.
LONG = re.compile(r"\[(?:\w+-)?(?:\w+_per_step|pvrnns?)\]")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name == "test_our_runners.py" and LONG.search(item.name):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def wrong():
    """Register a wrong runner and return its name."""
    spec = importlib.util.spec_from_file_location("wrong_runners", Path(__file__).with_name("wrong_runners.py"))
    assert spec is not None and spec.loader is not None
    sys.modules["wrong_runners"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def named(name: str) -> str:
        register(f"wrong_runners:{name}")
        return f"wrong_runners:{name}"

    return named
