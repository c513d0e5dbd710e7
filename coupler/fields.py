"""Exchanged fields: their dictionary (CF standard names) and a component's declarations of them.

>>> sst = FieldSpec("sea_surface_temperature")
>>> sst.units, sst.kind
('K', 'state')
"""

import difflib
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import yaml

from coupler.errors import FieldError

Kind = Literal["state", "flux", "fraction"]
WATER_DENSITY = 1000.0
"""Density that turns a depth of water into mass: 1 mm of water is 1 kg m-2 (kg m-3)."""
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
    kind : {'state', 'flux', 'fraction'}, optional
        What the numbers are; the dictionary's by default.
    levels : int
        Number of levels of a 3-D field ``(levels, y, x)``; 0 for a 2-D field ``(y, x)``.
    grid : str
        Which of the component's grids it lives on.
    required : bool
        Of an import: whether the component cannot run without it.
    partial : bool
        Of an import: whether cells that no source covers are welcome; they are NaN. Otherwise they stop the run.
    valid_range : (float, float), optional
        Plausible range, in the dictionary's unit; the dictionary's by default.
    fraction : str, optional
        Of an export: name of another export, a fraction that weights this field where it varies in time.

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
    valid_range: tuple[float, float] | None = None
    fraction: str | None = None

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
        if self.valid_range is None and "range" in entry:
            low, high = entry["range"]
            object.__setattr__(self, "valid_range", (float(low), float(high)))

    @property
    def standard_units(self) -> str:
        """Unit in which the field travels: the dictionary's, or its own for a name outside it."""
        entry = dictionary().get(self.name)
        return str(entry["units"]) if entry else self.units

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


@functools.cache
def conversion(from_units: str, to_units: str, water: bool = False) -> tuple[float, float]:
    """Factor and offset with ``to = factor * from + offset``.

    Parameters
    ----------
    from_units, to_units : str
        Units in CF notation, such as ``kg m-2 s-1``, ``mm day-1``, ``degC``, ``hPa``.
    water : bool
        Whether depths of water may stand for masses (1 mm = 1 kg m-2).

    Returns
    -------
    (float, float)
        Factor and offset.

    Raises
    ------
    FieldError
        Units that are unknown or cannot be converted into each other with certainty.

    Examples
    --------
    >>> conversion("degC", "K")
    (1.0, 273.15)
    >>> factor, offset = conversion("mm day-1", "kg m-2 s-1", water=True)
    >>> round(factor * 86400, 9), offset
    (1.0, 0.0)
    """
    if from_units == to_units:
        return 1.0, 0.0
    import pint

    registry = _registry()
    try:
        a, b = registry.Unit(_pint(from_units)), registry.Unit(_pint(to_units))
    except Exception as error:
        raise FieldError(f"unknown unit {from_units!r} or {to_units!r}: {error}") from error
    extra = 1.0
    if a.dimensionality != b.dimensionality and water:
        for numerator, density in ((a, WATER_DENSITY), (b, 1.0 / WATER_DENSITY)):
            other = b if numerator is a else a
            if (numerator * registry.Unit("kg m**-3")).dimensionality == other.dimensionality:
                extra = density
                if numerator is a:
                    a = a * registry.Unit("kg m**-3")
                else:
                    b = b * registry.Unit("kg m**-3")
                break
    try:
        zero = registry.Quantity(0.0, a).to(b).magnitude
        one = registry.Quantity(1.0, a).to(b).magnitude
    except pint.DimensionalityError as error:
        raise FieldError(f"cannot convert {from_units!r} to {to_units!r}") from error
    offset = round(float(zero), 10)
    return (float(one) - float(zero)) * extra, offset


def convert(values: npt.ArrayLike, from_units: str, to_units: str, *, water: bool = False) -> npt.NDArray[np.float64]:
    """Values in another unit (see `conversion`).

    >>> convert([0.0, 15.0], "degC", "K")
    array([273.15, 288.15])
    """
    factor, offset = conversion(from_units, to_units, water)
    return np.asarray(values, dtype=np.float64) * factor + offset


def is_water(name: str) -> bool:
    """Whether the dictionary calls the field a flux of water."""
    return bool(dictionary().get(name, {}).get("water", False))


@functools.cache
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
    registry.define("PSU = 1e-3 = psu")
    return registry


_SYNONYMS: Mapping[str, str] = {
    "1": "dimensionless",
    "": "dimensionless",
    "%": "percent",
    "1e-3": "PSU",
    "degc": "degC",
    "deg_c": "degC",
    "degree_celsius": "degC",
    "degrees_celsius": "degC",
    "celsius": "degC",
    "degree_c": "degC",
    "deg c": "degC",
    "kelvin": "K",
}


def _pint(units: str) -> str:
    """CF notation (``kg m-2 s-1``) in pint's (``kg * m**-2 * s**-1``)."""
    text = units.strip()
    if text.lower() in _SYNONYMS:
        return _SYNONYMS[text.lower()]
    tokens = []
    for token in text.replace("/", " / ").split():
        if token in ("/", "*"):
            tokens.append(token)
            continue
        match = re.fullmatch(r"([^\d\-+*^]*)(?:\*\*|\^)?([-+]?\d+)?", token)
        name, power = match.groups() if match else (token, None)
        word = _SYNONYMS.get(name.lower(), name)
        if tokens and tokens[-1] not in ("/", "*"):
            tokens.append("*")
        tokens.append(f"{word}**{power}" if power else word)
    return " ".join(tokens)
