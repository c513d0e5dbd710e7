# SPDX-License-Identifier: BSD-3-Clause
"""Make what radiation knows of the gases: ozone by month, latitude and pressure, greenhouse gases by year.

    python data/make_radiation_climatology.py --wrf FOLDER [--output components]

FOLDER holds files of WRF's `run` folder, which are in the public domain: ozone.formatted, ozone_lat.formatted,
ozone_plev.formatted (the climatology of CAM, mole fractions, pressure fastest, then latitude, then month) and
CAMtr_volume_mixing_ratio.SSP245 (history, and SSP2-4.5 from 2015 on).
"""

import argparse
from pathlib import Path

import netCDF4
import numpy as np

DIGITS = 4
GASES = {"carbon_dioxide": 1e-6, "nitrous_oxide": 1e-9, "methane": 1e-9, "cfc11": 1e-12, "cfc12": 1e-12}
NOTICE = "WRF (https://github.com/wrf-model/WRF, f15568c), public domain"


def ozone(wrf: Path, output: Path) -> None:
    """The climatology of ozone as netCDF, four digits."""
    latitude = np.loadtxt(wrf / "ozone_lat.formatted")
    pressure = 100.0 * np.loadtxt(wrf / "ozone_plev.formatted")
    values = np.loadtxt(wrf / "ozone.formatted").reshape(12, latitude.size, pressure.size)
    with netCDF4.Dataset(output, "w") as f:
        f.source = f"CAM ozone climatology as in {NOTICE}: run/ozone.formatted"
        for name, size in (("month", 12), ("latitude", latitude.size), ("pressure", pressure.size)):
            f.createDimension(name, size)
        for name, data, units in (("latitude", latitude, "degrees_north"), ("pressure", pressure, "Pa")):
            v = f.createVariable(name, "f8", (name,))
            v[:], v.units = data, units
        v = f.createVariable(
            "mole_fraction_of_ozone_in_air", "f4", ("month", "latitude", "pressure"), zlib=True, complevel=9,
            significant_digits=DIGITS, quantize_mode="GranularBitRound",
        )  # fmt: skip
        v[:], v.units = values, "1"


def greenhouse_gases(wrf: Path, output: Path) -> None:
    """Mole fractions of the well-mixed gases by year as netCDF."""
    table = np.loadtxt(wrf / "CAMtr_volume_mixing_ratio.SSP245", comments="#")
    with netCDF4.Dataset(output, "w") as f:
        f.source = f"historical and SSP2-4.5 as in {NOTICE}: run/CAMtr_volume_mixing_ratio.SSP245"
        f.createDimension("year", len(table))
        f.createVariable("year", "i4", ("year",))[:] = table[:, 0]
        for n, (name, unit) in enumerate(GASES.items(), 1):
            v = f.createVariable(name, "f8", ("year",), zlib=True)
            v[:], v.units = unit * table[:, n], "1"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wrf", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path(__file__).parents[1] / "components")
    given = parser.parse_args()
    ozone(given.wrf, given.output / "radiation" / "climatology_data" / "ozone.nc")
    greenhouse_gases(given.wrf, given.output / "science" / "greenhouse_gases.nc")
