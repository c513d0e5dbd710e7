"""Mixed-layer ocean."""
