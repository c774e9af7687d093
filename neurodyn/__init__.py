"""Simulate, train and analyse spiking and rate models of neural circuits.

Describe a network (``Population``, ``Connection``, ``Input``, ``Readout``, ``Circuit``), or take one of the models
(``SpikingReservoir``, ``NicolaClopath``, ``LeakyRNN``, ``HMMRNN``, ``PVRNN``, ...), with a task of ``tasks`` and a rule
such as ``WhatWhenRule`` or ``stdp``. ``simulate`` runs it, ``train``, ``emulate`` and ``fit`` train it; each gives a
recording, which ``load`` and ``load_training`` open again. ``analysis`` makes numbers of it, ``plots`` figures, and
``export`` files of other tools. ``simulation`` makes a function a command, and ``Scan`` runs it at many points.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from neurodyn import analysis, doors, models, plots, tasks, training, units
    from neurodyn.circuit import Circuit
    from neurodyn.compare import compare
    from neurodyn.comparison.runs import compare_runs
    from neurodyn.doors import export, read_spikes
    from neurodyn.doors.brian2 import from_brian2
    from neurodyn.estimate import estimate
    from neurodyn.language import ModelError
    from neurodyn.models.adaptive_exponential import adaptive_exponential
    from neurodyn.models.cells import cells
    from neurodyn.models.codings import AnalogCoding, SoftmaxCoding, SymbolCoding
    from neurodyn.models.force import NicolaClopath
    from neurodyn.models.gated import GRU, LSTM
    from neurodyn.models.hmm_rnn import HMMRNN
    from neurodyn.models.integrate_and_fire import leaky_integrate_and_fire
    from neurodyn.models.izhikevich_2003 import izhikevich_2003
    from neurodyn.models.izhikevich_2007 import izhikevich_2007
    from neurodyn.models.leaky import LeakyRNN
    from neurodyn.models.pvrnn import PVRNN
    from neurodyn.models.pvrnn_layer import Layer
    from neurodyn.models.rate import PerturbedRateNetwork, RateReservoir
    from neurodyn.models.reservoir import SpikingReservoir
    from neurodyn.models.resonance import DoubleWell, FitzHughNagumo, ThresholdDetector
    from neurodyn.models.surrogate import surrogate_lif
    from neurodyn.models.vrnn import VRNN
    from neurodyn.outcome import Check, passes, rounded, spread
    from neurodyn.parts import (
        CircuitError,
        Connection,
        Filter,
        Input,
        Normal,
        Population,
        Readout,
        SpikeTimes,
        Uniform,
        poisson,
    )
    from neurodyn.plasticity.eprop import EpropReadout, eprop
    from neurodyn.plasticity.hebbian import RewardModulatedHebbian
    from neurodyn.plasticity.learners import (
        FORCE,
        NLMS,
        LocalThreeFactor,
        Supervised,
        ThreeFactor,
        TrialDelta,
        TrialFORCE,
    )
    from neurodyn.plasticity.perturbation import node_perturbation
    from neurodyn.plasticity.rule import Rule, SynapticRule, Trace
    from neurodyn.plasticity.stdp import dopamine_stdp, reward_modulated_stdp, stdp, synaptic_scaling
    from neurodyn.plasticity.what_when import WhatWhenRule
    from neurodyn.recording import load
    from neurodyn.report import bibtex, methods, report
    from neurodyn.rerun import rerun
    from neurodyn.running.run import BlowUpError
    from neurodyn.running.stopping import Suspended
    from neurodyn.scan.dataset import load_scan
    from neurodyn.scan.errors import ScanError
    from neurodyn.scan.scan import Scan
    from neurodyn.session import Session, Trial
    from neurodyn.simulate import Sample, simulate
    from neurodyn.simulation import Outcome, check, simulation
    from neurodyn.training.curricula import MultiHead, NoCurriculum, SingleHead, Sliding
    from neurodyn.training.emulation import emulate
    from neurodyn.training.error_regression import ErrorRegression
    from neurodyn.training.fitting import fit
    from neurodyn.training.loop import TrainingError
    from neurodyn.training.run import TrainingRun, load_training
    from neurodyn.training.trainer import train
    from neurodyn.units import Quantity, Time, quantity

# Where each public name is defined; it is imported at its first use, so that `import neurodyn` stays quick.
_PUBLIC = {
    "AnalogCoding": "models.codings",
    "BlowUpError": "running.run",
    "Check": "outcome",
    "Circuit": "circuit",
    "CircuitError": "parts",
    "Connection": "parts",
    "DoubleWell": "models.resonance",
    "EpropReadout": "plasticity.eprop",
    "ErrorRegression": "training.error_regression",
    "FORCE": "plasticity.learners",
    "Filter": "parts",
    "FitzHughNagumo": "models.resonance",
    "GRU": "models.gated",
    "HMMRNN": "models.hmm_rnn",
    "Input": "parts",
    "LSTM": "models.gated",
    "Layer": "models.pvrnn_layer",
    "LeakyRNN": "models.leaky",
    "LocalThreeFactor": "plasticity.learners",
    "ModelError": "language",
    "MultiHead": "training.curricula",
    "NLMS": "plasticity.learners",
    "NicolaClopath": "models.force",
    "NoCurriculum": "training.curricula",
    "Normal": "parts",
    "Outcome": "simulation",
    "PVRNN": "models.pvrnn",
    "PerturbedRateNetwork": "models.rate",
    "Population": "parts",
    "Quantity": "units",
    "RateReservoir": "models.rate",
    "Readout": "parts",
    "RewardModulatedHebbian": "plasticity.hebbian",
    "Rule": "plasticity.rule",
    "Sample": "simulate",
    "Scan": "scan.scan",
    "ScanError": "scan.errors",
    "Session": "session",
    "SingleHead": "training.curricula",
    "Sliding": "training.curricula",
    "SoftmaxCoding": "models.codings",
    "SpikeTimes": "parts",
    "SpikingReservoir": "models.reservoir",
    "Supervised": "plasticity.learners",
    "Suspended": "running.stopping",
    "SymbolCoding": "models.codings",
    "SynapticRule": "plasticity.rule",
    "ThreeFactor": "plasticity.learners",
    "ThresholdDetector": "models.resonance",
    "Time": "units",
    "Trace": "plasticity.rule",
    "TrainingError": "training.loop",
    "TrainingRun": "training.run",
    "Trial": "session",
    "TrialDelta": "plasticity.learners",
    "TrialFORCE": "plasticity.learners",
    "Uniform": "parts",
    "VRNN": "models.vrnn",
    "WhatWhenRule": "plasticity.what_when",
    "adaptive_exponential": "models.adaptive_exponential",
    "bibtex": "report",
    "cells": "models.cells",
    "check": "simulation",
    "compare": "compare",
    "compare_runs": "comparison.runs",
    "dopamine_stdp": "plasticity.stdp",
    "emulate": "training.emulation",
    "eprop": "plasticity.eprop",
    "estimate": "estimate",
    "export": "doors",
    "fit": "training.fitting",
    "from_brian2": "doors.brian2",
    "izhikevich_2003": "models.izhikevich_2003",
    "izhikevich_2007": "models.izhikevich_2007",
    "leaky_integrate_and_fire": "models.integrate_and_fire",
    "load": "recording",
    "load_scan": "scan.dataset",
    "load_training": "training.run",
    "methods": "report",
    "node_perturbation": "plasticity.perturbation",
    "passes": "outcome",
    "poisson": "parts",
    "quantity": "units",
    "read_spikes": "doors",
    "report": "report",
    "rerun": "rerun",
    "reward_modulated_stdp": "plasticity.stdp",
    "rounded": "outcome",
    "simulate": "simulate",
    "simulation": "simulation",
    "spread": "outcome",
    "stdp": "plasticity.stdp",
    "surrogate_lif": "models.surrogate",
    "synaptic_scaling": "plasticity.stdp",
    "train": "training.trainer",
}
_MODULES = ("analysis", "doors", "models", "plots", "tasks", "training", "units")

__all__ = [
    "AnalogCoding",
    "BlowUpError",
    "Check",
    "Circuit",
    "CircuitError",
    "Connection",
    "DoubleWell",
    "EpropReadout",
    "ErrorRegression",
    "FORCE",
    "Filter",
    "FitzHughNagumo",
    "GRU",
    "HMMRNN",
    "Input",
    "LSTM",
    "Layer",
    "LeakyRNN",
    "LocalThreeFactor",
    "ModelError",
    "MultiHead",
    "NLMS",
    "NicolaClopath",
    "NoCurriculum",
    "Normal",
    "Outcome",
    "PVRNN",
    "PerturbedRateNetwork",
    "Population",
    "Quantity",
    "RateReservoir",
    "Readout",
    "RewardModulatedHebbian",
    "Rule",
    "Sample",
    "Scan",
    "ScanError",
    "Session",
    "SingleHead",
    "Sliding",
    "SoftmaxCoding",
    "SpikeTimes",
    "SpikingReservoir",
    "Supervised",
    "Suspended",
    "SymbolCoding",
    "SynapticRule",
    "ThreeFactor",
    "ThresholdDetector",
    "Time",
    "Trace",
    "TrainingError",
    "TrainingRun",
    "Trial",
    "TrialDelta",
    "TrialFORCE",
    "Uniform",
    "VRNN",
    "WhatWhenRule",
    "__version__",
    "adaptive_exponential",
    "analysis",
    "bibtex",
    "cells",
    "check",
    "compare",
    "compare_runs",
    "doors",
    "dopamine_stdp",
    "emulate",
    "eprop",
    "estimate",
    "export",
    "fit",
    "from_brian2",
    "izhikevich_2003",
    "izhikevich_2007",
    "leaky_integrate_and_fire",
    "load",
    "load_scan",
    "load_training",
    "methods",
    "models",
    "node_perturbation",
    "passes",
    "plots",
    "poisson",
    "quantity",
    "read_spikes",
    "report",
    "rerun",
    "reward_modulated_stdp",
    "rounded",
    "simulate",
    "simulation",
    "spread",
    "stdp",
    "surrogate_lif",
    "synaptic_scaling",
    "tasks",
    "train",
    "training",
    "units",
]


class _Package(ModuleType):
    """Keeps `nd.simulation` the decorator: importing the submodule of that name would replace it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and _PUBLIC.get(name) == name:
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"neurodyn.{name}")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'neurodyn' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"neurodyn.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
