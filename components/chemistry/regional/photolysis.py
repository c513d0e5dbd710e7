# SPDX-License-Identifier: BSD-3-Clause
"""Photolysis: clear-sky rates from a table of TUV-x by sun, ozone column, height and albedo, times a cloud factor.

The table (`photolysis_data`, made by ``data/make_photolysis_table.py``) holds the logarithm of the rates at the mean
distance of the sun; between its nodes it is linear in the zenith angle, the ozone column, the height above sea level
and the albedo. Below the horizon there is no light.

Clouds after Chang et al. (1987, J. Geophys. Res. 92, 14681, eq. 13-15): below a cloud of optical depth tau and cover f

    F = 1 + f (1.6 t mu - 1),   above it   F = 1 + f (1 - t) mu,   t = (5 - exp(-tau)) / (4 + 3 tau (1 - g)),

mu not below .5, g = .86, and inside it what lies between, by the share of the optical depth that is above; below
tau = 5 the change fades.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import netCDF4
import numpy as np
import torch
from torch import Tensor

from components.science.constants import WATER_DENSITY

TABLE = Path(__file__).parent / "photolysis_data" / "rates.nc"
AXES = ("solar_zenith_angle", "ozone_column", "height", "surface_albedo")
TUV: dict[str, tuple[tuple[str, float], ...]] = {
    "NO2": (("NO2+hv->NO+O(3P)", 1.0),),
    "O3->O3P": (("O3+hv->O2+O(3P)", 1.0),),
    "O3->O1D": (("O3+hv->O2+O(1D)", 1.0),),
    "NO3->NO2": (("NO3+hv->NO2+O(3P)", 1.0),),
    "NO3->NO": (("NO3+hv->NO+O2", 1.0),),
    "HONO": (("HNO2+hv->OH+NO", 1.0),),
    "H2O2": (("H2O2+hv->OH+OH", 1.0),),
    "PNA": (("HNO4+hv->HO2+NO2", 1.0),),
    "HNO3": (("HNO3+hv->OH+NO2", 1.0),),
    "N2O5": (("N2O5+hv->NO2+NO3", 1.0),),
    "NTR": (("CH3CHONO2CH3+hv->CH3CHOCH3+NO2", 1.0),),
    "ROOH": (("CH3OOH+hv->CH3O+OH", 1.0),),
    "MEPX": (("CH3OOH+hv->CH3O+OH", 1.0),),
    "FORM->HO2": (("CH2O+hv->H+HCO", 1.0),),
    "FORM->CO": (("CH2O+hv->H2+CO", 1.0),),
    "ALD2": (("CH3CHO+hv->CH3+HCO", 1.0),),
    "PAN": (("PAN+hv->CH3CO(OO)+NO2", 1.0), ("PAN+hv->CH3CO(O)+NO3", 1.0)),
    "PACD": (("CH3COOOH+hv->Products", 1.0),),
    "ALDX": (("C2H5CHO+hv->C2H5+HCO", 1.0),),
    "PANX": (("PPN+hv->CH3CH2CO(OO)+NO2", 1.0), ("PPN+hv->CH3CH2CO(O)+NO3", 1.0)),
    "OPEN": (("CH2O+hv->H+HCO", 1.0),),
    "MGLY": (("CH3COCHO+hv->CH3CO+HCO", 1.0),),
    "ISPD": (("CH2CHCHO+hv->Products", 1.0 / 0.0036),),
    "CL2": (("Cl2+hv->Cl+Cl", 1.0),),
    "O2": (("O2+hv->O+O", 1.0),),
}
"""TUV-x's reactions, and weights, of each photolysis of Carbon Bond 5 (after PHOTO.). The mechanism multiplies OPEN by
9 and ISPD by the quantum yield .0036 of acrolein, which TUV-x's rate already has."""
STEEPEST = 0.5  # least cosine of the zenith angle in the cloud factor: beyond 60 degrees the formula does not hold
ASYMMETRY = 0.86
THICK = 5.0  # optical depth from which the formula holds
DROPLET = 10.0e-6  # effective radius, m


class Table(NamedTuple):
    """Rates by reaction and the nodes of the four axes.

    Attributes
    ----------
    reactions : names of TUV-x
    nodes : zenith angle (degrees), ozone column (Dobson units), height (m above sea level), albedo
    logarithm : (reactions, angles, columns, heights, albedos) of the rates in s-1
    """

    reactions: tuple[str, ...]
    nodes: tuple[Tensor, ...]
    logarithm: Tensor


@cache
def table() -> Table:
    """The table that comes with the project."""
    with netCDF4.Dataset(TABLE) as f:
        nodes = tuple(torch.tensor(np.asarray(f[name][:], np.float64)) for name in AXES)
        names = tuple(str(s) for s in f["reaction"][:])
        return Table(names, nodes, torch.tensor(np.asarray(f["log_photolysis_rate"][:], np.float64)))


