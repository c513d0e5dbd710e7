"""Forcing, history and restart files."""
