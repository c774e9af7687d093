# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Plastic synapses
#
# How can a reward that comes a second later change the right synapse? Pairs of spikes, an eligibility that remembers them,
# dopamine that turns it into a weight, and a rule of one's own.
#
# Open this file as a notebook with jupytext (`jupytext --to ipynb 02_plastic_synapses.py`), or run it as a script.

# %%
import numpy as np
from matplotlib.figure import Figure

import neurodyn as nd

# %% [markdown]
# **Many pairs at once.** Cells that fire when they are told to: one source, and targets that fire before or after it, each a
# little later than the one before. The spikes are given a step ahead, since a cell spikes in the step after its input.

# %%
gaps = np.arange(-60, 61, 5)  # ms from the spike of the source to that of each target
times = np.concatenate([[200], 200 + gaps])
told = nd.SpikeTimes("told", times.size, np.arange(times.size), [f"{t - 1} ms" for t in times])
cells = nd.Population(
    "cells", times.size, code="", variables={"go": "1", "felt": "1"}, threshold="go > 0.5", reset="go = 0", dt="1 ms"
)
relay = nd.Connection(told, cells, "go", pattern="one-to-one", weight=1.0)


def network(rule):
    """One synapse from the source onto each target."""
    pairs = (np.zeros(gaps.size, int), 1 + np.arange(gaps.size))
    plastic = nd.Connection(cells, cells, "felt", pairs=pairs, weight=0.0, rules=rule, name="plastic")
    return nd.Circuit([told, cells], [relay, plastic], inputs=[nd.Input("reward", ("reward",))])


run = nd.simulate(network(nd.stdp(A_plus=0.01, A_minus=0.008, tau_minus="30 ms")), "400 ms", record=["weights"])
window = run["weights/plastic/w"].values[-1]

# %%
figure = Figure(figsize=(6, 3), layout="constrained")
ax = figure.subplots()
ax.axhline(0, color="0.7", linewidth=0.8)
ax.plot(gaps, window, "o-")
ax.set_xlabel("spike of the target after that of the source (ms)")
ax.set_ylabel("change of the weight")
ax.set_title("The window of STDP, a synapse a point")
figure

# %% [markdown]
# **A reward, later.** `nd.dopamine_stdp` keeps what STDP would have done as an eligibility `c`, which decays within a second. A session
# brings the reward: dopamine rises by one half in one step, 700 ms after the source's spike. Weights move while both are there.

# %%
steps = 2500
reward = np.zeros((steps, 1))
reward[900] = 0.5
session = nd.Session((nd.Trial(steps, {"reward": reward}),), dt="1 ms", channels={"reward": ("reward",)})
rule = nd.dopamine_stdp(baseline=0.0, gain=1.0)
record = ["plastic.w", "dopamine_stdp.c", "dopamine_stdp.d"]
run = nd.simulate(network(rule), session, record=record)
print(run)

# %%
figure = Figure(figsize=(6, 4.5), layout="constrained")
panels = figure.subplots(3, 1, sharex=True)
after = int(np.flatnonzero(gaps == 10)[0])
for ax, name, label in zip(panels, record, ("weight w", "eligibility c", "dopamine d"), strict=True):
    values = run[name].values
    ax.plot(run[name]["time"], values[:, [after]] if values.shape[1] > 1 else values)
    ax.set_ylabel(label)
panels[0].set_title("A pair 10 ms apart, and a reward 700 ms after it")
panels[-1].set_xlabel("time (ms)")
figure

# %% [markdown]
# The closed formula for a pair and a reward, beside what was simulated (the drift is integrated exactly over each step):

# %%
tau = 1 / (1 / 1.0 + 1 / 0.2)
expected = 0.1 * np.exp(-10 / 20) * np.exp(-0.69 / 1.0) * 0.5 * tau * (1 - np.exp(-1.6 / tau))
print(f"simulated {run['plastic.w'].values[-1, after]:.6f}, formula {expected:.6f}")

# %% [markdown]
# **A rule of one's own** is text. This one tags a synapse when its target fires soon after it, and strengthens tagged synapses at the end of
# each 500 ms by what the tag still holds, towards a ceiling.

# %%
tagging = nd.SynapticRule(
    "tagging",
    traces={"x": nd.Trace("pre", "20 ms"), "tag": nd.Trace("synapse", "300 ms")},
    parameters={"ceiling": 1.0, "rate": 0.2},
    on_post="tag += x",
    per_step="w += rate*tag*(ceiling - w)",
    every="500 ms",
)
run = nd.simulate(network(tagging), "1 s", record=["plastic.w", "tagging.tag"])
print("tagged:", gaps[run["tagging.tag"].values.max(axis=0) > 0.05], "ms")
print("final weights:", run["plastic.w"].values[-1].round(4))
