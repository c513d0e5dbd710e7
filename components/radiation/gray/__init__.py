"""Gray radiation as a component."""
