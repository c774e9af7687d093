# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # A reservoir that learns what and when
#
# Can two local readouts of one random spiking network learn which event will follow a cue, when, and how probably? And
# how much of that is the network's doing?
#
# A notebook, `02_what_and_when.ipynb`; its source, `02_what_and_when.py`, runs as a script.

# %%
import numpy as np

import neurodyn as nd

# %% [markdown]
# ## The task
#
# A cue at 100 ms of each trial is followed by exactly one event: A after 150 ms with probability 0.8, or B after 300 ms. A
# perfect observer who has seen the cue expects event $c$ at time $t$ by
#
# $$o^*_c(t) = p_c\,\exp\!\left(-\frac{(t - t_c)^2}{2\sigma^2}\right), \qquad \sigma = 30\ \mathrm{ms}.$$
#
# A session has calibration, training and test trials. Tests show the cue alone, with learning off.

# %%
task = nd.tasks.WhatWhen(latencies=("150 ms", "300 ms"), probability=0.8)
seeds = [1, 2, 3]
tests = (0, 1, 10, 25, 50, 75)
sessions = [task.session(trials=75, tests=tests, seed=s) for s in seeds]
print(
    f"{len(sessions[0].trials)} trials of {task.steps} ms in each session; events {task.names} at {task.latencies_ms} ms"
)

# %% [markdown]
# ## Network and rule
#
# The reservoir is 500 Izhikevich cells with fixed random connections. Two readouts learn from its filtered spikes $x$:
#
# - *when*, at every step: $y_c = w_c \cdot x$ follows a bump of height 1 at the latency of the event that occurred,
#   $\Delta w_c = \eta\,G_c(t)\,(b_c(t) - y_c(t))\,x / (|x|^2 + 0.1\,\langle|x|^2\rangle)$: activity, error and a gate $G_c$.
# - *what*, once a trial: $q_c = v_c \cdot z$, with $z$ the mean activity in the 100 ms after the cue, follows 1 if $c$ occurred
#   and 0 if not, $\Delta v_c = \eta\,(1[c] - q_c)\,z / |z|^2$.
#
# The expectation is their product, $o_c(t) = \max(q_c, 0)\,\max(y_c(t), 0)$. Three networks with their own wiring, noise and
# order of events run side by side.

# %%
nets = [nd.SpikingReservoir(500, seed=s) for s in seeds]
record = ["spikes", "what.expectation", nd.Sample("what.q", every="700 ms")]
outs = [f"runs/02_what_and_when.{s}.h5" for s in seeds]
runs = nd.simulate(nets, sessions, learn=nd.WhatWhenRule(), record=record, out=outs, overwrite=True)
print(runs[0])

# %% [markdown]
# What the reservoir does after the cue, in the last test. Its spikes carry the time that has passed; nothing in its own
# connections was learned.

# %%
trials = runs[0].trials
start = trials.start_ms.iloc[-1]
spikes = runs[0]["spikes"].between(start, start + task.steps)  # times from the start of the trial
nd.plots.raster(
    spikes.times,
    spikes.ids,
    500,
    rate_bin=10.0,
    groups={"excitatory": np.arange(400), "inhibitory": np.arange(400, 500)},
    events={"cue": [task.cue_ms]},
    window=(0.0, task.steps),
    title="Spikes of the reservoir in a trial with the cue alone",
)


# %% [markdown]
# ## What was learned
#
# The rows of `run.trials` say which trials were tests; three trials make a test. The error is $|o - o^*| / |o^*|$ from the cue on, so that
# an output of zero has exactly 1.


# %%
def expectations(run):
    """Output in the tests, (test, time, event): the mean over the trials of each."""
    output = run.by_trial("what.expectation").values
    phase, exposure = run.trials.phase, run.trials.exposure
    return np.stack([output[(phase == "test") & (exposure == n)].mean(axis=0) for n in tests])


