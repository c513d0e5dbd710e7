# SPDX-License-Identifier: BSD-3-Clause
"""Ocean prescribed from CF files."""

from coupler.files.prescribed import Prescribed


class DataOcean(Prescribed):
    """Sea surface temperature from CF files, interpolated in time; wet where the file's `sea_binary_mask` is 1."""

    description = "prescribed sea surface temperature"
    offers = ("sea_surface_temperature",)
    mask_variable = "sea_binary_mask"
