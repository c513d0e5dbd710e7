"""Land prescribed from CF files."""

from coupler.files.prescribed import Prescribed


class DataLand(Prescribed):
    """Surface temperature from CF files, interpolated in time."""

    description = "prescribed surface temperature"
    offers = ("surface_temperature",)
