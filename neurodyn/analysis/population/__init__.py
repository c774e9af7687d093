"""Activity of many units: dimensions, spaces, rotations, decoding."""
