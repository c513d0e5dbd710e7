"""Horizontal grids and their division over ranks."""
