# SPDX-License-Identifier: BSD-3-Clause
"""A limited area whose truth is an atmosphere's own: its winds, and passive gases that its own transport has carried.

One run with several gases is many samples: transport is linear, so each sample is a fresh combination of them. The
network is trained on most stretches of the run; others, with gases that are kept from the training, say when it is
best and calibrate its spread; it is scored beside kriging and optimal interpolation on others again, which it has never
seen, and there on gases that it has never seen; that kriging is tuned on those very days. Systems see winds with an
error; of the known sources they know what their gas is like on the days for training.
"""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from components.chemistry.carbon_dioxide_fields.plane_transport import PlaneTransport, PlaneWinds
from components.ml_surrogates.estimation.analysis import Forcing, Observations
from components.ml_surrogates.estimation.cycled_oi import CycledInterpolation
from components.ml_surrogates.estimation.kriging import Interpolation, correlated
from coupler.errors import CaseError
from coupler.files.land_mask import is_land

from . import stations, systems
from .carried import cells_a_second
from .inputs import FRAME_SECONDS, Fixed, Window, to_next_station
from .osse import HOUR, NOISE
from .reconstruction import Reconstruction
from .regional_truth import Air, of_training, stretches
from .samples import NOISE_TRACERS, Sample
from .scores import Scores, rmse, scores
from .settings import Settings
from .systems import Climate
from .training import Course, estimates, train

COMBINATIONS = 8  # of the gases, in validation and tests
CELLS_A_STATION = 28  # as in the world of `osse`
WIND_ERROR, WIND_TIME, WIND_CELLS = 2.0, 24.0 * HOUR, 6.0  # m s-1, s, cells: of the winds that systems see
LOSS_TIMES = (12.0 * HOUR, 24.0 * HOUR, 72.0 * HOUR)  # tried for optimal interpolation
LENGTHS = (1000e3, 2000e3, 4500e3)  # likewise, m
KEPT = 5  # one in so many gases is kept from the training: without it, the best step is that of its own sources
KNOWN_AFTER = 8  # times that a cycled system has to forget what it began with


