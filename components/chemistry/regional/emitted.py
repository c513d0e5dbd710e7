# SPDX-License-Identifier: BSD-3-Clause
"""What the emissions of a case give to its tracers over a period, on a rank's block; with gases or without."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from components.chemistry.regional import emission_proxy, emissions
from components.chemistry.regional.land_mask import is_land
from components.chemistry.regional.parameters import Course, Emissions
from components.science.constants import DRY_AIR_MOLAR_MASS
from components.science.tracers import Species
from coupler.component import Context, Setting
from coupler.fields import did_you_mean

ISOPRENE, ISOPRENE_MOLAR_MASS = "ISOP", 0.068117  # kg mol-1
MOLES = "mol mol-1"
Flows = dict[str, Tensor]


def sources_of(options: Emissions, setting: Setting, particles: bool) -> list[emissions.Source]:
    """Fluxes that the namelist names.

    Parameters
    ----------
    options : of the namelist
    setting : folder and clock of the case
    particles : whether the case has particles, so that the proxy emits them too

    Raises
    ------
    TesseraError
        A file that cannot be used.
    """
    clock, end = setting.clock, setting.duration
    out = [emissions.of_file(e, str(setting.file(e.file)), clock, end) for e in options.files]
    return out + (emission_proxy.sources(options.proxy_year, particles) if options.proxy_year is not None else [])


def problems_without_gases(options: Emissions, species: Species) -> list[str]:
    """What cannot be emitted where no mechanism is: what only gases can be, and tracers that are not there.

    Parameters
    ----------
    options : of the namelist
    species : the tracers
    """
    names = species.names
    said = {"proxy_year": options.proxy_year, "isoprene": options.isoprene}
    found = [f"emissions: {name} is of gases, but gases: none" for name, value in said.items() if value is not None]
    unknown = [n for e in options.files for n in e.species if n not in names]
    return found + [
        f"emissions: unknown tracer {n!r}{did_you_mean(n, names)} with gases: none; known: {', '.join(names)}"
        for n in unknown
    ]


class Emitted:
    """Emissions on a rank's block.

    Parameters
    ----------
    context : of the component
    options : of the namelist
    species : all tracers
    particles : whether the case has particles
    dtype : of the tracers
    """

    def __init__(self, context: Context, options: Emissions, species: Species, particles: bool, dtype: torch.dtype):
        grid, local = context.grid, context.local
        self.options, self.clock = options, context.clock
        self.lon, lat = (torch.tensor(local(a), dtype=dtype) for a in (grid.longitude, grid.latitude))
        self.land, self._plants = is_land(self.lon, lat), options.isoprene is not None and ISOPRENE in species.names
        rows = local(np.arange(grid.size).reshape(grid.shape)).ravel()
        self.sources = emissions.OnCells(sources_of(options, context, particles), grid, rows)
        # a mole of a tracer that is counted by mass is a kilogram of it
        self._of_a_mole = {t.name: DRY_AIR_MOLAR_MASS for t in species if t.units == MOLES}

    def at(
        self, mass: Tensor, density: Tensor, temperature: Tensor, sunlight: Tensor, time: int, seconds: int
    ) -> tuple[Flows, Flows]:
        """What layers (nz, ny, nx) are given by tracer, and of it what comes from the ground (ny, nx).

        In mole fraction times kg m-2 s-1 of tracers in mole fractions, else in kg m-2 s-1.

        Parameters
        ----------
        mass, density : (nz, ny, nx) dry air in the layers, kg m-2 and kg m-3
        temperature, sunlight : (ny, nx) of the lowest air, K, and at the ground, W m-2
        time, seconds : start and length of the period, s
        """
        date = self.clock.date(time + seconds // 2)
        depth = mass / density
        interfaces = torch.cat([torch.zeros_like(depth[:1]), torch.cumsum(depth, 0)])
        out: Flows = {}
        from_ground: Flows = {}
        shares: list[tuple[Course, Tensor]] = []

        def add(flux: Tensor, species: Mapping[str, float], course: Course) -> None:
            share = next((a for c, a in shares if c.heights == course.heights), None)
            if share is None:
                share = emissions.by_layer(course, interfaces)
                shares.append((course, share))
            layers = flux * share
            low = flux * max(1.0 - sum(slab.share for slab in course.heights), 0.0)
            for name, moles in species.items():
                factor = moles * self._of_a_mole.get(name, 1.0)
                for total, part in ((out, layers), (from_ground, low)):
                    total[name] = total[name] + factor * part if name in total else factor * part

        for s, values in zip(self.sources.sources, self.sources.fluxes(time), strict=True):
            flux = torch.tensor(values.reshape(self.lon.shape), dtype=self.lon.dtype)
            add(flux * emissions.rhythm(s.course, self.lon, date), s.species, s.course)
        if self._plants and self.options.isoprene is not None:
            plants = emissions.isoprene(self.options.isoprene.capacity / ISOPRENE_MOLAR_MASS, temperature, sunlight)
            add(torch.where(self.land, plants, 0.0), {ISOPRENE: 1.0}, Course())
        return out, from_ground


def added(fluxes: Mapping[str, Tensor], flows: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Fluxes through the ground (ny, nx) and what layers (nz, ny, nx) are given, together by tracer.

    Parameters
    ----------
    fluxes, flows : by tracer
    """
    out = dict(fluxes)
    for name, flow in flows.items():
        if name in fluxes:
            flow = flow.clone()
            flow[0] = flow[0] + fluxes[name]
        out[name] = flow
    return out


def names_of(options: Emissions | None) -> Sequence[str]:
    """Tracers that the files of a namelist emit."""
    return () if options is None else [s for e in options.files for s in e.species]
