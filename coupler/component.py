# SPDX-License-Identifier: BSD-3-Clause
"""What the author of a component meets: `Component` and `Context`.

A component declares what it imports and exports, reads its options from a `Namelist`, and advances by one step. It
never calls MPI except through its context, never reads another component's namelist, and never knows who is on the
other side.

A mixed-layer ocean, whole::

    class SlabOcean(Component):
        imports = specs("surface_downward_heat_flux_in_sea_water")
        exports = specs("sea_surface_temperature")

        class Options(Namelist):
            depth: Metres = 50.0
            initial_temperature: Kelvin = 288.0

        def initialize(self, context):
            self.temperature = np.full(context.local_shape, self.options.initial_temperature)
            return {"sea_surface_temperature": self.temperature}

        def step(self, time, seconds, imports):
            heat = imports["surface_downward_heat_flux_in_sea_water"]
            self.temperature = self.temperature + heat * seconds / (1025.0 * 3990.0 * self.options.depth)
            return {"sea_surface_temperature": self.temperature}

        def state(self):
            return {"temperature": self.temperature}

        def restore(self, state):
            self.temperature = state["temperature"]
            return {"sea_surface_temperature": self.temperature}
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from coupler.clock import Clock
from coupler.fields import FieldSpec
from coupler.grids.decomposition import Decomposition
from coupler.grids.grid import Grid
from coupler.namelist import Namelist
from coupler.paths import input_file, input_files

Array = npt.NDArray[Any]
Fields = dict[str, Array]


@dataclass(frozen=True)
class OnGrid:
    """A state array that lives on another of the component's grids than ``default``."""

    values: Array
    grid: str


BiasMethod = Literal["mean", "mean_variance", "quantile"]
BIAS_METHODS: tuple[BiasMethod, ...] = ("mean", "mean_variance", "quantile")


@dataclass(frozen=True)
class Bias:
    """How the bias of a driver is taken off.

    Parameters
    ----------
    reference : sequence of Path
        Files of a reanalysis.
    method : str
        What becomes that of the reference: the mean by month, the variance of the years too, or their quantiles.
    daily : bool
        Whether the variance from day to day does too.
    """

    reference: Sequence[Path]
    method: BiasMethod = "mean_variance"
    daily: bool = False


@dataclass
class Setting:
    """What is known of a component before anything runs: its offline checks get this.

    Parameters
    ----------
    name : str
        Name in the case.
    clock : Clock
        Dates of the case.
    step, duration : int
        Time step and length of the case, s.
    grid : Grid
        The component's grid, as the namelist describes it.
    folder : Path
        Folder of the case: relative file names in options are looked up there, then in the project's ``data/``.
    seed : int
        Seed of the case for everything random.
    """

    name: str
    clock: Clock
    step: int
    duration: int
    grid: Grid
    folder: Path
    seed: int = 0

    def file(self, name: str) -> Path:
        """Path of an input file: absolute, in the case's folder, or in the project's ``data/``."""
        return input_file(name, self.folder)

    def files(self, names: Iterable[str]) -> list[Path]:
        """Paths of input files, found like `file`; a name may have wildcards, such as ``boundary.*.nc``."""
        return input_files(names, self.folder)


