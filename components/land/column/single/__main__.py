# SPDX-License-Identifier: BSD-3-Clause
"""Command line: ``python -m components.land.column.single CASE.yaml -o site.nc``."""

import sys
from collections.abc import Sequence

from components.land.column.single.parameters import CASES, read_case
from components.science.single_column.command import Column, run_column


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a column; 0, or the code of a mistake.

    Parameters
    ----------
    arguments : words of the command; by default those of the process
    """
    return run_column(__doc__, "components.land.column.single", CASES, read_case, load, arguments)


def load() -> Column:
    """The land's column, which tells its progress."""
    from components.land.column.single.output import write
    from components.land.column.single.run import run

    return Column(lambda case, path: run(case, path.parent, lambda text: print(text, file=sys.stderr)), write)


if __name__ == "__main__":
    raise SystemExit(main())
