"""Figures: results in (arrays and mappings), matplotlib figures out.

Every function returns a :class:`matplotlib.figure.Figure` that is bound to no window and no pyplot state;
nothing is shown and no global setting stays changed. Functions of one panel take ``ax``, a matplotlib ``Axes``, then
draw there and return the figure it belongs to. ``title`` is what stands above. Inputs are never modified.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurodyn.plots.ablation import bars_with_points as bars_with_points
    from neurodyn.plots.amplitude import amplitude_against_probability as amplitude_against_probability
    from neurodyn.plots.autocorrelations import unit_timescales as unit_timescales
    from neurodyn.plots.base import new_figure as new_figure
    from neurodyn.plots.cells import panels_of_patterns as panels_of_patterns
    from neurodyn.plots.cells import raster_and_spectrum as raster_and_spectrum
    from neurodyn.plots.cells import rates_against_current as rates_against_current
    from neurodyn.plots.cells import responses as responses
    from neurodyn.plots.common_spaces import cca as cca
    from neurodyn.plots.common_spaces import procrustes as procrustes
    from neurodyn.plots.common_spaces import shared_space as shared_space
    from neurodyn.plots.demixing import demixed_pca as demixed_pca
    from neurodyn.plots.dimensions import dimension_course as dimension_course
    from neurodyn.plots.dimensions import factor_analysis as factor_analysis
    from neurodyn.plots.dimensions import gpfa as gpfa
    from neurodyn.plots.dimensions import pca as pca
    from neurodyn.plots.driven import driven_orbits as driven_orbits
    from neurodyn.plots.driven import readout_geometry as readout_geometry
    from neurodyn.plots.emulation_quality import emulation as emulation
    from neurodyn.plots.expectation import expectation_traces as expectation_traces
    from neurodyn.plots.finite_state import branch_probabilities as branch_probabilities
    from neurodyn.plots.finite_state import word_divergence as word_divergence
    from neurodyn.plots.fokker_planck import fokker_planck_solution as fokker_planck_solution
    from neurodyn.plots.fokker_planck import linear_response as linear_response
    from neurodyn.plots.fokker_planck import periodic_response as periodic_response
    from neurodyn.plots.fokker_planck import relaxation_modes as relaxation_modes
    from neurodyn.plots.generated import generated_curves as generated_curves
    from neurodyn.plots.generated import prediction_horizon as prediction_horizon
    from neurodyn.plots.geometry import weight_geometry as weight_geometry
    from neurodyn.plots.information import information_rate as information_rate
    from neurodyn.plots.information import mutual_information as mutual_information
    from neurodyn.plots.kicks import kick_connectivity as kick_connectivity
    from neurodyn.plots.kicks import kick_interventions as kick_interventions
    from neurodyn.plots.kicks import kick_neurons as kick_neurons
    from neurodyn.plots.latents import latent_profile as latent_profile
    from neurodyn.plots.latents import layer_pca as layer_pca
    from neurodyn.plots.learning import error_curves as error_curves
    from neurodyn.plots.levels import noise_sweep as noise_sweep
    from neurodyn.plots.lines import line_with_band as line_with_band
    from neurodyn.plots.lines import traces as traces
    from neurodyn.plots.lyapunov import gain_sweep as gain_sweep
    from neurodyn.plots.lyapunov import lyapunov_exponents as lyapunov_exponents
    from neurodyn.plots.lyapunov import noise_knockout as noise_knockout
    from neurodyn.plots.null_tests import null_test as null_test
    from neurodyn.plots.onset import training_onset as training_onset
    from neurodyn.plots.plasticity import eligibility_at_reward as eligibility_at_reward
    from neurodyn.plots.plasticity import reward_triggered as reward_triggered
    from neurodyn.plots.plasticity import synapse_trace as synapse_trace
    from neurodyn.plots.plasticity import weight_distribution as weight_distribution
    from neurodyn.plots.predictions import divergence_step as divergence_step
    from neurodyn.plots.predictions import prediction_error as prediction_error
    from neurodyn.plots.primitives import movement as movement
    from neurodyn.plots.primitives import transition_table as transition_table
    from neurodyn.plots.publication import panel as panel
    from neurodyn.plots.publication import panels as panels
    from neurodyn.plots.publication import save_panels as save_panels
    from neurodyn.plots.regularity import correlation_time as correlation_time
    from neurodyn.plots.regularity import event_regularity as event_regularity
    from neurodyn.plots.regularity import phase_locking as phase_locking
    from neurodyn.plots.regularity import spectral_peak as spectral_peak
    from neurodyn.plots.relaxation import noise_free as noise_free
    from neurodyn.plots.relaxation import size_against_noise as size_against_noise
    from neurodyn.plots.residence import residence_zones as residence_zones
    from neurodyn.plots.resonance import output_snr as output_snr
    from neurodyn.plots.resonance import residence_times as residence_times
    from neurodyn.plots.resonance import resonance_curve as resonance_curve
    from neurodyn.plots.resonance import spectral_amplification as spectral_amplification
    from neurodyn.plots.resonance_theory import kramers_rate as kramers_rate
    from neurodyn.plots.resonance_theory import residence_density as residence_density
    from neurodyn.plots.resonance_theory import response_against_noise as response_against_noise
    from neurodyn.plots.resonance_theory import self_induced_resonance as self_induced_resonance
    from neurodyn.plots.resonance_theory import threshold_information as threshold_information
    from neurodyn.plots.resonance_theory import threshold_response as threshold_response
    from neurodyn.plots.resonance_theory import two_state as two_state
    from neurodyn.plots.reuse import modular_reuse as modular_reuse
    from neurodyn.plots.robustness import ablated_units as ablated_units
    from neurodyn.plots.robustness import perturbation as perturbation
    from neurodyn.plots.rotations import jpca as jpca
    from neurodyn.plots.scan import scan_overview as scan_overview
    from neurodyn.plots.sensitivity import noise_sensitivity as noise_sensitivity
    from neurodyn.plots.spectra import switch_spectra as switch_spectra
    from neurodyn.plots.spikes import raster as raster
    from neurodyn.plots.spiking import count_correlations as count_correlations
    from neurodyn.plots.spiking import cross_correlation as cross_correlation
    from neurodyn.plots.spiking import spike_field_coherence as spike_field_coherence
    from neurodyn.plots.spiking import spike_spectrum as spike_spectrum
    from neurodyn.plots.spiking import spike_statistics as spike_statistics
    from neurodyn.plots.stationary import fixed_points as fixed_points
    from neurodyn.plots.styles import OKABE_ITO as OKABE_ITO
    from neurodyn.plots.styles import style as style
    from neurodyn.plots.summary import overview as overview
    from neurodyn.plots.supervised import taught_signal as taught_signal
    from neurodyn.plots.sweeps import meta_prior as meta_prior
    from neurodyn.plots.training import accuracy_of_heads as accuracy_of_heads
    from neurodyn.plots.training import network_timescales as network_timescales
    from neurodyn.plots.training import time_constants as time_constants
    from neurodyn.plots.training import training_curves as training_curves
    from neurodyn.plots.waiting import hazard as hazard

# No file bears the name of a function in it: importing it would put the module in the place of the function.
_FILES = {
    "OKABE_ITO": "styles",
    "ablated_units": "robustness",
    "accuracy_of_heads": "training",
    "amplitude_against_probability": "amplitude",
    "bars_with_points": "ablation",
    "branch_probabilities": "finite_state",
    "cca": "common_spaces",
    "correlation_time": "regularity",
    "count_correlations": "spiking",
    "cross_correlation": "spiking",
    "demixed_pca": "demixing",
    "dimension_course": "dimensions",
    "divergence_step": "predictions",
    "driven_orbits": "driven",
    "eligibility_at_reward": "plasticity",
    "emulation": "emulation_quality",
    "error_curves": "learning",
    "event_regularity": "regularity",
    "expectation_traces": "expectation",
    "factor_analysis": "dimensions",
    "fixed_points": "stationary",
    "fokker_planck_solution": "fokker_planck",
    "gain_sweep": "lyapunov",
    "generated_curves": "generated",
    "gpfa": "dimensions",
    "hazard": "waiting",
    "information_rate": "information",
    "jpca": "rotations",
    "kick_connectivity": "kicks",
    "kick_interventions": "kicks",
    "kick_neurons": "kicks",
    "kramers_rate": "resonance_theory",
    "latent_profile": "latents",
    "layer_pca": "latents",
    "line_with_band": "lines",
    "linear_response": "fokker_planck",
    "lyapunov_exponents": "lyapunov",
    "meta_prior": "sweeps",
    "modular_reuse": "reuse",
    "movement": "primitives",
    "mutual_information": "information",
    "network_timescales": "training",
    "new_figure": "base",
    "noise_free": "relaxation",
    "noise_knockout": "lyapunov",
    "noise_sensitivity": "sensitivity",
    "noise_sweep": "levels",
    "null_test": "null_tests",
    "output_snr": "resonance",
    "overview": "summary",
    "panel": "publication",
    "panels": "publication",
    "panels_of_patterns": "cells",
    "pca": "dimensions",
    "periodic_response": "fokker_planck",
    "perturbation": "robustness",
    "phase_locking": "regularity",
    "prediction_error": "predictions",
    "prediction_horizon": "generated",
    "procrustes": "common_spaces",
    "raster": "spikes",
    "raster_and_spectrum": "cells",
    "rates_against_current": "cells",
    "readout_geometry": "driven",
    "relaxation_modes": "fokker_planck",
    "residence_density": "resonance_theory",
    "residence_times": "resonance",
    "residence_zones": "residence",
    "resonance_curve": "resonance",
    "response_against_noise": "resonance_theory",
    "responses": "cells",
    "reward_triggered": "plasticity",
    "save_panels": "publication",
    "scan_overview": "scan",
    "self_induced_resonance": "resonance_theory",
    "shared_space": "common_spaces",
    "size_against_noise": "relaxation",
    "spectral_amplification": "resonance",
    "spectral_peak": "regularity",
    "spike_field_coherence": "spiking",
    "spike_spectrum": "spiking",
    "spike_statistics": "spiking",
    "style": "styles",
    "switch_spectra": "spectra",
    "synapse_trace": "plasticity",
    "taught_signal": "supervised",
    "threshold_information": "resonance_theory",
    "threshold_response": "resonance_theory",
    "time_constants": "training",
    "traces": "lines",
    "training_curves": "training",
    "training_onset": "onset",
    "transition_table": "primitives",
    "two_state": "resonance_theory",
    "unit_timescales": "autocorrelations",
    "weight_distribution": "plasticity",
    "weight_geometry": "geometry",
    "word_divergence": "finite_state",
}

__all__ = [
    "OKABE_ITO",
    "ablated_units",
    "accuracy_of_heads",
    "amplitude_against_probability",
    "bars_with_points",
    "branch_probabilities",
    "cca",
    "correlation_time",
    "count_correlations",
    "cross_correlation",
    "demixed_pca",
    "dimension_course",
    "divergence_step",
    "driven_orbits",
    "eligibility_at_reward",
    "emulation",
    "error_curves",
    "event_regularity",
    "expectation_traces",
    "factor_analysis",
    "fixed_points",
    "fokker_planck_solution",
    "gain_sweep",
    "generated_curves",
    "gpfa",
    "hazard",
    "information_rate",
    "jpca",
    "kick_connectivity",
    "kick_interventions",
    "kick_neurons",
    "kramers_rate",
    "latent_profile",
    "layer_pca",
    "line_with_band",
    "linear_response",
    "lyapunov_exponents",
    "meta_prior",
    "modular_reuse",
    "movement",
    "mutual_information",
    "network_timescales",
    "new_figure",
    "noise_free",
    "noise_knockout",
    "noise_sensitivity",
    "null_test",
    "output_snr",
    "overview",
    "panel",
    "panels",
    "panels_of_patterns",
    "pca",
    "periodic_response",
    "perturbation",
    "phase_locking",
    "prediction_error",
    "prediction_horizon",
    "procrustes",
    "raster",
    "raster_and_spectrum",
    "rates_against_current",
    "readout_geometry",
    "relaxation_modes",
    "residence_density",
    "residence_times",
    "residence_zones",
    "resonance_curve",
    "response_against_noise",
    "responses",
    "reward_triggered",
    "save_panels",
    "scan_overview",
    "self_induced_resonance",
    "shared_space",
    "size_against_noise",
    "spectral_amplification",
    "spectral_peak",
    "spike_field_coherence",
    "spike_spectrum",
    "spike_statistics",
    "style",
    "switch_spectra",
    "synapse_trace",
    "taught_signal",
    "threshold_information",
    "threshold_response",
    "time_constants",
    "traces",
    "training_curves",
    "training_onset",
    "transition_table",
    "two_state",
    "unit_timescales",
    "weight_distribution",
    "weight_geometry",
    "word_divergence",
]


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        import difflib

        near = difflib.get_close_matches(name, _FILES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise AttributeError(f"neurodyn.plots has no {name!r}{hint}")
    return getattr(importlib.import_module(f"{__name__}.{_FILES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
