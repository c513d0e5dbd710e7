# SPDX-License-Identifier: BSD-3-Clause
"""Wide variations of drawn columns, so that the emulator meets nothing new in a run or in another climate."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from components.ml_surrogates.drawn_columns import air_of
from components.radiation import climatology, particles
from components.radiation.full_columns import FullColumns, full_columns, interface_temperature
from components.radiation.particles import Particles
from components.science.constants import EPSILON_VAPOUR, GRAVITY, R_DRY
from components.science.gases import Gases
from components.science.water import saturation_pressure

from .inputs import clouds_of

Array = npt.NDArray[np.float64]


WATER = ("liquid", "ice", "snow")
THINNEST = 0.02  # part of a layer that a new cloud fills at least


@dataclass(frozen=True)
class Sample:
    """Whole columns, what radiation sees of their clouds besides, and mole fractions (n,) of the gases that vary."""

    columns: FullColumns
    particles: Particles
    carbon_dioxide: Array
    methane: Array
    nitrous_oxide: Array

    def gases_of(self, column: int) -> Gases:
        """All well-mixed gases of a column."""
        return Gases(
            carbon_dioxide=float(self.carbon_dioxide[column]),
            methane=float(self.methane[column]),
            nitrous_oxide=float(self.nitrous_oxide[column]),
        )

    def take(self, some: npt.NDArray[np.int64]) -> "Sample":
        """Some of the columns."""
        columns = FullColumns(*(a[..., some] for a in self.columns))
        gases = (a[some] for a in (self.carbon_dioxide, self.methane, self.nitrous_oxide))
        return Sample(columns, Particles(*(a[..., some] for a in self.particles)), *gases)


def plain(base: dict[str, Array], mu: Array) -> Sample:
    """Drawn columns as they are, under the climatology of their place and month, with the gases of 2014.

    Parameters
    ----------
    base : drawn columns by name, (nz, n) or (n,)
    mu : (n,) cosine of the solar zenith angle
    """
    g, parts, order = Gases(), [], []
    for day in np.unique(base["day_of_year"]):
        mine = np.flatnonzero(base["day_of_year"] == day)
        parts.append(clouds_of(air_of({part: a[..., mine] for part, a in base.items()}, mu[mine])))
        order.append(mine)
    back = np.argsort(np.concatenate(order))
    columns, seen = (
        kind(*(np.concatenate(a, axis=-1)[..., back] for a in zip(*(p[n] for p in parts), strict=True)))
        for n, kind in enumerate((FullColumns, Particles))
    )
    one = np.ones(base["t"].shape[1])
    gases = (g.carbon_dioxide * one, g.methane * one, g.nitrous_oxide * one)
    return Sample(FullColumns(*map(torch.as_tensor, columns)), Particles(*seen), *gases)


def varied(base: dict[str, Array], n: int, levels: int | None, rng: np.random.Generator) -> Sample:
    """``n`` columns drawn from ``base`` and varied, all with the same gases; on their own levels or on others.

    Parameters
    ----------
    base : drawn columns by name, (nz, n) or (n,)
    n : how many columns to make
    levels : number of layers up to 2 ... 30 Pa, or None for those of ``base``
    rng : source of all randomness
    """
    pick = rng.integers(base["t"].shape[1], size=n)
    mu = np.where(rng.random(n) < 0.12, 0.0, rng.uniform(0.002, 1.0, n))
    heavier = rng.uniform(0.95, 1.06, n)  # other weather on the ground, other mountains
    chosen = {part: a[..., pick] * (heavier if part.startswith("p") else 1.0) for part, a in base.items()}
    day = float(rng.uniform(0.0, 365.0))
    air = air_of(chosen, mu)._replace(day=day)
    whole = full_columns(air)
    alike = particles.uniform(whole)
    there, seen = particles.of_air(air, whole, alike)
    c = {name: np.array(a) for name, a in there._asdict().items()} | {"snow": np.array(seen.snow)}
    dp = c["p_interface"][:-1] - c["p_interface"][1:]
    for name in WATER:
        c[name] = c[name] * c["fraction"] * GRAVITY / dp  # means of layers until these are final
    if levels is not None:
        c = _other_levels(c, levels, rng)
    p, p_i = c["p"], c["p_interface"]
    x = np.log(p)
    change = rng.normal(0.0, 6.0, n) + _smooth(x, 3.0, rng)
    change += rng.normal(0.0, 6.0, n) / (1.0 + (p / 1.0e4) * (p / 1.0e4))  # the stratosphere apart
    change += rng.normal(0.0, 3.0, n) * np.exp((x - x[0]) / 0.1)  # what lies on the ground
    t = np.clip(c["t"] + change, 155.0, 330.0)
    floor = np.where(rng.random(n) < 0.5, 1.0e-8, 2.5e-6)
    q = np.maximum(c["q_v"] * np.exp(0.06 * (t - c["t"]) + _smooth(x, 0.5, rng) + rng.normal(0.0, 0.3, n)), floor)
    tropospheric = np.minimum(1.15 * _saturation(t, p), 0.045)
    q = np.where(p > 5.0e3, np.minimum(q, tropospheric), np.clip(q, 1.0e-8, 2.0e-5))
    shifted = torch.tensor(p_i * np.exp(rng.uniform(-0.35, 0.35, n)))
    place = torch.tensor(np.clip(chosen["latitude"] + rng.normal(0.0, 15.0, n), -89.0, 89.0))
    ozone = climatology.ozone(shifted, place, day).numpy() * np.exp(rng.normal(0.0, 0.2, n) + _smooth(x, 0.2, rng))
    water, part = _clouds({name: c[name] for name in WATER}, c["fraction"], t, p, rng)
    inside = (p_i[:-1] - p_i[1:]) / GRAVITY / np.where(part > 0.0, part, 1.0)
    path = {name: inside * a for name, a in water.items()}
    thick = (p_i[:-1] - p_i[1:]) / (GRAVITY * p) * (R_DRY * t)
    sunny = np.where(c["mu"] > 0.0, rng.exponential(3.0, n), 0.0)
    t_surface = np.clip(t[0] + rng.normal(0.0, 4.0, n) + sunny, 190.0, 345.0)
    t_i = interface_temperature(*(torch.tensor(a) for a in (p, p_i, t, t_surface)))
    albedo = np.where(rng.random(n) < 0.4, c["albedo"], 0.03 + 0.87 * rng.random(n) * rng.random(n))
    emissivity = np.where(rng.random(n) < 0.5, 1.0, rng.uniform(0.88, 1.0, n))

    def double(a: Array) -> torch.Tensor:
        return torch.tensor(np.ascontiguousarray(a))

    columns = FullColumns(
        double(p), double(p_i), double(t), t_i, double(q), double(ozone), double(path["liquid"]), double(path["ice"]),
        double(part), double(t_surface), double(albedo), double(emissivity), double(c["mu"]),
    )  # fmt: skip
    clouds = particles.uniform(columns)._replace(
        snow=path["snow"], ice_diameter=particles.ice_diameter(t, 1000.0 * path["ice"] / thick)
    )
    now, today = Gases(), rng.random() < 0.35
    one = np.ones(n)
    return Sample(
        columns, clouds,
        now.carbon_dioxide * _about_one(today, 0.1, (0.45, 8.5), rng) * one,
        now.methane * _about_one(today, 0.1, (0.3, 3.0), rng) * one,
        now.nitrous_oxide * _about_one(today, 0.05, (0.7, 1.6), rng) * one,
    )  # fmt: skip


def with_other_gases(sample: Sample, rng: np.random.Generator) -> Sample:
    """The same columns twice, the second time with another amount of carbon dioxide: what forcing is learned from.

    Parameters
    ----------
    sample : columns and their gases
    rng : source of all randomness
    """
    n = len(sample.carbon_dioxide)
    twice = sample.take(np.concatenate([np.arange(n), np.arange(n)]))
    more = Gases().carbon_dioxide * rng.uniform(0.45, 8.5)
    return replace(twice, carbon_dioxide=np.where(np.arange(2 * n) < n, twice.carbon_dioxide, more))


def _about_one(today: bool, near: float, ends: tuple[float, float], rng: np.random.Generator) -> float:
    """A factor: about 1 where ``today``, else even in the logarithm between ``ends``."""
    return float(np.exp(rng.normal(0.0, near) if today else rng.uniform(np.log(ends[0]), np.log(ends[1]))))


def _smooth(x: Array, size: float, rng: np.random.Generator) -> Array:
    """Random smooth profiles: four bells in ln p of standard deviation ``size`` each."""
    out = np.zeros_like(x)
    for _ in range(4):
        centre, width = rng.uniform(np.log(100.0), np.log(1.0e5), x.shape[1]), rng.uniform(0.2, 1.2, x.shape[1])
        out += rng.normal(0.0, size, x.shape[1]) * np.exp(-(((x - centre) / width) * ((x - centre) / width)))
    return out


def _saturation(t: Array, p: Array) -> Array:
    """Saturation mixing ratio over water."""
    e = saturation_pressure(t)
    return np.asarray(EPSILON_VAPOUR * e / np.maximum(p - e, 0.1 * p))


def _clouds(
    water: dict[str, Array], part: Array, t: Array, p: Array, rng: np.random.Generator
) -> tuple[dict[str, Array], Array]:
    """Clouds left out, kept, scaled, moved to another column, or new ones: mixing ratios of layers and their parts."""
    n = t.shape[1]
    what = rng.random(n)
    other = rng.integers(n, size=n)
    moved = what > 0.55
    scale = np.where(what > 0.4, np.exp(rng.normal(0.0, 1.0, n)), 1.0)
    kept = (what > 0.2) & (what < 0.85)
    water = {name: np.where(moved, a[:, other], a) * scale * kept for name, a in water.items()}
    part = np.where(moved, part[:, other], part) * kept
    part = np.where(what > 0.3, part ** np.exp(rng.normal(0.0, 0.5, n)), part)
    new = what > 0.75
    for _ in range(3):
        centre = np.exp(rng.uniform(np.log(1.2e4), np.log(1.0e5), n))
        depth = rng.uniform(1.0e3, 1.2e4, n)
        amount = np.exp(rng.uniform(np.log(1.5e-6), np.log(1.5e-3), n)) * (rng.random(n) < 0.6) * new
        filled = np.where(rng.random(n) < 0.3, 1.0, rng.uniform(THINNEST, 1.0, n))
        inside = (np.abs(p - centre) < depth) & (p > 1.0e4) & (amount > 0.0)
        warm = np.clip((t - 238.0) / 30.0 + rng.normal(0.0, 0.2, n), 0.0, 1.0)
        falls = np.where(rng.random(n) < 0.3, rng.random(n), 0.0)  # of what is frozen, as snow
        shares = {"liquid": warm, "ice": (1.0 - warm) * (1.0 - falls), "snow": (1.0 - warm) * falls}
        water = {name: a + inside * filled * amount * shares[name] for name, a in water.items()}
        part = np.where(inside, np.maximum(part, filled), part)
    cold = t < 233.0
    liquid = water["liquid"]
    frozen = water | {"liquid": np.where(cold, 0.0, liquid), "ice": np.where(cold, water["ice"] + liquid, water["ice"])}
    there = (sum(frozen.values()) > 0.0) & (part > 0.0)
    return {name: a * there for name, a in frozen.items()}, part * there


def _other_levels(c: dict[str, Array], levels: int, rng: np.random.Generator) -> dict[str, Array]:
    """The same columns on other layers: interfaces even in a stretched ln p, all columns alike in number."""
    n = c["p"].shape[1]
    ground, top = np.log(c["p_interface"][0]), rng.uniform(np.log(2.0), np.log(30.0), n)
    even = np.linspace(0.0, 1.0, levels + 1)[:, None]
    stretched = np.exp(rng.uniform(1.0, 1.8, n) * np.log(np.maximum(even, 1e-30)))
    p_i = np.exp(ground + stretched * (top - ground))
    p = np.sqrt(p_i[1:] * p_i[:-1])
    out = {**c, "p": p, "p_interface": p_i}
    x, x_old = -np.log(p), -np.log(c["p"])
    for name in ("t", "q_v"):
        value = np.log(c[name]) if name == "q_v" else c[name]
        new = np.stack([np.interp(x[:, i], x_old[:, i], value[:, i]) for i in range(n)], axis=1)
        out[name] = np.exp(new) if name == "q_v" else new
    nearest = np.stack([np.searchsorted(-c["p_interface"][1:-1, i], -p[:, i]) for i in range(n)], axis=1)
    for name in (*WATER, "fraction"):
        out[name] = np.take_along_axis(c[name], nearest, axis=0)
    return out
