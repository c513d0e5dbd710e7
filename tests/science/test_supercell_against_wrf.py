# SPDX-License-Identifier: BSD-3-Clause
"""A supercell with a quarter-circle hodograph, with Kessler's rain and with graupel, beside the same in WRF v4.7.1.

41 x 41 columns of 2 km, 40 levels to 20.04 km, 12-s steps, open sides, a +3 K bubble; WRF used a TKE closure, this run
the two-dimensional Smagorinsky viscosity. Sounding and series: shared/reference/wrf. The two-hour run draws the
README's figure, supercell.png, into its temporary folder (pytest --basetemp=FOLDER keeps it).
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import matplotlib.figure
import numpy as np
import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics import base_state, diffusion, geometry, timestep
from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import VAPOUR_FACTOR
from components.atmosphere.nonhydrostatic.ideal import initial_state
from components.atmosphere.nonhydrostatic.physics.columns import columns, put_back
from components.atmosphere.nonhydrostatic.physics.tables import MICROPHYSICS
from components.science.constants import CP_DRY, GRAVITY
from components.science.halo import Edges

H = geometry.HALO
OPEN = Edges("open", "open", "open", "open")


@dataclass
class Sample:
    """The storm at one time (minutes): extremes of w (m/s), rain (mm), rows of the domain with strong updraught.

    ``area`` is the share of the domain with more than 1 mm of rain, ``paths`` the domain's mean of each species, kg/m2.
    """

    minutes: float
    w_max: float
    w_min: float
    rain_mean: float
    rain_max: float
    area: float
    paths: dict[str, float]
    rows: list[int]


def sounding(path):
    """Height (m), theta_m (K), vapour (kg/kg), pressure (Pa), u and v (m/s) on a fine grid, in hydrostatic balance."""
    with open(path) as f:
        lines = [[float(a) for a in line.split()] for line in f]
    surface, rows = lines[0], np.array(lines[1:])
    z = np.arange(0.0, 20100.0, 5.0)
    heights = np.concatenate([[0.0], rows[:, 0]])
    at = lambda first, column: np.interp(z, heights, np.concatenate([[first], rows[:, column]]))  # noqa: E731
    q = at(surface[2], 2) * 1e-3
    theta_m = at(surface[1], 1) * (1.0 + VAPOUR_FACTOR * q)
    slope = GRAVITY * (1.0 + q) / (CP_DRY * theta_m)
    pi = (surface[0] / 1000.0) ** (2 / 7) - np.concatenate([[0.0], np.cumsum(2.5 * (slope[1:] + slope[:-1]))])
    return z, theta_m, q, 1e5 * pi**3.5, at(rows[0, 3], 3), at(rows[0, 4], 4)


def run(shared, minutes: int, scheme: str = "kessler", dtype=torch.float32) -> list[Sample]:
    """A sample every ten minutes."""
    chosen = MICROPHYSICS.choose(scheme)
    names, clouds = [t.name for t in chosen.scheme.species], chosen.ready()
    torch.set_num_threads(1)
    fine = sounding(shared / "reference/wrf/quarter_ss_sounding.txt")
    n, dx, nz, top, dt = 41, 2000.0, 40, 20040.0, 12.0
    interfaces = torch.linspace(0, top, nz + 1, dtype=torch.float64)[:, None, None].expand(nz + 1, n, n)
    g = geometry.build_geometry(interfaces, dx, dx, base_state.LogPressure(300.0)).to(dtype)
    levels = g.z[:, 0, 0].double().numpy()
    theta_m, q_v, p, u, v = (
        torch.tensor(np.interp(levels, fine[0], a), dtype=dtype)[:, None, None].expand(g.dz.shape).contiguous()
        for a in fine[1:]
    )
    state = initial_state.resting_state(g, theta_m, p[0], q_v)
    x = initial_state.centres_x(n, dx).to(dtype)
    r = torch.sqrt((x[None, :] / 1e4) ** 2 + (x[:, None] / 1e4) ** 2 + ((g.z - 1500.0) / 1500.0) ** 2)
    bubble = torch.where(r < 1.0, 3.0 * torch.cos(0.5 * math.pi * r) ** 2, 0.0)
    state = initial_state.warmed(g, state, bubble * (1.0 + VAPOUR_FACTOR * q_v))
    state = initial_state.with_wind(g, state.rho, state.rtheta, u[:, :1, :1], v[:, :1, :1])
    q = torch.stack([q_v, *(torch.zeros_like(q_v) for _ in names[1:])])
    core = timestep.Dynamics(g, timestep.Options(acoustic_steps=6, damping_depth=5000.0), OPEN)
    core.halo([*state, q], H)
    rain, samples, i = torch.zeros((n, n), dtype=dtype), [], slice(H, -H)
    for step in range(minutes * 5):
        d = core.diagnose(state)
        k = diffusion.smagorinsky_2d(g, d)
        mass = (g.rho_base + state.rho)[:, 3:-3, 3:-3]
        mixed = diffusion.horizontal_scalar(g, q[..., 3:-3, 3:-3], mass * k) / mass[:, 1:-1, 1:-1]
        new, flux = core.step(state, dt, sum(q[1:], q[0]), diffusion.diffuse(g, state, d, k))
        q = core.transport(q, new, flux, dt)
        q[..., i, i] += dt * mixed
        c = columns(g, new, q[0])
        wet = clouds(c, c.theta, dict(zip(names, q[..., i, i], strict=True)), dt)
        state, q = put_back(g, core.halo, new, c, wet.theta, [wet.q[n] for n in names])
        rain += wet.rain + wet.snow
        if (step + 1) % 50 == 0:
            w = core.diagnose(state).w[1:-1, 3:-3, 3:-3]
            rows = (w.amax(0).amax(1) > 0.5 * w.max()).nonzero().flatten().tolist()
            means = (c.mass * q[..., i, i]).sum(1).mean((1, 2)).tolist()
            samples.append(
                Sample(
                    (step + 1) / 5, float(w.max()), float(w.min()), float(rain.mean()), float(rain.max()),
                    float((rain > 1.0).float().mean()), dict(zip(names, means, strict=True)), rows,
                )
            )  # fmt: skip
            print(samples[-1])
    return samples


def wrf_series(shared) -> dict[float, dict[str, float]]:
    """WRF's figures of each time (minutes)."""
    with open(shared / "reference/wrf/quarter_ss_kessler.csv") as f:
        return {float(row["t_min"]): {k: float(v) for k, v in row.items()} for row in csv.DictReader(f)}


