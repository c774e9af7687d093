"""A network driven by noise emulates sequences of one's own: the hidden Markov model that they ask for, and its emulation.

``neurodyn run simulations/hmm_data.py --data FILE``: one sequence on each line, of any lengths; symbols are numbers or names
that blanks or commas separate, or single characters. Without a file it takes the lines of this package's own source: each
is blank, code or text. ``--quick`` takes less than three minutes on one core.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
from common.criteria import Criteria
from emulation.data import Data, alike, independent, markov, read_lines, source_lines, word_distance

import neurodyn as nd
from neurodyn import analysis, plots
from neurodyn.running.stopping import resume_by_default

LONGEST_WORD = 5
CELLS = 5000  # words of one length, at most: rarer ones are only chance
SETS = 5  # samples of the model, as controls
KEPT = ("best", "last")  # the lowest divergence may be one below that of samples, of a network that varies too little
COMPARED = 500  # sequences that are compared with the model


@nd.simulation
def hmm_data(
    *,
    quick: bool = False,
    data: Path | None = None,
    states: tuple[int, ...] = (1, 2, 3, 4, 5),
    held_out: float = 0.25,
    rule: Literal["best", "one-standard-error"] = "best",
    length: int = 0,
    updates: int = 0,
    seeds: int = 0,
    seed: int = 101,
    out: Path | None = None,
) -> nd.Outcome:
    """Choose a hidden Markov model for sequences, train networks to emulate it, and ask what they know of unseen ones.

    Parameters
    ----------
    quick : bool
        One network, batches of 256, two random starts of each fit.
    data : path
        Text file with one sequence on each line; the kinds of lines in this package's source if not given.
    states : list of int
        Numbers of hidden states to try.
    held_out : float
        Share of the sequences that nothing is fitted to.
    rule : str
        Of the choice: best (held-out likelihood), or one-standard-error (fewest states that are within one of it).
    length : int
        Symbols in a sequence of the training; 0 means four correlation times of the model, from 30 to 100.
    updates : int
        Of a training, a multiple of 25; 0 means 600 if quick and 1500 otherwise.
    seeds : int
        Networks; 0 means 1 if quick and 3 otherwise.
    seed : int
        First seed.
    """
    given = source_lines() if data is None else read_lines(data)
    print(given, flush=True)
    count = len(given.names)
    choice = nd.tasks.choose_hidden_markov(
        given.sequences, states=states, symbols=count, held_out=held_out, rule=rule, starts=2 if quick else 5,
        tolerance=0.05 if quick else 1e-3,
    )  # fmt: skip
    print(choice, flush=True)
    model = nd.tasks.HiddenMarkov(
        choice.model.transition, choice.model.emission
    )  # stationary: nothing is said of beginnings
    length = length or int(np.clip(math.ceil(min(4 * model.correlation_time, 100)), 30, 100))
    networks = range(seed, seed + (seeds or (1 if quick else 3)))
    runs, found = {}, Criteria("")
    for k in networks:
        run = trained(model, length, updates or (600 if quick else 1500), 256 if quick else 512, k, out)
        if run is not None:
            runs[k] = run
    tried = ", ".join(map(str, choice.fits))
    found.note({"data": str(given), "states": f"{choice.states} of {tried}", "steps of a training sequence": length})
    found.note({"networks": len(networks), "networks that were bounded at a test": len(runs)})
    found.note(
        {"networks that are bounded at the end": sum(not r.recording.results["exploding"] for r in runs.values())}
    )
    likelihoods, distances = asked(choice, model, given, runs)
    for name, values in likelihoods.items():
        found.note(nd.spread(f"held out, nats per symbol: {name}", values))
    for name, table in distances.items():
        found.note(nd.rounded({f"words of 1 to {table.shape[1]}, {name}: distance from held out": table.mean(0)}, 4))
    figures = drawn(choice, likelihoods, distances)
    # A network is measured against samples of the model, treated in the same way; one that explodes knows nothing.
    nothing = likelihoods["independent"][0]
    gain = np.mean(likelihoods["samples of the model"]) - nothing
    shares = {kept: [(v - nothing) / gain if gain > 0 else np.nan for v in likelihoods.get(f"networks, {kept}", [])] for kept in KEPT}  # fmt: skip
    best = [*shares["best"], *[-np.inf] * (len(networks) - len(runs))]
    found.each("share of the gain of samples of the model that a network has", best, ">= 0.8")
    if shares["last"]:
        found.note(nd.spread("the same of networks at the end of training", shares["last"]))
    if runs:
        qualities = {k: analysis.emulation_quality(r.network("best").generate(COMPARED, length).symbols, model, repeats=SETS) for k, r in runs.items()}  # fmt: skip
        first = next(iter(qualities))
        numbers = ("aligned distance", "volatility (changes)", "cross-entropy excess (nats)", "run length (steps)")
        for name in numbers:
            found.note(nd.spread(f"beside the model: {name}", [q[name].value for q in qualities.values()]))
            found.note({f"beside the model: {name}, floor": qualities[first][name].floor_mean})
        title = f"Symbols of a network (seed {first}) and of the model of the data"
        figures["quality"] = plots.emulation(qualities[first], title=title)
    return nd.Outcome(found.results, found.checks, figures=figures)


def trained(model: Any, length: int, updates: int, batch: int, seed: int, out: Path | None) -> nd.TrainingRun | None:
    """Train one network; None if it diverged, or was never bounded. The recording lies beside ``out``."""
    place = None if out is None else out.with_name(f"{out.stem}.network.{seed}.h5")
    try:
        run = nd.emulate(
            nd.HMMRNN(50, noise_inputs=10, outputs=model.symbols, seed=seed),
            model,
            length=length,
            batch=batch,
            updates=updates,
            validation=1024,
            learning_rate=3e-3,
            seed=seed,
            out=place,
            overwrite=place is not None and place.exists() and not resume_by_default.get(),
        )
    except nd.TrainingError as error:
        print(f"network {seed}: {error}", flush=True)
        return None
    results, history = run.recording.results, run.history
    print(
        f"network {seed}: divergence {results['best_loss']:.3g} after {results['best_update']} updates (floor "
        f"{history['floor'].mean():.3g}, at first {history['validation_loss'].iloc[0]:.3g}), {history['seconds'].sum():.0f} s",
        flush=True,
    )
    return run if results["best_update"] else None


def asked(
    choice: Any, model: Any, given: Data, runs: dict[int, nd.TrainingRun]
) -> tuple[dict[str, list[float]], dict[str, np.ndarray]]:
    """Held-out log-likelihood per symbol of each kind of model, and distances of words (set, n) from held-out sequences.

    A network is asked through a hidden Markov model that is fitted to as many and as long sequences of it as the data had
    for training. Samples of the stationary model, treated in the same way, are the control.
    """
    training, unseen, count = choice.training, choice.held_out, len(given.names)
    longest = max(map(len, training))
    sampled = [alike(model.sample(len(training), longest, seed=1, step=k)[1].numpy(), training) for k in range(SETS)]
    said = {
        kept: [
            alike(run.network(kept).generate(len(training), longest, seed=1).symbols, training)
            for run in runs.values()
            if kept == "best" or not run.recording.results["exploding"]
        ]
        for kept in KEPT
    }
    refit = lambda sequences: nd.tasks.HiddenMarkov.fit(sequences, states=choice.states, symbols=count, starts=2, tolerance=0.05).model  # noqa: E731  # fmt: skip
    score = lambda m: nd.tasks.log_likelihood_per_symbol(m, unseen)[0]  # noqa: E731
    likelihoods = {
        "independent": [score(independent(training, count))],
        "Markov": [score(markov(training, count))],
        "model": [score(choice.model)],
        "samples of the model": [score(refit(s)) for s in sampled],
        **{f"networks, {kept}": [score(refit(s)) for s in members] for kept, members in said.items()},
    }
    n = [n for n in range(1, LONGEST_WORD + 1) if n == 1 or count**n <= CELLS]
    sets = {"training": [training], "samples of the model": sampled}
    sets |= {f"networks, {kept}": members for kept, members in said.items()}
    distances = {
        name: np.array([[word_distance(s, unseen, k, count) for k in n] for s in members])
        for name, members in sets.items()
        if members
    }
    return {name: values for name, values in likelihoods.items() if values}, distances


def drawn(choice: Any, likelihoods: dict[str, list[float]], distances: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return figures by name."""
    table = choice.table
    label = "log-likelihood (nats per symbol)"
    rows = {name: table[kind].to_numpy() for name, kind in (("training", "training"), ("held out", "held_out"))}
    loss = {name: [likelihoods["model"][0] - v for v in values] for name, values in likelihoods.items() if name != "model"}  # fmt: skip
    n = np.arange(1, next(iter(distances.values())).shape[1] + 1)
    figures = {
        "choice": plots.line_with_band(
            table.index.to_numpy(), rows, xlabel="hidden states", ylabel=label,
            title=f"Models of the data (± standard error over sequences); chosen: {choice.states} states",
        ),
        "likelihood": plots.bars_with_points(
            list(loss), list(loss.values()), ylabel="behind the model (nats per symbol)",
            title="Log-likelihood of held-out sequences", highlight="networks, best" if "networks, best" in loss else None,
        ),
        "words": plots.line_with_band(
            n, distances, xlabel="symbols in a word", ylabel="total variation", spread="range", seeds=True,
            title="Words, compared with held-out sequences",
        ),
    }  # fmt: skip
    panel = figures["choice"].axes[0]
    for line, kind in zip(panel.get_lines(), ("training", "held_out"), strict=False):
        panel.errorbar(table.index, table[kind], table[f"{kind}_error"], fmt="none", color=line.get_color(), capsize=2)
    for legend in (*figures["choice"].legends, panel.get_legend()):
        if legend is not None:
            legend.set_title("sequences")
    for name, ticks in (("choice", table.index), ("words", n)):
        figures[name].axes[0].set_xticks(list(ticks))
    return figures


if __name__ == "__main__":
    hmm_data.main()
