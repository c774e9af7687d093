"""Networks that emulate a hidden Markov model, and how they do it."""
