# SPDX-License-Identifier: BSD-3-Clause
"""The East Asian monsoon of a run on one page: indices, onset, rain belt, subtropical high, day by day and by month."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.analysis import monsoon
from coupler.analysis.figures import LINES, pyplot, tidy
from coupler.analysis.gathered import gather
from coupler.analysis.page import embedded, note, number, table, write, write_numbers
from coupler.errors import CaseError

Floats = npt.NDArray[np.float64]
ONSET = "onset in the South China Sea"


@dataclass(frozen=True)
class Series:
    """One number a day.

    Attributes
    ----------
    name, unit : what it is
    days : (n,) dates
    values : (n,) NaN where it is not there
    """

    name: str
    unit: str
    days: list[Any]
    values: Floats

    def by_month(self) -> dict[str, float]:
        """Means by calendar month, such as 2001-06, over the days that have a value."""
        labels = [f"{d.year:04d}-{d.month:02d}" for d in self.days]
        return {
            label: float(np.mean(known)) if (known := self._of(labels, label)).size else float("nan")
            for label in dict.fromkeys(labels)
        }

    def _of(self, labels: list[str], label: str) -> Floats:
        mine = self.values[np.array(labels) == label]
        return np.asarray(mine[np.isfinite(mine)])


def make_monsoon_card(case: Path) -> list[Path]:
    """Write ``run/score/monsoon.html`` and ``monsoon.csv``; returns their paths.

    What the output or the domain does not allow is left out, with the reason.

    Parameters
    ----------
    case : folder of a case that has run

    Raises
    ------
    CaseError
        Nothing of the monsoon can be seen in the output.
    """
    history = case / "run" / "history"
    made: list[Series] = []
    reasons: list[str] = []
    for name, make in _MAKERS.items():
        try:
            made += make(history)
        except CaseError as error:
            reasons.append(str(error) if str(error).startswith(name) else f"{name}: {error}")
    if not made:
        raise CaseError("\n".join(["nothing of the monsoon can be scored:", *(f"  {r}" for r in reasons)]))
    months = list(dict.fromkeys(label for s in made for label in s.by_month()))
    head = ["mean by month", "unit", *months]
    rows = [[s.name, s.unit, *(number(s.by_month().get(m, float("nan"))) for m in months)] for s in made]
    parts = [table(head, rows), embedded(_drawn(made), "the monsoon day by day")]
    onsets = [f"{ONSET}, {year}: {said}" for s in made if s.name == "south_china_sea" for year, said in _onsets(s)]
    parts += [note(text) for text in [*onsets, *reasons]]
    numbers = [
        {"quantity": s.name, "unit": s.unit, "day": str(d)[:10], "value": v}
        for s in made
        for d, v in zip(s.days, s.values, strict=True)
    ]
    folder = case / "run" / "score"
    page = write(f"Monsoon of {case.name}", parts, folder / "monsoon.html")
    return [page, write_numbers(numbers, folder / "monsoon.csv")]


def _index(name: str, *needs: tuple[str, int]) -> Callable[[Path], list[Series]]:
    def make(history: Path) -> list[Series]:
        fields = [f"{'eastward' if which == 'u' else 'northward'}_wind_at_{level}hPa" for which, level in needs]
        run = gather(history, fields, name)
        parts: dict[str, dict[int, Floats]] = {"u": {}, "v": {}}
        days: list[Any] = []
        for (which, level), field in zip(needs, fields, strict=True):
            days, parts[which][level] = run.daily(field)
        winds = monsoon.Winds(parts["u"], parts["v"], run.longitude, run.latitude)
        return [Series(name, "m/s", days, monsoon.index(name, winds))]

    return make


def _rain_belt(history: Path) -> list[Series]:
    run = gather(history, ("precipitation_flux",), "rain belt")
    days, rain = run.daily("precipitation_flux")
    belt = monsoon.rain_belt(rain, run.longitude, run.latitude)
    return [Series("latitude of the rain belt, 110-122 E", "degrees north", days, belt)]


def _high(history: Path) -> list[Series]:
    run = gather(history, ("geopotential_height_at_500hPa", "eastward_wind_at_500hPa"), "subtropical high")
    days, z = run.daily("geopotential_height_at_500hPa")
    _, u = run.daily("eastward_wind_at_500hPa")
    highs = [monsoon.subtropical_high(z[k], u[k], run.longitude, run.latitude) for k in range(len(days))]
    return [
        Series("ridge of the subtropical high, 110-150 E", "degrees north", days, np.array([h.ridge for h in highs])),
        Series("western point of the subtropical high", "degrees east", days, np.array([h.west for h in highs])),
    ]


_MAKERS: dict[str, Callable[[Path], list[Series]]] = {
    **{name: _index(name, ("u", 850)) for name in ("wang_fan", "western_north_pacific", "south_china_sea")},
    "lau_yang": _index("lau_yang", ("u", 200)),
    "southerlies": _index("southerlies", ("v", 850)),
    "rain belt": _rain_belt,
    "subtropical high": _high,
}


def _onsets(series: Series) -> list[tuple[int, str]]:
    """Onset by year, where the run has the pentads from late April on."""
    said = []
    for year in dict.fromkeys(d.year for d in series.days):
        pentads = np.full(73, np.nan)
        number_of = np.array([min((d.dayofyr - 1) // 5, 72) if d.year == year else -1 for d in series.days])
        for p in range(73):
            if (number_of == p).any():
                pentads[p] = series.values[number_of == p].mean()
        if not np.isfinite(pentads[monsoon.AFTER_APRIL_25 : 36]).all():
            continue
        onset = monsoon.onset_pentad(pentads)
        said.append(
            (year, "none" if onset is None else f"pentad {onset + 1} (days {5 * onset + 1} to {5 * onset + 5})")
        )
    return said


def _drawn(made: list[Series]) -> Any:
    units = list(dict.fromkeys(s.unit for s in made))
    figure, axes = pyplot().subplots(
        len(units), 1, figsize=(10.5, 2.7 * len(units)), layout="constrained", squeeze=False, sharex=True
    )
    first = min(s.days[0] for s in made)
    for panel, unit in zip(axes[:, 0], units, strict=True):
        for n, s in enumerate(s for s in made if s.unit == unit):
            days = [(d - first).total_seconds() / 86400.0 for d in s.days]
            panel.plot(days, s.values, "-o", ms=2.5, color=LINES[n % len(LINES)], label=s.name)
        panel.set_ylabel(unit)
        tidy(panel)
        panel.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axes[-1, 0].set_xlabel(f"days since {str(first)[:10]}")
    return figure
