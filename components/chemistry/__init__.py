"""Models of this realm."""
