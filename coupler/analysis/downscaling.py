# SPDX-License-Identifier: BSD-3-Clause
"""The command ``downscale``: fields of a run on a finer grid, several members of them, drawn by a learned model.

The framework knows nothing of the network: the learned model says which fields it makes finer and on which grid, and
draws them record by record.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cftime
import netCDF4
import numpy as np
import numpy.typing as npt

from coupler.analysis.records import opened, outputs, parts
from coupler.by_name import load
from coupler.case.case import make_plan
from coupler.case.members import ensemble_of
from coupler.case.preparation import Progress
from coupler.errors import CaseError
from coupler.files import sources
from coupler.files.atomic import whole_file
from coupler.files.history import at_level, define_grid, define_level, define_time, history_path, standard_name
from coupler.grids.grid import Grid
from coupler.netcdf.packed import in_unit
from coupler.paths import COMMAND, typed
from coupler.plan import ComponentPlan, Plan, Stream

LEARNED = "components.ml_surrogates.downscaling.refinement:Refinement"
MOST = 1000
"""Members of one file at most; also the distance of the seeds of two records."""


class Source(NamedTuple):
    """Where the coarse fields come from."""

    component: ComponentPlan
    stream: Stream
    path: Path
    grid: Grid


def downscale(o: argparse.Namespace) -> int:
    """Write the members of a run's fields on the finer grid; returns the exit code.

    Parameters
    ----------
    o : options of `downscaling_command.describe_downscale`

    Raises
    ------
    CaseError
        A number of members that cannot be, no output to make finer, a day without records, or a file that is there.
    ModelFileError
        Networks that are missing, damaged, or not for these cells.
    """
    if not 1 <= o.members < MOST:
        raise CaseError(f"--members {o.members}: expected 1 to {MOST - 1}")
    if ensemble_of(o.case) is not None:
        raise CaseError(f"{o.case} is an ensemble; name a member:  {COMMAND} downscale {o.case}/run/member_000")
    plan = make_plan(o.case)
    model = load(LEARNED)(o.network)
    source = _source(plan, model, o.component)
    out = o.out or plan.folder / "run" / "downscaled" / source.path.name
    if out.resolve() in {path.resolve() for path in parts(source.path)}:
        raise CaseError(f"--out {out} is the output that is made finer; name another file")
    fine = model.on(source.grid)
    chosen = [(path, numbers) for path in parts(source.path) if (numbers := _records(path, o.day))]
    if not chosen:
        raise CaseError(f"{source.path} has no record{' that ends on ' + o.day if o.day else ''}")
    if out.exists() and not o.overwrite:
        raise CaseError(f"{out} is there already; name another file with --out, or say --overwrite")
    out.parent.mkdir(parents=True, exist_ok=True)
    whole, progress, strange = sum(len(n) for _, n in chosen), Progress(), dict.fromkeys(model.fields, 0.0)
    with whole_file(out) as made, netCDF4.Dataset(made, "w", format="NETCDF4_CLASSIC") as file:
        _define(file, plan, source, fine, model, o.members, o.seed)
        for n, (end, bounds, values) in enumerate(_read(chosen, model)):
            for name, share in model.untrained(values).items():
                strange[name] += share / whole
            drawn = model.draw(values, o.members, MOST * (o.seed * 10_000_019 + int(end)))
            file["time"][n], file["time_bounds"][n] = end, bounds
            for k, name in enumerate(model.fields):
                file[name][n] = drawn[:, k]
            progress(f"record {n + 1} of {whole}", (n + 1) / whole)
    progress.end()
    for name, share in strange.items():
        if share:
            print(f"note: {share:.2%} of the values of {name} lie outside what the network has seen in training")
    print(f"{o.members} member{'s' if o.members > 1 else ''} on {fine.shape[1]} x {fine.shape[0]} cells: {out}")
    return 0


def _source(plan: Plan, model: Any, name: str | None) -> Source:
    """The stream with the fields, among those of the case."""
    wanted = ", ".join(model.fields)
    known = [c.name for c in plan.components]
    if name is not None and name not in known:
        raise CaseError(f"{plan.folder} has no component {name!r}; it has {', '.join(known)}")
    having = [
        (c, s) for c in plan.components for s in c.streams
        if name in (None, c.name) and set(model.fields) <= set(s.fields)
    ]  # fmt: skip
    fitting = [(c, s) for c, s in having if (s.statistic, s.period.seconds) == ("mean", model.seconds)]
    if not fitting:
        found = "; ".join(f"{c.name}.{s.name} has {s.statistic} of {s.period}" for c, s in having) or "none has them"
        raise CaseError(
            f"{plan.folder}: expected a stream of output with means of {model.seconds} s of {wanted}, found: {found};"
            f" add one to  output:  and run again (what it looks like:  {COMMAND} downscale --help)"
        )
    if len({c.name for c, _ in fitting}) > 1:
        raise CaseError(f"say whose output: --component with one of {', '.join(c.name for c, _ in fitting)}")
    component, stream = fitting[0]
    path = history_path(plan.folder / "run", component.name, stream.name)
    if path not in outputs(path.parent):
        raise CaseError(f"{path} does not exist; run the case first:  {typed(plan.folder)}")
    grid = next((f.grid for f in (*component.exports, *component.imports) if f.name == model.fields[0]), "default")
    return Source(component, stream, path, component.grids[grid])


def _records(path: Path, day: str | None) -> list[int]:
    """Numbers of the records of a file, or of those that end on a day; midnight ends the day before."""
    with opened(path) as file:
        t = file["time"]
        if day is None:
            return list(range(t.size))
        dates = np.atleast_1d(cftime.num2date(np.asarray(t[:]) - 1.0, t.units, t.calendar))
        return [n for n, d in enumerate(dates) if d.strftime("%Y-%m-%d") == day]


def _read(
    chosen: Sequence[tuple[Path, list[int]]], model: Any
) -> Iterator[tuple[float, npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """End (s since the start of the case), bounds and values (fields, y, x) of one record after the other.

    In the units of the model: other programs may have been at the file since it was written.
    """
    wanted = list(zip(model.fields, model.units, strict=True))
    for path, numbers in chosen:
        with opened(path) as file:
            if lacking := [f for f in model.fields if f not in file.variables]:
                raise CaseError(f"{path} has no {', '.join(lacking)}; run the case again, or name another network")
            for n in numbers:
                values = np.stack([in_unit(file[f], unit, n, CaseError) for f, unit in wanted])
                if not np.isfinite(values).all():
                    raise CaseError(f"{path}: record {n + 1} has cells without a value; downscaling needs all of them")
                yield float(file["time"][n]), np.asarray(file["time_bounds"][n]), values


def _define(file: Any, plan: Plan, source: Source, fine: Grid, model: Any, members: int, seed: int) -> None:
    """Axes, grid and fields of the file, without records."""
    component = source.component
    file.Conventions = "CF-1.11"
    file.title = f"{plan.title}: {component.name} ({component.model}), downscaled"
    file.setncatts(sources.attributes(plan.folder))
    file.source = f"Tessera, {component.realm} model {component.model}; {model.about}; seed {seed}"
    file.history = f"{source.stream.statistic} every {source.stream.period} of {source.path.name}; downscale"
    file.createDimension("time", None)
    define_time(file, plan.clock.start, plan.clock.calendar, bounds=True)
    define_grid(file, fine, "")
    file.createDimension("realization", members)
    number = file.createVariable("realization", "i4", ("realization",))
    number.standard_name, number.units, number.axis = "realization", "1", "E"
    number[:] = np.arange(members)
    places = [] if "lat" in file.dimensions else ["lat", "lon"]
    cells = ("lat", "lon") if not places else ("y", "x")
    for name, units in zip(model.fields, model.units, strict=True):
        variable = file.createVariable(name, "f4", ("time", "realization", *cells), zlib=True, complevel=1)
        base, level, unit = at_level(name)
        if called := standard_name(base):
            variable.standard_name = called
        variable.units, variable.cell_methods = units, f"time: {source.stream.statistic}"
        if units == "K":
            variable.units_metadata = "temperature: on_scale"
        own = [*places, *([define_level(file, level, unit)] if unit else [])]
        if own:
            variable.coordinates = " ".join(own)
        if fine.crs:
            variable.grid_mapping = "crs"
