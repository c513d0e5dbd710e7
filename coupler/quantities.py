# SPDX-License-Identifier: BSD-3-Clause
"""Types of numbers in a namelist: with a unit, finite, and within the range that makes sense.

>>> from pydantic import TypeAdapter
>>> TypeAdapter(Length).validate_python("0.04 km")
40.0
>>> TypeAdapter(Temperature).validate_python("15 degC")
288.15

Every numeric option of a model has bounds; the types here have those of their kind, and `quantity`, `number` and
`whole` make others. The bounds are wide: they keep out what no run can mean, such as a layer of -50 m.
"""

import datetime
import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from coupler.clock import Period, parse_duration
from coupler.errors import FieldError


@dataclass(frozen=True)
class Unit:
    """Annotation of a number: its SI unit."""

    name: str


@dataclass(frozen=True)
class Range:
    """Annotation of a number: the bounds within which it must lie, and that it is finite.

    Parameters
    ----------
    least, most : float
        Bounds that a number may reach.
    above, below : float
        Bounds that it may not reach.
    unit : str
        Named in the message.

    Examples
    --------
    >>> print(Range(above=0, most=12000, unit="m"))
    more than 0 and at most 12000 m
    >>> print(Range(least=0, most=1))
    0 to 1
    """

    least: float = -math.inf
    most: float = math.inf
    above: float = -math.inf
    below: float = math.inf
    unit: str = ""

    @property
    def bounded(self) -> bool:
        """Whether it has a lower and an upper bound."""
        return max(self.least, self.above) > -math.inf and min(self.most, self.below) < math.inf

    def holds(self, value: float) -> bool:
        """Whether a number lies within."""
        return self.least <= value <= self.most and self.above < value < self.below

    def __str__(self) -> str:
        low = f"{self.least:.10g}" if self.least > -math.inf else ""
        high = f"{self.most:.10g}" if self.most < math.inf else ""
        if low and high:
            text = f"{low} to {high}"
        else:
            more = f"more than {self.above:.10g}" if self.above > -math.inf else low and f"at least {low}"
            less = f"less than {self.below:.10g}" if self.below < math.inf else high and f"at most {high}"
            text = " and ".join(t for t in (more, less) if t) or "any finite number"
        return text + (f" {self.unit}" if self.unit else "")

    def _check(self, value: Any) -> Any:
        try:
            inside = math.isfinite(value) and self.holds(value)
        except OverflowError:  # a whole number beyond all floats
            inside = False
        if not inside:
            raise PydanticCustomError("range", "expected {range}", {"range": str(self)})
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """The check, after the type's own."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))


_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*", re.ASCII)


def split_quantity(text: str) -> tuple[float, str]:
    """Number and unit of a text; the unit is empty where there is none.

    Parameters
    ----------
    text : str
        Such as ``50 m``.

    Raises
    ------
    ValueError
        It does not begin with a number.

    Examples
    --------
    >>> split_quantity("2.5e-3 kg m-2")
    (0.0025, 'kg m-2')
    """
    match = _NUMBER.fullmatch(text)
    if not match:
        raise ValueError(f"{text[:80]!r} is not a number")
    return float(match[1]), match[2]


def quantity(
    unit: str, *, least: float = -math.inf, most: float = math.inf, above: float = -math.inf, below: float = math.inf,
    difference: bool = False,
) -> Any:  # fmt: skip
    """Type of a number in `unit`: accepts ``50``, ``'50 m'`` and units that convert with certainty.

    Parameters
    ----------
    unit : str
        SI unit; ``1`` for a plain number.
    least, most, above, below : float
        Bounds; see `Range`.
    difference : bool
        Whether it is a difference, which units with another zero (``degC`` for ``K``) cannot give.
    """
    of_unit = "" if unit == "1" else f" in {unit}"

    def read(value: Any) -> Any:
        from coupler.fields import conversion  # the units' library, where a unit is given only

        if isinstance(value, bool):
            raise PydanticCustomError("quantity", f"expected a number{of_unit}, not {str(value).lower()}")
        if not isinstance(value, str):
            return value
        try:
            number, given = split_quantity(value)
        except ValueError:
            raise PydanticCustomError(
                "quantity", "{given} is not a number" + of_unit, {"given": repr(value)[:80]}
            ) from None
        if not given:
            return number
        try:
            factor, offset = conversion(given, unit)
        except FieldError:
            factor, offset = math.nan, math.nan
        if math.isnan(factor) or (difference and offset != 0.0):
            what = f"a difference in {unit}" if difference else unit
            raise PydanticCustomError("quantity", "wrong unit {given}: expected " + what, {"given": repr(given)[:80]})
        return number * factor + offset

    bounds = Range(least, most, above, below, "" if unit == "1" else unit)
    return Annotated[float, BeforeValidator(read), Unit(unit), bounds]


def number(**bounds: Any) -> Any:
    """Type of a number without unit within bounds."""
    return quantity("1", **bounds)


def whole(least: int, most: int) -> Any:
    """Type of a whole number from `least` to `most`."""
    return Annotated[int, Range(least=least, most=most)]


def _duration(value: Any) -> int:
    if not isinstance(value, str):
        text = "{given} is not an ISO-8601 duration such as PT20M, PT1H or P1D"
        raise PydanticCustomError("duration", text, {"given": repr(value)[:80]})
    try:
        return parse_duration(value)
    except ValueError as error:
        raise PydanticCustomError("duration", "{reason}", {"reason": str(error)}) from None


Metres = quantity("m")
"""A height or a shift of either sign."""
Length = quantity("m", above=0.0, most=1e8)
"""A length, a depth, a thickness."""
LengthOrNone = quantity("m", least=0.0, most=1e8)
"""A length, where 0 stands for none."""
Depth = quantity("m", above=0.0, most=12000.0)
"""A depth or thickness of the sea."""
Kelvin = quantity("K", above=0.0, most=1e4)
"""Any temperature."""
Temperature = quantity("K", least=150.0, most=400.0)
"""A temperature of air, water or ground."""
TemperatureDifference = quantity("K", difference=True, least=0.0, most=100.0)
"""How much warmer, or colder."""
Seconds = quantity("s", least=0.0, most=1e12)
"""A time scale, where 0 stands for at once, or never."""
TimeScale = quantity("s", above=0.0, most=1e12)
"""A time scale that something is divided by."""
Pascals = quantity("Pa", least=0.0, most=1e9)
MetresPerSecond = quantity("m s-1", least=-1e4, most=1e4)
Degrees = quantity("degree", least=-720.0, most=720.0)
WattsPerSquareMetre = quantity("W m-2", least=-1e5, most=1e5)
Fraction = quantity("1", least=0.0, most=1.0)
"""A share."""
Viscosity = quantity("m2 s-1", least=0.0, most=1e7)
"""A viscosity or diffusivity."""
Count = Annotated[int, Range(least=0, most=1_000_000)]
"""How many, 0 allowed."""
Positive = Annotated[int, Range(least=1, most=1_000_000)]
"""How many, at least one."""


def _period(value: Any) -> Period:
    if not isinstance(value, str):
        _duration(value)
    try:
        return Period.of(value)
    except ValueError as error:
        raise PydanticCustomError("duration", "{reason}", {"reason": str(error)}) from None


Recurring = Annotated[Any, BeforeValidator(_period)]
"""ISO-8601 duration, or years and months of the calendar; a `coupler.clock.Period` once read."""
Duration = Annotated[int, BeforeValidator(_duration)]
"""ISO-8601 duration; whole seconds once read."""


def day_of_year(date: str) -> int | None:
    """Day of a year of 365 days of a month and day such as 05-20; None where there is no such date."""
    month, _, day = date.strip().partition("-")
    if not (month.isdigit() and day.isdigit()):
        return None
    try:
        return datetime.date(2001, int(month), int(day)).timetuple().tm_yday
    except ValueError:
        return None


def _month_and_day(date: str) -> str:
    if day_of_year(date) is None:
        raise ValueError(f"expected month and day of a year of 365 days, as 05-20; found {date!r}")
    return date


MonthAndDay = Annotated[str, AfterValidator(_month_and_day)]
"""A date of every year, as 05-20."""
