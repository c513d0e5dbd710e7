# SPDX-License-Identifier: BSD-3-Clause
"""The command ``data``: list, add, show, get."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coupler.catalogue.tag import INDEX, VARIABLE
from coupler.errors import CatalogueError
from coupler.paths import COMMAND

EXAMPLES = f"""examples:
  {COMMAND} data add maps/lai.nc --tag LAI_MODIS_2X_1M_2005_V1 --variable lai --citation "Yuan et al. (2011)"
  {COMMAND} data list LAI                                   what there is, by part of the tag
  {COMMAND} data show LAI_MODIS_2X_1M_2005_V1                what it is: unit, cells, dates, range, citation, licence
  {COMMAND} data get LAI_MODIS_2X_1M_2005_V1 --point 116.4 39.9
  {COMMAND} data get LAI_MODIS_2X_1M_2005_V1 --polygon 110 30 120 30 120 40 110 40
  {COMMAND} data get LAI_MODIS_2X_1M_2005_V1 --grid cases/winter/land.yaml --output lai.nc

Data sets stand in folders with an index, {INDEX}: those of the variable {VARIABLE}, else catalogue/ here. Nothing is
downloaded; every file has a checksum."""


def describe_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``data`` takes.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of the command.
    """
    sub = parser.add_subparsers(dest="word", metavar="list|add|show|get", required=True)
    listing = sub.add_parser("list", help="tags that there are")
    listing.add_argument("part", nargs="?", default="", help="part of the tag")
    adding = sub.add_parser("add", help="write a file into the index; it stays where it is")
    adding.add_argument("file", type=Path, help="netCDF file with a map on latitudes and longitudes")
    adding.add_argument("--tag", required=True, help="such as LAI_MODIS_2X_1M_2005_V1")
    adding.add_argument("--variable", required=True, help="its name in the file")
    adding.add_argument("--units", default="", help="unit wanted of it (default: the file's)")
    adding.add_argument("--uncertainty", default="", help="variable with the uncertainty")
    adding.add_argument("--citation", default="", help="what to cite")
    adding.add_argument("--licence", default="", help="under what it may be used")
    showing = sub.add_parser("show", help="what a data set is")
    showing.add_argument("tag")
    getting = sub.add_parser("get", help="values at a point, over a polygon, on a grid")
    getting.add_argument("tag")
    where = getting.add_mutually_exclusive_group(required=True)
    where.add_argument("--point", nargs=2, type=float, metavar=("LON", "LAT"))
    where.add_argument("--polygon", nargs="+", type=float, metavar="LON LAT", help="corners in order, at least three")
    where.add_argument("--grid", type=Path, help="a grid file, or a component's namelist with a grid")
    getting.add_argument("--method", choices=("nearest", "bilinear"), default="nearest", help="of a point")
    getting.add_argument("--output", type=Path, help="netCDF file to write, of --grid")
    for one in (listing, adding, showing, getting):
        one.add_argument("--folder", type=Path, action="append", default=[], help="with an index; before the others")


def obey(options: argparse.Namespace) -> int:
    """Carry out a word of ``data``.

    Parameters
    ----------
    options : argparse.Namespace
        Parsed arguments.

    Raises
    ------
    CatalogueError
        What is asked for cannot be had.
    """
    return {"list": _list, "add": _add, "show": _show, "get": _get}[options.word](options)


def _list(options: argparse.Namespace) -> int:
    from coupler.catalogue.shelf import everything, folders

    there = {name: found for name, found in sorted(everything(options.folder).items()) if options.part in name}
    for name, found in there.items():
        print(f"{name:40s} {found.entry.units or '-':16s} {found.path}")
    if not there:
        looked = ", ".join(str(folder) for folder in folders(options.folder))
        print(f"no data sets{f' with {options.part!r}' if options.part else ''} in {looked}; add one:")
        print(f"  {COMMAND} data add FILE --tag TAG --variable NAME")
    return 0


def _add(options: argparse.Namespace) -> int:
    from coupler.catalogue.dataset import load
    from coupler.catalogue.shelf import Entry, Found, add, folders
    from coupler.catalogue.tag import parse
    from coupler.files.atomic import checksum

    given = {key: getattr(options, key) for key in ("variable", "units", "uncertainty", "citation", "licence")}
    folder = folders(options.folder)[0]
    tag = parse(options.tag)
    if not options.file.is_file():
        raise CatalogueError(f"{options.file} does not exist")
    entry = Entry(file=str(options.file.resolve()), sha256=checksum(options.file), **given)
    load(Found(tag, entry, folder))  # what cannot be read does not come into the index
    found = add(folder, options.tag, options.file, **given)
    print(f"{found.tag} added to {folder / INDEX}")
    return 0


def _show(options: argparse.Namespace) -> int:
    import numpy as np

    from coupler.catalogue.dataset import load
    from coupler.catalogue.shelf import find

    found = find(options.tag, options.folder)
    data = load(found)
    there = np.isfinite(data.values)
    low, high = (float(f(data.values[there])) if there.any() else float("nan") for f in (np.min, np.max))
    lines = {
        "tag": str(found.tag),
        "file": f"{found.path} ({found.entry.variable})",
        "units": data.units,
        "cells": f"{data.values.shape[1]} x {data.values.shape[2]} of {data.step:g} degrees: {data.extent()}",
        "records": _dates_of(data.dates, data.values.shape[0]),
        "values": f"{low:g} to {high:g}, {100.0 * (1.0 - there.mean()):.0f} % missing",
        "uncertainty": found.entry.uncertainty or "none given",
        "citation": data.citation or "none given",
        "licence": data.licence or "none given",
    }
    for name, text in lines.items():
        print(f"{name:12s} {text}")
    return 0


def _dates_of(dates: object, number: int) -> str:
    given: Sequence[object] = getattr(dates, "dates", ())
    return f"{number}, {given[0]} to {given[-1]}" if given else str(number)


def _get(options: argparse.Namespace) -> int:
    from coupler.catalogue.dataset import load
    from coupler.catalogue.shelf import find

    data = load(find(options.tag, options.folder))
    if options.grid is not None:
        from coupler.catalogue.writing import on_grid

        print(on_grid(data, options.grid, options.output))
        return 0
    if options.polygon is not None:
        if len(options.polygon) % 2:
            raise CatalogueError(f"expected pairs of longitude and latitude, got {len(options.polygon)} numbers")
        values = data.over(list(zip(options.polygon[::2], options.polygon[1::2], strict=True)))
    else:
        values = data.at(options.point[0], options.point[1], options.method)
    _print(values, data.dates, data.units)
    return 0


def _print(values: Any, dates: object, units: str) -> None:
    given: Sequence[object] = getattr(dates, "dates", ()) or [""] * values.size
    for date, value in zip(given, values, strict=True):
        print(f"{str(date)[:10]:12s}{'missing' if value != value else f'{value:.6g} {units}'}".strip())
