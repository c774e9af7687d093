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
    from .alignment import SequenceAlignment as SequenceAlignment
    from .alignment import align_sequences as align_sequences
    from .amplification import SpectralAmplification as SpectralAmplification
    from .amplification import spectral_amplification as spectral_amplification
    from .approximate_bayes import TimescalePosterior as TimescalePosterior
    from .approximate_bayes import fit_timescales_abc as fit_timescales_abc
    from .ar1 import TimescalesNull as TimescalesNull
    from .ar1 import ar1_null as ar1_null
    from .bayes_factor import ModelComparison as ModelComparison
    from .bayes_factor import compare_timescale_models as compare_timescale_models
    from .calibration import calibrated_timescales as calibrated_timescales
    from .canonical import CanonicalCorrelations as CanonicalCorrelations
    from .canonical import cca as cca
    from .classification import ClassDecoding as ClassDecoding
    from .classification import decode_identity as decode_identity
    from .connectivity import ConnectivityByTau as ConnectivityByTau
    from .connectivity import connectivity_by_tau as connectivity_by_tau
    from .conventions import Conventions as Conventions
    from .correlation import autocorrelation as autocorrelation
    from .correlation import population_autocorrelation as population_autocorrelation
    from .correlation_times import CorrelationTime as CorrelationTime
    from .correlation_times import correlation_time as correlation_time
    from .decoding import ScalarDecoding as ScalarDecoding
    from .decoding import decode_scalar as decode_scalar
    from .decoding import decode_time as decode_time
    from .demixing import DemixedPCA as DemixedPCA
    from .demixing import demixed_pca as demixed_pca
    from .dimension_courses import DimensionCourse as DimensionCourse
    from .dimension_courses import dimension_course as dimension_course
    from .dimension_courses import training_dimension as training_dimension
    from .dimensionality import PCAResult as PCAResult
    from .dimensionality import dimension_at as dimension_at
    from .dimensionality import participation_ratio as participation_ratio
    from .dimensionality import participation_ratio_null as participation_ratio_null
    from .dimensionality import pca as pca
    from .dimensionality import pca_null as pca_null
    from .divergence import DivergenceStep as DivergenceStep
    from .divergence import divergence_step as divergence_step
    from .emulation import emulation_quality as emulation_quality
    from .emulation_result import EmulationMetric as EmulationMetric
    from .emulation_result import EmulationQuality as EmulationQuality
    from .escape import KramersRate as KramersRate
    from .escape import TwoState as TwoState
    from .escape import bistable_response as bistable_response
    from .escape import kramers_rate as kramers_rate
    from .events import PETH as PETH
    from .events import peth as peth
    from .expectation import amplitude as amplitude
    from .expectation import bump_ratio as bump_ratio
    from .expectation import expectation_error as expectation_error
    from .expectation import expectation_trace as expectation_trace
    from .expectation import overshoot as overshoot
    from .expectation import peak_times as peak_times
    from .expectation import trials_to_recover as trials_to_recover
    from .exponentials import ExponentialFit as ExponentialFit
    from .exponentials import fit_exponentials as fit_exponentials
    from .factors import FactorAnalysis as FactorAnalysis
    from .factors import factor_analysis as factor_analysis
    from .floquet import PeriodicResponse as PeriodicResponse
    from .flows import flow as flow
    from .fokker_planck import FokkerPlanck as FokkerPlanck
    from .fokker_planck import Relaxation as Relaxation
    from .gain import GainSweep as GainSweep
    from .gain import gain_sweep as gain_sweep
    from .gaussian_process import GPFAResult as GPFAResult
    from .gaussian_process import gpfa as gpfa
    from .geometry import ConditionGeometry as ConditionGeometry
    from .geometry import condition_pca as condition_pca
    from .geometry import transfer_null as transfer_null
    from .geometry import transfer_projection as transfer_projection
    from .grammar import BranchProbabilities as BranchProbabilities
    from .grammar import Legality as Legality
    from .grammar import branch_probabilities as branch_probabilities
    from .grammar import legality as legality
    from .hysteresis import ResidenceTimes as ResidenceTimes
    from .hysteresis import residence_times as residence_times
    from .information import MutualInformation as MutualInformation
    from .information import mutual_information as mutual_information
    from .information_bound import InformationRate as InformationRate
    from .information_bound import information_rate as information_rate
    from .integrated import IntegratedTimescale as IntegratedTimescale
    from .integrated import integrated_timescale as integrated_timescale
    from .interventions import KickInterventions as KickInterventions
    from .interventions import kick_interventions as kick_interventions
    from .jacobians import LocalSpectra as LocalSpectra
    from .jacobians import SwitchSpectra as SwitchSpectra
    from .jacobians import local_spectra as local_spectra
    from .jacobians import switch_spectra as switch_spectra
    from .kick_wiring import KickConnectivity as KickConnectivity
    from .kick_wiring import SignTest as SignTest
    from .kick_wiring import kick_connectivity as kick_connectivity
    from .kicks import KickNeurons as KickNeurons
    from .kicks import kick_neurons as kick_neurons
    from .knockout import NoiseKnockout as NoiseKnockout
    from .knockout import noise_knockout as noise_knockout
    from .latents import LatentProfile as LatentProfile
    from .latents import LayerPCA as LayerPCA
    from .latents import latent_profile as latent_profile
    from .latents import layer_pca as layer_pca
    from .latents import primitive_phases as primitive_phases
    from .levels import NoiseSweep as NoiseSweep
    from .levels import noise_sweep as noise_sweep
    from .linear_response import LinearResponse as LinearResponse
    from .lyapunov import LyapunovExponents as LyapunovExponents
    from .lyapunov import lyapunov_exponents as lyapunov_exponents
    from .marginals import stack_conditions as stack_conditions
    from .noise_levels import SizeAgainstNoise as SizeAgainstNoise
    from .noise_levels import size_against_noise as size_against_noise
    from .nulls import NullTest as NullTest
    from .nulls import surrogate as surrogate
    from .onset import TrainingOnset as TrainingOnset
    from .onset import training_onset as training_onset
    from .orbits import DrivenOrbits as DrivenOrbits
    from .orbits import driven_orbits as driven_orbits
    from .phase import PhaseLocking as PhaseLocking
    from .phase import phase_locking as phase_locking
    from .plasticity import WeightHistory as WeightHistory
    from .plasticity import weight_history as weight_history
    from .predictions import PredictionError as PredictionError
    from .predictions import persistence_error as persistence_error
    from .predictions import prediction_error as prediction_error
    from .prior_dynamics import PriorLyapunov as PriorLyapunov
    from .prior_dynamics import prior_lyapunov as prior_lyapunov
    from .rates import firing_rates as firing_rates
    from .rates import instantaneous_rate as instantaneous_rate
    from .rates import population_rate as population_rate
    from .rates import sample_times as sample_times
    from .readout_axes import ReadoutGeometry as ReadoutGeometry
    from .readout_axes import readout_geometry as readout_geometry
    from .regularity import EventRegularity as EventRegularity
    from .regularity import event_regularity as event_regularity
    from .relaxation import NoiseFree as NoiseFree
    from .relaxation import noise_free as noise_free
    from .residence import ResidenceMap as ResidenceMap
    from .residence import residence_map as residence_map
    from .residence_theory import ResidenceDensity as ResidenceDensity
    from .resonance import ResonanceCurve as ResonanceCurve
    from .resonance import resonance_curve as resonance_curve
    from .reuse import ModularReuse as ModularReuse
    from .reuse import modular_reuse as modular_reuse
    from .rewards import EligibilityAtReward as EligibilityAtReward
    from .rewards import RewardTriggered as RewardTriggered
    from .rewards import eligibility_at_reward as eligibility_at_reward
    from .rewards import reward_triggered_average as reward_triggered_average
    from .rotations import JPCAResult as JPCAResult
    from .rotations import jpca as jpca
    from .self_induced import SelfInducedResonance as SelfInducedResonance
    from .self_induced import self_induced_resonance as self_induced_resonance
    from .sensitivity import NoiseSensitivity as NoiseSensitivity
    from .sensitivity import noise_sensitivity as noise_sensitivity
    from .shared_subspace import SharedSpace as SharedSpace
    from .shared_subspace import shared_space as shared_space
    from .shuffled_latents import ShuffledPrior as ShuffledPrior
    from .shuffled_latents import shuffled_prior as shuffled_prior
    from .signal_to_noise import OutputSNR as OutputSNR
    from .signal_to_noise import output_snr as output_snr
    from .spectral_peaks import SpectralPeak as SpectralPeak
    from .spectral_peaks import spectral_peak as spectral_peak
    from .spike_correlations import CountCorrelations as CountCorrelations
    from .spike_correlations import CrossCorrelation as CrossCorrelation
    from .spike_correlations import count_correlations as count_correlations
    from .spike_correlations import cross_correlation as cross_correlation
    from .spike_spectra import SpikeFieldCoherence as SpikeFieldCoherence
    from .spike_spectra import SpikeSpectrum as SpikeSpectrum
    from .spike_spectra import spike_field_coherence as spike_field_coherence
    from .spike_spectra import spike_spectrum as spike_spectrum
    from .spiking import SpikeStatistics as SpikeStatistics
    from .spiking import spike_statistics as spike_statistics
    from .stationary import FixedPoints as FixedPoints
    from .stationary import fixed_points as fixed_points
    from .statistics import BinomialInterval as BinomialInterval
    from .statistics import BootstrapInterval as BootstrapInterval
    from .statistics import binomial_interval as binomial_interval
    from .statistics import bootstrap_mean as bootstrap_mean
    from .subspaces import SubspaceAngles as SubspaceAngles
    from .subspaces import angle_null as angle_null
    from .subspaces import principal_angles as principal_angles
    from .superposition import Procrustes as Procrustes
    from .superposition import procrustes as procrustes
    from .switching import DwellTimes as DwellTimes
    from .symbol_refit import SymbolRefit as SymbolRefit
    from .symbol_statistics import SymbolStatistics as SymbolStatistics
    from .tensor_null import tensor_surrogates as tensor_surrogates
    from .threshold_theory import ThresholdInformation as ThresholdInformation
    from .threshold_theory import ThresholdResponse as ThresholdResponse
    from .threshold_theory import crossing_response as crossing_response
    from .threshold_theory import rice_rate as rice_rate
    from .threshold_theory import sampled_threshold_response as sampled_threshold_response
    from .threshold_theory import threshold_information as threshold_information
    from .timescales import NetworkTimescales as NetworkTimescales
    from .timescales import network_timescales as network_timescales
    from .transitions import TransitionTable as TransitionTable
    from .transitions import transition_table as transition_table
    from .words import WordDivergence as WordDivergence
    from .words import word_divergence as word_divergence

