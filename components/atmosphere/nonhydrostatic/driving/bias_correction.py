# SPDX-License-Identifier: BSD-3-Clause
"""Analyses on pressure levels with the bias of their source taken off: moments by month become those of a reference.

Corrected are wind, temperature and humidity at all levels and the height of the lowest, which stands for the pressure
at the surface; heights above follow hydrostatically from the corrected temperature and humidity, so that the mass and
the temperature of a column agree. What a layer between two coarse levels is thicker than its two ends say is that of
the reference where it has these levels, else nothing. Humidity stays between zero and saturation. The flow of mass in
columns is balanced later, as of any driver (`column_flow`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt

from components.atmosphere.nonhydrostatic.driving.analysis_files import AnalysisFiles, DriverError
from components.atmosphere.nonhydrostatic.driving.humidity import saturation
from components.atmosphere.nonhydrostatic.driving.pressure_levels import Analysis, covered, horizontally, onto, state
from components.science.constants import GRAVITY, R_DRY, VIRTUAL
from coupler.component import Bias
from coupler.files.bias.common_period import common_years, problems
from coupler.files.bias.gathering import MonthlyData, gather
from coupler.files.bias.moments import Correction
from coupler.files.bias.months import Month, Stamp, stamp
from coupler.files.bias.writing import describe, kept

Array = npt.NDArray[np.float64]
Report = Callable[[str, float], None]

UNITS = {"u": "m s-1", "v": "m s-1", "t": "K", "q": "1", "z": "m"}
ROUNDING = 1.0e-6
"""m, below which mean thicknesses of driver and reference are the same."""
DRIEST = 1.0e-8  # kg/kg, what the reader has at least


@dataclass(frozen=True)
class Frame:
    """The part of the driver's grid that the model's grid needs: rows and columns, their degrees, and the pressures."""

    rows: slice
    columns: npt.NDArray[np.int64]
    lat: Array
    lon: Array
    p: Array

    @property
    def points(self) -> tuple[Array, Array]:
        """Longitudes and latitudes (ny, nx)."""
        lon, lat = np.meshgrid(self.lon, self.lat)
        return lon, lat


def stamps_of(files: AnalysisFiles) -> list[Stamp]:
    """Stamps of the records; none where they have no date."""
    return [stamp(date) for date in files.dates if date is not None]


def refuse(driver: AnalysisFiles, reference: AnalysisFiles, wanted: Sequence[Month], bias: Bias) -> None:
    """Refuse data from which a run's months cannot be corrected.

    Parameters
    ----------
    driver, reference : what the files hold
    wanted : months of the run
    bias : what the user asked for

    Raises
    ------
    DriverError
        All that is missing.
    """
    found = problems(stamps_of(driver), stamps_of(reference), wanted, bias.method, bias.daily)
    for who, files in (("driver", driver), ("reference", reference)):
        if "geopotential_height" not in files.names:
            found.append(f"the {who} {files} has no geopotential, and so no mass that could be corrected")
        if not {"specific_humidity", "relative_humidity"} & {*files.names}:
            found.append(f"the {who} {files} has no humidity, which is corrected too")
    if found:
        pair = f"driver {driver}, reference {reference}"
        raise DriverError("\n".join([f"the bias cannot be corrected ({pair}):", *(f"  {line}" for line in found)]))


class Corrected:
    """The correction of one driver by one reference around a model's grid.

    Parameters
    ----------
    driver, reference : what the files hold
    lon, lat : of the model's grid, degrees
    bias : what is corrected
    keep : file that holds the monthly data of both for the next time
    report : takes a line and the share of the work that is done
    """

    def __init__(
        self,
        driver: AnalysisFiles,
        reference: AnalysisFiles,
        lon: Array,
        lat: Array,
        bias: Bias,
        keep: Path,
        report: Report,
    ):
        covered(reference.lat, lat)
        self.frame = frame = _frame(driver, lon, lat)
        self.bias, self.clipped = bias, 0.0

        def of(files: AnalysisFiles, who: str) -> MonthlyData:
            dates = stamps_of(files)
            with files.held_open():
                return gather(
                    dates,
                    lambda n: _fields(files, n, frame),
                    daily=bias.daily,
                    progress=_steps(who, len(dates), report),
                )

        area = [driver.lat[frame.rows].tolist(), frame.columns.tolist()]
        made = kept(keep, {"driver": driver.paths, "reference": reference.paths}, [area, bias.daily], lambda: {
            "driver": of(driver, "driver"), "reference": of(reference, "reference")
        })  # fmt: skip
        common = common_years(stamps_of(driver), stamps_of(reference))
        self.common = common
        self.parts = {
            name: Correction(made["driver"], made["reference"], name, common, bias.method, daily=bias.daily)
            for name in UNITS
        }
        there = {month: n for n, month in enumerate(made["reference"].months)}
        shape = made["reference"].means["r"].shape[1:]
        self._thicker = np.zeros((12, *shape))
        for m in range(1, 13):
            if m in common:
                numbers = [there[(y, m)] for y in common[m]]
                self._thicker[m - 1] = made["reference"].means["r"][numbers].mean(axis=0)
            else:
                self._thicker[m - 1] = made["reference"].means["r"].mean(axis=0)
        differ = Correction(made["driver"], made["reference"], "r", common, "mean").change
        self._agree = np.abs(differ).max(axis=0) < ROUNDING
        reach = reference.pressures()
        for name, part in self.parts.items():
            if name != "z":
                part.hold_outside((frame.p <= reach[0] * 1.001) & (frame.p >= reach[-1] * 0.999))

    def __call__(self, when: Stamp, data: Analysis) -> Analysis:
        """A state of the driver, corrected where the model's grid needs it.

        Parameters
        ----------
        when : stamp of the record
        data : the record, on the driver's rows around the grid
        """
        f = self.frame
        own = {name: a[..., f.columns] for name, a in data.fields.items()}
        new = {name: self.parts[name](when, own[name]) for name in ("u", "v", "t", "q")}
        most = saturation(new["t"], f.p[:, None, None])
        held = np.clip(new["q"], DRIEST, most)
        self.clipped = max(self.clipped, float((held != new["q"]).mean()))
        new["q"] = held
        lowest = self.parts["z"](when, own["z"][:1])
        thick = thickness(new["t"], new["q"], f.p) + self._residual(when, own)
        new["z"] = np.concatenate([lowest, lowest + np.cumsum(thick, axis=0)])
        fields = {name: a.copy() for name, a in data.fields.items()}
        for name, a in new.items():
            fields[name][..., f.columns] = a
        return replace(data, fields=fields)

    def _residual(self, when: Stamp, own: dict[str, Array]) -> Array:
        """What layers are thicker than their ends say, m: the reference's by month; its own if driver and it agree."""
        wanted = sum(
            w * self._thicker[(when.month[1] - 1 + by) % 12] for w, by in zip(when.hats, (-1, 0, 1), strict=True) if w
        )
        mine = np.diff(own["z"], axis=0) - thickness(own["t"], own["q"], self.frame.p)
        return np.where(self._agree, mine, wanted)

    def notes(self) -> list[str]:
        """What was done, for the file that is made."""
        years = sorted({y for found in self.common.values() for y in found})
        also = " and from day to day" if self.bias.daily else ""
        what = {"mean": "mean by month" + also, "mean_variance": "mean by month and standard deviation of years" + also}
        lines = [
            f"bias corrected: {what.get(self.bias.method, 'mean by month and quantiles of years' + also)} of"
            f" {', '.join(p.name for p in self.bias.reference)} over {years[0]} to {years[-1]}"
        ]
        if self.clipped:
            lines.append(f"humidity was held between zero and saturation at up to {self.clipped:.1%} of the points")
        return lines

    def write(self, path: Path) -> None:
        """Write what is changed by month as CF netCDF.

        Parameters
        ----------
        path : of the file
        """

        def coordinates(f: netCDF4.Dataset) -> None:
            for name, values, units in (
                ("pressure", self.frame.p, "Pa"), ("latitude", self.frame.lat, "degrees_north"),
                ("longitude", self.frame.lon, "degrees_east"),
            ):  # fmt: skip
                f.createDimension(name, len(values))
                v = f.createVariable(name, "f8", (name,))
                v.setncatts({"units": units, "standard_name": "air_pressure" if name == "pressure" else name})
                v[:] = values
            f["pressure"].positive = "down"
            f.comment = "\n".join(self.notes())

        dims = {name: (("pressure",) if name != "z" else ()) + ("latitude", "longitude") for name in UNITS}
        describe(path, self.parts, UNITS, dims, coordinates)


