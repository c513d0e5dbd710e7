# SPDX-License-Identifier: BSD-3-Clause
"""Make the observations that runs are scored against, from public-domain climatologies.

    python data/make_observations.py --datasets FOLDER [--output data]

FOLDER as for make_inputs.py. Observations stay as they are: nothing is filled or smoothed; only the region is cut out,
units become SI, names CF, and signs what the CF name says. Cells without ships have no value.

- COADS: monthly means of 1946-1989 on 2 degrees (Woodruff et al. 1987).
- Esbensen and Kushnir (1981): monthly heat budget of the sea surface, 5 x 4 degrees.
"""

import argparse
import datetime
from pathlib import Path

import numpy as np
from ferret_datasets import open_file
from make_inputs import dataset, write

KELVIN = 273.15
BOX = (64.0, 166.0, -16.0, 72.0)


def cut(data, x, y):
    """The region of a global data set, with its longitudes and latitudes, south first."""
    west, east, south, north = BOX
    data = data.assign_coords({x: data[x] % 360.0}).sortby(x).sortby(y)
    data = data.sel({x: slice(west, east), y: slice(south, north)})
    return data, data[x].values.astype(float), data[y].values.astype(float)


def coads(datasets):
    """Sea surface temperature, air, humidity, wind and pressure over the sea."""
    data, lon, lat = cut(open_file(datasets, "coads_climatology.cdf"), "COADSX", "COADSY")
    get = lambda name: np.where(np.abs(data[name].values) < 1e20, data[name].values, np.nan).astype(float)  # noqa: E731
    fields = {
        "sea_surface_temperature": (get("SST") + KELVIN, "K", "sea surface temperature"),
        "air_temperature": (get("AIRT") + KELVIN, "K", "air temperature at ships"),
        "specific_humidity": (1e-3 * get("SPEH"), "1", "specific humidity at ships"),
        "wind_speed": (get("WSPD"), "m s-1", "mean of wind speeds"),
        "eastward_wind": (get("UWND"), "m s-1", "mean eastward wind"),
        "northward_wind": (get("VWND"), "m s-1", "mean northward wind"),
        "air_pressure_at_mean_sea_level": (100.0 * get("SLP"), "Pa", "sea-level pressure"),
    }
    return dataset(lon, lat, (2.0, 2.0), fields, {}, "COADS monthly climatology, East Asia", "COADS, 1946-1989")


def esku(datasets):
    """Turbulent and radiative fluxes of the sea surface."""
    data, lon, lat = cut(open_file(datasets, "esku_heat_budget.cdf"), "ESKUX", "ESKUY")
    get = lambda name: np.where(np.abs(data[name].values) < 1e20, data[name].values, np.nan).astype(float)  # noqa: E731
    fields = {
        "surface_upward_latent_heat_flux": (get("FLH"), "W m-2", "latent heat flux"),
        "surface_upward_sensible_heat_flux": (get("FSH"), "W m-2", "sensible heat flux"),
        "surface_net_downward_shortwave_flux": (get("FSR"), "W m-2", "net shortwave"),
        "surface_net_downward_longwave_flux": (-get("FUL"), "W m-2", "net longwave"),
        "surface_downward_heat_flux_in_sea_water": (get("FDH"), "W m-2", "net heat flux into the sea"),
    }
    title = "Esbensen and Kushnir monthly heat budget, East Asia"
    return dataset(lon, lat, (5.0, 4.0), fields, {}, title, "Esbensen and Kushnir (1981)")


def main():
    """Read, cut, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=Path, required=True, help="folder of the ferret-datasets files")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, help="folder to write to")
    options = parser.parse_args()
    made = f"{datetime.date.today().isoformat()}: made by data/make_observations.py"
    write(coads(options.datasets).assign_attrs(history=made), options.output / "east_asia_observed_coads.nc")
    write(esku(options.datasets).assign_attrs(history=made), options.output / "east_asia_observed_esku.nc")


if __name__ == "__main__":
    main()
