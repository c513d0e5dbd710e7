# SPDX-License-Identifier: BSD-3-Clause
"""Tables in text whose header lines begin with ``#`` and whose columns are named in a line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def lines_of(path: Path) -> list[str]:
    """The lines of a text, in UTF-8 or else in Latin 1; U+0085 in a name that was decoded wrongly ends none.

    Parameters
    ----------
    path : of the file
    """
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return [line.rstrip("\r") for line in text.removesuffix("\n").split("\n")]


def number(word: str) -> float:
    """The number at the start of a word; NaN where there is none, or one that stands for nothing (-999.99).

    Parameters
    ----------
    word : such as ``210`` or ``210 m``

    Examples
    --------
    >>> number("210 m"), number("-999.99"), number("NA")
    (210.0, nan, nan)
    """
    match = re.match(r"\s*([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)", word)
    if not match or re.fullmatch(r"-9{3,}(\.9*|\.0*)?", match[1]):
        return float("nan")
    return float(match[1])


def header_value(header: Sequence[str], keys: Sequence[str]) -> str:
    """The value of the first of some keys in lines ``# key : value``; empty if there is none.

    Parameters
    ----------
    header : lines
    keys : names, in the order in which they are looked for
    """
    for key in keys:
        for line in header:
            match = re.match(rf"#+\s*{re.escape(key)}\s*:\s*(.*\S)", line)
            if match:
                return match[1].strip()
    return ""


@dataclass(frozen=True)
class Table:
    """Words of a table by column.

    Attributes
    ----------
    columns : names
    rows : words of each row
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of_columns(cls, lines: Sequence[str]) -> "Table":
        """The table after a header of ``#``; its columns stand in the header's last line or in the first after it.

        Parameters
        ----------
        lines : of the file
        """
        head = [x for x in lines if x.startswith("#")]
        body = [x.split() for x in lines if x.strip() and not x.startswith("#")]
        columns = head[-1].lstrip("#").split() if head else []
        if body and (len(columns) < 3 or number(body[0][-1]) != number(body[0][-1])) and "value" in body[0]:
            columns, body = body[0], body[1:]
        return cls(tuple(columns), tuple(tuple(row) for row in body if len(row) >= len(columns)))

    def texts(self, name: str) -> npt.NDArray[np.str_]:
        """Words of a column, empty where there is none of that name.

        Parameters
        ----------
        name : of the column
        """
        if name not in self.columns:
            return np.full(len(self.rows), "", dtype=object).astype(str)
        k = self.columns.index(name)
        return np.array([row[k] for row in self.rows], dtype=str)

    def numbers(self, name: str) -> npt.NDArray[Any]:
        """Numbers of a column, NaN where there are none.

        Parameters
        ----------
        name : of the column
        """
        return np.array([number(word) for word in self.texts(name)], dtype=np.float64)
