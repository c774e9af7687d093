# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # A parameter scan, from the laptop to Slurm
#
# How does the rate of a noisy cell depend on its current, and what does noise change? That is one simulation at many
# points: on this machine now, on a cluster with the same words.
#
# A notebook, `10_scan.ipynb`; its source, `10_scan.py`, runs as a script.

# %%
import shutil
import subprocess
from pathlib import Path

import numpy as np
from scipy.integrate import quad
from scipy.special import erfcx

import neurodyn as nd

# %% [markdown]
# ## One simulation
#
# A leaky cell with white noise, $\sigma$ being the standard deviation that its membrane would
# have without a threshold:
#
# $$\tau\,\dot v = v_\mathrm{rest} - v + R I + \sigma\sqrt{2\tau}\,\xi(t), \qquad v > -50\ \text{mV}: \text{ spike, } v \to v_\mathrm{rest} = -70\ \text{mV}.$$
#
# A scan runs its points in processes of their own, so the simulation stands in a file. Parameters have types and
# defaults, results have names. This one refuses to say how regular spikes are where there are none.

# %%
folder = Path("runs/10_scan")
shutil.rmtree(folder, ignore_errors=True)  # to begin anew when the notebook is run again
folder.mkdir(parents=True)
script = folder / "noisy_cell.py"
text = '''
"""How fast and how regularly noisy leaky cells fire."""

import numpy as np

import neurodyn as nd


@nd.simulation
def noisy_cell(
    *, current: nd.units.Current = "200 pA", sigma: nd.units.Voltage = "2 mV", time: nd.Time = "1 s", seed: int = 1
) -> nd.Outcome:
    """Let 50 cells fire.

    Parameters
    ----------
    current, sigma : quantity
        Constant drive, and SD of the membrane without a threshold.
    time : quantity
        Length of the run.
    seed : int
        Of the noise.
    """
    cells = nd.Population(
        "cells",
        50,
        "dv/dt = (v_rest - v + R*current)/tau + sigma*sqrt(2/tau)*xi : volt (unless refractory)",
        threshold="v > -50*mV",
        reset="v = v_rest",
        refractory="2 ms",
        method="euler",
        parameters={"v_rest": "-70 mV", "R": "100 Mohm", "tau": "20 ms", "current": current, "sigma": sigma},
        initial={"v": nd.Uniform("-70 mV", "-50 mV")},
    )
    spikes = nd.simulate(nd.Circuit([cells], dt="0.1 ms", seed=seed), time)["spikes"]
    intervals = np.concatenate([np.diff(train) for train in spikes.trains()])
    if len(intervals) < 10:
        raise ValueError(f"{len(intervals)} intervals are too few for a CV; give more current, noise or time")
    return nd.Outcome(
        results={
            "rate (Hz)": len(spikes) / 50 / spikes.duration_ms * 1000,
            "CV of intervals": float(intervals.std() / intervals.mean()),
        }
    )
'''
script.write_text(text.lstrip())
print(script)

# %% [markdown]
# ## Fifteen points, twice each
#
# `seeds` makes the parameter `seed` of every point from its other parameters, so that
# order, growth and machine change nothing. From a shell this is
#
# ```console
# $ neurodyn scan noisy_cell.py --grid "current=linspace(150, 270, 5) pA" --grid "sigma=1 mV,2 mV,4 mV" --seeds 2 --out scan
# ```

# %%
grid = {"current": [f"{c} pA" for c in range(150, 271, 30)], "sigma": ["1 mV", "2 mV", "4 mV"]}
scan = nd.Scan(script, out=folder / "scan", grid=grid, seeds=2)
print(scan)
scan.run(workers=2, time_limit="1 min", memory_limit="2 GB")
print(scan.status())

# %% [markdown]
# ## What failed
#
# Each point runs by itself, so an exception costs that point alone, and a record of it stays: what
# was raised, where, on which host, at which attempt. `neurodyn scan log runs/10_scan/scan KEY` shows all of it,
# `collect` has it as a column.

# %%
table = nd.load_scan(folder / "scan")  # an xarray.Dataset over current, sigma and repetition
print(table["state"].isel(repetition=0).to_pandas())
csv, _ = scan.collect()
print(csv.name, csv.read_text().splitlines()[0], sep="\n")

# %% [markdown]
# The noise is too weak there for a spike below threshold (200 pA). Nothing is wrong with their rate, so the script is
# mended: a CV that isn't defined is NaN. A scan notes the text of the script with every point, and says that it has
# changed. `run("failed")` takes those points and no others; `run("outdated")` would do again what the earlier text
# has done.

