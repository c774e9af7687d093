"""The wheel holds what it should, comes out of the source archive the same, and works away from the checkout."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def built(source: Path, out: Path, kind: str) -> Path:
    """Build a wheel or an sdist with the tools that are installed, without the network."""
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (made,) = out.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return made


def members(wheel: Path) -> dict[str, int]:
    """Name and checksum of every file but the list of files itself."""
    with zipfile.ZipFile(wheel) as file:
        return {info.filename: info.CRC for info in file.infolist() if not info.filename.endswith("RECORD")}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files under version control: building leaves folders behind."""
    target = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        source, copy = ROOT / name, target / name
        if source.is_file() and not source.is_symlink():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
    return target


@pytest.mark.slow
def test_wheel_and_source_archive(checkout: Path, tmp_path: Path) -> None:
    wheel = built(checkout, tmp_path / "wheel", "wheel")
    names = members(wheel)
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"neurodyn", next(top for top in tops if top.endswith(".dist-info"))}
    sources = {str(file.relative_to(checkout)) for file in (checkout / "neurodyn").rglob("*.py")}
    assert sources <= set(names) and "neurodyn/py.typed" in names
    assert "neurodyn/analysis/__init__.py" in names and "neurodyn/kernels/__init__.py" in names

    archive = built(checkout, tmp_path / "sdist", "sdist")
    with tarfile.open(archive) as file:
        file.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    for there in ("tests/conftest.py", "tutorials/01_first_simulation.py", "docs/index.md", "simulations/what_when.py"):
        assert (unpacked / there).is_file()
    assert members(built(unpacked, tmp_path / "again", "wheel")) == names


@pytest.mark.slow
def test_wheel_runs_the_first_tutorial_elsewhere(checkout: Path, tmp_path: Path) -> None:
    wheel = built(checkout, tmp_path / "wheel", "wheel")
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel)], check=True)
    # What neurodyn needs comes from the environment of the tests, behind the wheel in the search path.
    site = next((tmp_path / "env" / "lib").glob("python*/site-packages"))
    needed = [path for path in sys.path if path.endswith("site-packages")]
    (site / "needed.pth").write_text("\n".join(needed))
    tutorial = (ROOT / "tutorials" / "01_first_simulation.py").read_text()
    work = tmp_path / "work"
    work.mkdir()
    (work / "tutorial.py").write_text(tutorial + "\nprint('from', nd.__file__)\n")
    done = subprocess.run([python, "tutorial.py"], cwd=work, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"from {site}" in done.stdout
