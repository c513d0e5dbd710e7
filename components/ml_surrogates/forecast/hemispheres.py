# SPDX-License-Identifier: BSD-3-Clause
"""An analysis with north and south exchanged: the other half of its weather, for a map of the northern hemisphere."""

from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from coupler.errors import CaseError
from coupler.files.atomic import whole_file
from coupler.netcdf.short_names import NEAR_GROUND, UPPER_AIR

LATITUDES = ("latitude", "lat")
NORTHWARD = {*UPPER_AIR["northward_wind"], *NEAR_GROUND["northward_wind"]}


def exchanged(files: Sequence[str], folder: Path) -> list[str]:
    """Files in which each latitude holds what the opposite one held, northward winds with the other sign.

    The equations of motion are the same in the mirror, where the Coriolis parameter has changed its sign.

    Parameters
    ----------
    files : netCDF, of a globe
    folder : where the new ones are written, by the same names

    Raises
    ------
    CaseError
        A file without latitudes that lie alike on both sides of the equator.
    """
    found = []
    for name in files:
        with xr.open_dataset(name, decode_times=False) as opened:
            data = opened.load().drop_encoding()
        latitude = next((k for k in LATITUDES if k in data.dims), None)
        if latitude is None or not bool(abs(data[latitude] + data[latitude].values[::-1] < 1e-3).all()):
            raise CaseError(f"{name}: expected latitudes of a whole globe, alike in north and south, found others")
        turned = data.isel({latitude: slice(None, None, -1)}).assign_coords({latitude: data[latitude].values})
        for k in NORTHWARD & set(turned.data_vars):
            turned[k] = -turned[k]
        path = folder / Path(name).name
        with whole_file(path) as part:
            turned.to_netcdf(part)
        found.append(str(path))
    return found
