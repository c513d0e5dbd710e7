# SPDX-License-Identifier: BSD-3-Clause
"""The energy of a coupled run, line by line: stores before and after, and what crosses between them and the borders."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import torch

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.driving.driven_mass import DrivenMass
from components.atmosphere.nonhydrostatic.model import Atmosphere
from components.atmosphere.nonhydrostatic.physics import energy
from components.atmosphere.nonhydrostatic.physics.columns import INNER
from components.atmosphere.nonhydrostatic.physics.sequence import Physics
from components.land.column.advance import Land
from components.land.column.component import ColumnLand
from components.ocean.primitive.component import PrimitiveOcean
from components.ocean.primitive.stencil import inner
from components.science.constants import CP_DRY, LATENT_FUSION, LATENT_VAPORISATION
from coupler.exchange.flux_operator import FluxOperator


@dataclass
class Heard:
    """A flux law that remembers what it was told of its upper side."""

    law: object
    first: object = None

    def fluxes(self, first, second, options):
        self.first = first
        return self.law.fluxes(first, second, options)


@dataclass
class Ledger:
    """Sums of a serial run in J, by name; ``stores`` holds a component's (first, last) content.

    Parameters
    ----------
    land : area of land in each cell of the atmosphere, (ny, nx), m2
    outside : area of the prescribed sea in each cell of the atmosphere, (ny, nx), m2
    frame : rows of the atmosphere at its sides that are held at or relaxed to the driver
    """

    land: np.ndarray
    outside: np.ndarray
    frame: int
    sums: dict = field(default_factory=lambda: defaultdict(float))
    stores: dict = field(default_factory=dict)
    made: float = 0.0
    _species: object = None

    def keep(self, name, value):
        """Note a store's content; the first and the last stay."""
        self.stores[name] = (self.stores.get(name, (value,))[0], value)

    def watch(self, monkeypatch):
        """Follow the atmosphere, the ocean and the land of a run that begins from here on, in this process."""
        self._watch_air(monkeypatch)
        self._watch_sea(monkeypatch)
        self._watch_land(monkeypatch)
        self._watch_prescribed_sea(monkeypatch)
        return self

    def _watch_air(self, monkeypatch):
        ledger, add = self, self.sums
        step, move = NonhydrostaticAtmosphere.step, Atmosphere._move

        def contents(model, s, q):
            g = model.core.geometry
            area = 1.0 / g.inverse_area[INNER, INNER].double()
            return area * energy.stored(g, s, q, model.physics.species).total

        def moved(model, state, driver, time, dt):
            core, f = model.core, ledger.frame
            rows = slice(f, -f)
            transport = core.transport
            seen = {}

            def transports(q, new, flux, seconds):
                out = transport(q, new, flux, seconds)
                middle = type(new)(*(0.5 * (a + b) for a, b in zip(state.s, new, strict=True)))
                e, work = energy.carried_in(core.geometry, middle, 0.5 * (q + out), model.physics.species, flux, f)
                seen["in"] = float(e + work) * seconds
                return out

            core.transport = transports
            before = contents(model, state.s, state.q)
            try:
                new, q, *flux = move(model, state, driver, time, dt)
            finally:
                core.transport = transport
            change = contents(model, new, q) - before
            interior = float(change[rows, rows].sum())
            add["dynamics inside"] += interior - seen["in"]
            add["sides"] += float(change.sum()) - interior + seen["in"]
            return new, q, *flux

        def stepped(component, time, seconds, imports):
            model, before = component.model, component.now
            g = model.core.geometry
            area = 1.0 / g.inverse_area[INNER, INNER].double()
            ledger.keep("air", float(contents(model, before.s, before.q).sum()))
            # what shines down in a step the ground learns of in the next
            down = lambda sky: float((area * (sky.shortwave_down + sky.longwave_down)).sum()) * seconds  # noqa: E731
            ledger.keep("in flight to the ground", down(before.sky))
            out = step(component, time, seconds, imports)
            now = component.now
            total = lambda a: float((area * a.double()).sum()) * seconds  # noqa: E731
            got = {n: np.asarray(imports[n], dtype=float) for n in imports if imports[n] is not None}
            flux = lambda n: float((area.numpy() * got[n]).sum()) * seconds if n in got else 0.0  # noqa: E731
            mass = (g.rho_base + now.s.rho)[:, INNER, INNER]
            sky = now.followed
            heating = total((CP_DRY * mass * sky.heating).cumsum(0)[-1])
            add["lid"] += total(sky.lid)
            add["top"] += total(sky.insolation - sky.reflected_shortwave - sky.outgoing_longwave)
            up = flux("surface_upwelling_longwave_flux_in_air") + flux("surface_upwelling_shortwave_flux_in_air")
            add["ground radiation"] += total(sky.shortwave_down + sky.longwave_down) - up
            outside = torch.as_tensor(ledger.outside)
            add["prescribed sea gets snow"] += LATENT_FUSION * float((outside * now.snow.double()).sum()) * seconds
            add["heating"] += heating
            add["air gets sensible"] -= flux("surface_downward_sensible_heat_flux")
            add["air gets vapour"] += LATENT_VAPORISATION * flux("water_evapotranspiration_flux")
            add["air loses snow"] += LATENT_FUSION * total(now.snow)
            ledger.keep("air", float(contents(model, now.s, now.q).sum()))
            ledger.keep("in flight to the ground", down(sky))
            return out

        physics_step, hold = Physics.step, DrivenMass.hold

        def worked(physics, s, q, heating, ground, dt):
            g, species = physics.geometry, physics.species
            area = 1.0 / g.inverse_area[INNER, INNER].double()
            before = energy.stored(g, s, q, species)
            after = physics_step(physics, s, q, heating, ground, dt)
            then = energy.stored(g, after.s, after.q, species)
            add["physics"] += float((area * (then.total - before.total)).sum())
            add["physics: kinetic energy"] += float((area * (then.kinetic - before.kinetic)).sum())
            self._species = after.q, species
            return after

        def held(mass, s, water, shift, driver, time, added=0.0):
            g, (q, species) = mass.geometry, self._species
            area = 1.0 / g.inverse_area[INNER, INNER].double()
            total = lambda a: float((area * energy.stored(g, a, q, species).total).sum())  # noqa: E731
            out = hold(mass, s, water, shift, driver, time, added)
            add["mass held at the driver's"] += total(out[0]) - total(s)
            return out

        monkeypatch.setattr(Physics, "step", worked)
        monkeypatch.setattr(DrivenMass, "hold", held)
        monkeypatch.setattr(NonhydrostaticAtmosphere, "step", stepped)
        monkeypatch.setattr(Atmosphere, "_move", moved)

    def _watch_sea(self, monkeypatch):
        ledger, add, step = self, self.sums, PrimitiveOcean.step

        def stepped(component, time, seconds, imports):
            g = component.ocean.g
            area = inner(g.area_t * g.active_t).double().numpy()
            ledger.keep("sea", float((area * component.budget()["heat"]).sum()))
            out = step(component, time, seconds, imports)
            ledger.keep("sea", float((area * component.budget()["heat"]).sum()))
            wet = area > 0
            flux = lambda n: float((area * np.where(wet, imports.get(n, 0.0), 0.0)).sum()) * seconds  # noqa: E731
            add["sea gets"] += flux("surface_downward_heat_flux_in_sea_water")
            add["sea melts snow"] += LATENT_FUSION * flux("snowfall_flux")
            return out

        monkeypatch.setattr(PrimitiveOcean, "step", stepped)

    def _watch_prescribed_sea(self, monkeypatch):
        """What crosses the border to the sea that no model computes, from the flux law's own two sides."""
        add, values = self.sums, FluxOperator.values

        def given(node, matrices):
            law = node.law
            node.law = heard = Heard(law)
            out = values(node, matrices)
            node.law = law
            if "prescribed_ocean" in [b.component for b in node.task.inputs]:
                air = heard.first
                slot = [d.component for d in node.task.outputs].index("atmosphere")
                up = dict(zip(node._delivered[slot], out[slot].T, strict=True))
                flux = up["surface_downward_sensible_heat_flux"]
                flux = flux - LATENT_VAPORISATION * up["water_evapotranspiration_flux"]
                for part in ("longwave", "shortwave"):
                    flux = flux + air[f"surface_downwelling_{part}_flux_in_air"]
                    flux = flux - up[f"surface_upwelling_{part}_flux_in_air"]
                # with a lag of a period: what was made in the period before is what the air gets now
                add["prescribed sea gets"] += self.made
                self.made = float((node.area * flux).sum()) * node.task.period
            return out

        monkeypatch.setattr(FluxOperator, "values", given)

    def _watch_land(self, monkeypatch):
        ledger, add, step, booked = self, self.sums, ColumnLand.step, Land._booked
        seen, initialize = {}, ColumnLand.initialize

        def given(out, seconds):
            """What the land has sent up in a step, and the air gets in the next."""
            up = out["surface_upwelling_longwave_flux_in_air"] + out["surface_upwelling_shortwave_flux_in_air"]
            up = up - out["surface_downward_sensible_heat_flux"]
            up = up + LATENT_VAPORISATION * out["water_evapotranspiration_flux"]
            return float((ledger.land * up).sum()) * seconds

        def initialized(component, context):
            out = initialize(component, context)
            ledger.keep("in flight from the land", given(out, context.step))
            return out

        def books(land, out, rain):
            seen["leaves"] = land.mean(out.canopy_storage).numpy()
            seen["carried"] = land.mean(out.water_heat - LATENT_FUSION * out.sublimation).numpy()
            return booked(land, out, rain)

        def stepped(component, time, seconds, imports):
            area = ledger.land
            ledger.keep("land", float((area * component.budget()["heat"]).sum()))
            out = step(component, time, seconds, imports)
            ledger.keep("land", float((area * component.budget()["heat"]).sum()))
            there = (area > 0) & component.cells
            flux = lambda a: float((area * np.where(there, a, 0.0)).sum()) * seconds  # noqa: E731
            ledger.keep("in flight from the land", given(out, seconds))
            add["land gets radiation"] += flux(
                imports["surface_downwelling_shortwave_flux_in_air"] - out["surface_upwelling_shortwave_flux_in_air"]
                + imports["surface_downwelling_longwave_flux_in_air"] - out["surface_upwelling_longwave_flux_in_air"]
            )  # fmt: skip
            add["land gets sensible"] += flux(out["surface_downward_sensible_heat_flux"])
            add["land loses vapour"] += LATENT_VAPORISATION * flux(out["water_evapotranspiration_flux"])
            add["land gets snow"] += LATENT_FUSION * flux(imports["snowfall_flux"])
            leaves, carried = np.zeros(there.shape), LATENT_FUSION * np.asarray(imports["snowfall_flux"])
            leaves[component.cells] += seen["leaves"]
            carried[component.cells] += seen["carried"]
            add["land: heat of its leaves"] += flux(leaves)
            add["land: warmth of its water"] += flux(carried)
            return out

        monkeypatch.setattr(ColumnLand, "initialize", initialized)
        monkeypatch.setattr(ColumnLand, "step", stepped)
        monkeypatch.setattr(Land, "_booked", books)
