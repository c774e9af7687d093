"""The commands on scans of README, docs/scans.md and the help texts, typed one after the other, with smaller numbers."""

from __future__ import annotations

import re
import shutil
import sys
import time
from pathlib import Path

import pytest

from neurodyn.cli import main
from neurodyn.scan import Scan
from tests.pages import BLOCKS, PAGES, ROOT, SCAN, SOURCES, taken, words

pytestmark = pytest.mark.slow

#: what stands in a command, and what is typed instead
INSTEAD = {
    "linspace(0.6, 1.4, 9)": "linspace(0.6, 1.4, 2)",
    "linspace(5, 40, 15)": "linspace(5, 40, 2)",
    "linspace(0.5, 2, 16)": "linspace(0.5, 2, 2)",
    "--seeds 5": "--seeds 2",
    "seeds = 5": "seeds = 2",
    "--seeds 10": "--seeds 3",
    "--set seeds=1": "--set seeds=1 --set trials=10",
    "neurons=200,400,800": "neurons=40,50",
    "neurons=200,400": "neurons=40,50",
    "neurons=1600": "neurons=60",
    "trials=50,100": "trials=10,11 --set seeds=1 --set neurons=40",
    "1 min": "10 min",  # of a point that takes half a minute
    # the Slurm of the tests has one partition, two processors and no modules
    "partition=short": "partition=debug",
    "partition=gpu": "partition=debug",
    "--workers 4": "--workers 2",
    "module load": "true",
}
#: the reader's own, with all parameters that examples name
MODEL = '''
import neurodyn as nd

@nd.simulation
def model(
    *, gain: float = 1.0, tau: nd.Time = "10 ms", noise: float = 0.1, delay: int = 0, trials: int = 1,
    backend: str = "numba", seed: int = 1,
):
    """A number."""
    return {"error": gain + noise + delay + seed % 7}
'''


class Reader:
    """Who types commands in a folder beside `simulations`, and has a Slurm from the first command on that needs it."""

    def __init__(self, folder: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.request, self.capsys = folder, request, capsys
        (folder / "simulations").symlink_to(ROOT / "simulations", target_is_directory=True)
        (folder / "model.py").write_text(MODEL)
        (folder / "drawn.csv").write_text("gain,noise\n0.5,0.1\n1.5,0.2\n")
        shutil.copy(SCAN / "noisy_cells.py", folder)
        plan = re.search(r"^```toml\n(.*?)^```", PAGES["scans"], re.DOTALL | re.MULTILINE)
        (resonators,) = (block for block in BLOCKS["scans"] if "def resonators(" in block)
        assert plan is not None
        (folder / "plan.toml").write_text(smaller(plan[1]))
        (folder / "resonators.py").write_text(resonators)

    def types(self, command: str, code: int = 0) -> str:
        """What it prints; its exit code has to be the expected one."""
        if "--on slurm" in command:
            self.request.getfixturevalue("slurm")
        self.capsys.readouterr()
        assert main(words(smaller(command))) == code, command
        return self.capsys.readouterr().out

    def waits(self, scan: str) -> None:
        """Wait until no point of a scan is left, which `--watch` would do for ever."""
        for _ in range(3000):
            status = Scan.open(self.folder / scan).status()
            if status.done + status.failed == status.points:
                return
            time.sleep(0.1)
        raise AssertionError(f"after 5 minutes: {status}")


def smaller(text: str) -> str:
    for shown, typed in INSTEAD.items():
        text = text.replace(shown, typed)
    return text


@pytest.fixture
def reader(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Reader:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return Reader(tmp_path, request, capsys)


def test_scans_of_the_readme(reader: Reader) -> None:
    said = []
    for command in taken("scans of README"):
        if "--watch" in command or "scan collect" in command:
            reader.waits("scans/rules")
        said.append(reader.types(command))
    assert [line for text in said for line in re.findall(r"^\d+ new points.*", text, re.M)] == [
        "6 new points, 18 in all"
    ]
    assert sum("submitted job " in text for text in said) == 2


def test_scans_of_their_page(reader: Reader) -> None:
    for command in taken("scans"):
        if "--outdated" in command:
            with open("noisy_cells.py", "a") as script:
                script.write("# changed\n")
        if "--watch" in command:
            reader.waits("scans/cluster")
        said = reader.types(command, code=1 if '--time-limit "2 s"' in command else 0)
        if "scan log" in command:
            assert "still running after 2.0 s, the limit for a point" in said
    reader.waits("scans/gpu")
    assert len(Scan.open("scans/gpu").folder.done()) == 8


def test_scans_of_the_help_texts(reader: Reader) -> None:
    for command in taken("scans of help"):
        if " --out " not in command and re.match(r"neurodyn scan model.py", command):
            shutil.rmtree("scans/model", ignore_errors=True)  # two examples, each with the folder of that name
        if "scan log" in command:
            command = command.replace("3f9a", next(iter(Scan.open("scans/gain").folder.done())))
        said = reader.types(command)
        if "run them: neurodyn scan run scans/gain" in said:
            reader.types("neurodyn scan run scans/gain --on local")
        if "submitted job" in said:
            reader.waits("scans/gain" if "scans/gain" in command else "scans/model")
    assert Path("error.png").exists() and Path("scans/gain/results.csv").exists()


def test_no_page_is_left_out() -> None:
    scanning = {page for page, listed in SOURCES.items() if any(c.startswith("neurodyn scan") for c in listed)}
    assert scanning == {"README", "scans", "help", "extend"}  # the last in test_docs_runs.py
