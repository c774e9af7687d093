"""Experiments of simulations/what_when.py, one module for each group of claims."""
