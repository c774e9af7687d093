"""The network of Izhikevich (2007), and the reward that follows the firing of one pair of its cells."""

from __future__ import annotations

import numpy as np

import neurodyn as nd

CEILING = 4.0  # of excitatory weights, mV/ms for one step
REWARD = 0.5  # of dopamine
WINDOW_MS = 20  # from the spike of the first cell to that of the second
SLOTS = 32  # rewards that can be on their way

_REWARDER = """
paid = 0
last = where(leads > 0, step, last)
hit = follows > 0 and step - last < window and step > last
due = where(hit and count % N == i, step + 1000 + floor(2000*rand()), due)
count = count + int(hit)
leads = 0
follows = 0
"""


def network(
    *, seed: int, excitatory: int = 800, inhibitory: int = 200, fan_out: int = 100, gain: float = 100.0
) -> nd.Circuit:
    """Return the network of ModelDB 84167: excitatory cells reach all others, inhibitory ones excitatory cells.

    Cells of the 2003 form in 1-ms steps, noise current 13 U(-1/2, 1/2); delay 1 ms; excitatory weights start at 1 and learn by
    dopamine-modulated STDP between 0 and 4, inhibitory ones are -1. Synapse 0, from the first cell, starts at 0; when its
    two cells fire within 20 ms, in this order, dopamine rises by 0.5 one to three seconds later. The input "reward"
    gives rewards that follow nothing.
    """
    total = excitatory + inhibitory
    rng = np.random.default_rng(seed)
    is_inhibitory = np.arange(total) >= excitatory
    shape = (np.where(is_inhibitory, 0.1, 0.02), 0.2, -65.0, np.where(is_inhibitory, 2.0, 8.0))
    cells = nd.izhikevich_2003("cells", total, cells=shape, current="I_syn + I_inh + 13*(rand() - 0.5)", v_start=-65)
    cells = _pulses(cells)
    exc, inh = (
        _targets(rng, range(*r), n, fan_out) for r, n in (((0, excitatory), total), ((excitatory, total), excitatory))
    )
    weight = np.ones(exc[0].size)
    weight[0] = 0.0
    rule = nd.dopamine_stdp(
        reward="reward + 0.5*sum(rewarder.paid)", tau_plus="19.5 ms", tau_minus="19.5 ms", tau_c="1 s", tau_d="0.2 s", gain=gain
    )  # fmt: skip
    excitation = nd.Connection(
        cells,
        cells,
        "I_syn",
        pairs=exc,
        weight=weight,
        delay="1 ms",
        rules=rule,
        bounds=(0, CEILING),
        name="excitation",
    )
    inhibition = nd.Connection(cells, cells, "I_inh", pairs=inh, weight=-1.0, delay="1 ms", name="inhibition")
    rewarder = nd.Population(
        "rewarder",
        SLOTS,
        code=_REWARDER,
        variables=dict.fromkeys(("leads", "follows", "last", "due", "count", "paid"), "1"),
        threshold="step == due",
        reset="paid = 1",
        parameters={"window": float(WINDOW_MS)},
        initial={"last": -1000.0, "due": -1.0},
        dt="1 ms",
    )
    slots = np.arange(SLOTS)
    watched = [
        nd.Connection(
            cells, rewarder, variable, pairs=(np.full(SLOTS, unit), slots), weight=1.0, name=f"sees_{variable}"
        )
        for variable, unit in (("leads", exc[0][0]), ("follows", exc[1][0]))
    ]
    return nd.Circuit(
        [cells, rewarder],
        [excitation, inhibition, *watched],
        inputs=[nd.Input("reward", ("reward",))],
        seed=seed,
        name="dopamine-modulated STDP",
    )


def unpaid(circuit: nd.Circuit) -> nd.Circuit:
    """Return the network whose own pair earns nothing: for rewards at other times."""
    from dataclasses import replace

    return circuit.with_part(replace(circuit["rewarder"], threshold="step == -2"))


def session(duration_s: float, *, rewards_ms: np.ndarray | None = None, trial_s: float = 10.0) -> nd.Session:
    """Return uninterrupted trials of ten seconds, with rewards at given times if there are any."""
    steps = round(trial_s * 1000)
    number = round(duration_s / trial_s)
    counts = np.zeros(number * steps)
    if rewards_ms is not None:
        np.add.at(counts, np.asarray(rewards_ms, dtype=int), REWARD)
    trials = tuple(
        nd.Trial(steps, {"reward": counts[k * steps : (k + 1) * steps, None]} if counts[k * steps : (k + 1) * steps].any() else {}, reset=False)
        for k in range(number)
    )  # fmt: skip
    return nd.Session(trials, 1e-3, {"reward": ("reward",)})


def _targets(rng: np.random.Generator, sources: range, targets: int, fan_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ``fan_out`` different targets for each source, none of them itself."""
    chosen = []
    for j in sources:
        others = rng.choice(targets - (j < targets), fan_out, replace=False)  # numbered without the source itself
        chosen.append(np.sort(others + (others >= j)))
    return np.repeat(np.array(sources), fan_out), np.concatenate(chosen)


def _pulses(cells: nd.Population) -> nd.Population:
    """Return cells whose synaptic currents last for one step."""
    from dataclasses import replace

    code = (cells.code or "").replace("I_syn *= exp(-dt/tau_syn)", "I_syn = 0\nI_inh = 0")
    parameters = {k: v for k, v in cells.parameters.items() if k != "tau_syn"}
    variables, labels = {**cells.variables, "I_inh": "1"}, {**cells.labels, "I_inh": cells.labels["I_syn"]}
    return replace(cells, code=code, variables=variables, labels=labels, parameters=parameters)
