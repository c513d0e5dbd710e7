# SPDX-License-Identifier: BSD-3-Clause
"""Fit leaf parameters to measured fluxes by gradient descent through the column.

Every half-hour is a column that starts from the state a run of the same weather left there, so that a whole
month is one step of the model and its gradient one backward pass; the run is repeated as the parameters move
(multiple shooting).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from components.land.column.column import Forcing, Options, State, step
from components.land.column.parameters import Parameters
from components.land.column.structure import join

FITTED = ("vcmax25", "g1")


class Fit(NamedTuple):
    """Result of a calibration."""

    values: dict[str, float]  # umol m-2 s-1 and kPa^.5
    losses: list[float]  # mean squared misfit in units of the fluxes' variance, by iteration


def with_traits(parameters: Parameters, columns: int, **traits: Tensor) -> Parameters:
    """Parameters of one column for many, with some leaf traits replaced; tensors may require gradients.

    Parameters
    ----------
    parameters : Parameters of one column
    columns : how many columns
    traits : leaf traits by name, tensors that broadcast against (columns,), in the units of `Traits`
    """

    def spread(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value if value.dim() > 1 and value.shape[-1] != 1 else _spread(value, columns)
        if isinstance(value, tuple):
            return type(value)(*(spread(v) for v in value))
        if hasattr(value, "__dataclass_fields__"):
            return type(value)(*(spread(getattr(value, k)) for k in value.__dataclass_fields__))
        return value

    thickness = parameters.thickness
    many: Parameters = spread(parameters._replace(thickness=cast(Tensor, None)))
    replaced = {k: v * torch.ones(columns, dtype=thickness.dtype) for k, v in traits.items()}
    return many._replace(thickness=thickness, traits=many.traits._replace(**replaced))


def _spread(value: Tensor, columns: int) -> Tensor:
    return value.expand(*value.shape[:-1], columns).contiguous()


def fit(
    parameters: Parameters,
    states: Callable[[dict[str, float]], list[State]] | State,
    forcing: Forcing,
    observed: Mapping[str, Tensor],
    seconds: float,
    options: Options,
    guess: Mapping[str, float],
    iterations: int = 80,
    rate: float = 0.06,
) -> Fit:
    """Fit ``vcmax25`` and ``g1`` to fluxes.

    Parameters
    ----------
    parameters
        Of the site, one column.
    states
        The state at the start of every step as columns, or a function that runs the weather with given
        values and returns the states (called again after a third and two thirds of the iterations).
    forcing
        Weather with the steps as columns (``site.forcing``).
    observed
        Output names (``gross_uptake``, ``upward_latent``) to measured series; not finite where there is none.
    guess
        Start, by name.
    iterations, rate
        Of Adam on the parameters' logarithms.
    """
    n = forcing.temperature.shape[-1]
    logs = {k: torch.tensor(float(v), dtype=forcing.temperature.dtype).log().requires_grad_() for k, v in guess.items()}
    optimiser = torch.optim.Adam(logs.values(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, iterations, rate / 50.0)
    valid = {k: torch.isfinite(v) for k, v in observed.items()}
    spread = {k: v[valid[k]].var() for k, v in observed.items()}
    start: State | None = None if callable(states) else states
    losses = []
    for i in range(iterations):
        if callable(states) and i % max(iterations // 3, 1) == 0:
            start = join(states({k: v.detach().exp().item() for k, v in logs.items()}))
        optimiser.zero_grad()
        values = with_traits(parameters, n, **{k: v.exp() for k, v in logs.items()})
        _, out = step(cast(State, start), forcing, values, seconds, options)
        loss = torch.zeros((), dtype=forcing.temperature.dtype)
        for k, series in observed.items():
            d = getattr(out, k)[valid[k]] - series[valid[k]]
            loss = loss + (d * d).mean() / spread[k]
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
    return Fit({k: v.detach().exp().item() for k, v in logs.items()}, losses)
