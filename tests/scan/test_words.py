"""What is typed about a scan, and what a plan file says."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

import neurodyn as nd
from neurodyn.scan.errors import ScanError
from neurodyn.scan.plan_file import Asked, read_plan
from neurodyn.scan.words import assignments, axis_of, grid_of, set_of

SCRIPT = '''
import neurodyn as nd

@nd.simulation
def doubling(*, a: float = 1.0, b: int = 1, tau: nd.Time = "10 ms", seed: int = 1):
    """Double."""
    return {"y": 2 * a + b}
'''


@nd.simulation
def typed(
    *,
    gain: float = 1.0,
    steps: int = 3,
    tau: nd.Time = "10 ms",
    mode: Literal["demo", "full"] = "demo",
    gains: list[float] = [1.0],  # noqa: B006
    delays: tuple[nd.Time, ...] = ("5 ms",),
    limit: float | None = None,
):
    """Take one parameter of each kind."""
    return {"y": gain}


def values(text: str) -> list:
    name, _, given = text.partition("=")
    (axis,) = grid_of(typed, {name: given}).values()
    return axis


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gain=0.5, 1,1.5", ["0.5", "1", "1.5"]),
        ("gain=linspace(0, 1, 11)", [f"{k / 10:g}" for k in range(11)]),
        ("gain=geomspace(1e-3, 1, 4)", ["0.001", "0.01", "0.1", "1"]),
        ("gain=-1,linspace(0,1,2),7", ["-1", "0", "1", "7"]),
        ("steps=range(1, 4)", ["1", "2", "3"]),
        ("steps=range(10, 1, -4)", ["10", "6", "2"]),
        ("tau=linspace(10,50,5) ms", [f"{t} ms" for t in (10, 20, 30, 40, 50)]),
        ("mode=demo,full", ["demo", "full"]),
        ("gains=[1,2],[3]", [[1, 2], [3]]),
        ("delays=[1 ms,2 ms],[5 ms]", [["1 ms", "2 ms"], ["5 ms"]]),
        ("limit=none,2", [None, "2"]),
    ],
)
def test_axes(text: str, expected: list) -> None:
    assert values(text) == expected
    assert all(typed.prepare(**{text.partition("=")[0]: value}) for value in expected)  # it takes them all


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gain=", "empty value"),
        ("gain=1,,2", "empty value"),
        ("gain=linspace(0,1", "not closed"),
        ("gain=1)", "not opened"),
        ("gain=logspace(0,1,3)", "there is no logspace; write linspace"),
        ("gain=linspace(0,1)", "linspace of 2 numbers"),
        ("gain=linspace(0,1,0)", "'0' values"),
        ("gain=linspace(0,nan,3)", "from 0 to nan"),
        ("gain=linspace(0,x,3)", "could not convert"),
        ("gain=linspace(0,1,1000000)", "'1000000' values"),
        ("gain=geomspace(-1,1,3)", "a geomspace from -1 to 1"),
        ("steps=range(3,1)", "a range with 0 values"),
        ("steps=range(1)", "a range of 1 numbers"),
        ("steps=range(0,1,0)", "must not be zero"),
        ("gains=1,2", r"put each value in brackets: gains=\[1,2\],\[3,4\]"),
    ],
)
def test_axes_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(ScanError, match=message):
        values(text)


def test_unknown_names_are_left_to_the_plan() -> None:
    assert grid_of(typed, {"gian": "1,2"}) == {"gian": ["1,2"]}
    assert set_of(typed, {"gian": "1", "gains": "1,2", "steps": 4}) == {"gian": "1", "gains": ["1", "2"], "steps": 4}
    assert axis_of(typed.parameters[0], "3") == ["3"]


@pytest.mark.parametrize(("pairs", "message"), [(["a"], "no '='"), (["=1"], "no '='"), (["a=1", "a=2"], "twice")])
def test_assignments_that_cannot_be_read(pairs: list[str], message: str) -> None:
    with pytest.raises(ScanError, match=message):
        assignments(pairs, "--grid")


def plan(folder: Path, text: str) -> Path:
    (folder / "model.py").write_text(SCRIPT)
    (folder / "plan.toml").write_text(text)
    return folder / "plan.toml"


FULL = """
simulation = "model.py:doubling"
out = "scans/one"
seeds = 2
root_seed = 7
paired = "b"
[set]
tau = "20 ms"
[grid]
a = "linspace(0, 1, 3)"
b = [1, 2]
[run]
time_limit = "10 min"
setup = "module load python"
[run.slurm]
partition = "short"
"""


def test_plan_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = read_plan(plan(tmp_path, FULL))
    assert asked.run == {
        "time_limit": "10 min",
        "setup": ["module load python"],
        "directives": {"partition": "short"},
    }
    monkeypatch.chdir("/")
    scan = asked.scan()
    assert scan.path == tmp_path / "scans" / "one" and scan.folder.size == 12
    plan_made = scan.folder.plan
    assert plan_made.grid == {"a": [0.0, 0.5, 1.0], "b": [1, 2]} and plan_made.fixed == {"tau": "20 ms"}
    assert (plan_made.seeds, plan_made.root, plan_made.paired) == (2, 7, ("b",))


def test_same_points_in_a_plan_file_and_in_python(tmp_path: Path) -> None:
    first = read_plan(plan(tmp_path, FULL)).scan()
    second = nd.Scan(
        tmp_path / "model.py",
        out=tmp_path / "two",
        grid={"a": [0, 0.5, 1], "b": [1, 2]},
        set={"tau": "20 ms"},
        seeds=2,
        root_seed=7,
        paired=["b"],
    )
    assert list(first.folder.points()) == list(second.folder.points())


def test_points_in_a_plan_file(tmp_path: Path) -> None:
    rows = 'simulation = "model.py"\nout = "s"\n[[points]]\na = 1.5\nb = 2\n[[points]]\na = 2.5\nb = 3\n'
    assert [p.values for p in read_plan(plan(tmp_path, rows)).scan().folder.points()] == [
        {"a": 1.5, "b": 2},
        {"a": 2.5, "b": 3},
    ]
    (tmp_path / "drawn.csv").write_text("a,b\n1.5,2\n2.5,3\n")
    listed = read_plan(plan(tmp_path, 'simulation = "model.py"\npoints = "drawn.csv"\n'))
    assert listed.points == tmp_path / "drawn.csv"


def test_what_is_typed_goes_over_the_plan() -> None:
    asked = Asked("model.py", grid={"a": "1,2", "b": [1]}, seeds=2, run={"on": "slurm", "threads": 2})
    other = asked.changed(grid={"a": "3"}, seeds=5, run={"on": "local"})
    assert other.grid == {"a": "3", "b": [1]} and other.seeds == 5
    assert other.run == {"on": "local", "threads": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("simulation = ", "no TOML"),
        ("out = 's'", "add simulation"),
        ("simulation = 'model.py'\nsedes = 3", "unknown word 'sedes'; did you mean 'seeds'"),
        (
            "simulation = 'model.py'\n[run]\ntimelimit = '1 s'",
            "unknown word 'run.timelimit'; did you mean 'time_limit'",
        ),
        ("simulation = 'model.py'\ngrid = 3", "grid = 3 has to be a table"),
        ("simulation = 3", "has to be text"),
        ("simulation = 'model.py'\npoints = [1]", "array of tables"),
        ("simulation = 'model.py'\n[grid]\na = 3", r"write|has to be a list of values, \[3\]"),
        ("simulation = 'model.py'\n[grid]\nc = '1,2'", "unknown parameter 'c'"),
        ("simulation = 'model.py'\n[run]\ntime_limit = 'soon'", "time_limit = 'soon'"),
    ],
)
def test_plans_that_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScanError, match=message):
        read_plan(plan(tmp_path, text)).scan()
    assert {path.name for path in tmp_path.iterdir()} <= {"model.py", "plan.toml", "__pycache__"}


def test_no_plan_file(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="No such file"):
        read_plan(tmp_path / "plan.toml")
