# SPDX-License-Identifier: BSD-3-Clause
"""From analyses on pressure levels to the initial and the boundary file of a case: `./run_case.py prepare`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from components.atmosphere.nonhydrostatic.driving import driver_files
from components.atmosphere.nonhydrostatic.driving.analysis_files import AnalysisFiles, DriverError
from components.atmosphere.nonhydrostatic.driving.bias_correction import Corrected, months_of, refuse
from components.atmosphere.nonhydrostatic.driving.driving_data import Analyses, Fields, Place, at, too_short
from components.atmosphere.nonhydrostatic.dynamics.balance import hydrostatic_column
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO, Geometry
from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import VAPOUR_FACTOR
from components.atmosphere.nonhydrostatic.physics.columns import INNER
from components.science.constants import GAMMA, KAPPA, P_REFERENCE, R_DRY
from coupler.clock import Clock
from coupler.component import Bias, Setting
from coupler.files.bias.writing import ENDING

Array = npt.NDArray[np.float64]

WHOLE = 31 * 86400
"""A run up to this long, s, has its sides in one file."""


def prepare(
    setting: Setting,
    geometry: Geometry,
    vertical: dict[str, Any],
    files: Sequence[Path],
    humidity_from: Sequence[Path],
    report: Callable[[str, float], None],
    bias: Bias | None = None,
) -> dict[str, list[str]]:
    """Write ``<component>.initial.nc`` and ``<component>.boundary.nc`` into the case's folder; the options naming them.

    A run of more than `WHOLE` seconds gets a boundary file a calendar month, ``<component>.boundary.2001-01.nc``.

    Parameters
    ----------
    setting : grid, dates and folder of the component
    geometry : of the whole domain, double precision
    vertical : options that make the levels, written into the files
    files : analyses
    humidity_from : a state whose relative humidity is used where the analyses have none
    report : takes a line of text and the share of the work that is done
    bias : how the bias of the analyses is taken off; what is changed is written into ``<component>.bias.nc``

    Raises
    ------
    DriverError
        Data that do not reach the grid's edges or the start of the case, or that lack what cannot be supplied.
    """
    data = Analyses(files, setting.clock, humidity_from)
    grid, times = setting.grid, data.times
    z = geometry.z[:, INNER, INNER].numpy()
    place = Place(grid.longitude, grid.latitude, z)
    late = too_short(times, setting, str(data.files))
    if late and not times[0] <= 0.0 <= times[-1]:
        raise DriverError(late[0])
    first = max(n for n, t in enumerate(times) if t <= 0.0)
    last = next((n for n, t in enumerate(times) if t >= setting.duration), len(times) - 1)
    records = range(first, max(last, first) + 1)
    corrected = None if bias is None else _correction(data, bias, setting, records, report)
    made: dict[int, Fields] = {}

    def balanced(n: int) -> Fields:
        if n not in made:
            made.clear()
            made[n] = hydrostatic(geometry, data.read(n, place))
        return made[n]

    def sides(part: Sequence[int]) -> Iterator[tuple[int, Fields]]:
        for done, n in enumerate(part, part[0] - records[0]):
            fields = balanced(n)
            when = setting.clock.text(int(times[n]))
            report(f"{when}: surface air {span(fields['t'][0], 'K')}, {span(fields['p'][0] / 100.0, 'hPa')}",
                   (done + 1) / len(records))  # fmt: skip
            yield int(times[n]), fields

    def write(kind: str, states: Any, month: str = "") -> None:
        path = setting.folder / f"{setting.name}.{kind}{month}.nc"
        driver_files.write(path, kind, grid, z, vertical, setting.clock, states, notes())

    def notes() -> list[str]:
        return data.notes() + ([] if corrected is None else corrected.notes())

    start = balanced(first) if times[first] == 0.0 else hydrostatic(geometry, at(data, 0.0, place))
    for note in [*notes(), *late]:
        report(f"note: {note}", 0.0)
    write("initial", [(0, start)])
    months = by_month(times, records, setting.clock) if setting.duration > WHOLE else {"": list(records)}
    for month, part in months.items():
        write("boundary", sides(part), month)
    if corrected is not None:
        corrected.write(setting.folder / f"{setting.name}{ENDING}")
    every = "" if "" in months else ".*"
    return {"driver": [f"{setting.name}.initial.nc", f"{setting.name}.boundary{every}.nc"]}


def by_month(times: Sequence[float], records: Iterable[int], clock: Clock) -> dict[str, list[int]]:
    """Records by the calendar month of their time (s since the start of the case), under endings of file names."""
    found: dict[str, list[int]] = {}
    for n in records:
        found.setdefault(clock.date(int(times[n])).strftime(".%Y-%m"), []).append(n)
    return found


def _correction(
    data: Analyses, bias: Bias, setting: Setting, records: range, report: Callable[[str, float], None]
) -> Corrected:
    """The correction of the driver's bias, which the analyses then apply as they are read."""
    reference = AnalysisFiles(bias.reference)
    dates = [setting.clock.date(0), setting.clock.date(max(setting.duration - 1, 0))]
    dates += [date for date in (data.files.dates[n] for n in records[:-1]) if date is not None]
    refuse(data.files, reference, months_of(dates), bias)
    keep = setting.folder / f"{setting.name}.bias_months.npz"
    data.corrected = Corrected(
        data.files, reference, setting.grid.longitude, setting.grid.latitude, bias, keep, report
    )  # fmt: skip
    return data.corrected


def hydrostatic(g: Geometry, fields: Fields) -> Fields:
    """Fields whose pressure is hydrostatic in the sense of the dynamics; theta and the lowest pressure stay."""

    def wide(a: Array) -> torch.Tensor:
        return torch.as_tensor(np.pad(a, ((0, 0), (HALO, HALO), (HALO, HALO)), mode="edge"))

    ratio = fields["q"] / (1.0 - fields["q"])
    theta = fields["t"] * np.exp(KAPPA * np.log(P_REFERENCE / fields["p"]))
    theta_m = wide(theta * (1.0 + VAPOUR_FACTOR * ratio))
    _, rtheta = hydrostatic_column(g, theta_m, wide(fields["p"][:1])[0], wide(ratio))
    heat = ((g.rtheta_base + rtheta) / g.dz)[:, INNER, INNER].numpy()
    p = P_REFERENCE * np.exp(GAMMA * np.log(R_DRY * heat / P_REFERENCE))
    return {**fields, "p": p, "t": theta * np.exp(KAPPA * np.log(p / P_REFERENCE))}


def span(values: Array, units: str) -> str:
    """Smallest and largest value."""
    return f"{values.min():.0f} to {values.max():.0f} {units}"
