"""Who sends what to whom, when, and through which messages."""
