"""What the coupling does: the template east_asia_coupled with its ocean, with a slab, and with prescribed temperature.

python benchmarks/air_sea_coupling.py [--days 3] [--grid east_asia_300km] [--keep FOLDER]

The same case three times, one word apart. Printed by box: change of the sea surface temperature over the run, latent
and sensible heat of the last day; with --keep, a figure too. Under the winter monsoon an ocean that may respond cools
where it loses heat, and then loses less of it than water whose temperature is prescribed (Barsugli and Battisti 1998):
both signs are RESULT lines, 1 where they are as expected.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import netCDF4
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
BOXES = {  # west, east, south, north
    "Kuroshio, East China Sea to Japan": (123.0, 138.0, 25.0, 34.0),
    "Kuroshio Extension": (140.0, 149.0, 31.0, 38.0),
    "Japan Sea": (129.0, 139.0, 36.0, 44.0),
    "Yellow Sea": (119.5, 126.0, 32.0, 39.0),
    "South China Sea": (108.0, 118.0, 8.0, 20.0),
}
OCEANS = ("primitive", "slab", "data")
VAPORISATION = 2.5e6  # J kg-1


def tessera(*arguments):
    """Run a command of the project; ends the script where it fails."""
    done = subprocess.run([sys.executable, str(ROOT / "run_case.py"), *map(str, arguments)], capture_output=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"}, cwd=ROOT, text=True, check=False)  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{arguments} ended with {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")


def make(folder, ocean, options):
    """The case with one of the oceans; the grid's step is 20 minutes where its cells are coarse."""
    tessera("new", folder, "--template", "east_asia_coupled")
    edits = [("case.yaml", "duration: P1D", f"duration: P{options.days}D"),
             ("case.yaml", "ocean: {model: primitive}", f"ocean: {{model: {ocean}}}"),
             ("atmosphere.yaml", "grid: east_asia_100km", f"grid: {options.grid}")]  # fmt: skip
    if options.grid == "east_asia_300km":
        edits += [("case.yaml", "PT5M", "PT20M"), ("atmosphere.yaml", "step: PT5M", "step: PT20M"),
                  ("land.yaml", "step: PT5M", "step: PT20M")]  # fmt: skip
    for file, old, new in edits:
        text = (folder / file).read_text()
        if old not in text:
            raise SystemExit(f"{file}: no {old!r}")
        (folder / file).write_text(text.replace(old, new))
    tessera(folder, "--serial")
    return folder / "run" / "history"


def read(history):
    """Daily fields: sea surface temperature on the ocean's grid, latent and sensible heat (upward) on the air's."""
    with netCDF4.Dataset(history / "ocean.daily.nc") as o, netCDF4.Dataset(history / "atmosphere.daily.nc") as a:
        air = np.asarray(a["lon"][:]), np.asarray(a["lat"][:])
        sea = np.meshgrid(np.asarray(o["lon"][:]), np.asarray(o["lat"][:]))
        return {
            "sst": (*sea, np.ma.filled(np.ma.masked_invalid(o["sea_surface_temperature"][:]).astype(float), np.nan)),
            "latent": (*air, VAPORISATION * np.asarray(a["water_evapotranspiration_flux"][:])),
            "sensible": (*air, -np.asarray(a["surface_downward_sensible_heat_flux"][:])),
        }


def mean(field, box, day):
    """Mean over a box, by area on parallels (air: equal cells)."""
    lon, lat, values = field
    inside = (lon > box[0]) & (lon < box[1]) & (lat > box[2]) & (lat < box[3]) & np.isfinite(values[day])
    return float(np.average(values[day][inside], weights=np.cos(np.deg2rad(lat[inside]))))


def table(runs, days):
    """Print the boxes; returns the numbers by ocean and box."""
    found = {}
    print(f"{'':<60}" + "".join(f"{o:>12}" for o in runs))
    for name, box in BOXES.items():
        for what in ("SST change, K", "latent heat, W m-2", "sensible heat, W m-2"):
            row = {}
            for ocean, fields in runs.items():
                if what.startswith("SST"):
                    row[ocean] = mean(fields["sst"], box, days - 1) - mean(fields["sst"], box, 0)
                else:
                    row[ocean] = mean(fields[what.split()[0]], box, days - 1)
            found[name, what] = row
            print(f"{name + ', ' + what:<60}" + "".join(f"{v:>12.2f}" for v in row.values()))
    return found


def figure(runs, days, path):
    """Coupled temperature change, and the coupled run's latent heat less that over prescribed temperature."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    made, axes = plt.subplots(1, 2, figsize=(13, 6), layout="constrained")
    lon, lat, sst = runs["primitive"]["sst"]
    x, y, latent = runs["primitive"]["latent"]
    maps = (
        (lon, lat, sst[days - 1] - sst[0], "SST, last day less first, K", 2),
        (
            x,
            y,
            latent[days - 1] - runs["data"]["latent"][2][days - 1],
            "latent heat, coupled less prescribed, W m-2",
            40,
        ),
    )
    for axis, (x, y, values, title, size) in zip(axes, maps, strict=True):
        drawn = axis.pcolormesh(x, y, values, cmap="RdBu_r", vmin=-size, vmax=size, shading="auto")
        axis.set(title=title, xlim=(99, 150), ylim=(-5, 52))
        made.colorbar(drawn, ax=axis, shrink=0.8)
    made.savefig(path, dpi=100)


def main():
    """Run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--grid", default="east_asia_300km")
    parser.add_argument("--keep", type=Path, help="folder that keeps the cases and gets the figure")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        runs = {ocean: read(make(folder / ocean, ocean, options)) for ocean in OCEANS}
        found = table(runs, options.days)
        if options.keep:
            figure(runs, options.days, folder / "air_sea_coupling.png")
    finally:
        if options.keep is None:
            shutil.rmtree(folder)
    jet = "Kuroshio, East China Sea to Japan"
    change, latent = found[jet, "SST change, K"], found[jet, "latent heat, W m-2"]
    print(f"RESULT coupled.kuroshio_sst_change {change['primitive']:.3f}")
    print(f"RESULT coupled.kuroshio_latent_heat {latent['primitive']:.1f}")
    print(f"RESULT coupled.sst_cools {int(change['primitive'] < change['data'])}")
    print(f"RESULT coupled.latent_heat_is_less {int(latent['primitive'] < latent['data'])}")


if __name__ == "__main__":
    main()
