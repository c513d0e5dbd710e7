# SPDX-License-Identifier: BSD-3-Clause
"""A component that prescribes fields from files: what the ``data`` model of every realm is made of."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np

from coupler.component import Array, Component, Context, Fields, Setting
from coupler.errors import ForcingError, TesseraError
from coupler.fields import specs
from coupler.files.forcing import Forcing, optional_mask
from coupler.grids.grid import Grid


class Prescribed(Component):
    """Fields read from files and interpolated in time; imports nothing.

    A subclass names the fields it may offer (`offers`) and, where the file says which cells exist,
    the variable that does (`mask_variable`).
    """

    offers: ClassVar[tuple[str, ...]] = ()
    mask_variable: ClassVar[str] = ""
    mask_least: ClassVar[float] = 0.5
    """Share of a cell above which it exists, where the mask is interpolated."""

    shapes_state: ClassVar[tuple[str, ...]] = ()

    class Options(Component.Options):
        """Options of a ``data`` model."""

        file: str
        """CF netCDF file, or a pattern such as forcing_*.nc; looked up in the case, then in data/."""
        fields: list[str] = []
        """CF standard names to prescribe; empty for all that the model offers."""
        interpolation: Literal["linear", "step"] = "linear"
        """Between the file's times: linear, or the value of the interval that holds the time."""
        cycle: Literal["auto", "yearly", "none"] = "auto"
        """Whether the file is a yearly cycle; auto: if its time axis is climatological."""
        names: dict[str, str] = {}
        """Variables of the file by CF standard name, where the file calls them otherwise: {air_temperature: t2m}."""
        label: Literal["auto", "start", "middle", "end"] = "auto"
        """Where in its interval the time of a mean stands; auto: as the file's time bounds say."""
        select: dict[str, int | float | str] = {}
        """Of further dimensions the value that is read, such as {number: 0}; {expver: merge} fills its gaps."""
        gaps: Literal["refuse", "bridge"] = "refuse"
        """What becomes of records that lie farther apart than the file's others: refuse, or interpolate across."""
        hold: bool = False
        """Whether the values at the start of the case stand for the whole run: a control without change in time."""

    def __init__(self, options: Any):
        super().__init__(options)
        self.exports = self._read = specs(*(options.fields or self.offers))
        self._forcings: dict[str, Forcing] = {}
        self._wanted: Array = np.ones((), bool)

    def grids(self, setting: Setting) -> dict[str, Grid]:
        """The namelist's grid with the file's mask; without one, cells of which the file knows nothing are left out."""
        grid = setting.grid
        if not self.mask_variable:
            return {"default": grid}
        path, names = setting.file(self.options.file), self.options.names
        mask = optional_mask(path, self.mask_variable, setting.clock, names, grid=grid)
        exists = self._known(setting) if mask is None else mask > self.mask_least
        return {"default": grid if exists.all() else grid.with_mask(grid.mask & exists)}

    def _known(self, setting: Setting) -> Array:
        """Cells of which the file has a value at the start."""
        field = next(iter(self._open(setting, only=1).values()))
        if field.problems(0, 0):  # told by `check`
            return np.ones(setting.grid.shape, bool)
        known = np.isfinite(field.at(0))
        field.close()
        if not (known & setting.grid.mask).any():
            raise ForcingError(
                f"{field.path}: {field.name} ({field.variable}) has no value in any cell of grid {setting.grid.name!r} "
                f"at {setting.clock.text(0)}; is it the right file?"
            )
        return known

    def _open(self, setting: Setting, block: Any = None, only: int | None = None) -> dict[str, Forcing]:
        path, o = setting.file(self.options.file), self.options
        how = {
            "method": o.interpolation,
            "cycle": o.cycle,
            "label": o.label,
            "select": o.select,
            "bridge": o.gaps == "bridge",
        }
        return {
            spec.name: Forcing(
                path, spec.name, setting.clock, units=spec.units, grid=setting.grid, block=block,
                variable=o.names.get(spec.name), levels=spec.levels, **how,
            )
            for spec in self._read[:only]
        }  # fmt: skip

    def check(self, setting: Setting) -> list[str]:
        """Files that are missing, on another grid, too short for the run, or without a value where one is needed."""
        problems = [
            f"names: {key!r} is none of the fields read: {', '.join(f.name for f in self._read)}"
            for key in self.options.names
            if key not in {*(f.name for f in self._read), self.mask_variable}
        ]
        try:
            forcings = self._open(setting)
            wanted = self.grids(setting)["default"].mask
            end = 0 if self.options.hold else setting.duration
            for forcing in forcings.values():
                found = forcing.problems(0, end)
                problems += found or self._gaps(forcing, forcing.at(0), wanted, 0)
                forcing.close()
        except TesseraError as error:
            problems.append(str(error))
        return problems

    def initialize(self, context: Context) -> Fields:
        """Open the files and return the fields at the start."""
        block = context.decomposition.block_of(context.rank)
        self._forcings = self._open(context, (slice(block.y0, block.y1), slice(block.x0, block.x1)))
        mask = self.grids(context)["default"].mask
        self._wanted = context.local(mask)
        coverage = next(iter(self._forcings.values())).coverage
        left_out = f"; {int((~mask).sum())} of {mask.size} cells are left out" if not mask.all() else ""
        context.log(f"{self.options.file}: {coverage}{left_out}")
        return self._at(0)

    def step(self, time: int, seconds: int, imports: Mapping[str, Array]) -> Fields:
        """The fields at the end of the step."""
        return self._at(time + seconds)

    def _at(self, time: int) -> Fields:
        time = 0 if self.options.hold else time  # the case's start, also after a restart
        fields = {}
        for name, forcing in self._forcings.items():
            values = forcing.at(time)
            for problem in self._gaps(forcing, values, self._wanted, time):
                raise ForcingError(problem)
            values = np.where(np.isfinite(values), values, 0.0)
            fields[name] = values
        return fields

    def _gaps(self, forcing: Forcing, values: Array, wanted: Array, time: int) -> list[str]:
        """What to say of cells that need a value and have none."""
        gaps = wanted & ~np.isfinite(values)
        if not gaps.any():
            return []
        how = f" (a variable {self.mask_variable}, 1 where a cell exists)" if self.mask_variable else ""
        return [
            f"{forcing.path}: {forcing.name} ({forcing.variable}) has no value in {int(gaps.sum())} cells that the"
            f" grid needs, at {forcing.clock.text(time)}; fill them in the file, or mask them{how}"
        ]

    def state(self) -> dict[str, Any]:
        """Nothing: the files and the time say everything."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing to restore."""
        return None

    def finalize(self) -> None:
        """Close the files."""
        for forcing in self._forcings.values():
            forcing.close()
