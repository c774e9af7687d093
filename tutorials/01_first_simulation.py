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
# How do a hundred leaky cells that inhibit one another share out their spikes? Cells, a network, a recording, a plot.
#
# A notebook, `01_first_simulation.ipynb`; its source, `01_first_simulation.py`, runs as a script.

# %%
import numpy as np

import neurodyn as nd

# %% [markdown]
# ## Cells
#
# A population is text with units. Each cell obeys
#
# $$\tau\,\frac{dv}{dt} = v_\mathrm{rest} - v + R\,(I + I_\mathrm{drive}), \qquad \frac{dI}{dt} = -\frac{I}{\tau_\mathrm{syn}},$$
#
# spikes above -50 mV, and then stays at rest for 3 ms. Every cell has its own constant drive; `nd.Uniform` draws it, from the seed of the
# network.

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

# %% [markdown]
# ## A network
#
# A spike adds -12 pA to the current `I` of a fifth of the cells, drawn at random, 1 to 4 ms later. The circuit holds everything that a simulation needs; nothing
# has been drawn or compiled yet.

# %%
inhibition = nd.Connection(cells, cells, "I", probability=0.2, weight="-12 pA", delay=nd.Uniform("1 ms", "4 ms"))
net = nd.Circuit([cells], [inhibition], dt="0.1 ms", seed=1)

# %% [markdown]
# ## A recording
#
# One call simulates, records and writes a file. Here: all spikes, and the membrane potential of three cells, every 0.5 ms. The file holds
# the network too, and its whole configuration. Spike times are in ms.

# %%
record = ["spikes", nd.Sample("cells.v", units=range(3), every="0.5 ms")]
nd.simulate(net, "1 s", record=record, out="runs/01_first_simulation.h5", overwrite=True)

run = nd.load("runs/01_first_simulation.h5")
print(run)
spikes = run["spikes"]
rates = nd.analysis.firing_rates(spikes.ids, 100, 1000.0)
print(
    f"{len(spikes)} spikes; the median cell has {np.median(rates):.0f} in a second, the others {rates.min():.0f} to {rates.max():.0f}"
)
print(run["cells.v"])

# %% [markdown]
# ## A plot
#
# `nd.plots.overview` draws what a recording has (`neurodyn plot runs/01_first_simulation.h5` does the same).

# %%
nd.plots.overview(run)

# %% [markdown]
# ## Is it right?
#
# Without synapses there is a formula to hold the simulation against. A cell that is driven by $I_\mathrm{drive}$ alone reaches the threshold, 20 mV
# above rest, if $R I_\mathrm{drive}$ is more than that, and then fires at
#
# $$f = \left[t_\mathrm{ref} + \tau \ln\frac{R I_\mathrm{drive}}{R I_\mathrm{drive} - 20\ \mathrm{mV}}\right]^{-1}.$$
#
# Seed and names decide all draws, so that the circuit without its connection has the same cells with the same drives.

# %%
alone = nd.simulate(nd.Circuit([cells], dt="0.1 ms", seed=1), "5 s")
free = nd.analysis.firing_rates(alone["spikes"].ids, 100, 5000.0)
drive = 1e12 * run.network().values["cells.drive"]  # in pA
fires = drive > 200
formula = np.zeros(100)
formula[fires] = 1000 / (3 + 20 * np.log(drive[fires] / (drive[fires] - 200)))  # spikes/s
print(f"largest difference from the formula: {abs(free - formula).max():.2f} spikes/s; one spike in 5 s is 0.2")
print(f"median cell: {np.median(free):.1f} spikes/s alone, {np.median(rates):.1f} in the network")
print(f"silent: {np.sum(free == 0)} cells alone, {np.sum(rates == 0)} in the network")

# %%
with nd.plots.style():
    figure = nd.plots.new_figure(5.6, 3.0)
    ax = figure.subplots()
    order = np.argsort(drive)
    ax.plot(drive[order], formula[order], color="black", linewidth=1, label="formula")
    ax.plot(drive, free, "o", markersize=4, label="without synapses")
    ax.plot(drive, rates, "s", markersize=4, label="with inhibition")
    ax.set(xlabel="drive (pA)", ylabel="rate (spikes/s)", title="Rate of each cell against its drive")
    ax.legend()
figure

# %% [markdown]
# Inhibition takes from every cell, and silences those with little drive: what is left goes to the strong.
#
# **Exercise.** Does the median rate fall in proportion to the weight? Make four circuits with weights from -6 to -24 pA
# and simulate them side by side with `nd.simulate([...], "1 s")`.
#
# <details><summary>Solution</summary>
#
# ```python
# from dataclasses import replace
#
# weights = ["-6 pA", "-12 pA", "-18 pA", "-24 pA"]
# nets = [net.with_part(replace(inhibition, weight=w)) for w in weights]
# for w, one in zip(weights, nd.simulate(nets, "1 s")):
#     each = nd.analysis.firing_rates(one["spikes"].ids, 100, 1000.0)
#     print(f"{w}: median {np.median(each):.0f} spikes/s, mean {each.mean():.1f}, {np.sum(each == 0)} silent")
# ```
#
# At first it nearly does, from 20 spikes/s without synapses to 14, 9 and 4. Then it can't: the fewer spikes there are, the less each
# further step of weight takes away. The mean falls less (13, 11, 9, 8), since the strongest cells hardly notice.
# </details>
#
# **Where to go on.** [A reservoir that learns what and when](02_what_and_when.ipynb) is the next tutorial. [Recordings](../docs/recording.md): what is
# in the file, and how to record less; [Izhikevich's cells](../docs/izhikevich.md): cells by name instead of equations;
# [architecture](../docs/architecture.md): what happens to the text of an equation.
