# SPDX-License-Identifier: BSD-3-Clause
"""Command line: ``python -m components.atmosphere.nonhydrostatic.column CASE.yaml -o profiles.nc``."""

from collections.abc import Sequence

from components.atmosphere.nonhydrostatic.column.parameters import CASES, read_case
from components.science.single_column.command import Column, run_column


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a column; 0, or the code of a mistake.

    Parameters
    ----------
    arguments : words of the command; by default those of the process
    """
    return run_column(__doc__, "components.atmosphere.nonhydrostatic.column", CASES, read_case, load, arguments)


def load() -> Column:
    """The atmosphere's column."""
    from components.atmosphere.nonhydrostatic.column.output import write
    from components.atmosphere.nonhydrostatic.column.run import run

    return Column(lambda case, path: run(case), write)


if __name__ == "__main__":
    raise SystemExit(main())
