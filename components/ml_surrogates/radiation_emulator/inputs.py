# SPDX-License-Identifier: BSD-3-Clause
"""What the networks see: whole columns in single precision, and the features made of them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from components.radiation import particles
from components.radiation.full_columns import FullColumns, full_columns
from components.radiation.particles import Particles
from components.radiation.scheme import Air

T_MIDDLE, T_WIDTH = 250.0, 30.0  # K
LN_P_MIDDLE, LN_P_WIDTH = 10.0, 2.5
Q_SCALE, OZONE_SCALE = 4.0, 30.0  # of the fourth roots of mixing ratio and mole fraction
CARBON_DIOXIDE, METHANE, NITROUS_OXIDE = 397.5e-6, 1831.5e-9, 327.0e-9  # middle of the logarithms
PRESSURE_UNIT = 1.0e4  # Pa; layers are counted in it


class Inputs(NamedTuple):
    """Columns, the logarithms of the gases' ratio to those of 2014 (n,), and what radiation sees of clouds besides.

    Attributes
    ----------
    columns : (nlev, n) or (n,)
    carbon_dioxide, methane, nitrous_oxide : (n,)
    snow : (nlev, n) path within the clouds, kg m-2
    ice_diameter : (nlev, n) effective diameter of cloud ice, micrometres
    overlap : (nlev, n) of a layer's clouds with those of the next higher one: 1 maximal, 0 random
    """

    columns: FullColumns
    carbon_dioxide: torch.Tensor
    methane: torch.Tensor
    nitrous_oxide: torch.Tensor
    snow: torch.Tensor
    ice_diameter: torch.Tensor
    overlap: torch.Tensor

    def arrays(self) -> list[torch.Tensor]:
        """All arrays in a row; `of_arrays` is the way back."""
        return [*self.columns, *self[1:]]

    @staticmethod
    def of_arrays(arrays: Sequence[torch.Tensor]) -> "Inputs":
        """Inputs of what `arrays` gives.

        Parameters
        ----------
        arrays : of the columns, then the others
        """
        n = len(FullColumns._fields)
        return Inputs(FullColumns(*arrays[:n]), *arrays[n:])

    def take(self, index: torch.Tensor | slice) -> "Inputs":
        """Some of the columns."""
        return Inputs(FullColumns(*(a[..., index] for a in self.columns)), *(a[..., index] for a in self[1:]))


def clouds_of(air: Air) -> tuple[FullColumns, Particles]:
    """Whole columns with the parts of layers that clouds fill, and particles of the sizes that RRTMGP has in a run."""
    given = air.each(lambda a: a.detach().cpu().double() if a.is_floating_point() else a.cpu())
    whole = full_columns(given)
    alike = particles.uniform(whole)
    columns, seen = particles.of_air(given, whole, alike, sized=True)
    return FullColumns(*map(torch.as_tensor, columns)), seen


class RadiationNetwork(nn.Module):
    """What every network of the emulator gives from columns."""

    def long(self, x: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """Longwave fluxes up and down (nlev+1, n), W m-2."""
        raise NotImplementedError

    def short(self, x: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """Shortwave fluxes up and down (nlev+1, n) of columns in the sun, as part of the incoming flux."""
        raise NotImplementedError


def inputs(
    columns: FullColumns, gases: Sequence[npt.ArrayLike], clouds: Particles, dtype: torch.dtype = torch.float32
) -> Inputs:
    """Columns, mole fractions of CO2, CH4, N2O (numbers or (n,)) and particles as the networks take them.

    Parameters
    ----------
    columns : whole columns of n places
    gases : mole fractions of CO2, CH4 and N2O, numbers or (n,)
    clouds : of `clouds_of`; the radius of droplets is one for all
    dtype : floating-point type of the result
    """
    like = columns.mu
    logarithms = []
    for value, middle in zip(gases, (CARBON_DIOXIDE, METHANE, NITROUS_OXIDE), strict=True):
        a = torch.as_tensor(np.log(np.asarray(value, dtype=np.float64) / middle), dtype=dtype, device=like.device)
        logarithms.append(a.expand(like.shape).contiguous())
    given = (clouds.snow, clouds.ice_diameter, clouds.overlap)
    seen = [torch.as_tensor(np.ascontiguousarray(a), dtype=dtype, device=like.device) for a in given]
    known = columns._replace(fraction=torch.clamp(columns.fraction, 0.0, 1.0))  # a little more would grow on its way
    return Inputs(FullColumns(*(a.to(dtype) for a in known)), *logarithms, *seen)


def fourth_root(a: torch.Tensor) -> torch.Tensor:
    """a^(1/4) by two square roots, which give the same bits on every block."""
    return torch.sqrt(torch.sqrt(torch.clamp(a, min=0.0)))


def layer_features(x: Inputs) -> torch.Tensor:
    """Features of every layer by themselves, (nlev, n, 8).

    ln p, ln dp, T, q^1/4, O3^1/4, and the logarithms of CO2, CH4 and N2O.
    """
    c = x.columns
    p, p_i = c.p, c.p_interface
    gases = [a.expand(p.shape) for a in (0.7 * x.carbon_dioxide, x.methane, 2.0 * x.nitrous_oxide)]
    return torch.stack(
        [
            (torch.log(p) - LN_P_MIDDLE) / LN_P_WIDTH,
            (torch.log(p_i[:-1] - p_i[1:]) - 8.0) / LN_P_WIDTH,
            (c.t - T_MIDDLE) / T_WIDTH,
            Q_SCALE * fourth_root(c.q_v) - 0.6,
            OZONE_SCALE * fourth_root(c.ozone) - 0.9,
            *gases,
        ],
        dim=-1,
    )
