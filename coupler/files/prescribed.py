"""A component that prescribes fields from files: what the ``data`` model of every realm is made of."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np

from coupler.component import Array, Component, Context, Fields, Setting
from coupler.errors import ForcingError, TesseraError
from coupler.fields import specs
from coupler.files.forcing import Forcing, optional_field
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
        hold: bool = False
        """Whether the values at the start of the case stand for the whole run: a control without change in time."""

    def __init__(self, options: Any):
        super().__init__(options)
        self.exports = self._read = specs(*(options.fields or self.offers))
        self._forcings: dict[str, Forcing] = {}
        self._wanted: Array = np.ones((), bool)

    def grids(self, setting: Setting) -> dict[str, Grid]:
        """The namelist's grid, with the file's mask where it has one."""
        grid = setting.grid
        if self.mask_variable:
            mask = optional_field(setting.file(self.options.file), self.mask_variable, setting.clock, grid=grid)
            if mask is not None:
                grid = grid.with_mask(mask.at(0) > self.mask_least)
                mask.close()
        return {"default": grid}

    def _open(self, setting: Setting, block: Any = None) -> dict[str, Forcing]:
        path = setting.file(self.options.file)
        how = {"method": self.options.interpolation, "cycle": self.options.cycle}
        return {
            spec.name: Forcing(path, spec.name, setting.clock, units=spec.units, grid=setting.grid, block=block, **how)
            for spec in self._read
        }

    def check(self, setting: Setting) -> list[str]:
        """Files that are missing, on another grid, or too short for the run."""
        try:
            forcings = self._open(setting)
        except TesseraError as error:
            return [str(error)]
        end = 0 if self.options.hold else setting.duration
        problems = [p for f in forcings.values() for p in f.problems(0, end)]
        for forcing in forcings.values():
            forcing.close()
        return problems

    def initialize(self, context: Context) -> Fields:
        """Open the files and return the fields at the start."""
        block = context.decomposition.block_of(context.rank)
        self._forcings = self._open(context, (slice(block.y0, block.y1), slice(block.x0, block.x1)))
        self._wanted = context.local(self.grids(context)["default"].mask)
        coverage = next(iter(self._forcings.values())).coverage
        context.log(f"{self.options.file}: {coverage}")
        return self._at(0)

    def step(self, time: int, seconds: int, imports: Mapping[str, Array]) -> Fields:
        """The fields at the end of the step."""
        return self._at(time + seconds)

    def _at(self, time: int) -> Fields:
        time = 0 if self.options.hold else time  # the case's start, also after a restart
        fields = {}
        for name, forcing in self._forcings.items():
            values = forcing.at(time)
            missing = ~np.isfinite(values)
            if missing.any():
                gaps = missing & self._wanted
                if gaps.any():
                    raise ForcingError(
                        f"{forcing.path}: {name} has no value in {int(gaps.sum())} cells that the grid needs, at "
                        f"{forcing.clock.text(time)}; fill them in the file or mask them"
                    )
                values = np.where(missing, 0.0, values)
            fields[name] = values
        return fields

    def state(self) -> dict[str, Any]:
        """Nothing: the files and the time say everything."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing to take up."""
        return None

    def finalize(self) -> None:
        """Close the files."""
        for forcing in self._forcings.values():
            forcing.close()
