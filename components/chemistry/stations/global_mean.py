# SPDX-License-Identifier: BSD-3-Clause
"""The global mean of carbon dioxide near the sea's surface, month by month (NOAA Global Monitoring Laboratory).

A CSV whose rows are month, decimal year, average, its uncertainty, trend, its uncertainty; the header of the public
table names four of these six, so that columns count by their place.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from components.chemistry.stations.series import Floats
from components.chemistry.stations.text_tables import lines_of
from coupler.errors import CaseError

FILE = "global_mean_carbon_dioxide.csv"
PPM = 1e-6


class GlobalMean(NamedTuple):
    """Values at the middles of months.

    Attributes
    ----------
    time : (n,) s since 1970-01-01
    average : (n,) mole fraction with its season
    trend : (n,) without
    """

    time: Floats
    average: Floats
    trend: Floats

    def trend_at(self, time: Floats) -> Floats:
        """The trend at some times, mol mol-1; before and after the table its first and last value.

        Parameters
        ----------
        time : (m,) s since 1970-01-01
        """
        return np.interp(time, self.time, self.trend)


def read(path: Path) -> GlobalMean:
    """The table of a file.

    Parameters
    ----------
    path : of the file

    Raises
    ------
    CaseError
        No such table.
    """
    if not path.exists():
        raise CaseError(f"{path} does not exist, neither in the case nor in data/")
    rows = [row for row in csv.reader(lines_of(path)) if row and row[0][:1].isdigit()]
    if not rows or any(len(row) != 6 for row in rows):
        found = f"{len(rows[0])} columns" if rows else "no row that begins with a month"
        raise CaseError(
            f"{path.name}: expected rows of month, decimal year, average, uncertainty, trend and "
            f"uncertainty; found {found}"
        )
    try:
        month = np.array([row[0][:7] for row in rows], dtype="datetime64[M]")
        average, trend = (np.array([float(row[k]) for row in rows]) * PPM for k in (2, 4))
    except ValueError as error:
        raise CaseError(f"{path.name}: expected months such as 2014-01 and numbers; {error}") from error
    edges = [a.astype("datetime64[s]").astype(np.int64) for a in (month, month + 1)]
    if not (np.all(average > 1e-4) and np.all(trend > 1e-4)):
        raise CaseError(f"{path.name}: expected averages and trends in ppm, found less than 100 ppm")
    middle = 0.5 * (edges[0] + edges[1]).astype(np.float64)
    return GlobalMean(middle, average, trend)