found = np.stack([expectations(run) for run in runs])  # (network, test, time, event)
scored = task.time_ms >= task.cue_ms
error = nd.analysis.expectation_error(found, task.expectation(), scored).nrmse
peaks = nd.analysis.peak_times(found[:, -1], task.time_ms - task.cue_ms)
q = np.stack([run["what.q"].values[-1] for run in runs])
print("error after", dict(zip(tests, error.mean(axis=0).round(2).tolist(), strict=True)), "trials; untrained: 1")
for c, name in enumerate(task.names):
    print(f"{name}: largest expectation at {peaks[:, c].tolist()} ms, true latency {task.latencies_ms[c]:g} ms")
    print(f"   probability {q[:, c].round(2).tolist()}, true {task.probabilities[c]:g}")

# %%
nd.plots.expectation_traces(
    task.time_ms - task.cue_ms,
    found[:, 0],
    found[:, -1],
    task.expectation(),
    names=task.names,
    cue_ms=0.0,
    latencies_ms=task.latencies_ms,
)

# %% [markdown]
# ## Is it the network?
#
# A leaky counter without any network, $q_c \leftarrow q_c + \eta\,(1[c] - q_c)$ times a stored bump, learns the task as well, and faster.
# So a learning curve is no evidence for the reservoir. The *what* readout is a delta rule too, and
# $\langle q_n\rangle = p + (q_0 - p)(1 - \eta)^n$ is arithmetic: with $\eta = 0.04$, $p = 0.8$ and 75 trials that makes 0.76.

# %%
counted = [nd.models.counter.counter(session) for session in sessions]
without = [
    nd.analysis.expectation_error(c.output, c.target, c.scored).nrmse.reshape(-1, 3).mean(axis=1) for c in counted
]
figure = nd.plots.error_curves(
    tests,
    {"reservoir": error},
    baseline={"counter, no network": np.stack(without)},
    title="Error of the expectation in tests with the cue alone",
    seeds=True,
)
figure

# %% [markdown]
# What the counter can't lose is which cell says what. A recording holds its network with what it learned, so that it can go on:
# here with learning off, as it is, and with the weights of the *when* readout dealt to other cells.

# %%
cue_only = task.session(trials=1, calibration=0, tests=(1,), test_trials=5)
rng = np.random.default_rng(1)


def correlation(net):
    """Correlation of the output with the perfect observer's in five tests."""
    run = nd.simulate(net.freeze(), cue_only, record=["what.expectation"])
    output = run.by_trial("what.expectation").values[1:]
    return nd.analysis.expectation_error(output.mean(axis=0), task.expectation(), scored).correlation


for out in outs:
    trained = nd.load(out).network()
    w = trained.values["when.w"]
    shuffled = trained.with_values({"when.w": w[:, rng.permutation(w.shape[1])]})
    print(f"correlation {correlation(trained):.2f}, with shuffled cells {correlation(shuffled):.2f}")

# %% [markdown]
# **Exercise.** The *when* output is fed back to the cells. Does that help? Run the same sessions with
# `nd.WhatWhenRule(feedback=0.0)` and compare the last errors.
#
# <details><summary>Solution</summary>
#
# ```python
# alone = nd.simulate(nets, sessions, learn=nd.WhatWhenRule(feedback=0.0), record=["what.expectation"])
# last = np.stack([expectations(run)[-1] for run in alone])
# print("with feedback:   ", error[:, -1].round(2))
# print("without feedback:", nd.analysis.expectation_error(last, task.expectation(), scored).nrmse.round(2))
# ```
#
# It helps in every network: the fed-back bump is itself a signal of time. With 1000 cells and 100 trials the error
# doubles without it (ten seeds).
# </details>
#
# **Where to go on.** [What comes, when, and how probably](../docs/what_when.md) has all experiments with ten seeds, what fails included;
# [the next tutorial](03_force_and_local.ipynb) lets the world change; [plasticity](../docs/plasticity.md) has rules for synapses between cells;
# [dimensionality](../docs/dimensionality.md) asks what the activity of a recording like these spans.
