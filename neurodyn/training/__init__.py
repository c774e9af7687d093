"""Training by gradient: curricula, one loop, snapshots that are read back, and what training left behind measured."""
