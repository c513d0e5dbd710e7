# SPDX-License-Identifier: BSD-3-Clause
"""What a component gives back, looked at before it is used: a mistake is told by component, call and name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from coupler.component import OnGrid
from coupler.errors import ComponentError

KINDS = {
    "b": "booleans", "U": "text", "S": "text", "O": "Python objects", "c": "complex numbers", "M": "dates",
    "m": "time differences", "V": "records",
}  # fmt: skip
"""What arrays hold that are no numbers, by numpy's letter."""
STORED = {*"bBhHiIlLqQfd?"}
"""Kinds of numbers that a restart keeps to the bit, by numpy's letter."""


def exports(component: str, call: str, given: Any) -> Mapping[str, Any]:
    """What ``initialize``, ``step`` or ``diagnostics`` returned: arrays of numbers by name.

    Parameters
    ----------
    component : name in the case
    call : what was called
    given : what it returned

    Raises
    ------
    ComponentError
        It is something else.
    """
    called = "a field", r"[^\s/]+", "a name without blanks"
    fields = _entries(component, call, given, "a dict of arrays", called)
    for name, value in fields.items():
        number(component, f"{call} returned", name, value)
    return fields


def _entries(component: str, call: str, given: Any, expected: str, called: tuple[str, str, str]) -> Mapping[str, Any]:
    """What was returned, by name; `called`: what an entry is, the pattern of its name, and that in words."""
    if not isinstance(given, Mapping):
        raise ComponentError(f"{component}: {call} returned {_said(given)}; expected {expected}")
    entry, pattern, words = called
    for name in given:
        if not isinstance(name, str) or not re.fullmatch(pattern, name):
            raise ComponentError(f"{component}: {call} returned {entry} called {name!r}; expected {words}")
    return given


def number(component: str, how: str, name: str, value: Any) -> None:
    """Refuse a field that is no array of numbers; `how` it came, such as ``step returned``.

    Parameters
    ----------
    component : name in the case
    how : in which way the field came
    name : of the field
    value : what is there
    """
    letter = _letter(value)
    if letter in KINDS or letter == "":
        what = _said(value) if letter in "O" else f"an array of {KINDS[letter]}"
        raise ComponentError(f"{component}: {how} {name} as {what}; expected an array of numbers")
    if letter not in "fiu":
        raise ComponentError(f"{component}: {how} {name} as an array of {letter}; expected an array of numbers")
    if np.size(value) == 0:
        raise ComponentError(
            f"{component}: {how} {name} as an empty array, shape {np.shape(value)}; expected one value a cell"
        )


def state(component: str, given: Any) -> dict[str, Any]:
    """What ``state`` returned: what a restart can hold and give back to the bit, by name.

    Parameters
    ----------
    component : name in the case
    given : what ``state`` returned

    Raises
    ------
    ComponentError
        Something would come back as something else.
    """
    called = "an entry", r"[A-Za-z0-9_.+\-]+", "letters, digits, '_', '.', '-' and '+'"
    for name, value in _entries(component, "state", given, "a dict of arrays and numbers", called).items():
        values = value.values if isinstance(value, OnGrid) else value
        letter = _letter(values)
        if letter not in "fiub" or letter == "" or not _kept(values):
            what = (
                _said(values)
                if letter in "O" or np.ma.is_masked(values)
                else f"an array of {KINDS.get(letter, str(_dtype(values)))}"
            )
            raise ComponentError(
                f"{component}: state returned {name} as {what}, which a restart cannot keep; expected numbers "
                "(float64, float32, integers) or booleans"
            )
    return dict(given)


def _dtype(value: Any) -> Any:
    return value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype


def _letter(value: Any) -> str:
    """Numpy's letter for the kind of numbers in a value; empty for what is no array at all."""
    if hasattr(value, "detach"):
        text = str(value.dtype)
        return "b" if text.endswith("bool") else "c" if "complex" in text else "f"
    try:
        return str(np.asarray(value).dtype.kind)
    except (ValueError, TypeError):
        return ""


def _kept(value: Any) -> bool:
    if hasattr(value, "detach"):
        return str(value.dtype).split(".")[-1] not in ("float16", "bfloat16")
    if np.ma.is_masked(value):
        return False
    return np.asarray(value).dtype.char in STORED


def _said(value: Any) -> str:
    """A value in a few words."""
    if value is None or isinstance(value, (bool, int, float, complex, str)):
        text = repr(value)
        return text if len(text) < 40 else text[:36] + " ..."
    if np.ma.is_masked(value):
        return f"an array with masked values, shape {np.shape(value)}"
    if isinstance(value, np.ndarray):
        return f"an array of {KINDS.get(value.dtype.kind, str(value.dtype))}, shape {value.shape}"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
