# SPDX-License-Identifier: BSD-3-Clause
"""Parameters of the columns: from the tables by plant type and soil texture, or replaced one by one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml
from torch import Tensor

from components.land.column.cycles.pools import Traits as CycleTraits
from components.land.column.cycles.stature import LAWS, Stature, stature
from components.land.column.cycles.traits import traits as cycle_traits
from components.land.column.gas_exchange import Traits
from components.land.column.hydraulics import Weibull
from components.land.column.ozone import Sensitivity, sensitivity
from components.land.column.plant_water import Vessels, vessels
from components.land.column.retention import Retention, VanGenuchten, campbell
from components.land.column.soil_properties import Texture, texture

TABLES = Path(__file__).parent / "tables"
NEVER = 1e6  # MPa, at which stomata of plants close whose xylem rules them
# m: ten layers, each about half as thick again as the one above, 3.4 m in all.
THICKNESS = (0.02, 0.04, 0.06, 0.09, 0.14, 0.21, 0.32, 0.5, 0.8, 1.2)


class Parameters(NamedTuple):
    """Everything the column needs that does not change; one value a column unless a shape is given."""

    traits: Traits
    kmax: Tensor  # mol m-2 s-1 MPa-1
    weibull_b: Tensor  # MPa
    weibull_c: Tensor
    height: Tensor  # m
    leaf_width: Tensor  # m
    reflectance: Tensor  # leaves, (2, ...)
    transmittance: Tensor  # leaves, (2, ...)
    stem_reflectance: Tensor  # (2, ...)
    orientation: Tensor
    clumping: Tensor
    roots: Tensor  # share by layer, (layer, ...)
    litter: Tensor  # litter area index
    soil_respiration: Tensor  # umol m-2 s-1 at 10 C
    texture: Texture
    retention: Retention
    soil_albedo: Tensor  # saturated, (2, ...)
    thickness: Tensor  # m, (layer, 1)
    soil_roughness: Tensor  # m
    leaf_contents: Tensor  # plates, water (cm), dry matter (g cm-2), (3, ...)
    stem_contents: Tensor  # plates, brown pigments, dry matter (g cm-2), (3, ...)
    deep_temperature: Tensor | None = None  # K, at ``deep_depth``; None: no heat through the bottom
    deep_depth: float = 8.0  # m
    cycles: CycleTraits | None = None  # None: no cycles of carbon and nutrients
    vessels: Vessels | None = None  # None: a plant without stores, with one tension of the soil
    ozone: Sensitivity | None = None  # None: ozone does no harm
    stature: Stature | None = None  # height and roots out of the pools, where leaves are prognostic


@cache
def table(name: str) -> dict[str, dict[str, Any]]:
    """``plant_types``, ``plant_cycles``, ``crops``, ``ozone`` or ``soil_textures`` as a dictionary of rows."""
    return yaml.safe_load((TABLES / f"{name}.yaml").read_text(encoding="utf-8"))


def _rows(name: str, keys: Sequence[str], column: str, dtype: torch.dtype, device: str | torch.device) -> Tensor:
    rows = table(name)
    unknown = sorted({k for k in keys if k not in rows})
    if unknown:
        raise ValueError(f"unknown {name.replace('_', ' ')} {', '.join(unknown)}; known: {', '.join(rows)}")
    one = torch.tensor(next(iter(rows.values()))[column])  # a block without land has no column, and yet its bands
    values = torch.tensor([rows[k][column] for k in keys], dtype=dtype, device=device).reshape(len(keys), *one.shape)
    return values.T.contiguous() if values.dim() > 1 else values


def root_shares(beta: Tensor, thickness: Tensor) -> Tensor:
    """Share of the roots in each layer, Y = 1 - beta^depth (cm) (Jackson et al. 1996), (layer, ...).

    Parameters
    ----------
    beta : (columns,) Jackson's extinction
    thickness : (layer, 1) of the soil's layers, m
    """
    log = torch.log(beta)
    edge, previous, shares = 0.0, torch.ones_like(beta), []
    for d in thickness.flatten().tolist():
        edge += d
        now = torch.exp(log * (100.0 * edge))
        shares.append(previous - now)
        previous = now
    return torch.stack(shares) / (1.0 - previous)


def parameters(
    plants: Sequence[str],
    soils: Sequence[str],
    retention: str = "campbell",
    thickness: Sequence[float] = THICKNESS,
    dtype: torch.dtype = torch.float64,
    device: str | torch.device = "cpu",
    clumped: bool = False,
    cycles: bool = False,
    continuum: bool = False,
    ozone: str = "none",
) -> Parameters:
    """Parameters of columns with the given plant types and soil textures (one name a column).

    Parameters
    ----------
    retention
        ``campbell`` (Cosby et al. 1984) or ``van_genuchten`` (Carsel and Parrish 1988).
    thickness
        Of the soil layers, m.
    clumped
        Whether leaves stand in clumps as the table says; otherwise at random.
    cycles
        Whether there are cycles of carbon, nitrogen and phosphorus.
    continuum
        Whether stem and leaves store water and roots draw it layer by layer.
    ozone
        What it does to plants where the forcing has it: ``none``, ``low`` or ``high``.

    Examples
    --------
    >>> p = parameters(["cropland", "bare"], ["silty_clay_loam", "sand"])
    >>> p.roots.shape
    torch.Size([10, 2])
    """

    def plant(column: str) -> Tensor:
        return _rows("plant_types", plants, column, dtype, device)

    def soil(column: str) -> Tensor:
        return _rows("soil_textures", soils, column, dtype, device)

    traits = Traits(
        plant("vcmax25"),
        plant("jmax_ratio"),
        plant("rd_ratio"),
        plant("extinction"),
        plant("c4"),
        plant("g1"),
        plant("slope"),
        torch.tensor([table("plant_types")[k].get("closing", NEVER) for k in plants], dtype=dtype, device=device),
    )
    dz = torch.tensor(thickness, dtype=dtype, device=device)[:, None]
    ground = texture(soil("sand"), soil("clay"))
    curves: Retention
    if retention == "campbell":
        curves = campbell(ground.theta_s, ground.psi_s, ground.b, ground.ks)
    elif retention == "van_genuchten":
        theta_s, ks = soil("theta_s"), soil("ks")
        curves = VanGenuchten(soil("theta_r"), theta_s, soil("alpha"), soil("n"), ks)
        ground = ground._replace(theta_s=theta_s, ks=ks)
    else:
        raise ValueError(f"unknown retention curve {retention!r}; known curves: campbell, van_genuchten")
    one = torch.ones_like(traits.vcmax25)
    grown = _cycle_traits(plants, traits.vcmax25, soil("sand")) if cycles else None
    return Parameters(
        traits, plant("kmax"), plant("b"), plant("c"), plant("height"), plant("leaf_width"), plant("reflectance"),
        plant("transmittance"), plant("stem_reflectance"), plant("orientation"), plant("clumping") if clumped else one,
        root_shares(plant("root_beta"), dz), plant("litter"), plant("soil_respiration"), ground, curves,
        soil("albedo"), dz, 0.01 * one, plant("leaf_contents"), plant("stem_contents"),
        cycles=grown,
        vessels=vessels(plant("height"), Weibull(plant("b"), plant("c"))) if continuum else None,
        ozone=None if ozone == "none" else sensitivity(table("ozone"), plants, ozone, dtype, device),
        stature=None if grown is None else _stature(plants, plant("height"), plant("root_beta"), grown),
    )  # fmt: skip


def _cycle_traits(plants: Sequence[str], vcmax25: Tensor, sand: Tensor) -> CycleTraits:
    return cycle_traits(table("plant_cycles"), table("crops"), plants, vcmax25, sand)


def _stature(plants: Sequence[str], height: Tensor, beta: Tensor, grown: CycleTraits) -> Stature:
    rows = table("plant_cycles")
    law = torch.tensor([float(LAWS.index(rows[k]["stature"])) for k in plants], dtype=height.dtype)
    return stature(law.to(height.device), height, beta, grown)


def leaf_area(plants: Sequence[str], month: float, southern: bool = False) -> tuple[list[float], list[float]]:
    """Leaf and stem area index of plant types at ``month`` (0 to 12, .5 is mid-January), linear between mid-months.

    Parameters
    ----------
    plants : names of plant types
    month : 0 to 12
    southern : whether the seasons are turned by half a year
    """
    if southern:
        month = (month + 6.0) % 12.0
    before = int((month - 0.5) // 1) % 12
    weight = (month - 0.5) % 1.0
    rows = table("plant_types")

    def at(kind: str, column: str) -> float:
        values = rows[kind][column]
        return (1.0 - weight) * values[before] + weight * values[(before + 1) % 12]

    return [at(k, "lai") for k in plants], [at(k, "sai") for k in plants]
