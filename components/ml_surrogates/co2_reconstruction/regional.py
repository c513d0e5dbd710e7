# SPDX-License-Identifier: BSD-3-Clause
"""A limited area whose truth is an atmosphere's own: its winds, and passive gases that its own transport has carried.

One run with several gases is many samples: transport is linear, so each sample is a fresh combination of them. The
network is trained on the first days, its spread is calibrated on the next ones, and it is scored beside kriging on the
last, which it has never seen; that kriging is tuned on those very days.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import netCDF4
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.ml_surrogates.estimation.analysis import Domain, Observations
from components.ml_surrogates.estimation.kriging import Interpolation
from components.science.constants import EARTH_RADIUS
from coupler.errors import CaseError
from coupler.files.land_mask import is_land

from . import systems
from .inputs import Fixed, Window, to_next_station
from .osse import NOISE
from .reconstruction import Reconstruction
from .samples import Sample
from .scores import Scores, scores
from .settings import Settings
from .systems import Climate
from .training import Course, estimates, train

WINDS = ("eastward_wind", "northward_wind")
SPREAD = 10.0  # ppm, of all gases together: what the stations' noise stands beside, as in the world of `osse`
PARTS = {"training": (0.0, 0.6), "validation": (0.6, 0.75), "test": (0.75, 1.0)}
"""Shares of the run's time, in this order."""
COMBINATIONS = 8  # of the gases, in validation and tests
CELLS_A_STATION = 28  # as in the world of `osse`


class Air(NamedTuple):
    """What an atmosphere has written.

    Attributes
    ----------
    gases : (times, K, ny, nx) departures from their mean, ppm
    u, v : (times, ny, nx) wind, m s-1
    domain : of the cells
    """

    gases: Tensor
    u: Tensor
    v: Tensor
    domain: Domain


def read(path: Path, gases: Sequence[str], winds: Sequence[str] = WINDS, level: int = 0) -> Air:
    """Winds and gases of an atmosphere's output, each (time, y, x) or (time, level, y, x), of one file.

    Parameters
    ----------
    path : netCDF
    gases, winds : variables
    level : of those that have levels, from the ground up

    Raises
    ------
    CaseError
        The file lacks some of them; all are named.
    """
    names = (*winds, *gases)
    with netCDF4.Dataset(path) as f:
        missing = [n for n in (*names, "lon_bounds", "lat_bounds") if n not in f.variables]
        if missing:
            raise CaseError(
                f"{path} has no {', '.join(missing)}, only {', '.join(f.variables)}; winds and gases must stand in one"
                " output of the atmosphere, instant, at the period of the window's frames"
            )
        shapes = {n: f[n].shape for n in names}
        wrong = [n for n, shape in shapes.items() if len(shape) not in (3, 4) or (shape[1:-2] and level >= shape[1])]
        if wrong:
            raise CaseError(
                f"{path}: expected (time, y, x) or a level {level} between, found others in {', '.join(wrong)}"
            )
        at = {n: f[n][:, level] if len(shape) == 4 else f[n][:] for n, shape in shapes.items()}
        u, v, *fields = (np.ma.filled(a.astype(np.float64), np.nan) for a in at.values())
        lon, lat, *bounds = (np.asarray(f[n][:], np.float64) for n in ("lon", "lat", "lon_bounds", "lat_bounds"))
    holes = [n for n, a in zip(names, (u, v, *fields), strict=True) if not np.isfinite(a).all()]
    if holes:
        raise CaseError(f"{path}: {', '.join(holes)} has missing values")
    value = np.stack(fields, 1)
    seen = value[: round(PARTS["training"][1] * len(value))]
    value = value - seen.mean((0, 2, 3), keepdims=True)
    value *= SPREAD / max(float(seen.std((0, 2, 3)).mean()), 1e-300)
    east, north, size = (torch.as_tensor(a.reshape(-1)).float() for a in (lon, lat, _area(*bounds)))
    gas, to_east, to_north = (torch.as_tensor(a).float() for a in (value, u, v))
    return Air(gas, to_east, to_north, Domain((lon.shape[0], lon.shape[1]), east, north, size))


