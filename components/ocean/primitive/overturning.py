# SPDX-License-Identifier: BSD-3-Clause
"""Overturning of a run from its restarts: ``python -m components.ocean.primitive.overturning SEA.nc RESTART...``.

SEA.nc is the ocean's input file, RESTART an ``ocean.nc`` in a run's ``restart`` folder. The mean over the restarts is
printed: by latitude the extremes of the meridional stream function and their depths, and the net transport.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import netCDF4
import numpy as np
import torch

from components.ocean.primitive.diagnostics import overturning
from components.ocean.primitive.inputs import read_inputs
from components.ocean.primitive.regional import build_region
from components.ocean.primitive.stencil import HALO


def of_restarts(sea: Path, restarts: Sequence[Path]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Depths of the interfaces (m), latitudes of the rows, and the mean stream function ``(z + 1, y)``, Sv.

    Parameters
    ----------
    sea : input file of the ocean
    restarts : files of states over its sea floor
    """
    inputs = read_inputs(sea)
    g = build_region(inputs, ("east", "south"), no_slip=False).geometry
    total = np.zeros((g.levels + 1, g.shape[0]))
    for path in restarts:
        with netCDF4.Dataset(path) as data:
            v, eta = (
                torch.nn.functional.pad(torch.from_numpy(np.asarray(data[f"state.{n}"][:], float)), (HALO,) * 4)
                for n in ("v", "eta")
            )
        total += overturning(v, eta, g)
    depth = np.concatenate([[0.0], np.cumsum(inputs.thickness)])
    north = inputs.latitude + 0.5 * (inputs.latitude[1] - inputs.latitude[0])
    return depth, north, total / len(restarts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table.

    Parameters
    ----------
    arguments : words of the command; by default those of the process
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sea", type=Path)
    parser.add_argument("restarts", type=Path, nargs="+")
    parser.add_argument("--every", type=int, default=8, help="rows between two lines")
    a = parser.parse_args(arguments)
    depth, north, psi = of_restarts(a.sea, a.restarts)
    print("latitude     most, Sv  at m   least, Sv  at m    net, Sv")
    for row in range(a.every - 1, north.size - 1, a.every):
        column = psi[:, row]
        most, least = int(column.argmax()), int(column.argmin())
        print(
            f"{north[row]:8.2f} {column[most]:12.2f} {depth[most]:5.0f} {column[least]:11.2f} {depth[least]:5.0f}"
            f" {column[-1]:10.2f}"
        )


if __name__ == "__main__":
    main()
