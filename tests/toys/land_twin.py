# SPDX-License-Identifier: BSD-3-Clause
"""A twin experiment with columns of land: wrong rain, and snow cover, brightness temperature and storage observed."""

from dataclasses import dataclass

import torch

from components.land.column.column import Forcing, Options, initial_state, step
from components.land.column.parameters import parameters
from components.land.column.radiation import partition
from components.land.column.snow import cover_fraction, over_layers
from components.ml_surrogates.estimation import land
from components.ml_surrogates.estimation.microwave import Cover, Soil
from components.science.constants import FREEZING_POINT, WATER_DENSITY

D = torch.float64
SECONDS = 21600.0
A_DAY = 4
MODEL = Options(outer=2, inner=2, water_iterations=2)
"""Fewer iterations than by default, of truth and members alike: a year of thousands of columns."""
KINDS = (["grassland", "cropland", "deciduous_broadleaf_forest"], ["loam", "sandy_loam", "silty_clay_loam"])
GROUND = Soil(0.4, 0.2)
PLANTS = Cover(0.3, 0.05, 0.1)
BLOCK = 10
"""Columns of a block over which storage is observed."""


@dataclass(frozen=True)
class Size:
    columns: int = 60
    members: int = 40
    days: int = 365


class Weather:
    """Of some columns from a cold north to a mild south; the rain of a day is drawn beforehand."""

    def __init__(self, size, seed):
        g = torch.Generator().manual_seed(seed)
        n = size.columns
        self.warm = torch.linspace(-4.0, 12.0, n, dtype=D)
        wet = torch.rand((size.days, n), generator=g, dtype=D) < 0.3
        self.rain = torch.where(wet, -8.0 * torch.log(torch.rand((size.days, n), generator=g, dtype=D)), 0.0) / 86400.0
        self.noise = torch.randn((size.days, n), generator=g, dtype=D)

    def at(self, i, rain):
        """Forcing of step ``i`` for columns, or for copies of them, with a rain (copies n), kg m-2 s-1."""
        day, hour = divmod(i, A_DAY)
        copies = rain.numel() // self.warm.numel()
        clock = torch.tensor((hour + 0.5) * 24.0 / A_DAY, dtype=D)
        season = -torch.cos(torch.tensor(2.0 * torch.pi * (day - 15) / 365.0, dtype=D))
        t = (
            FREEZING_POINT
            + self.warm
            + 13.0 * season
            + 3.0 * self.noise[day]
            + 4.0 * torch.sin((clock - 9.0) * torch.pi / 12.0)
        )
        mu = torch.clamp((0.55 + 0.3 * season) * torch.sin((clock - 6.0) * torch.pi / 12.0), min=0.0)
        one = torch.ones_like(t)
        sun = 900.0 * mu * torch.where(self.rain[day] > 0.0, 0.4, 0.8)
        white = torch.clamp((FREEZING_POINT + 1.5 - t) / 2.0, 0.0, 1.0)
        c = lambda a: a.repeat(copies)  # noqa: E731
        direct, diffuse = partition(c(sun), c(mu * one))
        e = 611.0 * torch.exp(17.27 * (t - FREEZING_POINT) / (t - 36.0))
        lai = torch.clamp(1.5 + 1.2 * season, min=0.5) * one
        return Forcing(
            c(t), c(0.7 * 0.622 * e / 1e5), c(1e5 * one), c(3.0 * one), c(20.0 * one), direct, diffuse,
            c(5.67e-8 * 0.78 * t**4), rain * (1.0 - c(white)), rain * c(white), c(400.0 * one), c(mu * one), c(lai),
            c(one),
        )  # fmt: skip


