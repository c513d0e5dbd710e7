# SPDX-License-Identifier: BSD-3-Clause
"""Spectra of kinetic energy and rain of a run and of its driver, over one domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.analysis.cyclones.track import distance
from coupler.analysis.figures import LINES, pyplot, tidy
from coupler.analysis.gathered import find as find_record
from coupler.analysis.observations import Observed, find, moment, regridder
from coupler.analysis.records import Record, fields_of, outputs, short_date, shown_unit, unit_of
from coupler.analysis.spectra import Spectrum, kinetic_energy, spectrum
from coupler.grids.grid import Grid
from coupler.plan import Plan

Floats = npt.NDArray[np.float64]
EAST, NORTH = "eastward_wind", "northward_wind"
RAIN = "precipitation_flux"


@dataclass(frozen=True)
class Curves:
    """Spectra of one quantity.

    Attributes
    ----------
    title, unit : of the quantity and its variance
    lines : spectra by label
    cells : m, twice the spacing of the driver: it knows nothing shorter; 0 without a driver
    remark : what stands under the figure
    """

    title: str
    unit: str
    lines: dict[str, Spectrum]
    cells: float
    remark: str


def curves_of(plan: Plan, driver: list[Path]) -> tuple[list[Curves], list[str]]:
    """Spectra of every pair of winds and of rain that the run has; the driver's beside them where it has them.

    The driver is interpolated to the run's cells (bilinear), so that both spectra are of one domain and one grid.

    Parameters
    ----------
    plan : of the case
    driver : its files

    Returns
    -------
    list of Curves, list of str
        And the reasons why some are not there.
    """
    history = plan.folder / "run" / "history"
    there = sorted({name for path in outputs(history) for name in fields_of(path)})
    pairs = [(n, n.replace(EAST, NORTH)) for n in there if n.startswith(EAST) and n.replace(EAST, NORTH) in there]
    wanted: list[tuple[str, ...]] = [*pairs, *([(RAIN,)] if RAIN in there else [])]
    given = find(driver, [n for names in wanted for n in names])
    made, reasons = [], []
    for names in wanted:
        records = [r for n in names if (r := find_record(history, n)) is not None]
        title = "rain" if names == (RAIN,) else f"kinetic energy of the {_where(names[0])}"
        first = records[0]
        if (
            first.values.ndim != 3
            or min(first.values.shape[1:]) < 4
            or not all(np.isfinite(r.values).all() for r in records)
        ):
            reasons.append(
                f"No spectrum of the {title}: the run's field is no map without gaps of 4 x 4 cells or more."
            )
            continue
        spacing = _spacing(first.longitude, first.latitude)
        lines = {"run, each time": _spectrum([r.values for r in records], spacing)}
        lines["run, mean over the time"] = _spectrum([r.values.mean(axis=0) for r in records], spacing)
        theirs = [given[n] for n in names if n in given]
        cells, said = 0.0, ""
        if len(theirs) < len(names):
            said = f" The driver has no {' and no '.join(n.replace('_', ' ') for n in names if n not in given)}."
        else:
            values = [_within(t, first) for t in theirs]
            if values[0].shape[0] and all(np.isfinite(v).all() for v in values):
                what = "each time" if values[0].shape[0] > 1 else "its one state"
                lines[f"driver, {what}"] = _spectrum(values, spacing)
                cells = 2.0 * _cell(theirs[0].grid, first)
            else:
                said = " The driver does not cover the run's domain and time."
        unit = "(mm day⁻¹)²" if names == (RAIN,) else "m² s⁻²"
        remark = (
            f"Mean over {len(first.times)} times of the run, {short_date(first.times[0])} to"
            f" {short_date(first.times[-1])}, of the variance in each band of wavelengths (cosine transform, Denis et"
            f" al. 2002); the sum is the variance of the map.{said}"
        )
        if cells:
            remark += (
                " The driver stands on the run's cells (bilinear). Left of the grey line lies what it cannot hold."
            )
        made.append(Curves(title, unit, lines, cells, remark))
    return made, reasons


def _where(name: str) -> str:
    height = name.partition("_at_")[2]
    return f"wind at {height.replace('hPa', ' hPa').replace('10m', '10 m')}" if height else "lowest wind"


def _spectrum(fields: list[Floats], spacing: float) -> Spectrum:
    return kinetic_energy(fields[0], fields[1], spacing) if len(fields) == 2 else spectrum(fields[0], spacing)


def _within(theirs: Observed, record: Record) -> Floats:
    """The driver's fields (n, y, x) on the run's cells, of its records within the time of the run."""
    begin = record.intervals[0][0] if record.intervals else record.times[0]
    period = moment(begin), moment(record.times[-1])
    months = sorted({(t.year, t.month) for t in record.times})
    numbers = sorted({i for year, month in months for i in theirs.records(year, month, period)})
    values = theirs.values(numbers)
    run = Grid("run", record.longitude, record.latitude)
    regrid = regridder(theirs.grid, run, "bilinear")
    _, factor, offset = shown_unit(theirs.name, unit_of(theirs.name))
    made = np.full((len(numbers), *record.longitude.shape), np.nan)
    for k, field in enumerate(values):
        flat = field.reshape(-1)
        total, covered = regrid.apply(np.stack([np.nan_to_num(flat), np.isfinite(flat).astype(float)], axis=1))[0].T
        made[k] = np.where(covered > 1.0 - 1e-9, total * factor + offset, np.nan).reshape(made.shape[1:])
    return made


def _spacing(lon: Floats, lat: Floats) -> float:
    """Geometric mean of both spacings in the middle of a grid, m."""
    y, x = lon.shape[0] // 2, lon.shape[1] // 2
    here = lon[y, x], lat[y, x]
    steps = distance(*here, lon[y, x - 1], lat[y, x - 1]), distance(*here, lon[y - 1, x], lat[y - 1, x])
    return float(np.sqrt(steps[0] * steps[1]))


def _cell(grid: Grid, record: Record) -> float:
    """Size of the driver's cells in the middle of the run's domain, m."""
    y, x = (n // 2 for n in record.longitude.shape)
    far = distance(record.longitude[y, x], record.latitude[y, x], np.ravel(grid.longitude), np.ravel(grid.latitude))
    return float(np.sqrt(np.ravel(grid.area)[int(np.argmin(far))]))


def draw(lines: Mapping[str, Spectrum], unit: str = "square of the field's unit", cells: float = 0.0) -> Any:
    """Spectra by wavelength.

    Parameters
    ----------
    lines : spectra by label; the run's are drawn through
    unit : of the variance
    cells : m, two cells of the driver; 0 without one
    """
    figure, axes = pyplot().subplots(figsize=(8.2, 4.2), layout="constrained")
    for n, (name, s) in enumerate(lines.items()):
        some = s.variance > 1e-12 * s.variance.max()
        style = {"color": LINES[n % len(LINES)], "ls": "-" if name.startswith("run") else "--"}
        axes.loglog(s.wavelength[some] / 1e3, s.variance[some], label=name, **style)
    if cells:
        axes.axvline(cells / 1e3, color="#7a7a7a", lw=0.9, label="two cells of the driver")
    axes.set_xlabel("wavelength (km)")
    axes.set_ylabel(f"variance by band ({unit})")
    tidy(axes)
    axes.legend(frameon=False, fontsize=8)
    return figure
