# SPDX-License-Identifier: BSD-3-Clause
"""Samples: runs of the physical operator from several airs, each with a balanced disturbance of its own.

The map lies anywhere on its circle of latitude, so that one global analysis gives many starts; the ground is flat.
"""

import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from components.ml_surrogates import forecast_operators
from components.ml_surrogates.estimation import air_perturbations
from components.ml_surrogates.estimation.air import unpacked
from components.ml_surrogates.estimation.nature_runs import nature_context
from components.ml_surrogates.forecast.hemispheres import exchanged
from components.ml_surrogates.forecast.mixtures import mixed
from components.ml_surrogates.forecast.state import Place, of_air, place
from components.ml_surrogates.model_file import ModelFileError
from components.ml_surrogates.progress import left
from coupler.clock import Clock
from coupler.errors import CaseError
from coupler.files.atomic import whole_file
from coupler.netcdf.dates import decode
from coupler.netcdf.opening import open_dataset

PHYSICAL = "nonhydrostatic"
HOURS = 6  # of the learned step
EVERY = 3  # hours between states that are kept
AHEAD = HOURS // EVERY  # states between those of a step
JET = "jet"
LIMITER = "positive"  # of the transport of vapour: none below zero, as in the coupled atmosphere, at no cost


class Samples(NamedTuple):
    """Runs between held sides.

    Attributes
    ----------
    states : (runs, times, 4 nz + 1, ny, nx) every `EVERY` hours, the first `EVERY` hours after the start
    sides : (runs, 4 nz + 1, ny, nx)
    kinds : (runs,) what each started from
    at : place, alike for all
    """

    states: Tensor
    sides: Tensor
    kinds: tuple[str, ...]
    at: Place


class Plan(NamedTuple):
    """What is to be run.

    Attributes
    ----------
    drivers : ``jet``, or files of an analysis, taken in turn
    runs, days : how many, how long
    sector : degrees east of East Asia between which the map lies
    cells, levels : of the map
    seed : of places and disturbances
    minutes : after which no further run begins
    disturbance : of the start
    mirrored : analyses have north and south exchanged
    mixed : analyses have the eddies of two places of the sector instead of the map's own
    """

    drivers: Sequence[Sequence[str]]
    runs: int
    days: float
    sector: tuple[float, float]
    cells: int = 22
    levels: int = 16
    seed: int = 1
    minutes: float = 1e9
    disturbance: air_perturbations.Size = air_perturbations.Size(4.0, 1.0, 0.1)
    mirrored: bool = False
    mixed: bool = False


def clock_of(driver: Sequence[str]) -> Clock:
    """Dates that begin with an analysis; those of a jet are free."""
    if driver[0] == JET:
        return Clock("2001-01-01", "noleap")
    with open_dataset(driver[0], CaseError) as file:
        axis = next((v for name, v in file.variables.items() if name in ("time", "valid_time")), None)
        if axis is None:
            raise CaseError(f"{driver[0]}: expected dates in a variable time, found none")
        first = decode(axis, driver[0], CaseError).dates[0]
    return Clock(first.strftime("%Y-%m-%dT%H:%M:%S"), "noleap")


def operator(driver: Sequence[str], east: float, p: Plan) -> tuple[Any, Any]:
    """The physical operator and its grid.

    Parameters
    ----------
    driver : of `Plan`
    east : degrees from East Asia
    p : what is to be run
    """
    context = nature_context(clock_of(driver), p.cells, int((p.days + 1) * 86400), east)
    files = [] if driver[0] == JET else list(driver)
    options = {"levels": p.levels, "jet": "january", "relief": "", "precision": "single", "driver": files}
    options |= {"limiter": LIMITER}
    return forecast_operators.make(PHYSICAL, context, options), context.grid


@torch.no_grad()
def sample(p: Plan, tell: Callable[[str], None] = print, keep: Callable[[Samples], None] = lambda s: None) -> Samples:
    """Runs of the physical operator.

    Parameters
    ----------
    p : what is to be run
    tell : takes a line of text after each run
    keep : takes the samples so far after each run, so that a stop loses one run at most
    """
    with tempfile.TemporaryDirectory() as folder:
        return _sample(_mirrored(p, Path(folder)) if p.mirrored else p, Path(folder), tell, keep)


def _mirrored(p: Plan, folder: Path) -> Plan:
    """The same from analyses with north and south exchanged, which are written into a folder."""
    drivers = []
    for n, driver in enumerate(p.drivers):
        (folder / str(n)).mkdir()
        drivers.append(driver if driver[0] == JET else exchanged(driver, folder / str(n)))
    return p._replace(drivers=drivers)


def _mixed(driver: Sequence[str], east: float, p: Plan, folder: Path, rng: np.random.Generator) -> list[str]:
    """An analysis with the eddies of two places of the sector where the map lies; its files replace the last run's."""
    there = rng.uniform(*p.sector, size=2) - east
    return mixed(driver, folder, [float(e) for e in there], float(rng.uniform(0.0, 2.0 * np.pi)))


