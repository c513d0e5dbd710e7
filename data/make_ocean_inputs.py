# SPDX-License-Identifier: BSD-3-Clause
"""Make the input of the primitive-equation ocean of the East Asia case from public-domain data.

    python data/make_ocean_inputs.py --datasets FOLDER [--output data/east_asia_primitive_ocean.nc] [--step 0.5]

FOLDER holds files of the Debian package ferret-datasets (apt-get install ferret-datasets): etopo5 (or the crop
etopo5_eastasia.nc), levitus_climatology.cdf, ocean_atlas_subset.nc, coads_climatology.cdf; they may be gzipped and
lie in subfolders.

What the file holds: depth of the sea floor; conservative temperature and absolute salinity, annual (Levitus 1982)
with the monthly temperature of the World Ocean Atlas in the upper 1000 m; and what the open edges need: transports
across 150E from the Sverdrup balance of the COADS stress over the whole Pacific (Sverdrup 1947), where the eastward
flow has the thermal wind's place; balanced across 5S (Indonesian throughflow), their shear from the thermal wind.
"""

import argparse
from pathlib import Path

import numpy as np
import xarray as xr
from ferret_datasets import open_file
from ocean_grid import EAST, LEAST_CELL, NORTH, SOUTH, WEST, level_thickness
from ocean_hydrography import hydrography
from ocean_open_edges import THROUGHFLOW, open_edges
from ocean_sea_floor import WATER_TYPES, cell_depth, model_domain, open_share, prepare_bathymetry, water_types


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=Path, required=True, help="folder of the ferret datasets")
    parser.add_argument("--output", type=Path, default=Path("data/east_asia_primitive_ocean.nc"))
    parser.add_argument("--step", type=float, default=0.5, help="cell size in degrees (0.5 or 0.25)")
    a = parser.parse_args()
    lon, lat = np.arange(WEST + 0.5 * a.step, EAST, a.step), np.arange(SOUTH + 0.5 * a.step, NORTH, a.step)
    dz = level_thickness()
    z = np.cumsum(dz) - 0.5 * dz
    relief = cell_depth(open_file(a.datasets, "etopo5_eastasia.nc", "etopo5.cdf"), lon, lat, a.step)
    depth = prepare_bathymetry(relief, lon, lat)
    share = open_share(depth, lon, lat, a.step)
    reached = depth[None] > (np.cumsum(dz) - dz + LEAST_CELL * dz)[:, None, None]
    temperature, salinity = hydrography(a.datasets, z, lat, lon, reached)
    edges = open_edges(a.datasets, depth, temperature, salinity, z, dz, lat, lon, a.step)
    upper = z < 1000.0
    mean = temperature.mean(0)
    data = xr.Dataset(
        {
            "sea_floor_depth_below_geoid": (("latitude", "longitude"), depth, {"units": "m"}),
            "model_domain_binary_mask": (("latitude", "longitude"), model_domain(depth, relief),
                {"units": "1", "comment": "0: seas that are left out, and the ring of the open edges"}),
            "jerlov_water_type": (("latitude", "longitude"), water_types(depth, mean[0]),
                {"units": "1", "flag_values": np.arange(len(WATER_TYPES), dtype=np.int8),
                 "flag_meanings": " ".join(WATER_TYPES)}),
            "open_share_of_eastern_faces": (("latitude", "longitude"), share[0],
                {"units": "1", "comment": "of the face's length, what is water in a strait narrower than a cell"}),
            "open_share_of_northern_faces": (("latitude", "longitude"), share[1], {"units": "1"}),
            "sea_water_conservative_temperature": (("depth", "latitude", "longitude"), mean,
                {"units": "degree_C", "comment": "annual mean"}),
            "sea_water_conservative_temperature_anomaly": (
                ("month", "upper_depth", "latitude", "longitude"), (temperature - mean)[:, upper],
                {"units": "K", "comment": "month less annual mean"},
            ),
            "sea_water_absolute_salinity": (("depth", "latitude", "longitude"), salinity,
                {"units": "g kg-1", "comment": "annual mean"}),
            "cell_thickness": (("depth",), dz, {"units": "m"}),
            "eastern_transport": (("latitude",), edges["transport_u"],
                {"units": "m2 s-1", "comment": "eastward, across the eastern edge"}),
            "eastern_velocity": (("depth", "latitude"), edges["u"], {"units": "m s-1"}),
            "eastern_sea_level": (("latitude",), edges["eta_east"], {"units": "m"}),
            "southern_transport": (("longitude",), edges["transport_v"],
                {"units": "m2 s-1", "comment": "northward, across the southern edge"}),
            "southern_velocity": (("depth", "longitude"), edges["v"], {"units": "m s-1"}),
            "southern_sea_level": (("longitude",), edges["eta_south"], {"units": "m"}),
        },
        coords={
            "longitude": ("longitude", lon, {"units": "degrees_east", "standard_name": "longitude"}),
            "latitude": ("latitude", lat, {"units": "degrees_north", "standard_name": "latitude"}),
            "depth": ("depth", z, {"units": "m", "positive": "down", "standard_name": "depth"}),
            "upper_depth": ("upper_depth", z[upper], {"units": "m", "positive": "down"}),
            "month": ("month", np.arange(1, 13), {"long_name": "month of the year"}),
        },
        attrs={
            "Conventions": "CF-1.11", "title": "Sea floor, hydrography and open edges of the East Asian seas",
            "source": "ETOPO5; Levitus (1982); World Ocean Atlas; COADS, of NOAA PMEL's Ferret distribution",
            "history": "made by data/make_ocean_inputs.py",
        },
    )  # fmt: skip
    encoding = {name: {"zlib": True, "complevel": 6, "dtype": "float32"} for name in data.data_vars}
    for name in ("model_domain_binary_mask", "jerlov_water_type"):
        encoding[name] = {"zlib": True, "dtype": "int8"}
    for name in (
        "sea_water_conservative_temperature_anomaly",
        "sea_water_conservative_temperature",
        "sea_water_absolute_salinity",
    ):
        scale = 5e-4 if "anomaly" in name or "salinity" in name else 1e-3
        offset = 30.0 if "salinity" in name else 0.0
        encoding[name] = {
            "zlib": True,
            "complevel": 9,
            "dtype": "int16",
            "scale_factor": scale,
            "add_offset": offset,
            "_FillValue": -32768,
        }
    wet = depth > 0
    for name in (
        "sea_water_conservative_temperature",
        "sea_water_conservative_temperature_anomaly",
        "sea_water_absolute_salinity",
    ):
        data[name] = data[name].where(wet)
    data.to_netcdf(a.output, encoding=encoding)
    print(
        f"{a.output}: {int(wet.sum())} wet columns, {edges['net'] / 1e6:.1f} Sv leave across 150E, "
        f"{THROUGHFLOW / 1e6:.0f} Sv across 5S, {edges['new_guinea'] / 1e6:.1f} Sv come in along New Guinea"
    )


if __name__ == "__main__":
    main()
