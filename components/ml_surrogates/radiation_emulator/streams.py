# SPDX-License-Identifier: BSD-3-Clause
"""The recurrent network on CPUs: its matrix products by torch, its streams through the columns by kernels."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from components.radiation.full_columns import full_columns
from components.radiation.particles import uniform
from components.radiation.standard_atmosphere import columns as standard_columns
from coupler.made_once import compile_once

from .inputs import Inputs, RadiationNetwork, inputs, layer_features
from .recurrent import ICE_DIAMETER, LOWEST_SUN, RecurrentRadiation


def long(net: RecurrentRadiation, x: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
    """Longwave fluxes up and down (nlev+1, n), W m-2, as of ``net.long`` to rounding.

    Parameters
    ----------
    net : trained, in single precision
    x : columns and gases
    """
    longwave, _ = _kernels()
    band, c = net.longwave, x.columns
    optics = torch.stack([band.liquid, band.ice, band.snow, band.ice_by_size])
    up, down = (np.zeros(tuple(c.p_interface.shape), np.float32) for _ in range(2))
    longwave(
        *map(_array, (band.depth(x, layer_features(x)), _water(x), optics, _size(x), band.share(c.t))),
        *map(_array, (band.share(c.t_interface), band.share(c.t_surface), c.emissivity, c.fraction, x.overlap)),
        up, down,
    )  # fmt: skip
    return torch.from_numpy(up), torch.from_numpy(down)


def short(net: RecurrentRadiation, x: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
    """Shortwave fluxes up and down (nlev+1, n) as parts of the incoming, as of ``net.short`` to rounding.

    Parameters
    ----------
    net : trained, in single precision
    x : columns in the sun, and gases
    """
    _, shortwave = _kernels()
    band, c = net.shortwave, x.columns
    optics = torch.stack([band.liquid, band.ice, band.snow])
    sun, mu = torch.softmax(band.incoming, dim=0), torch.clamp(c.mu, min=LOWEST_SUN)
    up, down = (np.zeros(tuple(c.p_interface.shape), np.float32) for _ in range(2))
    shortwave(
        *map(_array, (*band.depths(x, layer_features(x)), _water(x), optics, band.ice_by_size, _size(x))),
        *map(_array, (sun, mu, c.albedo, c.fraction, x.overlap)),
        up, down,
    )  # fmt: skip
    return torch.from_numpy(up), torch.from_numpy(down)


class Streamed(RadiationNetwork):
    """A trained recurrent network with its streams by kernels, for inference on CPUs.

    Parameters
    ----------
    net : trained, in single precision
    """

    def __init__(self, net: RecurrentRadiation):
        super().__init__()
        self.net = net

    def long(self, x: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """Longwave fluxes up and down (nlev+1, n), W m-2."""
        return long(self.net, x)

    def short(self, x: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """Shortwave fluxes up and down (nlev+1, n) of columns in the sun, as part of the incoming flux."""
        return short(self.net, x)


def streamed(net: RadiationNetwork) -> RadiationNetwork:
    """The network as CPUs run it best: a recurrent one by kernels, others as they are.

    Parameters
    ----------
    net : trained, in single precision
    """
    return Streamed(net) if isinstance(net, RecurrentRadiation) else net


def _array(a: torch.Tensor) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(a.detach().numpy(), np.float32)


def _water(x: Inputs) -> torch.Tensor:
    """Paths within clouds (3, nlev, n)."""
    return torch.stack([x.columns.liquid, x.columns.ice, x.snow])


def _size(x: Inputs) -> torch.Tensor:
    return torch.log(x.ice_diameter / ICE_DIAMETER)


def _kernels() -> tuple[Any, Any]:
    """For longwave and for shortwave, compiled."""
    from .kernels.streams import longwave, shortwave  # numba is slow to load

    compile_once((longwave, shortwave), compile_kernels, "the radiation emulator's kernels", 20, versions=1)
    return longwave, shortwave


def compile_kernels() -> None:
    """Compile the kernels, or load them from the cache."""
    whole = full_columns(standard_columns(4, torch.full((1, 2), 0.5), 1.0))
    x = inputs(whole, (4e-4, 1.8e-6, 3.3e-7), uniform(whole))
    net = RecurrentRadiation()
    with torch.inference_mode():
        long(net, x)
        short(net, x)
