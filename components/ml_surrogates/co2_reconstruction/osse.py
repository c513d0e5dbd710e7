# SPDX-License-Identifier: BSD-3-Clause
"""The made-up world in which systems are trained and compared: winds, fluxes, tracers, and what a system sees of them.

Transport is linear but for its limiter: the tracer of a sum of fluxes is the sum of their tracers. A flow for training
therefore carries the tracer of the mean flux and several of random fluxes, of which each sample is a fresh combination;
a flow for validation or tests carries its own truth, tracer of the mean and of one random flux together.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from components.ml_surrogates.estimation.analysis import Domain
from components.science.constants import EARTH_RADIUS
from components.science.sphere_transport import MemberTransport, SphereFluxes, SphereGrid, fluxes_of_streamfunction
from coupler.files.atomic import whole_file
from coupler.files.land_mask import is_land

from . import stations
from .barotropic import DAY, Barotropic

HOUR = 3600.0
EVERY = 3.0 * HOUR  # between kept times, s
TRUE_LOSS, SEEN_LOSS = 15.0 * DAY, 8.0 * DAY  # ventilation of the layer, and what the systems take it for, s
FLUX_TIME = 10.0 * DAY  # memory of the random flux, s
FLUX_LENGTHS = ((0.6, 4000e3), (0.4, 1000e3))  # share of the variance, correlation length in m
FLUX_SIZE = 3.0 / DAY  # standard deviation of the flux on land, ppm s-1
SEA_SHARE = 0.15  # of it at sea
WIND_ERROR, WIND_ERROR_TIME = 2.0, 1.0 * DAY  # m s-1 in each component, s
NOISE = 0.2  # of a station, ppm
FLUX_STEP = 12.0 * HOUR
MEAN_SEED = 18  # of the fixed pattern of the mean flux, whatever the seed of the rest
RANDOM_TRACERS = 5


def domain_of(grid: SphereGrid) -> Domain:
    """The grid's cells in flat order.

    Parameters
    ----------
    grid : of the tracers
    """
    ny, nx = grid.shape
    return Domain(
        grid.shape,
        grid.longitude.repeat(ny),
        grid.latitude.repeat_interleave(nx),
        grid.area.expand(ny, nx).reshape(-1).contiguous(),
    )


def land_share(grid: SphereGrid) -> Tensor:
    """Share (ny, nx) of land in each cell, of 8 by 8 points.

    Parameters
    ----------
    grid : of the tracers
    """
    ny, nx = grid.shape
    part = (np.arange(8) + 0.5) / 8.0
    lat = -90.0 + (np.arange(ny)[:, None] + part).reshape(-1) * (180.0 / ny)
    lon = (np.arange(nx)[:, None] + part).reshape(-1) * (360.0 / nx)
    land = is_land(lon[None, :], lat[:, None])
    return torch.as_tensor(land.reshape(ny, 8, nx, 8).mean((1, 3)), dtype=torch.float32)


def flux_correlation(distance: Tensor) -> Tensor:
    """Of the random flux, by the chord between two places.

    Parameters
    ----------
    distance : great circles, m
    """
    chord = 2.0 * EARTH_RADIUS * torch.sin(distance / (2.0 * EARTH_RADIUS))
    return sum(
        (share * torch.exp(-0.5 * (chord / length) ** 2) for share, length in FLUX_LENGTHS), torch.zeros_like(distance)
    )


def flux_root(domain: Domain, land: Tensor) -> Tensor:
    """Matrix (n, n) that makes random fluxes, ppm s-1, of white noise.

    Parameters
    ----------
    domain : of the cells
    land : (ny, nx) share of land
    """
    correlation = flux_correlation(domain.distance().double())
    correlation.diagonal().add_(1e-4)
    size: Tensor = FLUX_SIZE * (land + SEA_SHARE * (1.0 - land)).reshape(-1, 1)
    root: Tensor = size * torch.linalg.cholesky(correlation).float()
    return root


class Split(NamedTuple):
    """How many flows are for what."""

    training: int = 36
    validation: int = 3
    test: int = 6


@dataclass
class Osse:
    """Simulated flows, the training flows first, then validation, then test; times every three hours.

    Attributes
    ----------
    tracers : (flows, times, 1 + random, ny, nx) of the mean flux and of random ones; in flows for validation and tests
        the first is the truth and the others are empty, ppm
    psi, seen : (flows, times, ny+1, nx) streamfunctions of the truth's winds and of those that systems see, m2 s-1
    flux : (flows, random, ny, nx) random fluxes at the first time, ppm s-1
    mean_flux : (ny, nx) ppm s-1
    land : (ny, nx) share of land
    split : flows for training, validation and tests
    """

    tracers: Tensor
    psi: Tensor
    seen: Tensor
    flux: Tensor
    mean_flux: Tensor
    land: Tensor
    split: Split

    def __post_init__(self) -> None:
        self.shape: tuple[int, int] = (self.tracers.shape[-2], self.tracers.shape[-1])
        self.grid = SphereGrid(*self.shape)
        self.domain = domain_of(self.grid)
        self.places = stations.places(self.shape)

    def flows(self, kind: str) -> slice:
        """Flows of a kind: training, validation or test.

        Parameters
        ----------
        kind : of the flows
        """
        start = {"training": 0, "validation": self.split[0], "test": self.split[0] + self.split[1]}[kind]
        return slice(start, start + getattr(self.split, kind))

    def winds(self, flows: slice | Tensor, time: int, true: bool = False) -> SphereFluxes:
        """Winds from a time to the next.

        Parameters
        ----------
        flows : which
        time : number of the time that begins
        true : whether without the error
        """
        psi = self.psi if true else self.seen
        return fluxes_of_streamfunction(0.5 * (psi[flows, time] + psi[flows, time + 1]))

    def truth(self, kind: str) -> Tensor:
        """The true field (flows, times, ny, nx): of flows for training the mean tracer and the first random one.

        Parameters
        ----------
        kind : of the flows
        """
        fields = self.tracers[self.flows(kind)]
        return fields[:, :, 0] + fields[:, :, 1] if kind == "training" else fields[:, :, 0]

    def save(self, path: Path) -> None:
        """Write one safetensors file, whole or not at all.

        Parameters
        ----------
        path : to write
        """
        names = ("tracers", "psi", "seen", "flux", "mean_flux", "land")
        parts = {name: getattr(self, name).contiguous() for name in names}
        with whole_file(path) as part:
            save_file({**parts, "split": torch.tensor(self.split)}, part)


def load(path: Path) -> Osse:
    """Flows that `Osse.save` has written.

    Parameters
    ----------
    path : of the file
    """
    parts = load_file(path)
    split = Split(*parts.pop("split").tolist())
    return Osse(**parts, split=split)


def wind_errors(model: Barotropic, flows: int, times: int, generator: torch.Generator) -> Tensor:
    """Streamfunctions (times, flows, k) of errors of the wind with a memory, m2 s-1.

    Parameters
    ----------
    model : of the functions
    flows, times : numbers
    generator : of the noise
    """
    degrees = (3, 15)
    slope = torch.sqrt(-model.laplacian)  # of equal wind in all degrees; the mean square of (u, v) is that of grad psi
    scale = math.sqrt(2.0) * WIND_ERROR / slope
    keep = math.exp(-EVERY / WIND_ERROR_TIME)
    error = scale * model.noise(flows, degrees, generator)
    out = [error]
    for _ in range(times - 1):
        error = keep * error + math.sqrt(1.0 - keep * keep) * scale * model.noise(flows, degrees, generator)
        out.append(error)
    return torch.stack(out)


def simulate(
    split: Split, shape: tuple[int, int] = stations.SHAPE, *, spin_up: float = 25.0, days: float = 12.0, seed: int = 1,
    step: float = 450.0, truncation: int = 21, tell: Callable[[int], None] = lambda n: None,
) -> Osse:  # fmt: skip
    """Flows with their tracers.

    Parameters
    ----------
    split : numbers of flows
    shape : (ny, nx)
    spin_up, days : length before the first kept time, and of what is kept
    seed : of everything random but the mean flux
    step : of the transport, s
    truncation : of the winds
    tell : is told of each interval that is done, of ``(spin_up + days) * 8``
    """
    generator = torch.Generator().manual_seed(seed)
    grid, model = SphereGrid(*shape), Barotropic(truncation)
    ny, nx = shape
    domain, land, flows = domain_of(grid), land_share(grid), sum(split)
    corners = model.corners(grid)
    psi = model.simulate(flows, spin_up + days, EVERY, generator)
    root = flux_root(domain, land)
    mean_flux = (root @ torch.randn(ny * nx, generator=torch.Generator().manual_seed(MEAN_SEED))).reshape(shape)
    own = torch.arange(flows) >= split.training
    transport = MemberTransport(grid, TRUE_LOSS, step)

    def fresh() -> Tensor:
        return (torch.randn((flows * RANDOM_TRACERS, ny * nx), generator=generator) @ root.T).reshape(
            flows, RANDOM_TRACERS, ny, nx
        )

    def at(time: int) -> Tensor:
        return (psi[time] @ corners).reshape(flows, ny + 1, nx)

    keep = math.exp(-FLUX_STEP / FLUX_TIME)
    flux, source = fresh(), torch.zeros((flows, 1 + RANDOM_TRACERS, ny, nx))
    field = torch.zeros_like(source)
    first, intervals = round(spin_up * DAY / EVERY), round((spin_up + days) * DAY / EVERY)
    tracers, start = [], flux
    for n in range(intervals + 1):
        if n >= first:
            tracers.append(field.clone())
        if n == first:
            start = flux.clone()
        if n == intervals:
            break
        if n * EVERY % FLUX_STEP == 0.0:
            flux = keep * flux + math.sqrt(1.0 - keep * keep) * fresh()
            source[:, 0], source[:, 1:] = mean_flux, flux
            source[own, 0] += flux[own, 0]
            source[own, 1:] = 0.0
        winds = fluxes_of_streamfunction(0.5 * (at(n) + at(n + 1)))
        field = transport(field, source, winds, EVERY)
        tell(n + 1)
    kept = psi[first:].transpose(0, 1)
    seen = kept + wind_errors(model, flows, kept.shape[1], generator).transpose(0, 1)
    true, seen = ((a @ corners).reshape(flows, -1, ny + 1, nx) for a in (kept, seen))
    return Osse(torch.stack(tracers, 1), true, seen, start, mean_flux, land, split)
