# SPDX-License-Identifier: BSD-3-Clause
"""The user's maps of fertiliser, sowing, harvest, soil pH and phosphorus: by name, in the model's units, in range."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.land.column.land_data import LandDataError, Layer, find, type_names, window
from components.land.column.parameters import table
from coupler.errors import TesseraError
from coupler.fields import conversion
from coupler.grids.grid import Grid
from coupler.netcdf.opening import open_dataset

PER_YEAR = re.compile(r"(\s*/\s*(yr|year|a)|[\s.*]+(yr|year|a)(\^|\*\*)?-1)$")
"""Of an amount of fertiliser, whose year has one season."""


@dataclass(frozen=True)
class Quantity:
    """A map of the user.

    Attributes
    ----------
    title : what it is called in messages
    names : standard names or names of variables
    units : of the surface file
    least, most : plausible range in these units
    by_crop : whether crops have maps of their own
    nearest : whether a cell has the nearest value of the map instead of its mean
    """

    title: str
    names: tuple[str, ...]
    units: str
    least: float
    most: float
    by_crop: bool = False
    nearest: bool = False


def _phosphorus(form: str) -> Quantity:
    names = (f"soil_{form}_phosphorus", f"{form}_phosphorus", f"{form}_p")
    return Quantity(f"{form} phosphorus of the soil", names, "kg m-2", 0.0, 10.0)


QUANTITIES = {
    "fertiliser_nitrogen": Quantity(
        "nitrogen of fertiliser", ("fertiliser_nitrogen", "fertilizer_nitrogen", "nitrogen_fertiliser",
        "nitrogen_fertilizer", "nfert"), "kg m-2", 0.0, 0.2, by_crop=True),
    "fertiliser_phosphorus": Quantity(
        "phosphorus of fertiliser", ("fertiliser_phosphorus", "fertilizer_phosphorus", "phosphorus_fertiliser",
        "phosphorus_fertilizer", "pfert"), "kg m-2", 0.0, 0.1, by_crop=True),
    "sowing_day": Quantity(
        "day of sowing", ("sowing_day", "sowing_date", "planting_day", "planting_date", "plant_day"), "1", 1.0, 366.0,
        by_crop=True, nearest=True),
    "harvest_day": Quantity(
        "day of harvest", ("harvest_day", "harvest_date", "maturity_day", "maturity_date"), "1", 1.0, 366.0,
        by_crop=True, nearest=True),
    "soil_ph": Quantity("pH of the soil", ("soil_ph", "soil_reaction", "ph", "phh2o", "ph_h2o"), "1", 2.0, 11.0),
    **{f"soil_{form}_phosphorus": _phosphorus(form) for form in ("labile", "apatite", "secondary", "occluded")},
}  # fmt: skip
"""By the name that the surface file gives them."""
ALL = ""
"""Key of a map that holds for every crop."""


def read_quantity(path: Path, target: Grid, quantity: Quantity) -> Layer | None:
    """A map of the user, by crop where it has an axis of crops, else under :data:`ALL`; None where the file has none.

    Parameters
    ----------
    path : CF file of the user
    target : grid whose box is cut out
    quantity : what is looked for

    Raises
    ------
    LandDataError
        Units that cannot be converted, values out of range, crops that are none, a map that misses the grid.
    """
    with open_dataset(path, LandDataError) as data:
        variable = find(data, quantity.names)
        if variable is None:
            return None
        grid, cut = window(data, variable, target)
        factor, offset = _conversion(path, variable, quantity)
        values = factor * cut.read() + offset
        names = [ALL]
        if cut.axes.level:
            if not quantity.by_crop:
                raise LandDataError(
                    f"{path}: {variable.name} ({', '.join(variable.dimensions)}): expected one {quantity.title} a cell;"
                    f" cut one out of {cut.axes.level!r} first (ncks -d)"
                )
            crops = tuple(table("crops"))
            names = type_names(data, cut.axes, path, crops)
            unknown = sorted(set(names) - set(crops))
            if unknown:
                raise LandDataError(
                    f"{path}: {variable.name}: unknown crops {', '.join(unknown)}; known crops: {', '.join(crops)}"
                )
        else:
            values = values[None]
        if not np.isfinite(values).any():
            raise LandDataError(f"{path}: {variable.name} has no value around the grid")
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        if low < quantity.least or high > quantity.most:
            raise LandDataError(
                f"{path}: {variable.name}, the {quantity.title}, goes from {low:g} to {high:g} {quantity.units};"
                f" expected {quantity.least:g} to {quantity.most:g}: mend its units,"
                f" {getattr(variable, 'units', 'none')!r}, and mark what is missing"
            )
        return Layer(grid, dict(zip(names, values, strict=True)))


def _conversion(path: Path, variable: object, quantity: Quantity) -> tuple[float, float]:
    units = str(getattr(variable, "units", "")).strip()
    given = PER_YEAR.sub("", units) if quantity.by_crop else units
    if quantity.units == "1" and given.lower() in ("ph", "day", "days", "day of year", "day_of_year"):
        given = "1"
    try:
        return conversion(given, quantity.units)
    except TesseraError as error:
        name = getattr(variable, "name", "")
        raise LandDataError(
            f"{path}: {name}, the {quantity.title}, is in {units!r}; convert it to {quantity.units}: {error}"
        ) from None