def kinds(n):
    return [KINDS[0][i % 3] for i in range(n)], [KINDS[1][(i // 3) % 3] for i in range(n)]


def swe(s):
    return over_layers(s.snow.ice) + over_layers(s.snow.liquid)


def storage(s, p):
    return over_layers((s.liquid + s.ice) * p.thickness) * WATER_DENSITY + swe(s)


def measures(s, p):
    root = (s.liquid + s.ice)[:6]
    weight = p.thickness[:6] / p.thickness[:6].sum()
    return {"surface": s.liquid[0] + s.ice[0], "root": (root * weight).sum(0), "storage": storage(s, p), "snow": swe(s)}


def block(n):
    return torch.arange(n) // BLOCK


@torch.no_grad()
def truth(size, weather, seed):
    """What is true and what is observed, day by day."""
    p, n = parameters(*kinds(size.columns)), size.columns
    g = torch.Generator().manual_seed(seed + 50)
    noise = lambda *shape: torch.randn(shape, generator=g, dtype=D)  # noqa: E731
    s = initial_state(p, FREEZING_POINT + weather.warm, 0.6)
    true, seen, month = [], [], []
    for i in range(size.days * A_DAY):
        s, _ = step(s, weather.at(i, weather.rain[i // A_DAY]), p, SECONDS, MODEL)
        if i % A_DAY == A_DAY - 1:
            day = i // A_DAY
            true.append(measures(s, p))
            month.append(true[-1]["storage"])
            none = torch.full((n,), torch.nan, dtype=D)
            clear = torch.rand(n, generator=g, dtype=D) < 0.4
            cover = torch.where(clear, torch.clamp(cover_fraction(s.snow) + 0.08 * noise(n), 0.0, 1.0), none)
            open_soil = (swe(s) < 1.0) & (s.soil_temperature[0] > FREEZING_POINT + 1.0) & bool(day % 2 == 0)
            bare = land.Members(s.liquid[None], s.ice[None], swe(s)[None], none[None], s.ground[None], none[None])
            brightness = land.brightness(bare, land.Ground(p.thickness, p.texture.theta_s, GROUND, PLANTS, block(n)))
            tb = torch.where(open_soil, brightness[0] + 3.0 * noise(4, n), none)
            water = none
            if day % 30 == 29:
                water = land.block_mean(torch.stack(month[-30:]).mean(0), block(n)) + 15.0 * noise(
                    n // BLOCK
                ).repeat_interleave(BLOCK)
            seen.append({"cover": cover[None], "tb": tb, "storage": water[None]})
    return true, seen


NAMES = dict(zip(("cover", "tb", "storage"), land.OPERATORS, strict=True))
ERRORS = {"cover": 0.08, "tb": 3.0, "storage": 15.0}


@torch.no_grad()
def ensemble(size, weather, seed, seen, use=()):
    """The members' mean day by day, and the water that analyses added to each column, kg m-2."""
    n, m = size.columns, size.members
    p = parameters(*(k * m for k in kinds(n)))
    g = torch.Generator().manual_seed(seed + 90)
    member = 0.4 * torch.randn((m, 1), generator=g, dtype=D)
    s = initial_state(p, (FREEZING_POINT + weather.warm).repeat(m), 0.6)
    wet = s.liquid + 0.02 * torch.randn((1, m * n), generator=g, dtype=D)
    s = s._replace(liquid=torch.clamp(wet, min=0.03) if bool((s.ice == 0.0).all()) else s.liquid)
    found, month, booked = [], [], torch.zeros(n, dtype=D)
    for i in range(size.days * A_DAY):
        day = i // A_DAY
        if i % A_DAY == 0:
            wrong = 0.85 * torch.exp(0.28 * torch.randn((m, n), generator=g, dtype=D) + 0.7 * member - 0.08)
        s, _ = step(s, weather.at(i, (wrong * weather.rain[day]).reshape(-1)), p, SECONDS, MODEL)
        if i % A_DAY == A_DAY - 1:
            month.append(storage(s, p))
            if use:
                before = storage(s, p)
                s, added = analysed(s, p, seen[day], use, m, month[-30:])
                booked += added
                missed = (storage(s, p) - before).reshape(m, n).mean(0) - added
                assert float(missed.abs().max()) < 1e-6, "an analysis must book what it adds"
            found.append({k: v.reshape(m, n).mean(0) for k, v in measures(s, p).items()})
    return found, booked


def analysed(s, p, seen, use, m, month):
    """The members after the day's observations, and the water that each column was given, kg m-2."""
    n = s.ground.numel() // m
    shaped = lambda a: a.reshape(*a.shape[:-1], m, n).movedim(-2, 0)  # noqa: E731
    back = lambda a: a.movedim(0, -2).reshape(*a.shape[1:-1], m * n)  # noqa: E731
    members = land.Members(
        shaped(s.liquid), shaped(s.ice), shaped(swe(s)), shaped(cover_fraction(s.snow)), shaped(s.ground),
        shaped(torch.stack(month).mean(0)),
    )  # fmt: skip
    soil = land.Ground(*(a[..., :n] for a in (p.thickness, p.texture.theta_s)), GROUND, PLANTS, block(n))
    found = land.analyse(members, soil, {NAMES[k]: seen[k] for k in use}, {NAMES[k]: ERRORS[k] for k in use})
    share = back(found.share)
    white = s.snow._replace(ice=s.snow.ice * share, liquid=s.snow.liquid * share, thickness=s.snow.thickness * share)
    return s._replace(liquid=back(found.liquid), snow=white), found.added.mean(0)


def rmse(found, true, skip=20):
    return {
        k: float(
            torch.stack([a[k] - b[k] for a, b in zip(found[skip:], true[skip:], strict=True)]).square().mean().sqrt()
        )
        for k in true[0]
    }
