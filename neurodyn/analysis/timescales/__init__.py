"""How long units and networks remember."""
