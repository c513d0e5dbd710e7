# SPDX-License-Identifier: BSD-3-Clause
"""Calls of code that a component's author wrote: whatever goes wrong in it becomes one line that says where.

>>> def grids():
...     raise ValueError("too flat")
>>> call("grids of ocean", grids)
Traceback (most recent call last):
coupler.errors.CaseError: grids of ocean raised ValueError: too flat (<doctest coupler.author_code[0]>:2)
"""

import os
import sysconfig
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from coupler.errors import CaseError, TesseraError

Result = TypeVar("Result")
_LIBRARIES = tuple({sysconfig.get_paths()[k] for k in ("stdlib", "platstdlib", "purelib", "platlib")})
_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def call(what: str, action: Callable[[], Result]) -> Result:
    """What `action` returns.

    Parameters
    ----------
    what : str
        What is being called, for the message.
    action : callable
        Calls the author's code.

    Raises
    ------
    CaseError
        The code raised, or wanted to end the program. The project's own errors pass as they are.
    """
    try:
        return action()
    except (TesseraError, KeyboardInterrupt):
        raise
    except SystemExit as error:
        raise CaseError(
            f"{what} ends the program by sys.exit({error.code!r}){_place(error)}; raise an error"
        ) from error
    except SyntaxError as error:
        where = f"{error.filename}:{error.lineno}: " if error.filename else ""
        raise CaseError(f"{what}: {where}syntax error: {error.msg}") from error
    except BaseException as error:
        text = " ".join(str(error).split())
        kind = type(error).__name__
        raise CaseError(f"{what} raised {kind}{': ' if text else ''}{text[:500]}{_place(error)}") from error


def expect(what: str, value: Any, wanted: type | tuple[type, ...], description: str) -> None:
    """Refuse a value of another type than the author's code should return.

    Parameters
    ----------
    what : str
        What returned it.
    value : object
        The value.
    wanted : type or tuple of type
        What it may be.
    description : str
        That in words.

    Raises
    ------
    CaseError
        It is something else.
    """
    if not isinstance(value, wanted):
        found = "None" if value is None else f"a {type(value).__name__}"
        raise CaseError(f"{what} is {found}; {description} is expected")


def _place(error: BaseException) -> str:
    """File and line of the author's code that is nearest to an error."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(("<frozen", _HERE))]
    own = [f for f in frames if not f.filename.startswith(_LIBRARIES)]
    chosen = (own or frames)[-1:]
    place = os.path.relpath if os.getcwd() != os.sep else str
    return "".join(f" ({place(f.filename) if os.path.exists(f.filename) else f.filename}:{f.lineno})" for f in chosen)
