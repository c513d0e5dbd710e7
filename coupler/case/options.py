# SPDX-License-Identifier: BSD-3-Clause
"""What the namelists of a case may say: the options of ``case.yaml`` and of every component."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import field_validator, model_validator

from coupler.clock import calendar_name
from coupler.errors import GridError
from coupler.grids.grid import Grid
from coupler.namelist import Duration, Namelist, Positive, Range, Recurring
from coupler.paths import input_file
from coupler.remap.weights import refuse_cells_on_each_other

Longitude = Annotated[float, Range(least=-540.0, most=540.0, unit="degrees east")]
Latitude = Annotated[float, Range(least=-90.0, most=90.0, unit="degrees north")]
Value = Annotated[float, Range(least=-1e30, most=1e30)]
CellSize = Annotated[float, Range(above=0.0, most=180.0, unit="degrees")]


class RestartOptions(Namelist):
    """Restarts."""

    period: Recurring | None = None
    """Time between restarts, or months (P1M, P1Y); without it only at the end and when the run is asked to stop."""
    keep: Positive = 3
    """Newest restarts to keep; older ones are removed."""


class CheckOptions(Namelist):
    """What is watched at every exchange."""

    values: bool = True
    """Stop at a value that is not finite or outside its plausible range."""
    budget: bool = True
    """Sum what is sent and received at every interface."""
    budget_tolerance: Annotated[float, Range(above=0.0, most=1.0)] = 1e-12
    """Relative residual of a budget at which the run stops."""


Drawn = tuple[Value | str, Value | str]
"""Two numbers of a distribution, with a unit or without: ``[30 m, 5 m]``."""


class VariedKey(Namelist):
    """``{key: ocean.slab.depth, normal: [50 m, 5 m]}``: a key of a namelist that differs between members.

    Exactly one of values, normal, lognormal and uniform says how.
    """

    key: str
    """Component and path within its namelist, such as ocean.slab.depth; case.duration for one of case.yaml."""
    values: list[Any] | None = None
    """A value for each member."""
    normal: Drawn | None = None
    """Mean and standard deviation."""
    lognormal: Drawn | None = None
    """Median, and the standard deviation of the natural logarithm (without unit)."""
    uniform: Drawn | None = None
    """Least and largest value."""

    @model_validator(mode="after")
    def _one_way(self) -> VariedKey:
        ways = [w for w in ("values", "normal", "lognormal", "uniform") if getattr(self, w) is not None]
        if len(ways) != 1:
            given = " and ".join(ways) or "none"
            raise ValueError(f"expected one of values, normal, lognormal and uniform (given: {given})")
        return self


class CaseOptions(Namelist):
    """Options of ``case.yaml``."""

    title: str = ""
    """One line for figures and files."""
    start: str
    """First date, such as 2001-01-01 or 2001-01-01T06:00:00."""
    calendar: str = "standard"
    """CF calendar: standard, proleptic_gregorian, noleap, all_leap, 360_day or julian, or CF's other names of these."""
    duration: str
    """Length of the run as ISO-8601 duration, such as P60D or P1Y."""
    seed: Annotated[int, Range(least=0, most=2**63 - 1)] = 0
    """Seed of everything random."""
    instances: Annotated[int, Range(least=1, most=100_000)] | None = None
    """Members of an ensemble: as many runs of the case, each in run/member_NNN, with seed + number."""
    at_once: Positive | None = None
    """Members that run at one time; by default as many as the cores of this machine can take."""
    members: list[VariedKey] = []
    """Keys that differ between members, beside the seed."""
    components: dict[str, Any]
    """Components by name: ``{model: slab}``."""
    layout: dict[str, Any] = {}
    """Ranks: ``coupler: 1``, and a number, or ``{ranks: 2, with: ocean}``, for each component."""
    coupling: list[Any] = []
    """Rules of exchange; see the coupling guide."""
    restart: RestartOptions = RestartOptions()
    checks: CheckOptions = CheckOptions()
    deadline: Duration = 600
    """Longest wait for a message, in wall-clock time, before the run gives up and says who waits for whom."""
    trace: bool = False
    """Write a Chrome/Perfetto trace of the run."""

    @field_validator("calendar", mode="before")
    @classmethod
    def _calendar(cls, name: Any) -> str:
        return calendar_name(name)


