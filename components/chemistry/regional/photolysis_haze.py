# SPDX-License-Identifier: BSD-3-Clause
"""What aerosol makes of photolysis: the ratio of the actinic flux with it to that of the table's own standard aerosol.

Both from two streams in the air's molecules (Rayleigh: Bodhaine et al. 1999, J. Atmos. Oceanic Technol. 16, 1854) over
a ground that reflects: Zdunkowski's practical improved flux method in the solutions of Meador & Weaver (1980, J. Atmos.
Sci. 37, 630), delta-scaled (Joseph et al. 1976). The actinic flux of two streams is that of the direct beam and twice
the diffuse fluxes up and down (Madronich 1987, J. Geophys. Res. 92, 9740). What two streams err by is mostly the same
in both, and goes out in the ratio. Two of RRTMGP's bands stand for all: 345 to 442 nm, and 263 to 345 nm for O(1D).
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from components.radiation.aerosol_exchange import optics_of_bands
from components.radiation.scheme import Air
from components.radiation.standard_atmosphere import height
from components.science.constants import P_REFERENCE

BANDS = (11, 12)
"""Of RRTMGP in the shortwave: 345 to 442 nm, and 263 to 345 nm."""
RAYLEIGH = (0.40, 0.95)
"""Optical depth of the molecules of the whole air at 390 and 315 nm."""
SHORT = ("PHOTO.O3->O1D",)
"""Photolysis that light of the shorter band drives."""
WAVELENGTH = (390.0, 315.0)
"""nm, of these."""
STANDARD = (
    0.106981, 0.046874, 0.020005, 0.009028, 0.005482, 0.004023, 0.003209, 0.003138, 0.00312, 0.003018, 0.002885,
    0.00286, 0.002817, 0.002675, 0.002569, 0.00243, 0.002353, 0.002368, 0.002152, 0.001651, 0.001206, 0.000887,
    0.000672, 0.000524, 0.000426, 0.000365, 0.0003, 0.00023, 0.000176, 0.000135, 0.000416,
)  # fmt: skip
"""Optical depth at 550 nm by kilometres above the sea, the last with all above, of the aerosol in the table (Elterman
1968, as TUV-x has it): it goes with 1 / wavelength."""
STANDARD_ALBEDO, STANDARD_ASYMMETRY = 0.99, 0.61
LOWEST_SUN = 0.05  # cosine; below it as at it: there is hardly light
WHITEST = 0.999999


def of_particles(fractions: Mapping[str, Tensor], air: Air) -> Tensor:
    """Optical depth of aerosol, its scattered part, and that times the asymmetry, (3, 2, nz, ny, nx).

    Parameters
    ----------
    fractions : (nz, ny, nx) mass fractions in moist air by the names of `aerosol_exchange`
    air : columns
    """
    found = optics_of_bands({n: a.detach().cpu().double().numpy() for n, a in fractions.items()}, air, BANDS)
    return torch.as_tensor(found).reshape(3, len(BANDS), *air.t.shape)


def factor(haze: Tensor, p_interface: Tensor, albedo: Tensor, mu: Tensor) -> Tensor:
    """Actinic flux in the middle of layers over that with the table's standard aerosol, (bands, nz, ny, nx).

    Parameters
    ----------
    haze : (3, bands, nz, ny, nx) as `of_particles` gives it
    p_interface : (nz+1, ny, nx) Pa, falling
    albedo, mu : (ny, nx) of the ground, and cosine of the zenith angle
    """
    usual = standard(p_interface)
    flux = [through_air(a.to(p_interface), p_interface, albedo, mu) for a in (haze, usual)]
    return flux[0] / flux[1]


def standard(p_interface: Tensor) -> Tensor:
    """The table's aerosol in layers (3, bands, nz, ny, nx), as `of_particles` gives that of the case.

    Parameters
    ----------
    p_interface : (nz+1, ny, nx) Pa, falling
    """
    km = 1.0e-3 * height(p_interface)
    below = torch.cat([torch.zeros(1), torch.cumsum(torch.tensor(STANDARD), 0)]).to(p_interface)
    k = torch.clamp(torch.floor(km).long(), 0, len(STANDARD) - 1)
    under = below[k] + torch.clamp(km - k, 0.0, 1.0) * (below[k + 1] - below[k])
    per = torch.tensor([550.0 / w for w in WAVELENGTH], dtype=km.dtype).reshape(-1, 1, 1, 1)
    depth = per * (under[1:] - under[:-1])
    return torch.stack([depth, STANDARD_ALBEDO * depth, STANDARD_ASYMMETRY * STANDARD_ALBEDO * depth])


def through_air(haze: Tensor, p_interface: Tensor, albedo: Tensor, mu: Tensor) -> Tensor:
    """Actinic flux (bands, nz, ny, nx) in the middle of layers of molecules and aerosol.

    Parameters
    ----------
    haze, p_interface, albedo, mu : see `factor`
    """
    whole = torch.tensor(RAYLEIGH, dtype=p_interface.dtype).reshape(-1, 1, 1, 1)
    molecules = whole * (p_interface[:-1] - p_interface[1:]) / P_REFERENCE
    depth, scattered, forward = haze
    return actinic_flux(molecules + depth, molecules + scattered, forward, albedo, torch.clamp(mu, min=LOWEST_SUN))


def actinic_flux(depth: Tensor, scattered: Tensor, forward: Tensor, albedo: Tensor, mu: Tensor) -> Tensor:
    """Actinic flux (..., nz, ny, nx) in the middle of layers, over that of the sun at the top.

    Parameters
    ----------
    depth, scattered, forward : (..., nz, ny, nx) optical depth, its scattered part, that times the asymmetry;
        lowest layer first
    albedo, mu : (ny, nx)
    """
    g = forward / torch.clamp(scattered, min=1.0e-30)
    ahead = scattered * g * g  # delta scaling: the forward peak is not scattered at all
    tau, lost = depth - ahead, scattered - ahead
    w = torch.clamp(lost / torch.clamp(tau, min=1.0e-30), max=WHITEST)
    layers = two_stream(tau, w, g / (1.0 + g), mu)
    through = torch.exp(-tau / mu)
    beam = torch.cat(
        [torch.flip(torch.cumprod(torch.flip(through, [-3]), -3), [-3]), torch.ones_like(through[..., :1, :, :])], -3
    )
    up, down = _streams(*layers, mu * beam, albedo)
    total = beam + 2.0 * (up + down)
    return torch.sqrt(total[..., :-1, :, :] * total[..., 1:, :, :])


def two_stream(tau: Tensor, w: Tensor, g: Tensor, mu: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Reflected and passed share of diffuse light, and of the beam's what leaves diffuse upwards and downwards.

    Parameters
    ----------
    tau, w, g : optical depth, single-scattering albedo, asymmetry of layers
    mu : cosine of the zenith angle
    """
    gamma_1, gamma_2 = 0.25 * (8.0 - w * (5.0 + 3.0 * g)), 0.75 * w * (1.0 - g)
    gamma_3 = 0.25 * (2.0 - 3.0 * mu * g)
    gamma_4 = 1.0 - gamma_3
    alpha_1 = gamma_1 * gamma_4 + gamma_2 * gamma_3
    alpha_2 = gamma_1 * gamma_3 + gamma_2 * gamma_4
    k = torch.sqrt(torch.clamp((gamma_1 - gamma_2) * (gamma_1 + gamma_2), min=1.0e-10))
    k_mu = k * mu
    k = torch.where((k_mu - 1.0).abs() < 1.0e-4, (1.0 + 2.0e-4) / mu, k)  # the beam's own resonance
    k_mu = k * mu
    e, e2, beam = torch.exp(-k * tau), torch.exp(-2.0 * k * tau), torch.exp(-tau / mu)
    below = 1.0 / (k * (1.0 + e2) + gamma_1 * (1.0 - e2))
    reflected, passed = gamma_2 * (1.0 - e2) * below, 2.0 * k * e * below
    scale = w * below / (1.0 - k_mu * k_mu)
    upward = scale * (
        (1.0 - k_mu) * (alpha_2 + k * gamma_3)
        - (1.0 + k_mu) * (alpha_2 - k * gamma_3) * e2
        - 2.0 * (k * gamma_3 - alpha_2 * k_mu) * e * beam
    )
    downward = -scale * (
        (1.0 + k_mu) * (alpha_1 + k * gamma_4) * beam
        - (1.0 - k_mu) * (alpha_1 - k * gamma_4) * e2 * beam
        - 2.0 * (k * gamma_4 + alpha_1 * k_mu) * e
    )
    return reflected, passed, torch.clamp(upward, min=0.0), torch.clamp(downward, min=0.0)


