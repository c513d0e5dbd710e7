"""Atmosphere prescribed from files."""
