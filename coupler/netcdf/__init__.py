"""What netCDF files of other programs hold: opened, unpacked, their axes, dates and projections established."""
