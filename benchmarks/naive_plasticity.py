"""daspnet.m of ModelDB 84167 (Izhikevich 2007) as a careful person ports it: NumPy vectors over cells, lists of synapses.

As published, weights move every 10 ms, by (0.002 + d) c, and c decays by 0.99 then; ours move in every step, in closed form.
As published, too, the target's trace is read before it has decayed in its first millisecond, so depression is 1/0.95 of
ours, and a spike pairs with one that follows a millisecond later, which for ours is the step of its arrival, in which
nothing pairs.
"""

from __future__ import annotations

import numpy as np

from neurodyn.network import Network


class Dopamine:
    """The network with wiring and start of a realised one, and noise of its own."""

    def __init__(self, network: Network, rng: np.random.Generator) -> None:
        excitation, inhibition = network.wiring["excitation"], network.wiring["inhibition"]
        self.rng, n = rng, network.sizes["cells"]
        self.n, self.excitatory = n, int(excitation.sources.max()) + 1
        self.post = excitation.targets.astype(np.int64).reshape(self.excitatory, -1)
        self.onto = inhibition.targets.astype(np.int64).reshape(n - self.excitatory, -1)
        flat = self.post.ravel()
        self.incoming = [np.flatnonzero(flat == i) for i in range(n)]  # positions in the flat array of synapses
        self.sources = [where // self.post.shape[1] for where in self.incoming]
        self.w = excitation.weights.reshape(self.post.shape).copy()
        self.c = np.zeros_like(self.w)
        inhibitory = np.arange(n) >= self.excitatory
        self.a, self.d = np.where(inhibitory, 0.1, 0.02), np.where(inhibitory, 2.0, 8.0)
        self.v, self.u, self.trace = np.full(n, -65.0), np.full(n, -13.0), np.zeros(n)
        self.arrived = np.zeros(n)
        self.dopamine, self.step, self.spikes = 0.0, 0, 0
        self.first, self.second, self.seen = 0, int(self.post[0, 0]), -1000
        self.paid: list[int] = []

    def run(self, steps: int) -> None:
        """Advance by so many milliseconds."""
        for _ in range(steps):
            self._step()

    def _step(self) -> None:
        current = 13 * (self.rng.random(self.n) - 0.5)
        fired = np.flatnonzero(self.v >= 30)
        self.v[fired] = -65
        self.u[fired] += self.d[fired]
        self.trace[fired] = 0.1
        c = self.c.ravel()
        for i in fired:
            c[self.incoming[i]] += self.arrived[self.sources[i]]
        for i in fired:
            if i < self.excitatory:
                current[self.post[i]] += self.w[i]
                self.c[i] -= 1.5 * self.trace[self.post[i]]
            else:
                current[self.onto[i - self.excitatory]] -= 1
        for _ in range(2):
            self.v += 0.5 * ((0.04 * self.v + 5) * self.v + 140 - self.u + current)
        self.u += self.a * (0.2 * self.v - self.u)
        self.arrived = self.trace.copy()  # a spike takes a millisecond to where it pairs
        self.trace *= 0.95
        self.dopamine *= 0.995
        if self.step % 10 == 9:
            self.w = np.clip(self.w + (0.002 + self.dopamine) * self.c, 0, 4)
            self.c *= 0.99
        self._reward(fired)
        self.spikes += fired.size
        self.step += 1

    def _reward(self, fired: np.ndarray) -> None:
        """Pay one to three seconds after the first cell fired and the second within 20 ms after it."""
        if self.first in fired:
            self.seen = self.step
        if self.second in fired and 0 < self.step - self.seen < 20:
            self.paid.append(self.step + 1000 + int(np.ceil(2000 * self.rng.random())))
        if self.step in self.paid:
            self.dopamine += 0.5
