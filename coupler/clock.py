# SPDX-License-Identifier: BSD-3-Clause
"""Model time: whole seconds since the start of the case, calendars through cftime.

>>> parse_duration("PT1H30M")
5400
>>> format_duration(5400)
'PT1H30M'
"""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cftime

_FIXED = re.compile(
    r"^P(?:(?P<W>\d+)W)?(?:(?P<D>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+)S)?)?", re.ASCII
)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?", re.ASCII)
_CALENDAR = re.compile(r"P(?:(?P<Y>\d+)Y)?(?:(?P<M>\d+)M)?(?P<rest>.*)", re.ASCII)
_LONGEST = 3_652_500
"""Days of the longest duration: ten thousand years, the last that a date has digits for."""
_SECONDS = {"W": 604800, "D": 86400, "h": 3600, "m": 60, "s": 1}
CALENDARS = ("standard", "proleptic_gregorian", "noleap", "all_leap", "360_day", "julian")
ALIASES = {
    "gregorian": "standard",
    "gregorian_proleptic": "proleptic_gregorian",
    "365_day": "noleap",
    "365": "noleap",
    "no_leap": "noleap",
    "366_day": "all_leap",
    "366": "all_leap",
    "360": "360_day",
}
"""Other names of the calendars: CF's, and those of ROMS and of the IRI."""


def calendar_name(text: str) -> str:
    """The name in `CALENDARS` of a calendar, whatever its case and alias.

    Raises
    ------
    ValueError
        A calendar that is not known.

    Examples
    --------
    >>> calendar_name("Gregorian"), calendar_name("365_day")
    ('standard', 'noleap')
    """
    word = str(text).strip().lower()
    found = ALIASES.get(word, word)
    if found not in CALENDARS:
        raise ValueError(f"unknown calendar {text!r}; one of {', '.join(CALENDARS)} (or {', '.join(ALIASES)})")
    return found


def parse_duration(text: str) -> int:
    """Seconds of an ISO-8601 duration of fixed length, such as ``PT20M`` or ``P1DT12H``.

    Parameters
    ----------
    text : str
        ISO-8601 duration in weeks, days, hours, minutes and whole seconds.

    Returns
    -------
    int
        Length in seconds, greater than zero.

    Raises
    ------
    ValueError
        Not a duration, zero, or with years or months (whose length depends on the date).
    """
    match = _FIXED.fullmatch(text) if isinstance(text, str) and len(text) < 100 else None
    found = {k: int(v) for k, v in match.groupdict().items() if v} if match else {}
    if not found or (isinstance(text, str) and text.endswith("T")):
        hint = ""
        if isinstance(text, str) and re.match(r"^P\d+[YM]", text):
            hint = " (years and months have no fixed length: say days)"
        text = repr(text) if len(str(text)) < 100 else f"{str(text)[:40]!r}..."
        raise ValueError(f"{text} is not an ISO-8601 duration such as PT20M (20 minutes), PT1H or P1D{hint}")
    seconds = sum(_SECONDS[k] * v for k, v in found.items())
    if seconds == 0:
        raise ValueError(f"duration {text!r} is zero")
    if seconds > 86400 * _LONGEST:
        raise ValueError(f"duration {text!r} is longer than ten thousand years (P{_LONGEST}D)")
    return seconds


