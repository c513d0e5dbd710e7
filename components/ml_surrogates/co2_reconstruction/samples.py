# SPDX-License-Identifier: BSD-3-Clause
"""Samples for networks: windows of the simulated flows with their truth, each a fresh combination of tracers."""

from pathlib import Path
from typing import NamedTuple, Protocol

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from components.ml_surrogates.estimation.analysis import Observations
from components.ml_surrogates.estimation.cycled_oi import CycledInterpolation
from components.ml_surrogates.estimation.kriging import Interpolation
from components.ml_surrogates.estimation.tracer_enkf import TracerEnsemble
from components.science.constants import EARTH_ROTATION
from components.science.sphere_transport import SphereGrid, fluxes_of_streamfunction, winds_of_fluxes
from coupler.files.atomic import whole_file

from . import systems
from .inputs import FRAME_SECONDS, Fixed, Window, to_next_station
from .osse import EVERY, NOISE, Osse
from .systems import Climate, Tracks

STRIDE = round(FRAME_SECONDS / EVERY)
NOISE_TRACERS = 2


class Sample(NamedTuple):
    """Windows, distances (b, ny, nx) to the next station in m, and the truth (b, ny, nx) in ppm."""

    window: Window
    distance: Tensor
    truth: Tensor


class Drawing(Protocol):
    """What a training draws its samples from."""

    def draw(self, size: int, generator: torch.Generator) -> Sample:
        """Samples.

        Parameters
        ----------
        size : number
        generator : of what is random
        """
        ...


def seen_weather(psi: Tensor, grid: SphereGrid) -> tuple[Tensor, Tensor, Tensor]:
    """Winds in m s-1 and the geopotential f psi in m2 s-2 (..., ny, nx) in the middles of the cells.

    Parameters
    ----------
    psi : (..., ny+1, nx) at the corners, m2 s-1
    grid : of the cells
    """
    u, v = winds_of_fluxes(grid, fluxes_of_streamfunction(psi))
    middle = 0.5 * (psi[..., 1:, :] + psi[..., :-1, :])
    middle = 0.5 * (middle + torch.roll(middle, -1, -1))
    return u, v, 2.0 * EARTH_ROTATION * torch.sin(torch.deg2rad(grid.latitude))[:, None] * middle


def fixed_of(osse: Osse, past: Climate) -> Fixed:
    """What a network knows of the cells.

    Parameters
    ----------
    osse : simulated flows
    past : of the training flows
    """
    lat, lon = osse.grid.latitude[:, None].expand(osse.shape), osse.grid.longitude.expand(osse.shape)
    return Fixed(past.mean, past.spread.clamp(min=0.5), osse.land, lat, lon)


def windows_at(
    osse: Osse, flows: Tensor, times: Tensor, frames: int, observations: Observations, prior: Tensor,
    winds: Tensor | None = None,
) -> tuple[Window, Tensor]:  # fmt: skip
    """Windows that end at given times of given flows, and the distances to the next station.

    Parameters
    ----------
    osse : simulated flows
    flows, times : (b,) numbers of flows among all, and of times
    frames : of a window
    observations : (b, T, p) at the windows' frames
    prior : (b, T, ny, nx) at the windows' frames
    winds : (b,) flows whose winds are seen; by default the same
    """
    steps = times[:, None] - STRIDE * torch.arange(frames - 1, -1, -1)
    u, v, phi = seen_weather(osse.seen[(flows if winds is None else winds)[:, None], steps], osse.grid)
    grid = torch.zeros((*observations.value.shape[:2], osse.shape[0] * osse.shape[1]))
    filled, mask = grid.clone(), grid
    filled[..., observations.places] = torch.where(observations.mask, observations.value, 0.0)
    mask[..., observations.places] = observations.mask.float()
    distance = to_next_station(osse.domain, observations.places, observations.mask[:, -1])
    shape = u.shape
    return Window(u, v, phi, filled.reshape(shape), mask.reshape(shape), prior), distance


def write_tracks(path: Path, tracks: Tracks) -> None:
    """Keep what an inversion has made of the training flows' tracers, whole or not at all.

    Parameters
    ----------
    path : to write
    tracks : of `Bank`
    """
    with whole_file(path) as part:
        parts = {"mean": tracks.mean.contiguous(), "deviation": tracks.deviation.contiguous()}
        save_file({**parts, "every": torch.tensor(tracks.every)}, part)


def read_tracks(path: Path) -> Tracks:
    """What `write_tracks` has written.

    Parameters
    ----------
    path : of the file
    """
    parts = load_file(path)
    return Tracks(int(parts["every"]), parts["mean"], parts["deviation"])


