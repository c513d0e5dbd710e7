"""Initial states of the ideal cases."""
