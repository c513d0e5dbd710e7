# SPDX-License-Identifier: BSD-3-Clause
"""Tags of data sets, ``LABEL[_EXTRA]_2X_1M[_2005]_V1``: what it is, cells a degree, period, year, version."""

from __future__ import annotations

import re
from typing import NamedTuple

from coupler.errors import CatalogueError

INDEX = "catalogue.yaml"
"""Name of an index."""
VARIABLE = "TESSERA_CATALOGUE"
"""Of the environment: folders with an index."""
SHAPE = "LABEL[_EXTRA...]_<cells a degree>X_<period>[_<year>]_V<version>, such as LAI_MODIS_2X_1M_2005_V1"
_TAG = re.compile(
    r"(?P<label>[A-Z][A-Z0-9]*)(?P<extra>(?:_[A-Z0-9]+)*?)_(?P<cells>[1-9]\d*)X_(?P<period>[1-9]\d*[HDMY])"
    r"(?:_(?P<year>\d{4}))?_V(?P<version>[1-9]\d*)"
)


class Tag(NamedTuple):
    """Parts of a tag.

    Attributes
    ----------
    label : str
        What is mapped.
    extra : str
        Whose map it is, and more; may be empty.
    cells : int
        A degree.
    period : str
        Of a record: 1H, 8D, 1M, 1Y.
    year : int or None
        None for a climatology.
    version : int
        From 1 on.
    """

    label: str
    extra: str
    cells: int
    period: str
    year: int | None
    version: int

    def __str__(self) -> str:
        parts = [self.label, self.extra, f"{self.cells}X", self.period, "" if self.year is None else f"{self.year:04d}"]
        return "_".join([part for part in parts if part] + [f"V{self.version}"])


def parse(text: str) -> Tag:
    """The parts of a tag.

    Parameters
    ----------
    text : str
        As the user wrote it.

    Raises
    ------
    CatalogueError
        It is no tag.

    Examples
    --------
    >>> parse("LAI_MODIS_2X_1M_2005_V1").cells
    2
    >>> str(parse("VCMAX_2X_1Y_V1"))
    'VCMAX_2X_1Y_V1'
    """
    found = _TAG.fullmatch(text)
    if found is None:
        raise CatalogueError(f"expected a tag {SHAPE}; got {text!r}")
    year = found["year"]
    return Tag(
        found["label"],
        found["extra"].strip("_"),
        int(found["cells"]),
        found["period"],
        None if year is None else int(year),
        int(found["version"]),
    )


def is_tag(text: str) -> bool:
    """Whether a word is a tag and no file."""
    return _TAG.fullmatch(text) is not None