@dataclass
class Context(Setting):
    """What a component gets to work with.

    Parameters
    ----------
    grids : mapping of str to Grid
        All grids of the component by name; ``default`` is `grid`.
    decompositions : mapping of str to Decomposition
        Blocks of each grid over the component's ranks; ``default`` is `decomposition`.
    device : str
        ``cpu`` or ``cuda:N``.
    threads : int
        Threads this rank may use.
    logger : callable
        Takes a line of text; written once a component (by its first rank).
    """

    grids: Mapping[str, Grid] = field(default_factory=dict)
    decompositions: Mapping[str, Decomposition] = field(default_factory=dict)
    device: str = "cpu"
    threads: int = 1
    logger: Callable[[str], None] = print

    @property
    def decomposition(self) -> Decomposition:
        """Blocks of the default grid."""
        return self.decompositions["default"]

    @property
    def rank(self) -> int:
        """Rank within the component."""
        return self.decomposition.rank

    @property
    def ranks(self) -> int:
        """Ranks of the component."""
        return self.decomposition.ranks

    @property
    def local_shape(self) -> tuple[int, ...]:
        """Shape of this rank's block of a 2-D field on the default grid."""
        return self.decomposition.local_shape

    def local(self, whole: Array) -> Array:
        """This rank's block of a field that every rank has as a whole."""
        return self.decomposition.local(whole)

    def gather(self, local: npt.ArrayLike) -> Array | None:
        """The whole field on the component's first rank, None elsewhere."""
        return self.decomposition.gather(local)

    def whole(self, local: npt.ArrayLike) -> Array:
        """The whole field on every rank of the component."""
        return self.decomposition.whole(local)

    def share(self, item: Any, what: str) -> list[Any]:
        """What every rank of the component gives, on every rank, in their order.

        Parameters
        ----------
        item : of dicts, lists, text, numbers, None and arrays
        what : what it is, for the message where a rank does not come
        """
        return self.decomposition.share(item, what)

    def scatter(self, whole: Array | None) -> Array:
        """This rank's block of a field that the component's first rank has as a whole."""
        return self.decomposition.scatter(whole)

    def sum(self, local: npt.ArrayLike) -> float:
        """Sum over all ranks; the same bits for every layout."""
        return self.decomposition.sum(local)

    def halo(self, *fields: Array, width: int, periodic: tuple[bool, bool] = (False, False)) -> None:
        """Fill the halos of padded blocks in place; see `Decomposition.halo`.

        Parameters
        ----------
        fields : padded blocks (..., ny + 2 width, nx + 2 width), changed in place
        width : cells of the halo
        periodic : whether the grid closes in y and in x
        """
        self.decomposition.halo(*fields, width=width, periodic=periodic)

    def halo_transposed(self, *fields: Array, width: int, periodic: tuple[bool, bool] = (False, False)) -> None:
        """Transpose of `halo` in place, for gradients; see `Decomposition.halo_transposed`.

        Parameters
        ----------
        fields : padded blocks (..., ny + 2 width, nx + 2 width), changed in place
        width : cells of the halo
        periodic : whether the grid closes in y and in x
        """
        self.decomposition.halo_transposed(*fields, width=width, periodic=periodic)

    def log(self, text: str) -> None:
        """One line in the log of the run."""
        if self.rank == 0:
            self.logger(f"{self.name}: {text}")


