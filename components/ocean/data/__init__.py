"""Ocean prescribed from files."""
