# SPDX-License-Identifier: BSD-3-Clause
"""A mechanism in the layers of a block: gases as mole fractions of dry air, integrated over a period.

Oxygen, nitrogen and water vapour are the air's; all other species are tracers. Rates are those of the middle of the
period and of the air at its end. Below the horizon and where the mechanism has no name for it there is no photolysis.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from components.chemistry.regional import background, photolysis, photolysis_haze
from components.chemistry.regional.gases.mechanism import GIVEN, PARTICLES, Mechanism, joined
from components.chemistry.regional.gases.mechanism_file import read_mechanism
from components.chemistry.regional.gases.musica_solver import MusicaSolver
from components.chemistry.regional.gases.solver import GasSolver
from components.chemistry.regional.mechanisms import MECHANISMS
from components.radiation import climatology, standard_atmosphere
from components.science.constants import AVOGADRO, DRY_AIR_MOLAR_MASS, GRAVITY, WATER_MOLAR_MASS
from components.science.tracers import Species, Tracer
from coupler.fields import did_you_mean

BUILT_IN = {"cb05": ("carbon_bond_5.json", "ammonia_dms.json")}
OF_THE_AIR = {"O2": background.OXYGEN, "N2": 1.0 - background.OXYGEN}
VAPOUR = "H2O"
PHOTO = f"{GIVEN['PHOTOLYSIS']}."
EMITTED = f"{GIVEN['EMISSION']}."
DOBSON = 2.6867e20 / AVOGADRO  # mol m-2 of ozone
OZONE = "O3"


class GasAir(NamedTuple):
    """The air that gases are in, (nz, ny, nx) and (ny, nx).

    Attributes
    ----------
    t, q_v, p : temperature (K), vapour (to dry air), pressure (Pa)
    p_interface : (nz+1, ny, nx) Pa
    density : of dry air, kg m-3
    mass : of dry air in the layers, kg m-2
    cloud : condensate inside clouds, to dry air
    water : condensate of the layers, to dry air
    cover : (ny, nx) share of the sky that clouds cover
    albedo : (ny, nx) of the ground
    haze : (3, bands, nz, ny, nx) the aerosol's optical depth, scattered part, and that times asymmetry, by the bands of
        `photolysis_haze`; the table's standard aerosol if not given
    """

    t: Tensor
    q_v: Tensor
    p: Tensor
    p_interface: Tensor
    density: Tensor
    mass: Tensor
    cloud: Tensor
    water: Tensor
    cover: Tensor
    albedo: Tensor
    haze: Tensor | None = None


class Sun(NamedTuple):
    """Where the sun stands.

    Attributes
    ----------
    mu : (ny, nx) cosine of the zenith angle, 0 at night
    distance : (mean / actual distance)^2
    latitude : (ny, nx) degrees north
    day : since 2000 began
    """

    mu: Tensor
    distance: float
    latitude: Tensor
    day: float


def mechanism_files(gases: str, folder: Path | None = None) -> tuple[Path, ...]:
    """Files of a mechanism of the project's, or the one that the case names.

    Parameters
    ----------
    gases : ``cb05`` or a file
    folder : of the case, for a relative name
    """
    built_in = BUILT_IN.get(gases)
    if built_in is not None:
        return tuple(MECHANISMS / name for name in built_in)
    return ((folder or Path()) / Path(gases).expanduser(),)


def mechanism_of(gases: str, folder: Path | None = None) -> Mechanism:
    """The mechanism that ``gases`` names.

    Parameters
    ----------
    gases : ``cb05`` or a file of MusicBox's format
    folder : of the case

    Raises
    ------
    MechanismError
        A file that cannot be read, with every mistake.
    """
    return joined(*(read_mechanism(path) for path in mechanism_files(gases, folder)))


def transported(mechanism: Mechanism) -> tuple[str, ...]:
    """Species that are tracers: all but those of the air.

    Parameters
    ----------
    mechanism : species and reactions
    """
    return tuple(s for s in mechanism.species if s != VAPOUR and s not in OF_THE_AIR)


def tracers(mechanism: Mechanism) -> tuple[Tracer, ...]:
    """The gases as tracers: mole fractions of dry air.

    Parameters
    ----------
    mechanism : species and reactions
    """
    return tuple(Tracer(s, "mol mol-1", carried_by_convection=True, boundary="hold") for s in transported(mechanism))


def problems(
    mechanism: Mechanism, start: Mapping[str, float], emitted: Sequence[str], rates: Mapping[str, float]
) -> list[str]:
    """What is wrong with a mechanism in a case: names it does not have, rates and species that nothing gives.

    Parameters
    ----------
    mechanism : species and reactions
    start : mole fractions of the namelist by species
    emitted : species with an emission
    rates : fixed rates of the namelist
    """
    known = transported(mechanism)
    out = [
        f"{where}: mechanism {mechanism.name} has no gas {s!r}{did_you_mean(s, known)}; it has: {', '.join(known)}"
        for where, names in (("start", start), ("emissions", emitted))
        for s in names
        if s not in known
    ]
    names = mechanism.given_rates
    out += [
        f"rates: mechanism {mechanism.name} takes no rate {n!r}{did_you_mean(n, names)}; it takes: {', '.join(names)}"
        for n in rates
        if n not in names
    ]
    lights = tuple(n for n in names if n.startswith(PHOTO) and n not in rates)
    others = [n for n in names if not n.startswith((PHOTO, EMITTED)) and n not in rates]
    for n in (*photolysis.without_rate(lights), *others):
        unit, key = ("", f'"{n}"') if n.endswith(PARTICLES) else (" in s-1", n)  # YAML wants brackets quoted
        out.append(
            f"rate {n} of mechanism {mechanism.name}: no table has it; give it{unit}, such as  rates: {{{key}: 1.0e-5}}"
        )
    there = {*start, *emitted, *background.PARTS_PER_BILLION, *OF_THE_AIR, VAPOUR}
    sources = {s for r in mechanism.reactions if r.name.startswith(EMITTED) and r.name in rates for s, _ in r.products}
    return out + mechanism.without_origin([*there, *sources])


class GasChemistry:
    """A mechanism on a block.

    Parameters
    ----------
    mechanism : species and reactions
    solver : of it
    species : the tracers among which the gases are
    start : mole fractions that stand in the place of the background's
    rates : fixed rates of the namelist
    """

    def __init__(
        self,
        mechanism: Mechanism,
        solver: GasSolver | MusicaSolver,
        species: Species,
        start: Mapping[str, float],
        rates: Mapping[str, float],
    ):
        self.mechanism, self.solver, self.start, self.rates = mechanism, solver, dict(start), dict(rates)
        self.names = transported(mechanism)
        self.at = [species.number(s) for s in self.names]
        self._rows = [mechanism.number(s) for s in self.names]
        self._lights = tuple(n for n in mechanism.given_rates if n.startswith(PHOTO) and n not in rates)

    def outside(self, p_interface: Tensor, latitude: Tensor, day: float) -> Tensor:
        """Mole fractions (gases, nz, ny, nx) at the start and at the sides.

        Ozone is CAM's climatology of the month and latitude, the others the round profiles of `background` by the
        height that a pressure has in the US Standard Atmosphere.

        Parameters
        ----------
        p_interface : (nz+1, ny, nx) Pa
        latitude : (ny, nx) degrees north
        day : since 2000 began
        """
        height = standard_atmosphere.height(0.5 * (p_interface[1:] + p_interface[:-1]))
        out = []
        for s in self.names:
            if s in self.start:
                out.append(torch.full_like(height, self.start[s]))
            elif s == OZONE:
                flat = climatology.ozone(p_interface.flatten(1), latitude.flatten(), day)
                out.append(flat.reshape(height.shape))
            else:
                out.append(background.mole_fraction(s, height))
        return torch.stack(out)

    def given(self, air: GasAir, sun: Sun) -> dict[str, Tensor | float]:
        """Rates from outside, by the mechanism's names.

        Parameters
        ----------
        air : of the layers
        sun : where it stands
        """
        out: dict[str, Tensor | float] = dict(self.rates)
        if not self._lights or not bool((sun.mu > 0.0).any()):
            return out
        angle = torch.rad2deg(torch.acos(torch.clamp(sun.mu, max=1.0)))
        height = standard_atmosphere.height(air.p)
        column = ozone_column(air.p_interface[0], sun.latitude, sun.day)
        clouds = photolysis.cloud_factor(photolysis.optical_depth(air.cloud, air.mass), air.cover, sun.mu)
        clear = photolysis.rates(self._lights, angle, column, height, air.albedo)
        if air.haze is not None:
            long, short = photolysis_haze.factor(air.haze, air.p_interface, air.albedo, sun.mu)
            clear = {n: rate * (short if n in photolysis_haze.SHORT else long) for n, rate in clear.items()}
        return {**out, **{name: sun.distance * clouds * rate for name, rate in clear.items()}}

    def react(self, q: Tensor, air: GasAir, sun: Sun, seconds: float, step: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mole fractions of the gases (gases, nz, ny, nx) after ``seconds``, and the solver's next steps.

        Parameters
        ----------
        q : (n, nz, ny, nx) of all tracers
        air, sun : of the period
        seconds : period, s
        step : what the period before gave, or None

        Raises
        ------
        SolverFailure
            No solution; names cell, species and rates.
        """
        dry = air.density / DRY_AIR_MOLAR_MASS  # mol m-3
        c = torch.empty((len(self.mechanism.species), *dry.shape), dtype=torch.float64)
        c[self._rows] = (q[self.at] * dry).double()
        for n, s in enumerate(self.mechanism.species):
            if s == VAPOUR:
                c[n] = (air.q_v * (DRY_AIR_MOLAR_MASS / WATER_MOLAR_MASS) * dry).double()
            elif s in OF_THE_AIR:
                c[n] = (OF_THE_AIR[s] * dry).double()
        new, following = self.solver.advance(c, air.t, air.p, self.given(air, sun), seconds, step)
        return (new[self._rows] / dry).to(q), following


def ozone_column(surface_pressure: Tensor, latitude: Tensor, day: float) -> Tensor:
    """Ozone above the ground (ny, nx) of CAM's climatology, Dobson units.

    Parameters
    ----------
    surface_pressure : (ny, nx) Pa
    latitude : (ny, nx) degrees north
    day : since 2000 began
    """
    whole = torch.stack([surface_pressure, torch.zeros_like(surface_pressure)]).flatten(1)
    mean = climatology.ozone(whole, latitude.flatten(), day).reshape(surface_pressure.shape)
    return mean * surface_pressure / (GRAVITY * DRY_AIR_MOLAR_MASS * DOBSON)