# %%
mended = script.read_text().replace(
    'raise ValueError(f"{len(intervals)} intervals are too few for a CV; give more current, noise or time")',
    "intervals = np.full(1, np.nan)",
)
script.write_text(mended)
scan.run("failed")
print(scan.status())

# %% [markdown]
# ## Beside theory
#
# The mean interval is known exactly (Siegert 1951), with $V = R I$ and threshold and reset
# measured from rest:
#
# $$\frac1{\text{rate}} = t_\mathrm{ref} + \tau\sqrt\pi\int_{-V/(\sqrt2\sigma)}^{(20\,\mathrm{mV} - V)/(\sqrt2\sigma)} e^{u^2}\left(1 + \mathrm{erf}\,u\right)du.$$
#
# Steps of 0.1 ms see some crossings late, which acts as a threshold higher by $0.58\,\sigma\sqrt{2\,dt/\tau}$.


# %%
def siegert(current, sigma, dt=0.1):
    """Return the rate in Hz of a cell driven by pA, with noise of mV, as steps of dt ms see it."""
    threshold = 20 + 0.583 * sigma * np.sqrt(2 * dt / 20)
    low, high = (np.array([0.0, threshold]) - 0.1 * current) / (np.sqrt(2) * sigma)
    return 1000 / (2 + 20 * np.sqrt(np.pi) * quad(lambda u: erfcx(-u), low, high)[0])


table = nd.load_scan(folder / "scan")
rates = table["rate (Hz)"].mean("repetition")
expected = rates.copy(data=[[siegert(float(c), float(s)) for s in rates.sigma] for c in rates.current])
print("measured\n", rates.to_pandas().round(1), "\nSiegert\n", expected.to_pandas().round(1), sep="")
print(
    f"largest difference {float(abs(rates - expected).max()):.2f} Hz; between repetitions up to {float(table['rate (Hz)'].std('repetition').max()):.2f} Hz"
)

# %%
figure = nd.plots.scan_overview(
    table, "rate (Hz)", x="current", title="Noise makes cells fire below threshold (200 pA)"
)
figure

# %%
figure = nd.plots.scan_overview(
    table, "CV of intervals", x="current", title="Spikes are irregular where noise has to lift the cell"
)
figure

# %% [markdown]
# ## Growing
#
# One value more of noise; what is done stays as it is.

# %%
print(scan.extend(grid={"sigma": ["3 mV"]}), "points are new")
scan.run()
print(scan.status())

# %% [markdown]
# ## On Slurm
#
# It is one more word, `--on slurm`. Points are packed into tasks that take as long as you say, an array is submitted,
# and nothing has to stay logged in. What a task asks for in time follows from what points of this scan took, or from
# `point_time` as long as none has run.
#
# ```console
# $ neurodyn scan noisy_cell.py --grid ... --seeds 2 --out scan --on slurm --slurm partition=short --point-time "1 s" --task-time "10 min"
# $ neurodyn scan status scan --watch
# ```
#
# From Python, where there is a Slurm:

# %%
cluster = nd.Scan(script, out=folder / "cluster", grid=grid, seeds=10)
if shutil.which("sinfo") and subprocess.run(["sinfo"], capture_output=True).returncode == 0:
    print(cluster.run(on="slurm", point_time="1 s", task_time="1 min", time_limit="1 min", memory_limit="1 GB"))
else:
    print("no Slurm answers here, so these points are only planned")
print(cluster.status())

# %% [markdown]
# **Exercise.** Cells that noise alone lifts over the threshold, seldom, should fire nearly as a Poisson process does:
# a CV of 1. At 150 pA and 2 mV the figure says .7. Is it the cell, or the length of the run? Scan `time`, up to 100 s.
#
# <details><summary>Solution</summary>
#
# ```python
# shutil.rmtree(folder / "time", ignore_errors=True)
# long = nd.Scan(
#     script,
#     out=folder / "time",
#     grid={"time": ["1 s", "3 s", "10 s", "100 s"]},
#     set={"current": "150 pA", "sigma": "2 mV"},
#     seeds=2,
# )
# long.run(workers=2)
# print(nd.load_scan(folder / "time")[["rate (Hz)", "CV of intervals"]].mean("repetition").to_dataframe())
# ```
#
# Mostly the length: an interval that is longer than the run is never seen. The rate needs no such care.
# </details>
#
# **Where to go on.** [From your laptop to a cluster](../docs/scans.md): limits, what fails and how it is taken up
# again, Slurm and its peculiarities, Dask, batches, Snakemake.