class StreamOptions(Namelist):
    """One history file."""

    fields: list[str]
    """Fields: exports, imports or diagnostics of the component."""
    period: Recurring
    """Time between records, or months of the calendar: P1M, P3M, P1Y."""
    statistic: Literal["instant", "mean", "min", "max"] = "mean"
    """What of the period is written."""
    name: str = ""
    """Name in the file's name; by default the statistic and the period."""

    @field_validator("name")
    @classmethod
    def _plain(cls, name: str) -> str:
        if name and not name.replace("_", "").replace("-", "").isalnum():
            raise ValueError("use letters, digits, - and _ only")
        return name


class GridOptions(Namelist):
    """A grid: a box in longitude and latitude, a projected plane, or a file."""

    west: Longitude | None = None
    """Western edge, degrees east."""
    east: Longitude | None = None
    """Eastern edge, degrees east."""
    south: Latitude | None = None
    """Southern edge, degrees north."""
    north: Latitude | None = None
    """Northern edge, degrees north."""
    resolution: CellSize | tuple[CellSize, CellSize] | None = None
    """Cell size in degrees; or [longitude, latitude]."""
    projection: str | None = None
    """PROJ string of a projected grid."""
    nx: Positive | None = None
    """Cells in x of a projected grid."""
    ny: Positive | None = None
    """Cells in y of a projected grid."""
    spacing: Annotated[float, Range(least=1e-6, most=1e7)] | None = None
    """Cell size of a projected grid, m; degrees of a rotated pole."""
    center: tuple[Longitude, Latitude] | None = None
    """Longitude and latitude of the middle of a projected grid."""
    file: str | None = None
    """Grid file: CF, SCRIP, UGRID, an ESMF mesh, or one of ROMS, NEMO, MOM6 or WRF."""
    edges: Literal["great_circle", "latitude"] | None = None
    """Whether cell edges follow great circles or latitudes."""

    def build(self, name: str, folder: Path) -> Grid:
        """The grid that these options describe.

        Parameters
        ----------
        name : of the grid
        folder : of the case, where files are looked up
        """
        edges: dict[str, Any] = {} if self.edges is None else {"edges": self.edges}
        if self.file is not None:
            grid = Grid.from_file(input_file(self.file, folder), name=name, **edges)
            refuse_cells_on_each_other(grid)
            return grid
        if self.projection is not None:
            if not (self.nx and self.ny and self.spacing):
                raise GridError(f"grid of {name}: a projected grid needs projection, nx, ny and spacing")
            return Grid.projected(name, self.projection, self.nx, self.ny, self.spacing, center=self.center)
        box = (self.west, self.east, self.south, self.north)
        if any(v is None for v in box) or self.resolution is None:
            raise GridError(
                f"grid of {name}: give west, east, south, north and resolution (degrees); or projection, nx, ny, "
                "spacing; or file; or the name of a grid in namelists/grids"
            )
        west, east, south, north = (float(v) for v in box if v is not None)
        return Grid.regular_lonlat(name, west, east, south, north, resolution=self.resolution, **edges)


class ExternalField(Namelist):
    """A field that an external program takes or gives; see `coupler.fields.FieldSpec`."""

    name: str
    """CF standard name; another name needs units and kind."""
    units: str = ""
    """Unit of the program's arrays; the dictionary's by default."""
    kind: Literal["", "state", "flux", "fraction"] = ""
    """What the numbers are; the dictionary's by default."""
    levels: Annotated[int, Range(least=0, most=10_000)] = 0
    """Levels of a 3-D field; 0 for a 2-D field."""
    required: bool = True
    """Of an import: whether the program cannot run without it."""
    partial: bool = False
    """Of an import: whether cells that no source covers are welcome."""
    valid_range: tuple[Value, Value] | None = None
    """Plausible range, in the dictionary's unit."""
    fraction: str | None = None
    """Of an export: name of another export, a fraction that weights this one."""


class ComponentSettings(Namelist):
    """What every component's namelist may say, beside the options of its model."""

    step: Duration
    """Time step."""
    grid: Any
    """Grid: ``{west: 70, east: 160, south: -10, north: 65, resolution: 0.5}``, a projected grid, a file, or a name."""
    role: Literal["model", "prescribed"] = "model"
    """Of an ocean: prescribed gives the sea outside the domain of the case's other ocean, on the atmosphere's grid."""
    device: Literal["auto", "cpu", "cuda"] = "cpu"
    """Where its arrays live."""
    output: list[StreamOptions] = []
    """History files."""
    imports: list[str | ExternalField] = []
    """Of an external program: names of the fields it takes, or mappings with name, units, levels."""
    exports: list[str | ExternalField] = []
    """Of an external program: names of the fields it gives."""
    program: str = ""
    """Of an external program: the command that starts it, such as ``python my_ocean.py``."""