# Lazy, so that `import neurodyn.analysis` costs nothing; no module may bear the name of a function in it.
_MODULE_OF = {
    name: module
    for module, names in {
        "alignment": ("SequenceAlignment", "align_sequences"),
        "amplification": ("SpectralAmplification", "spectral_amplification"),
        "approximate_bayes": ("TimescalePosterior", "fit_timescales_abc"),
        "ar1": ("TimescalesNull", "ar1_null"),
        "bayes_factor": ("ModelComparison", "compare_timescale_models"),
        "calibration": ("calibrated_timescales",),
        "canonical": ("CanonicalCorrelations", "cca"),
        "classification": ("ClassDecoding", "decode_identity"),
        "connectivity": ("ConnectivityByTau", "connectivity_by_tau"),
        "conventions": ("Conventions",),
        "correlation": ("autocorrelation", "population_autocorrelation"),
        "correlation_times": ("CorrelationTime", "correlation_time"),
        "decoding": ("ScalarDecoding", "decode_scalar", "decode_time"),
        "demixing": ("DemixedPCA", "demixed_pca"),
        "dimension_courses": ("DimensionCourse", "dimension_course", "training_dimension"),
        "dimensionality": (
            "PCAResult",
            "dimension_at",
            "participation_ratio",
            "participation_ratio_null",
            "pca",
            "pca_null",
        ),
        "divergence": ("DivergenceStep", "divergence_step"),
        "emulation": ("emulation_quality",),
        "emulation_result": ("EmulationMetric", "EmulationQuality"),
        "escape": ("KramersRate", "TwoState", "bistable_response", "kramers_rate"),
        "events": ("PETH", "peth"),
        "expectation": (
            "amplitude",
            "bump_ratio",
            "expectation_error",
            "expectation_trace",
            "overshoot",
            "peak_times",
            "trials_to_recover",
        ),
        "exponentials": ("ExponentialFit", "fit_exponentials"),
        "factors": ("FactorAnalysis", "factor_analysis"),
        "floquet": ("PeriodicResponse",),
        "fokker_planck": ("FokkerPlanck", "Relaxation"),
        "flows": ("flow",),
        "gain": ("GainSweep", "gain_sweep"),
        "gaussian_process": ("GPFAResult", "gpfa"),
        "geometry": ("ConditionGeometry", "condition_pca", "transfer_null", "transfer_projection"),
        "grammar": ("BranchProbabilities", "Legality", "branch_probabilities", "legality"),
        "hysteresis": ("ResidenceTimes", "residence_times"),
        "information": ("MutualInformation", "mutual_information"),
        "information_bound": ("InformationRate", "information_rate"),
        "integrated": ("IntegratedTimescale", "integrated_timescale"),
        "interventions": ("KickInterventions", "kick_interventions"),
        "jacobians": ("LocalSpectra", "SwitchSpectra", "local_spectra", "switch_spectra"),
        "marginals": ("stack_conditions",),
        "noise_levels": ("SizeAgainstNoise", "size_against_noise"),
        "kick_wiring": ("KickConnectivity", "SignTest", "kick_connectivity"),
        "kicks": ("KickNeurons", "kick_neurons"),
        "knockout": ("NoiseKnockout", "noise_knockout"),
        "latents": ("LatentProfile", "LayerPCA", "latent_profile", "layer_pca", "primitive_phases"),
        "levels": ("NoiseSweep", "noise_sweep"),
        "linear_response": ("LinearResponse",),
        "lyapunov": ("LyapunovExponents", "lyapunov_exponents"),
        "nulls": ("NullTest", "surrogate"),
        "onset": ("TrainingOnset", "training_onset"),
        "orbits": ("DrivenOrbits", "driven_orbits"),
        "phase": ("PhaseLocking", "phase_locking"),
        "plasticity": ("WeightHistory", "weight_history"),
        "predictions": ("PredictionError", "persistence_error", "prediction_error"),
        "prior_dynamics": ("PriorLyapunov", "prior_lyapunov"),
        "rates": ("firing_rates", "instantaneous_rate", "population_rate", "sample_times"),
        "readout_axes": ("ReadoutGeometry", "readout_geometry"),
        "regularity": ("EventRegularity", "event_regularity"),
        "relaxation": ("NoiseFree", "noise_free"),
        "residence": ("ResidenceMap", "residence_map"),
        "residence_theory": ("ResidenceDensity",),
        "resonance": ("ResonanceCurve", "resonance_curve"),
        "reuse": ("ModularReuse", "modular_reuse"),
        "rewards": ("EligibilityAtReward", "RewardTriggered", "eligibility_at_reward", "reward_triggered_average"),
        "rotations": ("JPCAResult", "jpca"),
        "self_induced": ("SelfInducedResonance", "self_induced_resonance"),
        "sensitivity": ("NoiseSensitivity", "noise_sensitivity"),
        "shared_subspace": ("SharedSpace", "shared_space"),
        "shuffled_latents": ("ShuffledPrior", "shuffled_prior"),
        "signal_to_noise": ("OutputSNR", "output_snr"),
        "spectral_peaks": ("SpectralPeak", "spectral_peak"),
        "spike_correlations": ("CountCorrelations", "CrossCorrelation", "count_correlations", "cross_correlation"),
        "spike_spectra": ("SpikeFieldCoherence", "SpikeSpectrum", "spike_field_coherence", "spike_spectrum"),
        "spiking": ("SpikeStatistics", "spike_statistics"),
        "stationary": ("FixedPoints", "fixed_points"),
        "statistics": ("BinomialInterval", "BootstrapInterval", "binomial_interval", "bootstrap_mean"),
        "subspaces": ("SubspaceAngles", "angle_null", "principal_angles"),
        "superposition": ("Procrustes", "procrustes"),
        "switching": ("DwellTimes",),
        "symbol_refit": ("SymbolRefit",),
        "symbol_statistics": ("SymbolStatistics",),
        "tensor_null": ("tensor_surrogates",),
        "threshold_theory": (
            "ThresholdInformation",
            "ThresholdResponse",
            "crossing_response",
            "rice_rate",
            "sampled_threshold_response",
            "threshold_information",
        ),
        "timescales": ("NetworkTimescales", "network_timescales"),
        "transitions": ("TransitionTable", "transition_table"),
        "words": ("WordDivergence", "word_divergence"),
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
