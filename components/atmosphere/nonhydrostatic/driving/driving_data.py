# SPDX-License-Identifier: BSD-3-Clause
"""What drives the model from outside: a state at the start and states at the sides, by the time of the case.

Three sources answer alike: files that `./run_case.py prepare` made (`Prepared`), analyses on pressure levels as they
come (`Analyses`), and an analytic jet (`Jet`). `Sides` holds the two states around the present.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from components.atmosphere.nonhydrostatic.driving.analysis_files import AnalysisFiles, DriverError
from components.atmosphere.nonhydrostatic.driving.bias_correction import Corrected
from components.atmosphere.nonhydrostatic.driving.driver_files import Chain, DriverFile, kind_of
from components.atmosphere.nonhydrostatic.driving.pressure_levels import covered, state, to_columns
from components.atmosphere.nonhydrostatic.dynamics.lateral import Driver
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.ideal import jet
from coupler.clock import Clock
from coupler.component import Setting
from coupler.errors import ForcingError
from coupler.files.bias.months import stamp
from coupler.files.time_axis import TimeAxis
from coupler.paths import COMMAND

Array = npt.NDArray[np.float64]
Fields = dict[str, Array]


@dataclass(frozen=True)
class Place:
    """Where states are wanted: longitude and latitude (ny, nx; degrees), layer centres z (nz, ny, nx; m) of a block."""

    lon: Array
    lat: Array
    z: Array
    rows: slice = field(default_factory=lambda: slice(None))
    columns: slice = field(default_factory=lambda: slice(None))


class Source(Protocol):
    """Driving states: u, v (eastward, northward; m/s), t (K), q (kg/kg), p (Pa), each (nz, ny, nx)."""

    @property
    def times(self) -> Sequence[float]:
        """Seconds since the start of the case; one: held."""

    def read(self, record: int, place: Place) -> Fields:
        """State of one of the times."""

    def start(self, place: Place) -> Fields:
        """State at the start of the case."""

    def notes(self) -> list[str]:
        """What was supplied, assumed or held, for the log."""

    def problems(self, setting: Setting, vertical: dict[str, Any]) -> list[str]:
        """What keeps a run from using it."""


class Analyses:
    """Analyses on pressure levels, interpolated to the columns as they are read."""

    corrected: Corrected | None = None
    """What takes the bias off."""

    def __init__(self, paths: Sequence[Path], clock: Clock, humidity_from: Sequence[Path] = ()):
        self.files = AnalysisFiles(paths)
        self.humidity = AnalysisFiles(humidity_from, ()) if humidity_from else None
        self.clock = clock
        self.times = model_times(self.files.dates, clock, str(self.files))
        self._said: list[str] = []

    def read(self, record: int, place: Place) -> Fields:
        """See `Source`."""
        covered(self.files.lat, place.lat)
        data = state(self.files, record, self.humidity, (float(place.lat.min()), float(place.lat.max())))
        if self.corrected is not None:
            data = self.corrected(stamp(self.files.dates[record]), data)
        p, top = data.p[-1], float(data.fields["z"][-1].min())
        if place.z.max() > top:
            data.notes.append(
                f"the data end at {p / 100:g} hPa, {top / 1e3:.1f} km; above, wind, temperature and humidity of that"
                f" level are kept up to {place.z.max() / 1e3:.1f} km"
            )
        self._said += [note for note in data.notes if note not in self._said]
        return to_columns(data, place.lon, place.lat, place.z)

    def start(self, place: Place) -> Fields:
        """State at the start, interpolated in time where it lies between two."""
        return at(self, 0.0, place)

    def notes(self) -> list[str]:
        """See `Source`; what was supplied is known once a state has been read."""
        return self._said + held(self.times, self.files.dates[0], self.clock)

    def problems(self, setting: Setting, vertical: dict[str, Any]) -> list[str]:
        """Data that do not reach the grid's edges or the run's end, or cannot be completed."""
        found = too_short(self.times, setting, f"{self.files}")
        try:
            grid = setting.grid
            where = Place(grid.longitude, grid.latitude, np.full((1, *grid.shape), 5000.0))
            self.read(0, where)
        except DriverError as error:
            found.append(str(error))
        return found


class Prepared:
    """Files on the model's own columns, made by `./run_case.py prepare`: boundary files, an initial file, or both."""

    def __init__(self, paths: Sequence[Path], clock: Clock):
        self.files = [DriverFile(path) for path in paths]
        initial = [file for file in self.files if file.kind == "initial"]
        if len(initial) > 1:
            raise DriverError(f"{initial[1].path} and {initial[0].path} are both initial files: name one")
        self.initial = initial[0] if initial else None
        self.clock = clock
        self.sides = Chain([file for file in self.files if file.kind == "boundary"] or initial)
        self.times = model_times(self.sides.dates, clock, str(self.sides))

    def read(self, record: int, place: Place) -> Fields:
        """See `Source`."""
        return self.sides.read(record, place.rows, place.columns, place.z)

    def start(self, place: Place) -> Fields:
        """State of the initial file; without one, of the boundary file at the start."""
        first = self.initial
        return at(self, 0.0, place) if first is None else first.read(0, place.rows, place.columns, place.z)

    def notes(self) -> list[str]:
        """See `Source`."""
        return self.sides.notes

    def problems(self, setting: Setting, vertical: dict[str, Any]) -> list[str]:
        """Files of another grid, other levels, another start, or that end before the run."""
        found = [p for file in self.files for p in file.problems(setting.grid, vertical)]
        first = self.initial
        if first is not None and seconds(first.dates, self.clock, str(first.path))[0] != 0.0:
            found.append(
                f"{first.path} is the state at {text(first.dates[0])}, the case starts at {self.clock.text(0)}; make it"
                f" again with  {COMMAND} prepare"
            )
        return found + too_short(self.times, setting, str(self.sides))


