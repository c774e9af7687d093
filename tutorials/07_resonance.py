# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Stochastic and coherence resonance
#
# Can noise help a system to follow a signal that is too weak for it, or to keep time without any signal? Both have a
# best level of noise, and a curve over levels has to show that its maximum isn't chance.
#
# A notebook, `07_resonance.ipynb`; its source, `07_resonance.py`, runs as a script.

# %%
import numpy as np

import neurodyn as nd
from neurodyn import analysis, plots

# %% [markdown]
# ## A weak signal in a double well
#
# A particle in the potential $V = x^4/4 - x^2/2$, with wells at -1 and 1 and a
# barrier of 1/4 between them:
#
# $$dx = (x - x^3 + A\cos\Omega t)\,dt + \sqrt{2D}\,dW.$$
#
# Without noise a force of $A = 0.1$ never lifts it over the barrier. Noise does, at random times; the force makes the
# way over likelier when it points across. All levels of $D$ run side by side, with the same noise at other strengths.
# One unit of time is a millisecond of the recording.

# %%
A, Omega = 0.1, 0.1
frequency = Omega / (2 * np.pi)  # cycles per unit of time: a period lasts 63 units
levels = np.geomspace(0.05, 0.5, 7)  # D
sides = np.tile([-1.0, 1.0], 20)  # half of the particles begin in each well


def wells(seed):
    """Run 40 particles at each level; a sample at each unit of time."""
    nets = [nd.DoubleWell(40, noise=d, amplitude=A, frequency=frequency, start=sides, seed=seed) for d in levels]
    return nd.simulate(nets, "400 ms", record=[nd.Sample("well.x", every="1 ms")])


batches = [wells(seed) for seed in range(5)]  # five networks of 40 particles
for k in (0, 3, 6):
    x = batches[0][k]["well.x"].values
    print(
        f"D = {levels[k]:.3f}: {np.diff(np.sign(x), axis=0).astype(bool).sum() / 40:.1f} changes of sign in 400 units"
    )

# %% [markdown]
# One particle hardly ever moves at little noise, and moves whenever it likes at much noise. In between it moves with
# the force.

# %%
with nd.plots.style():
    figure = nd.plots.new_figure(7.2, 4.2)
    time = np.arange(1, 401)  # a sample is taken at the end of its step
    for ax, k in zip(figure.subplots(3, 1, sharex=True), (0, 3, 6), strict=True):
        x = batches[0][k]["well.x"].values
        ax.plot(time, x[:, 0], linewidth=0.8, label="one particle")
        ax.plot(time, x.mean(axis=1), label="mean of 40")
        ax.plot(time, np.cos(Omega * time), "k--", linewidth=0.8, label="force, times 10")
        ax.set(ylabel="x", title=f"noise D = {levels[k]:.2f}")
    ax.set_xlabel("time (units of time)")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.suptitle("Particles in a double well under a weak force, at three levels of noise")
figure

# %% [markdown]
# How strongly does the *mean* follow? The amplification is $\eta = (\text{response}/A)^2$. Its null is the same
# estimate at neighbouring frequencies, where there is no force.

# %%
found = [
    [
        analysis.spectral_amplification(
            run["well.x"], dt=1.0, frequency=frequency, amplitude=A, start=1.0, discard=80.0
        )
        for run in batch
    ]
    for batch in batches
]
eta = np.array([[each.eta for each in batch] for batch in found]).T  # (level, network)
null = np.array([[each.null.null.mean() for each in batch] for batch in found]).T

# %% [markdown]
# What should be expected? Many particles have a density $p$ that obeys a Fokker-Planck equation, $\partial_t p = \partial_x(U' p) +
# D\,\partial_x^2 p$ with $U = V - x A\cos\Omega t$, and that is solved numerically, without any particles. `resonance_curve` says "a resonance" only if an inner level beats
# *both* ends, by a bound that holds for all levels together.


# %%
def potential(x):
    return x**4 / 4 - x**2 / 2


