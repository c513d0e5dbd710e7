# SPDX-License-Identifier: BSD-3-Clause
"""Sun, viewer and leaves: extinction, and how a leaf's light is shared between directions (Verhoef 1984, 1998)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from components.land.spectra.leaf_angles import CENTRES
from components.science.sums import in_order

HOT_SPOT_INTERVALS = 20  # of the integral over the canopy's depth, as in 4SAIL


class Geometry(NamedTuple):
    """Coefficients per leaf area, each of shape (canopy, 1), to be multiplied by a leaf's reflectance or transmittance.

    Light is ``s`` (sun), ``o`` (to the viewer) or ``d`` (diffuse); the side that scatters is ``b`` (back, with the
    leaf's reflectance) or ``f`` (forward, with its transmittance): ``sdb`` of the leaf's reflectance sends sunlight
    into the upward diffuse flux.

    Attributes
    ----------
    ks, ko : Tensor
        Extinction of sunlight and of the view.
    sdb, sdf, dob, dof, ddb, ddf, sob, sof : Tensor
        Shares as named above.
    distance : Tensor
        Between sun and view as the hot spot sees it, sqrt(tan2 s + tan2 o - 2 tan s tan o cos psi).
    """

    ks: Tensor
    ko: Tensor
    sdb: Tensor
    sdf: Tensor
    dob: Tensor
    dof: Tensor
    ddb: Tensor
    ddf: Tensor
    sob: Tensor
    sof: Tensor
    distance: Tensor


def _extinction(cos_cos: Tensor, sin_sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Azimuth at which the leaf's other face is met, the larger part, and the mean |cos| over azimuths."""
    crossing = sin_sin > cos_cos
    beta = torch.where(crossing, torch.acos(torch.where(crossing, -cos_cos / sin_sin.clamp(min=1e-30), 0.0)), torch.pi)
    part = torch.where(crossing, sin_sin, cos_cos)
    mean = 2.0 / math.pi * ((beta - 0.5 * math.pi) * cos_cos + torch.sin(beta) * sin_sin)
    return beta, part, mean


def geometry(shares: Tensor, sun: Tensor, view: Tensor, azimuth: Tensor) -> Geometry:
    """Coefficients of a canopy for one direction of the sun and of the view (Verhoef 1998, section 3.3).

    Parameters
    ----------
    shares : Tensor
        Of leaf area by inclination, shape (canopy, 18).
    sun, view : Tensor
        Zenith angles, degrees, at least 0 and below 90, shape (canopy,).
    azimuth : Tensor
        Between sun and view, degrees, shape (canopy,).

    Returns
    -------
    Geometry
        Each of shape (canopy, 1).
    """
    exact = shares.double()
    inclination = torch.deg2rad(torch.tensor(CENTRES, dtype=torch.float64, device=shares.device))
    cos_l, sin_l = torch.cos(inclination), torch.sin(inclination)
    s, o, psi = (torch.deg2rad(x.double()).unsqueeze(-1) for x in (sun, view, azimuth))
    psi = torch.remainder(psi, 2.0 * math.pi)
    psi = torch.minimum(psi, 2.0 * math.pi - psi)
    cos_s, cos_o = torch.cos(s), torch.cos(o)
    beta_s, part_s, chi_s = _extinction(cos_l * cos_s, sin_l * torch.sin(s))
    beta_o, part_o, chi_o = _extinction(cos_l * cos_o, sin_l * torch.sin(o))

    low, high = (beta_s - beta_o).abs(), math.pi - (beta_s + beta_o - math.pi).abs()
    psi_l = psi.expand_as(low)
    first = torch.minimum(psi_l, low)
    second = torch.minimum(torch.maximum(psi_l, low), high)
    third = torch.maximum(psi_l, high)
    sines = sin_l * sin_l * torch.sin(s) * torch.sin(o)
    t1 = 2.0 * cos_l * cos_l * cos_s * cos_o + sines * torch.cos(psi)
    t2 = torch.where(
        second > 0.0,
        torch.sin(second) * (2.0 * part_s * part_o + sines * torch.cos(first) * torch.cos(third)),
        0.0,
    )
    back = ((math.pi - second) * t1 + t2) / (2.0 * math.pi * math.pi)
    forward = (-second * t1 + t2) / (2.0 * math.pi * math.pi)

    def mean(x: Tensor) -> Tensor:
        return in_order(exact * x, -1).unsqueeze(-1)

    ks, ko, flat = mean(chi_s) / cos_s, mean(chi_o) / cos_o, mean((cos_l * cos_l).expand_as(exact))
    both = math.pi / (cos_s * cos_o)
    tan_s, tan_o = torch.tan(s), torch.tan(o)
    distance = torch.sqrt((tan_s**2 + tan_o**2 - 2.0 * tan_s * tan_o * torch.cos(psi)).clamp(min=0.0))
    values = (
        ks, ko, 0.5 * (ks + flat), 0.5 * (ks - flat), 0.5 * (ko + flat), 0.5 * (ko - flat), 0.5 * (1.0 + flat),
        0.5 * (1.0 - flat), both * mean(back.clamp(min=0.0)), both * mean(forward.clamp(min=0.0)), distance,
    )  # fmt: skip
    return Geometry(*(x.to(shares.dtype) for x in values))


def hot_spot_decay(light: Geometry, hot_spot: Tensor) -> Tensor:
    """Rate at which the views of sun and viewer part with relative depth (Kuusk 1985), in double precision.

    Parameters
    ----------
    light : Geometry
        Each of shape (canopy, 1).
    hot_spot : Tensor
        Leaf size over canopy height, shape (canopy, 1); 0 for none.

    Returns
    -------
    Tensor
        Shape (canopy, 1), 1e-6 (one and the same view) to 200 (no hot spot).
    """
    k = (light.ks + light.ko).double()
    return (2.0 * light.distance.double() / (hot_spot.double().clamp(min=1e-9) * k)).clamp(1e-6, 200.0)


def joint_gap_exponent(light: Geometry, lai: Tensor, hot_spot: Tensor, depth: Tensor) -> Tensor:
    """Logarithm of the probability that a point is seen by the sun and by the viewer (Kuusk 1985; Verhoef 1998, 3.43).

    Parameters
    ----------
    light : Geometry
        Each of shape (canopy, 1).
    lai : Tensor
        Leaf area index of the whole canopy, shape (canopy, 1).
    hot_spot : Tensor
        Leaf size over canopy height, shape (canopy, 1); 0 for none.
    depth : Tensor
        Leaf area index above the point over that of the canopy, shape (canopy, point) or (point,).

    Returns
    -------
    Tensor
        Shape (canopy, point), in double precision.
    """
    ks, ko = light.ks.double(), light.ko.double()
    alpha = hot_spot_decay(light, hot_spot)
    return lai.double() * (-(ks + ko) * depth - torch.sqrt(ks * ko) * torch.expm1(-alpha * depth) / alpha)
