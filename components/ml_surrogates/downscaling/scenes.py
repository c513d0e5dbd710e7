# SPDX-License-Identifier: BSD-3-Clause
"""What downscaling learns from and is scored on: fine fields over their ground, and the coarse means of them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupler.errors import CaseError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Field:
    """A field that is made finer.

    Attributes
    ----------
    name, units : of the exchange
    positive : whether it cannot be negative
    bend : the networks see ((1 + x / bend)^power - 1) / power, for fields whose values lie decades apart; 0: as it is
    power : of the bend; 0: ln(1 + x / bend)
    """

    name: str
    units: str = "1"
    positive: bool = False
    bend: float = 0.0
    power: float = 0.0

    def bent(self, x: Array) -> Array:
        """Values as the networks see them, before scaling (Box & Cox 1964)."""
        if not self.bend:
            return x
        x = np.clip(x, 0.0, None) / self.bend
        return np.asarray(np.expm1(self.power * np.log1p(x)) / self.power if self.power else np.log1p(x))

    def straight(self, y: Array) -> Array:
        """The inverse of `bent`; nothing is below zero."""
        if not self.bend:
            return y
        y = np.clip(y, 0.0, None)
        return self.bend * np.asarray(np.expm1(np.log1p(self.power * y) / self.power if self.power else y))


@dataclass(frozen=True)
class Scene:
    """Fine fields of some times.

    Attributes
    ----------
    fields : (n, fields, y, x)
    ground : (n, maps, y, x) what is known of the ground under them, of order one
    factor : fine cells that a coarse one has across
    """

    fields: Array
    ground: Array
    factor: int

    @property
    def coarse(self) -> Array:
        """Means over coarse cells, (n, fields, y / factor, x / factor)."""
        return means(self.fields, self.factor)

    def every(self, n: int) -> "Scene":
        """One of ``n`` times."""
        return Scene(self.fields[::n], self.ground[::n], self.factor)


def means(fields: Array, factor: int) -> Array:
    """Means over the coarse cells (..., y / factor, x / factor).

    Parameters
    ----------
    fields : (..., y, x)
    factor : fine cells that a coarse one has across

    Raises
    ------
    CaseError
        Fine cells that fill no whole number of coarse ones.
    """
    *front, ny, nx = fields.shape
    if ny % factor or nx % factor:
        raise CaseError(f"expected rows and columns that are multiples of {factor}, found {ny} x {nx}")
    return np.asarray(fields.reshape(*front, ny // factor, factor, nx // factor, factor).mean((-3, -1)))


def together(scenes: list[Scene]) -> Scene:
    """Scenes of one rectangle as one.

    Parameters
    ----------
    scenes : with the same number of cells and factor
    """
    return Scene(
        np.concatenate([s.fields for s in scenes]), np.concatenate([s.ground for s in scenes]), scenes[0].factor
    )
