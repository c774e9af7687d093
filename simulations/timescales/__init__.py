"""What the simulations of learnable timescales share."""
