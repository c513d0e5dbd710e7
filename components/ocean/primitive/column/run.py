# SPDX-License-Identifier: BSD-3-Clause
"""One column of the ocean through time: the model's own step on a horizontally uniform, periodic sea."""

import math
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch

from components.ocean.primitive.column.parameters import Case
from components.ocean.primitive.horizontal_grid import cartesian
from components.ocean.primitive.idealised import Experiment, set_up
from components.ocean.primitive.parameters import Parameters
from components.ocean.primitive.stencil import HALO
from components.science.constants import EARTH_ROTATION
from components.science.single_column.parameters import at
from components.science.sun import cosine_zenith

CELLS, SIDE = 2, 1.0e4  # of the periodic sea; m
WITHIN_A_STEP = 20  # samples of the sun's height
LAYER = 0.2  # K colder than the first level: the base of the mixed layer


class Course(NamedTuple):
    """A run: times (s) and by name the profiles ``(time, level)`` and the series ``(time,)``."""

    time: np.ndarray
    fields: dict[str, np.ndarray]


def build(case: Case) -> Experiment:
    """The sea at the start.

    Parameters
    ----------
    case : its namelist
    """
    h = case.grid.thickness()
    f0 = case.coriolis_parameter
    if f0 is None:
        f0 = 2.0 * EARTH_ROTATION * math.sin(math.radians(case.latitude))
    z = np.cumsum(h) - 0.5 * h
    mixing: Any = case.vertical_mixing
    p = Parameters(
        dt=float(case.step), substeps=4, mixing=mixing, equation_of_state=case.equation_of_state,
        alpha=case.thermal_expansion, beta=case.haline_contraction, shortwave_type=case.jerlov,
        background_viscosity=case.background_viscosity, background_diffusivity=case.background_diffusivity,
        momentum_advection=False, freezing_limiter=True,
    )  # fmt: skip
    flat = np.zeros((1, CELLS, CELLS))
    return set_up(
        cartesian(CELLS, CELLS, SIDE, SIDE, f0=f0), np.full((CELLS, CELLS), case.grid.depth), h, p,
        case.start.temperature.at(z)[:, None, None] + flat, case.start.salinity.at(z)[:, None, None] + flat,
        periodic_x=True, periodic_y=True,
    )  # fmt: skip


def sunlight(case: Case, time: float) -> float:
    """Net sunlight at the surface over the step from ``time`` (s), W m-2.

    Parameters
    ----------
    case : its namelist
    time : start of the step, s
    """
    mean = at(case.forcing.shortwave, time + 0.5 * case.step)
    if not case.forcing.diurnal:
        return mean
    day = case.day + time / 86400.0
    shares = _shares(case.latitude, math.floor(day), 86400 // case.step)
    return mean * float(shares[int((day % 1.0) * len(shares) + 1e-6) % len(shares)])


@lru_cache(maxsize=4)
def _shares(latitude: float, day: int, steps: int) -> np.ndarray:
    """Sunlight of each step of a day over the day's mean; time is that of the meridian."""
    moments = day + (np.arange(steps * WITHIN_A_STEP) + 0.5) / (steps * WITHIN_A_STEP)
    zero = torch.zeros(1, dtype=torch.float64)
    mu = [float(cosine_zenith(zero, zero + latitude, m)) for m in moments]
    height = np.clip(np.array(mu), 0.0, None).reshape(steps, WITHIN_A_STEP).mean(1)
    return height / height.mean() if height.any() else np.ones(steps)


def run(case: Case) -> Course:
    """Run a column.

    Parameters
    ----------
    case : its namelist
    """
    sea = build(case)
    like = torch.ones_like(sea.geometry.depth_t)
    f, no_flux = case.forcing, sea.forcing
    every = case.output // case.step
    times, seen, sums = [0.0], [_profiles(sea, {})], np.zeros(2)
    steps = case.duration // case.step
    for n in range(steps):
        time = float(n * case.step)
        middle = time + 0.5 * case.step
        light = sunlight(case, time)
        heat = at(f.heat, middle)
        sea.forcing = replace(
            no_flux, stress_x=like * at(f.eastward_stress, middle), stress_y=like * at(f.northward_stress, middle),
            heat=like * heat, shortwave=like * light, water=like * at(f.freshwater, middle),
        )  # fmt: skip
        sea.run(1)
        sums += (light, heat)
        if (n + 1) % every == 0 or n + 1 == steps:  # the end, whether an interval ends there or not
            means = sums * case.step / (time + case.step - times[-1])
            named = {"shortwave": means[0], "heat": means[1]}
            times.append(time + case.step)
            seen.append(_profiles(sea, named))
            sums[:] = 0.0
    return Course(np.array(times), {name: np.array([row[name] for row in seen]) for name in seen[0]})


def _profiles(sea: Experiment, means: dict[str, float]) -> dict[str, Any]:
    """Profiles of a state, and means over the interval before it."""
    s, g = sea.state, sea.geometry
    column = (slice(None), HALO, HALO)
    flat = lambda a: a[column].numpy().copy()  # noqa: E731
    temperature, depth = flat(s.tracers[0]), flat(g.centre)
    colder = np.nonzero(temperature < temperature[0] - LAYER)[0]
    base = depth[-1]
    if colder.size:
        k = int(colder[0])
        base = np.interp(temperature[0] - LAYER, temperature[[k, k - 1]], depth[[k, k - 1]])
    return {
        "depth": depth, "cell_thickness": flat(g.h0), "sea_water_conservative_temperature": temperature,
        "sea_water_absolute_salinity": flat(s.tracers[1]), "eastward_sea_water_velocity": flat(s.u),
        "northward_sea_water_velocity": flat(s.v), "turbulent_kinetic_energy": s.tke[:, 1, 1].numpy().copy(),
        "ocean_mixed_layer_thickness_defined_by_temperature": float(base),
        "surface_net_downward_shortwave_flux": means.get("shortwave", np.nan),
        "surface_downward_heat_flux_without_shortwave": means.get("heat", np.nan),
    }  # fmt: skip