def _streams(
    reflected: Tensor, passed: Tensor, upward: Tensor, downward: Tensor, beam: Tensor, albedo: Tensor
) -> tuple[Tensor, Tensor]:
    """Diffuse fluxes up and down (..., nz+1, ny, nx) on interfaces, by adding layers from the ground up.

    Parameters
    ----------
    reflected, passed, upward, downward : (..., nz, ny, nx) as `two_stream` has them
    beam : (..., nz+1, ny, nx) flux of the direct light through the interfaces
    albedo : (ny, nx)
    """
    nz = reflected.shape[-3]
    mirror, source = [albedo.expand_as(reflected[..., 0, :, :])], [albedo * beam[..., 0, :, :]]
    for k in range(nz):
        between = 1.0 / (1.0 - reflected[..., k, :, :] * mirror[-1])
        entering = beam[..., k + 1, :, :]
        sent = source[-1] + mirror[-1] * downward[..., k, :, :] * entering
        source.append(upward[..., k, :, :] * entering + passed[..., k, :, :] * between * sent)
        mirror.append(reflected[..., k, :, :] + passed[..., k, :, :] * passed[..., k, :, :] * mirror[-1] * between)
    down = [torch.zeros_like(source[-1])]
    up = [source[-1]]
    for k in range(nz - 1, -1, -1):
        between = 1.0 / (1.0 - reflected[..., k, :, :] * mirror[k])
        into = (
            passed[..., k, :, :] * down[-1]
            + reflected[..., k, :, :] * source[k]
            + downward[..., k, :, :] * beam[..., k + 1, :, :]
        )
        down.append(into * between)
        up.append(mirror[k] * down[-1] + source[k])
    return torch.stack(up[::-1], -3), torch.stack(down[::-1], -3)
