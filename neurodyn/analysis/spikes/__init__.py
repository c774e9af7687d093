"""Spike trains: rates, intervals, correlations, spectra, events."""
