# SPDX-License-Identifier: BSD-3-Clause
"""A table of monthly means in CSV: a row a station, a column a month (``2014-01-15``), in ppm.

Columns ``sitename``, ``lon``, ``lat``, ``file``; heights come from a table beside it whose name begins with ``df_meta``
(columns FILENAME and ALTITUDE), if there is one.
"""

import csv
import re
from pathlib import Path

import numpy as np

from components.chemistry.stations.series import Found, seconds_of_text, series_of, wrong_places
from components.chemistry.stations.text_tables import lines_of, number

PPM = 1e-6


def is_table(first: str) -> bool:
    """Whether a text is such a table.

    Parameters
    ----------
    first : its first line
    """
    words = first.lower().split(",")
    return {"lon", "lat"} <= set(words) and any(re.match(r"\d{4}-\d\d", w) for w in words)


def read(path: Path, lines: list[str]) -> Found:
    """The series of a table.

    Parameters
    ----------
    path : of the file
    lines : of it
    """
    columns, *rows = list(csv.reader(lines))
    low = [c.strip().lower() for c in columns]
    months = [k for k, c in enumerate(columns) if re.fullmatch(r"\d{4}-\d\d(-\d\d)?", c.strip())]
    lon, lat = low.index("lon"), low.index("lat")
    name = low.index("sitename") if "sitename" in low else None
    code = low.index("file") if "file" in low else None
    begin = np.array([seconds_of_text(columns[k].strip()[:7] + "-01") for k in months])
    end = np.array([_next_month(columns[k].strip()[:7]) for k in months])
    heights = _heights(path)
    series = []
    for n, row in enumerate(rows, 2):
        if len(row) < len(columns):
            return Found((), (), (f"line {n}: expected {len(columns)} columns, found {len(row)}",))
        value = np.array([number(row[k]) for k in months]) * PPM
        who = row[code].strip() if code is not None else ""
        words = row[name] if name is not None else who or f"line {n}"
        place = (number(row[lon]), number(row[lat]), heights.get(who, np.nan))
        label = f"{words.strip()} ({who.split('.')[0]})" if who else words
        series.append(series_of(label, place, begin, end, value, np.full(len(months), np.nan), np.isfinite(value)))
    return Found(tuple(series), (), tuple(wrong_places(series, "ppm")))


def _next_month(text: str) -> float:
    return float((np.datetime64(text, "M") + 1).astype("datetime64[s]").astype(np.int64))


def _heights(path: Path) -> dict[str, float]:
    out: dict[str, float] = {}
    for other in sorted(path.parent.glob("df_meta*.csv")):
        for row in csv.DictReader(lines_of(other)):
            if "FILENAME" in row and "ALTITUDE" in row:
                out[row["FILENAME"].strip()] = number(row["ALTITUDE"])
    return out
