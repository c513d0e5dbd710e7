# SPDX-License-Identifier: BSD-3-Clause
"""What a case's inputs were made from, ``sources.yaml`` in the case: whom to cite, and what their licences are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from coupler.files.atomic import write_text

FILE = "sources.yaml"


def note_sources(case: Path, sources: Mapping[str, Mapping[str, str]]) -> None:
    """Add data sets to those that the case's inputs were made from.

    Parameters
    ----------
    case : Path
        Folder of the case.
    sources : mapping
        By tag: ``citation`` and ``licence``.
    """
    if not sources:
        return
    kept = read_sources(case) | {tag: dict(more) for tag, more in sources.items()}
    text = "# Data sets that inputs of this case were made from; history files name them.\n"
    write_text(case / FILE, text + yaml.safe_dump(dict(sorted(kept.items())), allow_unicode=True, width=120))


def read_sources(case: Path) -> dict[str, dict[str, str]]:
    """Data sets by tag; none where nothing is noted, or where the note cannot be read.

    Parameters
    ----------
    case : Path
        Folder of the case.
    """
    try:
        found = yaml.safe_load((case / FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        str(tag): {str(k): str(v) for k, v in more.items()} for tag, more in found.items() if isinstance(more, dict)
    }


def attributes(case: Path) -> dict[str, str]:
    """Global attributes of a history file: ``references`` and ``license``, where there are any.

    Parameters
    ----------
    case : Path
        Folder of the case.
    """
    sources = read_sources(case)
    found = {}
    for attribute, key in (("references", "citation"), ("license", "licence")):
        parts = [f"{tag}: {more[key]}" for tag, more in sources.items() if more.get(key)]
        if parts:
            found[attribute] = "; ".join(parts)
    return found
