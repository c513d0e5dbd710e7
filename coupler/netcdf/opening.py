# SPDX-License-Identifier: BSD-3-Clause
"""Opening a netCDF file, or saying what it is instead."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import netCDF4

from coupler.errors import ForcingError, TesseraError

NETCDF = (b"CDF", b"\x89HDF")
INSTEAD = (
    (b"PK\x03\x04", "is a zip archive{inside}; unpack it first: unzip {name}"),
    (b"\x1f\x8b", "is compressed with gzip; unpack it first: gunzip {name}"),
    (b"BZh", "is compressed with bzip2; unpack it first: bunzip2 {name}"),
    (b"\xfd7zXZ", "is compressed with xz; unpack it first: unxz {name}"),
    (b"version https://git-lfs", "is a pointer of Git LFS, not the data; fetch them: git lfs pull"),
    (b"GRIB", "is GRIB; convert it first: grib_to_netcdf of ecCodes, or cdo -f nc copy"),
    (b"<", "is a web page (HTML), not data: the download has failed; fetch it again"),
    (b"{", "is JSON, not data: the download has failed; fetch it again"),
)
"""First bytes of a file, and what they say."""


def open_dataset(path: str | os.PathLike[str], error: type[TesseraError] = ForcingError) -> Any:
    """An open `netCDF4.Dataset` whose numbers come as they are stored (see `coupler.netcdf.packed`).

    Parameters
    ----------
    path : str or Path
        The file.
    error : type
        What is raised of a file that cannot be read, with its name and what it is.
    """
    try:
        dataset = netCDF4.Dataset(path)
    except (OSError, RuntimeError) as problem:
        raise error(what_is_wrong(Path(path), str(problem))) from None
    dataset.set_auto_maskandscale(False)
    return dataset


def what_is_wrong(path: Path, reason: str = "") -> str:
    """A sentence on a file that is no readable netCDF."""
    if path.is_dir():
        return f"{path} cannot be read as netCDF: it is a folder; name a file in it"
    if not path.exists():
        return f"{path} cannot be read as netCDF: it does not exist"
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            start = file.read(64)
    except OSError as problem:
        return f"{path} cannot be read: {problem.strerror}"
    if not size:
        return f"{path} cannot be read as netCDF: it is empty (0 bytes); fetch or make it again"
    for mark, text in INSTEAD:
        if start.lstrip(b" \r\n\t\xef\xbb\xbf").startswith(mark):
            return f"{path} cannot be read as netCDF: it {text.format(name=path.name, inside=_inside(path))}"
    if start.startswith(NETCDF):
        return f"{path} cannot be read as netCDF: it is cut short or damaged ({size} bytes: {reason}); fetch it again"
    return f"{path} cannot be read as netCDF: it is some other kind of file ({reason})"


def _inside(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            return f" of {', '.join(archive.namelist()[:5])}"
    except (OSError, zipfile.BadZipFile):
        return ""
