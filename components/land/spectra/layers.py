# SPDX-License-Identifier: BSD-3-Clause
"""Light in a canopy of layers whose leaves may differ: what each layer receives, and what leaves the top.

The four-stream equations (Verhoef 1984) of each layer in a box scheme: of second order in the layer's leaf area, and
what a layer absorbs is exactly what it takes from the fluxes. Layers are added from the ground up (mSCOPE; Yang et al.
2017).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.spectra.geometry import Geometry, joint_gap_exponent
from components.science.sums import in_order

HOT_SPOT_CUTS = 8  # of a layer, in the integral over what sun and viewer both see


class Layers(NamedTuple):
    """A canopy cut into layers, from the top down.

    Attributes
    ----------
    lai : Tensor
        Leaf area index of each layer, shape (canopy, layer).
    hot_spot : Tensor
        Leaf size over canopy height, shape (canopy,).
    reflectance, transmittance : Tensor
        Of the leaves, shape (canopy, layer or 1, band).
    """

    lai: Tensor
    hot_spot: Tensor
    reflectance: Tensor
    transmittance: Tensor


class Views(NamedTuple):
    """Leaf area of each layer that is lit, that is seen, and both, and the same of the soil.

    Attributes
    ----------
    sunlit, seen, both : Tensor
        Integral of the probability over the layer's leaf area, shape (canopy, layer).
    soil_sunlit, soil_seen, soil_both : Tensor
        Probability at the ground, shape (canopy, 1).
    """

    sunlit: Tensor
    seen: Tensor
    both: Tensor
    soil_sunlit: Tensor
    soil_seen: Tensor
    soil_both: Tensor


class Field(NamedTuple):
    """Diffuse light in the canopy, W m-2 um-1 where the sources are.

    Attributes
    ----------
    down, up : Tensor
        At the layers' faces from the top to the ground, shape (canopy, layer + 1, band).
    """

    down: Tensor
    up: Tensor

    def mean(self) -> tuple[Tensor, Tensor]:
        """Mean of each layer, of the downward and of the upward light, each of shape (canopy, layer, band)."""
        return 0.5 * (self.down[:, 1:] + self.down[:, :-1]), 0.5 * (self.up[:, 1:] + self.up[:, :-1])


def even_layers(lai: Tensor, number: int) -> Tensor:
    """Cut canopies into layers of equal leaf area.

    Parameters
    ----------
    lai : Tensor
        Shape (canopy,).
    number : int
        Of layers.

    Returns
    -------
    Tensor
        Shape (canopy, layer).
    """
    return (lai / number).unsqueeze(-1).expand(*lai.shape, number)


def views(lai: Tensor, hot_spot: Tensor, light: Geometry) -> Views:
    """What sun and viewer see of each layer (Verhoef 1998, section 3.4).

    Parameters
    ----------
    lai : Tensor
        Of each layer, shape (canopy, layer).
    hot_spot : Tensor
        Shape (canopy,).
    light : Geometry
        Each of shape (canopy, 1).

    Returns
    -------
    Views
        Of the precision of ``lai``.
    """
    total = in_order(lai.double(), -1).unsqueeze(-1)
    above = torch.nn.functional.pad(lai.double().cumsum(-1), (1, 0))

    def shares(exponent: Tensor) -> tuple[Tensor, Tensor]:
        value, fall = torch.exp(exponent), exponent.diff(dim=-1)
        flat = fall.abs() < 1e-6
        return torch.where(flat, value[..., :-1], value.diff(dim=-1) / torch.where(flat, 1.0, fall)), value[..., -1:]

    lit, soil_lit = shares(-light.ks.double() * above)
    seen, soil_seen = shares(-light.ko.double() * above)
    # Where sun and viewer part within a layer, the layer is cut finer for this one integral.
    fine = HOT_SPOT_CUTS
    cut = torch.linspace(0.0, 1.0, fine + 1, dtype=torch.float64, device=lai.device)[:-1]
    depth = torch.cat([(above[:, :-1, None] + lai.double().unsqueeze(-1) * cut).flatten(1), total], -1)
    depth = depth / total.clamp(min=1e-12)
    both, soil_both = shares(joint_gap_exponent(light, total, hot_spot.unsqueeze(-1), depth))
    both = in_order(both.unflatten(-1, (-1, fine)), -1) / fine
    part = lai.double()
    return Views(*(x.to(lai.dtype) for x in (lit * part, seen * part, both * part, soil_lit, soil_seen, soil_both)))


def diffuse_light(
    layers: Layers, light: Geometry, soil: Tensor, sources: tuple[Tensor, Tensor], sky: Tensor, ground: Tensor
) -> Field:
    """Diffuse light at the layers' faces, by adding layers from the ground up (van der Tol et al. 2009, eqs 8-16).

    Parameters
    ----------
    layers : Layers
        Each as said there.
    light : Geometry
        Each of shape (canopy, 1).
    soil : Tensor
        Reflectance, shape (canopy, band) or (band,).
    sources : tuple of Tensor
        Light that each layer puts into the downward and into the upward flux, shape (canopy, layer, band).
    sky : Tensor
        Downward at the top, shape (canopy, band).
    ground : Tensor
        Upward from the soil beside what it reflects of the diffuse light, shape (canopy, band).

    Returns
    -------
    Field
        In the unit of the sources.
    """
    half = 0.5 * layers.lai.unsqueeze(-1)
    d = Geometry(*(x.unsqueeze(-1) for x in light))
    a = half * (1.0 - (d.ddf * layers.reflectance + d.ddb * layers.transmittance))
    b = half * (d.ddb * layers.reflectance + d.ddf * layers.transmittance)
    det = (1.0 + a) ** 2 - b * b
    t, r = (1.0 - a * a + b * b) / det, 2.0 * b / det
    down_source = ((1.0 + a) * sources[0] + b * sources[1]) / det
    up_source = ((1.0 + a) * sources[1] + b * sources[0]) / det

    number = layers.lai.shape[-1]
    below, rising = soil.expand_as(ground), ground  # reflectance of, and light from, all that lies below a face
    stack: list[tuple[Tensor, Tensor, Tensor]] = []
    for j in range(number - 1, -1, -1):
        loop = 1.0 / (1.0 - r[:, j] * below)
        stack.append((below, rising, loop))
        lifted = (rising + below * down_source[:, j]) * loop
        below, rising = r[:, j] + t[:, j] * t[:, j] * below * loop, up_source[:, j] + t[:, j] * lifted
    down, up = [sky], [below * sky + rising]
    for j, (under, risen, loop) in enumerate(reversed(stack)):
        falling = (t[:, j] * down[-1] + r[:, j] * risen + down_source[:, j]) * loop
        down.append(falling)
        up.append(under * falling + risen)
    return Field(torch.stack(down, 1), torch.stack(up, 1))


class SolarLight(NamedTuple):
    """Sun and sky in a canopy.

    Attributes
    ----------
    field : Field
        Diffuse light.
    sunlight : Tensor
        Sunlight times the sunlit leaf area of each layer, shape (canopy, layer, band).
    radiance : Tensor
        pi times the radiance towards the viewer at the top, shape (canopy, band).
    """

    field: Field
    sunlight: Tensor
    radiance: Tensor


def solar_light(layers: Layers, light: Geometry, seen: Views, soil: Tensor, sun: Tensor, sky: Tensor) -> SolarLight:
    """Light of the sun and the sky in a canopy of layers, and what goes to the viewer (van der Tol et al. 2009).

    Parameters
    ----------
    layers : Layers
        Each as said there.
    light : Geometry
        Each of shape (canopy, 1).
    seen : Views
        Of these layers.
    soil : Tensor
        Reflectance, shape (canopy, band) or (band,).
    sun, sky : Tensor
        On a horizontal plane at the top, shape (canopy, band), W m-2 um-1.

    Returns
    -------
    SolarLight
        In the unit of ``sun``.
    """
    rho, tau = layers.reflectance, layers.transmittance
    d = Geometry(*(x.unsqueeze(-1) for x in light))
    sunlight = sun.unsqueeze(1) * seen.sunlit.unsqueeze(-1)
    sources = (d.sdf * rho + d.sdb * tau) * sunlight, (d.sdb * rho + d.sdf * tau) * sunlight
    field = diffuse_light(layers, light, soil, sources, sky, soil * sun * seen.soil_sunlit)
    down, up = field.mean()
    leaves = (d.sob * rho + d.sof * tau) * (sun.unsqueeze(1) * seen.both.unsqueeze(-1))
    leaves = leaves + ((d.dob * rho + d.dof * tau) * down + (d.dof * rho + d.dob * tau) * up) * seen.seen.unsqueeze(-1)
    ground = soil * (sun * seen.soil_both + field.down[:, -1] * seen.soil_seen)
    return SolarLight(field, sunlight, in_order(leaves, 1) + ground)


def absorbed(layers: Layers, light: Geometry, solar: SolarLight) -> Tensor:
    """Light that the leaves of each layer absorb.

    Parameters
    ----------
    layers : Layers
        Each as said there.
    light : Geometry
        Each of shape (canopy, 1).
    solar : SolarLight
        In these layers.

    Returns
    -------
    Tensor
        Shape (canopy, layer, band), in the unit of the light.
    """
    down, up = solar.field.mean()
    kept = 1.0 - layers.reflectance - layers.transmittance
    return kept * (light.ks.unsqueeze(-1) * solar.sunlight + layers.lai.unsqueeze(-1) * (down + up))
