"""Land prescribed from files."""
