# SPDX-License-Identifier: BSD-3-Clause
"""Light in a street canyon, infinitely long: view factors, all reflections, the sun across the street."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Views(NamedTuple):
    """View factors of a canyon, each of the shape of its height over width (Masson 2000, eqs 12-14).

    Attributes
    ----------
    road_sky, road_wall : Tensor
        From the road to the sky and to one wall.
    wall_sky, wall_road, wall_wall : Tensor
        From a wall to the sky, the road and the other wall.
    """

    road_sky: Tensor
    road_wall: Tensor
    wall_sky: Tensor
    wall_road: Tensor
    wall_wall: Tensor


def view_factors(ratio: Tensor) -> Views:
    """View factors by crossed strings (Hottel 1954; Masson 2000).

    Parameters
    ----------
    ratio : Tensor
        Height of the walls over width of the street, above 0.

    Returns
    -------
    Views
        Of its shape.

    Examples
    --------
    >>> round(float(view_factors(torch.tensor(1.0, dtype=torch.float64)).road_sky), 5)
    0.41421
    """
    slant = torch.sqrt(1.0 + ratio * ratio)
    road_sky = slant - ratio
    wall_wall = (slant - 1.0) / ratio
    wall_sky = 0.5 * (1.0 - wall_wall)
    return Views(road_sky, 0.5 * (1.0 - road_sky), wall_sky, wall_sky, wall_wall)


class Faces(NamedTuple):
    """A quantity of the road, the wall that the sun meets, and the other; per area of the face or of the street.

    Attributes
    ----------
    road, sunny, shaded : Tensor
        Of one shape.
    """

    road: Tensor
    sunny: Tensor
    shaded: Tensor


class Exchange(NamedTuple):
    """What a canyon makes of light, per area of street.

    Attributes
    ----------
    absorbed : Faces
        By each face.
    escaped : Tensor
        Back to the sky.
    """

    absorbed: Faces
    escaped: Tensor


def all_reflections(first: Faces, reflectance: Faces, ratio: Tensor) -> Exchange:
    """Follow light between diffuse faces until it is absorbed or has left: all reflections at once.

    The radiosities of three faces solve a linear system (the infinite series of Masson 2000, with walls apart); what is
    absorbed and what escapes add up to what came.

    Parameters
    ----------
    first : Faces
        Light that reaches each face for the first time, per area of the face.
    reflectance : Faces
        Of the faces, 0 to 1.
    ratio : Tensor
        Height over width.

    Returns
    -------
    Exchange
        Per area of street.
    """
    v = view_factors(ratio)
    r, s, t = reflectance
    # Radiosities B = r (E + sum F B), three equations, by Cramer's rule.
    a11, a12, a13 = torch.ones_like(v.road_sky), -r * v.road_wall, -r * v.road_wall
    a21, a22, a23 = -s * v.wall_road, torch.ones_like(v.road_sky), -s * v.wall_wall
    a31, a32, a33 = -t * v.wall_road, -t * v.wall_wall, torch.ones_like(v.road_sky)
    b1, b2, b3 = r * first.road, s * first.sunny, t * first.shaded
    determinant = a11 * (a22 * a33 - a23 * a32) - a12 * (a21 * a33 - a23 * a31) + a13 * (a21 * a32 - a22 * a31)
    road = (b1 * (a22 * a33 - a23 * a32) - a12 * (b2 * a33 - a23 * b3) + a13 * (b2 * a32 - a22 * b3)) / determinant
    sunny = (a11 * (b2 * a33 - a23 * b3) - b1 * (a21 * a33 - a23 * a31) + a13 * (a21 * b3 - b2 * a31)) / determinant
    shaded = (a11 * (a22 * b3 - b2 * a32) - a12 * (a21 * b3 - b2 * a31) + b1 * (a21 * a32 - a22 * a31)) / determinant
    on_road = first.road + v.road_wall * (sunny + shaded)
    on_sunny = first.sunny + v.wall_road * road + v.wall_wall * shaded
    on_shaded = first.shaded + v.wall_road * road + v.wall_wall * sunny
    absorbed = Faces((1.0 - r) * on_road, ratio * (1.0 - s) * on_sunny, ratio * (1.0 - t) * on_shaded)
    return Exchange(absorbed, v.road_sky * road + ratio * v.wall_sky * (sunny + shaded))


def diffuse_light(sky: Tensor, reflectance: Faces, ratio: Tensor) -> Exchange:
    """Light of the sky in a canyon.

    Parameters
    ----------
    sky : Tensor
        On a horizontal plane, any unit.
    reflectance : Faces
        Of the faces.
    ratio : Tensor
        Height over width.

    Returns
    -------
    Exchange
        Per area of street.
    """
    v = view_factors(ratio)
    wall = v.wall_sky * sky
    return all_reflections(Faces(v.road_sky * sky, wall, wall), reflectance, ratio)


def sun_across(beam: Tensor, zenith: Tensor, reflectance: Faces, ratio: Tensor) -> Exchange:
    """The sun's beam across the street.

    Parameters
    ----------
    beam : Tensor
        On a horizontal plane, any unit.
    zenith : Tensor
        Of the sun in the plane across the street, rad, 0 to pi/2.
    reflectance : Faces
        Of the faces.
    ratio : Tensor
        Height over width.

    Returns
    -------
    Exchange
        Per area of street.
    """
    shadow = ratio * torch.tan(zenith)
    road = (1.0 - shadow).clamp(min=0.0)
    return all_reflections(
        Faces(beam * road, beam * (1.0 - road) / ratio, torch.zeros_like(beam * road)), reflectance, ratio
    )


def effective_emissivity(emissivity: Faces, ratio: Tensor) -> Tensor:
    """Emissivity of a canyon whose faces have one temperature: what it absorbs of the sky's light (Kirchhoff).

    Parameters
    ----------
    emissivity : Faces
        Of the faces.
    ratio : Tensor
        Height over width.

    Returns
    -------
    Tensor
        0 to 1.
    """
    one = torch.ones_like(ratio)
    light = diffuse_light(one, Faces(*(1.0 - e for e in emissivity)), ratio)
    return light.absorbed.road + light.absorbed.sunny + light.absorbed.shaded
