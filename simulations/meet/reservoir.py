"""Evidence that the reservoir does the work: a counter without a network passes E1 to E4, and fails all of this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import neurodyn as nd
from meet.runs import ARMS, Tests, run, sessions_for
from neurodyn.analysis import decode_identity, decode_time, expectation_error
from neurodyn.models.counter import counter
from neurodyn.network import realize
from neurodyn.plots import error_curves, expectation_traces, line_with_band
from neurodyn.plots.base import new_figure, panel_letters
from neurodyn.session import Session, Trial
from neurodyn.tasks import WhatWhen, protocol

NOISE = (0.25, 0.5, 1.0, 2.0)
LATENCIES_MS = (150.0, 200.0, 300.0, 400.0, 500.0, 600.0)
LESIONED = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6)
TEST_TRIALS = 10
SHUFFLES = 5
#: networks whose learning is computed again from their spikes (a second for every ten trials)
REPLAYED = 3
#: units that the identity of the event is decoded from; strength of the regression of time, chosen on seeds 1 to 4
DECODED, STRENGTH = 250, 0.3
#: added to the seed of a trained network for its tests: noise it has not met, see :func:`after_training`
FRESH = 1_000_000
#: from event onset, for the decoding of its identity
AFTER_EVENT_MS = (-20.0, 20.0, 100.0, 300.0)


def reservoir(*, seeds: Sequence[int], neurons: int, trials: int, backend: str) -> nd.Outcome:
    """Show by what breaks when the reservoir is disturbed that it carries the timing."""
    circuits = networks(seeds, neurons)
    sessions = sessions_for(lambda s: protocol("P1", seed=s, trials=trials), seeds)
    base = run(nd.WhatWhenRule(), sessions, seeds, backend=backend, record=["spikes"], circuits=circuits)
    learned = [after_training(c, r, s) for c, r, s in zip(circuits, base.recordings, seeds, strict=True)]
    options = {"seeds": seeds, "backend": backend}
    return joined(
        recomputed(base.recordings, sessions),
        disturbed(learned, circuits, **options),
        noise_and_latency(base, trials=trials, neurons=neurons, **options),
        rules(base, sessions, neurons=neurons, **options),
        decoded(learned, circuits, trials=min(trials, 60), **options),
    )


def joined(*parts: nd.Outcome) -> nd.Outcome:
    """Return one outcome with the parts' results, checks, data and figures."""
    every: dict[str, Any] = {name: {} for name in ("results", "data", "figures")}
    for part in parts:
        for name, members in every.items():
            members |= getattr(part, name)
    return nd.Outcome(checks=[check for part in parts for check in part.checks], **every)


def networks(seeds: Sequence[int], neurons: int, rule: Any = None, **options: Any) -> list[nd.Circuit]:
    """Return a fresh reservoir with readouts for each seed."""
    rule = rule or nd.WhatWhenRule()
    return [rule.attach(nd.SpikingReservoir(neurons, seed=int(s), **options)) for s in seeds]


def after_training(circuit: nd.Circuit, recording: Any, seed: int) -> nd.Circuit:
    """Return the circuit with what it learned in a recording (with weights), and noise that it has not met.

    A run begins with step 0 of the noise of its seed. A test in a new run therefore takes another seed, while cells
    and wiring are set to those of the old one.
    """
    network = realize(circuit)
    values = {
        a.name: network.values[a.name]
        for a in network.program.arrays
        if a.role == "parameter" and a.axes and a.name.startswith("cells.") and a.name in network.values
    }
    for name, wiring in network.wiring.items():
        values |= {f"{name}.{part}": getattr(wiring, part) for part in ("indptr", "targets", "weights", "delays")}
    memory = {
        key.removeprefix("weights/").replace("/", "."): np.asarray(recording[key])[-1]
        for key in recording
        if key.startswith("weights/")
    }
    return circuit.with_values({**values, **memory}).with_(seed=int(seed) + FRESH)


def cue_only(task: WhatWhen, trials: int) -> Session:
    """Return a session of cue-only tests."""
    return only(task.session(1, calibration=0, tests=(0,), test_trials=trials), "test")


