# SPDX-License-Identifier: BSD-3-Clause
"""The network of the template east_asia_coupled, out of ETOPO5 (public domain): data/east_asia_rivers.nc.

    python data/make_rivers.py etopo5_eastasia.nc [DEGREES]

Relief of any CF file with longitudes and latitudes will do. Land is where the package global-land-mask has it.
"""

import sys
from pathlib import Path

from components.land.rivers.prepare import prepare
from coupler.grids.grid import Grid

if __name__ == "__main__":
    degrees = float(sys.argv[2]) if len(sys.argv) > 2 else 0.25
    grid = Grid.regular_lonlat("rivers", 85, 159.5, -10, 64.5, resolution=degrees)
    out = Path(__file__).parent / "east_asia_rivers.nc"
    prepare(grid, [Path(sys.argv[1])], out, lambda text, share: print(text))
