# SPDX-License-Identifier: BSD-3-Clause
"""Shallow water on a doubly periodic plane, and a twin experiment of assimilation with it (issue of data assimilation).

Fields (..., 3, ny, nx) are h (m, departure from the depth), u and v (m s-1) on the C-grid; a tracer may be a fourth.
"""

from dataclasses import dataclass
from typing import Any

import torch

from components.ml_surrogates.estimation.controls import Alpha, Static, perturbations
from components.ml_surrogates.estimation.cost import Cost, Observations
from components.ml_surrogates.estimation.etkf import letkf
from components.ml_surrogates.estimation.inflation import relax_to_prior_spread
from components.ml_surrogates.estimation.localisation import PeriodicRoot, gaspari_cohn, periodic_distance
from components.ml_surrogates.estimation.minimise import Limits, minimise
from components.ml_surrogates.estimation.perlin import geostrophic_wind, perlin
from components.science.constants import GRAVITY

N, DX, F, DEPTH, DT = 64, 1e5, 1e-4, 1000.0, 720.0
HOUR = 5  # steps an hour
MIXING = 1e15  # m4 s-1, of the fourth-order diffusion


def east(a):
    return torch.roll(a, -1, -1)


def west(a):
    return torch.roll(a, 1, -1)


def north(a):
    return torch.roll(a, -1, -2)


def south(a):
    return torch.roll(a, 1, -2)


def laplacian(a):
    return (east(a) + west(a) + north(a) + south(a) - 4.0 * a) / (DX * DX)


def tendency(x, coriolis=F):
    """Vector-invariant with potential vorticity at corners (Sadourny 1975, energy); u at west, v at south faces."""
    h, u, v = x[..., 0, :, :], x[..., 1, :, :], x[..., 2, :, :]
    depth = DEPTH + h
    fx, fy = 0.5 * (depth + west(depth)) * u, 0.5 * (depth + south(depth)) * v
    at_corner = 0.25 * (depth + west(depth) + south(depth) + south(west(depth)))
    q = (coriolis + (v - west(v) - u + south(u)) / DX) / at_corner  # south-west corner of a cell
    energy = 0.25 * (u * u + east(u) * east(u) + v * v + north(v) * north(v)) + GRAVITY * h
    fy_q, fx_q = 0.5 * (fy + west(fy)) * q, 0.5 * (fx + south(fx)) * q
    dh = -(east(fx) - fx + north(fy) - fy) / DX
    du = 0.5 * (fy_q + north(fy_q)) - (energy - west(energy)) / DX
    dv = -0.5 * (fx_q + east(fx_q)) - (energy - south(energy)) / DX
    parts = [dh, du, dv]
    if x.shape[-3] > 3:  # a tracer's concentration, moved by the flow
        c = x[..., 3, :, :]
        along = u * (c - west(c)) + east(u) * (east(c) - c) + v * (c - south(c)) + north(v) * (north(c) - c)
        parts.append(-0.5 * along / DX)
    rates = torch.stack(parts, -3)
    return rates - MIXING * laplacian(laplacian(x))


def step(x):
    k1 = tendency(x)
    k2 = tendency(x + 0.5 * DT * k1)
    k3 = tendency(x + 0.5 * DT * k2)
    k4 = tendency(x + DT * k3)
    return x + DT / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


@torch.no_grad()
def run(x, hours):
    for _ in range(round(hours * HOUR)):
        x = step(x)
    return x


def balanced(height):
    """Height (..., ny, nx) with its geostrophic wind on the faces."""
    u, v = geostrophic_wind(height, DX, F)
    return torch.stack([height, 0.5 * (u + west(u)), 0.5 * (v + south(v))], -3)


def unbalanced(members, sd, generator):
    """Noise of height, u and v with nothing to do with each other, of the balanced noise's spread."""
    like = balanced(sd * perlin((N, N), generator, members=members))
    parts = [like.select(-3, i).std() * perlin((N, N), generator, members=members) for i in range(3)]
    return torch.stack(parts, -3)


def noise(members, sd, generator, **given):
    return balanced(sd * perlin((N, N), generator, members=members, **given))


