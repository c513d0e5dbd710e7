# SPDX-License-Identifier: BSD-3-Clause
"""What an atmosphere has written of its winds and of gases that its own transport has carried: a truth for an area."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import netCDF4
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.ml_surrogates.estimation.analysis import Domain
from components.science.constants import EARTH_RADIUS
from coupler.errors import CaseError

WINDS = ("eastward_wind", "northward_wind")
SPREAD = 10.0  # ppm, of all gases together: what the stations' noise stands beside, as in the world of `osse`
PARTS = ("training",) * 12 + ("validation",) * 3 + ("test",) * 5
"""What twentieths of the run are for: what is scored are the last days, after all others."""


def stretches(part: str, times: int) -> list[tuple[int, int]]:
    """First times of the stretches of a part and those behind their last; neighbours are one.

    Parameters
    ----------
    part : training, validation or test
    times : of the run
    """
    out: list[tuple[int, int]] = []
    for k, name in enumerate(PARTS):
        first, last = (round(n * times / len(PARTS)) for n in (k, k + 1))
        if name == part and out and out[-1][1] == first:
            out[-1] = out[-1][0], last
        elif name == part:
            out.append((first, last))
    return out


def of_training(times: int) -> Tensor:
    """Whether a time of the run (times,) is for training.

    Parameters
    ----------
    times : of the run
    """
    mask = torch.zeros(times, dtype=torch.bool)
    for first, last in stretches("training", times):
        mask[first:last] = True
    return mask


class Names(NamedTuple):
    """Variables of an atmosphere's output.

    Attributes
    ----------
    gases : of unknown sources
    unseen : such gases too, for the tests alone
    known : gas of the sources that are known, if there is one
    winds : to the east and to the north
    """

    gases: Sequence[str]
    unseen: Sequence[str] = ()
    known: str = ""
    winds: Sequence[str] = WINDS

    def every(self) -> tuple[str, ...]:
        """All of them, winds first, gases last."""
        return (*self.winds, *((self.known,) if self.known else ()), *self.gases, *self.unseen)


class Carried(NamedTuple):
    """What the atmosphere that systems have has written: not the truth's, but with the same known sources.

    Attributes
    ----------
    path : netCDF, with times and cells as the truth's
    members : gases in it of random sources; the known one has the truth's name
    """

    path: Path
    members: Sequence[str]


class Air(NamedTuple):
    """What an atmosphere has written.

    Attributes
    ----------
    gases : (times, K, ny, nx) departures from their mean, ppm
    u, v : (times, ny, nx) wind, m s-1; where systems have an atmosphere of their own, that one's
    domain : of the cells
    unseen : (times, J, ny, nx) gases for the tests alone
    known : (times, ny, nx) gas of the known sources, ppm
    carried : (times, ny, nx) what the systems' atmosphere makes of it; zero without one
    members : (times, N, ny, nx) gases of random sources that the systems' atmosphere carries, ppm
    """

    gases: Tensor
    u: Tensor
    v: Tensor
    domain: Domain
    unseen: Tensor
    known: Tensor
    carried: Tensor
    members: Tensor


class _Written(NamedTuple):
    """Fields (times, ny, nx) of an output by name, and its longitudes, latitudes (ny, nx) and areas."""

    fields: dict[str, npt.NDArray[np.float64]]
    lon: npt.NDArray[np.float64]
    lat: npt.NDArray[np.float64]
    area: npt.NDArray[np.float64]


def read(
    path: Path, names: Names, level: int = 0, layers: int = 1, skip: int = 0, carried: Carried | None = None
) -> Air:
    """Winds and gases of an atmosphere's output, each (time, y, x) or (time, level, y, x), of one file.

    Parameters
    ----------
    path : netCDF
    names : of the variables
    level : of fields that have levels, from the ground up
    layers : from that level up over which the winds are averaged
    skip : times at the beginning that are left out, before the gases know their sources
    carried : output of the atmosphere that systems have; by default they have the truth's winds with errors

    Raises
    ------
    CaseError
        A file lacks some of them; all are named.
    """
    if not names.gases:
        raise CaseError("expected at least one gas of unknown sources, found none")
    here = _written(path, names.every(), names.winds, level, layers, skip)
    at, times = here.fields, len(here.fields[names.gases[0]])
    seen = of_training(times).numpy()
    departures = {n: at[n] - at[n][seen].mean() for n in names.every() if n not in names.winds}
    scale = SPREAD / max(float(np.mean([departures[n][seen].std() for n in names.gases])), 1e-300)
    none = np.zeros((times, *here.lon.shape))
    known = scale * departures[names.known] if names.known else none
    winds, theirs, members = [at[n] for n in names.winds], none, none[:, None][:, :0]
    if carried is not None:
        other = Names(carried.members, (), names.known, names.winds)
        there = _written(carried.path, other.every(), names.winds, level, layers, skip)
        found = len(there.fields[names.winds[0]]), *there.lon.shape
        if found != none.shape or not np.allclose(there.lon, here.lon) or not np.allclose(there.lat, here.lat):
            raise CaseError(
                f"{carried.path}: expected the times and cells of {path} {none.shape}, found {found} or other places"
            )
        winds = [there.fields[n] for n in names.winds]
        if names.known:
            theirs = scale * (there.fields[names.known] - at[names.known][seen].mean())
        each = [there.fields[n] - there.fields[n][seen].mean() for n in carried.members]
        members = scale * np.stack(each, 1) if each else members

    def stacked(which: Sequence[str]) -> npt.NDArray[np.float64]:
        return np.stack([scale * departures[n] for n in which], 1) if which else none[:, None][:, :0]

    east, north, size = (torch.as_tensor(a.reshape(-1)).float() for a in here[1:])
    domain = Domain((here.lon.shape[0], here.lon.shape[1]), east, north, size)
    parts = stacked(names.gases), *winds, stacked(names.unseen), known, theirs, members
    gases, u, v, unseen, *rest = (torch.as_tensor(a).float() for a in parts)
    return Air(gases, u, v, domain, unseen, *rest)


def _written(
    path: Path, every: Sequence[str], winds: Sequence[str], level: int, layers: int, skip: int
) -> _Written:  # fmt: skip
    """Fields of an output by name."""
    with netCDF4.Dataset(path) as f:
        missing = [n for n in (*every, "lon_bounds", "lat_bounds") if n not in f.variables]
        if missing:
            raise CaseError(
                f"{path} has no {', '.join(missing)}, only {', '.join(f.variables)}; winds and gases must stand in one"
                " output of the atmosphere, instant, at the period of the window's frames"
            )
        shapes = {n: f[n].shape for n in every}
        wrong = [
            n for n, shape in shapes.items() if len(shape) not in (3, 4) or (shape[1:-2] and level + layers > shape[1])
        ]
        if wrong:
            which = f"a level {level}" if layers == 1 else f"levels {level} to {level + layers - 1}"
            raise CaseError(f"{path}: expected (time, y, x) or {which} between, found others in {', '.join(wrong)}")
        at = {}
        for n, shape in shapes.items():
            deep = f[n][skip:, level : level + (layers if n in winds else 1)] if len(shape) == 4 else f[n][skip:]
            at[n] = np.ma.filled(deep.astype(np.float64), np.nan)
        lon, lat, *bounds = (np.asarray(f[n][:], np.float64) for n in ("lon", "lat", "lon_bounds", "lat_bounds"))
    holes = [n for n, a in at.items() if not np.isfinite(a).all()]
    if holes:
        raise CaseError(f"{path}: {', '.join(holes)} has missing values")
    return _Written({n: a.mean(1) if a.ndim == 4 else a for n, a in at.items()}, lon, lat, _area(*bounds))


def _area(lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of cells (ny, nx) with corners (ny, nx, 4), degrees: half the cross product of their diagonals, m2."""
    lon, lat = np.deg2rad(lon), np.deg2rad(lat)
    corner = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)
    across = np.cross(corner[..., 2, :] - corner[..., 0, :], corner[..., 3, :] - corner[..., 1, :])
    size: npt.NDArray[np.float64] = 0.5 * EARTH_RADIUS**2 * np.sqrt((across * across).sum(-1))
    return size
