# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # A network that emulates a hidden Markov model
#
# Can a network with a continuous state, driven by noise alone, behave like a model that jumps between a few hidden states? And
# what does it jump with?
#
# A notebook, `05_hidden_markov.ipynb`; its source, `05_hidden_markov.py`, runs as a script.

# %%
from pathlib import Path

import neurodyn as nd

# %% [markdown]
# ## The target
#
# A hidden Markov model moves between states $s$ by $A_{ij} = P(s_{t+1} = j \mid s_t = i)$ and emits a symbol by
# $B_{ik} = P(\text{symbol } k \mid s = i)$. This chain has two states that last 20 steps on average, and three symbols.

# %%
target = nd.tasks.HiddenMarkov.chain(2)
print("A =", target.transition.round(3).tolist())
print("B =", target.emission.round(3).tolist())
print(f"the symbol changes in {100 * target.symbol_change:.1f} % of the steps")

# %% [markdown]
# ## The network, and its training
#
# $$h(t) = \mathrm{relu}\left[W h(t-1) + U x(t)\right], \quad x(t) \sim \mathcal{N}(0, 1), \qquad \text{logits}(t) = A' h(t).$$
#
# The noise $x$ is the only input; a symbol is drawn from the softmax of the logits. Training makes a batch of generated sequences alike a batch of
# the target's by their Sinkhorn divergence (Torre et al. 2025). Two batches of the target are not at 0 either: that is the floor.

# %%
net = nd.HMMRNN(50, noise_inputs=10, seed=12)
begun = nd.emulate(
    net, target, batch=128, updates=60, test_every=20, validation=256, seed=12, out="runs/05_begun.h5", overwrite=True
)
print(begun.history[["update", "loss", "validation_loss", "floor", "symbol_change"]].round(2).to_string(index=False))

# %% [markdown]
# So begins the plateau of independent symbols: frequencies are right, and the symbol changes in every second step. It lasts for
# hundreds of updates; whether and when a network leaves it depends on its seed (7 of 8 small networks within 1500 updates).
#
# The same network with batches of 512 and 900 updates takes a minute and more, and lies beside this tutorial.
# `python tutorials/recordings/make.py 05_hidden_markov` makes it again.

# %%
beside = Path("recordings/05_hidden_markov.h5")
run = nd.load_training(beside if beside.exists() else Path("tutorials") / beside)
onset = nd.analysis.training_onset(run)
print(onset)

# %%
nd.plots.training_onset(onset, target_change=target.symbol_change, title="A plateau, a drop, and what drops with it")

# %% [markdown]
# ## Does it emulate the model?
#
# `run.network("best")` is the network with the lowest validation loss. What it draws, beside the target (white, grey and black: symbols 0, 1 and 2):

# %%
net = run.network("best")
made = net.generate(1000, 100, seed=5)
theirs = target.sample(1000, 100, seed=5)[1]
with nd.plots.style():
    figure = nd.plots.new_figure(7.2, 2.8)
    panels = figure.subplots(1, 2, sharey=True)
    for ax, symbols, title in zip(panels, (theirs, made.symbols), ("Model", "Network"), strict=True):
        ax.imshow(symbols[:25].numpy(), cmap="Greys", vmin=0, vmax=2, aspect="auto", interpolation="nearest")
        ax.set(title=f"{title}: 25 sequences", xlabel="time (steps)")
    panels[0].set_ylabel("sequence")
figure

# %% [markdown]
# Each number beside the floor, the same of as many sequences of the target itself. `deviation` counts standard deviations of the floor.

# %%
quality = nd.analysis.emulation_quality(made.symbols, target)
shown = [
    "aligned distance",
    "volatility (changes)",
    "marginal of 1",
    "total variation, words of 6",
    "autocorrelation, lag 10",
]
print(quality.table().loc[[*shown, "run length, CV"], ["value", "floor", "deviation"]].round(3))

# %% [markdown]
# The aligned distance, by which such networks were published, is *below* that between two samples of the target: the network varies too
# little, and mini-batches reward that. The number of changes is nearly right; words, autocorrelation and runs are not, by many
# standard deviations, and the rare symbol 1 hardly ever comes. It emulates in outline.
#
# ## The mechanism
#
# The states of the network turn in a plane, all paths in one sense. Where the path lingers is a cluster for each frequent
# symbol; between clusters lies a zone that is left soon.

# %%
orbits = nd.analysis.driven_orbits(net, target=target)
print(orbits)

# %%
nd.plots.driven_orbits(orbits, title="A path under noise")

# %% [markdown]
# A memoryless jump has times with a coefficient of variation near 1 (0.975 for the hidden states, whose times are whole steps). The
# times between switches of the winner, the symbol with the largest logit, are more regular, as those of an orbit are, and on average
# twice as long as those of the hidden states; symbols change more often than the winner, since they are drawn. Residence, the steps that paths from a state take to another symbol, sorts the
# states into clusters, kick zones and transitions:

# %%
zones = nd.analysis.residence_map(net)
print(zones)

# %%
nd.plots.residence_zones(zones)

# %% [markdown]
# And what drives it? Without noise the activity dies out: the origin is the only fixed point, so there are no two attractors
# between which noise could switch. The clusters exist only under noise. (At the origin the rectifier has no derivative, and so
# the fixed point no spectral radius.)

# %%
print(nd.analysis.noise_free(net))

# %% [markdown]
# **Exercise.** If noise drives the switches, do more of them come with more noise? Run the network at levels from 0.25 to 4, with
# `nd.analysis.noise_sweep(net, levels=..., target=target)`.
#
# <details><summary>Solution</summary>
#
# ```python
# sweep = nd.analysis.noise_sweep(net, levels=[0.25, 0.5, 1.0, 2.0, 4.0], target=target)
# print(sweep)
# nd.plots.noise_sweep({"network": sweep}, change=target.symbol_change)
# ```
#
# `switching`, `dwell` and `cv` don't change by a bit. Without biases a factor on the noise is a factor on all states, and the largest
# logit stays the largest: the level is an inverse temperature of the drawn symbols, which are most like the target's where the
# network was trained. With biases there is a scale, and a coherence resonance.
# </details>
#
# **Where to go on.** [Networks that emulate hidden Markov models](../docs/emulation.md): the published size, kick neurons and what
# silencing does, with a null for each claim; [hidden Markov models](../docs/hidden_markov.md): sampling, inference and fits to data of your
# own; [resonance](../docs/resonance.md): what noise does elsewhere.
