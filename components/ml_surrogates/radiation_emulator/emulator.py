# SPDX-License-Identifier: BSD-3-Clause
"""The trained networks applied to the model's columns: whole columns, fixed batches, guards, fallback."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from components.ml_surrogates.acceleration import Staging, accelerated
from components.ml_surrogates.fixed_batch import in_batches
from components.ml_surrogates.guards import Verdict, differs, not_finite, outside
from components.ml_surrogates.model_file import Sidecar
from components.radiation.exchange import CLOUDS, GROUND, INTERFACES, LAYERS
from components.radiation.full_columns import FullColumns
from components.radiation.scheme import Air, Radiation, heating_rate
from components.science.constants import SOLAR_CONSTANT, STEFAN_BOLTZMANN

from .adaptive import Refinement
from .inputs import Inputs, RadiationNetwork, clouds_of, inputs
from .networks import BESIDE
from .streams import streamed

DARK = 1.0e-4  # cosine of the zenith angle below which there is no shortwave, as RRTMG has it


MARGIN = 0.01  # of the training range, beyond which a column is outside: what advection leaves below zero is not


class Fallback(Protocol):
    """Radiation of columns that the network must not answer for; ``index`` tells which of all columns they are."""

    def __call__(self, air: Air, index: torch.Tensor) -> Radiation:
        """Radiation (nz, 1, m) and (1, m) of ``air``."""
        ...


@dataclass(frozen=True)
class Gases:
    """Mole fractions of the gases that are numbers in the namelist."""

    carbon_dioxide: float
    methane: float
    nitrous_oxide: float


class Emulator:
    """Radiation of columns by a trained network.

    Parameters
    ----------
    net, card : of `networks.load`
    gases : mole fractions
    batch : columns of a call of the network; results do not depend on how many columns come together
    fallback : takes columns that a guard has stopped
    guard : whether there are guards; without them a poisoned column gets through
    device, compiled, graph : see `acceleration`
    refinement, better : says which of the other columns another scheme computes, and these schemes by its numbers
    """

    def __init__(
        self,
        net: RadiationNetwork,
        card: Sidecar,
        gases: Gases,
        batch: int,
        fallback: Fallback,
        *,
        guard: bool = True,
        device: str = "cpu",
        compiled: bool = False,
        graph: bool = False,
        warn: Callable[[str], None] = print,
        refinement: Refinement | None = None,
        better: Mapping[int, Fallback] | None = None,
    ):
        self.net, self.card, self.gases, self.batch, self.fallback = net.to(device), card, gases, batch, fallback
        self.guard, self.compiled, self.graph, self.warn = guard, compiled, graph, warn
        if device == "cpu" and not (compiled or graph):
            self.net = streamed(self.net)
        self.refinement, self.better = refinement, better or {}
        self.staging = Staging(device)
        self.verdict = Verdict(0)
        self.seen = 0
        self.counts: dict[str, int] = {}
        self._calls: dict[str, Callable[[list[torch.Tensor]], Sequence[torch.Tensor]]] = {}

    def __call__(self, air: Air) -> Radiation:
        """Radiation of columns (nz, y, x); columns stopped by a guard are the fallback's."""
        shape, nz = air.t.shape, air.t.shape[0]
        n = shape[1] * shape[2]
        flat = air.each(lambda a: a.reshape(*a.shape[:-2], 1, n))
        self.verdict = Verdict(n, air.t.device)
        if self.guard:
            self._inspect(flat)
        clean = flat
        if bool(self.verdict.bad.any()):  # a bad column must not cost the others of its batch anything
            clean = self._replaced(flat)
        whole, seen = clouds_of(clean)
        x = inputs(whole, (self.gases.carbon_dioxide, self.gases.methane, self.gases.nitrous_oxide), seen)
        fluxes = self.fluxes(x)
        lw_up, lw_down, up, down = (a.double() for a in fluxes)
        insolation = SOLAR_CONSTANT * air.distance * whole.mu.double()
        sw_up, sw_down = insolation * up, insolation * down
        if self.guard:
            self._audit(whole, insolation, (lw_up, lw_down, sw_up, sw_down))
        net = lw_up - lw_down + sw_up - sw_down
        heating = heating_rate(net[: nz + 1], whole.p_interface[: nz + 1].double())
        sky = [heating, sw_down[0], lw_down[0], sw_up[0], lw_up[0], lw_up[-1], sw_up[-1], sw_down[-1], -net[nz]]
        _put(sky, flat, self.verdict.bad, self.fallback)
        if self.refinement is not None:
            chosen = self.refinement(x, fluxes, self.verdict.bad).to(self.verdict.bad.device)
            for number, scheme in self.better.items():
                _put(sky, flat, chosen == number, scheme)
        self.seen += n
        for reason, number in self.verdict.counts.items():
            self.counts[reason] = self.counts.get(reason, 0) + number
        return Radiation(*(a.to(air.t).reshape((*a.shape[:-1], *shape[1:])) for a in sky))

    def fluxes(self, x: Inputs) -> list[torch.Tensor]:
        """Longwave up and down (nlev+1, n) W m-2, shortwave up and down as parts of the incoming, 0 at night."""
        arrays = x.arrays()
        long = in_batches(self._call("long"), arrays, self.batch)
        short = [torch.zeros_like(a) for a in long]
        day = torch.nonzero(x.columns.mu > DARK)[:, 0]
        if len(day):
            for a, lit in zip(
                short, in_batches(self._call("short"), [a[..., day] for a in arrays], self.batch), strict=True
            ):
                a[:, day] = lit
        return [*long, *short]

    def _call(self, name: str) -> Callable[[list[torch.Tensor]], list[torch.Tensor]]:
        """The network's method on lists of arrays of one shape, made faster at the first call where wanted."""

        def eager(arrays: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
            with torch.inference_mode():
                method: Callable[[Inputs], tuple[torch.Tensor, torch.Tensor]] = getattr(self.net, name)
                return method(Inputs.of_arrays(arrays))

        def staged(arrays: list[torch.Tensor]) -> list[torch.Tensor]:
            there = self.staging.to_device(arrays)
            if name not in self._calls:
                self._calls[name] = accelerated(eager, there, self.compiled, self.graph, self.warn)
            return self.staging.to_host(self._calls[name](there))

        return staged

    def _inspect(self, air: Air) -> None:
        """Columns that are not finite or outside the training range."""
        named = {**{part: name for name, part in {**LAYERS, **CLOUDS, **GROUND}.items()}, "p_interface": INTERFACES}
        named |= {"mu": BESIDE[0]}
        flat = {part: a.reshape(*a.shape[:-2], -1) for part in named if (a := getattr(air, part)) is not None}
        self.verdict.add("not finite", not_finite(list(flat.values())))
        p_i = flat["p_interface"]
        self.verdict.add("with pressure that does not fall with height", ~(p_i[1:] < p_i[:-1]).all(0))
        beyond = torch.zeros_like(self.verdict.bad)
        for part, a in flat.items():
            low, high = (0.0, 1.0) if part == "mu" else self.card.range_of(named[part])
            margin = MARGIN * (high - low)
            beyond = beyond | outside(a, low - margin, high + margin)
        for name, value in zip(
            BESIDE[1:], (self.gases.carbon_dioxide, self.gases.methane, self.gases.nitrous_oxide), strict=True
        ):
            low, high = self.card.range_of(name)
            beyond = beyond | (not low <= value <= high)
        self.verdict.add("outside the training range", beyond)

    def _replaced(self, air: Air) -> Air:
        """The columns, with a good one (or zeros) in the place of every bad one."""
        good = torch.nonzero(~self.verdict.bad)[:, 0]
        if not len(good):
            from components.radiation import standard_atmosphere

            return standard_atmosphere.columns(air.t.shape[0], torch.zeros_like(air.mu), air.distance)
        index = torch.arange(len(self.verdict.bad), device=air.t.device)
        index = torch.where(self.verdict.bad, good[0], index)
        return air.each(lambda a: a[..., index])

    def _audit(self, c: FullColumns, insolation: torch.Tensor, fluxes: tuple[torch.Tensor, ...]) -> None:
        """Columns whose fluxes are not finite, below zero, or not what comes in at the top and leaves the ground."""
        lw_up, lw_down, sw_up, sw_down = fluxes
        self.verdict.add("not finite", not_finite(fluxes))
        ts = c.t_surface.double()
        ground = c.emissivity * STEFAN_BOLTZMANN * ts * ts * ts * ts + (1.0 - c.emissivity) * lw_down[0]
        broken = torch.zeros_like(self.verdict.bad)
        for a in fluxes:
            broken = broken | outside(a, -0.5, 2000.0)
        for value, other in (
            (lw_up[0], ground), (lw_down[-1], torch.zeros_like(ground)),
            (sw_down[-1], insolation), (sw_up[0], c.albedo * sw_down[0]),
        ):  # fmt: skip
            broken = broken | differs(value, other, 0.01, 2.0)
        broken = broken | ~(sw_up[-1] <= insolation + 2.0)
        self.verdict.add("energy not conserved", broken)

    @property
    def fallback_fraction(self) -> float:
        """Part of all columns so far that went to the fallback."""
        return sum(self.counts.values()) / max(self.seen, 1)


def _put(sky: list[torch.Tensor], air: Air, columns: torch.Tensor, scheme: Fallback) -> None:
    """Put another scheme's radiation into some columns (booleans) of ``sky``."""
    some = torch.nonzero(columns)[:, 0]
    if not len(some):
        return
    for mine, other in zip(sky, scheme(air.each(lambda a: a[..., some]), some), strict=False):
        assert other is not None
        mine[..., some] = other.reshape(*other.shape[:-2], len(some)).to(mine)