def _sample(p: Plan, folder: Path, tell: Callable[[str], None], keep: Callable[[Samples], None]) -> Samples:
    rng, begun = np.random.default_rng(p.seed), time.monotonic()
    runs: list[Tensor] = []
    sides: list[Tensor] = []
    kinds: list[str] = []
    at: Place | None = None
    for n in range(p.runs):
        if n and time.monotonic() - begun > 60.0 * p.minutes:
            break
        driver, east = p.drivers[n % len(p.drivers)], float(rng.uniform(*p.sector))
        if p.mixed and driver[0] != JET:
            driver = _mixed(driver, east, p, folder, rng)
        f, grid = operator(driver, east, p)
        here = place(grid, f.height)
        at = at or here
        air = {k: a.double() for k, a in f.columns(f.initial).items()}
        latitude = torch.as_tensor(np.array(grid.latitude), dtype=torch.float64)
        spacing, seed = float(here.size.mean()), 1000 * p.seed + n
        drawn = air_perturbations.drawn(air, latitude, spacing, 2, p.disturbance, "balanced", seed)[0]
        kept = _run(f, unpacked(drawn), here, p.days)
        if kept is None:
            tell(f"run {n + 1} of {p.runs} ({driver[0]}, {east:.0f} degrees east) broke down and is left out")
            continue
        runs.append(kept)
        sides.append(of_air(f.sides(0.0), here).float())
        kinds.append(f"{Path(driver[0]).name}{' mirrored' * p.mirrored}{' mixed' * p.mixed} {east:.0f}")
        keep(Samples(torch.stack(runs), torch.stack(sides), tuple(kinds), at))
        tell(f"run {n + 1} of {p.runs} ({kinds[-1]})   {left(begun, n + 1, p.runs)}")
    if at is None or not runs:
        raise RuntimeError("expected runs that do not break down, found none")
    return Samples(torch.stack(runs), torch.stack(sides), tuple(kinds), at)


def _run(f: Any, added: Mapping[str, Tensor], at: Place, days: float) -> Tensor | None:
    """States of a run every `EVERY` hours; None where it breaks down."""
    state, kept, steps = f.initial, [], int(days * 86400 / f.seconds)
    try:
        for n in range(steps):
            state = f.advance(state, n * f.seconds, added if n == 0 else None)
            if (n + 1) * f.seconds % (EVERY * 3600) == 0:
                kept.append(of_air(f.columns(state), at).float())
    except f.failures:
        return None
    return torch.stack(kept)


FIELDS = ("height", "cos", "sin", "size", "coriolis", "rim")


def save(path: Path, s: Samples) -> None:
    """Write samples, whole or not at all.

    Parameters
    ----------
    path : safetensors
    s : samples
    """
    tensors = {"states": s.states, "sides": s.sides, **{k: getattr(s.at, k) for k in FIELDS}}
    about = {"kinds": json.dumps(s.kinds), "what": "forecast samples"}
    with whole_file(path) as part:
        save_file({k: a.contiguous() for k, a in tensors.items()}, part, metadata=about)


def load(path: Path) -> Samples:
    """Samples of a file.

    Raises
    ------
    ModelFileError
        It is missing, or holds something else.
    """
    remedy = "python -m components.ml_surrogates.forecast sample makes such a file"
    try:
        with safe_open(str(path), "pt") as file:
            about = file.metadata() or {}
            if about.get("what") != "forecast samples":
                raise ModelFileError(f"{path}: expected samples of the forecast, found other tensors; {remedy}")
            get = file.get_tensor
            at = Place(*(get(k) for k in FIELDS))
            return Samples(get("states"), get("sides"), tuple(json.loads(about["kinds"])), at)
    except (OSError, SafetensorError) as error:
        raise ModelFileError(f"{path} cannot be read: {error}; {remedy}") from error


def of_one_length(parts: Sequence[Samples]) -> list[Samples]:
    """Samples of several files of one place: those of each length as one, the longest first.

    Raises
    ------
    ModelFileError
        They are of different maps or levels.
    """
    lengths = sorted({s.states.shape[1] for s in parts}, reverse=True)
    _check_map(parts)
    return [joined([s for s in parts if s.states.shape[1] == n]) for n in lengths]


def joined(parts: Sequence[Samples]) -> Samples:
    """Samples of several files of one place, as long as the shortest.

    Raises
    ------
    ModelFileError
        They are of different maps or levels.
    """
    _check_map(parts)
    times = min(s.states.shape[1] for s in parts)
    return Samples(
        torch.cat([s.states[:, :times] for s in parts]), torch.cat([s.sides for s in parts]),
        tuple(k for s in parts for k in s.kinds), parts[0].at,
    )  # fmt: skip


def _check_map(parts: Sequence[Samples]) -> None:
    """Stop where fields are of several sizes."""
    shapes = {tuple(s.states.shape[2:]) for s in parts}
    if len(shapes) > 1:
        raise ModelFileError(f"expected samples of one map, found fields of {sorted(shapes)}; sample them alike")


def parted(s: Samples, every: int) -> tuple[Samples, Samples]:
    """Most of the runs, and one of every so many; the last where there are fewer."""
    runs = range(len(s.kinds))
    held = [n for n in runs if n % every == every - 1] or [runs[-1]]
    rest = [n for n in runs if n not in held] or held
    return tuple(
        s._replace(states=s.states[n], sides=s.sides[n], kinds=tuple(s.kinds[i] for i in n)) for n in (rest, held)
    )  # type: ignore[return-value]
