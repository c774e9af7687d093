"""The command line: what newcomers type, right and wrong."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from neurodyn import cli

SCRIPT = '''
"""A script as users write it."""
import neurodyn as nd
from typing import Literal

@nd.simulation
def growing(*, trials: int = 3, gains: list[float] = [1.0, 2.0], delay: nd.Time = "20 ms",
            mode: Literal["demo", "full"] = "demo", fail: bool = False, seed: int = 1):
    """Grow by a factor.

    Parameters
    ----------
    trials : int
        How often.
    """
    if fail:
        raise RuntimeError("blew up at step 7")
    return nd.Outcome(
        results={"end": sum(gains) * trials, "seed": seed},
        checks=[nd.check("end", sum(gains) * trials, "<= 10", reference=9.0, source="nobody")],
    )
'''

TWO = (
    SCRIPT
    + '''
@nd.simulation
def shrinking(*, trials: int = 3):
    """Shrink."""
    return {"end": 1 / trials}
'''
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "simulations").mkdir()
    (tmp_path / "simulations" / "growing.py").write_text(SCRIPT)
    return tmp_path


@pytest.fixture
def stored(monkeypatch):
    """Replaces the recording, which has tests of its own, by a list of what would be written."""
    calls = []

    def annotate(path, **content):
        calls.append({"path": Path(path), **content})
        Path(path).write_text(json.dumps(content["results"]))

    pytest.importorskip("neurodyn.recording")
    monkeypatch.setattr("neurodyn.recording.annotate", annotate, raising=False)
    return calls


def run(*arguments):
    return cli.main(["run", *arguments])


def refused(capsys, *arguments):
    """The one line that a usage error prints."""
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    return captured.err


def test_run(folder, stored, capsys):
    assert run("simulations/growing.py", "--set", "trials=2", "--set", "gains=0.5, 1", "--seed", "4") == 0
    assert stored[0]["path"] == Path("runs/growing.h5")
    assert stored[0]["results"] == {"end": 3.0, "seed": 4}
    assert stored[0]["config"]["parameters"]["gains"] == [0.5, 1.0]
    printed = capsys.readouterr().out
    assert "Grow by a factor." in printed
    assert "1 of 1 checks passed" in printed
    assert "recording: runs/growing.h5" in printed


def test_parameters_as_flags(folder, stored):
    assert run("simulations/growing.py", "--trials", "2", "--gains=0.5, 1", "--json") == 0
    parameters = stored[0]["config"]["parameters"]
    assert (parameters["trials"], parameters["gains"], parameters["fail"]) == (2, [0.5, 1.0], False)
    assert run("simulations/growing.py", "--overwrite", "--fail") == 1


def test_a_script_runs_as_the_command_does(folder):
    told = [sys.executable, "simulations/growing.py", "--trials", "2", "--out", "b.h5"]
    script = folder / "simulations" / "growing.py"
    script.write_text(script.read_text() + "\n\nif __name__ == '__main__':\n    growing.main()\n")
    done = subprocess.run(told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "recording: b.h5" in done.stdout
    assert (folder / "b.h5").exists()


def test_json_is_the_last_line(folder, stored, capsys):
    assert run("simulations/growing.py", "--json", "--out", "runs/a.h5") == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last == {
        "results": {"end": 9.0, "seed": 1},
        "checks": [{"name": "end", "value": 9.0, "threshold": "<= 10", "reference": 9.0, "passed": True}],
    }


def test_strict(folder, stored):
    too_many = ("simulations/growing.py", "--set", "trials=7", "--overwrite")
    assert run(*too_many) == 0
    assert run(*too_many, "--strict") == 1
    assert run("simulations/growing.py", "--strict", "--overwrite") == 0


def test_an_existing_recording_is_refused_before_running(folder, stored, capsys):
    (folder / "a.h5").write_text("precious")
    line = refused(capsys, "run", "simulations/growing.py", "--out", "a.h5", "--set", "fail=true")
    assert "a.h5 exists" in line
    assert "--overwrite" in line
    assert (folder / "a.h5").read_text() == "precious"
    assert run("simulations/growing.py", "--out", "a.h5", "--overwrite") == 0
    assert (folder / "a.h5").read_text() != "precious"
    assert sorted(p.name for p in folder.iterdir()) == ["a.h5", "simulations"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["run", "simulations/growing.py", "--set", "trails=3"],
            "unknown parameter 'trails'; did you mean 'trials'?",
        ),
        (["run", "simulations/growing.py", "--set", "trials=many"], "trials='many' has to be int"),
        (["run", "simulations/growing.py", "--set", "delay=20 mV"], "delay='20 mV' is a voltage"),
        (["run", "simulations/growing.py", "--set", "mode=ful"], "did you mean 'full'?"),
        (["run", "simulations/growing.py", "--set", "trials"], "has no '='"),
        (["run", "simulations/growing.py", "--set", "seed=1", "--seed", "2"], "'seed' is given twice"),
        (["run", "simulations/growing.py", "--backend", "torch"], "unknown parameter 'backend'"),
        (["run", "simulations/growing.py", "--out", "a.txt"], "has to end in .h5"),
        (["run", "simulations/growin.py"], "did you mean 'simulations/growing.py'?"),
        (["run", "simulations/growing.py:other"], "has no simulation 'other'; it has growing"),
        (["run", "growing"], "is not a Python script"),
        (["run"], "required: SCRIPT"),
        (["run", "simulations/growing.py", "--sed", "3"], "unknown parameter 'sed'; did you mean 'seed'?"),
        (["run", "simulations/growing.py", "more"], "unknown argument 'more'"),
        (["run", "simulations/growing.py", "--trials", "2", "--set", "trials=3"], "'trials' is given twice"),
        (["list", "--trials", "3"], "unknown argument '--trials'"),
        (["rnu", "simulations/growing.py"], "unknown command 'rnu'; did you mean 'run'?"),
        (["zzzzz"], "there are run, scan, info, plot, rerun, analyse, export, report, methods, cite, list, doctor"),
        (["info", "runs/none.h5"], "there is no recording 'runs/none.h5'"),
        (["plot", "none.h5"], "there is no recording 'none.h5'"),
        (["list", "nowhere"], "there is no folder 'nowhere'"),
    ],
)
def test_usage_errors_are_one_line(folder, capsys, arguments, message):
    assert message in refused(capsys, *arguments)
    assert not (folder / "runs").exists()


def test_a_script_that_cannot_be_imported(folder, capsys):
    (folder / "broken.py").write_text("import neurodyn\nx = 1 / 0\n")
    (folder / "unfinished.py").write_text("def f(:\n")
    (folder / "leaves.py").write_text("raise SystemExit(3)\n")
    (folder / "plain.py").write_text("x = 1\n")
    (folder / "untyped.py").write_text("import neurodyn as nd\n@nd.simulation\ndef f(*, x=1.0): ...\n")
    line = refused(capsys, "run", "broken.py")
    assert "broken.py cannot be imported: ZeroDivisionError" in line
    assert "line 2" in line
    assert "unfinished.py cannot be imported: SyntaxError" in refused(capsys, "info", "unfinished.py")
    assert "leaves.py cannot be imported: SystemExit" in refused(capsys, "info", "leaves.py")
    assert "put @nd.simulation above a function" in refused(capsys, "run", "plain.py")
    assert f"{folder / 'untyped.py'}, line 2)" in refused(capsys, "run", "untyped.py")  # not where neurodyn raised it
    assert cli.main(["run", "broken.py", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_errors_inside_a_simulation(folder, stored, capsys):
    failing = ("simulations/growing.py", "--set", "fail=yes")
    assert run(*failing) == 1
    said = capsys.readouterr().err
    assert "growing failed: RuntimeError: blew up at step 7" in said
    assert "Traceback" not in said
    assert run(*failing, "--debug") == 1
    assert "Traceback" in capsys.readouterr().err
    assert stored == []


def test_several_simulations_in_one_script(folder, stored, capsys):
    (folder / "two.py").write_text(TWO)
    assert "(growing, shrinking); name one: two.py:growing" in refused(capsys, "run", "two.py")
    assert run("two.py:shrinking", "--out", "s.h5") == 0
    assert stored[0]["results"] == {"end": 1 / 3}


def test_a_script_sees_its_neighbours(folder, stored, capsys):
    (folder / "simulations" / "neighbour_of_growing.py").write_text("FACTOR = 5\n")
    (folder / "simulations" / "using.py").write_text(
        "import neurodyn as nd\nfrom neighbour_of_growing import FACTOR\n"
        "@nd.simulation\ndef using(*, x: int = 2):\n    return {'y': x * FACTOR}\n"
    )
    assert run("simulations/using.py") == 0
    assert stored[0]["results"] == {"y": 10}


def test_list(folder, capsys):
    (folder / "simulations" / "two.py").write_text(TWO)
    (folder / "simulations" / "broken.py").write_text("1 / 0\n")
    (folder / "simulations" / "_helper.py").write_text("raise ValueError\n")
    assert cli.main(["list"]) == 0
    printed = capsys.readouterr().out
    assert 'simulations/growing.py\n  Grow by a factor.\n  trials=3 gains=1.0,2.0 delay="20 ms" mode=demo' in printed
    assert "simulations/two.py:shrinking\n  Shrink.\n  trials=3\n" in printed
    assert "broken.py\n  cannot be listed: " in printed
    assert "_helper" not in printed
    (folder / "empty").mkdir()
    assert cli.main(["list", "empty"]) == 0
    assert "no simulations in empty" in capsys.readouterr().out


def test_info_of_a_script(folder, capsys):
    assert cli.main(["info", "simulations/growing.py"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"trials +int +3 +How often\.", printed)
    assert "quantity in ms" in printed


def test_info_and_plot_of_a_recording(folder, monkeypatch, capsys):
    recording = pytest.importorskip("neurodyn.recording")
    plots = pytest.importorskip("neurodyn.plots")

    class Recorded:
        def info(self):
            return "two populations"

    class Picture:
        def savefig(self, path, dpi):
            Path(path).write_text("drawn")

    def overview(recorded):
        assert isinstance(recorded, Recorded)
        return Picture()

    (folder / "a.h5").touch()
    monkeypatch.setattr(recording, "load", lambda path: Recorded(), raising=False)
    monkeypatch.setitem(vars(plots), "overview", overview)
    assert cli.main(["info", "a.h5"]) == 0
    assert capsys.readouterr().out == "two populations\n"
    assert cli.main(["plot", "a.h5"]) == 0
    assert (folder / "a.overview.png").read_text() == "drawn"
    assert cli.main(["plot", "a.h5", "--out", "b.png"]) == 0
    assert (folder / "b.png").read_text() == "drawn"
    assert "there is no folder 'c'" in (capsys.readouterr() and refused(capsys, "plot", "a.h5", "--out", "c/b.png"))


def test_a_file_that_is_no_recording(folder, capsys):
    pytest.importorskip("neurodyn.recording.reader")
    (folder / "a.h5").write_text("not HDF5")
    assert "a.h5 cannot be read as a recording" in refused(capsys, "info", "a.h5")


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as leaving:
        cli.main(["--help"])
    assert leaving.value.code == 0
    printed = capsys.readouterr().out
    for command in ("run", "info", "plot", "list", "doctor"):
        assert command in printed
    assert cli.main([]) == 2
    assert "examples:" in capsys.readouterr().out


def test_help_and_import_load_nothing_heavy():
    heavy = "numba brian2 torch scipy.signal sklearn matplotlib xarray pandas h5py pydantic"
    code = (
        "import sys, neurodyn, neurodyn.cli\n"
        "try:\n    neurodyn.cli.main(['run', '--help'])\nexcept SystemExit:\n    pass\n"
        f"loaded = [name for name in {heavy!r}.split() if name in sys.modules]\n"
        "assert not loaded, loaded\n"
        "assert callable(neurodyn.simulation), 'the submodule took the place of the decorator'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_clearing_the_cache(monkeypatch, tmp_path, capsys):
    cache = tmp_path / "cache"
    (cache / "kernels").mkdir(parents=True)
    (cache / "kernels" / "a.py").write_text("x" * 2_000_000)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    (cache / "link").symlink_to(outside)
    monkeypatch.setenv("NEURODYN_CACHE_DIR", str(cache))
    assert cli.main(["doctor", "--clear-cache"]) == 0
    assert "2.0 MB" in capsys.readouterr().out
    assert list(cache.iterdir()) == []
    assert (outside / "precious").exists()


def test_a_folder_that_is_no_cache_is_not_cleared(monkeypatch, tmp_path, capsys):
    (tmp_path / "work").mkdir()
    (tmp_path / "thesis.tex").touch()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("NEURODYN_CACHE_DIR", str(tmp_path))
    assert "set NEURODYN_CACHE_DIR" in refused(capsys, "doctor", "--clear-cache")
    assert (tmp_path / "thesis.tex").exists()