def jet():
    y = 2.0 * torch.pi * (torch.arange(N, dtype=torch.float64) + 0.5) / N
    return 60.0 * torch.cos(y)[:, None].expand(N, N)


@dataclass(frozen=True)
class Twin:
    """Truth at 0, 3, 6 and 24 h, a background and an ensemble at 0 h, and observations."""

    truth: dict[int, Any]
    background: Any
    ensemble: Any
    points: Any
    observed: dict[int, Any]


ERROR = torch.tensor([1.0, 0.5, 0.5], dtype=torch.float64)


def twin(seed, members=40, sd=8.0, make=noise, share=0.05, hours=(0, 3, 6)):
    """The experiment of the issue: a jet with balanced noise after 4 days; a 12-h forecast from noise as background."""
    g = torch.Generator().manual_seed(seed)
    before = run(balanced(jet() + 25.0 * perlin((N, N), g)[0]), 96 - 12)
    truth = {0: run(before, 12)}
    halfway = run(before + noise(1, sd, g)[0], 6)
    background = run(halfway, 6)
    ensemble = run(halfway + make(members, sd, g), 6)
    ensemble = ensemble - ensemble.mean(0) + background
    for hour in (3, 6, 24):
        last = max(truth)
        truth[hour] = run(truth[last], hour - last)
    points = torch.randperm(N * N, generator=g)[: round(share * N * N)]
    observed = {}
    for hour in hours:
        exact = at_points(truth[hour], points)
        observed[hour] = exact + ERROR[:, None] * torch.randn(exact.shape, generator=g, dtype=torch.float64)
    return Twin(truth, background, ensemble, points, observed)


def at_points(x, points):
    """Values (..., fields, p) of all fields at points; a wind's are those of the cell's west and south face."""
    return x.flatten(-2)[..., points]


def window(t):
    """The observations of a twin as batches of the cost."""
    error = ERROR[:, None].expand(3, t.points.numel()).reshape(-1)
    see = lambda x: at_points(x, t.points).reshape(-1)  # noqa: E731
    return [Observations(round(hour * HOUR), y.reshape(-1), error, see) for hour, y in t.observed.items()]


def errors(x, truth):
    """RMSE of h (m) and of u (m s-1)."""
    d = x - truth
    return [float(d[i].square().mean().sqrt()) for i in (0, 1)]


def cuts(t, analysis):
    """By how many per cent an analysis cuts the background's error: h, u, and h after 24 h."""
    before, after = errors(t.background, t.truth[0]), errors(analysis, t.truth[0])
    later, late = (errors(x, t.truth[24])[0] for x in run(torch.stack([t.background, analysis]), 24))
    return [100.0 * (1.0 - a / b) for a, b in zip((*after, late), (*before, later), strict=True)]


def envar(t, control, batches=None, iterations=40, step=step):
    """The analysis by J's minimum."""
    cost = Cost(t.background, control, step, window(t) if batches is None else batches, checkpoints=False)
    found = minimise(cost, control.zero(), Limits(iterations=iterations, gradient=1e-2, decrease=1e-3))
    with torch.no_grad():
        return cost.analysis(found.v), found


def localised(t, c=1.2e6):
    return Alpha(perturbations(t.ensemble), PeriodicRoot((N, N), DX, c, t.ensemble))


@torch.no_grad()
def local_filter(t, c=1.2e6):
    """4D-LETKF over all observations of the window; the analysis ensemble and where observations acted."""
    seen, x, now = [], t.ensemble, 0
    for hour in sorted(t.observed):
        x, now = run(x, hour - now), hour
        seen.append(at_points(x, t.points).flatten(1))
    value = torch.cat([t.observed[hour].reshape(-1) for hour in sorted(t.observed)])
    error = ERROR[:, None].expand(3, t.points.numel()).reshape(-1).repeat(len(t.observed))
    weight = gaspari_cohn(distances(t.points), c).repeat(1, 3 * len(t.observed))
    members = t.ensemble.shape[0]
    out, acted = letkf(t.ensemble.flatten(2), torch.cat(seen, 1), value, error, weight)
    return out.reshape(members, 3, N, N), acted.reshape(N, N)


