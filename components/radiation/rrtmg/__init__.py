"""RRTMG as a component."""
