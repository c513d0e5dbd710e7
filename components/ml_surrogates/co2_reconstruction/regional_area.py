# SPDX-License-Identifier: BSD-3-Clause
"""Stations, past and windows of a limited area, and what systems without training make of them.

What systems estimate is the departure from the gas of the known sources as their own atmosphere carries it; without
one of their own they know only what that gas is like on the days for training, and see the winds with an error.
"""

import math
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from components.chemistry.carbon_dioxide_fields.plane_transport import PlaneTransport, PlaneWinds
from components.ml_surrogates.estimation.analysis import Forcing, Observations
from components.ml_surrogates.estimation.carried_ensemble import CarriedEnsemble, Gain
from components.ml_surrogates.estimation.cycled_oi import CycledInterpolation
from components.ml_surrogates.estimation.kriging import Interpolation, correlated
from coupler.errors import CaseError
from coupler.files.land_mask import is_land

from . import stations, systems
from .carried import cells_a_second
from .inputs import FRAME_SECONDS, Fixed, Window, to_next_station
from .osse import HOUR, NOISE
from .regional_truth import Air, of_training, stretches
from .samples import NOISE_TRACERS, Sample
from .scores import rmse
from .systems import Climate

COMBINATIONS = 8  # of the gases, in validation and tests
CELLS_A_STATION = 28  # as in the world of `osse`
WIND_ERROR, WIND_TIME, WIND_CELLS = 2.0, 24.0 * HOUR, 6.0  # m s-1, s, cells: of the winds that systems see
LOSS_TIMES = (12.0 * HOUR, 24.0 * HOUR, 72.0 * HOUR)  # tried for optimal interpolation
LENGTHS = (1000e3, 2000e3, 4500e3)  # likewise, m
SHARES, RADII = (0.3, 0.6, 0.9), (1500e3, 3000e3, 1e9)  # tried for the carried ensemble: of its covariance, m
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
    prior : word of what a network adds to: kriging, interpolation or enkf, which is the carried ensemble
    """

    def __init__(self, air: Air, frames: int, count: int = 0, seed: int = 1, prior: str = "kriging"):
        self.air, self.frames, self.word = air, frames, prior
        self.known = air.known - air.carried
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
        self.past = self._past(self.known)
        lon, lat = (a.reshape(air.domain.shape) for a in (air.domain.longitude, air.domain.latitude))
        land = torch.as_tensor(is_land(lon.numpy(), lat.numpy()).astype(np.float32))
        self.fixed = Fixed(self.past.mean, self.past.spread, land, lat, lon)
        own = bool(air.members.shape[1])  # winds of another atmosphere have errors of their own
        self.u, self.v = (a if own else a + _smooth_noise(a.shape, generator) for a in (air.u, air.v))
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
        if prior != "kriging":
            self.tracks = self.course(self.tracers[1], torch.eye(self.tracers[1].shape[1]))

    def _past(self, known: Tensor) -> Climate:
        """Of the days for training, with the known gas (times, ny, nx) as it is or less what is carried of it."""
        seen = of_training(len(known))
        mean, gases = known[seen].mean(0), self.air.gases[seen].flatten(0, 1)
        # a sample holds the known gas and one gas's worth of the others
        both = torch.cat([gases, known[seen] - mean]).flatten(-2)
        covariance = both.T @ both / len(gases)
        spread = torch.sqrt(covariance.diagonal()).reshape(mean.shape).clamp(min=0.5)
        return Climate(mean, spread, covariance)

    @cached_property
    def whole(self) -> Climate:
        """The past of the gases themselves, which one who carries nothing knows."""
        return self._past(self.air.known)

    def _ends(self, part: str) -> list[int]:
        """Last times of the windows that lie within a stretch of a part as a whole."""
        both = stretches(part, self.air.u.shape[0])
        return [end for first, last in both for end in range(first + self.frames - 1, last)]

    def _seen(self, gases: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The known gas and others (times, K, ny, nx), and the reports (times, K + noise, p) of each and of noise."""
        fields = torch.cat([self.known[:, None], gases], 1)
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

    def course(self, reports: Tensor, weights: Tensor, word: str = "") -> Tensor:
        """What a system makes (times, n, ny, nx) of combinations (n, K + noise) through the whole run.

        Parameters
        ----------
        reports : (times, K + noise, p) of each gas and of noise
        weights : (n, K + noise) of the combinations
        word : interpolation or enkf; by default what the network adds to
        """
        if (word or self.word) == "interpolation":
            return self._followed(reports, weights, *self.tuned)
        return self._smoothed(self.gains, reports, weights)

    @cached_property
    def gains(self) -> list[Gain]:
        """Those of the carried ensemble at all times that is best on the days for training."""
        fields, reports = self.tracers
        weights = self._weights(COMBINATIONS, fields.shape[1], torch.Generator().manual_seed(0))
        truth = torch.einsum("tkyx,nk->tnyx", fields, weights[:, : fields.shape[1]])
        seen, area = of_training(len(truth)), self.air.domain.weights()
        best: tuple[float, list[Gain]] | None = None
        for share in SHARES:
            for radius in RADII:
                gains = self._gains(share, radius)
                wrong = float(rmse((self._smoothed(gains, reports, weights) - truth)[seen], area).mean())
                if best is None or wrong < best[0]:
                    best, self.mixed = (wrong, gains), (share, radius)
        assert best is not None and math.isfinite(best[0])
        return best[1]

    def _gains(self, share: float, radius: float) -> list[Gain]:
        """Of the carried ensemble at all times, from what was shown in a window or since the run began."""
        system = CarriedEnsemble(
            self.air.domain, self.prior.covariance, self.prior.nugget, self.memory, share=share, radius=radius
        )
        starts = [max(0, t + 1 - self.frames) for t in range(len(self.air.members))]
        members = [self.air.members[a : t + 1] for t, a in enumerate(starts)]
        return [system.gain(m, self.places, NOISE, FRAME_SECONDS) for m in members]

    @cached_property
    def memory(self) -> float:
        """Over which the correlation in time of a station's reports falls to 1/e on the days for training, s."""
        seen, mean = of_training(len(self.known)), self.past.mean
        pairs = torch.nonzero(seen[1:] & seen[:-1])[:, 0]
        at = torch.cat([self.air.gases, (self.known - mean)[:, None]], 1).flatten(-2)[..., self.places]
        now, before = at[pairs + 1], at[pairs]
        alike = float((now * before).sum() / torch.sqrt((now * now).sum() * (before * before).sum()))
        return -FRAME_SECONDS / math.log(min(max(alike, 0.01), 0.99))

    def _smoothed(self, gains: list[Gain], reports: Tensor, weights: Tensor) -> Tensor:
        """The carried ensemble's estimates (times, n, ny, nx) of combinations (n, K + noise)."""
        mean, out = self.past.mean, []
        value = torch.einsum("tkp,nk->tnp", reports, weights) - weights[:, :1] * mean.flatten()[self.places]
        for time, gain in enumerate(gains):
            shown = value[time + 1 - len(gain.tracer) // len(self.places) : time + 1]
            added = shown.transpose(0, 1).flatten(1) @ gain.tracer
            out.append(added.reshape(-1, *mean.shape) + weights[:, 0, None, None] * mean)
        return torch.stack(out)

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

    def followed(self, part: str, word: str) -> Tensor:
        """What optimal interpolation or the carried ensemble makes of the newest frames of a part's windows.

        Parameters
        ----------
        part : validation or test
        word : interpolation or enkf
        """
        (_, reports), weights, ends = self.held[part]
        course = self.course(reports, weights[:: len(self.ends[part])], word)
        return course[ends, torch.arange(COMBINATIONS).repeat_interleave(len(self.ends[part]))]

    def _sample(
        self, gases: tuple[Tensor, Tensor], ends: Tensor, weights: Tensor, tracks: Tensor | None = None
    ) -> Sample:
        """Windows; ``tracks`` are what the system that is added to has made of each gas by itself."""
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
        course = self.course(gases[1], weights[::count])  # each combination as one gas
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
