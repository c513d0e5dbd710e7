# SPDX-License-Identifier: BSD-3-Clause
"""The aerosol of a case over a period: sources, fall, deposition, clouds, equilibrium with gases, and its books."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from components.chemistry.regional import background, near_ground
from components.chemistry.regional.aerosol import ageing, dust, particle_uptake, sea_salt, secondary_organic
from components.chemistry.regional.aerosol.cloud_sulfur import Cloudy, oxidised
from components.chemistry.regional.aerosol.inorganic import equilibrium
from components.chemistry.regional.aerosol.options import DESERTS, Aerosol
from components.chemistry.regional.aerosol.particle_motion import fall_speed, swollen
from components.chemistry.regional.aerosol.species import FRESH, KIND, KINDS, MOLAR_MASS, NAMES
from components.chemistry.regional.deposition import dry, rain
from components.chemistry.regional.land_mask import is_land
from components.chemistry.regional.transport import column
from components.radiation import standard_atmosphere
from components.radiation.aerosol_exchange import PART_OF
from components.science.constants import DRY_AIR_MOLAR_MASS, NITROGEN_MOLAR_MASS, VON_KARMAN
from components.science.settling import fall
from components.science.tracers import Species
from components.science.water import saturation_pressure, vapour_pressure

BOOKS = ("production", "settling", "dry_deposition", "wet_deposition")
VAPOUR = secondary_organic.VAPOUR.name
OF_VAPOUR = f"{VAPOUR}_{BOOKS[0]}"
PARTNERS = ("SO2", "H2O2", "O3", "SULF", "NH3", "HNO3")
"""Gases that become particles or oxidise in clouds, by their names in Carbon Bond."""
PENTOXIDE = "N2O5"  # becomes nitric acid on particles, where the mechanism has it
NITROGEN = ("ammonium", "nitrate")  # particles with an atom of nitrogen
SEA_ROUGHNESS, SALTATION = 1.0e-4, 1.0e-3  # m: z_0, the last of ground from which dust rises
CARBON_DIOXIDE = 4.0e-4  # mole fraction that makes clouds acid


class Surroundings(NamedTuple):
    """The air that particles are in, (nz, ny, nx), and the wind over the ground, (ny, nx).

    Attributes
    ----------
    t, q_v, p : temperature (K), vapour to dry air, pressure (Pa)
    density, mass : of dry air, kg m-3, and in the layers, kg m-2
    cloud : liquid condensate inside clouds, to dry air
    cover : share of the layer that clouds fill
    wind : speed in the lowest layer, m s-1
    """

    t: Tensor
    q_v: Tensor
    p: Tensor
    density: Tensor
    mass: Tensor
    cloud: Tensor
    cover: Tensor
    wind: Tensor

    def humidity(self) -> Tensor:
        """Relative humidity."""
        q = torch.clamp(self.q_v, min=0.0)
        return torch.as_tensor(vapour_pressure(q / (1.0 + q), self.p) / saturation_pressure(self.t))

    def height(self) -> Tensor:
        """Of the middle of the lowest layer above the ground, m."""
        return 0.5 * self.mass[0] / self.density[0]


class Particles:
    """The aerosol on a rank's block.

    Parameters
    ----------
    options : of the namelist
    species : all tracers
    longitude, latitude : (ny, nx) degrees
    levels : number of layers
    dtype : of the tracers
    start : mass fractions at the start and the sides that stand in the place of the background's
    desert : (ny, nx) share of a cell's land that is bare, where a map has it
    """

    def __init__(
        self, options: Aerosol, species: Species, longitude: Tensor, latitude: Tensor, levels: int, dtype: torch.dtype,
        start: Mapping[str, float] | None = None, desert: Tensor | None = None,
    ):  # fmt: skip
        self.options, self.at = options, [species.number(name) for name in NAMES]
        self.start = {} if start is None else start
        self._vapour_at = species.number(VAPOUR)
        self._oxidant_at = {name: k for k, name in enumerate(species.names)}.get(secondary_organic.OXIDANT)
        self.land = is_land(longitude, latitude)
        self._gas = {name: species.number(name) for name in (*PARTNERS, PENTOXIDE) if name in species.names}
        none = torch.zeros((len(NAMES), *latitude.shape), dtype=dtype)
        self.books = {book: none.clone() for book in BOOKS}
        self.vapour_book = torch.zeros_like(none[0])
        self.nitrogen_deposition = torch.zeros_like(none[0])  # of the last period, kg m-2 s-1
        self.vapour = torch.zeros((levels, *latitude.shape), dtype=dtype)
        self.density, self.fine_at_stations = torch.zeros_like(none[0]), torch.zeros_like(none[0])
        self.from_ground: dict[str, Tensor] = {}
        boxes = () if options.dust is None else options.dust.deserts
        self.bare = torch.zeros_like(none[0]) if desert is None or boxes is not None else desert
        for box in boxes if boxes is not None else DESERTS if desert is None else ():
            self.bare = torch.where(box.holds(longitude, latitude), box.bare, self.bare)

    def outside(self, air: Surroundings) -> Tensor:
        """Mass fractions (kinds, nz, ny, nx) at the start and at the sides.

        Parameters
        ----------
        air : of the period
        """
        height = standard_atmosphere.height(air.p)
        return torch.stack([
            torch.full_like(height, self.start[name]) if name in self.start
            else background.particles(name, height) / air.density
            for name in NAMES
        ])  # fmt: skip

    def weighed(self, emitted: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Emissions with those of particles as mass, and the organic vapour that comes with carbon monoxide.

        Parameters
        ----------
        emitted : by species; gases in mole fraction times kg m-2 s-1, particles in mol m-2 s-1
        """
        out = {n: a * MOLAR_MASS[n] if n in MOLAR_MASS else a for n, a in emitted.items()}
        if self.options.organic_vapour > 0.0 and secondary_organic.WITH in emitted:
            share = self.options.organic_vapour * secondary_organic.CARBON_MONOXIDE / DRY_AIR_MOLAR_MASS
            out[VAPOUR] = emitted[secondary_organic.WITH] * share
        return out

    def emitted(
        self, air: Surroundings, surface: Tensor, water: Tensor | None = None, snow: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Upward fluxes of dust and salt (ny, nx) by tracer, kg m-2 s-1.

        Parameters
        ----------
        air : of the period
        surface : (ny, nx) temperature of the ground, K
        water : (ny, nx) in the topmost soil, m3 m-3; dry where it is not given
        snow : (ny, nx) on the ground, kg m-2; none where it is not given
        """
        out: dict[str, Tensor] = {}
        height, land = air.height(), self.land.to(air.wind)
        if self.options.sea_salt:
            ten = _wind_at_ten_metres(air.wind, height, SEA_ROUGHNESS)
            salt = sea_salt.flux(ten, 1.0 - land)
            out |= {f"sea_salt_{n + 1}": flux for n, flux in enumerate(salt)}
        d = self.options.dust
        if d is not None:
            share = self.bare * land * dust.thawed(surface)
            if snow is not None:
                share = share * dust.bare(torch.zeros_like(snow), dust.snow_cover(snow))
            moist = torch.zeros_like(share) if water is None else water
            rho = air.density[0]
            if d.scheme == "kok":
                u = VON_KARMAN * air.wind / torch.log(height / SALTATION)
                clay = torch.full_like(u, d.clay)
                threshold = dust.wetted(dust.least_threshold(rho), moist, clay)
                total = dust.kok(u, threshold, clay, share, rho)
            else:
                ten = _wind_at_ten_metres(air.wind, height, SALTATION)
                total = dust.gocart(ten, share, moist / dust.PORES, rho)
            out |= {f"dust_{n + 1}": total * part for n, part in enumerate(dust.shares())}
        return out

    def advance(
        self, q: Tensor, air: Surroundings, ground: dry.Ground, rains: Sequence[rain.Rain], seconds: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """All tracers (n, nz, ny, nx) after a period, and by how much gases changed (nz, ny, nx), by name.

        Parameters
        ----------
        q : (n, nz, ny, nx) all tracers
        air : of the period
        ground : surface and lowest air
        rains : that fall
        seconds : s
        """
        q, self.vapour, self.density = q.clone(), air.q_v, air.density[0]
        humidity = air.humidity()
        before = q[self.at].clone()
        gases = {name: q[k].clone() for name, k in self._gas.items()}
        coat = self._react(q, air, humidity, seconds) + self._form_organic(q, air, seconds)
        self._age(q, air, humidity, coat, seconds)
        self._book("production", column((q[self.at] - before) * air.mass))
        speeds, fallen = self._fall(q, air, humidity, ground, seconds)
        fallen = fallen + self._rain(q, air, humidity, rains, seconds)
        self.nitrogen_deposition = _nitrogen(fallen) / seconds
        self.fine_at_stations = self._near_ground(q, speeds, ground)
        return q, {name: q[k] - gases[name] for name, k in self._gas.items()}

    def _book(self, book: str, change: Tensor) -> None:
        self.books[book] = self.books[book] + change

    def _react(self, q: Tensor, air: Surroundings, humidity: Tensor, seconds: float) -> Tensor:
        """Clouds and equilibrium, in place; each tracer changes by what its amount above 0 gives.

        Returns the volume of the salts that condensed out of the gas, m3 per m3 of air, less than 0 where more
        evaporated; what formed in the water of clouds and particles coats no dry one.
        """
        coat = torch.zeros_like(humidity)
        if set(PARTNERS) - set(self._gas):
            return coat
        mol = (air.density / DRY_AIR_MOLAR_MASS).double()  # of dry air, mol m-3
        per = {n: DRY_AIR_MOLAR_MASS / MOLAR_MASS[n] for n in ("sulfate", "nitrate", "ammonium")}
        held = {n: self.at[NAMES.index(n)] for n in per}

        def amount(name: str) -> Tensor:
            part = q[held[name]] * per[name] if name in held else q[self._gas[name]]
            return torch.clamp(part.double(), min=0.0) * mol

        def change(name: str, by: Tensor) -> None:
            fraction = (by / mol).to(q)
            if name in held:
                q[held[name]] += fraction / per[name]
            else:
                q[self._gas[name]] += fraction

        by_sulfur, by_nitrogen = self._uptake(q, air, humidity)
        if PENTOXIDE in self._gas:
            gone = -amount(PENTOXIDE) * torch.expm1(-seconds * by_nitrogen.double())
            change(PENTOXIDE, -gone)
            change("HNO3", 2.0 * gone)
        sulfate, acid = amount("sulfate"), amount("SULF")
        ammonia, nitrate = amount("ammonium") + amount("NH3"), amount("nitrate") + amount("HNO3")
        change("SULF", -acid)  # sulfuric acid condenses at once
        change("sulfate", acid)
        sulfate = sulfate + acid
        coat = coat + _salt("sulfate", acid, 2.0).to(coat)
        taken = -amount("SO2") * torch.expm1(-seconds * by_sulfur.double())
        change("SO2", -taken)
        change("sulfate", taken)
        sulfate = sulfate + taken
        liquid = torch.clamp(air.cloud * air.density, min=0.0)
        if bool((liquid * air.cover > 0.0).any()):
            start = Cloudy(
                *(a.numpy() for a in (amount("SO2"), amount("H2O2"), amount("O3"), sulfate, ammonia, nitrate))
            )
            end, _ = oxidised(start, air.t.numpy(), liquid.numpy(), air.cover.numpy(), CARBON_DIOXIDE, seconds)
            for name, field in (("SO2", "sulfur_dioxide"), ("H2O2", "hydrogen_peroxide"), ("O3", "ozone")):
                change(name, torch.as_tensor(getattr(end, field) - getattr(start, field)))
            made = torch.as_tensor(end.sulfate - start.sulfate)
            change("sulfate", made)
            sulfate = sulfate + made
        got = equilibrium(*(a.numpy() for a in (sulfate, ammonia, nitrate, air.t.double(), humidity.double())))
        for particle, gas, ion in (("ammonium", "NH3", got.ammonium), ("nitrate", "HNO3", got.nitrate)):
            by = torch.as_tensor(ion) - amount(particle)
            change(particle, by)
            change(gas, -by)
            coat = coat + _salt("nitrate", by, 1.0).to(coat) if particle == "nitrate" else coat
        return coat

    def _form_organic(self, q: Tensor, air: Surroundings, seconds: float) -> Tensor:
        """Organic vapour becomes particles, in place; their volume in that of sulfate, m3 per m3 of air."""
        if self._oxidant_at is None:
            return torch.zeros_like(air.t)
        hydroxyl = torch.clamp(q[self._oxidant_at], min=0.0) * (air.density / DRY_AIR_MOLAR_MASS)
        formed = secondary_organic.formed(torch.clamp(q[self._vapour_at], min=0.0), hydroxyl, seconds)
        q[self._vapour_at] -= formed
        q[self.at[NAMES.index(secondary_organic.BECOMES)]] += formed
        self.vapour_book = self.vapour_book - column((formed * air.mass)[None])[0]
        organic, sulfate = KIND[secondary_organic.BECOMES], KIND["sulfate"]
        return formed * air.density * (organic.kappa / (sulfate.kappa * organic.density))

    def _age(self, q: Tensor, air: Surroundings, humidity: Tensor, coat: Tensor, seconds: float) -> None:
        """Fresh particles become soluble, in place; their sum stays."""
        of = {}
        for kind, k in zip(KINDS, self.at, strict=True):
            if kind.name in FRESH or kind.soluble():
                volume = torch.clamp(q[k], min=0.0) * air.density / kind.density
                wet = _wet(kind.diameter, kind.density, kind.kappa, humidity)
                of[kind.name] = ageing.Population(volume, kind.diameter, *wet)
        fresh, soluble = ([p for n, p in of.items() if (n in FRESH) == young] for young in (True, False))
        speeds = ageing.rates(fresh, soluble, torch.clamp(coat, min=0.0) / seconds, air.t, air.p)
        names = [n for n in of if n in FRESH]
        for name, speed in zip(names, speeds, strict=True):
            a, b = self.at[NAMES.index(name)], self.at[NAMES.index(FRESH[name])]
            turned = -q[a] * torch.expm1(-speed * seconds)
            q[a], q[b] = q[a] - turned, q[b] + turned

    def _uptake(self, q: Tensor, air: Surroundings, humidity: Tensor) -> tuple[Tensor, Tensor]:
        """Rates at which small soluble particles take up sulfur dioxide and nitrogen pentoxide, s-1."""
        sulfur, nitrogen = torch.zeros_like(humidity), torch.zeros_like(humidity)
        hits = particle_uptake.of_sulfur_dioxide(humidity), particle_uptake.of_nitrogen_pentoxide(air.t, humidity)
        for kind, k in zip(KINDS, self.at, strict=True):
            if kind.soluble():
                wet, _ = _wet(kind.diameter, kind.density, kind.kappa, humidity)
                volume = torch.clamp(q[k], min=0.0) * air.density / kind.density  # dry, m3 per m3 of air
                surface = 6.0 * volume * wet * wet / kind.diameter**3
                sulfur = sulfur + particle_uptake.rate(surface, wet, air.t, hits[0])
                pentoxide = particle_uptake.rate(surface, wet, air.t, hits[1], particle_uptake.NITROGEN_PENTOXIDE)
                nitrogen = nitrogen + pentoxide
        return sulfur, nitrogen

    def _fall(
        self, q: Tensor, air: Surroundings, humidity: Tensor, ground: dry.Ground, seconds: float
    ) -> tuple[list[Tensor], Tensor]:
        """Settling through the layers and dry deposition from the lowest, in place; velocities and kg m-2 by kind."""
        sizes = [_wet(kind.diameter, kind.density, kind.kappa, humidity) for kind in KINDS]
        speeds = dry.particle_velocities([d[0] for d, _ in sizes], [rho[0] for _, rho in sizes], ground)
        settled, deposited = [], []
        for k, (diameter, density), v in zip(self.at, sizes, speeds, strict=True):
            speed = fall_speed(diameter, density, air.t, air.p)
            q[k], fallen = fall(q[k], speed, air.density, air.mass, seconds)
            settled.append(fallen)
            q[k, 0], gone = dry.deposited(q[k, 0], v - speed[0], air.density[0], air.mass[0], seconds)
            deposited.append(gone)
        sunk, dry_matter = torch.stack(settled), torch.stack(deposited)
        self._book("settling", -sunk)
        self._book("dry_deposition", -dry_matter)
        return speeds, sunk + dry_matter

    def _near_ground(self, q: Tensor, speeds: Sequence[Tensor], ground: dry.Ground) -> Tensor:
        """PM2.5 (ny, nx) that stations see, dry, kg m-3."""
        between, total = near_ground.resistance(ground), torch.zeros_like(self.density)
        for kind, k, v in zip(KINDS, self.at, speeds, strict=True):
            emitted = self.from_ground.get(kind.name, torch.zeros_like(total)) / ground.density
            lowest = torch.clamp(q[k, 0], min=0.0)
            total = total + kind.fine * near_ground.brought_down(lowest, emitted, v, between)
        return total * ground.density

    def _rain(
        self, q: Tensor, air: Surroundings, humidity: Tensor, rains: Sequence[rain.Rain], seconds: float
    ) -> Tensor:
        """Wet deposition, in place; kg m-2 by kind."""
        taken = torch.tensor([kind.taken for kind in KINDS], dtype=q.dtype)
        lost = torch.zeros_like(q[self.at][:, 0])
        for kind_of_rain in rains:
            if not bool((kind_of_rain.flux > 0.0).any()):
                continue
            drop = rain.drop_diameter(torch.clamp(kind_of_rain.flux[:-1], min=0.0))
            collected = []
            for kind in KINDS:
                diameter, density = _wet(kind.diameter, kind.density, kind.kappa, humidity)
                collected.append(rain.collection_efficiency(diameter, density, drop, air.t, air.p, air.density))
            water = rain.of_particles(taken, torch.stack(collected))
            q[self.at], fallen = rain.fallen(q[self.at], kind_of_rain, water, air.mass, air.mass / air.density, seconds)
            lost = lost + fallen
        self._book("wet_deposition", -lost)
        return lost

    def fractions(self, q: Tensor) -> dict[str, Tensor]:
        """Mass fractions in moist air (nz, ny, nx) by the names that radiation's optics have.

        Parameters
        ----------
        q : (n, nz, ny, nx) all tracers
        """
        out: dict[str, Tensor] = {}
        for kind, k in zip(KINDS, self.at, strict=True):
            part = torch.clamp(q[k], min=0.0) / (1.0 + self.vapour)
            for name in (kind.field, PART_OF.get(kind.field)):
                if name is not None:
                    out[name] = out[name] + part if name in out else part
        return out

    def fine_matter(self, q: Tensor) -> Tensor:
        """PM2.5 (ny, nx) of the lowest layer, dry, kg m-3.

        Parameters
        ----------
        q : (n, nz, ny, nx) all tracers
        """
        total = torch.zeros_like(self.density)
        for kind, k in zip(KINDS, self.at, strict=True):
            total = total + kind.fine * torch.clamp(q[k, 0], min=0.0)
        return total * self.density

    def booked(self) -> dict[str, Tensor]:
        """What became of the particles since the start, by name of the output."""
        out = {f"{n}_{book}": a[k] for book, a in self.books.items() for k, n in enumerate(NAMES)}
        return {**out, OF_VAPOUR: self.vapour_book}

    def state(self) -> dict[str, Tensor]:
        """Books, and of the last period the deposition that is exported and the air that output and radiation need."""
        kept = {"particle_vapour": self.vapour, "particle_air_density": self.density}
        kept["particle_nitrogen_deposition"] = self.nitrogen_deposition
        return {**self.booked(), **kept, "fine_matter_at_stations": self.fine_at_stations}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore a saved state.

        Parameters
        ----------
        state : holds what `state` gives
        """

        def read(name: str, like: Tensor) -> Tensor:
            return torch.as_tensor(np.array(state[name])).to(like)

        for book, a in self.books.items():
            self.books[book] = torch.stack([read(f"{n}_{book}", a) for n in NAMES])
        self.vapour_book = read(OF_VAPOUR, self.vapour_book)
        self.vapour = read("particle_vapour", self.vapour)
        self.density = read("particle_air_density", self.density)
        self.nitrogen_deposition = read("particle_nitrogen_deposition", self.density)
        self.fine_at_stations = read("fine_matter_at_stations", self.density)


def _wet(diameter: float, density: float, kappa: float, humidity: Tensor) -> tuple[Tensor, Tensor]:
    d, rho, k = (torch.full_like(humidity, x) for x in (diameter, density, kappa))
    return swollen(d, rho, k, humidity)


def _nitrogen(matter: Tensor) -> Tensor:
    """Nitrogen in particles (kinds, ...), in their unit of mass."""
    total = torch.zeros_like(matter[0])
    for name in NITROGEN:
        total = total + matter[NAMES.index(name)] * (NITROGEN_MOLAR_MASS / MOLAR_MASS[name])
    return total


def _salt(ion: str, moles: Tensor, charge: float) -> Tensor:
    """Volume of an ion in particles and of the ammonium that balances it, m3."""
    parts = {ion: 1.0, "ammonium": charge}
    return moles * sum(share * MOLAR_MASS[name] / KIND[name].density for name, share in parts.items())


def _wind_at_ten_metres(wind: Tensor, height: Tensor, roughness: float) -> Tensor:
    """Neutral logarithmic profile."""
    ten = torch.log(torch.full_like(height, 10.0 / roughness))
    return wind * torch.clamp(ten / torch.log(height / roughness), max=1.0)
