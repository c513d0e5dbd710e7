# SPDX-License-Identifier: BSD-3-Clause
"""The gases of a case over a period: what comes in at the sides, deposition, chemistry, and their books."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.chemistry.regional import gas_chemistry, near_ground
from components.chemistry.regional.deposition import dry, rain, solubility
from components.chemistry.regional.gas_chemistry import GasAir, GasChemistry, Sun
from components.chemistry.regional.gases.mechanism import Mechanism
from components.chemistry.regional.gases.musica_solver import MusicaSolver
from components.chemistry.regional.gases.solver import GasSolver, SolverFailure
from components.chemistry.regional.transport import column
from components.radiation import standard_atmosphere
from components.science.constants import DRY_AIR_MOLAR_MASS, NITROGEN_MOLAR_MASS
from components.science.sun import cosine_zenith, days_since_2000, sun_position
from components.science.tracers import Species
from coupler.component import Context

BOOKS = ("chemical_production", "dry_deposition", "wet_deposition")
NITROGEN = {
    "NO": 1, "NO2": 1, "NO3": 1, "N2O5": 2, "HONO": 1, "HNO3": 1, "PNA": 1, "NTR": 1, "PAN": 1, "PANX": 1, "NH3": 1,
}  # fmt: skip
"""Atoms of nitrogen in Carbon Bond's species."""


