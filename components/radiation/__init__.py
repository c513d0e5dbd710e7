"""Radiation: what every scheme takes and gives, the schemes themselves, and the models that run them as a component."""
