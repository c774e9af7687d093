"""Quick forms of the experiments, and the measures behind their numbers."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.models.force import PUBLISHED

SCRIPT = Path(__file__).parents[2] / "simulations" / "force_spiking.py"


@pytest.fixture(scope="module")
def parts() -> Iterator[Any]:
    sys.path.insert(0, str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("force_spiking_script", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    from force import attractor, measures, runs, sine, song  # type: ignore[import-not-found]

    yield SimpleNamespace(
        run=module.force_spiking,
        traces=runs.run,
        Traces=runs.Traces,
        song_figure=song.song_figure,
        clock_alone=song.clock_alone,
        attractor=attractor,
        measures=measures,
        sine=sine,
    )
    sys.path.remove(str(SCRIPT.parent))


def test_traces_are_on_one_clock(parts: Any) -> None:
    """Outputs and targets of every seed are read at the end of each millisecond, and a network follows while it learns."""
    task = nd.tasks.sine("10 Hz")
    timing: dict[str, Any] = {"duration": "600 ms", "learning": ("100 ms", "500 ms")}
    traces = parts.traces("sine", task, seeds=[1, 2], neurons=200, **timing)
    assert traces.output.shape == traces.target.shape == (2, 600, 1) and traces.rate.shape == (2, 600)
    np.testing.assert_allclose(traces.target[0, :, 0], np.sin(2 * np.pi * 10 * (traces.time - 0.04e-3)), atol=1e-9)
    assert traces.within(0.1, 0.5).sum() == 400 and not traces.output[:, ~traces.within(0.1, 0.6)].any()
    output, target = traces.pair(1, 0.4, 0.5)
    assert parts.measures.rms(output, target) < 0.5 * target.std()
    spikes = traces.recordings[0]["spikes"]
    assert traces.rates(0.0, 0.6)[0] == pytest.approx(len(spikes) / 200 / 0.6)


@pytest.mark.slow
def test_e8_learns_in_a_small_network(parts: Any) -> None:
    """200 cells follow the sine while they learn; whether they go on alone is a question for the full size."""
    outcome = parts.run(experiment="E8", seeds=1, neurons=200)
    assert [c.name.split(",")[0] for c in outcome.checks][:2] == ["E8 training RMS", "E8 free-run spectral peak (Hz)"]
    assert len(outcome.checks) == 7 and outcome.data["training RMS, 9 to 10 s"][0] < 0.2
    assert outcome.data["phase"].shape == (1, 5) and set(outcome.figures) == {"output", "phase"}


@pytest.mark.slow
def test_e8_in_full_meets_all_but_the_correlation(parts: Any) -> None:
    """The correlation over 5 s of free run is met by some seeds only: the phase slips (docs/force.md)."""
    outcome = parts.run(experiment="E8", seeds=2)
    assert all(c.passed for c in outcome.checks if "correlation" not in c.name)
    assert (outcome.data["free-run correlation"] > 0.8).all()


@pytest.mark.slow
@pytest.mark.parametrize("experiment", ["drift", "longer", "precision", "lif", "product", "lorenz", "song"])
def test_experiments_run(parts: Any, experiment: str) -> None:
    outcome = parts.run(experiment=experiment, seeds=1, neurons=60)
    assert outcome.figures and outcome.data and outcome.results
    for name, value in outcome.results.items():
        assert isinstance(value, str | list) or np.isfinite(value) or "map" in name or "shuffled" in name, name


def test_a_song_is_drawn_with_its_difference(parts: Any) -> None:
    time, target = np.arange(1, 3001) * 1e-3, np.tile(nd.tasks.song(4, duration="1 s", clock=10).signal, (3, 1))[None]
    traces = parts.Traces(time, target + 0.25, target, np.full((1, 3000), 8.0), (0.5, 2.0), 50, tuple("abcd"), ())
    figure = parts.song_figure(traces, 1.0, "A song")
    assert parts.clock_alone(nd.tasks.song()) > 0.99 and parts.clock_alone(nd.tasks.song(clock=2)) < 0.5
    shown = [np.asarray(ax.images[0].get_array()) for ax in figure.axes[:3]]
    np.testing.assert_allclose(shown[0], target[0, 2000:].T)
    np.testing.assert_allclose(shown[2], 0.25)
    np.testing.assert_allclose(figure.axes[4].lines[0].get_ydata(), 0.25)


def test_few_cells_are_refused(parts: Any) -> None:
    with pytest.raises(ValueError, match="neurons = 3"):
        parts.run(neurons=3)


def test_phase_lag_and_peak_have_their_signs(parts: Any) -> None:
    m, t = parts.measures, np.arange(5000) * 1e-3
    f, y = np.sin(2 * np.pi * 5 * t), 0.9 * np.sin(2 * np.pi * 4.97 * t)
    assert m.spectral_peak(y, 1e-3) == pytest.approx(4.97, abs=0.01)
    ahead = m.phases(y, f, 1e-3, 5.0)
    np.testing.assert_allclose(ahead, -2 * np.pi * 0.03 * (np.arange(5) + 0.5), atol=0.01)
    late = np.sin(2 * np.pi * 5 * (t - 0.02))
    assert m.lag(late[:, None], f[:, None], 50) == (20, pytest.approx(1.0))
    assert m.amplitude(y[:, None], f[:, None]) == pytest.approx(0.9, abs=0.01)


def test_a_slip_of_more_than_half_a_period_counts_in_full(parts: Any) -> None:
    t = np.arange(10000) * 1e-3
    y, f = np.sin(2 * np.pi * 4.8 * t), np.sin(2 * np.pi * 5 * t)
    assert parts.measures.phases(y, f, 1e-3, 5.0)[-1] == pytest.approx(-2 * np.pi * 0.2 * 9.5, abs=0.1)


def test_the_map_knows_the_attractor_and_not_its_shuffles(parts: Any) -> None:
    a = parts.attractor
    signal = nd.tasks.lorenz("90 s").signal
    reference, other = signal[:63_000], signal[66_000:90_000]
    error, shuffled, p = a.map_error(other[:, 2], reference[:, 2], seed=1)
    assert error < 0.3 * shuffled and p < 0.01
    mixed = np.random.default_rng(0).permutation(other[:, 2].reshape(-1, 600)).ravel()  # pieces in another order
    assert a.map_error(mixed, reference[:, 2], seed=1)[0] > 3 * error
    assert a.switches(np.sin(2 * np.pi * 2 * np.arange(3200) * 1e-3 + 0.1)) == 12
    drawn = a.attractor_figure((other, other), reference, "Free run")
    known, found = (line.get_xydata() for line in drawn.axes[2].lines)
    assert len(known) == len(a.peaks(reference[:, 2])) - 1 and len(found) == len(a.peaks(other[:, 2])) - 1
    noisy = signal[:5000] + np.where(np.arange(5000) < 1500, 0.0, 2.0)[:, None]
    assert a.horizon(noisy, signal[:5000]) == pytest.approx(1.5, abs=0.03)


def test_verdicts_are_those_of_the_criteria(parts: Any) -> None:
    middle = {name: np.array([(low + high) / 2]) for name, (low, high) in parts.sine.CRITERIA.items()}
    assert all(ok.all() for ok in parts.sine.verdicts(middle).values())
    beyond = {name: np.array([low - 0.001, high + 0.001]) for name, (low, high) in parts.sine.CRITERIA.items()}
    good = parts.sine.verdicts(beyond)
    assert not any(ok[1] for ok in good.values()) and not good["free-run correlation"][0]
    assert parts.sine.worst("rate in learning (Hz)", np.array([37.0, 41.0, 36.0])) == 41.0
    assert parts.sine.worst("training RMS, 9 to 10 s", np.array([0.01, 0.03])) == 0.03


DOCS = Path(__file__).parents[2] / "docs" / "force.md"


def test_the_table_of_the_docs_is_that_of_the_presets() -> None:
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in DOCS.read_text().splitlines()
        if line.startswith("| `")
    ]
    assert [row[0].strip("`") for row in rows] == list(PUBLISHED)
    for row, p in zip(rows, PUBLISHED.values(), strict=True):
        numbers = [
            row[2],
            row[3].replace(" ", "").removesuffix("mVms"),
            row[4].replace(" ", "").removesuffix("mV"),
            row[9],
        ]
        assert [float(x) for x in numbers] == [
            p.neurons,
            float(p.gain.split()[0]),
            float(p.feedback.split()[0]),
            p.inverse,
        ]
        assert row[8] == p.every
        if p.cell == "izhikevich":
            assert [float(x) for x in row[5:8]] == [float(x.split()[0]) for x in (p.a, p.b, p.d)]