def only(session: Session, phase: str, **changes: Any) -> Session:
    """Return the session with the trials of one phase, each with changes."""
    return replace(session, trials=tuple(replace(t, **changes) for t in session.trials if t.labels["phase"] == phase))


def tested(circuits: Sequence[nd.Circuit], session: Session, backend: str, record: Sequence[Any] = ()) -> Tests:
    """Run trained circuits through cue-only tests."""
    return run(None, session, range(len(circuits)), backend=backend, circuits=circuits, record=record)


# (a) The readouts from the spikes ------------------------------------------------------------------------------


def filtered(spikes: Any, start_ms: float, steps: int, *, tau_ms: float = 30.0) -> np.ndarray:
    """Return the trace of each unit in Hz (time, unit) over one trial, from the recorded spikes alone."""
    from scipy.signal import lfilter

    counts = spikes.between(start_ms, start_ms + steps * spikes.dt_ms).array(
        spikes.dt_ms, duration=steps * spikes.dt_ms
    )
    return np.asarray(lfilter([1000.0 / tau_ms], [1.0, -np.exp(-spikes.dt_ms / tau_ms)], counts.astype(float), axis=0))


def what_state(rate: np.ndarray, trial: Trial) -> np.ndarray:
    """Return z (time, unit): the mean activity (in 100 Hz) over the window after the cue so far."""
    window = trial.inputs["window"][:, :1] > 0
    return np.cumsum(np.where(window, rate * 0.01, 0.0), axis=0) / np.maximum(np.cumsum(window, axis=0), 1)


def recompute(recording: Any, session: Session) -> dict[str, np.ndarray]:
    """Compute o (test, time, event) and q (test, event) from spikes, weights and events, beside the recorded ones."""
    starts, weights, spikes = recording.trials.start_ms.to_numpy(), recording.weights, recording["spikes"]
    rows = [k for k, t in enumerate(session.trials) if t.labels["phase"] == "test"]
    steps, events = session.trials[0].steps, len(session.channels["occurred"])
    o, q = [], []
    for k in rows:
        at = int(np.flatnonzero(weights["when/w"].time.to_numpy() <= starts[k])[-1])
        now = {name: np.asarray(values)[at] for name, values in weights.items()}
        rate = filtered(spikes, starts[k], steps)
        y = (rate - now["when/centre"]) * now["when/gain"] @ now["when/w"].T
        estimate = what_state(rate, session.trials[k]) @ now["what/v"].T
        o.append(np.maximum(estimate, 0) * np.maximum(y, 0))
        q.append(estimate[-1])
    shape = (len(session), steps, events)
    return {
        "o": np.array(o),
        "q": np.array(q),
        "recorded o": np.asarray(recording["expectation"]).reshape(shape)[rows],
        "recorded q": np.asarray(recording["readout/what/q"])[rows],
    }


def replay(recording: Any, session: Session, *, rate: float = 0.03, what_rate: float = 0.04) -> dict[str, np.ndarray]:
    """Learn again from the recorded spikes and the events alone: calibration, w and v at the end of the session.

    The steps of a trial are solved at once: with a_t = rate G(t)/(|x_t|^2 + 0.1 power), the errors obey
    e_t + sum_{s<t} x_t.x_s a_s e_s = target_t - w.x_t, a triangular system.
    """
    from scipy.linalg import solve_triangular

    starts, spikes = recording.trials.start_ms.to_numpy(), recording["spikes"]
    w, v = (np.zeros((len(session.channels["occurred"]), spikes.size)) for _ in "wv")
    seen, centre, gain, power = [], np.zeros(spikes.size), np.full(spikes.size, 0.01), 1.0
    for k, trial in enumerate(session.trials):
        if not (trial.learning or trial.calibration):
            continue
        trace = filtered(spikes, starts[k], trial.steps)
        if trial.calibration:
            seen.append(trace[trial.inputs["scored"][:, 0] > 0])
            every = np.concatenate(seen)
            centre, sd = every.mean(axis=0), every.std(axis=0)
            gain = 1 / (sd + sd.mean())
            power = float(np.sum((sd * gain) ** 2))
            continue
        x = (trace - centre) * gain
        products = x @ x.T
        step = rate * trial.inputs["gate"] / (np.diag(products) + 0.1 * power)[:, None]
        for c in np.flatnonzero(step.any(axis=0)):
            system = np.tril(products, -1) * step[:, c] + np.eye(len(x))
            error = solve_triangular(system, trial.inputs["target"][:, c] - x @ w[c], lower=True, unit_diagonal=True)
            w[c] += x.T @ (step[:, c] * error)
        z = what_state(trace, trial)[-1]
        v += what_rate * np.outer(trial.inputs["occurred"] - v @ z, z) / (z @ z)
    return {"when/w": w, "what/v": v, "when/centre": centre, "when/gain": gain}


