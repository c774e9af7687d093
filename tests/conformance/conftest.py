"""Runners that are wrong on purpose, known as backends "wrong_runners:Name"."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from neurodyn.backends import register


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
