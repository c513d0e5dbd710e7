# SPDX-License-Identifier: BSD-3-Clause
"""The command ``downscale``: its options, and what its help teaches; light, for every command line reads it."""

from __future__ import annotations

import argparse
from pathlib import Path

from coupler.paths import COMMAND

EXAMPLES = f"""The network that comes with the project makes precipitation and the temperature at 2 m finer, from cells
of 100 km to cells of 25 km. The run must have written hourly means of both in one stream of the atmosphere's output:

  - {{name: coarse, fields: [air_temperature_at_2m, precipitation_flux], period: PT1H, statistic: mean}}

examples:
  {COMMAND} downscale cases/winter                          4 members of all records: run/downscaled
  {COMMAND} downscale cases/winter --day 2001-01-02 --members 8 --seed 3
  {COMMAND} downscale cases/winter --network my_network     one of your own (docs/surrogates.md)

Each member keeps the coarse means it came from. Members are drawn anew for each record: they are no courses in time.
"""


def describe_downscale(p: argparse.ArgumentParser) -> None:
    """Add the options of the command.

    Parameters
    ----------
    p : parser of the command
    """
    p.add_argument("case", type=Path, help="a case that has run")
    p.add_argument("--members", type=int, default=4, metavar="N", help="draws of each record (default: 4)")
    p.add_argument("--seed", type=int, default=1, metavar="N", help="of the draws (default: 1)")
    p.add_argument("--day", metavar="DATE", help="records that end on that day, such as 2001-01-05 (default: all)")
    p.add_argument("--component", help="whose output (default: the only one with the fields)")
    p.add_argument("--network", type=Path, metavar="PATH", help="trained networks, without ending (default: shipped)")
    p.add_argument("--out", type=Path, metavar="FILE", help="(default: CASE/run/downscaled/COMPONENT.STREAM.nc)")
    p.add_argument("--overwrite", action="store_true", help="draw anew what --out has")
