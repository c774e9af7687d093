# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Your own neuron model and plasticity rule
#
# You have an equation and a rule of your own. How do they become a network that runs on every backend, and how do you know that
# all of them compute the same? A cell and a rule are text in Brian2's language here; what is already written as Brian2 objects
# comes in by one call.
#
# A notebook, `09_own_model.ipynb`; its source, `09_own_model.py`, runs as a script.

# %%
import warnings

import numpy as np

import neurodyn as nd

# %% [markdown]
# ## A cell
#
# A quadratic cell with an adaptation current $w$ that pulls it back, and a synaptic current $I$ that decays:
#
# $$C\,\dot v = k\,(v - v_r)(v - v_c) - w + I + I_0, \qquad \tau_w\,\dot w = a\,(v - v_r) - w, \qquad \tau_s\,\dot I = -I.$$
#
# At 30 mV it spikes: $v \to v_0$ and $w \to w + b$. The text holds the equations with the unit of each variable after the colon;
# units are checked before anything runs. Parameters may be numbers, arrays or distributions.


# %%
def cells(size, drive):
    return nd.Population(
        "cells",
        size,
        """dv/dt = (k*(v - v_rest)*(v - v_crit) - w + I + drive)/C : volt
           dw/dt = (a*(v - v_rest) - w)/tau_w : amp
           dI/dt = -I/tau_s : amp""",
        threshold="v > 30*mV",
        reset="v = v_reset; w += b",
        method="euler",
        parameters={
            "C": "100 pF",
            "k": "0.7 nS/mV",
            "v_rest": "-60 mV",
            "v_crit": "-40 mV",
            "v_reset": "-50 mV",
            "a": "2 nS",
            "b": "40 pA",
            "tau_w": "100 ms",
            "tau_s": "5 ms",
            "drive": drive,
        },
        initial={"v": "-60 mV"},
    )


currents = np.linspace(0, 300, 61)  # pA: one cell for each
alone = nd.Circuit([cells(61, nd.quantity([f"{x} pA" for x in currents]))], dt="0.1 ms")
record = ["spikes", nd.Sample("cells.v", units=[40]), nd.Sample("cells.w", units=[40])]
run = nd.simulate(alone, "1 s", record=record)

# %%
with nd.plots.style():
    figure = nd.plots.new_figure(9, 3.2)
    left, middle, right = figure.subplots(1, 3)
    time = run["cells.v"]["time"].values
    left.plot(time, run["cells.v"].values[:, 0], color="C0", linewidth=0.8)
    left.set(xlabel="time (ms)", ylabel="v (mV)", title=f"A cell at {currents[40]:.0f} pA", xlim=(0, 400))
    middle.plot(time, run["cells.w"].values[:, 0], color="C1")
    middle.set(xlabel="time (ms)", ylabel="w (pA)", title="Its adaptation", xlim=(0, 400))
    spikes = run["spikes"]
    for label, low, high, style in (("first 100 ms", 0, 100, "--"), ("last 500 ms", 500, 1000, "-")):
        inside = (spikes.times >= low) & (spikes.times < high)
        rate = np.bincount(spikes.ids[inside], minlength=61) / (high - low) * 1e3
        right.plot(currents, rate, style, label=label)
    right.set(xlabel="current (pA)", ylabel="rate (spikes/s)", title="Rate over current")
    right.legend()
figure

# %% [markdown]
# ## The same spikes on four backends
#
# A network of 200 such cells. Each runner gets the circuit as it is: `interpreter` is plain NumPy, `numba` compiles, `torch` computes
# tensor by tensor, `brian2` hands *your* equations to Brian2, which knows nothing of our lowering. The update holds only + - * /, so
# the promise is not "close" but identical, and `nd.compare` names the first step, unit and variable that differ.

# %%
population = cells(200, nd.Uniform("80 pA", "180 pA"))
recurrent = nd.Connection(
    population, population, "I", probability=0.1, weight=nd.Normal("0 pA", "20 pA"), delay=nd.Uniform("1 ms", "5 ms")
)
net = nd.Circuit([population], [recurrent], dt="0.1 ms", seed=1)
print("the promise:", net.program.exactness)
record = ["spikes", nd.Sample("cells.v", units=range(5))]
reference = nd.simulate(net, "200 ms", backend="interpreter", record=record)
for backend in ("numba", "torch", "brian2"):
    print(f"{backend:8}", nd.compare(reference, nd.simulate(net, "200 ms", backend=backend, record=record)))

# %% [markdown]
# ## A rule
#
# How can a reward that comes a second later change the right synapse? A rule of one's own: pairs of spikes leave a tag $c$ at the
# synapse, by two traces $x$ (arrived spikes) and $y$ (spikes of the target); a modulator $d$ turns what is left of the tag into weight:
#
# $$\begin{gathered}
# \Delta c = A_+\,x \text{ at spikes of the target}, \qquad \Delta c = -A_-\,y \text{ at arriving spikes}, \\
# \dot c = -\frac{c}{\tau_c}, \qquad \dot d = -\frac{d}{\tau_d} + R, \qquad \dot w = g\,d\,c.
# \end{gathered}$$