def recomputed(recordings: Sequence[Any], sessions: Sequence[Session]) -> nd.Outcome:
    """Compare readouts and weights with what follows from spikes and events."""
    found = [recompute(r, s) for r, s in zip(recordings, sessions, strict=True)]
    o, q = (max(float(np.abs(f[name] - f[f"recorded {name}"]).max()) for f in found) for name in "oq")
    weights = {"when/w": 0.0, "what/v": 0.0}
    for recording, session in zip(recordings[:REPLAYED], sessions[:REPLAYED], strict=True):
        again = replay(recording, session)
        for name in weights:
            true = np.asarray(recording[f"weights/{name}"])[-1]
            weights[name] = max(weights[name], float(np.abs(again[name] - true).max() / np.abs(true).max()))
    return nd.Outcome(
        results={
            "tests recomputed": sum(len(f["o"]) for f in found),
            "largest recorded expectation": max(float(f["recorded o"].max()) for f in found),
        },
        checks=[
            nd.check("largest |recorded - recomputed| of o(t), all tests and seeds", o, "<= 1e-9"),
            nd.check("largest |recorded - recomputed| of q", q, "<= 1e-9"),
            nd.check(
                "w learned again from spikes and events alone, largest relative difference",
                weights["when/w"],
                "<= 1e-9",
            ),
            nd.check(
                "v learned again from spikes and events alone, largest relative difference",
                weights["what/v"],
                "<= 1e-9",
            ),
        ],
    )


# (c) Lesions and (d) shuffled labels ---------------------------------------------------------------------------


def scores(tests: Tests, task: WhatWhen) -> dict[str, np.ndarray]:
    """Return nrmse, correlation (seed,) and peak error in ms (seed, event) of the only test; without a peak it is NaN."""
    return {
        "nrmse": tests.nrmse[:, 0],
        "correlation": tests.correlation[:, 0],
        "peak": np.abs(tests.peaks[:, 0] - np.array(task.latencies_ms)),
        "q": tests.q_test(0),
    }


def shuffled(circuit: nd.Circuit, rng: np.random.Generator, names: Sequence[str] = ("when.w", "what.v")) -> nd.Circuit:
    """Return the circuit with one random exchange of the neurons in the weights of its readouts."""
    order = rng.permutation(circuit["cells"].size)
    return circuit.with_values({name: circuit.values[name][:, order] for name in names})


