# SPDX-License-Identifier: BSD-3-Clause
"""When a satellite passes over the land's cells, and what it saw there last."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import torch
from torch import Tensor

from components.land.column.advance import Land, Weather
from components.land.column.column_state import State
from components.land.column.growth import with_leaves
from components.land.column.satellite import EFFICIENCY, LOWEST_SUN, Satellite, Scene
from components.land.column.structure import cut
from components.land.spectra.bands import UNITS, unknown_bands
from components.science.sun import cosine_zenith, days_since_2000
from coupler.namelist import Fraction, Namelist, Range

Angle = Annotated[float, Range(least=0.0, most=70.0)]


class Spectra(Namelist):
    """What a satellite sees of the land, at its hour."""

    bands: list[str]
    """Bands, indices and fluorescence, for example [modis_1, modis_2, modis_ndvi, tropomi_sif_740]."""
    time: str = "overpass 13:30"
    """Mean solar time at which each place is looked at: the word overpass, and the hour."""
    view: Literal["nadir"] | Angle = "nadir"
    """Zenith angle of the view, degrees, or nadir."""
    azimuth: Annotated[float, Range(least=0.0, most=360.0)] = 90.0
    """Between sun and view, degrees; of no effect at nadir."""
    efficiency: Fraction = EFFICIENCY
    """Quantum efficiency of fluorescence of the dark-adapted leaf."""

    def problems(self) -> list[str]:
        """Bands that nobody knows, and hours that are none."""
        found = [
            f"spectra: unknown band {name!r}; known bands: {', '.join(UNITS)}" for name in unknown_bands(self.bands)
        ]
        if not self.bands:
            found.append("spectra: bands is empty; name at least one, for example modis_ndvi")
        if not re.fullmatch(r"overpass +([01]?\d|2[0-3]):[0-5]\d", self.time):
            found.append(f"spectra: expected a time such as 'overpass 13:30', 00:00 to 23:59, got {self.time!r}")
        return found

    @property
    def hour(self) -> float:
        """Of the overpass, 0 to 24."""
        hours, minutes = self.time.split()[-1].split(":")
        return int(hours) + int(minutes) / 60.0


def under_the_satellite(hour: float, longitude: Tensor, begin: float, seconds: float) -> tuple[Tensor, Tensor]:
    """Columns whose mean solar time passes the overpass within a step, and how long after its start, s.

    Parameters
    ----------
    hour : float
        Mean solar time of the overpass.
    longitude : Tensor
        Degrees, shape (column,).
    begin : float
        Hour of the day (UTC) at the start of the step.
    seconds : float
        Length of the step.

    Returns
    -------
    tuple of Tensor
        Numbers of the columns, and seconds, both of shape (found,).
    """
    wait = torch.remainder(hour - begin - longitude.double() / 15.0, 24.0) * 3600.0
    found = torch.nonzero(wait < seconds)[:, 0]
    return found, wait[found]


class Overpasses:
    """What a satellite saw of the land's cells when it passed last.

    Parameters
    ----------
    asked : Spectra
        The namelist's.
    land : Land
        The columns.
    latitude, longitude : Tensor
        Of the columns, degrees, shape (tiles n,).
    """

    def __init__(self, asked: Spectra, land: Land, latitude: Tensor, longitude: Tensor) -> None:
        self.land, self.latitude, self.longitude = land, latitude, longitude
        view = 0.0 if asked.view == "nadir" else float(asked.view)
        directions = view, asked.azimuth
        self.hour = asked.hour
        self.satellite = Satellite(asked.bands, land.options, directions, asked.efficiency, land.share.dtype)
        nothing = torch.full((land.share.shape[1],), torch.nan, dtype=torch.float64, device=land.share.device)
        self.seen = {name: nothing.clone() for name in dict.fromkeys(asked.bands)}

    def look(self, date: Any, seconds: float, state: State, weather: Weather) -> None:
        """Look at the cells under the satellite during a step; where the sun is too low there is nothing to see.

        Parameters
        ----------
        date : cftime.datetime
            Start of the step.
        seconds : float
            Its length.
        state : State
            At its end.
        weather : Weather
            During it.
        """
        begin = date.hour + date.minute / 60.0 + date.second / 3600.0
        columns, wait = under_the_satellite(self.hour, self.longitude, begin, seconds)
        cells = columns[: columns.shape[0] // self.land.share.shape[0]]
        if not cells.numel():
            return
        there = self.longitude.double()[columns] + 15.0 * wait / 3600.0  # the sun of a moment later stands further west
        sun = cosine_zenith(there, self.latitude.double()[columns], days_since_2000(date)).to(self.land.share.dtype)
        forcing = self.land.forcing(weather)
        there_now = cut(state, columns)
        here, p = with_leaves(there_now, cut(forcing, columns), cut(self.land.parameters, columns), self.land.options)
        # The step's light is that of its middle: at the overpass the sun stands higher or lower.
        risen = (sun / here.cos_zenith.clamp(min=LOWEST_SUN)).clamp(max=2.0)
        here = here._replace(direct=risen * here.direct, diffuse=risen * here.diffuse)
        scene = Scene(there_now, here, p, sun)
        low = sun[: cells.shape[0]] < LOWEST_SUN
        for name, seen in self.satellite.look(scene).items():
            spread = torch.zeros_like(self.longitude)
            spread[columns] = seen
            mean = self.land.mean(spread)[cells]
            self.seen[name][cells] = torch.where(low, torch.nan, mean)
