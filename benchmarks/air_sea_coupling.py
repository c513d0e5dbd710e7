# SPDX-License-Identifier: BSD-3-Clause
"""What the coupling does: the template east_asia_coupled with its ocean and with a slab, each against held temperature.

python benchmarks/air_sea_coupling.py [--days 3] [--grid east_asia_300km] [--driver FILES --start DATE] [--compile]
                                      [--keep FOLDER]

The same case four times: with each ocean, and with water that keeps, cell by cell, the temperature which that ocean has
at the start (model ``data``, ``hold: true``). A climatology would not do as a control: it goes on cooling in January,
faster than the ocean of some days does. Printed by box: sea surface temperature of the last day less that of the start,
latent and sensible heat of the last day over sea; with --keep, a figure too. Under the winter monsoon an ocean that may
respond cools where it loses heat, and then loses less of it than water that may not (Barsugli and Battisti 1998, J.
Atmos. Sci. 55, 477-493): both signs are RESULT lines for each ocean, 1 where they are as expected in both boxes of the
Kuroshio. Each run is one process; as many go at once as there are cores. Prescribed water has no current, so the wind
over it is not relative to one.
"""

import argparse
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import netCDF4
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.cases import edit, tessera  # noqa: E402

KUROSHIO = ("Kuroshio, East China Sea to Japan", "Kuroshio Extension")
BOXES = {  # west, east, south, north
    KUROSHIO[0]: (123.0, 138.0, 25.0, 34.0),
    KUROSHIO[1]: (140.0, 149.0, 31.0, 38.0),
    "Japan Sea": (129.0, 139.0, 36.0, 44.0),
    "Yellow Sea": (119.5, 126.0, 32.0, 39.0),
    "South China Sea": (108.0, 118.0, 8.0, 20.0),
}
OCEANS = ("primitive", "slab")
VAPORISATION = 2.5e6  # J kg-1


def make(folder, ocean, options):
    """The case with one of the oceans; the grid's step is 20 minutes where its cells are coarse."""
    tessera("new", folder, "--template", "east_asia_coupled")
    edits = [("case.yaml", "duration: P1D", f"duration: P{options.days}D"),
             ("case.yaml", "start: 2001-01-01", f"start: {options.start}"),
             ("case.yaml", "ocean: {model: primitive}", f"ocean: {{model: {ocean}}}"),
             ("atmosphere.yaml", "grid: east_asia_100km", f"grid: {options.grid}"),
             ("atmosphere.yaml", "driver: []", f"driver: [{', '.join(options.driver)}]")]  # fmt: skip
    if options.grid == "east_asia_300km":
        edits += [("case.yaml", "PT5M", "PT20M"), ("atmosphere.yaml", "step: PT5M", "step: PT20M"),
                  ("land.yaml", "step: PT5M", "step: PT20M")]  # fmt: skip
    if options.compile:
        edits.append(("atmosphere.yaml", "compile: false", "compile: true"))
    if ocean == "data":
        old = "\n  file: east_asia_ocean.nc\n  fields: [sea_surface_temperature]\n"
        edits.append(("ocean.yaml", old, "\n  file: start.nc\n  hold: true\n"))
    for file, old, new in edits:
        edit(folder / file, old, new)
    return folder


def write_start(case, path):
    """File of the temperature that a case's ocean has at its start, and of where it is sea."""
    from coupler.case.case import make_plan
    from coupler.component import Context
    from coupler.grids.decomposition import Decomposition

    plan = make_plan(case, 1)
    ocean = plan["ocean"]
    grid = ocean.grids["default"]
    context = Context(
        name=ocean.name, clock=plan.clock, step=ocean.step, duration=plan.duration, grid=grid, folder=case,
        seed=plan.seed, grids=ocean.grids, logger=lambda line: None,
        decompositions={n: Decomposition(g.shape, None) for n, g in ocean.grids.items()},
    )  # fmt: skip
    temperature = np.asarray(ocean.component.initialize(context)["sea_surface_temperature"], dtype=float)
    with netCDF4.Dataset(path, "w") as file:
        axes = (("lat", "degrees_north", grid.latitude[:, 0]), ("lon", "degrees_east", grid.longitude[0]))
        for name, units, values in axes:
            file.createDimension(name, values.size)
            file.createVariable(name, "f8", (name,))[:] = values
            file[name].units = units
        fields = (("sea_surface_temperature", "K", temperature), ("sea_binary_mask", "1", grid.mask.astype(float)))
        for name, units, values in fields:
            file.createVariable(name, "f8", ("lat", "lon"))[:] = values
            file[name].standard_name, file[name].units = name, units


