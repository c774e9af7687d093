"""Simulations: parameters, checks, what is printed and what is stored."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neurodyn as nd
from neurodyn.parameters import ParameterError
from neurodyn.simulation import Outcome, Simulation, check, simulation
from neurodyn.units import Time, Units


def make(**changes: Any) -> Simulation:
    """A simulation that returns its parameters in ``data``-free form and remembers its calls."""

    @simulation
    def waiting(
        *,
        trials: int = 200,
        gain: float = 1.0,
        learn: bool = True,
        latencies: tuple[Time, ...] = ("150 ms", "300 ms"),
        experiment: Literal["demo", "full"] = "demo",
        weight: Annotated[str, Units("amp")] = "20 pA",
        probabilities: list[float] = [0.8],  # noqa: B006
        label: str | None = None,
        seed: int = 1,
        out: Path | None = None,
    ) -> Outcome:
        """Wait for an event.

        A longer text.

        Parameters
        ----------
        trials : int
            How many trials.
        latencies : list of times
            When the event comes,
            after the cue.
        gain, weight : float and current
            How strong.

        Returns
        -------
        Outcome
        """
        seen.append({name: value for name, value in locals().items() if name not in ("seen", "changes")})
        return Outcome(
            results={"double": 2 * trials}, checks=[check("twice", 2 * trials, "> 3", reference=4)], **changes
        )

    seen: list[dict[str, Any]] = []
    waiting.seen = seen  # type: ignore[attr-defined]
    return waiting


def seen(made: Simulation) -> list[dict[str, Any]]:
    return made.seen  # type: ignore[attr-defined]


def test_the_decorator_has_the_name_of_its_module():
    assert nd.simulation is simulation
    assert callable(nd.simulation)


def test_defaults_and_values_reach_the_function(capsys):
    made = make()
    outcome = made(trials=3, weight="0.5 nA")
    assert seen(made)[0]["trials"] == 3
    assert seen(made)[0]["weight"] == "0.5 nA"
    assert seen(made)[0]["latencies"] == ("150 ms", "300 ms")
    assert outcome.results == {"double": 6}
    assert outcome.config["trials"] == 3
    assert "out" not in outcome.config
    assert outcome.path is None
    printed = capsys.readouterr().out
    assert "Wait for an event." in printed
    assert "150 ms, 300 ms" in printed
    assert "twice  6      > 3        4          yes" in printed
    assert "1 of 1 checks passed" in printed


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"trails": 3}, "unknown parameter 'trails'; did you mean 'trials'"),
        ({"zzz": 3}, "unknown parameter 'zzz'; there are trials, gain"),
        ({"trials": "many"}, "trials='many' has to be int"),
        ({"trials": 2.5}, "trials=2.5 has to be int"),
        ({"gain": None}, "gain=None has to be float"),
        ({"experiment": "dem"}, "experiment='dem' has to be 'demo' | 'full'; did you mean 'demo'"),
        ({"weight": "20 mV"}, "weight='20 mV' is a voltage (unit 'mV'); it has to be a current (unit 'pA')"),
        (
            {"latencies": ["150 ms", "3"]},
            "latencies='3' is a number without unit; it has to be a time (unit 'ms'), such as latencies='3 ms'",
        ),
        ({"probabilities": [0.1, "x"]}, "probabilities[1]='x' has to be list of float"),
        ({"learn": "perhaps"}, "learn='perhaps' has to be bool"),
        ({"trials": "x", "gain": "y"}, "gain='y' has to be float; trials='x' has to be int"),
        ({"out": "somewhere/a.txt"}, "out='somewhere/a.txt' has to end in .h5"),
    ],
)
def test_wrong_values_are_named_and_nothing_runs(wrong, message):
    made = make()
    with pytest.raises(ParameterError) as error:
        made(**wrong)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert seen(made) == []


def test_constraints_of_annotated_types():
    from annotated_types import Ge

    @simulation
    def counting(*, trials: Annotated[int, Ge(1)] = 1):
        """Count."""
        return {"trials": trials}

    with pytest.raises(ParameterError, match="trials=0 has to be int: input should be greater than or equal to 1"):
        counting(trials=0)


def test_quantities_of_every_kind_become_text():
    b2 = pytest.importorskip("brian2")
    made = make()
    made(weight=20 * b2.pA, latencies=[0.15 * b2.second])
    assert seen(made)[0]["weight"] == "20 pA"
    assert seen(made)[0]["latencies"] == ("150 ms",)


def test_text_from_a_command_line():
    made = make()
    given = made.from_text(
        {
            "latencies": "150 ms, 0.3 s",
            "probabilities": "[0.1, 1]",
            "trials": "7",
            "learn": "no",
            "label": "none",
        }
    )
    made(**given)
    call = seen(made)[0]
    assert call["latencies"] == ("150 ms", "0.3 s")
    assert call["probabilities"] == [0.1, 1.0]
    assert call["trials"] == 7
    assert call["learn"] is False
    assert call["label"] is None
    assert made.from_text({"probabilities": ""}) == {"probabilities": []}
    with pytest.raises(ParameterError, match="did you mean 'latencies'"):
        made.from_text({"latency": "3 ms"})


def test_numbers_in_literals():
    @simulation
    def choosing(*, order: Literal[1, 2] = 1):
        """Choose."""
        return {"order": order}

    assert choosing(**choosing.from_text({"order": "2"})).results == {"order": 2}


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)), st.integers(), st.booleans())
def test_what_is_printed_by_python_can_be_typed(probabilities, trials, learn):
    made = make()
    texts = {"probabilities": ",".join(map(repr, probabilities)), "trials": str(trials), "learn": str(learn)}
    values, _ = made.prepare(**made.from_text(texts))
    assert (values["probabilities"], values["trials"], values["learn"]) == (probabilities, trials, learn)


def test_parameters_are_documented_from_the_docstring():
    made = make()
    docs = {p.name: p.doc for p in made.parameters}
    assert docs["trials"] == "How many trials."
    assert docs["latencies"] == "When the event comes, after the cue."
    assert docs["weight"] == docs["gain"] == "How strong."
    assert docs["seed"] == ""
    kinds = {p.name: p.type for p in made.parameters}
    assert kinds["latencies"] == "list of quantity in ms"
    assert kinds["experiment"] == "'demo' | 'full'"
    assert kinds["out"] == "path | none"
    assert "How many trials." in made.describe()


def test_a_default_cannot_be_changed_by_the_function():
    made = make()
    made()
    seen(made)[0]["probabilities"].append(7.0)
    made()
    assert seen(made)[1]["probabilities"] == [0.8]


def test_faulty_definitions_are_refused():
    def positional(trials: int = 3): ...
    def without_default(*, trials: int): ...
    def without_type(*, trials=3): ...
    def odd_type(*, trials: dict = {}): ...  # noqa: B006
    def reserved(*, overwrite: bool = False): ...

    for function, message in [
        (positional, "keyword-only"),
        (without_default, "needs a default"),
        (without_type, "needs a type"),
        (odd_type, "cannot be the type"),
        (reserved, "leave out the parameter 'overwrite'"),
    ]:
        with pytest.raises(TypeError, match=message):
            simulation(function)

    @simulation
    def shadowing(*, copy: int = 3):
        return {}

    with pytest.raises(TypeError, match="'copy' cannot be the name"):
        shadowing()

    @simulation
    def wrong_default(*, tau: Time = "20 mV"):
        return {}

    with pytest.raises(ParameterError, match="tau='20 mV' is a voltage"):
        wrong_default()

    @simulation  # type: ignore[arg-type]
    def nothing(*, tau: Time = "20 ms"):
        return None

    with pytest.raises(TypeError, match="returned None"):
        nothing()


def test_an_existing_output_is_refused_before_running(tmp_path):
    made = make()
    out = tmp_path / "a.h5"
    out.write_text("precious")
    with pytest.raises(FileExistsError, match="--overwrite"):
        made(out=out)
    assert seen(made) == []
    assert out.read_text() == "precious"


class Picture:
    """Stands in for a matplotlib figure."""

    def savefig(self, path, dpi):
        Path(path).write_text(f"{dpi} dpi")


def test_results_are_stored_beside_the_figures(tmp_path):
    recording = pytest.importorskip("neurodyn.recording")
    out = tmp_path / "new" / "a.h5"
    outcome = make(figures={"overview": Picture()}, data={"curve": np.arange(4.0)})(trials=5, out=out)
    assert outcome.path == out
    stored = recording.load(out)
    assert stored.results["double"] == 10
    assert stored.config["parameters"]["trials"] == 5
    assert stored.config["simulation"] == "waiting"
    assert stored.checks[0]["name"] == "twice"
    assert (out.parent / "a.overview.png").read_text() == "300 dpi"
    again = make(figures={"overview": Picture()})(trials=6, out=out, overwrite=True)
    assert again.path == out
    assert recording.load(out).results["double"] == 12
    assert "curve" not in " ".join(recording.load(out).keys())  # replaced, not added to
    assert sorted(p.name for p in out.parent.iterdir()) == ["a.h5", "a.overview.png"]


def test_a_failed_run_leaves_the_old_recording_and_says_where_the_new_one_is(tmp_path):
    out = tmp_path / "a.h5"
    out.write_text("old")

    @simulation
    def failing(*, write: bool = True, out: Path | None = None):
        """Fail."""
        if write:
            assert out is not None
            out.with_suffix(".partial.h5").write_text("half")
        raise RuntimeError("blew up")

    with pytest.raises(RuntimeError) as error:
        failing(out=out, overwrite=True)
    assert out.read_text() == "old"
    folder = next(p for p in tmp_path.iterdir() if p.is_dir())
    assert (folder / "a.partial.h5").read_text() == "half"
    assert str(folder) in error.value.__notes__[0]
    (folder / "a.partial.h5").unlink()
    folder.rmdir()
    with pytest.raises(RuntimeError):
        failing(out=out, write=False, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


def test_out_is_taken_by_a_simulation_that_does_not_declare_it(tmp_path):
    recording = pytest.importorskip("neurodyn.recording")

    @simulation
    def plain(*, gain: float = 2.0):
        """Double."""
        return {"gain": gain}

    plain(out=tmp_path / "b.h5")
    assert recording.load(tmp_path / "b.h5").results == {"gain": 2.0}
