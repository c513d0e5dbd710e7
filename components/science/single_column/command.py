# SPDX-License-Identifier: BSD-3-Clause
"""The command line of a single column: a namelist in, a file out."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from components.science.single_column.parameters import find
from coupler.errors import TesseraError
from coupler.paths import NAMELISTS


class Column(NamedTuple):
    """A model's column.

    Attributes
    ----------
    run : of the namelist and its path to the course
    write : of the file's path, the namelist and the course
    """

    run: Callable[[Any, Path], Any]
    write: Callable[[Path, Any, Any], None]


def run_column(
    about: str, module: str, cases: str, read: Callable[[Path, Sequence[str]], Any], load: Callable[[], Column],
    arguments: Sequence[str] | None,
) -> int:  # fmt: skip
    """Read the namelist, run the column, write what became of it; 0, or the code of a mistake.

    Parameters
    ----------
    about : text of the help
    module : as it stands behind ``python -m``
    cases : folder of the project's own in ``namelists``
    read : a namelist from its file and the words of ``--set``
    load : the column, whose modules are slow to load: only when the namelist is right
    arguments : words of the command; None: those of the process
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    parser.add_argument("case", help=f"namelist, or the word of one in namelists/{cases}")
    parser.add_argument("-o", "--out", type=Path, help="netCDF file to write; by default NAME.nc here")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="wins over the namelist")
    a = parser.parse_args(arguments)
    try:
        path = find(a.case, NAMELISTS / cases)
        case = read(path, a.set)
        column = load()
        torch.set_num_threads(1)
        course = column.run(case, path)
        out = a.out or Path(f"{path.stem}.nc")
        column.write(out, case, course)
    except (TesseraError, FloatingPointError) as error:
        print(error, file=sys.stderr)
        return getattr(error, "exit_code", 1)
    print(f"{case.title}: {course.time[-1] / 3600.0:g} h in {out}")
    return 0