# %%
tagged = nd.SynapticRule(
    "tagged",
    traces={
        "x": nd.Trace("pre", "20 ms"),  # grows by 1 when a spike arrives
        "y": nd.Trace("post", "30 ms"),  # and when the target spikes
        "c": nd.Trace("synapse", "1 s"),
        "d": nd.Trace("network", "200 ms"),
    },
    parameters={"A_plus": 0.1, "A_minus": 0.08, "gain": 1.0},
    on_post="c += A_plus*x",
    on_pre="c -= A_minus*y",
    modulator="d += reward",  # "reward" is the name of an input
    dw_dt="gain*d*c",
)

# %% [markdown]
# **A test by hand.** Cells that fire when they are told to: a source at 200 ms, and targets that fire before or after it, each 5 ms later
# than the one before. So one run measures the whole window. The reward, one half, comes at 900 ms.

# %%
gaps = np.arange(-60, 61, 5)  # ms from the spike of the source to that of each target
times = np.concatenate([[200], 200 + gaps])
told = nd.SpikeTimes("told", times.size, np.arange(times.size), [f"{t - 1} ms" for t in times])
relays = nd.Population(
    "relays", times.size, code="", variables={"go": "1", "felt": "1"}, threshold="go > 0.5", reset="go = 0", dt="1 ms"
)
relay = nd.Connection(told, relays, "go", pattern="one-to-one", weight=1.0)
reward = nd.Input("reward", ("reward",), pulses=(("900 ms", "901 ms", 0.5),))


def pairs(rule):
    """One synapse from the source onto each target."""
    each = (np.zeros(gaps.size, int), 1 + np.arange(gaps.size))
    plastic = nd.Connection(relays, relays, "felt", pairs=each, weight=0.0, rules=rule, name="plastic")
    return nd.Circuit([told, relays], [relay, plastic], inputs=[reward])


run = nd.simulate(pairs(tagged), "2.5 s", record=["plastic.w", "tagged.c", "tagged.d"])
window = run["plastic.w"].values[-1]

# %%
with nd.plots.style():
    figure = nd.plots.new_figure(9, 3.4)
    left, right = figure.subplots(1, 2)
    left.axhline(0, color="0.7", linewidth=0.8)
    left.plot(gaps, 1e3 * window, "o-")
    left.set(
        xlabel="spike of the target after that of the source (ms)",
        ylabel="change of the weight (1/1000)",
        title="Reward 700 ms after the source: one point a synapse",
    )
    after = int(np.flatnonzero(gaps == 10)[0])
    for name, label in (("tagged.c", "tag c"), ("tagged.d", "modulator d"), ("plastic.w", "weight w")):
        values = run[name].values
        column = values[:, after] if values.ndim > 1 and values.shape[1] > 1 else values.ravel()
        right.plot(run[name]["time"], column / abs(column).max(), label=label)
    right.set(xlabel="time (ms)", ylabel="part of the largest value", title="The synapse of a target 10 ms later")
    right.legend()
figure

# %% [markdown]
# **Beside the formula.** The tag of the pair 10 ms apart is $A_+ e^{-10/20}$, and at the reward, 690 ms after the spike of the target, $e^{-0.69}$ of it. With a step of 1 ms the weight
# gains $g\,d\,c\,\Delta t$ in each, and $d\,c$ decays by $q = e^{-\Delta t/\tau_c - \Delta t/\tau_d}$: a geometric series.

# %%
dt, q = 1e-3, np.exp(-1e-3 / 1.0 - 1e-3 / 0.2)
expected = 0.1 * np.exp(-10 / 20) * np.exp(-0.69) * 0.5 * dt * (1 - q**1600) / (1 - q)
print(f"simulated {window[after]:.9f}, formula {expected:.9f}")
assert abs(window[after] / expected - 1) < 1e-9

# %% [markdown]
# ## Cell and rule together
#
# The synapses of the network learn, and pairs of cells are rewarded in two pulses. `circuit.forms()` says how synapses are advanced: here at
# their events, in closed form, since $\dot w$ is a factor of the network times one tag. Brian2 advances every synapse in every step, which
# is another order of the same sums: its weights agree up to rounding.

