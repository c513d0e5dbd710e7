# SPDX-License-Identifier: BSD-3-Clause
"""What stands under the name of a netCDF file and is none is called what it is."""

import gzip
import zipfile

import pytest

from coupler.errors import ForcingError, GridError
from coupler.netcdf.opening import open_dataset


def test_files_that_are_no_netcdf_are_called_what_they_are(tmp_path):
    import netCDF4

    with netCDF4.Dataset(tmp_path / "good.nc", "w") as file:
        file.createDimension("x", 5000)
        file.createVariable("v", "f8", ("x",))[:] = 1.0
    data = (tmp_path / "good.nc").read_bytes()
    path = tmp_path / "data.nc"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("stream-oper.nc", data)
    zipped = path.read_bytes()
    for content, words in (
        (zipped, r"a zip archive of stream-oper\.nc; unpack it first: unzip data\.nc"),
        (gzip.compress(data), "compressed with gzip"),
        (b"<!DOCTYPE html><html>401 Unauthorized", "a web page"),
        (b"\n <html>", "a web page"),
        (b'{"error": "quota"}', "JSON, not data"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS"),
        (b"GRIB\0\0\0\2", "is GRIB; convert it first"),
        (data[: len(data) // 2], "cut short or damaged"),
        (b"", r"is empty \(0 bytes\)"),
        (b"time,t\n1,2", "some other kind of file"),
    ):
        path.write_bytes(content)
        for error in (ForcingError, GridError):
            with pytest.raises(error, match=words) as said:
                open_dataset(path, error)
            assert "data.nc cannot be read as netCDF" in str(said.value)
    (tmp_path / "folder.nc").mkdir()
    with pytest.raises(ForcingError, match="it is a folder"):
        open_dataset(tmp_path / "folder.nc")
    with pytest.raises(ForcingError, match="it does not exist"):
        open_dataset(tmp_path / "none.nc")
