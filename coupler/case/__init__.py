"""Namelists, cases, the command line and the launcher."""
