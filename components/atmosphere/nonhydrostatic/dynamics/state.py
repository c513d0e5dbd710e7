# SPDX-License-Identifier: BSD-3-Clause
"""Prognostic fields of the dynamics, in flux form and as perturbations from the base state."""

from typing import NamedTuple

import torch


class State(NamedTuple):
    """Prognostic fields with halos (Klemp, Skamarock & Dudhia 2007, eq. 3; mass per layer instead of per metre).

    With rho the density of dry air (kg m-3), dz the thickness of a layer and theta_m = theta (1 + R_v/R_d q_v):

    Attributes
    ----------
    ru : (nz, Y, X+1) rho dz u on west faces, kg m-1 s-1
    rv : (nz, Y+1, X) rho dz v on south faces, kg m-1 s-1
    rw : (nz-1, Y, X) rho dz w on the interfaces between layers, kg m-1 s-1
    rho : (nz, Y, X) rho dz minus that of the base state, kg m-2
    rtheta : (nz, Y, X) rho theta_m dz minus that of the base state, K kg m-2
    """

    ru: torch.Tensor
    rv: torch.Tensor
    rw: torch.Tensor
    rho: torch.Tensor
    rtheta: torch.Tensor


class Diagnostics(NamedTuple):
    """What one Runge-Kutta stage needs of a state; ghost levels are linear extrapolations.

    Attributes
    ----------
    u : (nz+4, ny+6, nx+7) m s-1, two ghost levels below and above
    v : (nz+4, ny+7, nx+6) m s-1
    w : (nz+3, ny+6, nx+6) m s-1 on interfaces, the ground and the lid included, one ghost level below and above
    theta : (nz+4, ny+6, nx+6) theta_m, K
    omega : (nz+1, ny+2, nx+2) mass flux through coordinate surfaces, kg m-2 s-1
    p : (nz, ny+2, nx+2) pressure minus that of the base state, Pa
    stiffness : (nz, ny+2, nx+2) dp / d(rho theta_m dz) = gamma p / (rho theta_m dz), Pa m2 kg-1 K-1
    """

    u: torch.Tensor
    v: torch.Tensor
    w: torch.Tensor
    theta: torch.Tensor
    omega: torch.Tensor
    p: torch.Tensor
    stiffness: torch.Tensor


class Tendencies(NamedTuple):
    """Rates of change of the fields of :class:`State` on the interior, per second; u and v include both end faces."""

    ru: torch.Tensor
    rv: torch.Tensor
    rw: torch.Tensor
    rho: torch.Tensor
    rtheta: torch.Tensor
