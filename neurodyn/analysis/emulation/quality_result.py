"""What comparing sequences of symbols with a hidden Markov model gave: every number beside its floor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .._checks import FloatArray
from .alignment import SequenceAlignment
from .symbol_refit import SymbolRefit
from .symbol_statistics import SymbolStatistics

if TYPE_CHECKING:
    import pandas

    from neurodyn.tasks.hidden_markov import HiddenMarkov

_SHOWN = (1, 2, 5, 10, 20, 40, 80, 160)  # lags that get a row


@dataclass(frozen=True, eq=False)
class EmulationMetric:
    """A number beside what independent sequences of the model itself give.

    Attributes
    ----------
    value : float
        Of the sequences that were given.
    floor : array, shape (repeat)
        Of as many sequences of the model, as long.
    expected : float
        Of infinitely many such sequences of the model, in closed form; NaN where there is none.
    """

    value: float
    floor: FloatArray
    expected: float

    @property
    def floor_mean(self) -> float:
        """Mean of the floor."""
        return float(self.floor.mean())

    @property
    def floor_sd(self) -> float:
        """Standard deviation of the floor over its repeats (ddof 1)."""
        # Infinite numbers have none, and must not warn.
        return float(self.floor.std(ddof=1)) if np.isfinite(self.floor).all() else float("nan")

    @property
    def deviation(self) -> float:
        """Value minus mean of the floor, in its standard deviations; NaN where these are 0 or not finite."""
        return (self.value - self.floor_mean) / self.floor_sd if self.floor_sd > 0 else float("nan")

    def __str__(self) -> str:
        return f"{self.value:.4g} (floor {self.floor_mean:.4g} ± {self.floor_sd:.2g}, expected {self.expected:.4g})"


@dataclass(frozen=True, eq=False)
class EmulationQuality:
    """Sequences compared with a hidden Markov model; ``print`` shows the table.

    Attributes
    ----------
    model : HiddenMarkov
        What was to be emulated.
    sequences, length, aligned : int
        Sequences that were given, symbols in each, and how many of them were aligned.
    found : SymbolStatistics
        Of the sequences that were given.
    floor : tuple of SymbolStatistics
        Of independent sets of as many sequences of the model, one for each repeat.
    expected : SymbolStatistics
        Of infinitely many sequences of the model of that length, in closed form.
    alignment, floor_alignments : SequenceAlignment, and a tuple of them
        Of the sequences to some of the model, and of the sets of the floor to further ones.
    entropy_rate, entropy_rate_error : float
        Of the model in nats per symbol, and the standard error of this estimate.
    refit, floor_refits : SymbolRefit or None, and a tuple of them
        Models fitted to the sequences and to those of the floor, if ``refit=True``.
    """

    model: HiddenMarkov
    sequences: int
    length: int
    aligned: int
    found: SymbolStatistics
    floor: tuple[SymbolStatistics, ...]
    expected: SymbolStatistics
    alignment: SequenceAlignment
    floor_alignments: tuple[SequenceAlignment, ...]
    entropy_rate: float
    entropy_rate_error: float
    refit: SymbolRefit | None
    floor_refits: tuple[SymbolRefit, ...]

    @cached_property
    def metrics(self) -> dict[str, EmulationMetric]:
        """All numbers by name."""
        value = self._numbers(self.found, self.alignment, self.refit)
        refits = self.floor_refits or (None,) * len(self.floor)
        floors = [self._numbers(*each) for each in zip(self.floor, self.floor_alignments, refits, strict=True)]
        closed = self._numbers(self.expected, None, None)
        return {
            name: EmulationMetric(v, np.array([each[name] for each in floors]), closed.get(name, float("nan")))
            for name, v in value.items()
        }

    def __getitem__(self, name: str) -> EmulationMetric:
        if name not in self.metrics:
            from difflib import get_close_matches

            near = get_close_matches(name, self.metrics, n=3, cutoff=0.3)
            raise KeyError(f"{name!r} is no metric; near are {', '.join(map(repr, near or list(self.metrics)))}")
        return self.metrics[name]

    def table(self) -> pandas.DataFrame:
        """One row for each metric: value, mean and SD of the floor, deviation in those SD, and the closed form."""
        import pandas

        rows = {name: (m.value, m.floor_mean, m.floor_sd, m.deviation, m.expected) for name, m in self.metrics.items()}
        columns = ["value", "floor", "floor_sd", "deviation", "expected"]
        return pandas.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("metric")

    def as_dict(self) -> dict[str, float]:
        """Values, mean and SD of the floor and closed forms as plain numbers, for the results of a simulation."""
        result = {}
        for name, m in self.metrics.items():
            result |= {name: m.value, f"{name}: floor": m.floor_mean, f"{name}: floor SD": m.floor_sd}
            if np.isfinite(m.expected):
                result[f"{name}: expected"] = m.expected
        return result

    def __repr__(self) -> str:
        def number(x: float) -> str:
            return "-" if np.isnan(x) else f"{x:.4g}"

        head = f"{self.sequences} sequences of {self.length} symbols beside {len(self.floor)} sets of the model's own"
        if self.aligned < self.sequences:
            head += f"; the first {self.aligned} aligned"
        return f"{head}\n{self.table().to_string(float_format=number, na_rep='-')}"

    def _numbers(
        self, s: SymbolStatistics, alignment: SequenceAlignment | None, refit: SymbolRefit | None
    ) -> dict[str, float]:
        result: dict[str, float] = {}
        if alignment is not None:
            result |= {
                "aligned distance": alignment.mean,
                "aligned distance, SD over sequences": alignment.sd,
                "share of model sequences matched": alignment.used,
            }
        difference = s.symbol_transition - self.expected.symbol_transition
        difference = difference[np.isfinite(difference)]
        result |= {
            "bigrams, mean squared difference": float((difference**2).mean()) if difference.size else np.nan,
            "bigrams, largest difference": float(np.abs(difference).max()) if difference.size else np.nan,
        }
        for k, (mean, sd) in enumerate(zip(s.marginal, s.marginal_sd, strict=True)):
            result |= {f"marginal of {k}": float(mean), f"marginal of {k}, SD over sequences": float(sd)}
        result |= {"volatility (changes)": s.volatility, "volatility, SD over sequences": s.volatility_sd}
        result["cross-entropy excess (nats)"] = s.cross_entropy - self.entropy_rate
        result |= {f"total variation, words of {n}": float(d) for n, d in enumerate(s.word_distance, start=1)}
        lags = len(s.autocorrelation) - 1
        result |= {f"autocorrelation, lag {k}": float(s.autocorrelation[k]) for k in _SHOWN if k <= lags}
        error = s.autocorrelation[1:] - self.expected.autocorrelation[1:]
        result["autocorrelation, RMS difference"] = float(np.sqrt((error**2).mean()))
        result |= {"run length (steps)": s.run_mean, "run length, CV": s.run_cv}
        if refit is not None:
            result |= {
                "refit, largest transition error": refit.transition_error,
                "refit, largest emission error": refit.emission_error,
                "Juang-Rabiner distance (nats)": refit.rate,
            }
        return result