def thickness(t: Array, q: Array, p: Array) -> Array:
    """Thickness (level - 1, ny, nx) of the layers, m, whose virtual temperature is linear in the logarithm of pressure.

    Parameters
    ----------
    t, q : (level, ny, nx) K and kg/kg
    p : (level,) Pa, decreasing
    """
    tv = t * (1.0 + VIRTUAL * q)
    return R_DRY / GRAVITY * 0.5 * (tv[1:] + tv[:-1]) * np.log(p[:-1] / p[1:])[:, None, None]


def _steps(who: str, records: int, report: Report) -> Callable[[float], None]:
    """Tell the progress of the reading of many records, a line each twentieth."""
    said = [0.0]

    def tell(share: float) -> None:
        if share >= said[0] or share == 1.0:
            said[0] = share + 0.05
            report(f"reading the {who}'s months, {records} records", share)

    return tell


def _frame(driver: AnalysisFiles, lon: Array, lat: Array) -> Frame:
    rows = driver.rows(float(lat.min()), float(lat.max()))
    step = float(np.median(np.diff(driver.lon)))
    x = (np.asarray(lon) - driver.lon[0]) % 360.0 / step
    near = np.unique(np.concatenate([np.floor(x), np.floor(x) + 1.0]).astype(int).ravel() % round(360.0 / step))
    columns = near[near < driver.lon.size]
    return Frame(rows, columns, driver.lat[rows], driver.lon[columns], driver.pressures())


