# SPDX-License-Identifier: BSD-3-Clause
"""Best tracks of the agencies: the text of RSMC Tokyo (JMA) and the CSV of IBTrACS."""

from __future__ import annotations

import csv
from pathlib import Path

import cftime
import numpy as np

from coupler.analysis.cyclones.track import Track, running_on
from coupler.errors import CaseError

KNOT = 1852.0 / 3600.0
FIRST_YEAR = 51
"""Years of two digits from this one are of the 20th century: the data begin in 1951."""
Point = tuple[cftime.datetime, float, float, float, float, str, bool]


def read_best_tracks(path: Path) -> list[Track]:
    """Tracks of a file of either format.

    Parameters
    ----------
    path : text whose headers begin with 66666, or CSV with the column SID

    Raises
    ------
    CaseError
        A file that is neither, or lines that cannot be read; all of them, by number.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise CaseError(f"best tracks {path}: {error.strerror}") from None
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("66666"):
        return _rsmc(path, lines)
    if "SID" in first.replace('"', "").split(","):
        return _ibtracs(path, lines)
    raise CaseError(
        f"best tracks {path}: expected the text of RSMC Tokyo (headers 66666 ...) or the CSV of IBTrACS (a column SID),"
        f" found {first[:60]!r}"
    )


def _rsmc(path: Path, lines: list[str]) -> list[Track]:
    """https://www.jma.go.jp/jma/jma-eng/jma-center/rsmc-hp-pub-eg/Besttracks/e_format_bst.html.

    Early storms have neither a number of the year's cyclones, a name nor winds; the mark # is of Japan's coasts alone.
    """
    made, wrong, n = [], [], 0
    while n < len(lines):
        header = lines[n]
        if not header.strip():
            n += 1
            continue
        words = header.split()
        if words[0] != "66666" or len(words) < 3 or not words[2].isdigit():
            wrong.append(f"line {n + 1}: expected a header 66666 NUMBER LINES ..., found {header[:40]!r}")
            n += 1
            continue
        count, name = int(words[2]), header[30:50].strip()
        points: list[Point] = []
        end = min(n + 1 + count, len(lines))
        for k in range(n + 1, end):
            try:
                points.append(_rsmc_point(lines[k]))
            except (ValueError, IndexError):
                wrong.append(f"line {k + 1}: expected a date, grade, latitude and longitude, found {lines[k][:40]!r}")
        if len(lines) - n - 1 < count:
            wrong.append(f"line {n + 1}: says {count} lines, the file has {len(lines) - n - 1} more")
        if points:
            made.append(_made(f"{words[1]} {name}".strip(), points))
        n = end
    _refuse(path, wrong)
    return made


def _rsmc_point(line: str) -> Point:
    """A line of data: columns 1-8 time, 14 grade, 16-18 latitude, 20-23 longitude, 25-28 hPa, 34-36 kt, 72 the mark."""
    words = line.split()
    stamp = words[0]
    if len(stamp) != 8 or not stamp.isdigit():
        raise ValueError(stamp)
    year, month, day, hour = (int(stamp[k : k + 2]) for k in (0, 2, 4, 6))
    date = cftime.datetime(year + (1900 if year >= FIRST_YEAR else 2000), month, day, hour)
    if not (line[23:24] + line[28:33] + line[36:40]).strip():  # in the agency's columns: a blank is a missing value
        pressure, wind = line[24:28].strip(), line[33:36].strip()
    else:
        pressure, wind = ([*words, "", ""][k] for k in (5, 6))
    landfall = words[-1] == "#"
    low, strong = (float(w) if w.isdigit() else 0.0 for w in (pressure, wind))
    known = low * 100.0 if low > 0.0 else np.nan, strong * KNOT if strong > 0.0 else np.nan
    return date, int(words[4]) / 10.0, int(words[3]) / 10.0, *known, "WP", landfall


def _ibtracs(path: Path, lines: list[str]) -> list[Track]:
    """https://www.ncei.noaa.gov/sites/g/files/anmtlf171/files/2024-07/IBTrACS_v04r01_column_documentation.pdf."""
    rows = csv.DictReader(lines)
    missing = {"SID", "ISO_TIME", "LAT", "LON"} - {*(rows.fieldnames or ())}
    if missing:
        raise CaseError(f"best tracks {path}: no column {', '.join(sorted(missing))}")
    storms: dict[str, list[Point]] = {}
    names: dict[str, str] = {}
    wrong = []
    for row in rows:
        sid = (row["SID"] or "").strip()
        if not sid:  # the line of units
            continue
        try:
            storms.setdefault(sid, []).append(_ibtracs_point(row))
        except (ValueError, IndexError):
            wrong.append(f"line {rows.line_num}: expected ISO_TIME, LAT and LON, found {row['ISO_TIME']!r}, "
                         f"{row['LAT']!r}, {row['LON']!r}")  # fmt: skip
            continue
        names[sid] = f"{sid} {(row.get('NAME') or '').strip()}".strip()
    _refuse(path, wrong)
    return [_made(names[sid], points) for sid, points in storms.items()]


def _ibtracs_point(row: dict[str, str]) -> Point:
    def number(*names: str) -> float:
        words = [(row.get(n) or "").strip() for n in names]
        return next((float(w) for w in words if w), np.nan)

    lat, lon = float(row["LAT"]), float(row["LON"])
    date = cftime.datetime.strptime(row["ISO_TIME"].strip(), "%Y-%m-%d %H:%M:%S", calendar="standard")
    over = (row.get("LANDFALL") or "").strip()
    pressure, wind = number("WMO_PRES", "TOKYO_PRES", "USA_PRES"), number("WMO_WIND", "TOKYO_WIND", "USA_WIND")
    return date, lon, lat, 100.0 * pressure, KNOT * wind, (row.get("BASIN") or "").strip(), over == "0"


def _made(name: str, points: list[Point]) -> Track:
    first = {point[0]: point for point in reversed(points)}  # of a time that stands twice, as spurs do
    points = sorted(first.values(), key=lambda point: point[0])
    times, lon, lat, pressure, wind, basins, landfall = zip(*points, strict=True)
    x, y, low, strong = (np.array(a, float) for a in (lon, lat, pressure, wind))
    return Track(name, times, running_on(x), y, low, strong, basins, landfall)


def _refuse(path: Path, wrong: list[str]) -> None:
    if wrong:
        more = f"\n  ... and {len(wrong) - 20} more" if len(wrong) > 20 else ""
        raise CaseError("\n".join([f"best tracks {path} cannot be read:", *(f"  {w}" for w in wrong[:20])]) + more)
