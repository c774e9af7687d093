"""The suite for somebody else's runner: ``pytest --pyargs neurodyn.conformance --neurodyn-runner package.module:Class``."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PLUGIN = "neurodyn.conformance.pytest_plugin"


def suite(folder, *words: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in another folder, with no settings of ours, and without the plugins that are installed."""
    code = (
        f"import sys, pytest; sys.path.insert(0, {str(HERE)!r});"
        f"sys.exit(pytest.main(['-p', 'no:cacheprovider', '-p', '{PLUGIN}', *sys.argv[1:]]))"
    )
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    import os

    return subprocess.run(
        [sys.executable, "-c", code, *words], cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True
    )  # fmt: skip


def test_a_wrong_runner_fails_where_it_is_wrong(tmp_path):
    words = (
        "--pyargs",
        "neurodyn.conformance",
        "-q",
        "-m",
        "not slow",
        "-k",
        "silent_and_busy or one_unit",
        "-W",
        "error",
    )
    done = suite(
        tmp_path, *words, "--neurodyn-runner", "wrong_runners:Late", "--neurodyn-runner", "wrong_runners:Right"
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert (
        "wrong_runners:Late on circuit 'silent_and_busy_sources': step 1 (t = 2 ms), state/cells/v, unit 0"
        in done.stdout
    )
    assert re.search(r"1 failed, 3 passed, \d+ deselected", done.stdout), done.stdout


def test_refusals_are_skipped_with_their_reason(tmp_path):
    words = ("--pyargs", "neurodyn.conformance.test_runner", "-q", "-rs", "-k", "bits and (two_noises or pulses)")
    done = suite(tmp_path, *words, "--neurodyn-runner", "wrong_runners:Choosy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed, 1 skipped" in done.stdout
    assert "refused: noise is not supported; use backend 'numba'" in done.stdout


def test_an_unknown_runner_is_told_at_once(tmp_path):
    done = suite(tmp_path, "--pyargs", "neurodyn.conformance.test_runner", "-q", "--neurodyn-runner", "numbaa")
    assert done.returncode != 0
    assert "did you mean 'numba'?" in done.stdout + done.stderr


def test_the_plugin_is_light_and_leaves_other_runs_alone(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        "import sys\n"
        "def test_mine(runner, request):\n"
        "    assert runner == 'my own fixture'\n"
        "    heavy = {'numpy', 'numba', 'torch', 'brian2', 'h5py', 'scipy', 'hypothesis', 'neurodyn.conformance.checks'}\n"
        "    assert not heavy & set(sys.modules)\n"
        "    assert not any(line.startswith('slow') for line in request.config.getini('markers'))\n"
    )
    (tmp_path / "conftest.py").write_text(
        "import pytest\n@pytest.fixture\ndef runner():\n    return 'my own fixture'\n"
    )
    done = suite(tmp_path, "-q", "--strict-markers", "-W", "error")
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_plugin_is_declared():
    setup = configparser.ConfigParser()
    setup.read(HERE.parents[1] / "setup.cfg")
    assert f"neurodyn = {PLUGIN}" in setup["options.entry_points"]["pytest11"]


@pytest.mark.parametrize("name", ["pytest_plugin", "test_runner", "test_borders"])
def test_the_suite_is_part_of_the_package(name):
    import importlib.util

    assert importlib.util.find_spec(f"neurodyn.conformance.{name}") is not None
