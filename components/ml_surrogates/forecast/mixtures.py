# SPDX-License-Identifier: BSD-3-Clause
"""An analysis whose eddies are those of two longitudes: weather that never was, about a mean that was.

The linear balance of winds and masses about the zonal mean holds for each part, so it holds for their sum.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from coupler.errors import CaseError
from coupler.files.atomic import whole_file
from coupler.netcdf.short_names import UPPER_AIR

LONGITUDES = ("longitude", "lon")
AIR = {name for names in UPPER_AIR.values() for name in names}
HUMIDITY = {name for kind in ("specific_humidity", "relative_humidity") for name in UPPER_AIR[kind]}


def mixed(files: Sequence[str], folder: Path, east: Sequence[float], angle: float) -> list[str]:
    """Files of the zonal mean and cos(angle), sin(angle) of the eddies found further east; as much variance as before.

    Parameters
    ----------
    files : netCDF, of a globe
    folder : where the new ones are written, by the same names
    east : degrees, of both parts; to the nearest grid point
    angle : of the shares, radians

    Returns
    -------
    list of str
        Humidity lies within what its circle of latitude had.

    Raises
    ------
    CaseError
        A file without evenly spaced longitudes around the globe.
    """
    found = []
    for name in files:
        with xr.open_dataset(name, decode_times=False) as opened:
            data = opened.load().drop_encoding()
        along = next((k for k in LONGITUDES if k in data.dims), None)
        steps = np.diff(data[along].values) if along else np.zeros(1)
        if along is None or not np.allclose(steps * data.sizes[along], 360.0, rtol=1e-3):
            raise CaseError(f"{name}: expected longitudes evenly around the globe, from west to east, found others")
        for k in (k for k in AIR & set(data.data_vars) if along in data[k].dims):
            mean = data[k].mean(along)
            eddy = data[k] - mean
            parts = [eddy.roll({along: -round(e / float(steps[0]))}, roll_coords=False) for e in east]
            new = mean + np.cos(angle) * parts[0] + np.sin(angle) * parts[1]
            if k in HUMIDITY:
                new = new.clip(data[k].min(along), data[k].max(along))
            data[k] = new.transpose(*data[k].dims).astype(data[k].dtype).assign_attrs(data[k].attrs)
        path = folder / Path(name).name
        with whole_file(path) as part:
            data.to_netcdf(part)
        found.append(str(path))
    return found
