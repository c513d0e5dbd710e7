# SPDX-License-Identifier: BSD-3-Clause
"""Every number of the model card: errors beside persistence and EOFs, ten days, spectra, dry mass, speed."""

import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from components.ml_surrogates.forecast.inference import advance
from components.ml_surrogates.forecast.network import ForecastNetwork
from components.ml_surrogates.forecast.rivals import Linear, pairs, rms
from components.ml_surrogates.forecast.sampling import AHEAD, EVERY, JET, Plan, Samples, operator
from components.ml_surrogates.forecast.state import dry_surface_pressure, levels_of, of_air, place
from components.ml_surrogates.forecast.training import SECONDS, rollout, scaled_error

UNITS = {"t": "K", "q": "g/kg", "u": "m/s", "v": "m/s", "p": "hPa"}
Scores = dict[str, float]


def part(samples: Samples, kind: str = "", hours: tuple[float, float] = (0.0, 1e9)) -> Samples:
    """Runs whose start has a word in its name, between hours of the run."""
    rows = [n for n, k in enumerate(samples.kinds) if kind in k]
    first, last = (max(0, int(h // EVERY) - 1) for h in hours)
    kinds = tuple(samples.kinds[n] for n in rows)
    return samples._replace(states=samples.states[rows, first : last + 1], sides=samples.sides[rows], kinds=kinds)


@torch.no_grad()
def step_errors(net: ForecastNetwork, linear: Linear, s: Samples) -> Scores:
    """Errors of six hours, each field over its change: network, persistence, EOFs, and ratios.

    Parameters
    ----------
    net, linear : trained
    s : samples not trained on
    """
    x, y = pairs(s)
    sides = s.sides.repeat_interleave(len(x) // len(s.sides), 0)
    learned = torch.cat([rollout(net, a, b, s, 1)[0] for a, b in zip(x.split(64), sides.split(64), strict=True)])
    of = {"network": learned, "persistence": x, "EOFs": linear(x, net)}
    found = {name: rms(scaled_error(net, a, y, s)) for name, a in of.items()}
    return {**found, **{f"over {k}": found["network"] / found[k] for k in ("persistence", "EOFs")}}


def by_field(error: Tensor, x: Tensor) -> Scores:
    """Root mean squares of errors by field, in `UNITS`.

    Parameters
    ----------
    error : (..., 4 nz + 1, cells)
    x : states of those errors, for the surface pressure
    """
    n = levels_of(error[..., None])
    parts = dict(zip(("t", "q", "u", "v"), error[..., :-1, :].split(n, -2), strict=True))
    pressure = torch.exp(x[..., -1, :]) / 100.0
    return {
        **{k: rms(a) * (1e3 if k == "q" else 1.0) for k, a in parts.items()},
        "p": rms(error[..., -1, :] * pressure),
    }


def smallest_waves(x: Tensor) -> Tensor:
    """Power (...,) of waves shorter than three cells, inside the rows that the sides draw to.

    Parameters
    ----------
    x : (..., ny, nx)
    """
    ny, nx = x.shape[-2:]
    window = torch.outer(torch.hann_window(ny, periodic=False), torch.hann_window(nx, periodic=False)).to(x)
    power = torch.fft.rfft2((x - x.mean((-2, -1), keepdim=True)) * window).abs().square()
    k = torch.hypot(torch.fft.fftfreq(ny)[:, None], torch.fft.rfftfreq(nx)[None]).to(x)
    short: Tensor = (power * (k > 1.0 / 3.0)).sum((-2, -1))
    return short


@torch.no_grad()
def long_run(net: ForecastNetwork, s: Samples, days: Sequence[float] = (1, 2, 3, 5, 10)) -> Scores:
    """A forecast from the first state of each run to its end: errors by day, spectra at 24 h, the dry mass.

    Parameters
    ----------
    net : trained
    s : samples not trained on
    days : of the errors
    """
    steps = (s.states.shape[1] - 1) // AHEAD
    x = rollout(net, s.states[:, 0], s.sides, s, steps)
    truth = s.states[:, AHEAD::AHEAD].transpose(0, 1)[:steps]
    found: Scores = {"steps": float(steps), "finite": float(torch.isfinite(x).all())}
    for day in (d for d in days if d * 4 <= steps):
        n = int(day * 4) - 1
        found[f"day {day}"] = rms(scaled_error(net, x[n], truth[n], s))
        found[f"persistence, day {day}"] = rms(scaled_error(net, s.states[:, 0], truth[n], s))
    mass = dry_surface_pressure(s.sides, s.at)
    found["dry mass"] = float((dry_surface_pressure(x, s.at) / mass - 1.0).abs().max())
    found["spread at the end"] = float((x[-1].std((-2, -1)) / truth[-1].std((-2, -1))).nanmedian())
    if steps >= 4:
        n = net.levels
        for k, rows in (("t", slice(0, n)), ("u", slice(2 * n, 3 * n)), ("v", slice(3 * n, 4 * n))):
            a, b = (smallest_waves(y[3][:, rows, 1:-1, 1:-1]).sum(0) for y in (x, truth))
            found[f"spectrum {k}"] = float(a.sum() / b.sum())
            found[f"spectrum {k}, least layer"], found[f"spectrum {k}, most"] = (
                float((a / b).min()),
                float((a / b).max()),
            )
    return found


A_DAY, TOGETHER = 4, 8  # steps; states of an ensemble


@torch.no_grad()
def speed(net: ForecastNetwork, cells: int = 22, turns: int = 10) -> Scores:
    """CPU seconds of six hours by the physical operator and by the network, in turn, on one thread.

    Each turn is six hours of the core, a day of the network, and a day of it for several states: a forecast goes on
    with what its last step left in the processor's cache.

    Parameters
    ----------
    net : trained
    cells : along a side of the map
    turns : of each, of which the median counts
    """
    f, grid = operator([JET], 0.0, Plan([[JET]], 1, 1.0, (0.0, 0.0), cells, net.levels))
    at, first = place(grid, f.height), f.initial
    x = of_air(f.columns(first), at).float()[None]
    mass, steps = dry_surface_pressure(x, at), int(SECONDS / f.seconds)

    def by_core() -> None:
        state = first
        for n in range(steps):
            state = f.advance(state, n * f.seconds)

    def by_network(states: int) -> None:
        y, side, m = x.repeat(states, 1, 1, 1), x.expand(states, -1, -1, -1), mass.expand(states)
        for _ in range(A_DAY):
            y = advance(net, y, side, m, at, SECONDS)

    work: list[Callable[[], None]] = [by_core, lambda: by_network(1), lambda: by_network(TOGETHER)]
    times: list[list[float]] = [[], [], []]
    work[1]()  # compiles, where nobody has before
    for _ in range(turns):
        for spent, do in zip(times, work, strict=True):
            begun = time.process_time()
            do()
            spent.append(time.process_time() - begun)
    core, alone, together = (sorted(t)[turns // 2] for t in times)
    alone, together = alone / A_DAY, together / (A_DAY * TOGETHER)
    return {
        "core, s": core, "network, s": alone, "speedup": core / alone,
        f"network, s a state of {TOGETHER}": together, f"speedup, {TOGETHER} states": core / together,
    }  # fmt: skip


def card(net: ForecastNetwork, linear: Linear, s: Samples, trained_hours: float, about: str) -> str:
    """The model card in Markdown.

    Parameters
    ----------
    net, linear : trained
    s : samples not trained on
    trained_hours : length of the runs that were trained on
    about : a sentence on the training
    """
    kinds = sorted({k.split()[0] for k in s.kinds})
    rows = {"all": part(s), f"to hour {trained_hours:.0f}": part(s, hours=(0.0, trained_hours))}
    if s.states.shape[1] * EVERY > trained_hours + 24.0:
        rows[f"from hour {trained_hours:.0f} on (no run trained on was as long)"] = part(s, hours=(trained_hours, 1e9))
        rows |= {f"{k} to hour {trained_hours:.0f}": part(s, k, hours=(0.0, trained_hours)) for k in kinds}
    rows |= {k: part(s, k) for k in kinds}
    lines = ["# Model card: learned forecast of six hours, 295 km", "", about, "",
             f"Runs not trained on (air, degrees east of East Asia): {', '.join(s.kinds)}.",
             "Errors of six hours, each field over its change.", "",
             "| | network | persistence | EOFs | over persistence (asked .5) | over EOFs (asked .8) |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for name, some in rows.items():
        e = step_errors(net, linear, some)
        lines.append(f"| {name} | " + " | ".join(f"{e[k]:.3f}" for k in e) + " |")
    lines += ["", f"EOFs: {len(linear.patterns)}, ridge {linear.ridge:g}, chosen by runs held out of the training.", ""]
    lines += ["| six hours, all layers | " + " | ".join(f"{k}, {u}" for k, u in UNITS.items()) + " |", "|---" * 6 + "|"]
    x, y = pairs(s)
    sides = s.sides.repeat_interleave(len(x) // len(s.sides), 0)
    with torch.no_grad():
        for name, a in (("network", rollout(net, x, sides, s, 1)[0]), ("persistence", x), ("EOFs", linear(x, net))):
            e = by_field((a - y)[..., s.at.inside], y[..., s.at.inside])
            lines.append(f"| {name} | " + " | ".join(f"{v:.3f}" for v in e.values()) + " |")
    lines += ["", "| forecasts to the runs' end | |", "|---|---|"]
    lines += [f"| {k} | {v:.3g} |" for k, v in long_run(net, s).items()]
    lines += [f"| {k} | {v:.4g} |" for k, v in speed(net, s.states.shape[-1]).items()]
    return "\n".join(lines) + "\n"
