"""A signal that a network is taught to produce by itself: any array as the target, learning on and off at given times."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from neurodyn.session import Session, Trial
from neurodyn.tasks.draws import uniforms
from neurodyn.tasks.fields import milliseconds, time_text, whole
from neurodyn.units import Time, si


@dataclass(frozen=True, eq=False)
class Supervisor:
    """A target over time, for networks that learn it while learning is on and then go on alone.

    Parameters
    ----------
    signal : array, shape (samples,) or (samples, outputs)
        One course of the target, sampled every ``dt`` and held in between.
    dt : time
        Sampling interval, a whole number of the circuit's steps.
    names : sequence of str, optional
        Names of the outputs, those of the network; "z", or z0, z1, ... if not given.
    repeat : bool
        Whether the signal starts again at its end; otherwise no session can be longer than it.
    noise : float
        Of this target, at each sample a number uniform in (0, noise) is added, as in the script of the product of sines.
    clock : int
        Channels of the input "clock", 0 for none: high-dimensional temporal signals. Channel q is the half-wave
        abs(sin(pi clock t/T)) for q T/clock <= t < (q + 1) T/clock within a course of length T, and 0 otherwise.
    config : mapping
        How the signal was made; stored in the recording.

    Raises
    ------
    ValueError
        For values out of range; names the parameter.

    References
    ----------
    Nicola & Clopath (2017) Nat. Commun. 8:2208; the clock is that of their Figures 4 and 5.
    """

    references: ClassVar[tuple[str, ...]] = ("nicola2017",)

    signal: Any
    dt: Time = field(default="1 ms", kw_only=True)
    names: tuple[str, ...] = field(default=(), kw_only=True)
    repeat: bool = field(default=True, kw_only=True)
    noise: float = field(default=0.0, kw_only=True)
    clock: int = field(default=0, kw_only=True)
    config: Mapping[str, Any] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        signal = np.array(self.signal, dtype=np.float64)
        if signal.ndim == 1:
            signal = signal[:, None]
        if signal.ndim != 2 or not signal.size:
            raise ValueError(f"signal has shape {signal.shape}: give (samples,) or (samples, outputs), none of them 0")
        if not np.isfinite(signal).all():
            raise ValueError(f"signal is {signal[~np.isfinite(signal)][0]} somewhere; a target has to be finite")
        signal.setflags(write=False)
        width = signal.shape[1]
        names = (self.names,) if isinstance(self.names, str) else tuple(self.names)
        names = names or (("z",) if width == 1 else tuple(f"z{k}" for k in range(width)))
        if len(names) != width or len(set(names)) != width:
            raise ValueError(f"names={names!r}: give {width} different ones, one for each output of the signal")
        if not 0 <= self.noise < float("inf"):
            raise ValueError(f"noise={self.noise!r}: give 0 or a positive number")
        if whole(self.clock, "clock", 0) > len(signal):
            raise ValueError(
                f"clock={self.clock}: the signal has {len(signal)} samples; give at most one channel for each"
            )
        object.__setattr__(self, "signal", signal)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "dt", time_text(self.dt, "dt"))

    @property
    def course(self) -> float:
        """Length of one course in seconds."""
        return len(self.signal) * float(si(self.dt, "ms", name="dt"))

    def with_(self, **changes: Any) -> Supervisor:
        """The same target with some parameters changed."""
        return replace(self, **changes)

    def pulses(self) -> np.ndarray:
        """The clock over one course, shape (samples, clock), for a ``clock`` of 1 or more."""
        phase = (np.arange(len(self.signal)) * self.clock) / len(self.signal)
        channel = phase.astype(int)
        values = np.zeros((len(self.signal), self.clock))
        values[np.arange(len(channel)), channel] = np.abs(np.sin(np.pi * phase))
        return values

    def session(
        self, duration: Time = "15 s", *, learning: tuple[Time, Time] = ("5 s", "10 s"), seed: int = 1
    ) -> Session:
        """A session without resets, in which learning is on from ``learning[0]`` to ``learning[1]``.

        Parameters
        ----------
        duration : time
            Length of the session; the target goes on after learning, for comparison.
        learning : (time, time)
            When learning begins and ends, from 0 to ``duration``; equal times for no learning.
        seed : int
            Key of the noise of the target.

        Returns
        -------
        Session
            A trial is a course of the signal, or the part of it before or after learning goes on or off. Its inputs are
            ``target`` (steps, outputs) and, if the task has one, ``clock`` (steps, clock); its labels ``phase`` ("before",
            "learning", "after") and ``course`` (number of the course). Arrays are shared between trials and read-only.

        Raises
        ------
        ValueError
            Times that are no whole number of ``dt``, out of order, or beyond a signal that isn't repeated.
        """
        end = self._samples(duration, "duration")
        on, off = (self._samples(t, "learning") for t in learning)
        if not 0 <= on <= off <= end or not end:
            raise ValueError(f"learning={learning!r}: give two times from 0 to duration={duration!r}, in order")
        if not self.repeat and end > len(self.signal):
            raise ValueError(
                f"duration={duration!r}: the signal lasts {self.course:g} s and isn't repeated; use at most that"
            )
        draws = uniforms(seed, 0, 0, end * len(self.names)).reshape(end, -1) if self.noise else np.empty((0, 0))

        @functools.cache
        def inputs(first: int, last: int) -> dict[str, np.ndarray]:
            clock = {"clock": pulses[first:last]} if self.clock else {}
            return {"target": self.signal[first:last], **clock}

        pulses = self.pulses() if self.clock else np.empty((len(self.signal), 0))
        pulses.setflags(write=False)
        made = []
        for start, stop in self._pieces(on, off, end):
            course, first = divmod(start, len(self.signal))
            given = inputs(first, first + stop - start)
            if self.noise:
                given = {**given, "target": given["target"] + self.noise * draws[start:stop]}
            phase = "before" if start < on else "learning" if start < off else "after"
            labels = {"phase": phase, "course": course}
            made.append(Trial(stop - start, given, learning=phase == "learning", reset=start == 0, labels=labels))
        channels = {"target": self.names}
        if self.clock:
            channels["clock"] = tuple(f"pulse{k}" for k in range(self.clock))
        how = {"duration": str(duration), "learning": [str(t) for t in learning], "seed": seed}
        about = {"dt": str(self.dt), "repeat": self.repeat, "noise": self.noise, "clock": self.clock}
        return Session(
            tuple(made),
            dt=float(si(self.dt, "ms", name="dt")),
            channels=channels,
            config={"task": "Supervisor", **self.config, **about, "session": how},
        )

    def _samples(self, time: Time, name: str) -> int:
        given = milliseconds(time_text(time, name, zero=True)) / milliseconds(str(self.dt))
        if abs(given - round(given)) > 1e-6:
            raise ValueError(f"{name}: {time!r} is not a whole number of dt={self.dt!r}; change one of them")
        return round(given)

    def _pieces(self, on: int, off: int, end: int) -> Iterator[tuple[int, int]]:
        """Cut the session where a course ends and where learning goes on or off."""
        borders = sorted({0, on, off, end, *range(0, end, len(self.signal))})
        return zip(borders[:-1], borders[1:], strict=True)
