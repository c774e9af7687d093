"""What generative networks make, predict and hold in their latents."""
