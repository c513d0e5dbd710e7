# SPDX-License-Identifier: BSD-3-Clause
"""The coupler's products and merges as torch functions: forward its own, backward their transposes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from coupler.exchange.played import Map, PlayedImport, PlayedTask


class _Mapped(torch.autograd.Function):
    """A `Map` of fields ``(columns, points)`` to ``(columns, rows)``."""

    @staticmethod
    def forward(ctx: Any, fields: Tensor, along: Map) -> Tensor:
        ctx.along = along
        return torch.from_numpy(along(fields.detach().numpy().T))

    @staticmethod
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor, None]:
        return torch.from_numpy(ctx.along.transposed(given.numpy()).T.copy()), None


class _Merged(torch.autograd.Function):
    """A `Merge` of what sources deliver ``(columns, cells)`` under fractions ``(cells,)``."""

    @staticmethod
    def forward(ctx: Any, wanted: PlayedImport, *given: Tensor) -> Tensor:
        n = len(given) // 2
        values, covers = ([g.detach().numpy() for g in part] for part in (given[:n], given[n:]))
        ctx.wanted, ctx.covers = wanted, covers
        merged = wanted.merge(values, covers)
        ctx.save_for_backward(*given)
        return torch.from_numpy(merged.copy())

    @staticmethod
    def backward(ctx: Any, given: Tensor) -> tuple[Any, ...]:
        n = len(ctx.saved_tensors) // 2
        shares = ctx.wanted.merge.transpose(given.numpy(), ctx.covers)
        of_values = [torch.from_numpy(s) for s in shares]
        of_covers: list[Tensor | None] = [None] * n
        if any(ctx.needs_input_grad[1 + n :]):
            of_covers = _of_fractions(ctx.wanted, given, ctx.saved_tensors[:n], ctx.saved_tensors[n:])
        return (None, *of_values, *of_covers)


def _of_fractions(
    wanted: PlayedImport, given: Tensor, values: Sequence[Tensor], covers: Sequence[Tensor]
) -> list[Tensor | None]:
    """Derivative of sum(fraction x value) / sum(fraction) with fractions that vary: the weighted sums travel."""
    total = torch.stack(list(covers)).sum(dim=0)
    there = total > 0.0
    scaled = [
        v * s.share.scale + (s.share.offset * c if s.share.varying else s.share.offset)
        for s, v, c in zip(wanted.sources, values, covers, strict=True)
    ]
    over = scaled[0].new_zeros(())
    for part, source, cover in zip(scaled, wanted.sources, covers, strict=True):
        over = over + (part if source.share.varying or source.share.diluted else part * cover)
    mean = torch.where(there, over / torch.where(there, total, 1.0), 0.0)
    factor = wanted.merge.factor
    slopes: list[Tensor | None] = []
    for source in wanted.sources:
        if not source.share.varying:
            slopes.append(None)
            continue
        slope = torch.where(there, (source.share.offset - mean) / torch.where(there, total, 1.0), 0.0)
        slopes.append((given * factor * slope).sum(dim=0))
    return slopes


def mapped(fields: Tensor, along: Map) -> Tensor:
    """A linear map of the coupler.

    Parameters
    ----------
    fields : Tensor (columns, points)
    along : Map

    Returns
    -------
    Tensor (columns, rows)
    """
    made: Tensor = _Mapped.apply(fields, along)  # type: ignore[no-untyped-call]
    return made


def merged(wanted: PlayedImport, values: Sequence[Tensor], covers: Sequence[Tensor]) -> Tensor:
    """An import of what its sources deliver.

    Parameters
    ----------
    wanted : PlayedImport
    values : sequence of Tensor (columns, cells)
        In the order of the sources.
    covers : sequence of Tensor (cells,)
        Fraction of each cell that each source covers.

    Returns
    -------
    Tensor (columns, cells)
        In the unit of the importing component.
    """
    made: Tensor = _Merged.apply(wanted, *values, *covers)  # type: ignore[no-untyped-call]
    return made


def delivered(played: PlayedTask, windows: Sequence[Tensor], adjust: Any = None) -> list[Tensor]:
    """What the targets of a task get of the windows of its bundles.

    Parameters
    ----------
    played : PlayedTask
    windows : sequence of Tensor (columns, cells)
        One a bundle.
    adjust : callable, optional
        Takes the fluxes of a law by name, tensors of points, and returns them changed: a parameter to be estimated.

    Returns
    -------
    list of Tensor (columns, cells)
        One a target.
    """
    task = played.task
    if played.law is None:
        fields = windows[0] if played.rows[0] is None else mapped(windows[0], played.rows[0])
        constant = played.constants[0]
        if constant is not None:
            fixed = torch.from_numpy(constant)
            whole = torch.where(torch.isnan(fixed), fields, fixed)
            fields = (
                torch.cat([whole[:-1], torch.where(torch.isnan(fixed), fields[-1], 1.0)[None]])
                if (task.outputs[0].fraction)
                else whole
            )
        return [fields]
    sides = []
    for bundle, window, along in zip(task.inputs, windows, played.states, strict=True):
        sides.append(dict(zip((f.name for f in bundle.fields), mapped(window, along), strict=True)))
    law: Any = played.law
    made: dict[str, Tensor] = dict(law.fluxes(sides[0], sides[1], played.options))
    if adjust is not None:
        made = adjust(made)
    out = []
    for delivery, back in zip(task.outputs, played.rows, strict=True):
        assert back is not None
        out.append(mapped(torch.stack([made[f.name] for f in delivery.fields]), back))
    return out
