"""Non-hydrostatic regional atmosphere: see README.md for equations, options and verification."""