def distances(points):
    """Of all cells to some (n, p), m."""
    y, x = torch.meshgrid(torch.arange(N).double(), torch.arange(N).double(), indexing="ij")
    y, x = y.reshape(-1), x.reshape(-1)
    dy = periodic_distance(y[:, None] - y[points], float(N))
    dx = periodic_distance(x[:, None] - x[points], float(N))
    return DX * torch.sqrt(dy * dy + dx * dx)


def static(t, sd=8.0):
    """B of balanced heights with the mean spectrum of the noise that background errors are drawn from."""
    drawn = perlin((N, N), torch.Generator().manual_seed(99), members=200)
    power = torch.fft.rfft2(drawn).abs().square().mean(0) / (N * N)
    root = lambda v: balanced(sd * torch.fft.irfft2(torch.fft.rfft2(v) * power.sqrt(), s=(N, N)))  # noqa: E731
    return Static(root, (N, N), t.background)


def relative_vorticity(dx):
    """Of an increment (3, ny, nx) at cell centres, s-1."""
    v, u = dx[2], dx[1]
    corner = (v - west(v) - u + south(u)) / DX
    return 0.25 * (corner + east(corner) + north(corner) + east(north(corner)))


ROWS = ("letkf", "en4dvar", "3dvar", "free")
"""Methods of `cycle`, errors of h and u each; the spread of h comes last."""


@dataclass
class Cycling:
    """Where a cycle stands: the truth, the LETKF's ensemble, and what each of the other methods goes on from."""

    truth: Any
    ensemble: Any
    varied: Any
    static: Any
    free: Any
    windows: int = 0


def cycle(windows, seed, members=40, relaxation=0.75, factor=1.03, c=1.2e6, start=None):
    """Windows of 6 h, observed at 0 and 3 h: errors by method after the analysis at 0 h, and where the cycle stands.

    LETKF with RTPS; En4DVar about its own forecasts with the LETKF's perturbations; 3DVar at 0 and 3 h with the noise's
    own climatology, a quarter as wide; a free run.
    """
    t = twin(seed, members=members, hours=(0, 3))
    s = start or Cycling(t.truth[0], t.ensemble, t.background, t.background, t.background)
    g = torch.Generator().manual_seed(1000 * seed + s.windows)
    weight = gaspari_cohn(distances(t.points), c).repeat(1, 6)
    error = ERROR[:, None].expand(3, t.points.numel()).reshape(-1)
    see = lambda x: at_points(x, t.points).reshape(-1)  # noqa: E731
    rows = []
    for _ in range(windows):
        later = run(s.truth, 3)
        value = [see(x) + error * torch.randn(error.shape, generator=g, dtype=torch.float64) for x in (s.truth, later)]
        seen = torch.cat([at_points(x, t.points).flatten(1) for x in (s.ensemble, run(s.ensemble, 3))], 1)
        window_ = [Observations(step, y, error, see) for step, y in zip((0, 3 * HOUR), value, strict=True)]
        about = Twin(t.truth, s.varied, s.ensemble, t.points, {})
        varied, _ = envar(about, localised(about, c), window_, iterations=20)
        with torch.no_grad():
            prior = s.ensemble.flatten(2)
            analysed, acted = letkf(prior, seen, torch.cat(value), error.repeat(2), weight)
            analysed = relax_to_prior_spread(prior, analysed, relaxation, factor, acted)
            ensemble = analysed.reshape(s.ensemble.shape)
        static_, ahead = s.static, []
        for y in value:
            about = Twin(t.truth, static_, s.ensemble, t.points, {})
            x, _ = envar(about, static(about, 2.0), [Observations(0, y, error, see)])
            ahead.append(x)
            static_ = run(x, 3)
        found = (ensemble.mean(0), varied, ahead[0], s.free)
        rows.append([e for x in found for e in errors(x, s.truth)] + [float(ensemble[:, 0].var(0).mean().sqrt())])
        s = Cycling(run(later, 3), run(ensemble, 6), run(varied, 6), static_, run(s.free, 6), s.windows + 1)
    return torch.tensor(rows), s