exact = [analysis.FokkerPlanck(potential, noise=d).periodic_response(A, Omega).amplification for d in levels]
curve = analysis.resonance_curve(levels, eta, control=null, name="spectral amplification")
print(curve)
for d, measured, spread, theory in zip(levels, eta.mean(axis=1), eta.std(axis=1, ddof=1), exact, strict=True):
    print(f"D = {d:.3f}: eta {measured:6.2f} ± {spread:.2f} over networks, exact {theory:6.2f}")

# %%
figure = plots.resonance_curve(
    curve, theory={"Fokker-Planck": (levels, exact)}, title="A double well follows a weak force best at a medium noise"
)
figure

# %% [markdown]
# Five networks scatter, since each sees its own noise at all levels. [The page on resonance](../docs/resonance.md)
# has 2000 particles and 2000 units of time, and differs from the exact curve by 4 % at most.

# %% [markdown]
# ## Noise that keeps time
#
# A FitzHugh-Nagumo cell that is excitable, $a = 1.05$, and gets noise but no signal:
#
# $$\varepsilon\,\dot x = x - x^3/3 - y, \qquad \dot y = x + a + s\,\xi(t), \qquad \varepsilon = 0.01.$$
#
# After a spike it recovers in a fixed time; then it waits for noise. Little noise: long random waits. Much noise:
# waits are short, but the recovery becomes random. The coefficient of variation of intervals, $\mathrm{CV} =
# \sigma/\mu$, is 1 for a Poisson process and 0 for a clock. (The axis of the last figure calls the strength $s$ of the noise sigma.)

# %%
strengths = np.array([0.02, 0.04, 0.08, 0.14, 0.25, 0.5])  # s
cells = [
    nd.simulate([nd.FitzHughNagumo(10, noise=s, seed=seed) for s in strengths], "200 ms", record=["spikes"])
    for seed in range(4)
]
cv = np.array([[analysis.event_regularity(run["spikes"].trains(), samples=20).cv for run in batch] for batch in cells])
print(analysis.event_regularity(cells[0][2]["spikes"].trains(), time="unit of time"))

# %%
with nd.plots.style():
    figure = nd.plots.new_figure(7.2, 4.0)
    for ax, k in zip(figure.subplots(3, 1, sharex=True), (0, 2, 5), strict=True):
        trains = [train[(train >= 100) & (train < 160)] for train in cells[0][k]["spikes"].trains()]
        ax.eventplot(trains, linelengths=0.8, linewidths=0.9, colors="black")
        ax.set(ylabel="cell", title=f"noise s = {strengths[k]:g}, CV {cv[:, k].mean():.2f}")
    ax.set_xlabel("time (units of time)")
    figure.suptitle("Spikes of ten cells that nothing but noise drives")
figure

# %%
regularity = analysis.resonance_curve(
    strengths, cv.T, best="min", name="CV of intervals", conventions=analysis.Conventions(noise="sigma")
)
print(regularity)
print(f"least CV {cv.mean(axis=0).min():.3f}; another program had 0.189 at s = 0.07")
figure = plots.resonance_curve(regularity, title="Excitable cells fire most regularly at a medium noise")
figure

# %% [markdown]
# **Exercise.** The best noise makes the mean time in a well about half a period of the force. What happens if the
# force is ten times faster, or ten times slower? The Fokker-Planck equation answers within a second; take
# `.response(Omega).amplification`, which is the limit of a weak force.
#
# <details><summary>Solution</summary>
#
# ```python
# noise = np.geomspace(0.03, 1.0, 40)
# for angular in (0.01, 0.1, 1.0):
#     gain = [analysis.FokkerPlanck(potential, noise=d).response(angular).amplification for d in noise]
#     best = int(np.argmax(gain))
#     print(f"Omega = {angular}: at most {gain[best]:.2f}, at D = {noise[best]:.3f}")
# ```
#
# A slow force finds its best noise lower and gains far more, since there is time to wait for a switch. A fast one is
# hardly followed at any level: particles don't switch ten times as often, and within its well each of them gives way
# little.
# </details>
#
# **Where to go on.** [Resonance](../docs/resonance.md): all measures, their conventions, and what noise does to a
# spiking reservoir. [Theory of resonance](../docs/resonance_theory.md): exact solutions and closed forms.
