# SPDX-License-Identifier: BSD-3-Clause
"""The command ``run_case.py weights``: make, inspect and check files of remapping weights."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coupler.errors import TesseraError
from coupler.grids.grid import EARTH_RADIUS, Grid, GridError
from coupler.paths import COMMAND
from coupler.remap.matrix import Weights
from coupler.remap.weights import METHODS

DESCRIPTION = """Make, inspect and check a file of remapping weights.

  run_case.py weights SOURCE TARGET METHOD [-o weights.nc]   make weights, check them, write them
  run_case.py weights weights.nc [SOURCE TARGET]             inspect a file (Tessera, ESMF, xESMF, SCRIP), check it

SOURCE and TARGET are grid files (CF with bounds, SCRIP, UGRID) or lonlat:west,east,south,north,step.
"""
EXAMPLES = f"""methods: {", ".join(METHODS)}
Several, separated by commas, fill what those before them leave; an option follows a colon:

  run_case.py weights lonlat:0,360,-90,90,1 ocean.nc conservative -o to_ocean.nc
  run_case.py weights air.nc ocean.nc bilinear,nearest -o to_ocean.nc
  run_case.py weights rivers.nc ocean.nc river_mouths:50e3 -o mouths.nc
  run_case.py weights to_ocean.nc air.nc ocean.nc
"""


def read_grid_argument(text: str) -> Grid:
    """Grid of a file, or of ``lonlat:west,east,south,north,step``."""
    if not text.startswith("lonlat:"):
        return Grid.from_file(text)
    try:
        west, east, south, north, step = (float(value) for value in text.removeprefix("lonlat:").split(","))
    except ValueError:
        raise GridError(f"{text!r}: expected five numbers, lonlat:west,east,south,north,step") from None
    return Grid.regular_lonlat(text, west, east, south, north, resolution=step)


def read_method_argument(text: str) -> list[str | dict[str, float]]:
    """Methods of ``conservative,nearest`` or ``bilinear,fixed:0``."""
    steps: list[str | dict[str, float]] = []
    for part in text.split(","):
        name, colon, option = part.strip().partition(":")
        try:
            steps.append({name: float(option)} if colon else name)
        except ValueError:
            raise GridError(f"method {part!r}: expected a number after the colon") from None
    return steps


def describe(weights: Weights) -> list[str]:
    """Lines that say what weights are."""
    counts = np.diff(weights.indptr)
    lines = [
        f"method           {weights.method}, normalized by {weights.normalization}",
        f"source cells     {weights.shape[1]}, fingerprint {weights.source_fingerprint or '(not in the file)'}",
        f"target cells     {weights.target_size}, fingerprint {weights.target_fingerprint or '(not in the file)'}",
        f"rows             {weights.shape[0]}, of them {int((counts == 0).sum())} without links",
        f"links            {weights.data.size}, {int(counts.max(initial=0))} in a row at most",
    ]
    if weights.data.size:
        low, high = weights.data.min(), weights.data.max()
        full = int((np.abs(weights.covered - 1.0) < 1e-9).sum())
        lines += [
            f"weights          {low:.3e} .. {high:.6g}",
            f"covered          {full} rows fully, {int((weights.covered > 0).sum()) - full} in part",
        ]
    return lines


def check(weights: Weights, source: Grid | None = None, target: Grid | None = None) -> tuple[list[str], bool]:
    """Lines of checks with their numbers, and whether all are passed.

    Sums alone cannot see weights that belong to other cells; with both grids a smooth field is remapped as well and
    compared with its exact values, and the links must join cells that lie near each other.

    Parameters
    ----------
    weights : to look at
    source, target : their grids, where they are known
    """
    lines, good = [], True

    def say(what: str, number: float, limit: float) -> None:
        nonlocal good
        passed = bool(number <= limit)
        good &= passed
        lines.append(f"{'ok  ' if passed else 'FAIL'}  {what:62} {number:.2e}  (at most {limit:.0e})")

    finite = bool(np.isfinite(weights.data).all())
    say("weights that are not finite", 0.0 if finite else 1.0, 0.5)
    linked = np.diff(weights.indptr) > 0
    sums = np.asarray(weights.matrix.sum(axis=1)).ravel()
    conservative, mouths = weights.method.lower().startswith("conserv"), "river" in weights.method
    if not mouths:
        by_area = conservative and weights.normalization == "destarea" and ">" not in weights.method
        wanted = weights.covered if by_area else np.ones(sums.size)
        what = "covered fraction" if by_area else "one"
        say(f"row sums differ from the {what} by", _most(np.abs(sums - wanted)[linked]), 1e-9)
    if weights.area is not None and source is not None:
        used = np.bincount(weights.indices, weights.area, minlength=source.size)
        over = _most((used / np.maximum(source.area.ravel(), 1e-300) - 1.0)[source.area.ravel() > 0])
        say("a source cell is handed out beyond its area by", max(over, 0.0), 1e-9)
    if source is not None and target is not None and linked.any():
        points = [_points(grid) for grid in (source, target)]
        row = np.repeat(weights.target_cells, np.diff(weights.indptr))
        apart = np.linalg.norm(points[0][weights.indices] - points[1][row], axis=1)
        if conservative:
            reach = [_radius(grid, where) for grid, where in zip((source, target), points, strict=True)]
            gap = apart - reach[0][weights.indices] - reach[1][row]
            if "second" not in weights.method and ">" not in weights.method:
                say("linked cells lie apart by (radians)", max(_most(gap), 0.0), 1e-9)
        if not mouths:
            field = [2.0 + where[:, 0] * where[:, 1] + 0.5 * where[:, 2] for where in points]
            whole = linked & (np.abs(sums - 1.0) < 1e-9)
            error = np.abs(weights.matrix @ field[0] - field[1][weights.target_cells])[whole]
            size = float(np.sqrt(max(_most(grid.area.ravel()) for grid in (source, target)))) / EARTH_RADIUS
            say("a smooth field is off by at most (its range is 2)", _most(error), max(2.0 * size, 1e-6))
    return lines, good


def _most(values: NDArray[np.float64]) -> float:
    return float(values.max(initial=0.0))


def _points(grid: Grid) -> NDArray[np.float64]:
    from coupler.remap.points import centers

    return centers(grid)


def _radius(grid: Grid, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from each centre to the farthest corner, with the bulge of the edges."""
    polygons = grid.polygons
    corner = np.linalg.norm(polygons.points[polygons.corners] - points[:, None, :], axis=2)
    corner[np.arange(corner.shape[1]) >= polygons.count[:, None]] = 0.0
    return np.asarray(corner.max(axis=1) + polygons.bulge)


