"""What is learned: expectations, weights, rewards."""