def clear_sky(reactions: tuple[str, ...], angle: Tensor, ozone: Tensor, height: Tensor, albedo: Tensor) -> Tensor:
    """Rates (reactions, nz, ...) in s-1 at the mean distance of the sun; 0 below the horizon.

    Parameters
    ----------
    reactions : names of TUV-x
    angle : (...) zenith angle, degrees
    ozone : (...) column, Dobson units
    height : (nz, ...) above sea level, m
    albedo : (...) of the ground
    """
    t = table()
    rows = [t.reactions.index(r) for r in reactions]
    logarithm = t.logarithm[rows].to(height)
    flat = [
        _place(a.reshape(-1), n.to(height)) for a, n in zip((angle, ozone, albedo), _without_height(t), strict=True)
    ]
    (i, f), (j, g), (k, h) = flat
    column = torch.zeros((logarithm.shape[0], logarithm.shape[3], i.numel())).to(height)
    for di, wi in ((0, 1.0 - f), (1, f)):
        for dj, wj in ((0, 1.0 - g), (1, g)):
            for dk, wk in ((0, 1.0 - h), (1, h)):
                column = column + (wi * wj * wk) * logarithm[:, i + di, j + dj, :, k + dk].permute(1, 2, 0)
    m, w = _place(height.reshape(height.shape[0], -1), t.nodes[2].to(height))
    size = (column.shape[0], *m.shape)
    low, high = (torch.gather(column, 1, (m + d).expand(size)) for d in (0, 1))
    rates = torch.exp(low + w * (high - low)).reshape(len(rows), *height.shape)
    return torch.where(angle < float(t.nodes[0][-1]), rates, 0.0)


def rates(names: tuple[str, ...], angle: Tensor, ozone: Tensor, height: Tensor, albedo: Tensor) -> dict[str, Tensor]:
    """Rates of a mechanism's photolysis in clear sky by the name that it has there, s-1.

    Parameters
    ----------
    names : such as ``PHOTO.NO2``
    angle, ozone, height, albedo : see `clear_sky`

    Raises
    ------
    KeyError
        A photolysis of which the table has no rate.
    """
    wanted = {name: TUV[name.removeprefix("PHOTO.")] for name in names}
    reactions = tuple(dict.fromkeys(r for parts in wanted.values() for r, _ in parts))
    found = dict(zip(reactions, clear_sky(reactions, angle, ozone, height, albedo), strict=True))
    out = {}
    for name, parts in wanted.items():
        first, *others = (weight * found[r] for r, weight in parts)
        for more in others:
            first = first + more
        out[name] = first
    return out


def without_rate(names: tuple[str, ...]) -> list[str]:
    """Those of a mechanism's photolysis that the table does not have.

    Parameters
    ----------
    names : such as ``PHOTO.NO2``
    """
    return [n for n in names if n.removeprefix("PHOTO.") not in TUV]


def optical_depth(condensate: Tensor, air: Tensor) -> Tensor:
    """Optical depth of clouds in layers: 3 W / (2 rho_w r), W the water path and r = 10 um (Stephens 1978).

    Parameters
    ----------
    condensate : liquid and ice per dry air, inside the cloud
    air : kg m-2 of the layers
    """
    return 1.5 * condensate * air / (WATER_DENSITY * DROPLET)


def cloud_factor(depth: Tensor, cover: Tensor, mu: Tensor) -> Tensor:
    """What clouds make of clear-sky rates, (nz, ...).

    Parameters
    ----------
    depth : (nz, ...) optical depth of the layers inside the cloud
    cover : (...) share of the sky
    mu : (...) cosine of the zenith angle
    """
    above = [torch.zeros_like(cover)]
    for k in range(depth.shape[0] - 1, 0, -1):
        above.append(above[-1] + depth[k])
    total = above[-1] + depth[0]
    over = torch.stack(above[::-1]) + 0.5 * depth  # of the optical depth above the middle of a layer
    share = torch.where(total > 0.0, over / torch.clamp(total, min=1.0e-30), 0.0)
    t = (5.0 - torch.exp(-total)) / (4.0 + 3.0 * total * (1.0 - ASYMMETRY))
    high = torch.clamp(mu, min=STEEPEST)
    below, top = 1.6 * t * high - 1.0, (1.0 - t) * high
    thick = torch.clamp(total / THICK, max=1.0)  # the formula is one of thick clouds: no cloud, no change
    return 1.0 + cover * thick * (share * below + (1.0 - share) * top)


def _without_height(t: Table) -> tuple[Tensor, ...]:
    return t.nodes[0], t.nodes[1], t.nodes[3]


def _place(x: Tensor, nodes: Tensor) -> tuple[Tensor, Tensor]:
    """Index of the interval of rising ``nodes`` in which ``x`` lies, and how far, held at the ends."""
    x = torch.clamp(x, nodes[0], nodes[-1])
    n = torch.clamp(torch.bucketize(x.contiguous(), nodes, right=True) - 1, 0, nodes.numel() - 2)
    return n, (x - nodes[n]) / (nodes[n + 1] - nodes[n])
