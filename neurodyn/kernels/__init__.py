"""Compiled kernels: emitters for Programs, draws, wiring, recursive least squares."""
