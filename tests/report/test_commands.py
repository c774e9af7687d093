"""`neurodyn report`, `methods` and `cite` from the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from neurodyn.cli import main


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    """Run a command line; returns exit code, output and errors."""

    def say(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(words)
        out = capsys.readouterr()
        return code, out.out, out.err

    return say


def test_report(said, kinds: dict[str, Path], tmp_path: Path) -> None:
    file = str(tmp_path / "coins.h5")
    shutil.copyfile(kinds["results"], file)
    assert said("report", file) == (0, f"{tmp_path / 'coins.html'}\n", "")
    code, _, err = said("report", file)
    assert code == 2 and "coins.html' exists" in err and err.count("\n") == 1
    assert said("report", file, "--overwrite")[0] == 0
    assert said("report", file, "--out", str(tmp_path / "b.html"))[1] == f"{tmp_path / 'b.html'}\n"


def test_methods(said, kinds: dict[str, Path]) -> None:
    file = str(kinds["session"])
    assert said("methods", file)[1].startswith("spiking reservoir\n\nA  Model summary\n")
    assert said("methods", file, "--markdown")[1].startswith("### spiking reservoir\n")
    assert r"\toprule" in said("methods", file, "--latex")[1]
    code, out, err = said("methods", str(kinds["results"]))
    assert code == 2 and not out and "results alone and no network" in err


def test_cite(said, kinds: dict[str, Path]) -> None:
    code, out, _ = said("cite", str(kinds["training"]))
    assert code == 0 and [line for line in out.split("\n") if line.startswith("@")] == [
        "@software{neurodyn,",
        "@inproceedings{khajehabdollahi2024,",
        "@inproceedings{paszke2019,",
    ]
