# SPDX-License-Identifier: BSD-3-Clause
"""Stomata that optimise: marginal gain dA/dE equals marginal penalty dTheta/dE, one interface for all models.

Models and the penalties are those compared by Wang, Sperry, Anderegg, Venturas and Trugman (2020, New Phytologist
227, 311-325). A leaf at given temperature gains A(E), E = gs D; the plant supplies E(P). E in mol m-2 s-1, A in umol
m-2 s-1, P in MPa, D (leaf-to-air vapour pressure deficit over air pressure) in mol mol-1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from components.land.column.hydraulics import Supply
from components.land.column.photosynthesis import (
    CO2_TO_WATER,
    Demand,
    Leaf,
    assimilation,
    assimilation_along,
    demands,
)
from components.land.column.roots import falling_root
from components.land.column.structure import gather
from components.science.scheme_constants import FITTED_GAS_CONSTANT as GAS_CONSTANT_PAPER

Parameter = float | Tensor
LOWEST_DEFICIT = 5e-4  # mol mol-1


class SupplyCurve(Protocol):
    """What a plant tells its stomata (hydraulics.Plant, hydraulics.Continuum)."""

    p_crit: Tensor
    k_soil: Tensor

    @property
    def e_crit(self) -> Tensor:
        """Flow at which conductance is lost, mol m-2 s-1."""

    def along(self, s: Tensor) -> Supply:
        """Supply curve from no flow (0) to the critical flow (1)."""
        ...


class Trade(NamedTuple):
    """One operating point: gain, supply and their limits."""

    a: Tensor  # net assimilation, umol m-2 s-1
    gain: Tensor  # dA/dE, umol mol-1
    e: Tensor
    p: Tensor
    k: Tensor  # dE/dP
    dk_de: Tensor
    a_max: Tensor  # A at the critical flow
    e_crit: Tensor
    p_crit: Tensor
    k_soil: Tensor  # dE/dP at no flow
    vcmax: Tensor  # largest Rubisco-limited rate, umol m-2 s-1
    temperature: Tensor  # K


class Model(Protocol):
    """An optimality model."""

    needs_tension: bool  # whether P, K and dK/dE are read
    needs_limit: bool  # whether A at the critical flow is read

    def penalty(self, at: Trade) -> Tensor:
        """Marginal penalty dTheta/dE, umol mol-1."""
        ...

    def objective(self, at: Trade) -> Tensor:
        """What the model maximises over E."""
        ...


@dataclass(frozen=True)
class CowanFarquhar:
    """Cowan and Farquhar (1977): maximise A - E/lambda; ``marginal_value`` = 1/lambda, umol mol-1.

    Manzoni et al. (2013) and Lu et al. (2016) have the same instantaneous condition; they differ in how lambda follows
    from the length of a drought or from the statistics of rain.
    """

    marginal_value: Parameter = 1500.0
    needs_tension = False
    needs_limit = False

    def penalty(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        return self.marginal_value + torch.zeros_like(at.e)

    def objective(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        return at.a - self.marginal_value * at.e


@dataclass(frozen=True)
class Prentice:
    """Prentice et al. (2014): minimise (E + (cV/cE) Vcmax) / A; ``cost_ratio`` cV/cE in mol umol-1."""

    cost_ratio: Parameter = 4e-5
    needs_tension = False
    needs_limit = False

    def penalty(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        return at.a / (at.e + self.cost_ratio * at.vcmax)

    def objective(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        return at.a / (at.e + self.cost_ratio * at.vcmax)


@dataclass(frozen=True)
class WolfAndereggPacala:
    """Wolf et al. (2016), Anderegg et al. (2018): maximise A - (a P2 + b P + c); c moves no optimum."""

    a: Parameter = 0.5  # umol m-2 s-1 MPa-2
    b: Parameter = 2.0  # umol m-2 s-1 MPa-1
    needs_tension = True
    needs_limit = False

    def penalty(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        return (2.0 * self.a * at.p + self.b) / at.k

    def objective(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        return at.a - (self.a * at.p * at.p + self.b * at.p)


@dataclass(frozen=True)
class Sperry:
    """Sperry et al. (2017): maximise A/A_max - (1 - K/K_max), K_max at the soil's tension, A_max at E_crit."""

    needs_tension = True
    needs_limit = True

    def penalty(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        return -at.dk_de * at.a_max / at.k_soil

    def objective(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        return at.a + at.a_max * at.k / at.k_soil


@dataclass(frozen=True)
class Eller:
    """Eller et al. (2018), SOX: maximise A K / K_max."""

    needs_tension = True
    needs_limit = False

    def penalty(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        return -at.dk_de * at.a / at.k

    def objective(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        return at.a * at.k / at.k_soil


@dataclass(frozen=True)
class Wang:
    """Wang et al. (2020): maximise A (1 - E/E_crit)."""

    needs_tension = False
    needs_limit = False

    def penalty(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        return at.a / torch.clamp(at.e_crit - at.e, min=1e-12)

    def objective(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        return at.a * (1.0 - at.e / at.e_crit)


@dataclass(frozen=True)
class Holtta:
    """Hoelttae et al. (2017): maximise A (1 - SC/SC_max), SC the leaf's sugar concentration.

    Steady phloem loading at the rate of A through a phloem of conductance ``phloem`` (umol m-2 s-1 per mol m-3 of
    sugar and MPa of turgor) needs A = phloem SC (R T SC - P): the osmotic pressure R T SC, less the tension of the
    xylem beside it, is the turgor that drives the flow to a sink without turgor. Hence SC = (P + sqrt(P2 + 4 R T A /
    phloem)) / (2 R T). ``limit`` is SC_max, mol m-3.
    """

    phloem: Parameter = 0.02
    limit: Parameter = 2500.0
    needs_tension = True
    needs_limit = False

    def _sugar(self, at: Trade) -> tuple[Tensor, Tensor]:
        rt = GAS_CONSTANT_PAPER * at.temperature * 1e-6  # MPa m3 mol-1
        root = torch.sqrt(at.p * at.p + 4.0 * rt * torch.clamp(at.a, min=0.0) / self.phloem)
        sugar = (at.p + root) / (2.0 * rt)
        by_p = sugar / root  # dSC/dP
        by_a = 1.0 / (self.phloem * root)
        return sugar, by_p / at.k + by_a * at.gain

    def penalty(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        sugar, slope = self._sugar(at)
        left = self.limit - sugar
        return torch.where(left > 0.0, at.a * slope / torch.clamp(left, min=1e-9), torch.full_like(sugar, 1e12))

    def objective(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        return at.a * (1.0 - self._sugar(at)[0] / self.limit)


@dataclass(frozen=True)
class Dewar:
    """Dewar et al. (2018), CAP: maximise A (1 - P/P_crit)."""

    needs_tension = True
    needs_limit = False

    def penalty(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        return at.a / (at.k * torch.clamp(at.p_crit - at.p, min=1e-12))

    def objective(self, at: Trade) -> Tensor:
        """See :class:`Model`."""
        return at.a * (1.0 - at.p / at.p_crit)


OPTIMAL: dict[str, type] = {
    "cowan_farquhar": CowanFarquhar,
    "manzoni": CowanFarquhar,
    "lu": CowanFarquhar,
    "prentice": Prentice,
    "wolf_anderegg_pacala": WolfAndereggPacala,
    "sperry": Sperry,
    "eller": Eller,
    "wang": Wang,
    "holtta": Holtta,
    "dewar": Dewar,
}


class Scene(NamedTuple):
    """A leaf, its air and its plant."""

    leaf: Leaf
    ca: Tensor  # umol mol-1
    deficit: Tensor  # mol mol-1
    plant: SupplyCurve
    temperature: Tensor  # K
    lines: tuple[Demand, ...] | None = None  # photosynthesis.demands of the leaf, where they are known


def trade(model: Model, scene: Scene, s: Tensor) -> Trade:
    """Operating point at ``s`` of the supply curve, 0 (closed) to 1 (critical flow).

    Parameters
    ----------
    model : penalty by name
    scene : leaves, air and plant
    s : (leaves,) place on the supply curve, 0 to 1
    """
    plant, deficit = scene.plant, torch.clamp(scene.deficit, min=LOWEST_DEFICIT)
    if model.needs_tension:
        e, p, k, dk_de = plant.along(s)
    else:
        e = s * plant.e_crit
        p = k = dk_de = e  # unused
    per_flow = 1.0 / (CO2_TO_WATER * deficit)
    lines = scene.lines or demands(scene.leaf, scene.ca)
    a, by_gc = assimilation_along(scene.leaf, lines, e * per_flow)
    a_max = a
    if model.needs_limit:
        a_max = assimilation_along(scene.leaf, lines, plant.e_crit * per_flow)[0]
    return Trade(
        a, by_gc * per_flow, e, p, k, dk_de, a_max, plant.e_crit, plant.p_crit, plant.k_soil,
        scene.leaf.rates[0].p, scene.temperature,
    )  # fmt: skip


def balance(model: Model, scene: Scene, s: Tensor) -> Tensor:
    """(gain - penalty) / (gain + |penalty|): the sign of the first-order condition, between -1 and 1."""
    at = trade(model, scene, s)
    penalty = model.penalty(at)
    return (at.gain - penalty) / (at.gain + torch.abs(penalty) + 1e-30)


class Optimum(NamedTuple):
    """The operating point of an optimal stoma."""

    conductance: Tensor  # stomatal, to water vapour, mol m-2 s-1
    assimilation: Tensor  # umol m-2 s-1
    e: Tensor  # mol m-2 s-1
    s: Tensor  # place on the supply curve, 0-1
    residual: Tensor  # (gain - penalty) / gain; not near 0 where the optimum is at an end of the curve


def optimise(
    model: Model,
    scene: Scene,
    iterations: int = 26,
    g_night: Parameter = 0.0,
    guess: Tensor | None = None,
    tolerance: float = 1e-12,
) -> Optimum:
    """Find the flow at which the marginal gain equals the marginal penalty.

    The place on the supply curve is bracketed (roots.py) until (gain - penalty)/(gain + penalty) is below
    ``tolerance``; only leaves that would assimilate with the CO2 of the air inside take part, each until it is done, so
    bits do not depend on neighbours. One last Newton step carries the gradient of the implicit function to all
    parameters. Where even open stomata assimilate nothing, the conductance is ``g_night``.

    Parameters
    ----------
    iterations
        Most evaluations.
    guess
        Conductance to start from, mol m-2 s-1.
    """
    respiration = scene.leaf.respiration + 0.0 * scene.ca
    shape = respiration.shape
    with torch.no_grad():
        live = torch.nonzero((assimilation(scene.leaf, scene.ca) > 0.0).expand(shape).flatten())[:, 0]
    closed = torch.zeros(respiration.numel(), dtype=respiration.dtype, device=respiration.device)
    if live.numel() == 0:
        rest = closed.reshape(shape)
        return Optimum(rest + g_night, -respiration, rest, rest, rest)
    whole = scene._replace(lines=demands(scene.leaf, scene.ca))
    # A plant of its own kind (hydraulics.Continuum) stays whole: then all leaves take part.
    part = hasattr(scene.plant, "gather")
    few, own = (gather((whole, model), shape, live)) if part else (whole, model)
    with torch.no_grad():
        deficit = torch.clamp(few.deficit, min=LOWEST_DEFICIT)
        start = torch.full_like(few.ca, 0.5)
        if guess is not None:
            start = (gather(guess, shape, live) if part else guess) * deficit / few.plant.e_crit
    s = falling_root(
        lambda x: balance(own, few, x),
        start,
        iterations,
        tolerance,
        (lambda i: _narrow(own, few, i)) if part else None,
    )
    if torch.is_grad_enabled():
        free = s.detach().requires_grad_()
        value = balance(own, few, free)
        if value.grad_fn is not None and trade(own, few, s).gain.requires_grad:
            (slope,) = torch.autograd.grad(value.sum(), free, retain_graph=True)
            value = balance(own, few, s)
            safe = torch.where(torch.abs(slope) < 1e-12, torch.full_like(slope, -1e-12), slope)
            s = torch.clamp(s - torch.where(torch.abs(value) < 1e-3, value / safe, 0.0 * value), 0.0, 1.0)
    at = trade(own, few, s)
    gross = at.a + few.leaf.respiration
    awake = (at.a > 0.0) & (gross > 1e-6)
    conductance = torch.where(awake, at.e / torch.clamp(few.deficit, min=LOWEST_DEFICIT), at.e * 0.0)
    conductance = torch.clamp(conductance, min=0.0) + torch.where(awake, 0.0, 1.0) * g_night
    residual = 1.0 - own.penalty(at) / torch.clamp(at.gain, min=1e-30)
    found = (
        conductance,
        torch.where(awake, at.a, -few.leaf.respiration),
        torch.where(awake, at.e, 0.0 * at.e),
        s,
        residual,
    )
    if not part:
        return Optimum(*found)
    asleep = closed + g_night, -respiration.flatten(), closed, closed, closed
    return Optimum(*(v.index_copy(0, live, new).reshape(shape) for v, new in zip(asleep, found, strict=True)))


def _narrow(model: Model, scene: Scene, index: Tensor) -> Any:
    """The balance of some of the leaves alone."""
    few, own = gather((scene, model), scene.ca.shape, index)
    return lambda x: balance(own, few, x)
