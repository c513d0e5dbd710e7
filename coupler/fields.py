# SPDX-License-Identifier: BSD-3-Clause
"""Exchanged fields: their dictionary (CF standard names) and a component's declarations of them.

>>> sst = FieldSpec("sea_surface_temperature")
>>> sst.units, sst.kind
('K', 'state')
"""

import difflib
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from coupler.errors import FieldError
from coupler.units import WATER_DENSITY as WATER_DENSITY
from coupler.units import conversion as conversion
from coupler.units import convert as convert

Kind = Literal["state", "flux", "fraction", "outflow"]
ZERO_CELSIUS = 273.15
"""The zero of the Celsius scale (K)."""


@functools.cache
def dictionary() -> dict[str, dict[str, Any]]:
    """The dictionary of exchanged fields, `fields.yaml`, by CF standard name."""
    text = Path(__file__).with_name("fields.yaml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return dict(yaml.load(text, Loader=loader))


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for the likeliest of `choices`, or nothing."""
    near = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


@dataclass(frozen=True)
class FieldSpec:
    """One field that a component imports or exports.

    Parameters
    ----------
    name : str
        CF standard name, in the dictionary `fields.yaml`; another name needs `units` and `kind`.
    units : str, optional
        Unit of the component's arrays; the dictionary's (SI) by default. Another unit is converted at the exchange.
    kind : {'state', 'flux', 'fraction', 'outflow'}, optional
        What the numbers are; the dictionary's by default. An export that is an ``outflow`` is what a cell gives in all,
        such as a river at its mouth: its units are the dictionary's times m2, kg s-1 for kg m-2 s-1.
    levels : int
        Number of levels of a 3-D field ``(levels, y, x)``; 0 for a 2-D field ``(y, x)``.
    grid : str
        Which of the component's grids it lives on.
    required : bool
        Of an import: whether the component cannot run without it.
    partial : bool
        Of an import: whether cells that no source covers are welcome; they are NaN. Otherwise they stop the run.
    companion : str
        Of an import that is not required: another import without which it is of no use. It comes only where every
        source of that one gives it too, so that both are of the whole cell.
    taking : str
        Of an import that is not required: the export by which the component says what it takes out of the giver on the
        strength of this import. A giver that can be told and is not stops `check`: that would come from nowhere.
    valid_range : (float, float), optional
        Plausible range, in the dictionary's unit; the dictionary's by default.
    window : {'instant', 'mean'}, optional
        Of an import: the only statistic of a period that makes sense; another one is refused.
    fraction : str, optional
        Of an export: name of another export, a fraction that weights this field where it varies in time.
    each_step : bool
        Of an export: what a step gives is for that step alone, such as an increment. A rule that would leave some out
        stops `check`.

    Raises
    ------
    FieldError
        A name that is not in the dictionary, without units and kind of its own.
    """

    name: str
    units: str = ""
    kind: Kind | Literal[""] = ""
    levels: int = 0
    grid: str = "default"
    required: bool = True
    partial: bool = False
    companion: str = ""
    taking: str = ""
    valid_range: tuple[float, float] | None = None
    window: Literal["instant", "mean", ""] = ""
    fraction: str | None = None
    each_step: bool = False

    def __post_init__(self) -> None:
        entry = dictionary().get(self.name)
        if entry is None:
            if not self.units or not self.kind:
                raise FieldError(
                    f"unknown field {self.name!r}{did_you_mean(self.name, dictionary())} "
                    "(a name outside coupler/fields.yaml needs units= and kind= of its own)"
                )
            return
        if not self.units:
            object.__setattr__(self, "units", entry["units"])
        if not self.kind:
            object.__setattr__(self, "kind", entry["kind"])
        if self.kind == "outflow":
            if entry["kind"] != "flux":
                raise FieldError(f"{self.name} is a {entry['kind']}; an outflow is made of a flux, such as runoff_flux")
            conversion(f"{self.units} m-2", entry["units"], is_water(self.name))
            return
        if self.valid_range is None and "range" in entry:
            low, high = entry["range"]
            object.__setattr__(self, "valid_range", (float(low), float(high)))

    @property
    def standard_units(self) -> str:
        """Unit in which the field travels: the dictionary's, or its own for a name outside it."""
        entry = dictionary().get(self.name)
        return self.units if entry is None or self.kind == "outflow" else str(entry["units"])

    @property
    def conserved(self) -> bool:
        """Whether budgets add it up: a flux by its cells' areas, or an outflow."""
        return self.kind in ("flux", "outflow")

    @property
    def positive(self) -> str:
        """Direction counted positive (``down``, ``up``), or empty."""
        return str(dictionary().get(self.name, {}).get("positive", ""))

    @property
    def long_name(self) -> str:
        """Readable name."""
        return str(dictionary().get(self.name, {}).get("long_name", self.name.replace("_", " ")))

    @property
    def columns(self) -> int:
        """Values a cell: 1, or the number of levels."""
        return max(self.levels, 1)


def specs(*fields: "FieldSpec | str") -> tuple[FieldSpec, ...]:
    """Declarations from names or specs: ``imports = specs("air_temperature", FieldSpec(...))``."""
    return tuple(f if isinstance(f, FieldSpec) else FieldSpec(f) for f in fields)


def is_water(name: str) -> bool:
    """Whether the dictionary calls the field a flux of water."""
    return bool(dictionary().get(name, {}).get("water", False))
