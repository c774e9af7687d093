# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # From a recording to xarray, NWB, neo and pandas
#
# A network has run, and the lab's own tools wait: a script in pandas, an analysis on neo, an archive that takes NWB. How does a recording get there,
# and do the numbers survive the way? And can spikes come back, as the input of another circuit?
#
# A notebook, `11_exchange.ipynb`; its source, `11_exchange.py`, runs as a script. Two of the tools are extras:
# `pip install "neurodyn[nwb,neo]"`.

# %%
import numpy as np
import pandas
import pynwb

import neurodyn as nd

# %% [markdown]
# ## A run with trials
#
# A hundred noisy leaky cells inhibit one another. In each trial of 400 ms a current comes on for 100 ms, weak or strong:
#
# $$\tau\,\dot v = v_\mathrm{rest} - v + R\,(I + I_\mathrm{drive} + I_\mathrm{stim}) + \sigma\sqrt{2\tau}\,\xi(t),\qquad
# \tau_\mathrm{syn}\,\dot I = -I.$$

# %%
cells = nd.Population(
    "cells",
    100,
    """dv/dt = (v_rest - v + R*(I + drive + stim))/tau + sigma*sqrt(2/tau)*xi : volt (unless refractory)
       dI/dt = -I/tau_syn : amp
       stim : amp""",
    threshold="v > -50*mV",
    reset="v = v_rest",
    refractory="3 ms",
    method="euler",
    parameters={
        "tau": "20 ms",
        "tau_syn": "8 ms",
        "v_rest": "-70 mV",
        "R": "100 Mohm",
        "drive": nd.Uniform("150 pA", "200 pA"),
        "sigma": "4 mV",
    },
    initial={"v": nd.Uniform("-70 mV", "-50 mV")},
)
inhibition = nd.Connection(cells, cells, "I", probability=0.2, weight="-12 pA", delay=nd.Uniform("1 ms", "4 ms"))
current = nd.Input("current", ("pulse",))
stimulus = nd.Connection(current, cells, "stim", pattern="all", weight="1 pA")
net = nd.Circuit([cells], [inhibition, stimulus], inputs=[current], dt="0.1 ms", seed=1)


def trial(event: str, picoamperes: float) -> nd.Trial:
    pulse = np.zeros((4000, 1))
    pulse[1500:2500] = picoamperes
    return nd.Trial(4000, {"current": pulse}, reset=False, labels={"event": event, "pulse_pA": picoamperes})


session = nd.Session(10 * (trial("weak", 20.0), trial("strong", 80.0)), dt="0.1 ms")
sample = nd.Sample("cells.v", units=range(3), every="0.5 ms")
run = nd.simulate(net, session, record=["spikes", sample], out="runs/11_exchange.h5", overwrite=True)
print(run)

# %% [markdown]
# ## xarray
#
# `run["cells.v"]` reads one array. `run.dataset` opens a group and reads values when they are used; `run.datatree` opens all of them. The
# file is HDF5 with named dimensions: `xarray.open_datatree("runs/11_exchange.h5", engine="h5netcdf")` works where neurodyn isn't installed.

# %%
with run.datatree() as tree:
    print(tree["state/cells"])
with run.dataset("state/cells") as state:
    two = state["v"].sel(time=slice(0, 800)).load()  # the first trial of each kind; the rest stays in the file

with nd.plots.style():
    figure = nd.plots.new_figure(7.2, 4.0)
    panels = figure.subplots(3, 1, sharex=True, sharey=True)
    for ax, unit in zip(panels, two["unit"].values, strict=True):
        for start in (150, 550):
            ax.axvspan(start, start + 100, color="0.88", linewidth=0)
        two.sel(unit=unit).plot(ax=ax, linewidth=0.9, color="black")
        ax.set(xlabel="", ylabel="potential (mV)", title=f"cell {unit}", ylim=(-75, -45))
    panels[-1].set_xlabel("time (ms)")
    figure.suptitle("Three cells in two trials: a weak current (grey, left), then a strong one")
figure

# %% [markdown]
# ## pandas
#
# The table of trials is a `DataFrame`. Each spike becomes a line, and the number of its trial follows from the starts of the trials. Counts over
# trials have a Fano factor $F = \operatorname{var} n/\operatorname{mean} n$, which is 1 for Poisson spikes.

# %%
trials = run.trials
spikes = pandas.DataFrame({"unit": run["spikes"].ids, "time_ms": run["spikes"].times})
spikes["trial"] = np.searchsorted(trials["start_ms"], spikes["time_ms"], side="right") - 1
spikes = spikes.join(trials[["event", "start_ms"]], on="trial")
spikes["after_ms"] = spikes["time_ms"] - spikes["start_ms"]

during = spikes[spikes["after_ms"].between(150, 250, inclusive="left")]
every = pandas.MultiIndex.from_product([range(100), trials.index], names=["unit", "trial"])
counts = during.groupby(["unit", "trial"]).size().reindex(every, fill_value=0).rename("count").reset_index()
counts = counts.join(trials["event"], on="trial").groupby(["event", "unit"])["count"].agg(["mean", "var"])
counts["Fano factor"] = counts["var"] / counts["mean"]
print(counts.groupby("event").median().round(2))

