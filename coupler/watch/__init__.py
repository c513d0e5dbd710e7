"""Budgets, timing, status and figures of a running case."""
