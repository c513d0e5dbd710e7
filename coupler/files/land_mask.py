# SPDX-License-Identifier: BSD-3-Clause
"""Which places on Earth are land: the mask of 1 km of the package global_land_mask, without its gigabyte.

The package unpacks 43200 x 21600 truth values into every process that imports it. Kept here are the places along its
rows where land and sea meet (some megabytes), worked out once and read from the user's cache by all processes.
"""

import functools
import importlib.util
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coupler.errors import TesseraError
from coupler.files.atomic import DiskError, whole_file
from coupler.paths import user_cache

ROWS, COLUMNS = 21600, 43200
"""Of the mask, from the north; and from 180 degrees west."""
FIRST, SECOND = ((90.0 - n * 180.0 / ROWS, -180.0 + n * 360.0 / COLUMNS) for n in (0, 1))
"""Latitude and longitude of rows and columns, degrees; a place on an edge falls where the package has it."""
BLOCK = 200
"""Rows unpacked at once."""


def is_land(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether places are land; lakes are.

    Parameters
    ----------
    longitude, latitude : degrees, of shapes that broadcast; any longitude, latitudes from -90 to 90

    Returns
    -------
    array of bool

    Raises
    ------
    ValueError
        A latitude beyond a pole, or not a number.

    Examples
    --------
    >>> is_land([116.4, -180.0, 300.0], [39.9, 0.0, -20.0]).tolist()  # Beijing, the Pacific, Bolivia
    [True, False, True]
    """
    x, y = np.broadcast_arrays(np.asarray(longitude, dtype=np.float64), np.asarray(latitude, dtype=np.float64))
    wrong = ~((np.abs(y) <= 90.0) & np.isfinite(x))
    if wrong.any():
        n = np.flatnonzero(wrong)[0]
        raise ValueError(
            f"expected latitudes from -90 to 90 and finite longitudes, found {y.flat[n]:g} N {x.flat[n]:g} E"
        )
    x = np.where(np.abs(x) <= 180.0, x, (x + 180.0) % 360.0 - 180.0)
    row = ((np.maximum(y, 180.0 / ROWS - 90.0) - FIRST[0]) / (SECOND[0] - FIRST[0])).astype(np.int64)
    column = ((np.minimum(x, 180.0 - 360.0 / COLUMNS) - FIRST[1]) / (SECOND[1] - FIRST[1])).astype(np.int64)
    return np.asarray(np.searchsorted(_coasts(), row * COLUMNS + column, side="right") % 2 == 1)


@functools.cache
def _coasts() -> npt.NDArray[np.int64]:
    """Where land begins and ends, in turn, along the rows laid end to end."""
    source = _source()
    kept = user_cache() / f"coasts_{source.stat().st_size}.npy"
    try:
        found: npt.NDArray[np.int64] = np.load(kept, mmap_mode="r")
    except (OSError, ValueError, EOFError):  # not there yet, or cut
        found = _unpacked(source)
        try:
            with whole_file(kept) as part, open(part, "wb") as handle:
                np.save(handle, found)
        except DiskError:
            pass  # each process unpacks it for itself
    return found


def _source() -> Path:
    spec = importlib.util.find_spec("global_land_mask")
    if spec is None or spec.origin is None:
        raise TesseraError("expected the package global_land_mask, found none: pip install global-land-mask")
    return Path(spec.origin).with_name("globe_combined_mask_compressed.npz")


def _unpacked(source: Path) -> npt.NDArray[np.int64]:
    """Where the mask changes, read some rows at a time; it holds True at sea."""
    changes, before = [], True  # as if sea lay before the first
    with zipfile.ZipFile(source) as archive, archive.open("mask.npy") as packed:
        np.lib.format.read_magic(packed)
        shape, fortran, kind = np.lib.format.read_array_header_1_0(packed)
        if shape != (ROWS, COLUMNS) or fortran or kind != np.bool_:
            raise TesseraError(f"{source}: expected {ROWS} x {COLUMNS} truth values, found {shape} of {kind}")
        for first in range(0, ROWS, BLOCK):
            sea = np.frombuffer(packed.read(BLOCK * COLUMNS), dtype=np.bool_)
            changes.append(np.flatnonzero(np.diff(sea, prepend=before)) + first * COLUMNS)
            before = bool(sea[-1])
    return np.concatenate(changes)