class Bank:
    """What the training samples are drawn from.

    Parameters
    ----------
    osse : simulated flows
    past : of the training flows
    prior : the system whose estimates the network adds to; it must be linear in what the stations say
    frames : of a window
    superposition : whether combinations are fresh; else each flow has one
    seed : of the noise
    tracks : what a prior has made of each tracer before; by default it is made
    silent : share of the stations that are silent at most, on kriging
    """

    def __init__(
        self, osse: Osse, past: Climate, prior: Interpolation | CycledInterpolation | TracerEnsemble, frames: int,
        superposition: bool = True, seed: int = 3, tracks: Tracks | None = None, silent: float = 0.0,
    ):  # fmt: skip
        self.osse, self.frames, self.prior, self.superposition = osse, frames, prior, superposition
        self.silent = silent if isinstance(prior, Interpolation) else 0.0  # tracks are those of all stations
        self.tracers = osse.tracers[osse.flows("training")]
        flows, times, count = self.tracers.shape[:3]
        generator = torch.Generator().manual_seed(seed)
        exact = self.tracers.flatten(-2)[..., osse.places]
        noise = NOISE * torch.randn((flows, times, NOISE_TRACERS, len(osse.places)), generator=generator)
        self.reports = torch.cat([exact, noise], 2)
        self.fixed_combinations = systems.combinations(flows, count - 1, generator)
        self.tracks = None if isinstance(prior, Interpolation) else tracks or self._tracks(prior)

    def _tracks(self, prior: CycledInterpolation | TracerEnsemble) -> Tracks:
        """Each tracer by itself: an analysis is linear in what stations say, but for the limiter."""
        flows, times, count = self.reports.shape[:3]
        known = torch.zeros((count, *self.osse.shape))
        known[0] = self.osse.mean_flux
        if isinstance(prior, TracerEnsemble):
            own = torch.zeros(count)
            own[[0, 1, count - NOISE_TRACERS]] = 1.0  # a truth like that of the flows for tests
            return systems.tracks(prior, self.osse, self.reports, known, own, tell=print)
        value = self.reports.transpose(1, 2).reshape(flows * count, times, -1)
        mask = torch.ones_like(value, dtype=torch.bool)
        reports = Observations(value, torch.full_like(value, NOISE), mask, self.osse.places)
        numbers = torch.arange(flows).repeat_interleave(count).tolist()
        course = systems.run(prior, self.osse, numbers, reports, flux=known.repeat(flows, 1, 1))
        mean = course.mean.reshape(flows, count, times, *self.osse.shape).transpose(1, 2)
        return Tracks(1, mean, course.deviation[::count])

    def _reporting(self, size: int, generator: torch.Generator) -> Tensor:
        """Which stations report (size, p): in every third sample up to ``silent`` of them do not."""
        p = self.reports.shape[-1]
        if not self.silent:
            return torch.ones((size, p), dtype=torch.bool)
        most = self.silent * torch.rand((size, 1), generator=generator)
        some = torch.rand((size, 1), generator=generator) < 1.0 / 3.0
        return ~(some & (torch.rand((size, p), generator=generator) < most))

    def draw(self, size: int, generator: torch.Generator) -> Sample:
        """Samples.

        Parameters
        ----------
        size : number
        generator : of the numbers
        """
        flows, times, count = self.tracers.shape[:3]
        flow = torch.randint(flows, (size,), generator=generator)
        first = max(STRIDE * (self.frames - 1), 16)  # what a cycled system began with is forgotten after two days
        every = 1 if self.tracks is None else self.tracks.every
        time = every * torch.randint(first // every, -(-times // every), (size,), generator=generator)
        weights = (
            systems.combinations(size, count - 1, generator) if self.superposition else self.fixed_combinations[flow]
        )
        angle = 2.0 * torch.pi * torch.rand((size, 1), generator=generator)
        both = torch.cat([weights, torch.cos(angle), torch.sin(angle)], 1)
        truth = (self.tracers[flow, time] * weights[..., None, None]).sum(1)
        steps = time[:, None] - STRIDE * torch.arange(self.frames - 1, -1, -1)
        value = (self.reports[flow[:, None], steps] * both[:, None, :, None]).sum(2)
        mask = self._reporting(size, generator)[:, None].expand_as(value)
        reports = Observations(value, torch.full_like(value, NOISE), mask, self.osse.places)
        if self.tracks is None:
            assert isinstance(self.prior, Interpolation)
            prior = self.prior.analyse(self.prior.start(truth[:, None].expand(-1, self.frames, -1, -1)), reports).mean
        else:
            ny, nx = self.osse.shape
            drawn = self.tracks.mean[flow[:, None], steps // every].reshape(size * self.frames, -1, ny * nx)
            mixed = both[:, None].expand(-1, self.frames, -1).reshape(size * self.frames, 1, -1) @ drawn
            prior = mixed.reshape(size, self.frames, ny, nx)
        window, distance = windows_at(self.osse, flow, time, self.frames, reports, prior)
        return Sample(window, distance, truth)


def held_out(
    osse: Osse, kind: str, frames: int, observations: Observations, prior: Tensor, times: list[int], winds: int = 0
) -> Sample:
    """All scored windows of the flows for validation or tests, flow after flow.

    Parameters
    ----------
    osse : simulated flows
    kind : validation or test
    frames : of a window
    observations : (flows, times, p) of all times
    prior : (flows, times, ny, nx) of all times
    times : that are scored
    winds : by how many flows the winds are shifted; 0: their own
    """
    span = osse.flows(kind)
    count = span.stop - span.start
    flow = torch.arange(count).repeat_interleave(len(times))
    time = torch.tensor(times).repeat(count)
    steps = time[:, None] - STRIDE * torch.arange(frames - 1, -1, -1)
    reports = observations.at(flow[:, None], steps)
    other = span.start + (flow + winds) % count
    window, distance = windows_at(osse, span.start + flow, time, frames, reports, prior[flow[:, None], steps], other)
    return Sample(window, distance, osse.truth(kind)[flow, time])
