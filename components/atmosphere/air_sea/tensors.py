# SPDX-License-Identifier: BSD-3-Clause
"""NCAR's law on torch tensors, for gradients: the code of the kernels itself, with its few branches as choices.

The equations stand once, in `kernels.ncar`. Here their functions are given torch's operations for those of `math`, and
``where`` for every branch; all iterations are made, as points converge one by one. The derivative of the fixed point
comes from the iterations, which have converged to 1e-9.
"""

from __future__ import annotations

import math
from types import FunctionType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from components.atmosphere.air_sea.kernels import ncar


def _like(a: Any, b: Any) -> Tensor:
    """A number or tensor as a tensor beside `b`."""
    return a if isinstance(a, Tensor) else torch.as_tensor(a, dtype=b.dtype, device=b.device)


def _either(operation: Any) -> Any:
    """An operation on two operands of which one may be a number."""
    return lambda a, b: operation(_like(a, b), _like(b, a))


def _neutral_drag(u_n10: Tensor) -> Tensor:
    weak = _on_tensors(ncar.fitted_drag)(torch.clamp(u_n10, max=ncar.STRONG))
    return torch.where(u_n10 >= ncar.STRONG, ncar.STRONGEST_DRAG, weak)


def _psi(unstable: Any) -> Any:
    """A stability function of its unstable side: either side is computed where it holds only."""
    stable, unstable = _on_tensors(ncar.psi_stable), _on_tensors(unstable)
    return lambda zeta: torch.where(zeta >= 0.0, stable(zeta), unstable(torch.clamp(zeta, max=0.0)))


def _on_tensors(kernel: Any) -> Any:
    """The function of a compiled kernel, with what it calls, on tensors."""
    source = kernel.py_func
    names = {name: value for name, value in source.__globals__.items() if name in source.__code__.co_names}
    for name, value in names.items():
        if hasattr(value, "py_func"):
            names[name] = _CHOICES[name] if name in _CHOICES else _on_tensors(value)
    return FunctionType(source.__code__, {**source.__globals__, **names, **_OPERATIONS}, source.__name__)


_OPERATIONS = {
    "math": SimpleNamespace(sqrt=torch.sqrt, log=torch.log, log10=torch.log10, atan=torch.atan, pi=math.pi),
    "max": _either(torch.maximum),
    "min": _either(torch.minimum),
    "abs": torch.abs,
}
_CHOICES: dict[str, Any] = {
    "neutral_drag": _neutral_drag,
    "stanton": lambda stable: torch.where(stable, ncar.stanton(True), ncar.stanton(False)),
    "differ": lambda z_t, z_u: bool((z_t != z_u).any()),
    "settled": lambda over_l, last: False,
}
_CHOICES |= {"psi_m": _psi(ncar.psi_m_unstable), "psi_h": _psi(ncar.psi_h_unstable)}
_point = _on_tensors(ncar.ncar_point)


def ncar_points(
    t_air: Tensor, q_air: Tensor, wind: Tensor, p: Tensor, sst: Tensor, z_u: Tensor, z_t: Tensor
) -> tuple[Tensor, ...]:
    """`kernels.ncar.ncar_point` of all points, differentiable.

    Parameters
    ----------
    t_air, sst : Tensor (n,), K
    q_air : Tensor (n,), kg kg-1
    wind : Tensor (n,), m s-1
    p : Tensor (n,), Pa
    z_u, z_t : Tensor (n,), m

    Returns
    -------
    tuple of Tensor (n,)
        Sensible and latent heat (W m-2), stress (Pa), evaporation (kg m-2 s-1).
    """
    return tuple(_point(t_air, q_air, wind, p, sst, z_u, z_t))
