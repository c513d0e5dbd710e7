# SPDX-License-Identifier: BSD-3-Clause
"""Energy balance of ground, canopy and canopy air: two temperatures, solved together.

The canopy air holds no heat or water, so its state is an average of air, leaves and ground weighted by conductances;
what remains is a balance for the canopy (T_v) and one for the ground (T_g), with the ground below seen as one
admittance (heat.py). An outer fixed point updates the conductances (stability, stomata); a last Newton solution with
the conductances held closes the balances to rounding. A bare tile is the limit of no leaves.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from components.land.column.balance import Balance, Links, State, imbalance, newton, residuals
from components.land.column.humidity import saturation_humidity, saturation_pressure
from components.land.column.ozone import Exposure, left
from components.land.column.surface_layer import VISCOSITY, exchange
from components.science.constants import (
    C_LIQUID,
    CP_DRY,
    GAS_CONSTANT,
    GRAVITY,
    LATENT_FUSION,
    LATENT_VAPORISATION,
    STEFAN_BOLTZMANN,
    VIRTUAL,
    VON_KARMAN,
)
from components.science.surface_layer import air_density, referred_to_ground
from components.science.water import vapour_pressure

LEAST_CANOPY_HEAT = 500.0  # J m-2 K-1
TOLERANCE = {torch.float64: 1e-7, torch.float32: 0.3}  # W m-2 that rounding leaves of a solved balance
RESCUE = 25  # further Newton steps where the balance is still open
CO2_BOUNDARY = 1.37  # ratio of boundary-layer conductances to vapour and to CO2


class Air(NamedTuple):
    """The lowest air level."""

    temperature: Tensor  # K
    humidity: Tensor  # kg kg-1
    pressure: Tensor  # Pa
    wind: Tensor  # m s-1
    height: Tensor  # m above the displacement height
    longwave: Tensor  # downwelling, W m-2
    co2: Tensor  # umol mol-1
    ozone: Exposure | None = None  # None: it does no harm


class Ground(NamedTuple):
    """The surface below the canopy."""

    admittance: Tensor  # W m-2 K-1, of snow and soil
    reference: Tensor  # K, the temperature behind the admittance
    shortwave: Tensor  # absorbed, W m-2
    emissivity: Tensor
    roughness: Tensor  # m
    humidity: Tensor  # relative humidity of the air in contact with it, 0-1
    resistance: Tensor  # of the soil to vapour, s m-1
    litter: Tensor  # share of the ground its litter covers, 0-1
    latent: Tensor  # J kg-1
    limit: Tensor  # K, at which the surface melts (0 C under snow)
    melts: Tensor  # W m-2, of what melts there in a step: more than that warms the surface


class Cover(NamedTuple):
    """The canopy as the air meets it."""

    lai: Tensor
    sai: Tensor
    height: Tensor  # m
    leaf_width: Tensor  # m
    shortwave: Tensor  # absorbed, W m-2
    water: Tensor  # on the leaves, kg m-2
    wet: Tensor  # wet fraction of the leaves
    latent_wet: Tensor  # J kg-1 of what the leaves hold


class Warm(NamedTuple):
    """Where the last step ended: the first guess."""

    canopy: Tensor  # K
    ground: Tensor  # K
    zeta: Tensor
    conductance: Tensor  # stomatal, mol m-2 s-1, (2, ...) sunlit and shaded
    air_humidity: Tensor  # of the canopy air, kg kg-1


class Fluxes(NamedTuple):
    """Solution of the energy balance. Turbulent fluxes are positive upward, W m-2 or kg m-2 s-1."""

    canopy: Tensor  # K
    ground: Tensor  # K
    zeta: Tensor
    conductance: Tensor
    air_humidity: Tensor
    sensible: Tensor
    latent: Tensor
    transpiration: Tensor
    interception_loss: Tensor
    ground_evaporation: Tensor
    ground_heat: Tensor  # downward
    melt_energy: Tensor  # left over at a surface that melts
    longwave_up: Tensor
    canopy_storage: Tensor  # heat taken up by the canopy
    assimilation: Tensor  # net, umol m-2 leaf s-1, (2, ...)
    friction_velocity: Tensor
    residual: Tensor  # of the two balances, largest, W m-2
    drift: Tensor  # last change of the conductances, relative
    momentum_roughness: Tensor


class LeafModel(Protocol):
    """Stomatal conductance and assimilation of sunlit and shaded leaves."""

    def __call__(
        self, temperature: Tensor, ca: Tensor, vpd: Tensor, humidity: Tensor, exchange: Tensor, guess: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Conductance to vapour (mol m-2 s-1) and net assimilation (umol m-2 s-1), (2, ...)."""
        ...


