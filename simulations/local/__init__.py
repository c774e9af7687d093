"""Parts of simulations/local_learning.py."""
