"""Circuits, sessions and runs as nested dictionaries of arrays, for files, and back; nothing is executed when they are read."""
