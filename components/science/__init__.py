"""Physics that two realms share; no realm of its own."""
