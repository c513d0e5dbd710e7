# SPDX-License-Identifier: BSD-3-Clause
"""Sunlight through columns whose layers have a clear and a cloudy part, layer by layer.

Light that goes to and fro between a layer and what lies below it depends on how bright that is, and not linearly, so
that the mean of what lies below is not enough. The columns below a part of a layer are kept apart as long as they
matter: in groups by their reflection, as the sun's classes weigh it, above that of the clear column. Which part and
which group lie below which is a chain from the ground upwards, as the overlap of clouds is one from layer to layer; so
beam and diffuse light find the same chain on their way down.
"""

import torch

from .overlap import SMALL, overlap_of

BRIGHTER = (0.1, 0.3, 0.5)  # of what the clear column does not reflect: where groups of columns below end
GROUPS = len(BRIGHTER) + 1
RESONANT = 1.0e-3  # from k mu = 1

Layers = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
"""Of `two_stream`."""


def added(
    layers: Layers, sun: torch.Tensor, albedo: torch.Tensor, fraction: torch.Tensor, overlap: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Fluxes up and down (nlev + 1, n, classes) through layers with a clear and a cloudy part.

    Parameters
    ----------
    layers : (nlev, 2, n, classes) reflection and transmission of both parts
    sun : (n, classes) what comes in
    albedo : (n, 1) of the ground
    fraction, overlap : (nlev, n) of the clouds
    """
    reflect, transmit, reflect_sun, transmit_sun, beam = (a[:, :, None] for a in layers)
    cloudy = overlap_of(fraction, overlap).up[..., 0]
    # what lies below a layer, a clear or a cloudy top over one of the groups (2 GROUPS, n): how much of the area it
    # has, and what it reflects of diffuse light and of the beam; the ground is one of them, and then all
    area = torch.cat([torch.ones_like(fraction[:1]), fraction.new_zeros(2 * GROUPS - 1, fraction.shape[1])])
    bare = albedo.expand(sun.shape)
    mirror = glare = bare.expand(2 * GROUPS, *sun.shape)
    below, between, passes, groups = [], [], [], []
    for k in range(len(fraction)):
        cloud = fraction[:1].expand(2, -1) if k == 0 else cloudy[k - 1]
        cloud = cloud.repeat_interleave(GROUPS, 0)
        group = _group(mirror, bare, sun)[None].expand(2, -1, -1)
        entered = area * torch.stack([1.0 - cloud, cloud])
        whole = _by_group(entered, group)
        share = (entered / torch.clamp(whole.gather(1, group), min=SMALL * SMALL))[..., None]
        area, group = whole.flatten(0, 1), group[..., None].expand(-1, -1, -1, sun.shape[1])
        shared = share / (1.0 - reflect[k] * mirror)
        below.append((mirror, glare))
        between.append(shared)
        passes.append(share)
        groups.append(group)
        lit = _by_group(shared * (mirror * transmit_sun[k] + glare * beam[k]), group)
        back = _by_group(shared * mirror, group)
        glare = (reflect_sun[k] + transmit[k] * lit).flatten(0, 1)
        mirror = (reflect[k] + transmit[k] * transmit[k] * back).flatten(0, 1)
        bare = reflect[k, 0, 0] + transmit[k, 0, 0] ** 2 * bare / (1.0 - reflect[k, 0, 0] * bare)
    direct = area[..., None] * sun
    diffuse = torch.zeros_like(direct)
    up, down = [(glare * direct).sum(0)], [sun]
    for k in range(len(fraction) - 1, -1, -1):
        mirror, glare = below[k]
        ray, light = (a.unflatten(0, (2, GROUPS)).gather(1, groups[k]) for a in (direct, diffuse))
        passed = ray * beam[k]
        spread = transmit[k] * light + transmit_sun[k] * ray + reflect[k] * glare * passed
        diffuse, direct = (between[k] * spread).sum(0), (passes[k] * passed).sum(0)
        up.append((mirror * diffuse + glare * direct).sum(0))
        down.append((diffuse + direct).sum(0))
    return torch.stack(up[::-1]), torch.stack(down[::-1])


def _group(mirror: torch.Tensor, bare: torch.Tensor, sun: torch.Tensor) -> torch.Tensor:
    """Group (states, n) of columns that reflect ``mirror`` (states, n, classes), where the clear one does ``bare``."""
    with torch.no_grad():
        clear, all_of_it = (bare * sun).sum(-1), sun.sum(-1)
        more = ((mirror * sun).sum(-1) - clear) / (all_of_it - clear)
        return torch.bucketize(more, more.new_tensor(BRIGHTER))


def _by_group(of: torch.Tensor, group: torch.Tensor) -> torch.Tensor:
    """Sums (2, GROUPS, ...) of (2, states, ...) over the states of each group."""
    return of.new_zeros(2, GROUPS, *of.shape[2:]).scatter_add(1, group, of)


def two_stream(absorbed: torch.Tensor, scattered: torch.Tensor, forward: torch.Tensor, mu: torch.Tensor) -> Layers:
    """Reflection and transmission of layers for diffuse light, of the beam into diffuse light, and of the beam.

    Optical depths of absorption and scattering, the latter's part that goes on (delta-scaled: Joseph et al. 1976); in
    the form of `components.radiation.kernels.shortwave.two_stream`, exact in single precision where nothing absorbs.
    """
    g = forward / scattered
    kept = scattered * (1.0 - g * g)
    depth = absorbed + kept
    albedo = torch.clamp(kept / depth, max=0.99999)
    g = g / (1.0 + g)
    gamma_1 = 2.0 - albedo * (1.25 + 0.75 * g)
    gamma_2 = 0.75 * albedo * (1.0 - g)
    gamma_3 = 0.5 - 0.75 * g * mu
    gamma_4 = 1.0 - gamma_3
    alpha_1 = gamma_1 * gamma_4 + gamma_2 * gamma_3
    alpha_2 = gamma_1 * gamma_3 + gamma_2 * gamma_4
    # (gamma_1 - gamma_2) (gamma_1 + gamma_2), without the difference of two numbers that are nearly the same
    k = torch.sqrt(torch.clamp(2.0 * (1.0 - albedo) * (2.0 - albedo * (0.5 + 1.5 * g)), min=1e-12))
    k = torch.where((1.0 - k * mu).abs() > RESONANT, k, (1.0 + RESONANT) / mu)  # where k mu = 1 the beam's is 0/0
    lost = -torch.expm1(-torch.clamp(k * depth, max=60.0))
    e = 1.0 - lost
    s = lost * (2.0 - lost) / k
    beam = torch.exp(-torch.clamp(depth / mu, max=60.0))
    both = 1.0 + e * e
    d = 1.0 / (both + gamma_1 * s)
    reflect, transmit = gamma_2 * s * d, 2.0 * e * d
    kk_mu = k * k * mu
    factor = albedo * d / (1.0 - kk_mu * mu)
    reflect_sun = factor * (
        alpha_2 * (s - mu * both) + gamma_3 * (both - kk_mu * s) - 2.0 * (gamma_3 - alpha_2 * mu) * e * beam
    )
    transmit_sun = -factor * (
        beam * (alpha_1 * (s + mu * both) + gamma_4 * (both + kk_mu * s)) - 2.0 * (gamma_4 + alpha_1 * mu) * e
    )
    # rounding and the resonance must not make light
    room = 1.0 - beam
    reflect_sun = torch.minimum(torch.clamp(reflect_sun, min=0.0), room)
    transmit_sun = torch.minimum(torch.clamp(transmit_sun, min=0.0), room - reflect_sun)
    return reflect, transmit, reflect_sun, transmit_sun, beam