def read(case):
    """Daily fields: sea surface temperature on the ocean's grid, latent and sensible heat (upward) on the air's sea."""
    history = case / "run" / "history"
    with netCDF4.Dataset(history / "ocean.daily.nc") as o, netCDF4.Dataset(history / "atmosphere.daily.nc") as a:
        air = np.asarray(a["lon"][:]), np.asarray(a["lat"][:])
        east, north = np.asarray(o["lon"][:]), np.asarray(o["lat"][:])
        sst = np.ma.filled(np.ma.masked_invalid(o["sea_surface_temperature"][:]).astype(float), np.nan)
        nearest = [abs(x[..., None] - axis).argmin(-1) for x, axis in zip(air, (east, north), strict=True)]
        sea = np.isfinite(sst[0])[nearest[1], nearest[0]]
        return {
            "sst": (*np.meshgrid(east, north), sst),
            "latent": (*air, np.where(sea, VAPORISATION * np.asarray(a["water_evapotranspiration_flux"][:]), np.nan)),
            "sensible": (*air, np.where(sea, -np.asarray(a["surface_downward_sensible_heat_flux"][:]), np.nan)),
        }


def mean(field, box, day):
    """Mean over a box, by area on parallels (air: equal cells)."""
    lon, lat, values = field
    inside = (lon > box[0]) & (lon < box[1]) & (lat > box[2]) & (lat < box[3]) & np.isfinite(values[day])
    return float(np.average(values[day][inside], weights=np.cos(np.deg2rad(lat[inside]))))


def table(runs, day):
    """Print the boxes; returns the numbers by box, quantity and run."""
    found = {}
    print(f"{'':<60}" + "".join(f"{name:>17}" for name in runs))
    for name, box in BOXES.items():
        for what in ("SST less that of the start, K", "latent heat, W m-2", "sensible heat, W m-2"):
            row = {}
            for run, fields in runs.items():
                if what.startswith("SST"):
                    held = runs[run.split(",")[0] + ", held"]  # it has the temperature of the start
                    row[run] = mean(fields["sst"], box, day) - mean(held["sst"], box, day)
                else:
                    row[run] = mean(fields[what.split()[0]], box, day)
            found[name, what.split()[0]] = row
            print(f"{name + ', ' + what:<60}" + "".join(f"{v:>17.2f}" for v in row.values()))
    return found


def figure(runs, day, path):
    """What the active ocean changes: temperature, and latent heat against that over held temperature."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    free, held = runs["primitive"], runs["primitive, held"]
    made, axes = plt.subplots(1, 2, figsize=(13, 6), layout="constrained")
    parts = (("sst", "SST, last day less start, K", 2), ("latent", "latent heat, free less held SST, W m-2", 40))
    for axis, (name, title, size) in zip(axes, parts, strict=True):
        lon, lat, values = free[name]
        change = values[day] - held[name][2][day]
        drawn = axis.pcolormesh(lon, lat, change, cmap="RdBu_r", vmin=-size, vmax=size, shading="auto")
        axis.set(title=title, xlim=(99, 150), ylim=(-5, 52))
        made.colorbar(drawn, ax=axis, shrink=0.8)
    made.savefig(path, dpi=100)


def run_all(folder, options):
    """All cases, as many at once as there are cores; what they wrote, by name."""
    cases = {}
    for ocean in OCEANS:
        cases[ocean] = make(folder / ocean, ocean, options)
        cases[f"{ocean}, held"] = make(folder / f"{ocean}_held", "data", options)
        write_start(cases[ocean], cases[f"{ocean}, held"] / "start.nc")
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(lambda case: tessera(case, "--serial"), cases.values()))
    return {name: read(case) for name, case in cases.items()}


def main():
    """Run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--grid", default="east_asia_300km")
    parser.add_argument("--start", default="2001-01-01", help="date at which the cases start")
    parser.add_argument("--driver", nargs="+", default=[], help="files of a real atmosphere at the start, and later")
    parser.add_argument("--compile", action="store_true", help="compile the atmosphere's kernels")
    parser.add_argument("--keep", type=Path, help="folder that keeps the cases and gets the figure")
    options = parser.parse_args()
    options.driver = [str(Path(file).resolve()) for file in options.driver]
    folder = options.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        runs = run_all(folder.resolve(), options)
        found = table(runs, options.days - 1)
        if options.keep:
            figure(runs, options.days - 1, folder / "air_sea_coupling.png")
    finally:
        if options.keep is None:
            shutil.rmtree(folder)
    for ocean, prefix in (("primitive", "coupled."), ("slab", "coupled.slab_")):
        change = [found[box, "SST"][ocean] for box in KUROSHIO]
        free, held = ([found[box, "latent"][run] for box in KUROSHIO] for run in (ocean, f"{ocean}, held"))
        print(f"RESULT {prefix}kuroshio_sst_change {change[0]:.3f}")
        print(f"RESULT {prefix}kuroshio_latent_heat {free[0]:.1f}")
        print(f"RESULT {prefix}kuroshio_latent_heat_over_held {held[0]:.1f}")
        print(f"RESULT {prefix}sst_cools {int(max(change) < 0)}")
        print(f"RESULT {prefix}latent_heat_is_less {int(all(a < b for a, b in zip(free, held, strict=True)))}")


if __name__ == "__main__":
    main()
