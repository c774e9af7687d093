# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Dimensions and fixed points from a recording
#
# A hundred units are active, and nobody knows why. How many dimensions does their activity fill, is it chaotic, and
# around which points does it move? All that is asked for is a recording.
#
# A notebook, `08_dimensions_and_fixed_points.ipynb`; its source, `08_dimensions_and_fixed_points.py`, runs as a script.

# %%
import numpy as np

import neurodyn as nd
from neurodyn import analysis

# %% [markdown]
# ## A recording
#
# Rate units with random connections, left alone:
#
# $$\tau\,\dot x_i = -x_i + \sum_j J_{ij}\tanh x_j, \qquad J_{ij} \sim \mathcal N(0, g^2/N), \qquad g = 2,\ N = 100,\ \tau = 50\ \text{ms}.$$
#
# Infinitely many units rest at 0 for $g < 1$ and are chaotic for $g > 1$ (Sompolinsky, Crisanti & Sommers 1988). A
# hundred need not be: that is to be seen.

# %%
net = nd.RateReservoir(100, gain=2.0, connection_probability=1.0, noise=0.0, dt="5 ms", seed=2)
run = nd.simulate(net, "15 s", record=["x"], out="runs/08_dimensions_and_fixed_points.h5", overwrite=True)

# %% [markdown]
# From here on only the file is used. It holds the activity, and the network itself.

# %%
recording = nd.load("runs/08_dimensions_and_fixed_points.h5")
print(recording)
x = recording["x"].sel(time=slice(2500, None))  # without the start; in ms
figure = nd.plots.traces(
    x["time"],
    x.values[:, :4],
    [f"unit {k}" for k in range(4)],
    "1",
    name="x",
    title="Four of a hundred units, left alone",
)
figure

# %% [markdown]
# ## How many dimensions?
#
# With $\lambda_k$ the eigenvalues of the covariance of the units, the participation ratio is
# $(\sum_k\lambda_k)^2/\sum_k\lambda_k^2$: one if a single direction holds all the variance, $N$ if all hold as much.
# Neighbours in time say the same, so one row in 100 ms is taken. The null shifts each unit in time by an amount of its own,
# end to start: each keeps its own course, and what they share is gone.

# %%
rows = x[::20]
print("participation ratio:", analysis.participation_ratio_null(rows, samples=100))
components, alone = analysis.pca(x, components=8), analysis.pca_null(rows, components=8)
print(
    f"first component: {components.explained_ratio[0]:.1%}, of independent units {alone.low[0]:.1%} to {alone.high[0]:.1%}"
)

# %%
figure = nd.plots.pca(components, null=alone, title="A few components hold what a hundred units do")
figure

# %% [markdown]
# Five dimensions where independent units would fill twenty: what one unit does, others know.

# %% [markdown]
# ## Is it chaotic?
#
# Two states that are near each other drift apart as $e^{\lambda t}$. The network from the file
# gives one step of its equations as a function, and the largest Lyapunov exponents $\lambda$ follow from its
# derivative along an orbit.

# %%
step = recording.network().step_function(noise="off")
starts = step.join({"cells.x": x.values})
spectrum = analysis.lyapunov_exponents(step, starts[-1], steps=1500, count=2, every=5, dt=0.1)  # dt/tau
print(spectrum)

# %% [markdown]
# The largest is above 0 by more than three standard errors: chaos. In a time constant two neighbours come some 10 %
# further apart. [The same at eight gains](../docs/dynamics.md) had 10 of 10 networks of 400 units chaotic at $g = 2$,
# with exponents from 0.06 to 0.11. Of the networks of this size, 100, with seeds 1 to 8, three had
# a largest exponent above 0 by more than three standard errors over 6000 steps (seeds 2, 3 and 4).

# %% [markdown]
# ## Around which points does it move?
#
# Fixed points are where $F(x) = x$. From each of some forty states of the recording
# the squared speed $q(x) = |F(x) - x|^2/2$ is made small. What the minimum is compared with is the speed at the
# starts.

# %%
points = analysis.fixed_points(step, starts[:: len(starts) // 40])
print(points)

# %%
figure = nd.plots.fixed_points(points, title="Fixed and slow points among the states of the recording")
figure

# %% [markdown]
# Nearly all are saddles: along most directions the state is drawn in, along some it is pushed out, so no point holds
# it. They come in pairs, $x$ and $-x$, since tanh is odd; many have been met once, so there are more of them. The
# origin is a fixed point, and the equations say what grows there: a step multiplies a small state by $1 + (J -
# 1)\,dt/\tau$. That is a check that needs no search.

# %%
origin = analysis.fixed_points(step, starts[:2] * 1e-3)
found = np.abs(origin.eigenvalues[0]).max()
wiring = recording.network().synapses("recurrent")
J = np.zeros((100, 100))
J[wiring.targets, wiring.sources] = wiring.weights
expected = np.abs(1 + (np.linalg.eigvals(J) - 1) * 5 / 50).max()
print(f"fastest growth at the origin: times {found:.6f} a step, by the eigenvalues of J {expected:.6f}")

# %% [markdown]
# **Exercise.** Below $g = 1$ the network should rest. Record one with $g = 0.8$ and find its fixed points and its
# largest exponent. How many dimensions does it fill?
#
# <details><summary>Solution</summary>
#
# ```python
# calm = nd.RateReservoir(100, gain=0.8, connection_probability=1.0, noise=0.0, dt="5 ms", seed=2)
# orbit = nd.simulate(calm, "5 s", record=["x"])["x"]
# calm_step = calm.step_function(noise="off")
# calm_starts = calm_step.join({"cells.x": orbit.values[::100]})
# print(analysis.fixed_points(calm_step, calm_starts))
# print(analysis.lyapunov_exponents(calm_step, calm_starts[0], steps=500, discard=100, count=1, every=5, dt=0.1))
# ```
#
# One point, stable, in which all starts end, and an exponent below 0. A network at rest fills no dimensions: after
# its start there is no variance to count. With `noise=0.05` there is, and its dimensions are those of the noise.
# </details>
#
# The same from a shell, without a script: `neurodyn analyse runs/08_dimensions_and_fixed_points.h5` says what can be asked of the file,
# `neurodyn analyse runs/08_dimensions_and_fixed_points.h5 fixed-points` asks it.
#
# **Where to go on.** [Analysis](../docs/analysis.md): which function answers which question, beside which null.
# [Dimensionality](../docs/dimensionality.md): trials, demixed components, rotations, recordings larger than memory.
# [Dynamics](../docs/dynamics.md): fixed points and exponents of circuits, torch modules and equations of your own.
