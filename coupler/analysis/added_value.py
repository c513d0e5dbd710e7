# SPDX-License-Identifier: BSD-3-Clause
"""What the region adds to its driver: errors of both against one observation, and spectra of wind and rain."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.analysis.comparison import Card, make_cards
from coupler.analysis.cyclones.track import distance
from coupler.analysis.figures import LINES, pyplot, tidy
from coupler.analysis.observations import find
from coupler.analysis.page import embedded, note, table, write, write_numbers
from coupler.analysis.records import parts, read, shown_unit
from coupler.analysis.scores import WHOLE, Box, score
from coupler.analysis.spectra import Spectrum, kinetic_energy, spectrum
from coupler.errors import CaseError
from coupler.fields import dictionary
from coupler.files.history import history_path
from coupler.plan import Plan
from coupler.remap.regridder import Regridder
from coupler.remap.weights import make_weights

Floats = npt.NDArray[np.float64]
WIND = ("eastward_wind", "northward_wind")
RAIN = "precipitation_flux"


@dataclass(frozen=True)
class Added:
    """Errors of model and driver of one field, region and all months.

    Attributes
    ----------
    field, unit, region : of which
    months, cells : compared
    model_rmse, driver_rmse : against the same observations on their grid
    added_value : (driver's mean square error - model's) / the larger (Dosio et al. 2015, Clim. Dyn. 44, eq. 1)
    """

    field: str
    unit: str
    region: str
    months: int
    cells: int
    model_rmse: float
    driver_rmse: float
    added_value: float


def added_value(model: Floats, driver: Floats, observed: Floats, area: Floats) -> tuple[int, float, float, float]:
    """Cells where all three have a value, RMSE of model and driver, and the added value (-1 to 1).

    Parameters
    ----------
    model, driver, observed : of one shape and unit
    area : of the cells
    """
    shared = np.isfinite(model) & np.isfinite(driver) & np.isfinite(observed)
    own, theirs = (score(np.where(shared, a, np.nan), observed, area) for a in (model, driver))
    larger = max(own.rmse, theirs.rmse) ** 2
    value = (theirs.rmse**2 - own.rmse**2) / larger if larger > 0.0 else 0.0
    return own.cells, own.rmse, theirs.rmse, float(value)


def compare(cards: list[Card], driver: list[Path], regions: list[Box]) -> list[Added]:
    """Every field that run, driver and observations have.

    Parameters
    ----------
    cards : of the run beside observations
    driver : CF files
    regions : beside the whole
    """
    given = find(driver, [c.record.name for c in cards])
    made = []
    for card in cards:
        theirs = given.get(card.record.name)
        if theirs is None:
            continue
        _, factor, offset = shown_unit(card.record.name, str(dictionary().get(card.record.name, {}).get("units", "")))
        onto = Regridder(make_weights(theirs.grid, card.grid, "conservative", source_mask=None, target_mask=None))
        months = [(m, theirs.month(m.year, m.month)) for m in card.months]
        both = [(m, _onto(onto, values, card.grid.shape)) for m, values in months if values is not None]
        if not both:
            continue
        mine, seen = (np.mean([getattr(m, part) for m, _ in both], axis=0) for part in ("model", "observed"))
        other = np.mean([values for _, values in both], axis=0) * factor + offset
        area = card.grid.area.reshape(card.grid.shape)
        for box in (Box(WHOLE, -180.0, 180.0 - 1e-9, -90.0, 90.0), *regions):
            inside = box.holds(card.grid.longitude, card.grid.latitude)
            cells, *numbers = added_value(np.where(inside, mine, np.nan), other, seen, area)
            if cells > 1:
                made.append(Added(card.record.name, card.record.unit, box.name, len(both), cells, *numbers))
    return made


def _onto(regrid: Regridder, values: Floats, shape: tuple[int, ...]) -> Floats:
    flat = values.reshape(-1)
    there = np.isfinite(flat)
    total, covered = regrid.apply(np.stack([np.where(there, flat, 0.0), there.astype(float)], axis=1))[0].T
    enough = covered >= 0.5
    return np.where(enough, total / np.where(enough, covered, 1.0), np.nan).reshape(shape)


def spectra_of(plan: Plan) -> dict[str, Spectrum]:
    """Spectra of the run's kinetic energy and rain, where it has these fields on a structured grid.

    Parameters
    ----------
    plan : of the case
    """
    made: dict[str, Spectrum] = {}
    for component in plan.components:
        for stream in component.streams:
            path = history_path(plan.folder / "run", component.name, stream.name)
            if not parts(path):
                continue
            here = {n: read(path, n) for n in (*WIND, RAIN) if n in stream.fields}
            made |= _spectra({n: (r.values, r.longitude, r.latitude) for n, r in here.items()}, "run")
    return made


def spectra_of_driver(driver: list[Path], box: tuple[float, float, float, float]) -> dict[str, Spectrum]:
    """The same of the driver's fields without levels, within the region.

    Parameters
    ----------
    driver : CF files
    box : west, east, south, north of the region, degrees
    """
    fields = {}
    for name, theirs in find(driver, [*WIND, RAIN]).items():
        lon, lat = np.asarray(theirs.grid.longitude), np.asarray(theirs.grid.latitude)
        inside = Box("region", *box).holds(lon, lat)
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        records = [theirs.month(*when) for when in theirs.months] if theirs.months else [theirs.month(0, 1)]
        part = np.ix_(rows, columns)
        _, factor, _ = shown_unit(name, str(dictionary()[name]["units"]))
        if rows.size and columns.size:
            fields[name] = factor * np.array([r[part] for r in records if r is not None]), lon[part], lat[part]
    return _spectra(fields, "driver")


def _spectra(fields: dict[str, tuple[Floats, Floats, Floats]], who: str) -> dict[str, Spectrum]:
    made: dict[str, Spectrum] = {}
    whole = {n: f for n, f in fields.items() if f[0].ndim == 3 and np.isfinite(f[0]).all() and min(f[1].shape) >= 4}
    for name, (values, lon, lat) in whole.items():
        middle = lon.shape[0] // 2, lon.shape[1] // 2
        here, east = (lon[middle], lat[middle]), (lon[middle[0], middle[1] - 1], lat[middle[0], middle[1] - 1])
        spacing = float(distance(*here, *east))
        if name == RAIN:
            made[f"{who}: rain"] = spectrum(values, spacing)
        elif name == WIND[0] and WIND[1] in whole:
            made[f"{who}: kinetic energy"] = kinetic_energy(values, whole[WIND[1]][0], spacing)
    return made


def make_card(plan: Plan, against: list[Path], driver: list[Path], regions: list[Box]) -> list[Path]:
    """Write ``run/score/added_value.html`` and the CSV of its numbers; returns their paths.

    Parameters
    ----------
    plan : of the case
    against : observations
    driver : CF files of the driver's fields by month
    regions : beside the whole

    Raises
    ------
    CaseError
        Nothing that run, driver and observations share.
    """
    cards = make_cards(plan, against, regions)
    rows = compare(cards, driver, regions)
    if not rows:
        raise CaseError(
            f"nothing to compare: the driver ({', '.join(p.name for p in driver)}) has none of"
            f" {', '.join(c.record.name for c in cards)} in the months of the run"
        )
    lon, lat = np.asarray(cards[0].grid.longitude), np.asarray(cards[0].grid.latitude)
    box = float(lon.min()), float(lon.max()), float(lat.min()), float(lat.max())
    curves = spectra_of(plan) | spectra_of_driver(driver, box)
    folder = plan.folder / "run" / "score"
    page, numbers, lines = (folder / f"added_value{end}" for end in (".html", ".csv", "_spectra.csv"))
    head = ["field", "unit", "region", "months", "cells", "RMSE of the run", "RMSE of the driver", "added value"]
    cells = [[str(v) if not isinstance(v, float) else f"{v:.3g}" for v in asdict(r).values()] for r in rows]
    remark = (
        "Added value: the driver's mean square error less the run's, over the larger of the two; positive where the run"
        " is nearer to the observations. Both stand on the observations' grid or the run's, whichever is coarser."
    )
    body = [table(head, cells), note(remark)]
    if curves:
        body.append(embedded(draw(curves), "spectra of run and driver"))
        write_numbers([
            {"curve": name, "wavelength_m": w, "variance": v}
            for name, s in curves.items() for w, v in zip(s.wavelength, s.variance, strict=True)
        ], lines)  # fmt: skip
    write(f"Added value of {plan.folder.name}", body, page)
    write_numbers([asdict(r) for r in rows], numbers)
    return [page, numbers, *([lines] if curves else [])]


def draw(curves: dict[str, Spectrum]) -> Any:
    """Spectra by wavelength.

    Parameters
    ----------
    curves : by label
    """
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(7.6, 4.2), layout="constrained")
    for n, (name, s) in enumerate(curves.items()):
        some = s.variance > 0.0
        axes.loglog(s.wavelength[some] / 1e3, s.variance[some], color=LINES[n % len(LINES)], label=name,
                    ls="-" if name.startswith("run") else "--")  # fmt: skip
    axes.invert_xaxis()
    axes.set_xlabel("wavelength (km)")
    axes.set_ylabel("variance by band (m² s⁻² of wind, (mm day⁻¹)² of rain)")
    tidy(axes)
    axes.legend(frameon=False, fontsize=8)
    return figure
