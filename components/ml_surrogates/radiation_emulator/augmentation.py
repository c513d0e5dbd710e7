# SPDX-License-Identifier: BSD-3-Clause
"""Wide variations of drawn columns, so that the emulator meets nothing new in a run or in another climate."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from components.ml_surrogates.drawn_columns import air_of
from components.radiation import standard_atmosphere
from components.radiation.full_columns import CLOUDY, FullColumns, full_columns, interface_temperature
from components.science.constants import EPSILON_VAPOUR, GRAVITY
from components.science.gases import Gases
from components.science.water import saturation_pressure

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Whole columns, and mole fractions (n,) of the gases that vary."""

    columns: FullColumns
    carbon_dioxide: Array
    methane: Array
    nitrous_oxide: Array

    @property
    def gases(self) -> Gases:
        """All well-mixed gases of the columns."""
        return Gases(
            carbon_dioxide=self.carbon_dioxide,  # type: ignore[arg-type]
            methane=self.methane,  # type: ignore[arg-type]
            nitrous_oxide=self.nitrous_oxide,  # type: ignore[arg-type]
        )


def plain(base: dict[str, Array], mu: Array) -> Sample:
    """Drawn columns as they are, with the gases of 2014.

    Parameters
    ----------
    base : drawn columns by name, (nz, n) or (n,)
    mu : (n,) cosine of the solar zenith angle
    """
    n, g = base["t"].shape[1], Gases()
    one = np.ones(n)
    return Sample(full_columns(air_of(base, mu)), g.carbon_dioxide * one, g.methane * one, g.nitrous_oxide * one)


def varied(base: dict[str, Array], n: int, levels: int | None, rng: np.random.Generator) -> Sample:
    """``n`` columns drawn from ``base`` and varied; on their own levels or on ``levels`` others up to 2 ... 30 Pa.

    Parameters
    ----------
    base : drawn columns by name, (nz, n) or (n,)
    n : how many columns to make
    levels : number of layers, or None for those of ``base``
    rng : source of all randomness
    """
    pick = rng.integers(base["t"].shape[1], size=n)
    mu = np.where(rng.random(n) < 0.12, 0.0, rng.uniform(0.002, 1.0, n))
    heavier = rng.uniform(0.95, 1.06, n)  # other weather on the ground, other mountains
    chosen = {part: a[..., pick] * (heavier if part.startswith("p") else 1.0) for part, a in base.items()}
    whole = full_columns(air_of(chosen, mu))
    c = {name: a.numpy().copy() for name, a in whole._asdict().items()}
    dp = c["p_interface"][:-1] - c["p_interface"][1:]
    for name in ("liquid", "ice"):
        c[name] = c[name] * GRAVITY / dp  # mixing ratios until the layers are final
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
    shifted = torch.tensor(p * np.exp(rng.uniform(-0.35, 0.35, n)))
    ozone = standard_atmosphere.ozone(shifted).numpy() * np.exp(rng.normal(0.0, 0.2, n) + _smooth(x, 0.2, rng))
    liquid, ice = _clouds(c["liquid"], c["ice"], t, p, rng)
    cloudy = (liquid + ice > CLOUDY).astype(np.float64)
    path = (p_i[:-1] - p_i[1:]) / GRAVITY * cloudy
    sunny = np.where(c["mu"] > 0.0, rng.exponential(3.0, n), 0.0)
    t_surface = np.clip(t[0] + rng.normal(0.0, 4.0, n) + sunny, 190.0, 345.0)
    t_i = interface_temperature(*(torch.tensor(a) for a in (p, p_i, t, t_surface)))
    albedo = np.where(rng.random(n) < 0.4, c["albedo"], 0.03 + 0.87 * rng.random(n) * rng.random(n))
    emissivity = np.where(rng.random(n) < 0.5, 1.0, rng.uniform(0.88, 1.0, n))

    def double(a: Array) -> torch.Tensor:
        return torch.tensor(np.ascontiguousarray(a))

    now = Gases()
    today = rng.random(n) < 0.35
    return Sample(
        FullColumns(
            double(p), double(p_i), double(t), t_i, double(q), double(ozone), double(path * liquid),
            double(path * ice), double(cloudy), double(t_surface), double(albedo), double(emissivity), double(c["mu"]),
        ),
        now.carbon_dioxide * _about_one(n, today, 0.1, (0.45, 8.5), rng),
        now.methane * _about_one(n, today, 0.1, (0.3, 3.0), rng),
        now.nitrous_oxide * _about_one(n, today, 0.05, (0.7, 1.6), rng),
    )  # fmt: skip


def with_other_gases(sample: Sample, rng: np.random.Generator) -> Sample:
    """The same columns twice, the second time with another amount of carbon dioxide: what forcing is learned from.

    Parameters
    ----------
    sample : columns and their gases
    rng : source of all randomness
    """
    n = len(sample.carbon_dioxide)

    def twice(a: Array) -> Array:
        return np.concatenate([a, a])

    factor = np.concatenate([np.ones(n), rng.uniform(0.45, 8.5, n)])
    today = Gases().carbon_dioxide
    carbon_dioxide = np.where(np.arange(2 * n) < n, twice(sample.carbon_dioxide), today * factor)
    columns = FullColumns(*(torch.cat([a, a], dim=-1) for a in sample.columns))
    return Sample(columns, carbon_dioxide, twice(sample.methane), twice(sample.nitrous_oxide))


def _about_one(
    n: int, today: npt.NDArray[np.bool_], near: float, ends: tuple[float, float], rng: np.random.Generator
) -> Array:
    """Factors: about 1 where ``today``, else even in the logarithm between ``ends``."""
    return np.exp(np.where(today, rng.normal(0.0, near, n), rng.uniform(np.log(ends[0]), np.log(ends[1]), n)))


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


def _clouds(liquid: Array, ice: Array, t: Array, p: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Clouds left out, kept, scaled, moved to another column, or new ones; mixing ratios of the layers."""
    n = t.shape[1]
    what = rng.random(n)
    other = rng.integers(n, size=n)
    moved = what > 0.55
    liquid, ice = np.where(moved, liquid[:, other], liquid), np.where(moved, ice[:, other], ice)
    scale = np.where(what > 0.4, np.exp(rng.normal(0.0, 1.0, n)), 1.0)
    kept = (what > 0.2) & (what < 0.85)
    liquid, ice = liquid * scale * kept, ice * scale * kept
    new = what > 0.75
    for _ in range(3):
        centre = np.exp(rng.uniform(np.log(1.2e4), np.log(1.0e5), n))
        depth = rng.uniform(1.0e3, 1.2e4, n)
        amount = np.exp(rng.uniform(np.log(1.5e-6), np.log(1.5e-3), n)) * (rng.random(n) < 0.6) * new
        inside = (np.abs(p - centre) < depth) & (p > 1.0e4)
        warm = np.clip((t - 238.0) / 30.0 + rng.normal(0.0, 0.2, n), 0.0, 1.0)
        liquid, ice = liquid + inside * amount * warm, ice + inside * amount * (1.0 - warm)
    cold = t < 233.0
    return np.where(cold, 0.0, liquid), np.where(cold, ice + liquid, ice)


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
    for name in ("liquid", "ice"):
        out[name] = np.take_along_axis(c[name], nearest, axis=0)
    return out
