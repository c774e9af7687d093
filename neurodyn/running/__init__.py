"""Runs under way: what one asks, who answers, what goes where, and how it is stopped and gone on with."""
