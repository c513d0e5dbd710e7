"""Land prescribed from CF files."""

from coupler.files.prescribed import Prescribed


class DataLand(Prescribed):
    """Surface temperature from CF files, interpolated in time; land where the file's `land_binary_mask` is 1."""

    description = "prescribed surface temperature"
    offers = ("surface_temperature",)
    mask_variable = "land_binary_mask"
