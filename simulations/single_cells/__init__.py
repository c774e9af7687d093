"""The parts of izhikevich_patterns: what is measured, and the published numbers beside it."""
