# SPDX-License-Identifier: BSD-3-Clause
"""The 100 present-day columns of RFMIP-IRF (Pincus et al. 2016), for evaluation only."""

from pathlib import Path

import netCDF4
import numpy as np
import numpy.typing as npt
import torch

from components.radiation.full_columns import FullColumns
from components.science.gases import Gases
from components.science.scheme_constants import RRTMGP_MOLAR_DRY, RRTMGP_MOLAR_WATER

Array = npt.NDArray[np.float64]
INPUT = "multiple_input4MIPs_radiation_RFMIP_UColorado-RFMIP-1-2_none.nc"
REFERENCE = "{}_Efx_RTE-RRTMGP-181204_rad-irf_r1i1p1f1_gn.nc"
FLUXES = {"lw_up": "rlu", "lw_down": "rld", "sw_up": "rsu", "sw_down": "rsd"}
LOWEST = 1.0  # Pa; where the uppermost layer ends


def columns(folder: Path) -> tuple[FullColumns, Gases, Array]:
    """Columns (60 layers, 100 sites), gases, and the sun's flux at each site (W m-2)."""
    with netCDF4.Dataset(folder / INPUT) as f:
        f.set_auto_mask(False)

        def get(name: str) -> Array:
            return np.asarray(f[name][:], dtype=np.float64)

        def mean(name: str) -> float:
            return float(f[f"{name}_GM"][0]) * float(f[f"{name}_GM"].units)

        def up(a: Array) -> Array:
            """(site, level) with the top first to (level, site)."""
            return np.ascontiguousarray(a[:, ::-1].T)

        alike = ("carbon_dioxide", "methane", "nitrous_oxide", "oxygen", "cfc11", "cfc12", "carbon_tetrachloride")
        gases = Gases(**{name: mean(name) for name in alike}, cfc22=mean("hcfc22"))
        zenith = np.deg2rad(get("solar_zenith_angle"))
        p, p_i = up(get("pres_layer")), np.maximum(up(get("pres_level")), LOWEST)
        none = np.zeros_like(p)
        parts = (
            p, p_i, up(get("temp_layer")[0]), up(get("temp_level")[0]),
            up(get("water_vapor")[0]) * RRTMGP_MOLAR_WATER / RRTMGP_MOLAR_DRY, up(get("ozone")[0]), none, none, none,
            get("surface_temperature")[0], get("surface_albedo"), get("surface_emissivity"),
            np.where(zenith < np.deg2rad(89.9), np.cos(zenith), 0.0),
        )  # fmt: skip
        return FullColumns(*(torch.tensor(a) for a in parts)), gases, get("total_solar_irradiance")


def references(folder: Path) -> dict[str, Array]:
    """RTE+RRTMGP's fluxes (61, 100) W m-2, lowest level first."""
    out = {}
    for name, short in FLUXES.items():
        with netCDF4.Dataset(folder / REFERENCE.format(short)) as f:
            out[name] = np.ascontiguousarray(np.asarray(f[short][0], dtype=np.float64)[:, ::-1].T)
    return out