# %% [markdown]
# ## neo
#
# A `Block` with a segment for each trial, whose times count from its start; `nd.doors.to_neo(run)` without `trials=True` is one segment with
# the trials as an epoch. elephant's functions take these spike trains as they are.

# %%
block = nd.doors.to_neo(run, trials=True)
segment = block.segments[1]
signal = segment.analogsignals[0]
print(f"{segment.name}, {segment.annotations['event']}: {len(segment.spiketrains)} spike trains,", end=" ")
print(f"{signal.name} {signal.shape} in {signal.dimensionality}")

edges = np.arange(0, 401, 10)
with nd.plots.style():
    figure = nd.plots.new_figure(7.2, 3.0)
    ax = figure.subplots()
    ax.axvspan(150, 250, color="0.88", linewidth=0)
    for event in ("weak", "strong"):
        chosen = [part for part in block.segments if part.annotations["event"] == event]
        times = np.concatenate([train.rescale("ms").magnitude for part in chosen for train in part.spiketrains])
        rate = np.histogram(times, edges)[0] / (len(chosen) * 100 * 0.010)
        ax.stairs(rate, edges, label=f"{event}, {len(chosen)} trials", linewidth=1.5, baseline=None)
    ax.set(xlabel="time in the trial (ms)", ylabel="rate (spikes/s per cell)", xlim=(0, 400), ylim=(0, None))
    ax.set_title("Rate of the population around the current (grey), from neo's segments")
    ax.legend()
figure

# %% [markdown]
# ## NWB
#
# One file with spikes, potentials and their factor to volts, trials, and the configuration. `neurodyn export runs/11_exchange.h5 --to nwb` does the same from a
# shell; `--to sonata` and `--to csv` make folders. What comes out is what went in:

# %%
path = nd.export(run, to="nwb", overwrite=True)
with pynwb.NWBHDF5IO(path, "r") as io:
    file = io.read()
    v = file.acquisition["cells.v"]
    print(f"{v.name}: {v.data.shape} at {v.rate:g} Hz, in {v.unit} with factor {v.conversion:g}")
    print(file.trials.to_dataframe().head(3))
    there = file.units["spike_times"]  # s
    same = [np.array_equal(there[unit], train / 1000) for unit, train in enumerate(run["spikes"].trains())]
    print(f"spikes with the same bits: those of {sum(same)} of {len(same)} cells")
    print("potentials with the same bits:", np.array_equal(v.data, run["cells.v"]))

# %% [markdown]
# ## And back
#
# `nd.read_spikes` makes of the file a part of a circuit that emits its spikes again. Forty listeners hear the network from within, and
# then from the file. Seed and names decide wiring and start, so nothing but the way of the spikes differs.

# %%
listeners = nd.Population(
    "listeners",
    40,
    "dv/dt = (-70*mV - v)/(10*ms) : volt",
    threshold="v > -60*mV",
    reset="v = -70*mV",
    method="exact",
    initial={"v": "-70 mV"},
)


def heard_from(source: nd.Population | nd.SpikeTimes) -> nd.Connection:
    return nd.Connection(source, listeners, "v", name="heard", probability=0.3, weight="1.4 mV", delay="1 ms")


inside = nd.simulate(
    nd.Circuit([cells, listeners], [inhibition, stimulus, heard_from(cells)], inputs=[current], dt="0.1 ms", seed=1),
    session,
)
replay = nd.read_spikes("runs/11_exchange.nwb", population="cells")
alone = nd.simulate(nd.Circuit([replay, listeners], [heard_from(replay)], dt="0.1 ms", seed=1), "8 s")
a, b = inside["spikes/listeners"], alone["spikes/listeners"]
print(f"{len(a)} spikes of listeners within the network, {len(b)} from the file")
print("the same spikes:", np.array_equal(a.times, b.times) and np.array_equal(a.ids, b.ids))
assert np.array_equal(a.times, b.times) and np.array_equal(a.ids, b.ids)

# %% [markdown]
# **Exercise.** Do the listeners need the timing of these spikes, or their number alone? Give every spike of `replay` a random time within the 8 s, and
# count how often the listeners fire.
#
# <details><summary>Solution</summary>
#
# ```python
# rng = np.random.default_rng(1)
# n = np.bincount(replay.units, minlength=replay.size)
# steps = np.concatenate([rng.choice(80_000, k, replace=False) for k in n])  # at most one spike a cell and step
# times = nd.Quantity(steps * 1e-4, replay.times.dimensions)  # s
# shuffled = nd.SpikeTimes("cells", replay.size, np.repeat(np.arange(replay.size), n), times)
# again = nd.simulate(nd.Circuit([shuffled, listeners], [heard_from(shuffled)], dt="0.1 ms", seed=1), "8 s")
# print(f"{len(b)} spikes of listeners, {len(again['spikes/listeners'])} when each spike has a time by chance")
# ```
#
# They fire 1876 times, and 1266 times when only the number of spikes of each cell is kept. The strong currents bring many spikes within 100 ms; spread
# over the 8 s they no longer add up.
# </details>
#
# **Where to go on.** [To other tools, and back](../docs/exchange.md): what goes where in each form, and what has no place.
# [The recording file](../docs/recording.md): its layout, and reading it with h5py alone.
