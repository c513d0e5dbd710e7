# SPDX-License-Identifier: BSD-3-Clause
"""Reflectance of a canopy of one kind of leaf: 4SAIL with the hot spot (Verhoef et al. 2007)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.spectra.geometry import HOT_SPOT_INTERVALS, Geometry, hot_spot_decay, joint_gap_exponent
from components.science.sums import in_order


class Structure(NamedTuple):
    """A canopy's build, each of shape (canopy,).

    Attributes
    ----------
    lai : Tensor
        One-sided leaf area index, m2 m-2; multiplied by the clumping index where leaves stand in clumps.
    hot_spot : Tensor
        Leaf size over canopy height.
    """

    lai: Tensor
    hot_spot: Tensor


class CanopyLight(NamedTuple):
    """Reflectance of canopy and soil, and transmittance of the canopy, each of shape (canopy, band).

    Attributes
    ----------
    rso, rdo, rsd, rdd : Tensor
        Reflectance of sunlight to the viewer (bidirectional), of diffuse light to the viewer, of sunlight to all
        sides, of diffuse light to all sides, over the soil.
    tdd, tsd : Tensor
        Of the canopy alone: diffuse light that reaches the soil, and sunlight that reaches it scattered.
    tss, too : Tensor
        Sunlight that reaches the soil directly, and view of the soil, shape (canopy, 1).
    """

    rso: Tensor
    rdo: Tensor
    rsd: Tensor
    rdd: Tensor
    tdd: Tensor
    tsd: Tensor
    tss: Tensor
    too: Tensor


def _along(k: Tensor, m: Tensor, lai: Tensor) -> tuple[Tensor, Tensor]:
    """Integrals of exp(-k x) exp(-m x) and exp(-k x) exp(-m (L - x)) over the canopy (Verhoef et al. 2007, J1, J2)."""
    near = (k - m) * lai
    small = near.abs() < 1e-3
    other = torch.where(small, 1.0, near)
    decay_m, decay_k = torch.exp(-m * lai), torch.exp(-k * lai)
    with_k = torch.where(
        small, 0.5 * lai * (decay_k + decay_m) * (1.0 - near * near / 12.0), (decay_m - decay_k) * lai / other
    )
    return with_k, -torch.expm1(-(k + m) * lai) / (k + m)


def canopy(
    reflectance: Tensor, transmittance: Tensor, soil: Tensor, structure: Structure, light: Geometry
) -> CanopyLight:
    """Reflectance of a homogeneous canopy over a Lambertian soil (4SAIL; Verhoef et al. 2007, eqs 1-22).

    Parameters
    ----------
    reflectance, transmittance : Tensor
        Of the leaf, shape (canopy, band) or (band,).
    soil : Tensor
        Reflectance, shape (canopy, band) or (band,).
    structure : Structure
        Each of shape (canopy,).
    light : Geometry
        Each of shape (canopy, 1).

    Returns
    -------
    CanopyLight
        Each of shape (canopy, band).
    """
    lai, q = structure.lai.unsqueeze(-1), structure.hot_spot.unsqueeze(-1)
    rho, tau = reflectance, transmittance
    sigb = light.ddb * rho + light.ddf * tau
    att = 1.0 - (light.ddf * rho + light.ddb * tau)
    m = torch.sqrt(((att + sigb) * (att - sigb)).clamp(min=1e-10))
    sb, sf = light.sdb * rho + light.sdf * tau, light.sdf * rho + light.sdb * tau
    vb, vf = light.dob * rho + light.dof * tau, light.dof * rho + light.dob * tau
    w = light.sob * rho + light.sof * tau

    e1 = torch.exp(-m * lai)
    rinf = (att - m) / sigb.clamp(min=1e-12)
    rinf2 = rinf * rinf
    re, e2 = rinf * e1, e1 * e1
    denom = 1.0 - rinf2 * e2
    j1s, j2s = _along(light.ks, m, lai)
    j1o, j2o = _along(light.ko, m, lai)
    ps, qs = (sf + sb * rinf) * j1s, (sf * rinf + sb) * j2s
    pv, qv = (vf + vb * rinf) * j1o, (vf * rinf + vb) * j2o
    rdd, tdd = rinf * (1.0 - e2) / denom, (1.0 - rinf2) * e1 / denom
    tsd, rsd = (ps - re * qs) / denom, (qs - re * ps) / denom
    tdo, rdo = (pv - re * qv) / denom, (qv - re * pv) / denom

    tss, too = torch.exp(-light.ks * lai), torch.exp(-light.ko * lai)
    z = -torch.expm1(-(light.ks + light.ko) * lai) / (light.ks + light.ko)
    g1, g2 = (z - j1s * too) / (light.ko + m), (z - j1o * tss) / (light.ks + m)
    tv1, tv2 = (vf * rinf + vb) * g1, (vf + vb * rinf) * g2
    t1, t2 = tv1 * (sf + sb * rinf), tv2 * (sf * rinf + sb)
    t3 = (rdo * qs + tdo * ps) * rinf
    multiple = (t1 + t2 - t3) / (1.0 - rinf2)

    once, ground = hot_spot_integral(light, lai, q)
    under = 1.0 - soil * rdd
    up = soil / under
    return CanopyLight(
        rso=w * once + multiple + soil * ground + ((tss + tsd) * tdo + (tsd + tss * soil * rdd) * too) * up,
        rdo=rdo + tdd * (too + tdo) * up,
        rsd=rsd + (tss + tsd) * tdd * up,
        rdd=rdd + tdd * tdd * up,
        tdd=tdd,
        tsd=tsd,
        tss=tss,
        too=too,
    )


def hot_spot_integral(
    light: Geometry, lai: Tensor, hot_spot: Tensor, intervals: int = HOT_SPOT_INTERVALS
) -> tuple[Tensor, Tensor]:
    """Leaf area that sun and viewer both see, and the share of soil that both see (Verhoef 1998, section 3.4).

    The intervals close up towards the top, where the correlation falls off; within one the logarithm of the joint gap
    is taken as linear. 4SAIL's twenty leave 2e-4 of reflectance beside their limit.

    Parameters
    ----------
    light : Geometry
        Each of shape (canopy, 1).
    lai, hot_spot : Tensor
        Shape (canopy, 1).
    intervals : int
        Of depth.

    Returns
    -------
    tuple of Tensor
        Both of shape (canopy, 1).
    """
    alpha = hot_spot_decay(light, hot_spot)
    share = torch.linspace(0.0, 1.0, intervals + 1, dtype=alpha.dtype, device=alpha.device)
    depth = (-torch.log1p(torch.expm1(-alpha) * share) / alpha).clamp(max=1.0)
    exponent = joint_gap_exponent(light, lai.double(), hot_spot, depth)
    seen, fall = torch.exp(exponent), exponent.diff(dim=-1)
    flat = fall.abs() < 1e-6
    mean = torch.where(flat, seen[..., :-1], seen.diff(dim=-1) / torch.where(flat, 1.0, fall))
    once = lai * in_order(mean * depth.diff(dim=-1), -1).unsqueeze(-1)
    return once.to(lai.dtype), seen[..., -1:].to(lai.dtype)
