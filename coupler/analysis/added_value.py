# SPDX-License-Identifier: BSD-3-Clause
"""What the region adds to its driver: errors of both against one observation, and spectra of wind and rain."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coupler.analysis.comparison import Card
from coupler.analysis.driver_spectra import Curves, curves_of, draw
from coupler.analysis.observations import Observed, find, regridder
from coupler.analysis.page import embedded, note, number, table, write, write_numbers
from coupler.analysis.records import shown_unit, unit_of
from coupler.analysis.scores import EVERYWHERE, WHOLE, Box, score
from coupler.errors import CaseError
from coupler.plan import Plan
from coupler.remap.regridder import Regridder

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Added:
    """Errors of model and driver of one field, region and all months.

    Attributes
    ----------
    component, field, unit, region : of which
    months, cells : compared
    observations : file of the observations
    model_rmse, driver_rmse : against the same observations on their grid
    added_value : (driver's mean square error - model's) / the larger (Dosio et al. 2015, Clim. Dyn. 44, eq. 1)
    """

    component: str
    field: str
    unit: str
    region: str
    months: int
    cells: int
    observations: str
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


def driver_of(plan: Plan) -> list[Path]:
    """Files that drive a case, by the option ``driver`` of its components.

    Parameters
    ----------
    plan : of the case

    Raises
    ------
    CaseError
        A case without such files.
    """
    files = []
    for component in plan.components:
        names = getattr(component.options, "driver", None) or []
        files += component.setting.files([names] if isinstance(names, str) else list(names))
    if not files:
        raise CaseError(f"{plan.folder} has no driver of its own; name the files:  --driver FILE ...")
    return files


def compare(cards: list[Card], driver: list[Path], regions: list[Box]) -> list[Added]:
    """Every field that run, driver and observations have.

    Parameters
    ----------
    cards : of the run beside observations
    driver : files of the driver: analyses, or CF fields by month
    regions : beside the whole
    """
    given = find(driver, [c.record.name for c in cards])
    made = []
    for card in cards:
        theirs = given.get(card.record.name)
        if theirs is None or card.observed.path in driver:
            continue
        months = [(m, theirs.month(m.year, m.month, m.period)) for m in card.months]
        both = [(m, values) for m, values in months if values is not None]
        if not both:
            continue
        onto = regridder(theirs.grid, card.grid, "conservative")
        mine, seen = (np.mean([getattr(m, part) for m, _ in both], axis=0) for part in ("model", "observed"))
        other = _shown(theirs, np.mean([_onto(onto, values, card.grid.shape) for _, values in both], axis=0))
        area = card.grid.area.reshape(card.grid.shape)
        for box in (EVERYWHERE, *regions):
            inside = box.holds(card.grid.longitude, card.grid.latitude)
            cells, *numbers = added_value(np.where(inside, mine, np.nan), other, seen, area)
            if cells > 1:
                r = card.record
                name = card.observed.path.name
                made.append(Added(r.component, r.name, r.unit, box.name, len(both), cells, name, *numbers))
    return made


def _shown(theirs: Observed, values: Floats) -> Floats:
    """Values in the unit of figures."""
    _, factor, offset = shown_unit(theirs.name, unit_of(theirs.name))
    return np.asarray(values * factor + offset)


def _onto(regrid: Regridder, values: Floats, shape: tuple[int, ...]) -> Floats:
    flat = values.reshape(-1)
    there = np.isfinite(flat)
    total, covered = regrid.apply(np.stack([np.where(there, flat, 0.0), there.astype(float)], axis=1))[0].T
    enough = covered >= 0.5
    return np.where(enough, total / np.where(enough, covered, 1.0), np.nan).reshape(shape)


def make_card(plan: Plan, cards: list[Card], driver: list[Path], regions: list[Box]) -> list[Path]:
    """Write ``run/score/added_value.html`` and the CSV of its numbers; returns their paths.

    Parameters
    ----------
    plan : of the case
    cards : of the run beside observations, and beside the driver where there are none
    driver : files of the driver
    regions : beside the whole

    Raises
    ------
    CaseError
        Nothing that run and driver share.
    """
    rows = compare(cards, driver, regions)
    alone = [c for c in cards if c.observed.path in driver]
    curves, reasons = curves_of(plan, driver)
    if not rows and not alone and not curves:
        raise CaseError(
            f"nothing to compare: the driver ({', '.join(p.name for p in driver)}) has none of the output's fields in"
            " the months of the run.\nA driver is analyses, as  prepare  reads them, or CF fields by month; of a case"
            " with prepared files name the analyses that they were made of:  --driver FILE ..."
        )
    folder = plan.folder / "run" / "score"
    page, numbers, lines = (folder / f"added_value{end}" for end in (".html", ".csv", "_spectra.csv"))
    held = any(not d.moments for d in find(driver, [c.record.name for c in cards]).values())
    parts = _parts(rows, alone, curves, reasons, driver, held=held)
    made = [write(f"Added value of {plan.folder.name}", parts, page)]
    made.append(write_numbers([asdict(r) for r in rows], numbers, [f.name for f in fields(Added)]))
    bands = [
        {"curve": f"{group.title}: {name}", "wavelength_m": w, "variance": v}
        for group in curves
        for name, s in group.lines.items()
        for w, v in zip(s.wavelength, s.variance, strict=True)
    ]
    made.append(write_numbers(bands, lines, ("curve", "wavelength_m", "variance")))
    return made


def _parts(
    rows: list[Added],
    alone: list[Card],
    curves: list[Curves],
    reasons: list[str],
    driver: list[Path],
    *,
    held: bool,
) -> list[str]:
    parts = [note(f"Driver: {', '.join(p.name for p in driver)}.")]
    if rows:
        regions = [r for r in dict.fromkeys(r.region for r in rows) if r != WHOLE]
        by = {(r.component, r.field, r.region): r for r in rows}
        head = ["field, component (unit)", "observations", "cells", "RMSE of the run", "RMSE of the driver",
                "added value", *(f"added value, {r}" for r in regions)]  # fmt: skip
        cells = []
        for r in (r for r in rows if r.region == WHOLE):
            there = [by.get((r.component, r.field, region)) for region in regions]
            values = (
                r.model_rmse,
                r.driver_rmse,
                r.added_value,
                *(np.nan if t is None else t.added_value for t in there),
            )
            label = f"{r.field.replace('_', ' ')}, {r.component} ({r.unit})"
            cells.append([label, r.observations, str(r.cells), *(number(v) for v in values)])
        parts += [
            "<h2>Run and driver beside the same observations</h2>",
            table(head, cells),
            note(
                "Added value: the driver's mean square error less the run's, over the larger of the two; positive where"
                " the run is nearer to the observations. All stand on the observations' grid or the run's, whichever is"
                " coarser. Fields near the ground that the driver lacks are those of its lowest level above the ground."
                " RMSE by region: added_value.csv."
            ),
        ]
        if held:
            parts.append(
                note("The driver is one state without a date: beside it the weather of the run counts as error.")
            )
    if alone:
        head = ["field", "component", "unit", "cells", "run", "driver", "run minus driver", "RMS difference",
                "pattern correlation"]  # fmt: skip
        cells = []
        for c in alone:
            s = c.mean.scores[WHOLE]
            shown = (s.model, s.observed, s.bias, s.rmse, s.correlation)
            label = c.record.label
            cells.append([label, c.record.component, c.record.unit, str(s.cells), *(f"{v:.4g}" for v in shown)])
        parts += [
            "<h2>Run beside its driver, of fields without observations</h2>",
            table(head, cells),
            note("How far the region has gone from its driver; which of the two is nearer to the truth it cannot say."
                 " Maps stand on the score card."),
        ]  # fmt: skip
    for group in curves:
        parts += [
            f"<h2>{group.title}</h2>",
            embedded(draw(group.lines, group.unit, group.cells), group.title),
            note(group.remark),
        ]
    return parts + [note(reason) for reason in reasons]
