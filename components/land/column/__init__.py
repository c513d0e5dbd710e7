"""The energy-water-carbon column: one process a module, every module usable alone."""
