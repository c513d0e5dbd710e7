# SPDX-License-Identifier: BSD-3-Clause
"""How stomatal models respond: the criteria and responses by which Wang et al. (2020) compare optimality models.

The criteria, as read from their text: the marginal penalty dTheta/dE is never negative (I); it grows with E (II); it
vanishes with A (III). A response counts when conductance falls in at least 95 % of the leaves: to drier air (D), to
more CO2 (C), to drier soil (P), to a lower plant conductance (K).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from components.land.column.gas_exchange import Stomata
from components.land.column.hydraulics import Plant, Weibull
from components.land.column.optimality import OPTIMAL, Model, Scene, optimise, trade
from components.land.column.photosynthesis import c3_leaf
from components.land.column.stomata import EMPIRICAL

# dTheta/dE columns of the published table: I, II, III, D, C, P, K.
PUBLISHED = {
    "cowan_farquhar": "YNNNNNN", "manzoni": "YNNNNNN", "lu": "YNNNNNN", "prentice": "YNYYYNN",
    "wolf_anderegg_pacala": "YYNNNYY", "sperry": "YYYYYYY", "eller": "YYYYYYN", "wang": "YYYYYYY",
    "holtta": "YYYYYYY", "dewar": "YYYYYYY",
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "D": {"vpd": 2500.0},
    "C": {"ca": 600.0},
    "P": {"p_soil": 1.0},
    "K": {"kmax": 0.003},
}


def leaves(
    vpd: float = 1500.0, ca: float = 400.0, p_soil: float = 0.3, kmax: float = 0.006, n: int = 400, seed: int = 5
) -> Scene:
    """``n`` sunlit C3 leaves of random capacity, light and temperature in one environment.

    Parameters
    ----------
    vpd : vapour pressure deficit, Pa
    ca : CO2 outside, umol mol-1
    p_soil : tension in the soil, MPa
    kmax : conductance of the plant, mol m-2 s-1 MPa-1
    n : number of leaves
    seed : of their random traits
    """
    gen = torch.Generator().manual_seed(seed)
    u = torch.rand(3, n, dtype=torch.float64, generator=gen)
    v, t, par = 40.0 + 40.0 * u[0], 293.0 + 10.0 * u[1], 600.0 + 1000.0 * u[2]
    one = torch.ones_like(t)
    plant = Plant(kmax * one, Weibull(2.5, 3.0), p_soil * one)
    return Scene(c3_leaf(t, par, v, 1.8 * v, 0.015 * v), ca * one, vpd / 1e5 * one, plant, t)


def criteria(model: Model) -> str:
    """Criteria I to III as a string of Y and N, over the leaves' supply curves from 2 to 98 % where A > 0."""
    scene = leaves()
    points = [trade(model, scene, torch.full_like(scene.ca, s)) for s in torch.linspace(0.02, 0.98, 49).tolist()]
    penalty = torch.stack([model.penalty(p) for p in points])
    awake = torch.stack([p.a for p in points]) > 0.0
    middle = points[20]
    zero = torch.zeros_like(middle.a)
    at_zero = model.penalty(middle._replace(a=zero, a_max=zero))
    never_negative = bool((penalty[awake] >= 0.0).all())
    both = awake[1:] & awake[:-1]
    grows = float((penalty[1:] > penalty[:-1])[both].double().mean()) > 0.85
    vanishes = bool((at_zero.abs() < 1e-9).all())
    return "".join("NY"[ok] for ok in (never_negative, grows, vanishes))


def responses(model: Model) -> dict[str, tuple[float, float]]:
    """Share of the leaves that close under each change, and the median ratio of their conductances."""
    base = optimise(model, leaves()).conductance
    found = {}
    for name, change in CHANGES.items():
        ratio = optimise(model, leaves(**change)).conductance / base
        found[name] = (float((ratio < 1.0 - 1e-6).double().mean()), float(ratio.median()))
    return found


def table() -> dict[str, tuple[str, str, dict[str, tuple[float, float]]]]:
    """For every optimality model: criteria and responses found, as published, and the numbers behind."""
    rows = {}
    for name, make in OPTIMAL.items():
        model = make()
        found = responses(model)
        letters = criteria(model) + "".join("NY"[share >= 0.95] for share, _ in found.values())
        rows[name] = (letters, PUBLISHED[name], found)
    return rows


def response_to_deficit(vpd: Tensor) -> dict[str, Tensor]:
    """Conductance of one sunlit leaf by every model over vapour pressure deficits (Pa), mol m-2 s-1."""
    one = torch.ones_like(vpd)
    t = 298.15 * one
    leaf = c3_leaf(t, 1200.0 * one, 60.0 * one, 105.0 * one, 0.9 * one)
    plant = Plant(0.006 * one, Weibull(2.5, 3.0), 0.3 * one)
    curves = {}
    humidity = torch.clamp(1.0 - vpd / 3169.0, min=0.02)
    for name in EMPIRICAL:
        model = Stomata(name, iterations=26)
        curves[name] = model(leaf, 400.0 * one, vpd, humidity, 1e5 * one, plant, t)[0]
    for name, make in OPTIMAL.items():
        if name not in ("manzoni", "lu"):
            curves[name] = optimise(make(), Scene(leaf, 400.0 * one, vpd / 1e5, plant, t)).conductance
    return curves