class ReactiveGases:
    """A mechanism on a rank's block, with its sinks; emissions from the ground are told it as `from_ground`.

    Parameters
    ----------
    context : of the component
    options : of the component
    mechanism : species and reactions
    species : all tracers
    dtype : of the tracers
    """

    def __init__(self, context: Context, options: Any, mechanism: Mechanism, species: Species, dtype: torch.dtype):
        o, self.context = options, context
        grid, local = context.grid, context.local
        self.lon, self.lat = (torch.tensor(local(a), dtype=dtype) for a in (grid.longitude, grid.latitude))
        if o.backend == "musica":
            files = gas_chemistry.mechanism_files(str(o.gases), context.folder)
            solver: GasSolver | MusicaSolver = MusicaSolver(files, mechanism, o.gas_tolerance)
        else:
            solver = GasSolver(mechanism, o.gas_tolerance)
        self.chemistry = GasChemistry(mechanism, solver, species, o.start, o.rates)
        self.names, self.at = self.chemistry.names, self.chemistry.at
        self.levels = o.levels
        self.step = torch.zeros(solver.step_shape((o.levels, *self.lat.shape)), dtype=torch.float64)
        none = torch.zeros((len(self.names), *self.lat.shape), dtype=dtype)
        self.books = {book: none.clone() for book in BOOKS}
        self.nitrogen_deposition = torch.zeros_like(self.lat)
        self.at_stations = {n: torch.zeros_like(self.lat) for n in near_ground.GASES if n in self.names}
        self.from_ground: dict[str, Tensor] = {}
        self.deposits = o.deposition

    def standard(self) -> Tensor:
        """Gases (gases, nz, ny, nx) of a standard atmosphere, until air has arrived."""
        air = standard_atmosphere.columns(self.levels, torch.ones_like(self.lat), 1.0)
        return self.chemistry.outside(air.p_interface, self.lat, days_since_2000(self.context.clock.date(0)))

    def outside(self, p_interface: Tensor, time: int) -> Tensor:
        """Gases (gases, nz, ny, nx) that come in at the sides.

        Parameters
        ----------
        p_interface : (nz+1, ny, nx) Pa
        time : s since the start of the case
        """
        return self.chemistry.outside(p_interface, self.lat, days_since_2000(self.context.clock.date(time)))

    def advance(
        self, q: Tensor, air: GasAir, ground: dry.Ground, rains: Sequence[rain.Rain], time: int, seconds: int
    ) -> Tensor:
        """Gases (gases, nz, ny, nx) after deposition and chemistry of a period.

        Parameters
        ----------
        q : (n, nz, ny, nx) all tracers
        air : of the layers
        ground : surface and lowest air
        rains : that fall
        time, seconds : start and length of the period, s

        Raises
        ------
        SolverFailure
            No solution, with the cell's place on the map.
        """
        q = q.clone()
        speeds = self._deposit(q, air, ground, rains, float(seconds)) if self.deposits else {}
        day = days_since_2000(self.context.clock.date(time + seconds // 2))
        sun = Sun(cosine_zenith(self.lon, self.lat, day), sun_position(day)[2], self.lat, day)
        try:
            new, self.step = self.chemistry.react(q, air, sun, float(seconds), self.step)
        except SolverFailure as failure:
            raise self._placed(failure, time) from failure
        self._book("chemical_production", column((new - q[self.at]) * air.mass))
        lowest = {name: new[n, 0] for n, name in enumerate(self.names)}
        emitted = {name: a / air.density[0] for name, a in self.from_ground.items()}
        self.at_stations = near_ground.gases(lowest, emitted, speeds, near_ground.resistance(ground))
        return new

    def exchanged(self, changed: Mapping[str, Tensor], mass: Tensor) -> None:
        """Book what particles and clouds took of gases, or gave, as chemical production.

        Parameters
        ----------
        changed : (nz, ny, nx) change of the mole fraction by gas
        mass : (nz, ny, nx) dry air in the layers, kg m-2
        """
        none = torch.zeros_like(mass)
        self._book("chemical_production", column(torch.stack([changed.get(n, none) * mass for n in self.names])))

    def _book(self, book: str, change: Tensor) -> None:
        self.books[book] = self.books[book] + change

    def _deposit(
        self, q: Tensor, air: GasAir, ground: dry.Ground, rains: Sequence[rain.Rain], seconds: float
    ) -> dict[str, Tensor]:
        """Dry deposition from the lowest layer, then rain, in place; the velocities of the former, m s-1."""
        speeds = dry.gas_velocities(self.names, ground)
        fallen = torch.zeros_like(q[self.at, 0])
        for n, (name, k) in enumerate(zip(self.names, self.at, strict=True)):
            if name in speeds:
                q[k, 0], fallen[n] = dry.deposited(q[k, 0], speeds[name], air.density[0], air.mass[0], seconds)
        washed = torch.zeros_like(fallen)
        soluble = [n for n, name in enumerate(self.names) if name in solubility.HENRY]
        falling = [r for r in rains if bool((r.flux > 0.0).any())]
        if soluble and falling:
            water = solubility.uptake(tuple(self.names[n] for n in soluble), air.t)
            rows = [self.at[n] for n in soluble]
            for kind in falling:
                q[rows], ground_gets = rain.fallen(q[rows], kind, water, air.mass, air.mass / air.density, seconds)
                washed[soluble] = washed[soluble] + ground_gets
        self._book("dry_deposition", -fallen)
        self._book("wet_deposition", -washed)
        nitrogen = torch.zeros_like(air.t[0])
        for n, name in enumerate(self.names):
            nitrogen = nitrogen + NITROGEN.get(name, 0) * (fallen[n] + washed[n])
        self.nitrogen_deposition = nitrogen * (NITROGEN_MOLAR_MASS / (DRY_AIR_MOLAR_MASS * seconds))
        return speeds

    def _placed(self, failure: SolverFailure, time: int) -> SolverFailure:
        """The same failure with the cell's place in the domain and on the map."""
        layer, y, x = failure.cell
        b = self.context.decomposition.block
        where = f"{float(self.lon[y, x]):.2f} E, {float(self.lat[y, x]):.2f} N, {self.context.clock.text(time)}"
        return SolverFailure((layer, b.y0 + y, b.x0 + x), failure.species, f"{failure.text} (at {where})")

    def near_ground(self) -> dict[str, Tensor]:
        """What stations see, mole fractions (ny, nx), by name of the output."""
        return {near_ground.name_of(n): a for n, a in self.at_stations.items()}

    def booked(self) -> dict[str, Tensor]:
        """What became of the gases since the start, by name of the output."""
        return {f"{n}_{book}": a[k] for book, a in self.books.items() for k, n in enumerate(self.names)}

    def state(self) -> dict[str, Tensor]:
        """Books, what stations see, the solver's next steps, and the deposition that is exported."""
        return {
            **self.booked(),
            **self.near_ground(),
            "gas_step": self.step,
            "nitrogen_deposition": self.nitrogen_deposition,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore a saved state.

        Parameters
        ----------
        state : as `state` gives it
        """

        def read(name: str, like: Tensor) -> Tensor:
            return torch.as_tensor(np.array(state[name])).to(like)

        for book, a in self.books.items():
            self.books[book] = torch.stack([read(f"{n}_{book}", a) for n in self.names])
        self.at_stations = {n: read(near_ground.name_of(n), a) for n, a in self.at_stations.items()}
        self.step = read("gas_step", self.step)
        self.nitrogen_deposition = read("nitrogen_deposition", self.nitrogen_deposition)
