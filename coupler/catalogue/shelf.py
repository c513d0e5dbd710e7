# SPDX-License-Identifier: BSD-3-Clause
"""Folders of data sets with an index each, ``catalogue.yaml``: what there is, where it is from, its checksum.

The folders are those of the environment variable TESSERA_CATALOGUE (several: with ``:`` between them), else
``catalogue/`` where the command is typed. Nothing is ever downloaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from coupler import yaml12
from coupler.catalogue.tag import INDEX, VARIABLE, Tag, parse
from coupler.errors import CatalogueError, NamelistError
from coupler.files.atomic import checksum, write_text
from coupler.paths import COMMAND

REQUIRED = ("file", "variable", "sha256")


@dataclass(frozen=True)
class Entry:
    """One data set.

    Parameters
    ----------
    file : str
        Relative to the index's folder, or absolute.
    variable : str
        Its name in the file.
    sha256 : str
        Checksum of the file when it was added.
    units : str
        Unit wanted of the reader; empty: the file's.
    uncertainty : str
        Variable with the uncertainty, in the file's unit; empty where there is none.
    citation, licence : str
        As the data's owner asks.
    """

    file: str
    variable: str
    sha256: str
    units: str = ""
    uncertainty: str = ""
    citation: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Found:
    """An entry and where it stands.

    Parameters
    ----------
    tag : Tag
        Its name.
    entry : Entry
        What the index says.
    folder : Path
        Of the index.
    """

    tag: Tag
    entry: Entry
    folder: Path

    @property
    def path(self) -> Path:
        """Of the file."""
        return self.folder / self.entry.file

    def whole(self) -> Path:
        """The file, if it is there and has the checksum of its entry.

        Raises
        ------
        CatalogueError
            It is not there, or it has changed since it was added.
        """
        if not self.path.is_file():
            raise CatalogueError(f"{self.folder / INDEX}: {self.tag}: {self.path} does not exist; put it there again")
        now = checksum(self.path)
        if now != self.entry.sha256:
            raise CatalogueError(
                f"{self.path} is not the file that was added as {self.tag}: expected SHA-256 {self.entry.sha256[:12]}, "
                f"found {now[:12]}; put the right file there, or add this one under a new version"
            )
        return self.path


def folders(given: Iterable[Path] = ()) -> tuple[Path, ...]:
    """Folders that are looked into, in order.

    Parameters
    ----------
    given : iterable of Path
        Named by the user; they come before those of the environment.
    """
    named = [Path(part) for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    return tuple(dict.fromkeys([*given, *(named or [Path("catalogue")])]))


def entries(folder: Path) -> dict[str, Found]:
    """What the index of a folder holds, by tag; nothing where there is no index.

    Raises
    ------
    CatalogueError
        An index that is no mapping of tags to entries; all its mistakes are told at once.
    """
    path = folder / INDEX
    if not path.is_file():
        return {}
    try:
        content, places = yaml12.read(yaml12.decode(path.read_bytes(), str(path)), str(path))
    except NamelistError as error:
        raise CatalogueError(str(error)) from error
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise CatalogueError(f"{path}: expected tags with their entries, got {type(content).__name__}")
    found, problems = {}, []
    for name, value in content.items():
        here = f"{path}:{places[(name,)].line}" if (name,) in places else str(path)
        try:
            found[str(name)] = Found(parse(str(name)), _entry(value), folder)
        except CatalogueError as error:
            problems.append(f"{here}: {error}")
    if problems:
        raise CatalogueError("\n".join(problems))
    return found


def _entry(value: Any) -> Entry:
    known = Entry.__dataclass_fields__
    if not isinstance(value, Mapping):
        raise CatalogueError(f"expected {', '.join(REQUIRED)} and more, got {value!r}")
    unknown = sorted(str(key) for key in value if key not in known)
    missing = [key for key in REQUIRED if not value.get(key)]
    if unknown or missing:
        parts = [f"unknown: {', '.join(unknown)}; known: {', '.join(known)}"] if unknown else []
        raise CatalogueError("; ".join([*parts, *(f"{key} is required" for key in missing)]))
    return Entry(**{key: str(item) for key, item in value.items() if item is not None})


def everything(given: Iterable[Path] = ()) -> dict[str, Found]:
    """All data sets by tag; of one in several folders, the first folder's."""
    found: dict[str, Found] = {}
    for folder in folders(given):
        found = entries(folder) | found
    return found


def find(text: str, given: Iterable[Path] = ()) -> Found:
    """The data set of a tag.

    Parameters
    ----------
    text : str
        The tag.
    given : iterable of Path
        Folders before those of the environment.

    Raises
    ------
    CatalogueError
        It is no tag, or no folder has it; tags that look like it are named.
    """
    tag, there = parse(text), everything(given)
    if str(tag) in there:
        return there[str(tag)]
    near = get_close_matches(str(tag), there, n=3, cutoff=0.5)
    looked = ", ".join(str(folder / INDEX) for folder in folders(given))
    hint = f"; near it: {', '.join(near)}" if near else f"; there are {len(there)} ({COMMAND} data list)"
    raise CatalogueError(f"no data set {tag} in {looked}{hint}")


def add(folder: Path, text: str, file: Path, **more: str) -> Found:
    """Write an entry of a file into a folder's index; the file stays where it is.

    Parameters
    ----------
    folder : Path
        Of the index; made where it does not exist.
    text : str
        The tag.
    file : Path
        netCDF file with a map.
    **more : str
        Of `Entry`: variable, units, uncertainty, citation, licence.

    Raises
    ------
    CatalogueError
        The tag is taken, or is none; the file does not exist.
    """
    tag, there = parse(text), entries(folder)
    if str(tag) in there:
        raise CatalogueError(f"{folder / INDEX} has {tag} already ({there[str(tag)].entry.file}); give a new version")
    if not file.is_file():
        raise CatalogueError(f"{file} does not exist")
    whole = file.resolve()
    inside = whole.is_relative_to(folder.resolve())
    place = str(whole.relative_to(folder.resolve())) if inside else str(whole)
    entry = Entry(file=place, sha256=checksum(file), **more)
    kept = {name: found.entry for name, found in there.items()} | {str(tag): entry}
    text = yaml.safe_dump(
        {name: {k: v for k, v in asdict(e).items() if v} for name, e in sorted(kept.items())},
        sort_keys=False, allow_unicode=True, width=120,
    )  # fmt: skip
    write_text(folder / INDEX, text)
    return Found(tag, entry, folder)
