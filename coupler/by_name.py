"""What a namelist names as ``package.module:NAME``: a model or a flux law from outside the project."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from coupler.errors import CaseError


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
    for place in (folder, Path.cwd()):
        if place is not None and str(place) not in sys.path:
            sys.path.insert(0, str(place))
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise CaseError(f"{name!r} cannot be loaded: {error}") from error
