# SPDX-License-Identifier: BSD-3-Clause
"""Files of the Debian package ferret-datasets, wherever under a folder they lie."""

import gzip
import io
from pathlib import Path

import xarray as xr


def open_file(folder: Path, *names: str) -> xr.Dataset:
    """Open the first of the files found anywhere under ``folder``, gzipped or not."""
    for name in names:
        for path in sorted(folder.rglob(name + "*")):
            if path.name not in (name, name + ".gz"):
                continue
            print(f"reading {path}")
            if path.name == name:
                return xr.open_dataset(path, decode_times=False)
            return xr.open_dataset(io.BytesIO(gzip.open(path).read()), engine="scipy", decode_times=False)
    raise SystemExit(f"none of {', '.join(names)} is under {folder}; apt-get install ferret-datasets provides them")