def format_duration(seconds: int) -> str:
    """ISO-8601 text of a length in whole seconds (the inverse of `parse_duration`)."""
    if seconds == 0:
        return "PT0S"
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    days, rest = divmod(rest, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    time = "".join(f"{n}{u}" for n, u in ((hours, "H"), (minutes, "M"), (rest, "S")) if n)
    return sign + "P" + (f"{days}D" if days else "") + (f"T{time}" if time else "")


def uneven(step: int, intervals: Mapping[str, int]) -> list[str]:
    """What is wrong with intervals of a component (s, by their names) that its ``step`` (s) does not divide.

    What is due when both fall together would come far more seldom than was said.

    Examples
    --------
    >>> uneven(420, {"radiation_interval": 3600, "nudging_interval": 840})
    ['radiation_interval (PT1H) is not a multiple of the step (PT7M)']
    """
    return [
        f"{name} ({format_duration(length)}) is not a multiple of the step ({format_duration(step)})"
        for name, length in intervals.items()
        if length % step
    ]


@dataclass(frozen=True)
class Clock:
    """Dates of a case: model time is whole seconds since `start`.

    Parameters
    ----------
    start : str
        Start of the case, ``YYYY-MM-DD`` or ``YYYY-MM-DDThh:mm:ss``.
    calendar : str
        CF calendar name or one of its aliases, see `CALENDARS` and `ALIASES`.

    Examples
    --------
    >>> clock = Clock("2001-02-28", "noleap")
    >>> clock.text(86400)
    '2001-03-01T00:00:00'
    >>> clock.seconds_of("P1M")
    2419200
    """

    start: str
    calendar: str = "standard"

    def __post_init__(self) -> None:
        if str(self.calendar).lower() in (*ALIASES, *CALENDARS):
            object.__setattr__(self, "calendar", calendar_name(self.calendar))

    @functools.cached_property
    def origin(self) -> cftime.datetime:
        """Start of the case as a cftime date."""
        match = _DATE.fullmatch(self.start)
        if not match:
            raise ValueError(f"{self.start[:80]!r} is not a date such as 2001-01-01 or 2001-01-01T06:00:00")
        calendar_name(self.calendar)
        numbers = [int(g) if g else 0 for g in match.groups()]
        try:
            return cftime.datetime(*numbers, calendar=self.calendar)
        except ValueError as error:
            raise ValueError(f"{self.start} is not a date of the calendar {self.calendar}: {error}") from None

    def date(self, seconds: int) -> cftime.datetime:
        """Date at `seconds` after the start."""
        import datetime

        return self.origin + datetime.timedelta(seconds=int(seconds))

    def text(self, seconds: int) -> str:
        """ISO-8601 text of the date at `seconds` after the start."""
        return str(self.date(seconds).strftime("%Y-%m-%dT%H:%M:%S"))

    def seconds_at(self, text: str) -> int:
        """Model time of a date given as text."""
        delta = Clock(text, self.calendar).origin - self.origin
        return int(delta.days * 86400 + delta.seconds)

    def seconds_of(self, duration: str) -> int:
        """Length in seconds of a duration counted from the start; years and months allowed."""
        match = _CALENDAR.fullmatch(duration) if isinstance(duration, str) else None
        if not match or not (match["Y"] or match["M"]):
            return parse_duration(duration)
        months = 12 * int(match["Y"] or 0) + int(match["M"] or 0)
        o = self.origin
        year, month = o.year + (o.month - 1 + months) // 12, (o.month - 1 + months) % 12 + 1
        try:
            end = o.replace(year=year, month=month)
        except ValueError as error:
            raise ValueError(f"{duration} after {self.start} is not a date of the calendar {self.calendar}") from error
        rest = match["rest"]
        delta = end - o
        return int(delta.days * 86400 + delta.seconds) + (parse_duration("P" + rest) if rest else 0)


@dataclass(frozen=True)
class Period:
    """A length that recurs: a whole number of seconds, counted from the start of a case, or of calendar months.

    Periods of months end on the first of a month at 00:00, counted from January of the case's first year: months
    (``P1M``), quarters (``P3M``), years (``P1Y``). The first is shorter in a case that starts in its middle.

    Parameters
    ----------
    seconds : int
        Length, s; 0 for calendar months.
    months : int
        Number of months.

    Examples
    --------
    >>> clock = Clock("2001-01-15", "noleap")
    >>> [clock.text(t) for t in Period.of("P1M").ends(clock, 0, 100 * 86400)]
    ['2001-02-01T00:00:00', '2001-03-01T00:00:00', '2001-04-01T00:00:00']
    >>> Period.of("PT6H").ends_at(clock, 43200), Period.of("PT6H").begin(clock, 43200)
    (True, 21600)
    """

    seconds: int = 0
    months: int = 0

    @classmethod
    def of(cls, text: str) -> "Period":
        """The period of an ISO-8601 duration; years and months alone, or a fixed length.

        Raises
        ------
        ValueError
            No duration, or months mixed with days.
        """
        match = _CALENDAR.fullmatch(text) if isinstance(text, str) and len(text) < 100 else None
        if not match or not (match["Y"] or match["M"]):
            return cls(seconds=parse_duration(text))
        months = 12 * int(match["Y"] or 0) + int(match["M"] or 0)
        if match["rest"]:
            raise ValueError(f"{text!r} mixes calendar months with days; say months (P1M) or days (P30D)")
        if not 0 < months <= 120_000:
            raise ValueError(f"duration {text!r} is {'zero' if not months else 'longer than ten thousand years'}")
        return cls(months=months)

    def __str__(self) -> str:
        years, months = divmod(self.months, 12)
        text = "P" + (f"{years}Y" if years else "") + (f"{months}M" if months else "")
        return text if self.months else format_duration(self.seconds)

    def next_end(self, clock: Clock, time: int) -> int:
        """First end later than model time `time` (s).

        Parameters
        ----------
        clock : dates of the case
        time : model time, s
        """
        return (time // self.seconds + 1) * self.seconds if self.seconds else self._month(clock, time, 1)

    def ends_at(self, clock: Clock, time: int) -> bool:
        """Whether a period ends at model time `time` (s).

        Parameters
        ----------
        clock : dates of the case
        time : model time, s
        """
        return time % self.seconds == 0 if self.seconds else self._month(clock, time, 0) == time

    def begin(self, clock: Clock, time: int) -> int:
        """Model time (s) at which the period that ends at `time` has begun; not before the start of the case.

        Parameters
        ----------
        clock : dates of the case
        time : model time at the end of the period, s
        """
        return max(0, time - self.seconds if self.seconds else self._month(clock, time, -1))

    def ends(self, clock: Clock, start: int, end: int) -> Iterator[int]:
        """Ends later than `start` and not later than `end` (s).

        Parameters
        ----------
        clock : dates of the case
        start, end : model times, s
        """
        time = self.next_end(clock, start)
        while time <= end:
            yield time
            time = self.next_end(clock, time)

    def misfit(self, clock: Clock, step: int, end: int) -> int | None:
        """First end, up to `end` (s), that is not a multiple of `step` (s); None where all are.

        Parameters
        ----------
        clock : dates of the case
        step : s
        end : model time, s
        """
        if self.seconds:
            return self.seconds if self.seconds % step else None
        return next((t for t in self.ends(clock, 0, end) if t % step), None)

    def _month(self, clock: Clock, time: int, further: int) -> int:
        """Model time of the latest end that is not later than `time`, or of one so many periods further."""
        date, origin = clock.date(time), clock.origin
        number = 12 * (date.year - origin.year) + date.month - 1
        number = (number // self.months + further) * self.months
        first = origin.replace(
            year=origin.year + number // 12, month=number % 12 + 1, day=1, hour=0, minute=0, second=0
        )
        delta = first - origin
        return int(delta.days * 86400 + delta.seconds)
