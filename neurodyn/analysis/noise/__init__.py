"""Noise that helps: resonance measured on data, and its theory."""
