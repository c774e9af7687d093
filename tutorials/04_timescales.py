# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Timescales: of the units, and of the network
#
# A network has to remember the last $N$ digits, and $N$ grows. Does it slow its units down, or does it keep the memory in its
# connections? And how would one know from its activity alone?
#
# A notebook, `04_timescales.ipynb`; its source, `04_timescales.py`, runs as a script.

# %%
import numpy as np

import neurodyn as nd

# %% [markdown]
# ## Network and task
#
# Every unit of the network has a time constant $\tau_i$ that is trained like a weight. With $a_i = 1/\max(\tau_i, 1)$,
#
# $$r_i(t) = f\!\left[(1 - a_i)\,r_i(t-1) + a_i\left(\sum_j W_{ij}\,r_j(t-1) + U_i\,x(t) + b_i\right)\right],$$
#
# where $f$ is a leaky rectifier. At $\tau = 1$ a unit has no memory of its own. Digits 0 and 1 come one a step; the task, delayed match
# to sample, is to say whether the last digit equals the one $N - 1$ before it. Two curricula raise $N$:
#
# - *single-head*: one readout, for one $N$ at a time; when it is right in 98 %, $N + 1$ takes its place;
# - *multi-head*: a readout for every $N$ so far; all of them stay in training (Khajehabdollahi et al. 2024).
#
# A list of seeds makes as many networks, which are trained side by side.

# %%
task, last, seeds = nd.tasks.DelayedMatch(), 8, [1, 2, 3]
runs = {}
for curriculum in ("single-head", "multi-head"):
    nets = nd.LeakyRNN(64, heads=last - 1, seed=seeds)
    trained = nd.train(
        nets,
        task,
        curriculum=curriculum,
        until=last,
        epochs=40,
        batch=64,
        steps=150,
        out=f"runs/04_timescales.{curriculum}.h5",
        overwrite=True,
    )
    runs[curriculum] = [trained.select(k) for k in range(len(seeds))]
    solved = [max(run.snapshots) for run in runs[curriculum]]
    print(f"{curriculum}: N = {solved} solved in {[len(run.history) for run in runs[curriculum]]} epochs")

# %% [markdown]
# Both learn. Each training keeps the network of the moment at which an $N$ was solved: `run.network(5)` returns it.

# %%
nd.plots.training_curves(runs, title="Largest N solved, delayed match")

# %% [markdown]
# ## The units
#
# Their time constants were drawn uniformly from 1 to 2, so that their mean was 1.5 at first. Under the multi-head curriculum they fall
# towards 1; with a single head they stop falling, and beyond the $N$ of this tutorial they rise. Networks of 128 units had means of
# 1.22 to 1.29 and 1.42 to 1.48 at $N = 16$ (five seeds each).

# %%
for curriculum, members in runs.items():
    for n in (3, last):
        tau = [float(run.network(n).tau.mean()) for run in members]
        print(f"{curriculum}, N = {n}: mean tau {np.round(tau, 3).tolist()} steps")

# %%
nd.plots.time_constants(runs)

# %% [markdown]
# ## The network
#
# Connections make slow activity out of fast units. The published way to see it: drive the network with random digits, take the
# autocorrelation of each unit, fit one and two exponentials to lags 0 to 30,
#
# $$\mathrm{AC}(k) = e^{-k/\tau_\mathrm{net}} \quad\text{or}\quad c\,e^{-k/\tau_1} + (1 - c)\,e^{-k/\tau_\mathrm{net}},$$
#
# and choose by the AIC; of two time constants take the longer one. A null belongs beside it. Here it is a population of independent
# AR(1) units, each with the lag-1 correlation of a unit of the network: one exponential, and nothing else.

# %%
activity = nd.training.activity(runs["multi-head"][0].network(last), task, steps=5000, seed=1)  # (trial, time, unit)
observed = nd.analysis.network_timescales(activity)
print(nd.analysis.ar1_null(observed, samples=5))

# %% [markdown]
# The mean, which is what was published, is far larger in the null than in the network: where a unit has one exponential, the AIC often takes
# two, and the second has a long time constant with hardly any weight (`slow_weight`). So quote medians, with the null beside them.


# %%
def measured(run, n, seed):
    """Median and mean timescale of the units above 1, and their means over three nulls."""
    activity = nd.training.activity(run.network(n), task, steps=5000, seed=seed)
    both = nd.analysis.ar1_null(nd.analysis.network_timescales(activity), samples=3, seed=seed)
    return [
        of[key] if of is both.observed else np.nanmean(of[key])
        for of in (both.observed, both.null)
        for key in ("median", "mean")
    ]


numbers = (3, last)
table = {
    name: np.array([[measured(run, n, seed) for n in numbers] for run, seed in zip(members, seeds, strict=True)])
    for name, members in runs.items()
}  # (network, N, [median, mean, median of the null, mean of the null])
for name, rows in table.items():
    for k, n in enumerate(numbers):
        print(f"{name}, N = {n}: median {rows[:, k, 0].round(2)}, its null {rows[:, k, 2].round(2)} steps")

# %%
figure = nd.plots.network_timescales(
    numbers,
    {text: {name: rows[:, :, k] for name, rows in table.items()} for k, text in enumerate(("median", "mean"))},
    {text: {name: rows[:, :, k + 2] for name, rows in table.items()} for k, text in enumerate(("median", "mean"))},
)
figure

# %% [markdown]
# With a single head the medians rise with $N$, as published, but those of the null rise more: the units have become slower each, and
# that alone makes such medians. With many heads those of the null fall a little, and at $N = 8$ the median lies above them in all three networks:
# some units have a slow component besides their fast one. It is the quarter of the units that is above 1 at all (`kept`).
# Three small networks are no proof; the page linked below says what five of each kind do, by estimators that
# don't invent a second exponential.
#
# **Exercise.** If the multi-head curriculum wants $\tau = 1$, networks with $\tau$ fixed at 1 should learn as fast. Do they?
# `nd.LeakyRNN(..., tau=1.0)` fixes it.
#
# <details><summary>Solution</summary>
#
# ```python
# fixed = nd.train(
#     nd.LeakyRNN(64, heads=last - 1, tau=1.0, seed=seeds),
#     task,
#     curriculum="multi-head",
#     until=last,
#     epochs=40,
#     batch=64,
#     steps=150,
# )
# print("tau trained:   ", [len(run.history) for run in runs["multi-head"]], "epochs")
# print("tau fixed at 1:", [len(fixed.select(k).history) for k in range(3)], "epochs")
# ```
#
# They do (10 to 12 epochs, where trained time constants took 12 or 13): the memory is in the connections.
# </details>
#
# **Where to go on.** [Networks with learnable timescales](../docs/timescales.md): the published size, parity, lesions, perturbations, and
# what the estimators do on activity whose timescale is known; [dynamics](../docs/dynamics.md) for the fixed points of
# such a network.