class Jet:
    """The balanced jet of Ullrich et al. (2014), held; ``climate`` names one of `jet.CLIMATES`."""

    times = (0.0,)

    def __init__(self, climate: str = "ullrich"):
        self.climate = jet.CLIMATES[climate]

    def read(self, record: int, place: Place) -> Fields:
        """See `Source`."""
        j = jet.balanced_jet(place.lat[None], place.z, climate=self.climate)
        return {"u": j.u, "v": np.zeros_like(j.u), "t": j.t, "q": j.q, "p": j.p}

    def start(self, place: Place) -> Fields:
        """See `Source`."""
        return self.read(0, place)

    def notes(self) -> list[str]:
        """See `Source`."""
        return ["no driver: the start and the sides are the analytic jet of Ullrich et al. (2014)"]

    def problems(self, setting: Setting, vertical: dict[str, Any]) -> list[str]:
        """Nothing can be wrong."""
        return []


def source(
    setting: Setting, names: Sequence[str], humidity_from: Sequence[str] = (), climate: str = "ullrich"
) -> Source:
    """The source that the files of the option ``driver`` make.

    Raises
    ------
    DriverError
        Files that are missing, unreadable or do not go together.
    """
    if not names:
        return Jet(climate)
    paths = setting.files(names)
    kinds = [kind_of(path) for path in paths]
    if not any(kinds):
        return Analyses(paths, setting.clock, setting.files(humidity_from))
    if not all(kinds):
        raw = ", ".join(str(p) for p, kind in zip(paths, kinds, strict=True) if not kind)
        raise DriverError(f"{raw}: analyses and prepared files cannot be mixed; name the prepared files alone")
    return Prepared(paths, setting.clock)


