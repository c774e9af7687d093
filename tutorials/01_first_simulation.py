# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # First simulation
#
# How do a hundred leaky cells that inhibit one another share their spikes? Cells, a network, a recording, a plot.
#
# Open this file as a notebook with jupytext (`jupytext --to ipynb 01_first_simulation.py`), or run it as a script.

# %%
import numpy as np

import neurodyn as nd

# %% [markdown]
# A population is text with units. Each cell obeys
# $\tau\,\dot v = v_\mathrm{rest} - v + R\,(I + I_\mathrm{drive})$, spikes at -50 mV and returns to rest.

# %%
cells = nd.Population(
    "cells",
    100,
    """dv/dt = (v_rest - v + R*(I + drive))/tau : volt (unless refractory)
       dI/dt = -I/tau_syn : amp""",
    threshold="v > -50*mV",
    reset="v = v_rest",
    refractory="3 ms",
    method="exact",
    parameters={
        "tau": "20 ms",
        "tau_syn": "8 ms",
        "v_rest": "-70 mV",
        "R": "100 Mohm",
        "drive": nd.Uniform("190 pA", "260 pA"),
    },
    initial={"v": nd.Uniform("-70 mV", "-50 mV")},
)
inhibition = nd.Connection(cells, cells, "I", probability=0.2, weight="-12 pA", delay=nd.Uniform("1 ms", "4 ms"))
net = nd.Circuit([cells], [inhibition], dt="0.1 ms", seed=1)
print("runners agree on this circuit:", net.program.exactness)

# %% [markdown]
# One call simulates and records; without `out` the recording stays in memory. Spike times are in ms.

# %%
run = nd.simulate(net, "1 s", record=["spikes", nd.Sample("cells.v", units=range(3), every="0.5 ms")])
spikes = run["spikes"]
rates = nd.analysis.firing_rates(spikes.ids, 100, 1000.0)
print(run)
print(f"rates: {np.median(rates):.1f} spikes/s in the median cell, {rates.min():.0f} to {rates.max():.0f}")

# %%
figure = nd.plots.overview(run)
figure

# %% [markdown]
# The same circuit without its synapses: the drive alone decides, and the spread of rates says so.

# %%
alone = nd.simulate(nd.Circuit([cells], dt="0.1 ms", seed=1), "1 s")
free = nd.analysis.firing_rates(alone["spikes"].ids, 100, 1000.0)
print(f"without inhibition: {np.median(free):.1f} spikes/s in the median cell")
assert np.median(free) > np.median(rates)

# %% [markdown]
# **Exercise.** Does the median rate fall in proportion to the weight? Make four circuits with weights from -6 to -24 pA
# and simulate them side by side with `nd.simulate([...], "1 s")`.
#
# <details><summary>Solution</summary>
#
# ```python
# from dataclasses import replace
# weights = ["-6 pA", "-12 pA", "-18 pA", "-24 pA"]
# nets = [net.with_part(replace(inhibition, weight=w)) for w in weights]
# for w, one in zip(weights, nd.simulate(nets, "1 s")):
#     print(w, np.median(nd.analysis.firing_rates(one["spikes"].ids, 100, 1000.0)))
# ```
#
# It does not: the fewer spikes there are, the less each further step of weight can take away.
# </details>
