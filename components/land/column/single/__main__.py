# SPDX-License-Identifier: BSD-3-Clause
"""Command line: ``python -m components.land.column.single CASE.yaml -o site.nc``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from components.land.column.single.parameters import CASES, read_case
from components.science.single_column.parameters import find
from coupler.errors import TesseraError
from coupler.paths import NAMELISTS


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the namelist, run the column, write its series; 0, or the code of a mistake.

    Parameters
    ----------
    arguments : words of the command; by default those of the process
    """
    parser = argparse.ArgumentParser(prog="python -m components.land.column.single", description=__doc__)
    parser.add_argument("case", help=f"namelist, or the word of one in namelists/{CASES}")
    parser.add_argument("-o", "--out", type=Path, help="netCDF file to write; by default NAME.nc here")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="wins over the namelist")
    a = parser.parse_args(arguments)
    try:
        path = find(a.case, NAMELISTS / CASES)
        case = read_case(path, a.set)
        from components.land.column.single.output import write
        from components.land.column.single.run import run

        torch.set_num_threads(1)
        course = run(case, path.parent, lambda text: print(text, file=sys.stderr))
        out = a.out or Path(f"{path.stem}.nc")
        write(out, case, course)
    except TesseraError as error:
        print(error, file=sys.stderr)
        return getattr(error, "exit_code", 1)
    print(f"{case.title}: {course.time[-1] / 3600.0:g} h in {out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
