# SPDX-License-Identifier: BSD-3-Clause
"""Command line: ``python -m components.ocean.primitive.column CASE.yaml -o profiles.nc``."""

from collections.abc import Sequence

from components.ocean.primitive.column.parameters import CASES, read_case
from components.science.single_column.command import Column, run_column


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a column; 0, or the code of a mistake.

    Parameters
    ----------
    arguments : words of the command; by default those of the process
    """
    return run_column(__doc__, "components.ocean.primitive.column", CASES, read_case, load, arguments)


def load() -> Column:
    """The ocean's column."""
    from components.ocean.primitive.column.output import write
    from components.ocean.primitive.column.run import run

    return Column(lambda case, path: run(case), write)


if __name__ == "__main__":
    raise SystemExit(main())
