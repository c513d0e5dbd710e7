# SPDX-License-Identifier: BSD-3-Clause
"""What a namelist names as ``package.module:NAME``: a model, a flux law or a scheme from outside the project."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

from coupler.author_code import call
from coupler.errors import CaseError

_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def look_in(folder: Path | None) -> None:
    """Let python find packages in the case's folder and in the current one."""
    for place in (folder, Path.cwd()):
        if place is not None and str(place) not in sys.path:
            sys.path.insert(0, str(place))


def load(name: str, folder: Path | None = None) -> Any:
    """The object called ``package.module:NAME``; packages in the case's folder are found too.

    Parameters
    ----------
    name : str
        Module and name in it, with a colon between.
    folder : Path, optional
        Folder of the case.

    Raises
    ------
    CaseError
        No such module, or no such name in it.
    """
    module, _, attribute = name.partition(":")
    if not _MODULE.fullmatch(module) or not attribute.isidentifier():
        raise CaseError(f"{name!r} is not of the form package.module:Name, such as my_models.ocean:MyOcean")
    look_in(folder)
    try:
        return getattr(call(f"import of {module}", lambda: importlib.import_module(module)), attribute)
    except (CaseError, AttributeError) as error:
        raise CaseError(f"{name!r} cannot be loaded: {error}") from error