def roughness(cover: Cover, bare: Tensor) -> Tensor:
    """Roughness length for momentum, m: that of the plants, faded to the ground's when leaves are few.

    Weights of Zeng and Wang (2007); plants have .12 of their height.

    Parameters
    ----------
    cover : leaf and stem area, height (m) and the rest of the plants, one value a column
    bare : (columns,) roughness length of the ground, m
    """
    v = (1.0 - torch.exp(-torch.clamp(cover.lai + cover.sai, max=2.0))) / 0.8646647167633873
    log_bare = torch.log(bare)
    log_plant = torch.log(torch.clamp(0.12 * cover.height, min=1e-4))
    return torch.exp(log_bare + v * torch.clamp(log_plant - log_bare, min=0.0))


def solve(
    air: Air,
    ground: Ground,
    cover: Cover,
    leaf_area: Tensor,
    leaves: LeafModel,
    warm: Warm,
    seconds: float,
    outer: int = 5,
    inner: int = 4,
) -> Fluxes:
    """Solve the energy balance of canopy and ground for one step.

    Parameters
    ----------
    air, ground, cover
        Boundary conditions; every tensor has the shape of the columns.
    leaf_area
        Sunlit and shaded leaf area, (2, ...).
    leaves
        Stomatal model, called with leaf temperature (K), CO2 (umol mol-1), vapour pressure deficit (Pa)
        and relative humidity at the leaf surface, the leaf's exchange of heat (W m-2 K-1) and the conductance before.
    warm
        First guess.
    seconds
        Step.
    outer, inner
        Updates of the conductances, each with one Newton step; Newton steps at the end.
    """
    c = _column(air, ground, cover, warm.canopy, seconds)
    balance = Balance(c)
    z0 = roughness(cover, ground.roughness)
    height = torch.maximum(air.height, 2.0 * z0 + 1.0)
    virtual_air = c.potential * (1.0 + VIRTUAL * air.humidity)
    tv, tg, zeta, gs, qc = warm
    tc, evaporating = 0.5 * (tv + tg), torch.ones_like(tv)
    stomata = _Stomata(gs, torch.zeros_like(gs), torch.zeros_like(tv))
    links: Links | None = None
    for turn in range(outer):
        turbulence = exchange(zeta, air.wind, height, z0, z0, virtual_air, tc * (1.0 + VIRTUAL * qc))
        zeta = 0.5 * (zeta + turbulence.zeta)
        friction = turbulence.friction_velocity
        blade = 0.01 * torch.sqrt(friction / cover.leaf_width)
        below = _under_the_canopy(c, friction, tc, tg)
        stomata = _stomata(c, leaves, stomata, blade, tv, qc, turbulence.conductance, first=turn == 0)
        dry, wet = _leaf_vapour(c, stomata, leaf_area, blade, tv, qc, evaporating, seconds)
        # Vapour also has to pass the litter (Sakaguchi and Zeng 2009, eq. 11).
        to_ground = 1.0 / (1.0 / below + ground.resistance + ground.litter / (0.004 * friction))
        links = Links(turbulence.conductance, 2.0 * (c.plant_area * blade), below, dry, wet, to_ground)
        tv, tg, state = newton(balance, links, tv, tg)
        tc, qc = state.tc, state.qc
        evaporating = (state.q_leaf >= qc).to(tv.dtype)
    assert links is not None, "at least one outer iteration"
    tv, tg, final = _closed(balance, links, tv, tg, inner)
    held = tg >= ground.limit
    return Fluxes(
        tv, tg, zeta, stomata.conductance, final.qc,
        c.rho_cp * links.air * (final.tc - c.potential),
        LATENT_VAPORISATION * final.transpired
        + cover.latent_wet * final.evaporated + ground.latent * final.from_ground,
        final.transpired, final.evaporated, final.from_ground,
        ground.admittance * (tg - ground.reference),
        torch.where(held, final.r_ground, 0.0 * tg),
        final.longwave_up, c.store * (tv - warm.canopy), stomata.assimilated, friction, imbalance(final, tg, ground),
        stomata.drift, z0,
    )  # fmt: skip


class _Column(NamedTuple):
    """What does not change while the balances are solved."""

    air: Air
    ground: Ground
    cover: Cover
    old: Tensor  # temperature of the canopy at the start, K
    density: Tensor  # of the air, kg m-3
    rho_cp: Tensor  # J m-3 K-1
    potential: Tensor  # temperature of the air referred to the ground, K
    molar: Tensor  # mol m-3
    plant_area: Tensor  # of leaves and stems
    thermal: Tensor  # emissivity of the canopy
    store: Tensor  # heat capacity of the canopy over the step, W m-2 K-1


def _column(air: Air, ground: Ground, cover: Cover, old: Tensor, seconds: float) -> _Column:
    density = air_density(air.pressure, air.temperature, air.humidity)
    plant_area = cover.lai + cover.sai
    return _Column(
        air, ground, cover, old, density, density * CP_DRY,
        referred_to_ground(air.temperature, air.height),
        air.pressure / (GAS_CONSTANT * air.temperature),
        plant_area,
        1.0 - torch.exp(-plant_area),
        (LEAST_CANOPY_HEAT + 840.0 * plant_area + C_LIQUID * cover.water) / seconds,
    )  # fmt: skip


