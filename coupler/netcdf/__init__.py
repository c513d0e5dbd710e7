# SPDX-License-Identifier: BSD-3-Clause
"""What netCDF files of other programs hold: opened, unpacked, their axes, dates and projections established."""