class Component:
    """One model of one realm. Subclass it; see the module's example and the component author's guide.

    `imports` and `exports` are tuples of `FieldSpec`, on the class or set in ``__init__`` where they depend on the
    options.
    """

    imports: tuple[FieldSpec, ...] = ()
    exports: tuple[FieldSpec, ...] = ()

    class Options(Namelist):
        """No options."""

    description: ClassVar[str] = ""
    on_demand: ClassVar[bool] = False
    """Whether it only serves others, such as radiation: a case in which nobody takes its exports runs without it."""
    halo_cells: ClassVar[int] = 0
    """Cells of the widest halo that it exchanges: ranks whose blocks are narrower are refused by ``check``."""
    shapes_state: ClassVar[Sequence[str]] = ()
    """Options that a state belongs to, such as the number of levels: a restart written under others is refused."""

    def __init__(self, options: Any):
        self.options = options

    def grids(self, setting: Setting) -> dict[str, Grid]:
        """Grids of the component by name, made from the namelist's (masks are added here).

        Every process calls this, so it must give the same grids everywhere and be quick.
        """
        return {"default": setting.grid}

    def state_marks(self, setting: Setting) -> Mapping[str, str]:
        """What of its files a state belongs to, such as a sea floor, by name: words that end in a `fingerprint`."""
        return {}

    def cell_names(self, setting: Setting) -> Mapping[int, str]:
        """Names of flat cells of the default grid worth one, such as mouths of rivers; optional."""
        return {}

    def check(self, setting: Setting) -> list[str]:
        """Everything that can be wrong before the run: a message each (missing files, forcing that ends early)."""
        return []

    def remarks(self, setting: Setting) -> list[str]:
        """What ``check`` says of the component beside mistakes, such as totals of its input; a line each."""
        return []

    def prepare_inputs(
        self, setting: Setting, files: Sequence[Path], report: Callable[[str, float], None]
    ) -> Mapping[str, Any]:
        """Make this component's input files from data of the user's: what ``./run_case.py prepare`` calls.

        Parameters
        ----------
        setting : Setting
            Grid, dates and folder of the case; the files are written there.
        files : sequence of Path
            What the user named.
        report : callable
            Takes a line of text and the share of the work that is done, 0 to 1; 0 for a note.

        Returns
        -------
        mapping of str to Any
            Options that name the files made, as they must stand in the namelist.

        Raises
        ------
        TesseraError
            Data that cannot be used, with the reason.
        """
        raise NotImplementedError

    def prepare_corrected_inputs(
        self, setting: Setting, files: Sequence[Path], report: Callable[[str, float], None], bias: Bias
    ) -> Mapping[str, Any]:
        """As `prepare_inputs`, with the bias of the data taken off: ``./run_case.py prepare --reference``.

        Parameters
        ----------
        setting, files, report
            As of `prepare_inputs`.
        bias : Bias
            The reference, and what of it the data get.

        Returns
        -------
        mapping of str to Any
            Options that name the files made.

        Raises
        ------
        TesseraError
            Data that cannot be used or corrected, before anything is written.
        """
        raise NotImplementedError

    def spin_up(self, years: float | None, report: Callable[[str, float], None]) -> Mapping[str, tuple[float, float]]:
        """Set stores that take centuries to rest, after `initialize` and `restore`: ``./run_case.py spinup`` calls it.

        Parameters
        ----------
        years : float or None
            Of the weather that the state remembers; None: until nothing changes.
        report : callable
            Takes a line of text and the share of the work that is done, 0 to 1; 0 for a note.

        Returns
        -------
        mapping of str to tuple of float
            Totals before and after, by name and unit.

        Raises
        ------
        TesseraError
            A state that does not know enough, such as less than a year of it.
        """
        raise NotImplementedError

    def initialize(self, context: Context) -> Fields:
        """Prepare the state at the start and return the exports there (this rank's blocks)."""
        raise NotImplementedError

    def step(self, time: int, seconds: int, imports: Mapping[str, Array]) -> Fields:
        """Advance from `time` by `seconds`; return the exports valid at the end of the step.

        Parameters
        ----------
        time : model time at the start of the step, s since the start of the case
        seconds : length of the step, s
        imports : this rank's blocks by CF name, valid at `time`
        """
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """All that a bit-identical continuation needs.

        Arrays whose last dimensions are this rank's block are gathered into the restart; an array on another grid is
        wrapped in `OnGrid`; numbers are the same on all ranks.
        """
        raise NotImplementedError

    def restore(self, state: Mapping[str, Any]) -> Fields | None:
        """Restore a saved state (called after `initialize`); may return the exports it implies."""
        raise NotImplementedError

    def budget(self) -> dict[str, Array]:
        """Stored heat (``heat``, J m-2), water (``water``, kg m-2) ... by cell; optional."""
        return {}

    def diagnostics(self) -> Mapping[str, Array]:
        """Further fields for history files, by name; optional. Units in `diagnostic_units`."""
        return {}

    diagnostic_units: Mapping[str, str] = {}

    def call_seconds(self) -> Sequence[float]:
        """Seconds of each call of what is worth its own line in the timing table, such as a network; optional."""
        return ()

    def finalize(self) -> None:
        """Called once at the end of the run."""
        return None


def as_numbers(values: npt.ArrayLike) -> Array:
    """Values as a contiguous double array: torch tensors of any device too; what a masked array hides is NaN.

    Parameters
    ----------
    values : number, array, masked array or tensor
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    return np.ascontiguousarray(values, dtype=np.float64)


def as_block(values: npt.ArrayLike, shape: tuple[int, ...]) -> Array:
    """Values as a contiguous double array of `shape`; see `as_numbers`.

    Parameters
    ----------
    values : number, array or tensor that broadcasts to `shape`
    shape : of this rank's block
    """
    array = as_numbers(values)
    return array if array.shape == shape else np.ascontiguousarray(np.broadcast_to(array, shape))
