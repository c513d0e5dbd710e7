# SPDX-License-Identifier: BSD-3-Clause
"""Errors a user can meet: each says what is wrong, where, and what to do about it.

Everything derives from `TesseraError`, so that the command line can tell a mistake of the user (one clear message)
from a defect of the program (a traceback).
"""

from collections.abc import Sequence
from dataclasses import dataclass


class TesseraError(Exception):
    """Base of all errors that carry a message for the user."""

    exit_code = 1


@dataclass(frozen=True)
class Problem:
    """One mistake in a namelist, with the place where it stands.

    Parameters
    ----------
    file : str
        Name of the namelist file.
    line : int
        Line counted from 1; 0 where no single line is to blame.
    message : str
        What is wrong and how to mend it.
    """

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}"


class NamelistError(TesseraError):
    """All the mistakes of a case's namelists, told at once."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]):
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class CaseError(TesseraError):
    """A case that cannot be made, found or run as asked."""

    exit_code = 2


class LayoutError(TesseraError):
    """Ranks or devices do not fit the components."""

    exit_code = 2


class ScheduleError(TesseraError):
    """Periods, steps or lags that do not fit, or components that wait for each other for ever."""

    exit_code = 2


class FieldError(TesseraError):
    """A field that nobody knows, or whose declarations disagree."""

    exit_code = 2


class GridError(TesseraError, ValueError):
    """A grid that is not what it should be: shape, corners, mask, fingerprint."""

    exit_code = 2


class WeightsError(TesseraError):
    """Remapping weights that cannot be made, read, or do not belong to these grids."""


class ForcingError(TesseraError):
    """A forcing file that is missing, too short, or not CF."""

    exit_code = 2


class CatalogueError(TesseraError):
    """A tag that is none or that no folder has, or a data set that is not what its entry says."""

    exit_code = 2


class RestartError(TesseraError):
    """A restart that is absent, incomplete, or belongs to another case."""


class ExchangeError(TesseraError):
    """A put or get at a wrong time, of a wrong shape, or a message that does not belong here."""


class ComponentError(TesseraError):
    """What a component gave back is not what the coupler, the history or a restart can take."""


class ValueCheckError(ExchangeError):
    """A value that is not finite or outside the plausible range of its field."""


class DeadlineError(ExchangeError):
    """A message that did not come in time."""


class BudgetError(TesseraError):
    """What was sent is not what was received."""


def words_of(error: BaseException) -> str:
    """What an exception says; some cannot even do that.

    >>> words_of(ValueError("too warm"))
    'too warm'
    """
    try:
        return str(error)
    except Exception as wrong:
        return f"(its text cannot be made: {type(wrong).__name__})"
