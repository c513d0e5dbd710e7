"""Land as one layer of heat and one bucket of water."""