def disturbed(
    learned: Sequence[nd.Circuit], naive: Sequence[nd.Circuit], *, seeds: Sequence[int], backend: str
) -> nd.Outcome:
    """Test trained networks after lesions, and with the labels of the neurons in the weights shuffled."""
    task, rngs = WhatWhen(), [np.random.default_rng(int(s)) for s in seeds]
    session = cue_only(task, TEST_TRIALS)
    orders = [rng.permutation(c["cells"].size) for rng, c in zip(rngs, learned, strict=True)]
    lesion = []
    for part in LESIONED:
        hit = [c.lesion("cells", order[: round(part * order.size)]) for c, order in zip(learned, orders, strict=True)]
        lesion.append(tested(hit, session, backend))
    rows = {
        name: np.stack([scores(t, task)[name] for t in lesion], axis=1)
        for name in ("nrmse", "correlation", "peak", "q")
    }
    mixed, mixed_when = (
        tested(
            [shuffled(c, rng, names) for c, rng in zip(learned, rngs, strict=True) for _ in range(SHUFFLES)],
            session,
            backend,
        )
        for names in (("when.w", "what.v"), ("when.w",))
    )
    per_seed = {
        name: np.nanmean(values.reshape(len(learned), SHUFFLES, -1), axis=1)
        for name, values in scores(mixed, task).items()
    }
    when_only = scores(mixed_when, task)["correlation"].reshape(-1, SHUFFLES).mean(axis=1)
    intact, apart = rows["correlation"][:, 0], rows["correlation"][:, 0] - per_seed["correlation"][:, 0]
    length = task.steps - task.cue_ms
    guess = [(t**2 + (length - t) ** 2) / (2 * length) for t in task.latencies_ms]
    return nd.Outcome(
        results={
            **nd.rounded(
                {
                    "lesioned part": LESIONED,
                    "lesions: nRMSE, mean": rows["nrmse"].mean(axis=0),
                    "lesions: nRMSE, SD": sd(rows["nrmse"]),
                    "lesions: correlation, mean": rows["correlation"].mean(axis=0),
                    "lesions: q of A, mean": rows["q"][..., 0].mean(axis=0),
                    "lesions: peak error of A (ms), mean": rows["peak"][..., 0].mean(axis=0),
                    "lesions: peak error of B (ms), mean": rows["peak"][..., 1].mean(axis=0),
                }
            ),
            **nd.spread("intact: correlation", intact),
            **nd.spread("shuffled: correlation", per_seed["correlation"][:, 0]),
            **nd.spread("shuffled: nRMSE", per_seed["nrmse"][:, 0]),
            **nd.spread("only w shuffled: correlation", when_only),
            **nd.rounded(
                {
                    "intact: peak error of A and B (ms), mean": rows["peak"][:, 0].mean(axis=0),
                    "shuffled: peak error of A and B (ms), mean": per_seed["peak"].mean(axis=0),
                    "a guess uniform over the trial: peak error of A and B (ms)": guess,
                    "intact: q of A and B, mean": rows["q"][:, 0].mean(axis=0),
                    "shuffled: q of A and B, mean": per_seed["q"].mean(axis=0),
                }
            ),
            **nd.passes("shuffling lowers the correlation by 0.5", apart >= 0.5),
        },
        checks=[
            nd.check("correlation lost by shuffled neuron labels", apart.mean(), ">= 0.5"),
            nd.check(
                "peak error added by shuffled labels, mean of events (ms)",
                float(np.nanmean(per_seed["peak"]) - rows["peak"][:, 0].mean()),
                ">= 50",
            ),
        ],
        data={
            "lesioned": np.array(LESIONED),
            "lesion_nrmse": rows["nrmse"],
            "lesion_correlation": rows["correlation"],
            "lesion_peak_error_ms": rows["peak"],
            "shuffled_expectation": mixed.expectation[:, 0],
            "intact_expectation": lesion[0].expectation[:, 0],
        },
        figures={
            "lesions": stacked(
                100 * np.array(LESIONED),
                [
                    {"nRMSE": rows["nrmse"], "correlation": rows["correlation"]},
                    {name: rows["peak"][..., k] for k, name in enumerate(task.names)},
                ],
                xlabel="neurons lesioned after training (%)",
                ylabels=["nRMSE, correlation", "peak error (ms)"],
                titles=["Cue-only tests after lesions", "Timing after lesions"],
            ),
            "shuffled": expectation_traces(
                mixed.time_ms,
                mixed.expectation[::SHUFFLES, 0],
                lesion[0].expectation[:, 0],
                lesion[0].target[0],
                names=task.names,
                cue_ms=0.0,
                latencies_ms=task.latencies_ms,
                titles=("Neuron labels of the weights shuffled", "Intact"),
            ),
        },
    )


def sd(values: np.ndarray) -> np.ndarray:
    """Return the standard deviation over seeds, 0 for one seed."""
    return values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1:])