def _area(lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of cells (ny, nx) with corners (ny, nx, 4), degrees: half the cross product of their diagonals, m2."""
    lon, lat = np.deg2rad(lon), np.deg2rad(lat)
    corner = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)
    across = np.cross(corner[..., 2, :] - corner[..., 0, :], corner[..., 3, :] - corner[..., 1, :])
    size: npt.NDArray[np.float64] = 0.5 * EARTH_RADIUS**2 * np.sqrt((across * across).sum(-1))
    return size


class Area:
    """Stations, past and windows of a limited area; draws samples for `training.train`.

    Parameters
    ----------
    air : what an atmosphere has written
    frames : of a window
    count : stations; by default one in `CELLS_A_STATION` cells
    seed : of the stations' cells and of their noise
    """

    def __init__(self, air: Air, frames: int, count: int = 0, seed: int = 1):
        self.air, self.frames = air, frames
        generator = torch.Generator().manual_seed(seed)
        cells = air.domain.longitude.numel()
        chosen = torch.randperm(cells, generator=generator)[: count or max(1, cells // CELLS_A_STATION)]
        self.places = torch.sort(chosen).values
        self.ends = {part: self._ends(part) for part in PARTS}
        short = [part for part, ends in self.ends.items() if not ends]
        if short:
            raise CaseError(
                f"{air.u.shape[0]} times are too few for windows of {frames} frames in {', '.join(short)}: run longer,"
                " write output more often, or take fewer frames"
            )
        seen = air.gases[: self.ends["training"][-1] + 1]
        square = (seen * seen).mean((0, 1))
        flat = seen.flatten(0, 1).flatten(-2)
        self.past = Climate(torch.zeros_like(square), torch.sqrt(square).clamp(min=0.5), flat.T @ flat / flat.shape[0])
        lon, lat = (a.reshape(air.domain.shape) for a in (air.domain.longitude, air.domain.latitude))
        land = torch.as_tensor(is_land(lon.numpy(), lat.numpy()).astype(np.float32))
        self.fixed = Fixed(self.past.mean, self.past.spread, land, lat, lon)
        self.held = {part: self._held(part, generator) for part in ("validation", "test")}
        self.prior, *lengths = self.kriging("validation")
        self.lengths: tuple[float, float] = (lengths[0], lengths[1])

    def _ends(self, part: str) -> list[int]:
        """Last times of the windows that lie within a part of the run as a whole."""
        first, last = (round(share * self.air.u.shape[0]) for share in PARTS[part])
        return list(range(first + self.frames - 1, last))

    def _mixed(self, ends: Tensor, weights: Tensor, generator: torch.Generator) -> tuple[Tensor, Observations, Tensor]:
        """Truth (b, frames, ny, nx) of combinations, its reports, and the times of the frames."""
        steps = ends[:, None] - torch.arange(self.frames - 1, -1, -1)
        truth = torch.einsum("btkyx,bk->btyx", self.air.gases[steps], weights)
        exact = truth.flatten(-2)[..., self.places]
        value = exact + NOISE * torch.randn(exact.shape, generator=generator)
        mask = torch.ones_like(value, dtype=torch.bool)
        return truth, Observations(value, torch.full_like(value, NOISE), mask, self.places), steps

    def _weights(self, size: int, generator: torch.Generator) -> Tensor:
        return systems.combinations(size, self.air.gases.shape[1], generator)[:, 1:]

    def _held(self, part: str, generator: torch.Generator) -> tuple[Tensor, Observations, Tensor]:
        ends = torch.tensor(self.ends[part])
        weights = self._weights(COMBINATIONS, generator).repeat_interleave(len(ends), 0)
        return self._mixed(ends.repeat(COMBINATIONS), weights, generator)

    def kriging(self, part: str) -> tuple[Interpolation, float, float]:
        """Kriging tuned on a part of the run, its length (m) and nugget.

        Parameters
        ----------
        part : validation or test
        """
        truth, reports, _ = self.held[part]
        return systems.tuned_kriging(self.air.domain, self.past, truth[:, -1], reports.at(slice(None), -1))

    def _sample(self, truth: Tensor, reports: Observations, steps: Tensor) -> Sample:
        prior = self.prior.analyse(self.prior.start(truth), reports).mean
        filled, mask = torch.zeros_like(truth).flatten(-2), torch.zeros_like(truth).flatten(-2)
        filled[..., self.places], mask[..., self.places] = reports.value, 1.0
        u, v = self.air.u[steps], self.air.v[steps]
        window = Window(u, v, torch.zeros_like(u), filled.reshape(truth.shape), mask.reshape(truth.shape), prior)
        distance = to_next_station(self.air.domain, self.places, reports.mask[:, -1])
        return Sample(window, distance, truth[:, -1])

    def windows(self, part: str) -> Sample:
        """All windows of a part.

        Parameters
        ----------
        part : validation or test
        """
        return self._sample(*self.held[part])

    def draw(self, size: int, generator: torch.Generator) -> Sample:
        """Fresh combinations in windows of the days for training.

        Parameters
        ----------
        size : samples
        generator : of times, weights and noise
        """
        ends = torch.tensor(self.ends["training"])
        ends = ends[torch.randint(len(ends), (size,), generator=generator)]
        return self._sample(*self._mixed(ends, self._weights(size, generator), generator))


def trained(
    settings: Settings, air: Air, count: int = 0, tell: Callable[[str], None] = print, part: Path | None = None
) -> tuple[Reconstruction, Course, dict[str, Scores]]:
    """A network on kriging, and the scores of it and of both krigings on the days never seen.

    Parameters
    ----------
    settings : words of the training
    air : what an atmosphere has written
    count : stations; by default one in `CELLS_A_STATION` cells
    tell : takes a line of text now and then
    part : file that keeps an unfinished training

    Raises
    ------
    CaseError
        Words that a limited area has no use for; all are named.
    """
    words = {"network": "unet", "prior": "kriging", "embedding": "none", "wind_loss": 0.0, "cyclic": False}
    wrong = [f"{k}: {getattr(settings, k)} (expected {w})" for k, w in words.items() if getattr(settings, k) != w]
    if wrong:
        raise CaseError(f"a limited area cannot take {', '.join(wrong)}")
    area = Area(air, settings.frames, count, settings.seed)
    weights = air.domain.weights()
    model, course = train(settings, area.fixed, area, area.windows("validation"), weights, tell, part)
    model.lengths = area.lengths
    test = area.windows("test")
    _, reports, _ = area.held["test"]
    rival = area.kriging("test")[0]
    best = rival.analyse(rival.start(test.truth), reports.at(slice(None), -1))
    own = area.prior.analyse(area.prior.start(test.truth), reports.at(slice(None), -1))
    ours, sure = estimates(model, test)
    every = {
        "kriging, tuned on these days": (best.mean, best.standard_deviation),
        "kriging, tuned on the days for validation": (own.mean, own.standard_deviation),
        "network": (ours, sure),
    }
    return model, course, {k: scores(a, s, test.truth, area.past.mean, weights) for k, (a, s) in every.items()}
