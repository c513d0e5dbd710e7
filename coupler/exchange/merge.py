# SPDX-License-Identifier: BSD-3-Clause
"""One import from what its sources deliver: sum(fraction x value) / sum(fraction)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupler.fields import FieldSpec, conversion, is_water

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Share:
    """How one source's delivery of a field is meant.

    Parameters
    ----------
    scale, offset : float
        The field is scale x delivered + offset, in the dictionary's units.
    varying : bool
        The fraction varies in time and travels: fraction x value is what comes.
    diluted : bool
        The value is one of the whole cell already (``normalization: destarea``).
    """

    scale: float = 1.0
    offset: float = 0.0
    varying: bool = False
    diluted: bool = False


class Merge:
    """Merges what some sources deliver of one field.

    Parameters
    ----------
    spec : FieldSpec
        The field, as the target declares it.
    shares : sequence of Share
        The sources.
    holes : bool
        Whether there can be cells that no source covers; they get NaN (``partial``) or a value in the plausible range.
    """

    def __init__(self, spec: FieldSpec, shares: Sequence[Share], holes: bool):
        self.spec, self.shares, self.holes = spec, tuple(shares), holes
        self.factor, self._offset = conversion(spec.standard_units, spec.units, is_water(spec.name))

    def __call__(self, values: Sequence[Floats], covers: Sequence[Floats]) -> Floats:
        """The field ``(columns, cells)`` in the target's units.

        Parameters
        ----------
        values : sequence of (columns, cells)
            What each source delivers, in the dictionary's units.
        covers : sequence of (cells,)
            Fraction of each cell that each source covers.
        """
        if len(values) == 1:
            value, cover = self._scaled(0, values[0], covers[0]), covers[0]
            if self.shares[0].varying:
                value = np.divide(value, cover, out=np.zeros_like(value), where=cover > 0)
        else:
            total = np.zeros(values[0].shape)
            cover = np.zeros_like(covers[0])
            for k, share in enumerate(self.shares):
                part = self._scaled(k, values[k], covers[k])
                total += part if share.varying or share.diluted else part * covers[k]
                cover += covers[k]
            value = np.divide(total, cover, out=np.zeros_like(total), where=cover > 0)
        if self.holes and np.any(cover <= 0.0):
            low, high = self.spec.valid_range or (0.0, 0.0)
            fill = 0.5 * (low + high) if self.spec.kind == "state" else 0.0
            value = np.where(cover > 0.0, value, np.nan if self.spec.partial else fill)
        if (self.factor, self._offset) != (1.0, 0.0):
            value = value * self.factor + self._offset
        return value

    def _scaled(self, k: int, value: Floats, cover: Floats) -> Floats:
        scale, offset = self.shares[k].scale, self.shares[k].offset
        if (scale, offset) == (1.0, 0.0):
            return value
        return value * scale + (offset * cover if self.shares[k].varying else offset)

    def transpose(self, field: Floats, covers: Sequence[Floats]) -> list[Floats]:
        """The transpose: from a field ``(columns, cells)`` on what is merged to one on what each source delivers.

        The merge is linear in what is delivered, under given fractions; offsets and cells without a source are no part
        of the linear map.

        Parameters
        ----------
        field : (columns, cells)
        covers : (cells,) covered fraction of each source
        """
        given = field * self.factor
        total = np.sum(covers, axis=0)
        if self.holes:
            given = np.where(total > 0.0, given, 0.0)
        if len(self.shares) > 1 or self.shares[0].varying:
            given = np.divide(given, total, out=np.zeros_like(given), where=total > 0)
        return [
            (given if len(self.shares) == 1 or s.varying or s.diluted else given * cover) * s.scale
            for s, cover in zip(self.shares, covers, strict=True)
        ]
