"""The command that analyses a recording: results and figure beside it, typed options, one line for what can't be done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn import analysis, cli
from neurodyn.analyse import identity
from neurodyn.analyses import ANALYSES
from neurodyn.plots.base import PrintFigure
from neurodyn.recording import Writer

SAMPLES, UNITS = 4000, 6


def made(path: Path, *, seed: int = 0) -> Path:
    """A recording with activity of two dimensions, and spikes of units that know nothing of each other."""
    rng = np.random.default_rng(seed)
    latent = np.stack([np.sin(2 * np.pi * np.arange(SAMPLES) * f) for f in (0.01, 0.003)], axis=1)
    x = latent @ rng.normal(size=(2, UNITS)) + 0.05 * rng.normal(size=(SAMPLES, UNITS))
    times = np.arange(SAMPLES) + 1.0
    fired = np.sort(rng.integers(0, SAMPLES * 10, 900))
    writer = Writer(path, header={"seed": seed, "dt_ms": 0.1, "duration_ms": float(SAMPLES)})
    writer.spikes("cells", fired, rng.integers(0, UNITS, len(fired)), size=UNITS)
    writer.samples("state/cells/v", x, times, attrs={"units": "mV"})
    writer.samples("readout/out/y", x[:, :2], times, dims=("time", "output"))
    writer.finish()
    return path


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("analyse") / "a.h5")


@pytest.fixture
def file(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.h5").write_bytes(original.read_bytes())
    return "a.h5"


@pytest.fixture(autouse=True)
def _small_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """At print resolution figures would take most of the time."""
    whole = PrintFigure.savefig
    monkeypatch.setattr(
        PrintFigure, "savefig", lambda self, name, **options: whole(self, name, **options | {"dpi": 40})
    )


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["analyse", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    return captured.err


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["analyse", *arguments]) == 0
    return capsys.readouterr().out


def test_listing(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, file)
    for name, each in ANALYSES.items():
        assert f"\n{name}: {each.summary}" in out
    assert "of rate, readout/out/y, state/cells/v" in out and "of spikes/cells" in out
    assert "made already: none" in out and "quantity in ms  100 ms" in out
    run(capsys, file, "rates")
    assert "made already: rates" in run(capsys, file)


def test_pca_of_an_array_in_the_file(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, file, "pca", "--of", "v", "--set", "components=2", "--set", "surrogates=9")
    assert "component 2:" in out and "units rotated in time up to" in out and "p = 0.1" in out
    found = nd.load("a.analysis.h5")
    expected = analysis.pca(nd.load(file)["state/cells/v"].values, 2)
    np.testing.assert_allclose(found.results["pca: share of variance"], expected.explained_ratio)
    np.testing.assert_allclose(np.abs(found["pca_components"]), np.abs(expected.components), atol=1e-9)
    assert found["pca_share_null"].dims == ("surrogate", "component")


def test_participation_of_an_array_in_the_file(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path(file).read_bytes()
    out = run(capsys, file, "participation", "--of", "v", "--set", "surrogates=9", "--set", "bias_correction=false")
    assert "participation of state/cells/v" in out and "p = 0.1 less" in out and "figure:" in out
    found = nd.load("a.analysis.h5")
    expected = analysis.participation_ratio(nd.load(file)["state/cells/v"].values, bias_correction=False)
    assert found.results["participation: ratio"] == pytest.approx(expected) and 1 < expected < 2.1
    assert found["participation_null"].dims == ("surrogate",) and found["participation_null"].shape == (9,)
    made_of = found.config["analyses"]["participation"]
    assert made_of["of"] == "state/cells/v" and made_of["options"]["surrogates"] == 9
    assert made_of["source"]["file"] == "a.h5" and made_of["source"]["seed"] == "0"
    assert Path("a.participation.png").stat().st_size > 1000
    assert Path(file).read_bytes() == before


def test_the_identity_tells_recordings_apart(file: str, tmp_path: Path) -> None:
    one, other = identity(nd.load(file)), identity(nd.load(made(tmp_path / "b.h5", seed=1)))
    assert {"file", "seed", "sha256 of the attributes"} <= {key for key in one if one[key] != other[key]}
    assert identity(nd.load(file)) == one


def test_a_second_analysis_keeps_the_first(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, file, "rates", "--set", "bin=10 ms")
    run(capsys, file, "spikes", "--set", "surrogates=5", "--set", "window=0.2 s")
    found = nd.load("a.analysis.h5")
    assert set(found.config["analyses"]) == {"rates", "spikes"}
    expected = analysis.spike_statistics(nd.load(file)["spikes"], window=200, samples=5)
    np.testing.assert_array_equal(found["spikes_fano"], expected.fano)
    assert found.results["spikes: CV, median"] == pytest.approx(np.median(expected.cv))
    assert found["rates_population_rate"].shape == (400,)
    np.testing.assert_allclose(found["rates_population_rate"].time[:2], [5, 15])
    assert found["rates_rate"].attrs["units"] == "Hz"


def test_what_is_there_is_refused_and_replaced(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, file, "rates")
    assert "holds rates already; replace it with --overwrite" in refused(capsys, file, "rates")
    run(capsys, file, "rates", "--set", "bin=100 ms", "--overwrite")
    found = nd.load("a.analysis.h5")
    assert found["rates_population_rate"].shape == (40,)
    assert found.config["analyses"]["rates"]["options"]["bin"] == "100 ms"
    Path("a.spikes.png").write_bytes(b"of a simulation")
    assert "a.spikes.png exists" in refused(capsys, file, "spikes")
    assert Path("a.spikes.png").read_bytes() == b"of a simulation"
    run(capsys, file, "rates", "--out", "other.h5")
    assert Path("other.rates.png").exists() and "rates" in nd.load("other.h5").config["analyses"]


def test_correlations_and_spectrum(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    jitter = ("--set", "null=jitter", "--set", "jitter=200 ms", "--set", "surrogates=9", "--set", "units=4")
    out = run(capsys, file, "correlations", *jitter)
    assert "4 of the 6 units that fire" in out and "moved within windows of 200 ms" in out
    out = run(capsys, file, "spectrum", "--set", "surrogates=9")
    assert "population: largest at" in out
    found = nd.load("a.analysis.h5")
    assert found["correlations_matrix"].shape == (4, 4)
    assert found["spectrum_population"].frequency[-1] == 500 and found["spectrum_null"].shape == (3, 501)


def test_timescales_in_ms(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, file, "timescales", "--of", "v", "--set", "units=3", "--set", "surrogates=2")
    assert "timescales of 3 units in steps of 1 ms; null: AR(1) units" in out
    found = nd.load("a.analysis.h5")["timescales_tau"]
    assert found.shape == (3,) and found.attrs["units"] == "ms" and found.unit.values.tolist() == [0, 2, 5]


def test_resonance_at_the_frequency_of_the_drive(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--set frequency=8" in refused(capsys, file, "resonance", "--of", "v")
    out = run(capsys, file, "resonance", "--of", "v", "--set", "frequency=10", "--set", "discard=0.1 s")
    assert "0.01" in out and "SNR" in out
    found = nd.load("a.analysis.h5")
    assert found.results["resonance: SNR, p"] < 0.1
    assert found["resonance_spectrum"].frequency.max() == pytest.approx(500, rel=0.01)


def test_rates_made_of_spikes_are_the_ones_taken_if_nothing_is_said(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "participation of rate\n" in run(capsys, file, "participation", "--set", "surrogates=3")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pcaa",), "unknown analysis 'pcaa'; did you mean 'pca'?"),
        (("pca", "--set", "component=4"), "did you mean 'components'?"),
        (("pca", "--set", "components=many"), "components='many' has to be int"),
        (("pca", "--set", "components"), "write --set name=value"),
        (("spikes", "--set", "window=3 mV"), "window='3 mV'"),
        (("spikes", "--set", "window=10 s"), "window = 10000 ms"),
        (("correlations", "--set", "null=jitters"), "did you mean 'jitter'?"),
        (("pca", "--of", "w"), "pca can't work on 'w'"),
        (("spikes", "--of", "state/cells/v"), "did you mean 'spikes/cells'?"),
        (("pca", "--of", "v", "--set", "components=9"), "components = 9: at least 1, at most 6"),
        (("rates", "--out", "a.h5"), "is the recording itself"),
        (("rates", "--out", "nowhere/b.h5"), "there is no folder 'nowhere'"),
        (("rates", "--out", "b.txt"), "has to end in .h5"),
        (("rates", "--what"), "unknown argument '--what'"),
    ],
)
def test_refusals(file: str, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str) -> None:
    assert message in refused(capsys, file, *arguments)
    assert not Path("a.analysis.h5").exists() and not list(Path().glob("*.png"))


def test_other_files_are_refused(file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no recording 'b.h5'; did you mean 'a.h5'?" in refused(capsys, "b.h5", "rates")
    made(tmp_path / "c.h5")
    assert "c.h5 holds no analyses" in refused(capsys, file, "rates", "--out", "c.h5")
    writer = Writer(tmp_path / "empty.h5", header={})
    writer.trial({"a": 1})
    writer.finish()
    assert "holds nothing for rates, which needs spikes" in refused(capsys, "empty.h5", "rates")
    assert "nothing here: it needs spikes" in run(capsys, "empty.h5")


def test_of_what_has_to_be_said_where_there_are_several(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = Writer(tmp_path / "d.h5", header={})
    for name in ("u", "v"):
        writer.samples(f"state/cells/{name}", np.random.default_rng(0).normal(size=(50, 3)), np.arange(50.0))
    writer.finish()
    file = str(tmp_path / "d.h5")
    assert "participation of what? --of one of state/cells/u, state/cells/v" in refused(capsys, file, "participation")
    assert "participation of state/cells/u" in run(capsys, file, "participation", "--of", "cells.u")


def test_a_nan_is_named_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.random.default_rng(0).normal(size=(50, 3))
    x[17, 1] = np.nan
    writer = Writer(tmp_path / "e.h5", header={})
    writer.samples("state/cells/v", x, np.arange(50.0))
    writer.finish()
    assert "sample 17, unit 1" in refused(capsys, str(tmp_path / "e.h5"), "participation")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.h5"]


def reservoir() -> nd.Circuit:
    """Below the transition, with a real eigenvalue that leads by far."""
    return nd.RateReservoir(12, gain=0.5, tau="5 ms", connection_probability=0.5, seed=2)


@pytest.fixture(scope="module")
def rate_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rates") / "net.h5"
    nd.simulate(reservoir(), "300 ms", record=["cells.x"], out=path)
    return path


def test_exponents_of_a_rate_network(rate_network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = [word for option in ("count=1", "steps=100", "discard=200") for word in ("--set", option)]
    out = run(capsys, str(rate_network), "lyapunov", "--out", str(tmp_path / "l.h5"), *few)
    found = nd.load(tmp_path / "l.h5")
    # it falls back to rest, where the slowest eigenvalue tells the exponent
    step = reservoir().step_function(noise="off")
    jacobian = torch.func.jacrev(lambda x: step(x[None])[0])(torch.zeros(12, dtype=torch.float64))
    slowest = float(torch.linalg.eigvals(jacobian).abs().max().log())  # of a step of 1 ms
    assert found.results["lyapunov: exponents (1/ms)"][0] == pytest.approx(slowest, rel=1e-4)
    assert found.results["lyapunov: largest"] == "below 0" and "noise off, inputs held at 0" in out
    assert found["lyapunov_running"].shape == (100, 1) and found["lyapunov_running"].time[0] == 1


def test_fixed_points_of_a_rate_network(rate_network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, str(rate_network), "fixed-points", "--out", str(tmp_path / "f.h5"), "--set", "starts=20")
    assert "starts: samples of the recording" in out and "speed at the starts" in out
    found = nd.load(tmp_path / "f.h5")
    assert (found.results["fixed-points: fixed points"], found.results["fixed-points: stable"]) == (1, 1)
    np.testing.assert_allclose(found["fixed-points_points"], 0, atol=1e-6)
    assert found["fixed-points_eigenvalues"].dtype == complex


def test_starts_are_made_where_the_state_was_not_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.h5"
    nd.simulate(reservoir(), "50 ms", record=["cells.r"], out=path)
    out = run(capsys, str(path), "fixed-points", "--set", "starts=20")
    assert "a run of 200 steps, since the recording lacks the state" in out and "1 fixed and 0 slow points" in out


def test_spiking_networks_have_no_step_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nd.simulate(nd.SpikingReservoir(20), "20 ms", record=["spikes"], out=tmp_path / "s.h5", backend="interpreter")
    assert "which needs a rate network" in refused(capsys, str(tmp_path / "s.h5"), "lyapunov")


@pytest.mark.parametrize("name", ANALYSES)
def test_every_option_says_what_it_is(name: str) -> None:
    assert all(parameter.doc for parameter in ANALYSES[name].parameters)
    assert ANALYSES[name].summary.endswith(".")
