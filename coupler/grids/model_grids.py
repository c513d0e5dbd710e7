# SPDX-License-Identifier: BSD-3-Clause
"""Grid files of single models: MOM6's supergrid and WRF's geo_em."""

from __future__ import annotations

from typing import Any

import numpy as np

from coupler.errors import GridError
from coupler.grids.geometry import Edges, Floats, Geometry
from coupler.grids.masks import read_mask
from coupler.netcdf.coordinates import degrees


def is_supergrid(file: Any) -> bool:
    """Whether a file is a supergrid of MOM6 (FMS ``ocean_hgrid.nc``)."""
    return {"x", "y"} <= set(file.variables) and file["x"].dimensions == file["y"].dimensions == ("nyp", "nxp")


def read_supergrid(file: Any, name: str, edges: Edges | None, crs: str | None) -> Geometry:
    """The cells of a supergrid, which has their centres, corners and the middles of their sides."""
    x, y = (degrees(file[n], error=GridError) for n in "xy")
    if x.shape[0] % 2 == 0 or x.shape[1] % 2 == 0 or min(x.shape) < 3:
        raise GridError(
            f"{file.filepath()}: a supergrid of MOM6 has an odd number of points each way, twice the cells and one; "
            f"this one has {x.shape[0]} x {x.shape[1]}; give the whole supergrid"
        )
    return Geometry(
        name, x[1::2, 1::2], y[1::2, 1::2], x[::2, ::2], y[::2, ::2], {}, edges or "great_circle", crs
    )  # fmt: skip


def read_wrf(file: Any, name: str, edges: Edges | None, crs: str | None) -> Geometry:
    """The mass points of WRF (geo_em, wrfinput, wrfout), with the corners that geo_em has; mask ``land``."""
    suffix = "_M" if "XLAT_M" in file.variables else ""
    if f"XLONG{suffix}" not in file.variables:
        raise GridError(
            f"{file.filepath()}: a file of WRF with XLAT{suffix} also has XLONG{suffix}; this one does not: add it"
        )
    lon, lat = (_first(degrees(file[f"{n}{suffix}"], error=GridError)) for n in ("XLONG", "XLAT"))
    corners: list[Floats | None] = [None, None]
    if "XLAT_C" in file.variables and "XLONG_C" in file.variables:
        corners = [_first(degrees(file[n], error=GridError)) for n in ("XLONG_C", "XLAT_C")]
    masks = {"land": read_mask(file["LANDMASK"], lon.shape)} if "LANDMASK" in file.variables else {}
    return Geometry(name, lon, lat, corners[0], corners[1], masks, edges or "great_circle", crs or _crs(file))


def _first(values: Floats) -> Floats:
    return values[0] if values.ndim == 3 else values


def _crs(file: Any) -> str | None:
    """PROJ string of WRF's projection on its sphere of 6370 km."""

    def of(key: str) -> float:
        return float(getattr(file, key, np.nan))

    text = {
        1: f"+proj=lcc +lat_1={of('TRUELAT1'):g} +lat_2={of('TRUELAT2'):g} +lat_0={of('MOAD_CEN_LAT'):g} "
        f"+lon_0={of('STAND_LON'):g}",
        2: f"+proj=stere +lat_0={np.copysign(90.0, of('TRUELAT1')):g} +lat_ts={of('TRUELAT1'):g} "
        f"+lon_0={of('STAND_LON'):g}",
        3: f"+proj=merc +lat_ts={of('TRUELAT1'):g} +lon_0={of('STAND_LON'):g}",
    }.get(int(getattr(file, "MAP_PROJ", 0)))
    return f"{text} +R=6370000" if text and "nan" not in text else None
