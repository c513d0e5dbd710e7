# SPDX-License-Identifier: BSD-3-Clause
"""A file that somebody looks at, with HDF5's lock on it, does not stop the run that writes it."""

import fcntl
import os
import subprocess
import sys

import netCDF4

WRITES = """
import sys
import coupler.netcdf, netCDF4
netCDF4.Dataset(sys.argv[1]).close()  # inputs are read before anything is written
import coupler.case.launch
netCDF4.Dataset(sys.argv[2], "a").close()
"""


def test_a_locked_file_is_appended_to(tmp_path):
    paths = [tmp_path / name for name in ("input.nc", "history.nc")]
    for path in paths:
        netCDF4.Dataset(path, "w").close()
    env = {k: v for k, v in os.environ.items() if k != "HDF5_USE_FILE_LOCKING"}
    with paths[1].open() as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        done = subprocess.run(
            [sys.executable, "-c", WRITES, *paths], env=env, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