def stacked(
    x: Any,
    panels: Sequence[Mapping[str, Any]],
    *,
    xlabel: str,
    ylabels: Sequence[str],
    titles: Sequence[str],
    **options: Any,
) -> Any:
    """Return a figure with one panel of lines below the other, over the same x."""
    figure = new_figure(6.4, 2.5 * len(panels))
    axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    for ax, values, ylabel, title in zip(axes, panels, ylabels, titles, strict=True):
        line_with_band(x, values, xlabel=xlabel, ylabel=ylabel, title=title, ax=ax, **options)
        ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    panel_letters(axes)
    return figure


# (b) Noise and latency -----------------------------------------------------------------------------------------


def noise_and_latency(base: Tests, *, seeds: Sequence[int], neurons: int, trials: int, backend: str) -> nd.Outcome:
    """Train with other noise, and with one event at other latencies; a counter knows neither."""
    sessions = sessions_for(lambda s: protocol("P1", seed=s, trials=trials), seeds)
    noise = {0.5: base}
    for level in NOISE:
        if level != 0.5:
            noise[level] = run(None, sessions, seeds, backend=backend, circuits=networks(seeds, neurons, noise=level))
    task = WhatWhen()
    error = np.stack([noise[level].nrmse[:, -1] for level in NOISE], axis=1)
    timing = np.stack([np.abs(noise[level].peaks[:, -1] - np.array(task.latencies_ms)) for level in NOISE], axis=1)
    plain = np.array([counted(s)[0][-1] for s in sessions])

    late, late_timing, late_plain = [], [], []
    for latency in LATENCIES_MS:
        one = WhatWhen(latencies=("150 ms", f"{latency:g} ms"), probability=0.5, trial="900 ms")
        given = sessions_for(lambda s, one=one: one.session(trials, tests=(trials,), seed=s), seeds)
        tests = run(None, given, seeds, backend=backend, circuits=networks(seeds, neurons))
        late.append(expectation_error(tests.expectation[:, -1, :, 1:], tests.target[-1, :, 1:], tests.scored).nrmse)
        late_timing.append(np.abs(tests.peaks[:, -1, 1] - latency))
        late_plain.append([counted(s, event=1)[0][-1] for s in given])
    of_b, timing_of_b, plain_of_b = (
        np.stack([np.asarray(v) for v in x], axis=1) for x in (late, late_timing, late_plain)
    )
    return nd.Outcome(
        results=nd.rounded(
            {
                "noise": NOISE,
                "noise: nRMSE, mean": error.mean(axis=0),
                "noise: nRMSE, SD": sd(error),
                "noise: peak error of A (ms), mean": timing[..., 0].mean(axis=0),
                "noise: peak error of B (ms), mean": timing[..., 1].mean(axis=0),
                "noise: nRMSE of the counter, mean": np.full(len(NOISE), plain.mean()),
                "latency of B (ms)": LATENCIES_MS,
                "latency: nRMSE of B, mean": of_b.mean(axis=0),
                "latency: nRMSE of B, SD": sd(of_b),
                "latency: peak error of B (ms), mean": timing_of_b.mean(axis=0),
                "latency: peak error of B (ms), SD": sd(timing_of_b),
                "latency: nRMSE of B of the counter, mean": plain_of_b.mean(axis=0),
            }
        ),
        data={
            "noise": np.array(NOISE),
            "noise_nrmse": error,
            "noise_peak_error_ms": timing,
            "latency_ms": np.array(LATENCIES_MS),
            "latency_nrmse": of_b,
            "latency_peak_error_ms": timing_of_b,
            "latency_nrmse_counter": plain_of_b,
        },
        figures={
            "noise": stacked(
                np.array(NOISE),
                [
                    {"reservoir": error, "counter, no network": np.repeat(plain[:, None], len(NOISE), axis=1)},
                    {name: timing[..., k] for k, name in enumerate(task.names)},
                ],
                xlabel="noise (SD of the current in each ms)",
                ylabels=["nRMSE", "peak error (ms)"],
                titles=["Error of the expectation against noise", "Timing against noise"],
            ),
            "latency": stacked(
                np.array(LATENCIES_MS),
                [{"reservoir": of_b, "counter, no network": plain_of_b}, {"reservoir": timing_of_b}],
                xlabel="latency of B (ms after the cue)",
                ylabels=["nRMSE of B", "peak error of B (ms)"],
                titles=["Error of the expectation against latency", "Timing against latency"],
            ),
        },
    )