class _Stomata(NamedTuple):
    """Sunlit and shaded leaves, (2, ...)."""

    conductance: Tensor  # mol m-2 s-1
    assimilated: Tensor  # umol m-2 s-1
    drift: Tensor  # last relative change of the conductance, the larger of the two


def _under_the_canopy(c: _Column, friction: Tensor, tc: Tensor, tg: Tensor) -> Tensor:
    """Conductance between the ground and the canopy air, m s-1.

    Air that is warmer than the floor under a tall canopy hardly mixes (Sakaguchi and Zeng 2009).
    """
    bare_weight = torch.exp(-c.plant_area)
    viscous = torch.exp(-0.45 * torch.log(c.ground.roughness * friction / VISCOSITY))
    buoyancy = GRAVITY * c.cover.height * (tc - tg) / (tc * friction * friction)
    dense = 0.004 / (1.0 + 0.5 * torch.clamp(buoyancy, 0.0, 10.0))
    mixing = bare_weight * (VON_KARMAN / 0.13) * viscous + (1.0 - bare_weight) * dense
    return mixing * friction


def _stomata(
    c: _Column, leaves: LeafModel, last: _Stomata, blade: Tensor, tv: Tensor, qc: Tensor, above: Tensor, first: bool
) -> _Stomata:
    """Stomata in the air at the leaves' surface; half the way to it after the first turn."""
    gs, pressure = last.conductance, c.air.pressure
    blade_molar = blade * c.molar
    e_leaf, _ = saturation_pressure(tv)
    e_canopy = vapour_pressure(qc, pressure)
    if first:
        e_canopy = torch.where(c.plant_area > 0.0, e_canopy, vapour_pressure(c.air.humidity, pressure))
    open_share = blade_molar / (blade_molar + gs)
    vpd = torch.clamp((e_leaf - e_canopy) * open_share, min=0.0)
    humidity = torch.clamp(1.0 - vpd / e_leaf, 0.0, 1.0)
    ca = torch.clamp(c.air.co2 - CO2_BOUNDARY * last.assimilated / blade_molar, min=20.0)
    warmth = 2.0 * c.rho_cp * blade + 4.0 * STEFAN_BOLTZMANN * tv * tv * tv
    new, assimilated = leaves(tv, ca, vpd, humidity, warmth, gs)
    if c.air.ozone is not None:
        share = left(c.air.ozone.ozone, new, 1.0 / (above * c.molar) + 1.0 / blade_molar, c.air.ozone.sensitivity)
        new, assimilated = new * share, torch.where(assimilated > 0.0, assimilated * share, assimilated)
    changed = torch.abs(new - gs) / (new + 1e-3)
    return _Stomata(new if first else 0.5 * (gs + new), assimilated, torch.maximum(changed[0], changed[1]))


def _leaf_vapour(
    c: _Column, stomata: _Stomata, leaf_area: Tensor, blade: Tensor, tv: Tensor, qc: Tensor, evaporating: Tensor,
    seconds: float,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Conductances to vapour through stomata and from wet leaves, m s-1; a step takes no more than the leaves hold."""
    blade_molar, gs, cover = blade * c.molar, stomata.conductance, c.cover
    leaf = leaf_area * blade_molar * gs / (blade_molar + gs) / c.molar
    dry = (1.0 - cover.wet) * (leaf[0] + leaf[1]) * evaporating
    full = c.plant_area * blade
    saturated, _ = saturation_humidity(tv, c.air.pressure)
    demand = c.density * cover.wet * full * torch.clamp(saturated - qc, min=1e-9) * seconds
    part = cover.wet * full * torch.clamp(cover.water / torch.clamp(demand, min=1e-12), max=1.0)
    return dry, torch.where(evaporating > 0.0, part, full)


def _closed(balance: Balance, links: Links, tv: Tensor, tg: Tensor, inner: int) -> tuple[Tensor, Tensor, State]:
    """Newton's method with the conductances held: some steps, and more where a balance is still open."""
    for _ in range(inner):
        tv, tg, _ = newton(balance, links, tv, tg)
    final = residuals(balance, links, tv, tg)
    for _ in range(RESCUE):
        open_still = imbalance(final, tg, balance.column.ground) > TOLERANCE[tv.dtype]
        if not bool(open_still.any()):
            break
        next_v, next_g, _ = newton(balance, links, tv, tg)
        tv, tg = torch.where(open_still, next_v, tv), torch.where(open_still, next_g, tg)
        final = residuals(balance, links, tv, tg)
    return tv, tg, final


def wet_latent(snow_share: Tensor) -> Tensor:
    """Latent heat of what the leaves hold, J kg-1, ``snow_share`` of it frozen."""
    return LATENT_VAPORISATION + snow_share * LATENT_FUSION


def emission_temperature(longwave_up: Tensor) -> Tensor:
    """Radiative temperature of a black surface that sends up ``longwave_up`` (W m-2), K."""
    return torch.sqrt(torch.sqrt(longwave_up / STEFAN_BOLTZMANN))
