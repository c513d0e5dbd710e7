# SPDX-License-Identifier: BSD-3-Clause
"""What is wrong with the options of a chemistry, all of it at once."""

from typing import Any

from components.chemistry.regional import emission_proxy, emitted, gas_chemistry, side_files
from components.chemistry.regional.aerosol.species import MOLAR_MASS
from components.chemistry.regional.aerosol.species import NAMES as PARTICLES
from components.chemistry.regional.deposition import land_cover
from components.chemistry.regional.gases.mechanism import Mechanism
from components.chemistry.regional.gases.musica_solver import missing
from components.chemistry.regional.tracer_options import declared
from components.science.tracers import Species
from coupler.component import Setting
from coupler.errors import TesseraError


def mistakes(options: Any, mechanism: Mechanism | None, species: Species, setting: Setting) -> list[str]:
    """What is wrong: files of land, sides and emissions, names and rates of the mechanism.

    Parameters
    ----------
    options : of the chemistry
    mechanism : of the gases, None without
    species : the tracers
    setting : folder, clock and grid of the case
    """
    found = _cover(options.land_cover, setting) + side_files.problems(options.sides, setting, species)
    found += _without_gases(options, species) if mechanism is None else _gases(options, mechanism)
    if options.emissions is not None and not found:
        try:
            emitted.sources_of(options.emissions, setting, options.aerosol is not None)
        except TesseraError as error:
            found.append(str(error))
    return found


def _cover(file: str, setting: Setting) -> list[str]:
    """What is wrong with the file of land cover."""
    try:
        if file:
            land_cover.read_shares(setting.file(file), setting.grid.shape, setting.clock.date(0).year)
    except TesseraError as error:
        return [str(error)]
    return []


def _of_gases(options: Any) -> dict[str, float]:
    """Of `start`, what is said of gases."""
    held = () if options.aerosol is None else PARTICLES
    return {n: x for n, x in options.start.items() if n not in held}


def _without_gases(options: Any, species: Species) -> list[str]:
    said = {"start": _of_gases(options), "rates": options.rates}
    found = [f"{name} says something of gases, but gases: none" for name, value in said.items() if value]
    e = options.emissions
    return found + ([] if e is None else emitted.problems_without_gases(e, species))


def _gases(options: Any, mechanism: Mechanism) -> list[str]:
    others = {t.name for t in declared(options) if t.name not in PARTICLES}
    others |= {*MOLAR_MASS} if options.aerosol is not None else set()
    of_files = [*emitted.names_of(options.emissions), *(s for side in options.sides for s in side.species)]
    given = [s for s in of_files if s not in others]
    found = gas_chemistry.problems(mechanism, _of_gases(options), given, options.rates)
    if options.emissions is not None and options.emissions.proxy_year is not None:
        found += [why] if (why := emission_proxy.missing()) else []
    if options.backend == "musica":
        found += [why] if (why := missing()) else []
    return found