class Progress:
    """A progress line with the time that is left, on a terminal or every ten seconds."""

    def __init__(self) -> None:
        self.start = self.last = time.monotonic()

    def __call__(self, done: int, of: int) -> None:
        """Show that `done` of `of` rows are made."""
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        if now - self.start < 1.0 or (now - self.last < (0.2 if terminal else 10.0) and done < of):
            return
        self.last = now
        left = (now - self.start) * (of - done) / max(done, 1)
        line = f"weights: {done} of {of} rows, {100 * done // of} %, {left:.0f} s left"
        print(f"\r{line}\033[K" if terminal else line, end="" if terminal and done < of else "\n", file=sys.stderr)


def main(argv: Sequence[str]) -> int:
    """Run ``weights``; returns 0, 1 where a check fails, 2 for a mistake in the arguments."""
    parser = argparse.ArgumentParser(
        prog=f"{COMMAND.removeprefix('./')} weights",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("arguments", nargs="+", metavar="SOURCE TARGET METHOD | FILE [SOURCE TARGET]")
    parser.add_argument("-o", "--output", type=Path, help="file to write")
    parser.add_argument("--convention", choices=("esmf", "scrip"), default="esmf", help="of the file; CDO reads scrip")
    parser.add_argument("--normalization", choices=("destarea", "fracarea"), default="destarea")
    parser.add_argument("--source-mask", default="default", help="name of a mask of the source grid, or none")
    parser.add_argument("--target-mask", default="default", help="name of a mask of the target grid, or none")
    parser.add_argument("--threads", type=int, help="threads to use (default: OMP_NUM_THREADS, or 1)")
    options = parser.parse_args(list(argv))
    try:
        return _run(options)
    except TesseraError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    from coupler.remap.files import load_weights, save_weights
    from coupler.remap.weights import make_weights

    given = options.arguments
    source = target = None
    if len(given) == 3 and not _is_weight_file(given[0]):
        source, target = (read_grid_argument(text) for text in given[:2])
        weights = make_weights(
            source,
            target,
            read_method_argument(given[2]),
            normalization=options.normalization,
            source_mask=None if options.source_mask == "none" else options.source_mask,
            target_mask=None if options.target_mask == "none" else options.target_mask,
            threads=options.threads,
            progress=Progress(),
        )
    elif len(given) in (1, 3):
        if len(given) == 3:
            source, target = (read_grid_argument(text) for text in given[1:])
        weights = load_weights(given[0], source, target)
    else:
        raise GridError("give SOURCE TARGET METHOD to make weights, or FILE, or FILE SOURCE TARGET to inspect them")
    print("\n".join(describe(weights)))
    lines, good = check(weights, source, target)
    print("\n".join(lines))
    if options.output is not None:
        if not good:
            print(f"error: {options.output} is not written: a check failed", file=sys.stderr)
            return 1
        try:
            save_weights(options.output, weights, source, target, options.convention)
        except OSError as error:
            raise GridError(f"{options.output} cannot be written: {error}") from None
        print(f"written to {options.output}")
    return 0 if good else 1


def _is_weight_file(text: str) -> bool:
    import netCDF4

    if text.startswith("lonlat:") or not Path(text).is_file():
        return False
    try:
        with netCDF4.Dataset(text) as file:
            return "S" in file.variables or "remap_matrix" in file.variables
    except OSError:
        return False
