"""Analysis of recordings: arrays in, numbers out.

Axes are ``(time, unit)`` or ``(trial, time, unit)``; times are in ms and rates in Hz. Anything that
``numpy.asarray`` takes is welcome, so ``run["rate"]`` of a recording goes straight in. An estimate that
chance can mimic comes with its null: a :class:`NullTest` holds the observed value, the null distribution,
its 5 to 95 % interval and the p-value.

>>> import numpy as np
>>> from neurodyn import analysis
>>> rates = np.random.default_rng(0).normal(size=(2000, 5))
>>> bool(abs(analysis.participation_ratio(rates) - 5) < 0.1)
True
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conventions import Conventions as Conventions
    from .dynamics.flows import flow as flow
    from .dynamics.gain import GainSweep as GainSweep
    from .dynamics.gain import gain_sweep as gain_sweep
    from .dynamics.lyapunov import LyapunovExponents as LyapunovExponents
    from .dynamics.lyapunov import lyapunov_exponents as lyapunov_exponents
    from .dynamics.stationary import FixedPoints as FixedPoints
    from .dynamics.stationary import fixed_points as fixed_points
    from .emulation.alignment import SequenceAlignment as SequenceAlignment
    from .emulation.alignment import align_sequences as align_sequences
    from .emulation.interventions import KickInterventions as KickInterventions
    from .emulation.interventions import kick_interventions as kick_interventions
    from .emulation.jacobians import LocalSpectra as LocalSpectra
    from .emulation.jacobians import SwitchSpectra as SwitchSpectra
    from .emulation.jacobians import local_spectra as local_spectra
    from .emulation.jacobians import switch_spectra as switch_spectra
    from .emulation.kick_wiring import KickConnectivity as KickConnectivity
    from .emulation.kick_wiring import SignTest as SignTest
    from .emulation.kick_wiring import kick_connectivity as kick_connectivity
    from .emulation.kicks import KickNeurons as KickNeurons
    from .emulation.kicks import kick_neurons as kick_neurons
    from .emulation.levels import NoiseSweep as NoiseSweep
    from .emulation.levels import noise_sweep as noise_sweep
    from .emulation.noise_levels import SizeAgainstNoise as SizeAgainstNoise
    from .emulation.noise_levels import size_against_noise as size_against_noise
    from .emulation.onset import TrainingOnset as TrainingOnset
    from .emulation.onset import training_onset as training_onset
    from .emulation.orbits import DrivenOrbits as DrivenOrbits
    from .emulation.orbits import driven_orbits as driven_orbits
    from .emulation.quality import emulation_quality as emulation_quality
    from .emulation.quality_result import EmulationMetric as EmulationMetric
    from .emulation.quality_result import EmulationQuality as EmulationQuality
    from .emulation.readout_axes import ReadoutGeometry as ReadoutGeometry
    from .emulation.readout_axes import readout_geometry as readout_geometry
    from .emulation.relaxation import NoiseFree as NoiseFree
    from .emulation.relaxation import noise_free as noise_free
    from .emulation.residence import ResidenceMap as ResidenceMap
    from .emulation.residence import residence_map as residence_map
    from .emulation.reuse import ModularReuse as ModularReuse
    from .emulation.reuse import modular_reuse as modular_reuse
    from .emulation.sensitivity import NoiseSensitivity as NoiseSensitivity
    from .emulation.sensitivity import noise_sensitivity as noise_sensitivity
    from .emulation.switching import DwellTimes as DwellTimes
    from .emulation.symbol_refit import SymbolRefit as SymbolRefit
    from .emulation.symbol_statistics import SymbolStatistics as SymbolStatistics
    from .generation.divergence import DivergenceStep as DivergenceStep
    from .generation.divergence import divergence_step as divergence_step
    from .generation.grammar import BranchProbabilities as BranchProbabilities
    from .generation.grammar import Legality as Legality
    from .generation.grammar import branch_probabilities as branch_probabilities
    from .generation.grammar import legality as legality
    from .generation.knockout import NoiseKnockout as NoiseKnockout
    from .generation.knockout import noise_knockout as noise_knockout
    from .generation.latents import LatentProfile as LatentProfile
    from .generation.latents import LayerPCA as LayerPCA
    from .generation.latents import latent_profile as latent_profile
    from .generation.latents import layer_pca as layer_pca
    from .generation.latents import primitive_phases as primitive_phases
    from .generation.predictions import PredictionError as PredictionError
    from .generation.predictions import persistence_error as persistence_error
    from .generation.predictions import prediction_error as prediction_error
    from .generation.prior_dynamics import PriorLyapunov as PriorLyapunov
    from .generation.prior_dynamics import prior_lyapunov as prior_lyapunov
    from .generation.shuffled_latents import ShuffledPrior as ShuffledPrior
    from .generation.shuffled_latents import shuffled_prior as shuffled_prior
    from .generation.transitions import TransitionTable as TransitionTable
    from .generation.transitions import transition_table as transition_table
    from .generation.words import WordDivergence as WordDivergence
    from .generation.words import word_divergence as word_divergence
    from .learning.expectation import ExpectationError as ExpectationError
    from .learning.expectation import amplitude as amplitude
    from .learning.expectation import bump_ratio as bump_ratio
    from .learning.expectation import expectation_error as expectation_error
    from .learning.expectation import expectation_trace as expectation_trace
    from .learning.expectation import overshoot as overshoot
    from .learning.expectation import peak_times as peak_times
    from .learning.expectation import trials_to_recover as trials_to_recover
    from .learning.plasticity import WeightHistory as WeightHistory
    from .learning.plasticity import weight_history as weight_history
    from .learning.rewards import EligibilityAtReward as EligibilityAtReward
    from .learning.rewards import RewardTriggered as RewardTriggered
    from .learning.rewards import eligibility_at_reward as eligibility_at_reward
    from .learning.rewards import reward_triggered_average as reward_triggered_average
    from .noise.amplification import SpectralAmplification as SpectralAmplification
    from .noise.amplification import spectral_amplification as spectral_amplification
    from .noise.correlation_times import CorrelationTime as CorrelationTime
    from .noise.correlation_times import correlation_time as correlation_time
    from .noise.escape import KramersRate as KramersRate
    from .noise.escape import TwoState as TwoState
    from .noise.escape import bistable_response as bistable_response
    from .noise.escape import kramers_rate as kramers_rate
    from .noise.floquet import PeriodicResponse as PeriodicResponse
    from .noise.fokker_planck import FokkerPlanck as FokkerPlanck
    from .noise.fokker_planck import Relaxation as Relaxation
    from .noise.hysteresis import ResidenceTimes as ResidenceTimes
    from .noise.hysteresis import residence_times as residence_times
    from .noise.information import MutualInformation as MutualInformation
    from .noise.information import mutual_information as mutual_information
    from .noise.information_bound import InformationRate as InformationRate
    from .noise.information_bound import information_rate as information_rate
    from .noise.linear_response import LinearResponse as LinearResponse
    from .noise.phase import PhaseLocking as PhaseLocking
    from .noise.phase import phase_locking as phase_locking
    from .noise.regularity import EventRegularity as EventRegularity
    from .noise.regularity import event_regularity as event_regularity
    from .noise.residence_theory import ResidenceDensity as ResidenceDensity
    from .noise.resonance import ResonanceCurve as ResonanceCurve
    from .noise.resonance import resonance_curve as resonance_curve
    from .noise.self_induced import SelfInducedResonance as SelfInducedResonance
    from .noise.self_induced import self_induced_resonance as self_induced_resonance
    from .noise.signal_to_noise import OutputSNR as OutputSNR
    from .noise.signal_to_noise import output_snr as output_snr
    from .noise.spectral_peaks import SpectralPeak as SpectralPeak
    from .noise.spectral_peaks import spectral_peak as spectral_peak
    from .noise.threshold_theory import ThresholdInformation as ThresholdInformation
    from .noise.threshold_theory import ThresholdResponse as ThresholdResponse
    from .noise.threshold_theory import crossing_response as crossing_response
    from .noise.threshold_theory import rice_rate as rice_rate
    from .noise.threshold_theory import sampled_threshold_response as sampled_threshold_response
    from .noise.threshold_theory import threshold_information as threshold_information
    from .nulls import NullTest as NullTest
    from .nulls import surrogate as surrogate
    from .population.canonical import CanonicalCorrelations as CanonicalCorrelations
    from .population.canonical import cca as cca
    from .population.classification import ClassDecoding as ClassDecoding
    from .population.classification import decode_identity as decode_identity
    from .population.decoding import ScalarDecoding as ScalarDecoding
    from .population.decoding import decode_scalar as decode_scalar
    from .population.decoding import decode_time as decode_time
    from .population.demixing import DemixedPCA as DemixedPCA
    from .population.demixing import demixed_pca as demixed_pca
    from .population.dimension_courses import DimensionCourse as DimensionCourse
    from .population.dimension_courses import dimension_course as dimension_course
    from .population.dimension_courses import training_dimension as training_dimension
    from .population.dimensionality import PCAResult as PCAResult
    from .population.dimensionality import dimension_at as dimension_at
    from .population.dimensionality import participation_ratio as participation_ratio
    from .population.dimensionality import participation_ratio_null as participation_ratio_null
    from .population.dimensionality import pca as pca
    from .population.dimensionality import pca_null as pca_null
    from .population.factors import FactorAnalysis as FactorAnalysis
    from .population.factors import factor_analysis as factor_analysis
    from .population.gaussian_process import GPFAResult as GPFAResult
    from .population.gaussian_process import gpfa as gpfa
    from .population.geometry import ConditionGeometry as ConditionGeometry
    from .population.geometry import condition_pca as condition_pca
    from .population.geometry import transfer_null as transfer_null
    from .population.geometry import transfer_projection as transfer_projection
    from .population.marginals import stack_conditions as stack_conditions
    from .population.rotations import JPCAResult as JPCAResult
    from .population.rotations import jpca as jpca
    from .population.shared_subspace import SharedSpace as SharedSpace
    from .population.shared_subspace import shared_space as shared_space
    from .population.subspaces import SubspaceAngles as SubspaceAngles
    from .population.subspaces import angle_null as angle_null
    from .population.subspaces import principal_angles as principal_angles
    from .population.superposition import Procrustes as Procrustes
    from .population.superposition import procrustes as procrustes
    from .population.tensor_null import tensor_surrogates as tensor_surrogates
    from .spikes.events import PETH as PETH
    from .spikes.events import peth as peth
    from .spikes.rates import firing_rates as firing_rates
    from .spikes.rates import instantaneous_rate as instantaneous_rate
    from .spikes.rates import population_rate as population_rate
    from .spikes.rates import sample_times as sample_times
    from .spikes.spike_correlations import CountCorrelations as CountCorrelations
    from .spikes.spike_correlations import CrossCorrelation as CrossCorrelation
    from .spikes.spike_correlations import count_correlations as count_correlations
    from .spikes.spike_correlations import cross_correlation as cross_correlation
    from .spikes.spike_spectra import SpikeFieldCoherence as SpikeFieldCoherence
    from .spikes.spike_spectra import SpikeSpectrum as SpikeSpectrum
    from .spikes.spike_spectra import spike_field_coherence as spike_field_coherence
    from .spikes.spike_spectra import spike_spectrum as spike_spectrum
    from .spikes.spiking import SpikeStatistics as SpikeStatistics
    from .spikes.spiking import spike_statistics as spike_statistics
    from .statistics import BinomialInterval as BinomialInterval
    from .statistics import BootstrapInterval as BootstrapInterval
    from .statistics import binomial_interval as binomial_interval
    from .statistics import bootstrap_mean as bootstrap_mean
    from .timescales.approximate_bayes import TimescalePosterior as TimescalePosterior
    from .timescales.approximate_bayes import fit_timescales_abc as fit_timescales_abc
    from .timescales.ar1 import TimescalesNull as TimescalesNull
    from .timescales.ar1 import ar1_null as ar1_null
    from .timescales.bayes_factor import ModelComparison as ModelComparison
    from .timescales.bayes_factor import compare_timescale_models as compare_timescale_models
    from .timescales.calibration import calibrated_timescales as calibrated_timescales
    from .timescales.connectivity import ConnectivityByTau as ConnectivityByTau
    from .timescales.connectivity import connectivity_by_tau as connectivity_by_tau
    from .timescales.correlation import autocorrelation as autocorrelation
    from .timescales.correlation import population_autocorrelation as population_autocorrelation
    from .timescales.exponentials import ExponentialFit as ExponentialFit
    from .timescales.exponentials import fit_exponentials as fit_exponentials
    from .timescales.integrated import IntegratedTimescale as IntegratedTimescale
    from .timescales.integrated import integrated_timescale as integrated_timescale
    from .timescales.networks import NetworkTimescales as NetworkTimescales
    from .timescales.networks import network_timescales as network_timescales

# Lazy, so that `import neurodyn.analysis` costs nothing; no module may bear the name of a function in it.
_MODULE_OF = {
    name: module
    for module, names in {
        "conventions": ("Conventions",),
        "dynamics.flows": ("flow",),
        "dynamics.gain": ("GainSweep", "gain_sweep"),
        "dynamics.lyapunov": ("LyapunovExponents", "lyapunov_exponents"),
        "dynamics.stationary": ("FixedPoints", "fixed_points"),
        "emulation.alignment": ("SequenceAlignment", "align_sequences"),
        "emulation.interventions": ("KickInterventions", "kick_interventions"),
        "emulation.jacobians": ("LocalSpectra", "SwitchSpectra", "local_spectra", "switch_spectra"),
        "emulation.kick_wiring": ("KickConnectivity", "SignTest", "kick_connectivity"),
        "emulation.kicks": ("KickNeurons", "kick_neurons"),
        "emulation.levels": ("NoiseSweep", "noise_sweep"),
        "emulation.noise_levels": ("SizeAgainstNoise", "size_against_noise"),
        "emulation.onset": ("TrainingOnset", "training_onset"),
        "emulation.orbits": ("DrivenOrbits", "driven_orbits"),
        "emulation.quality": ("emulation_quality",),
        "emulation.quality_result": ("EmulationMetric", "EmulationQuality"),
        "emulation.readout_axes": ("ReadoutGeometry", "readout_geometry"),
        "emulation.relaxation": ("NoiseFree", "noise_free"),
        "emulation.residence": ("ResidenceMap", "residence_map"),
        "emulation.reuse": ("ModularReuse", "modular_reuse"),
        "emulation.sensitivity": ("NoiseSensitivity", "noise_sensitivity"),
        "emulation.switching": ("DwellTimes",),
        "emulation.symbol_refit": ("SymbolRefit",),
        "emulation.symbol_statistics": ("SymbolStatistics",),
        "generation.divergence": ("DivergenceStep", "divergence_step"),
        "generation.grammar": ("BranchProbabilities", "Legality", "branch_probabilities", "legality"),
        "generation.knockout": ("NoiseKnockout", "noise_knockout"),
        "generation.latents": ("LatentProfile", "LayerPCA", "latent_profile", "layer_pca", "primitive_phases"),
        "generation.predictions": ("PredictionError", "persistence_error", "prediction_error"),
        "generation.prior_dynamics": ("PriorLyapunov", "prior_lyapunov"),
        "generation.shuffled_latents": ("ShuffledPrior", "shuffled_prior"),
        "generation.transitions": ("TransitionTable", "transition_table"),
        "generation.words": ("WordDivergence", "word_divergence"),
        "learning.expectation": (
            "ExpectationError",
            "amplitude",
            "bump_ratio",
            "expectation_error",
            "expectation_trace",
            "overshoot",
            "peak_times",
            "trials_to_recover",
        ),
        "learning.plasticity": ("WeightHistory", "weight_history"),
        "learning.rewards": (
            "EligibilityAtReward",
            "RewardTriggered",
            "eligibility_at_reward",
            "reward_triggered_average",
        ),
        "noise.amplification": ("SpectralAmplification", "spectral_amplification"),
        "noise.correlation_times": ("CorrelationTime", "correlation_time"),
        "noise.escape": ("KramersRate", "TwoState", "bistable_response", "kramers_rate"),
        "noise.floquet": ("PeriodicResponse",),
        "noise.fokker_planck": ("FokkerPlanck", "Relaxation"),
        "noise.hysteresis": ("ResidenceTimes", "residence_times"),
        "noise.information": ("MutualInformation", "mutual_information"),
        "noise.information_bound": ("InformationRate", "information_rate"),
        "noise.linear_response": ("LinearResponse",),
        "noise.phase": ("PhaseLocking", "phase_locking"),
        "noise.regularity": ("EventRegularity", "event_regularity"),
        "noise.residence_theory": ("ResidenceDensity",),
        "noise.resonance": ("ResonanceCurve", "resonance_curve"),
        "noise.self_induced": ("SelfInducedResonance", "self_induced_resonance"),
        "noise.signal_to_noise": ("OutputSNR", "output_snr"),
        "noise.spectral_peaks": ("SpectralPeak", "spectral_peak"),
        "noise.threshold_theory": (
            "ThresholdInformation",
            "ThresholdResponse",
            "crossing_response",
            "rice_rate",
            "sampled_threshold_response",
            "threshold_information",
        ),
        "nulls": ("NullTest", "surrogate"),
        "population.canonical": ("CanonicalCorrelations", "cca"),
        "population.classification": ("ClassDecoding", "decode_identity"),
        "population.decoding": ("ScalarDecoding", "decode_scalar", "decode_time"),
        "population.demixing": ("DemixedPCA", "demixed_pca"),
        "population.dimension_courses": ("DimensionCourse", "dimension_course", "training_dimension"),
        "population.dimensionality": (
            "PCAResult",
            "dimension_at",
            "participation_ratio",
            "participation_ratio_null",
            "pca",
            "pca_null",
        ),
        "population.factors": ("FactorAnalysis", "factor_analysis"),
        "population.gaussian_process": ("GPFAResult", "gpfa"),
        "population.geometry": ("ConditionGeometry", "condition_pca", "transfer_null", "transfer_projection"),
        "population.marginals": ("stack_conditions",),
        "population.rotations": ("JPCAResult", "jpca"),
        "population.shared_subspace": ("SharedSpace", "shared_space"),
        "population.subspaces": ("SubspaceAngles", "angle_null", "principal_angles"),
        "population.superposition": ("Procrustes", "procrustes"),
        "population.tensor_null": ("tensor_surrogates",),
        "spikes.events": ("PETH", "peth"),
        "spikes.rates": ("firing_rates", "instantaneous_rate", "population_rate", "sample_times"),
        "spikes.spike_correlations": (
            "CountCorrelations",
            "CrossCorrelation",
            "count_correlations",
            "cross_correlation",
        ),
        "spikes.spike_spectra": ("SpikeFieldCoherence", "SpikeSpectrum", "spike_field_coherence", "spike_spectrum"),
        "spikes.spiking": ("SpikeStatistics", "spike_statistics"),
        "statistics": ("BinomialInterval", "BootstrapInterval", "binomial_interval", "bootstrap_mean"),
        "timescales.approximate_bayes": ("TimescalePosterior", "fit_timescales_abc"),
        "timescales.ar1": ("TimescalesNull", "ar1_null"),
        "timescales.bayes_factor": ("ModelComparison", "compare_timescale_models"),
        "timescales.calibration": ("calibrated_timescales",),
        "timescales.connectivity": ("ConnectivityByTau", "connectivity_by_tau"),
        "timescales.correlation": ("autocorrelation", "population_autocorrelation"),
        "timescales.exponentials": ("ExponentialFit", "fit_exponentials"),
        "timescales.integrated": ("IntegratedTimescale", "integrated_timescale"),
        "timescales.networks": ("NetworkTimescales", "network_timescales"),
    }.items()
    for name in names
}

__all__ = sorted(_MODULE_OF)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        near = get_close_matches(name, _MODULE_OF, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise AttributeError(f"neurodyn.analysis has no {name!r}{hint}")
    value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
