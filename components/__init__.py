"""The models, one folder a realm, one folder a model."""