class Sides:
    """The driver's two states around the present, built as time goes on.

    Between two times the flow brings each column what the driver's mass there gains; where the driver is held, nothing.

    Parameters
    ----------
    source, place : where the fields come from and go to
    build : makes the dynamics' state and tracers from the fields
    mass : mass of the air in columns, kg m-2
    balance : gives a state winds that bring columns a gain of mass, kg m-2 s-1; none: nothing
    duration : of the case, s
    """

    def __init__(
        self,
        source: Source,
        place: Place,
        build: Callable[[Fields], tuple[State, torch.Tensor]],
        mass: Callable[[State], torch.Tensor],
        balance: Callable[[State, torch.Tensor | None], State],
        duration: float,
    ):
        self.source, self.place, self.duration = source, place, duration
        self._build, self._mass, self._balance = build, mass, balance
        self._states: dict[int, tuple[State, torch.Tensor]] = {}
        self._driver: Driver | None = None
        self._gain: torch.Tensor | None = None

    def start(self) -> tuple[State, torch.Tensor]:
        """State and tracers at the start of the case."""
        built = self._build(self.source.start(self.place))
        if len(self.source.times) == 1:
            self._states[0] = built
        else:
            self.around(0.0)  # the start's winds bring what the sides' do
        return self._balance(built[0], self._gain), built[1]

    def around(self, time: float) -> Driver:
        """The states at the last time not after ``time`` (s) and at the next; one state, if it is held."""
        times = self.source.times
        if len(times) == 1:
            if self._driver is None:
                s, q = self._states.get(0) or self._build(self.source.read(0, self.place))
                s = self._balance(s, None)
                self._driver = Driver((0.0, self.duration), (s, s), (q, q))
            return self._driver
        before, after = interval(times, time)
        span = (times[before], times[after])
        if self._driver is None or self._driver.times != span:
            read = self.source.read
            self._states = {n: self._states.get(n) or self._build(read(n, self.place)) for n in (before, after)}
            (s_0, q_0), (s_1, q_1) = self._states[before], self._states[after]
            self._gain = (self._mass(s_1) - self._mass(s_0)) / (span[1] - span[0])
            s_0, s_1 = (self._balance(s, self._gain) for s in (s_0, s_1))
            self._driver = Driver(span, (s_0, s_1), (q_0, q_1))
        return self._driver


def interval(times: Sequence[float], time: float) -> tuple[int, int]:
    """Numbers of the last of several times that is not after ``time``, and of the next (the last two at the end)."""
    after = min(max(int(np.searchsorted(times, time, side="right")), 1), len(times) - 1)
    return after - 1, after


def at(data: Source, time: float, place: Place) -> Fields:
    """Fields at a time, s, interpolated between the two around it."""
    times = data.times
    if len(times) == 1:
        return data.read(0, place)
    before, after = interval(times, time)
    w = (time - times[before]) / (times[after] - times[before])
    first = data.read(before, place)
    if w == 0.0:
        return first
    second = data.read(after, place)
    return {k: (1.0 - w) * a + w * second[k] for k, a in first.items()}


def model_times(dates: Sequence[Any], clock: Clock, path: str) -> tuple[float, ...]:
    """Seconds since the start of the case of some dates; a single one stands for the start, whatever it is."""
    return (0.0,) if len(dates) == 1 else seconds(dates, clock, path)


def seconds(dates: Sequence[Any], clock: Clock, path: str) -> tuple[float, ...]:
    """Seconds since the start of the case of some dates.

    Raises
    ------
    DriverError
        Dates that the case's calendar does not have.
    """
    try:
        return tuple(TimeAxis(dates, (), (), False, clock, path).points)
    except ForcingError as error:
        raise DriverError(str(error)) from error


def too_short(times: Sequence[float], setting: Setting, path: str) -> list[str]:
    """What to say of several times that do not reach from the start to the end of a run."""
    if len(times) == 1 or (times[0] <= 0.0 and times[-1] >= setting.duration):
        return []
    clock = setting.clock
    return [
        f"{path}: driving data reach from {clock.text(int(times[0]))} to {clock.text(int(times[-1]))} ({len(times)}"
        f" times), but the run needs {clock.text(0)} to {clock.text(setting.duration)}; add data, or shorten the run"
    ]


def held(times: Sequence[float], date: Any, clock: Clock) -> list[str]:
    """What to say of sides that do not change."""
    if len(times) > 1:
        return []
    which = "" if date is None else f", {text(date)}"
    return [f"the driver has one time{which}: it stands for the start, {clock.text(0)}, and the sides are held"]


def text(date: Any) -> str:
    """A date as ISO-8601."""
    return str(date.strftime("%Y-%m-%dT%H:%M:%S"))