def draw(samples: list[Sample], wrf: dict[float, dict[str, float]], path: Path) -> None:
    """Extremes of w and the domain's rain over WRF's points, as a small png."""
    figure = matplotlib.figure.Figure(figsize=(8.0, 3.0), dpi=80, layout="constrained")
    left, right = figure.subplots(1, 2)
    minutes = [0.0] + [s.minutes for s in samples]
    for ours, name in ((lambda s: s.w_max, "wmax"), (lambda s: s.w_min, "wmin")):
        left.plot(
            minutes, [0.0] + [ours(s) for s in samples], color="C0", label="this model" if name == "wmax" else None
        )
        left.plot(list(wrf), [r[name] for r in wrf.values()], "k.", label="WRF 4.7.1" if name == "wmax" else None)
    right.plot(minutes, [0.0] + [s.rain_mean for s in samples], color="C0")
    right.plot(list(wrf), [r["rain_mean_mm"] for r in wrf.values()], "k.")
    left.set(xlabel="minutes", ylabel="extremes of w, m/s", xlim=(0, 120))
    right.set(xlabel="minutes", ylabel="rain, mean of the domain, mm", xlim=(0, 120), ylim=(0, None))
    left.legend(frameon=False)
    figure.savefig(path)


def test_supercell_in_the_first_20_minutes(shared):
    """The bubble's ascent and the first cloud, beside WRF's."""
    at, wrf = {s.minutes: s for s in run(shared, 20)}, wrf_series(shared)
    for minutes in (10, 20):
        assert abs(at[minutes].w_max - wrf[minutes]["wmax"]) < 0.1 * wrf[minutes]["wmax"]


@pytest.mark.slow
def test_supercell_at_60_minutes(shared):
    at = {s.minutes: s for s in run(shared, 60)}
    assert 36.0 < at[60].w_max < 48.0
    assert 0.7 < at[60].rain_mean < 1.5
    wrf = wrf_series(shared)
    for minutes in (10, 20, 30):
        assert abs(at[minutes].w_max - wrf[minutes]["wmax"]) < 0.1 * wrf[minutes]["wmax"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_supercell_at_120_minutes_has_split(shared, tmp_path):
    samples = run(shared, 120)
    draw(samples, wrf_series(shared), tmp_path / "supercell.png")
    at = {s.minutes: s for s in samples}
    assert 7.0 < at[120].rain_mean < 13.0
    rows = at[100].rows
    assert min(rows) < 14 and max(rows) > 27, "a right and a left mover, apart by more than half the domain"
    assert not set(range(17, 24)) & set(rows), "no strong updraught between them"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_supercell_with_graupel_at_60_minutes(shared):
    """WRF v4.7.1 with WSM6 in the place of Kessler's scheme: means of the domain."""
    got = run(shared, 60, "wsm6")[-1]
    assert abs(got.rain_mean - 0.63) < 0.2 * 0.63
    assert abs(got.area - 0.067) < 0.3 * 0.067
    assert abs(got.paths["snow"] - 0.71) < 0.35 * 0.71
    assert abs(got.paths["graupel"] - 2.03) < 0.35 * 2.03
    assert abs(got.w_max - 45.7) < 0.1 * 45.7
