"""What all code of a process shares is brought back as it was."""

from __future__ import annotations

import io
import os
import random
import sys
import tempfile
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from neurodyn.scan.surroundings import Output, Surroundings


@pytest.fixture
def before():
    """The surroundings of the test, brought back at its end whatever it has done."""
    kept = Surroundings()
    yield kept
    kept.restore()


def test_everything_is_as_it_was(before, tmp_path, monkeypatch):
    monkeypatch.delenv("NEURODYN_TRACE", raising=False)
    folder, width = os.getcwd(), plt.rcParams["lines.linewidth"]
    filters, scratch = list(warnings.filters), tempfile.tempdir
    expected = [random.random(), *np.random.random(2)]  # noqa: NPY002
    streams = sys.stdout, sys.stderr
    before.restore()

    os.chdir(tmp_path)
    os.environ["NEURODYN_TRACE"] = "1"
    sys.stdout = io.StringIO()
    warnings.simplefilter("ignore")
    tempfile.tempdir = "elsewhere"
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    figures = plt.get_fignums()
    plt.figure()
    plt.rcParams["lines.linewidth"] = 7 + width
    other = Surroundings()
    before.restore()
    assert (os.getcwd(), tempfile.tempdir, list(warnings.filters)) == (folder, scratch, filters)
    assert (sys.stdout, sys.stderr) == streams
    assert "NEURODYN_TRACE" not in os.environ
    assert [random.random(), *np.random.random(2)] == expected  # noqa: NPY002
    assert (plt.get_fignums(), plt.rcParams["lines.linewidth"]) == (figures, width)

    other.restore()
    assert (os.getcwd(), os.environ["NEURODYN_TRACE"]) == (str(tmp_path), "1")
    assert (len(plt.get_fignums()), plt.rcParams["lines.linewidth"]) == (len(figures) + 1, 7 + width)
    plt.close()


def test_output_of_all_that_writes_goes_where_it_belongs(tmp_path: Path):
    kept = [os.dup(number) for number in (1, 2)]
    outputs = [Output(tmp_path / name) for name in "ab"]
    try:
        for output, word in zip([*outputs, outputs[0]], ["one", "two", "three"], strict=True):
            output.use()
            os.write(1, f"{word} ".encode())
            os.system("echo echoed >&2")
    finally:
        for number, descriptor in zip((1, 2), kept, strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)
        for output in outputs:
            output.close()
    assert (tmp_path / "a").read_text() == "one echoed\nthree echoed\n"
    assert (tmp_path / "b").read_text() == "two echoed\n"