def _fields(files: AnalysisFiles, record: int, frame: Frame) -> dict[str, Array]:
    """Fields of a record on the driver's points and levels; of the heights the lowest, and what layers are thicker."""
    data = state(files, record, None, (float(frame.lat[0]), float(frame.lat[-1])))
    same = data.lat.shape == frame.lat.shape and np.allclose(data.lat, frame.lat)
    if same and files.lon.size > int(frame.columns.max()) and np.allclose(files.lon[frame.columns], frame.lon):
        fields = {name: a[..., frame.columns] for name, a in data.fields.items()}
    else:
        fields = horizontally(data, *frame.points)
    z = fields.pop("z")
    out = {name: onto(a, data.p, frame.p) for name, a in fields.items()}
    x, at = -np.log(data.p), -np.log(frame.p[0])
    k = int(np.clip(np.searchsorted(x, at, side="right") - 1, 0, x.size - 2))
    w = (at - x[k]) / (x[k + 1] - x[k])  # beyond the lowest level too
    same_levels = [np.flatnonzero(np.abs(data.p / level - 1.0) < 1e-4) for level in frame.p]
    if all(n.size for n in same_levels):
        own = z[[int(n[0]) for n in same_levels]]
        thicker = np.diff(own, axis=0) - thickness(out["t"], out["q"], frame.p)
    else:
        thicker = np.zeros((frame.p.size - 1, *z.shape[1:]))
    return {**out, "z": (1.0 - w) * z[k : k + 1] + w * z[k + 1 : k + 2], "r": thicker}


def months_of(dates: Sequence[Any]) -> list[Month]:
    """Years and months of some dates, each once."""
    return sorted({(d.year, d.month) for d in dates})