def counted(session: Session, event: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return nRMSE of the counter at each test point and the trials they follow."""
    ran = counter(session)
    part = slice(None) if event is None else slice(event, event + 1)
    error = np.asarray(expectation_error(ran.output[..., part], ran.target[..., part], ran.scored).nrmse)
    exposure = np.array([session.trials[k].labels["exposure"] for k in ran.tests])
    at = np.unique(exposure)
    return np.array([error[exposure == one].mean() for one in at]), at


# (e), (f) Rules ------------------------------------------------------------------------------------------------


def rules(base: Tests, sessions: Sequence[Session], *, seeds: Sequence[int], neurons: int, backend: str) -> nd.Outcome:
    """Compare rules on the stationary protocol: the default, NLMS, one local in every factor, and tuned RLS."""
    arms = {"three-factor": base}
    for arm in ("local", "nlms", "rls-forgetting"):
        arms[arm] = run(None, sessions, seeds, backend=backend, circuits=networks(seeds, neurons, ARMS[arm]()))
    plain = np.stack([counted(s)[0] for s in sessions])
    latencies = np.array(WhatWhen().latencies_ms)
    results: dict[str, Any] = {"tests after trials": base.exposure.tolist()}
    for name, tests in arms.items():
        results |= nd.rounded({f"{name}: nRMSE, mean": tests.nrmse.mean(axis=0), f"{name}: nRMSE, SD": sd(tests.nrmse)})
        results |= {
            f"{name}: correlation at the end, mean": float(tests.correlation[:, -1].mean()),
            f"{name}: peak error at the end (ms), mean of events": float(
                np.nanmean(np.abs(tests.peaks[:, -1] - latencies))
            ),
        }
    results |= nd.rounded({"counter: nRMSE, mean": plain.mean(axis=0)})
    # NLMS has no gate: it is told the bump of the event that does not occur, too
    return nd.Outcome(
        results=results,
        data={f"rules_nrmse_{name.replace('-', '_')}": tests.nrmse for name, tests in arms.items()},
        figures={
            "rules": error_curves(
                base.exposure,
                {name: tests.nrmse for name, tests in arms.items()},
                baseline={"counter, no network": plain},
                title="Rules on stationary statistics (p = 0.8, 150 and 300 ms)",
            )
        },
    )


# (g) Decoding --------------------------------------------------------------------------------------------------


def decoded(
    learned: Sequence[nd.Circuit],
    naive: Sequence[nd.Circuit],
    *,
    seeds: Sequence[int],
    trials: int,
    backend: str,
    samples: int = 20,
) -> nd.Outcome:
    """Decode time since the cue before and after learning, and which event came, from rates; each with its null."""
    task = WhatWhen()
    every = 20
    rates = nd.Sample("rate.r", every=f"{every} ms")
    times = np.arange(task.cue_ms + every, task.steps + 1, every) - task.cue_ms
    time: dict[str, list[Any]] = {"after learning": [], "before learning": []}
    for name, circuits in zip(time, (learned, naive), strict=True):
        recordings: Any = nd.simulate(list(circuits), cue_only(task, 2 * TEST_TRIALS), record=[rates], backend=backend)
        for recording in recordings:
            x = np.asarray(recording["rate"]).reshape(2 * TEST_TRIALS, task.steps // every, -1)[:, -times.size :]
            time[name].append(decode_time(x, times, strength=STRENGTH, samples=samples))

    # Both events at one latency: nothing but which of them came can tell them apart. Without learning: else weights
    # would tell of earlier trials, and the shuffled blocks of ten make the next event depend on these.
    same = WhatWhen(latencies=("200 ms", "200 ms"), probability=0.5)
    sessions = sessions_for(
        lambda s: only(same.session(trials, calibration=0, tests=(0,), seed=s), "train", learning=False), seeds
    )
    recordings: Any = nd.simulate(list(learned), sessions, record=[rates], backend=backend)
    identity = []
    for recording, seed in zip(recordings, seeds, strict=True):
        x = np.asarray(recording["rate"]).reshape(trials, task.steps // every, -1)
        bins = [round((same.cue_ms + 200 + after) / every) - 1 for after in AFTER_EVENT_MS]
        some = np.random.default_rng(int(seed)).permutation(x.shape[-1])[:DECODED]
        labels = recording.trials.event.to_numpy().astype(str)
        identity.append(
            [
                decode_identity(x[:, k, some], labels, classifier="ridge", samples=samples).balanced_accuracy
                for k in bins
            ]
        )
    accuracy = np.array([[d.observed for d in row] for row in identity])
    chance = np.array([[d.high for d in row] for row in identity])
    r2 = {name: np.array([d.r2.observed for d in one]) for name, one in time.items()}
    error = {name: np.array([d.error.observed for d in one]) for name, one in time.items()}
    guess = float(np.abs(times - times.mean()).mean())
    means = {name: np.stack([d.predictions.mean(axis=0) for d in one]) for name, one in time.items()}
    spread_of = {name: np.stack([d.predictions.std(axis=0, ddof=1) for d in one]) for name, one in time.items()}
    figure = new_figure(6.4, 7.5)
    axes = figure.subplots(3, 1)
    clock = "time since the cue (ms)"
    line_with_band(
        times,
        means,
        xlabel=clock,
        ylabel="decoded time (ms)",
        title="Time decoded from rates of trials left out",
        ax=axes[0],
    )
    axes[0].plot(times, times, color="black", linestyle="--", linewidth=0.8)
    line_with_band(
        times,
        spread_of,
        xlabel=clock,
        ylabel="SD over trials (ms)",
        title="Spread of decoded time over trials",
        ax=axes[1],
    )
    line_with_band(
        np.array(AFTER_EVENT_MS),
        {"which event came": accuracy, "95th percentile of the null": chance},
        reference={"chance": 0.5},
        xlabel="time since event onset (ms)",
        ylabel="balanced accuracy",
        title="Identity of the event decoded from rates",
        ax=axes[2],
    )
    panel_letters(axes)
    return nd.Outcome(
        results={
            **nd.spread("time decoded after learning: r2", r2["after learning"]),
            **nd.spread("time decoded before learning: r2", r2["before learning"]),
            **nd.spread("time decoded after learning: mean error (ms)", error["after learning"]),
            **nd.spread("time decoded before learning: mean error (ms)", error["before learning"]),
            "time decoded after learning: 5th percentile of the null of the error (ms), mean": float(
                np.mean([d.error.low for d in time["after learning"]])
            ),
            "error of always guessing the middle (ms)": guess,
            **nd.passes("time decoded with p < 0.05", [d.r2.p < 0.05 for d in time["after learning"]]),
            **nd.rounded(
                {
                    "identity: ms after event onset": AFTER_EVENT_MS,
                    "identity: balanced accuracy, mean": accuracy.mean(axis=0),
                    "identity: balanced accuracy, SD": sd(accuracy),
                    "identity: 95th percentile of the null, mean": chance.mean(axis=0),
                }
            ),
        },
        checks=[
            nd.check(
                "time decoded from rates: error over that of always guessing the middle",
                float(error["after learning"].mean() / guess),
                "< 0.5",
            ),
            nd.check(
                "identity before the event: accuracy, mean over seeds", accuracy[:, 0].mean(), ">= 0.4 and <= 0.6"
            ),
        ],
        data={
            "time_ms": times,
            "decoded_time_ms": means["after learning"],
            "decoded_time_before_ms": means["before learning"],
            "identity_ms": np.array(AFTER_EVENT_MS),
            "identity_accuracy": accuracy,
        },
        figures={"decoding": figure},
    )