# %%
plastic = nd.Connection(
    population,
    population,
    "I",
    probability=0.1,
    weight="20 pA",
    delay="1.5 ms",
    rules=nd.SynapticRule(
        "tagged",
        traces=tagged.traces,
        parameters={"A_plus": "0.1 pA", "A_minus": "0.08 pA", "gain": 100.0},
        on_post=tagged.on_post,
        on_pre=tagged.on_pre,
        modulator=tagged.modulator,
        dw_dt=tagged.dw_dt,
    ),
    bounds=("0 pA", "40 pA"),
    name="plastic",
)
bursts = nd.Input("reward", ("reward",), pulses=(("50 ms", "50.1 ms", 0.5), ("120 ms", "120.1 ms", -0.5)))
learner = nd.Circuit([population], [plastic], inputs=[bursts], dt="0.1 ms", seed=1)
print(learner.forms())
record = ["spikes", nd.Sample("plastic.w", every="1 ms")]
reference = nd.simulate(learner, "200 ms", backend="interpreter", record=record)
for backend, tolerance in (("numba", 0.0), ("torch", 0.0), ("brian2", 1e-9)):
    other = nd.simulate(learner, "200 ms", backend=backend, record=record)
    print(f"{backend:8}", nd.compare(reference, other, tolerance=tolerance))

# %% [markdown]
# ## What is already written in Brian2
#
# `nd.from_brian2` takes the objects of a Brian2 script: here quadratic cells and STDP in Brian2's own words. What a circuit can't express it
# refuses, all of it at once, by name. Brian2 runs the code of arriving spikes first; `plastic.post.order` says otherwise here,
# which lets the synapses be advanced at their events ([why](../docs/brian2.md)).

# %%
import brian2 as b2

b2.prefs.codegen.target = "numpy"
constants = {"tau": 20 * b2.ms, "tau_s": 5 * b2.ms, "A": 0.02, "w_max": 0.4}
source = b2.SpikeGeneratorGroup(50, np.arange(500) % 50, np.arange(500) * 0.4 * b2.ms, name="source")
target = b2.NeuronGroup(
    20,
    """dv/dt = (v*(v - 1) + g + 0.3)/tau : 1
       dg/dt = -g/tau_s : 1""",
    threshold="v > 2",
    reset="v = -1",
    method="euler",
    namespace=constants,
    name="target",
)
target.v = "-1 + 0.05*i"
plastic = b2.Synapses(
    source,
    target,
    """w : 1
       dx/dt = -x/tau : 1 (event-driven)
       dy/dt = -y/tau : 1 (event-driven)""",
    on_pre="g += w; x += A; w = clip(w - y, 0, w_max)",
    on_post="y += A; w = clip(w + x, 0, w_max)",
    namespace=constants,
    name="plastic",
)
plastic.connect()
plastic.w = "0.1 + 0.002*i"
plastic.post.order = plastic.pre.order - 1
monitor = b2.SpikeMonitor(target)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # monitors are left out, and said to be
    circuit = nd.from_brian2([source, target, plastic, monitor])
print(circuit.forms(), circuit["plastic"].rules[0].on_pre, sep="\n")

ours = nd.simulate(circuit, "200 ms", record=["spikes", "weights"])
b2.Network(source, target, plastic, monitor).run(200 * b2.ms)
found = ours["spikes/target"]
same = np.array_equal(found.ids, monitor.i) and np.allclose(found.times, monitor.t / b2.ms)
print(f"{found.ids.size} spikes of the target here, {len(monitor.i)} in Brian2; the same trains: {same}")
assert same

# %% [markdown]
# ## Exercise
#
# Write a rule that needs no reward: a synapse is tagged when its target fires soon after it, and at the end of each 500 ms
# tagged synapses grow by what the tag still holds, towards a ceiling of 1. Which pairs are tagged? (The words are `per_step` and
# `every`.)
#
# <details><summary>Solution</summary>
#
# ```python
# tagging = nd.SynapticRule(
#     "tagging",
#     traces={"x": nd.Trace("pre", "20 ms"), "tag": nd.Trace("synapse", "300 ms")},
#     parameters={"ceiling": 1.0, "rate": 0.2},
#     on_post="tag += x",
#     per_step="w += rate*tag*(ceiling - w)",
#     every="500 ms",
# )
# run = nd.simulate(pairs(tagging), "1 s", record=["plastic.w", "tagging.tag"])
# print("tagged:", gaps[run["tagging.tag"].values.max(axis=0) > 0.05], "ms")
# print("final weights:", run["plastic.w"].values[-1].round(4))
# ```
#
# Targets that fire 5 to 55 ms after the source: the trace $x$ has then fallen to between $e^{-0.25}$ and $e^{-2.75}$. A target that fires in the same
# step isn't tagged, since traces jump after the code of their step.
#
# </details>
#
# **Where to go on.** [Plasticity](../docs/plasticity.md) has the presets and the two forms of a rule; [extend](../docs/extend.md) says
# where a cell or rule goes that others are to use, and how to test a runner of your own; [models from and to Brian2](../docs/brian2.md)
# lists what comes in and what doesn't; [conformance](../docs/conformance.md) shows which runner keeps which bits.
