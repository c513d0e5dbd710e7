# SPDX-License-Identifier: BSD-3-Clause
"""Which observations are used, and why the others are not."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from components.ml_surrogates.data_assimilation.observation_file import Table
from components.ml_surrogates.data_assimilation.places import Places

Flags = npt.NDArray[np.bool_]


@dataclass
class Selection:
    """Rows of a table that are still in use, and how many left for which reason; a row counts once.

    Parameters
    ----------
    n : rows of the table
    """

    n: int
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.used: Flags = np.ones(self.n, dtype=bool)

    def drop(self, reason: str, rows: Flags) -> None:
        """Rows that are not used.

        Parameters
        ----------
        reason : in words
        rows : (n,) bool
        """
        new = rows & self.used
        if new.any():
            self.counts[reason] = self.counts.get(reason, 0) + int(new.sum())
        self.used &= ~rows

    def text(self) -> str:
        """``37 used; not used: 3 outside the domain, 1 duplicate``."""
        left = ", ".join(f"{n} {reason}" for reason, n in self.counts.items())
        return f"{int(self.used.sum())} of {self.n} used" + (f"; not used: {left}" if left else "")


def in_window(t: Table, start: float, end: float, closed: bool = False) -> Flags:
    """Rows from ``start`` on and before ``end``, which belongs to a closed window only.

    Parameters
    ----------
    t : observations
    start, end : of the window, s since the start of the case
    closed : whether the end belongs to it; in a cycle it must not, or an observation would count twice
    """
    return (t.time >= start) & ((t.time <= end) if closed else (t.time < end))


def select(
    t: Table, places: Places, top: float, thinning: float = 0.0, spacing: float = 1.0, buried: Flags | None = None
) -> Selection:
    """What may be used before anything is forecast.

    Parameters
    ----------
    t : observations
    places : theirs on the grid
    top : pressure below which the model has no air, Pa
    thinning : side of boxes of which each keeps one a variable, platform, pressure and time, m; 0: all stay
    spacing : of the grid, m
    buried : (n,) whether they lie below the model's ground
    """
    s = Selection(len(t.time))
    numbers = np.stack([t.longitude, t.latitude, *t.pressure.T, t.value, t.error])
    s.drop("not finite", ~np.isfinite(numbers).all(0))
    s.drop("outside the domain", ~places.inside)
    s.drop("above the lid", t.pressure[:, 0] < top)
    if buried is not None:
        s.drop("below the ground", buried)
    s.drop(
        "duplicate", _repeated(list(zip(*(a.tolist() for a in (*_key(t), t.longitude, t.latitude)), strict=True)), s)
    )
    if thinning > 0.0:
        boxes = (np.floor(a * spacing / thinning).astype(int).tolist() for a in (places.y, places.x))
        s.drop("thinned", _repeated(list(zip(*(a.tolist() for a in _key(t)), *boxes, strict=True)), s))
    return s


def _key(t: Table) -> list[npt.NDArray[np.object_]]:
    return [t.time, t.variable, t.platform, t.pressure[:, 0], t.pressure[:, 1]]  # type: ignore[list-item]


def _repeated(keys: list[tuple[object, ...]], s: Selection) -> Flags:
    """Rows in use whose key a row before has had."""
    seen: set[tuple[object, ...]] = set()
    out = np.zeros(s.n, dtype=bool)
    for row in np.flatnonzero(s.used):
        out[row] = keys[row] in seen
        seen.add(keys[row])
    return out


def gross_check(s: Selection, departures: npt.ArrayLike, error: npt.ArrayLike, spread: npt.ArrayLike, k: float) -> None:
    """Leave out what lies further from the background than ``k`` standard deviations of the two together.

    Parameters
    ----------
    s : selection, changed
    departures : (n,) observed less background; not a number where a row is not in use
    error, spread : (n,) standard deviations of observations and background
    k : factor
    """
    d, o, b = (np.asarray(a, dtype=np.float64) for a in (departures, error, spread))
    with np.errstate(invalid="ignore"):
        far = d * d > k * k * (o * o + b * b)
    s.drop("failed the gross check", np.asarray(far, dtype=bool))
