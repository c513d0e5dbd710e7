# SPDX-License-Identifier: BSD-3-Clause
"""Pressure of a file's levels: of pressure levels, and of hybrid ones by the file's coefficients (CF, appendix D)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from coupler.errors import FieldError, ForcingError, TesseraError
from coupler.netcdf.packed import Floats
from coupler.netcdf.packed import values as numbers
from coupler.units import conversion

HYBRID = "atmosphere_hybrid_sigma_pressure_coordinate"
SIGMA = "atmosphere_sigma_coordinate"
BARE = ("", "1", "level", "levels")
"""Units that say nothing."""


class LevelPressure(NamedTuple):
    """Pressure = ``constant`` + ``share`` x pressure at the surface.

    Attributes
    ----------
    constant : (nz,) Pa
    share : (nz,) 0 on pressure levels
    surface : the file's variable of the pressure at the surface, empty on pressure levels
    """

    constant: Floats
    share: Floats
    surface: str

    def at(self, surface: Floats | None) -> Floats:
        """Pressure (nz, ...) Pa, over a pressure at the surface (...); (nz,) of pressure levels."""
        if surface is None:
            return self.constant
        along = (slice(None),) + (None,) * surface.ndim
        return np.asarray(self.constant[along] + self.share[along] * surface)


def level_pressure(dataset: Any, level: str, error: type[TesseraError] = ForcingError) -> LevelPressure:
    """Pressure of the levels of a dimension; without a unit hPa where the numbers are those of hPa.

    Parameters
    ----------
    dataset : netCDF4.Dataset
    level : dimension
    error : what is raised

    Raises
    ------
    TesseraError
        Levels without values, or that are no pressures and say no formula; a formula whose terms are not in the file.
    """
    here = dataset.filepath()
    if level not in dataset.variables:
        raise error(f"{here}: the levels {level!r} have no values; mend the file")
    axis = dataset[level]
    standard = str(getattr(axis, "standard_name", "")).strip().lower()
    if standard in (HYBRID, SIGMA) or hasattr(axis, "formula_terms"):
        return _by_formula(dataset, axis, standard, error)
    p = numbers(axis, error=error)
    units = str(getattr(axis, "units", "")).strip()
    if units in BARE:
        units = "hPa" if p.max() <= 1100.0 else "Pa"
    try:
        factor, _ = conversion(units, "Pa")
    except FieldError as why:
        raise error(f"{here}: the levels are in {units!r}, not pressures ({why}); interpolate to levels of Pa") from why
    p = np.asarray(factor * p, dtype=np.float64)
    return LevelPressure(p, np.zeros_like(p), "")


def _by_formula(dataset: Any, axis: Any, standard: str, error: type[TesseraError]) -> LevelPressure:
    """Hybrid levels: p = a p0 + b ps, or p = ap + b ps; sigma: p = ptop + sigma (ps - ptop)."""
    words = str(getattr(axis, "formula_terms", "")).replace(":", " ").split()
    terms = dict(zip(words[::2], words[1::2], strict=False))
    here = f"{dataset.filepath()}: the levels {axis.name!r}"
    wanted = {SIGMA: ({"sigma", "ps", "ptop"},)}.get(standard, ({"ap", "b", "ps"}, {"a", "b", "p0", "ps"}))
    if not any(w <= terms.keys() for w in wanted):
        forms = " or ".join(" ".join(f"{n}: ..." for n in sorted(w)) for w in wanted)
        raise error(f"{here} say no formula of their pressure; expected the attribute  formula_terms: {forms}")
    missing = [v for v in terms.values() if v not in dataset.variables]
    if missing:
        raise error(f"{here} are made of {', '.join(missing)} (formula_terms), which the file does not have")

    def term(name: str, units: str = "1") -> Floats:
        variable = dataset[terms[name]]
        given = str(getattr(variable, "units", "")).strip()
        try:
            factor, _ = conversion(units if given in BARE else given, units)
        except FieldError as why:
            raise error(f"{here}: {terms[name]} is in {given!r}, expected {units!r}: {why}") from why
        return np.asarray(factor * numbers(variable, error=error), dtype=np.float64)

    if standard == SIGMA:
        sigma, top = term("sigma"), term("ptop", "Pa")
        return LevelPressure((1.0 - sigma) * top, sigma, terms["ps"])
    share = term("b")
    constant = term("ap", "Pa") if "ap" in terms else term("a") * term("p0", "Pa")
    return LevelPressure(np.broadcast_to(constant, share.shape).copy(), share, terms["ps"])
