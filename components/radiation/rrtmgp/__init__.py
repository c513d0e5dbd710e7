"""RRTMGP as a component."""
