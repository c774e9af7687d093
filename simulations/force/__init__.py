"""Parts of simulations/force_spiking.py."""