class Area:
    """Stations, past and windows of a limited area; draws samples for `training.train`.

    Parameters
    ----------
    air : what an atmosphere has written
    frames : of a window
    count : stations, in any cells; by default one in `CELLS_A_STATION` cells; below zero those of `stations`
    seed : of the stations' cells, of their noise and of the winds' error
    prior : word of what a network adds to, kriging or interpolation
    """

    def __init__(self, air: Air, frames: int, count: int = 0, seed: int = 1, prior: str = "kriging"):
        self.air, self.frames = air, frames
        generator = torch.Generator().manual_seed(seed)
        cells = air.domain.longitude.numel()
        chosen = torch.randperm(cells, generator=generator)[: count or max(1, cells // CELLS_A_STATION)]
        self.places = torch.sort(chosen).values if count >= 0 else stations.within(air.domain)
        self.ends = {part: self._ends(part) for part in ("training", "validation", "test")}
        short = [part for part, ends in self.ends.items() if not ends]
        if short:
            raise CaseError(
                f"{air.u.shape[0]} times are too few for windows of {frames} frames in {', '.join(short)}: run longer,"
                " write output more often, or take fewer frames"
            )
        seen = of_training(len(air.u))
        mean = air.known[seen].mean(0)
        both = torch.cat([air.gases[seen].flatten(0, 1), air.known[seen] - mean]).flatten(-2)
        # a sample holds the known gas and one gas's worth of the others
        covariance = both.T @ both / air.gases[seen].flatten(0, 1).shape[0]
        spread = torch.sqrt(covariance.diagonal()).reshape(mean.shape).clamp(min=0.5)
        self.past = Climate(mean, spread, covariance)
        lon, lat = (a.reshape(air.domain.shape) for a in (air.domain.longitude, air.domain.latitude))
        land = torch.as_tensor(is_land(lon.numpy(), lat.numpy()).astype(np.float32))
        self.fixed = Fixed(self.past.mean, self.past.spread, land, lat, lon)
        self.u, self.v = (a + _smooth_noise(a.shape, generator) for a in (air.u, air.v))
        rows, columns = cells_a_second(self.u, self.v, lon, lat)
        self.rates = columns, rows
        kept = air.gases.shape[1] // KEPT
        trained, other = air.gases.tensor_split((air.gases.shape[1] - kept,), 1)
        self.tracers = self._seen(trained, generator)
        self.kept = self._seen(other, generator) if kept else self.tracers
        self.unseen = self._seen(air.unseen, generator) if air.unseen.shape[1] else self.kept
        self.held = {part: self._held(part, generator) for part in ("validation", "test")}
        self.prior, *lengths = self.kriging("validation")
        self.lengths: tuple[float, float] = (lengths[0], lengths[1])
        self.tracks: Tensor | None = None
        if prior == "interpolation":
            self.tracks = self._followed(self.tracers[1], torch.eye(self.tracers[1].shape[1]), *self.tuned)

    def _ends(self, part: str) -> list[int]:
        """Last times of the windows that lie within a stretch of a part as a whole."""
        both = stretches(part, self.air.u.shape[0])
        return [end for first, last in both for end in range(first + self.frames - 1, last)]

    def _seen(self, gases: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The known gas and others (times, K, ny, nx), and the reports (times, K + noise, p) of each and of noise."""
        fields = torch.cat([self.air.known[:, None], gases], 1)
        exact = fields.flatten(-2)[..., self.places]
        noise = NOISE * torch.randn((exact.shape[0], NOISE_TRACERS, exact.shape[-1]), generator=generator)
        return fields, torch.cat([exact, noise], 1)

    def _weights(self, size: int, gases: int, generator: torch.Generator) -> Tensor:
        """Weights (size, gases + noise) of combinations: one for the known gas."""
        angle = 2.0 * torch.pi * torch.rand((size, 1), generator=generator)
        return torch.cat([systems.combinations(size, gases - 1, generator), torch.cos(angle), torch.sin(angle)], 1)

    def _held(self, part: str, generator: torch.Generator) -> tuple[tuple[Tensor, Tensor], Tensor, Tensor]:
        """Gases of a part with their reports, and the weights and ends of its windows, ends fastest."""
        gases = self.unseen if part == "test" else self.kept
        weights = self._weights(COMBINATIONS, gases[0].shape[1], generator)
        return gases, weights.repeat_interleave(len(self.ends[part]), 0), torch.tensor(self.ends[part] * COMBINATIONS)

    def _observed(self, value: Tensor) -> Observations:
        mask = torch.ones_like(value, dtype=torch.bool)
        return Observations(value, torch.full_like(value, NOISE), mask, self.places)

    @cached_property
    def tuned(self) -> tuple[float, float]:
        """Loss time (s) and length (m) of the optimal interpolation that is best on the days for training."""
        fields, reports = self.tracers
        weights = self._weights(COMBINATIONS, fields.shape[1], torch.Generator().manual_seed(0))
        truth = torch.einsum("tkyx,nk->tnyx", fields, weights[:, : fields.shape[1]])
        seen, area, errors = of_training(len(truth)), self.air.domain.weights(), {}
        seen[:KNOWN_AFTER] = False
        for loss in LOSS_TIMES:
            for length in LENGTHS:
                got = self._followed(reports, weights, loss, length)
                errors[loss, length] = float(rmse((got - truth)[seen], area).mean())
        return min(errors, key=lambda words: errors[words])

    def _followed(self, reports: Tensor, weights: Tensor, loss: float, length: float) -> Tensor:
        """Optimal interpolation (times, n, ny, nx) of combinations (n, K + noise) through the whole run.

        What goes with the wind is the departure from the mean of the past: sources that are always the same are in it.
        """
        mean = self.past.mean
        transport = PlaneTransport(torch.ones(()), torch.ones(()), loss)
        system = CycledInterpolation(
            transport, correlated(self.air.domain, self.past.spread, length), systems.OI_NUGGET
        )
        value = torch.einsum("tkp,nk->tnp", reports, weights)
        value = value - weights[:, :1] * mean.flatten()[self.places]
        state, out = system.start(torch.zeros((len(weights), *self.air.domain.shape))), []
        outside = torch.zeros(self.air.domain.shape)
        for time in range(len(value)):
            state, now, _ = system.analyse(state, self._observed(value[time]))
            out.append(now + weights[:, 0, None, None] * mean)
            if time + 1 < len(value):
                u, v = (0.5 * (a[time] + a[time + 1]) for a in self.rates)
                state = system.advance(state, Forcing(PlaneWinds(u, v, outside), outside), FRAME_SECONDS)
        return torch.stack(out)

    def last(self, part: str) -> tuple[Tensor, Observations]:
        """Truth (b, ny, nx) and reports (b, p) of the newest frames of a part's windows.

        Parameters
        ----------
        part : validation or test
        """
        (fields, reports), weights, ends = self.held[part]
        truth = torch.einsum("bkyx,bk->byx", fields[ends], weights[:, : fields.shape[1]])
        return truth, self._observed(torch.einsum("bkp,bk->bp", reports[ends], weights))

    def kriging(self, part: str) -> tuple[Interpolation, float, float]:
        """Kriging tuned on a part of the run, its length (m) and nugget.

        Parameters
        ----------
        part : validation or test
        """
        return systems.tuned_kriging(self.air.domain, self.past, *self.last(part))

    def interpolation(self, part: str) -> Tensor:
        """What optimal interpolation makes of the newest frames of a part's windows.

        Parameters
        ----------
        part : validation or test
        """
        (_, reports), weights, ends = self.held[part]
        course = self._followed(reports, weights[:: len(self.ends[part])], *self.tuned)
        return course[ends, torch.arange(COMBINATIONS).repeat_interleave(len(self.ends[part]))]

    def _sample(
        self, gases: tuple[Tensor, Tensor], ends: Tensor, weights: Tensor, tracks: Tensor | None = None
    ) -> Sample:
        """Windows; ``tracks`` are what optimal interpolation has made of each gas by itself."""
        steps = ends[:, None] - torch.arange(self.frames - 1, -1, -1)
        value = torch.einsum("btkp,bk->btp", gases[1][steps], weights)
        reports = self._observed(value)
        grid = torch.zeros((*value.shape[:2], self.fixed.land.numel()))
        filled, mask = grid.clone(), grid
        filled[..., self.places], mask[..., self.places] = value, 1.0
        shape = (*value.shape[:2], *self.air.domain.shape)
        if tracks is None:
            prior = self.prior.analyse(self.prior.start(torch.zeros(shape)), reports).mean
        else:
            prior = torch.einsum("btkyx,bk->btyx", tracks[steps], weights)
        u, v = self.u[steps], self.v[steps]
        window = Window(u, v, torch.zeros_like(u), filled.reshape(shape), mask.reshape(shape), prior)
        distance = to_next_station(self.air.domain, self.places, reports.mask[:, -1])
        truth = torch.einsum("bkyx,bk->byx", gases[0][ends], weights[:, : gases[0].shape[1]])
        return Sample(window, distance, truth)

    def windows(self, part: str) -> Sample:
        """All windows of a part.

        Parameters
        ----------
        part : validation or test
        """
        gases, weights, ends = self.held[part]
        if self.tracks is None:
            return self._sample(gases, ends, weights)
        count = len(self.ends[part])
        course = self._followed(gases[1], weights[::count], *self.tuned)  # each combination as one gas
        chosen = torch.eye(COMBINATIONS).repeat_interleave(count, 0)
        sample = self._sample(gases, ends, weights)
        steps = ends[:, None] - torch.arange(self.frames - 1, -1, -1)
        prior = torch.einsum("btkyx,bk->btyx", course[steps], chosen)
        return sample._replace(window=sample.window._replace(prior=prior))

    def draw(self, size: int, generator: torch.Generator) -> Sample:
        """Fresh combinations in windows of the days for training.

        Parameters
        ----------
        size : samples
        generator : of times, weights and noise
        """
        ends = torch.tensor(self.ends["training"])
        if self.tracks is not None:
            ends = ends[ends >= KNOWN_AFTER + self.frames]
        ends = ends[torch.randint(len(ends), (size,), generator=generator)]
        weights = self._weights(size, self.tracers[0].shape[1], generator)
        return self._sample(self.tracers, ends, weights, self.tracks)


def _smooth_noise(shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Errors (times, ny, nx) of a wind component, of size `WIND_ERROR` together with the other, m s-1."""
    times, ny, nx = shape
    keep = float(np.exp(-FRAME_SECONDS / WIND_TIME))
    sides = []
    for n in (ny, nx):
        room = round(3 * WIND_CELLS)
        apart = torch.arange(n)[:, None] + room - torch.arange(n + 2 * room)
        weight = torch.exp(-((apart / WIND_CELLS) ** 2))
        sides.append(weight / torch.sqrt((weight * weight).sum(1, keepdim=True)))
    white = torch.randn((times, sides[0].shape[1], sides[1].shape[1]), generator=generator)
    fresh = WIND_ERROR / 2.0**0.5 * (sides[0] @ white @ sides[1].T)
    out = [fresh[0]]
    for new in fresh[1:]:
        out.append(keep * out[-1] + (1.0 - keep * keep) ** 0.5 * new)
    return torch.stack(out)


def trained(
    settings: Settings, air: Air, count: int = 0, tell: Callable[[str], None] = print, part: Path | None = None
) -> tuple[Reconstruction, Course, dict[str, Scores]]:
    """A network, and the scores of it and of the systems without training on the days never seen.

    Parameters
    ----------
    settings : words of the training
    air : what an atmosphere has written
    count : stations, as of `Area`
    tell : takes a line of text now and then
    part : file that keeps an unfinished training

    Raises
    ------
    CaseError
        Words that a limited area has no use for; all are named.
    """
    words: dict[str, tuple[object, ...]] = {
        "network": ("unet",), "prior": ("kriging", "interpolation"), "embedding": ("none", "carried"),
        "wind_loss": (0.0,), "cyclic": (False,),
    }  # fmt: skip
    given = settings.model_dump()
    wrong = [f"{k}: {given[k]} (expected {' or '.join(map(str, w))})" for k, w in words.items() if given[k] not in w]
    if wrong:
        raise CaseError(f"a limited area cannot take {', '.join(wrong)}")
    area = Area(air, settings.frames, count, prior=settings.prior)
    weights = air.domain.weights()
    model, course = train(settings, area.fixed, area, area.windows("validation"), weights, tell, part)
    if settings.prior == "kriging":
        model.lengths = area.lengths
    return model, course, compared(model, area)


def compared(model: Reconstruction, area: Area) -> dict[str, Scores]:
    """Scores of a network and of the systems without training on the days never seen.

    Parameters
    ----------
    model : trained
    area : of its training
    """
    test = area.windows("test")
    truth, reports = area.last("test")
    spread = area.past.spread.expand_as(truth)
    every = {}
    for name, system in (
        ("kriging, tuned on these days", area.kriging("test")[0]),
        ("kriging, tuned on the days for validation", area.prior),
        ("best linear estimate", Interpolation(area.past.mean, area.past.covariance)),
    ):
        every[name] = system.analyse(system.start(truth), reports)[1:]
    every["climatology"] = area.past.mean.expand_as(truth), spread
    every["cycled optimal interpolation"] = area.interpolation("test"), systems.OI_SPREAD * spread
    every["network"] = estimates(model, test)
    weights = area.air.domain.weights()
    return {k: scores(a, s, truth, area.past.mean, weights) for k, (a, s) in every.items()}
