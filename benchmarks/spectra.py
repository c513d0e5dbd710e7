# SPDX-License-Identifier: BSD-3-Clause
"""What a leaf's and a canopy's spectrum cost, beside torchrtm, and fluorescence.

    .venv/bin/python benchmarks/spectra.py [--canopies 500] [--device cuda]

2101 bands (400 to 2500 nm), 500 different canopies, single precision, one core. torchrtm (PyPI, MIT) on the same inputs
in the same run, where it is installed: `pip install --no-deps torchrtm==1.5.8 tqdm pandas`. A canopy counts with its
leaf on both sides. Median of runs in turn; on a CPU, CPU time of the process.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from components.land.column.column_state import Forcing, initial_state
from components.land.column.column_state import Options as ColumnOptions
from components.land.column.parameters import parameters, table
from components.land.column.satellite import Satellite, Scene
from components.land.spectra.bands import MODIS, SENTINEL_2
from components.land.spectra.canopy import Structure, canopy
from components.land.spectra.geometry import geometry
from components.land.spectra.leaf import LeafTraits, leaf
from components.land.spectra.leaf_angles import leaf_angle_shares
from components.land.spectra.optical_constants import OpticalConstants, optical_constants
from components.land.spectra.plates import interfaces
from components.land.spectra.sif import Canopies, fluorescence_wavelengths, sif

BLOCK = 10  # canopies together: 84 kB an array, which stays in the cache


def clock(device: str) -> float:
    """Seconds of CPU, or of the wall once a GPU is done."""
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def cost(run: Callable[[], object], device: str) -> float:
    """Seconds of one run."""
    begin = clock(device)
    run()
    return clock(device) - begin


def peer(traits: LeafTraits, canopies: Canopies) -> tuple[Callable[[], object], Callable[[], object]] | None:
    """Leaf and canopy of torchrtm on these inputs."""
    try:
        from torchrtm.leaf.prospect import prospectd
        from torchrtm.models.models import prosail
    except ImportError as error:
        print(f"torchrtm: {error}; no ratio is printed")
        return None
    columns = torch.stack([torch.as_tensor(x) for x in traits[1:7]], 1)
    n, one = torch.as_tensor(traits.structure), torch.ones_like(canopies.lai)
    alpha = 40.0 * one

    def whole() -> object:
        return prosail(
            columns, n, -0.35 * one, -0.15 * one, canopies.lai, canopies.hot_spot, canopies.sun, canopies.view,
            canopies.azimuth, alpha, one, batch_size=len(one), prospect_type="prospect5d", lidtype=1,
        )  # fmt: skip

    return lambda: prospectd(columns, n, alpha=alpha), whole


def overpass(repeat: int, columns: int = 5000) -> float:
    """Seconds of a satellite's look at columns of the land in 20 bands, fluorescence among them."""
    p = parameters(
        [list(table("plant_types"))[i % len(table("plant_types"))] for i in range(columns)], ["loam"] * columns
    )
    one = torch.ones(columns, dtype=torch.float64)
    light = torch.stack([250.0 * one, 250.0 * one])
    weather = (293.0, 0.008, 1e5, 3.0, 10.0, light, 0.3 * light, 350.0, 0.0, 0.0, 400.0, 0.8, 3.0, 0.5)
    forcing = Forcing(*(x if isinstance(x, torch.Tensor) else x * one for x in weather))
    scene = Scene(initial_state(p, 293.0 * one), forcing, p, 0.8 * one)
    satellite = Satellite([*MODIS, *SENTINEL_2, "tropomi_sif_740"], ColumnOptions())
    with torch.no_grad():
        satellite.look(scene)
        return statistics.median(cost(lambda: satellite.look(scene), "cpu") for _ in range(repeat))


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--canopies", type=int, default=500)
    parser.add_argument("--repeat", type=int, default=5, help="runs of each, in turn")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    options = parser.parse_args()
    torch.set_num_threads(1)
    number, device = options.canopies, options.device
    generator = torch.Generator().manual_seed(0)
    u = torch.rand(12, number, generator=generator).to(device)
    none = torch.zeros_like(u[0])
    amounts = 1.2 + 1.3 * u[0], 10 + 60 * u[1], 2 + 12 * u[2], none, none, 0.005 + 0.02 * u[3], 0.003 + 0.012 * u[4]
    traits = LeafTraits(*amounts)
    shares = leaf_angle_shares(-0.35, -0.15, torch.float32).expand(number, -1).to(device)
    canopies = Canopies(0.5 + 5.5 * u[5], 0.02 + 0.2 * u[6], shares, 60 * u[7], 50 * u[8], 180 * u[9])
    constants = OpticalConstants(*(x.to(device) for x in optical_constants(dtype=torch.float32)))
    surface = interfaces(constants.refractive_index)
    soil = torch.full_like(constants.wavelength, 0.15)
    grid = fluorescence_wavelengths(dtype=torch.float32)
    sun = torch.full((number, grid.excitation.numel()), 1000.0)
    soil_f = torch.full((grid.excitation.numel() + grid.emission.numel(),), 0.15)
    block = BLOCK if device == "cpu" else number
    parts = [slice(i, min(i + block, number)) for i in range(0, number, block)]

    def cut(values: tuple[torch.Tensor, ...], part: slice) -> list[torch.Tensor]:
        return [torch.as_tensor(x)[part] if torch.as_tensor(x).ndim else torch.as_tensor(x) for x in values]

    def leaves() -> None:
        for part in parts:
            leaf(LeafTraits(*cut(traits, part)), constants, surface)

    def whole() -> None:
        for part in parts:
            light = leaf(LeafTraits(*cut(traits, part)), constants, surface)
            c = Canopies(*cut(canopies, part))
            look = geometry(c.shares, c.sun, c.view, c.azimuth)
            canopy(light.reflectance, light.transmittance, soil, Structure(c.lai, c.hot_spot), look)

    def fluoresce() -> None:
        for part in parts:
            here = LeafTraits(*cut(traits, part)), 0.01 * torch.ones_like(u[0, part]), Canopies(*cut(canopies, part))
            sif(*here, soil_f, (sun[part], 0.25 * sun[part]), None, grid)

    runs: dict[str, Callable[[], object]] = {"leaf": leaves, "canopy": whole}
    if device == "cpu":
        runs["sif"] = fluoresce
    other = peer(traits, canopies)
    if other:
        runs |= {"leaf, torchrtm": other[0], "canopy, torchrtm": other[1]}
    took: dict[str, list[float]] = {name: [] for name in runs}
    with torch.no_grad():
        for run in runs.values():
            run()
        for _ in range(options.repeat):
            for name, run in runs.items():
                took[name].append(cost(run, device) / number * 1e6)
    print(f"{number} canopies, 2101 bands, single precision, {device}, {platform.processor() or platform.machine()}")
    for name, times in took.items():
        print(f"{name:20s} {statistics.median(times):9.1f} us a spectrum (least {min(times):.1f})")
    if other:
        for name in ("leaf", "canopy"):
            ratios = [a / b for a, b in zip(took[name], took[f"{name}, torchrtm"], strict=True)]
            print(f"RESULT spectra.{name}.ratio {statistics.median(ratios):.3f}")
    if device == "cpu":
        print(f"RESULT spectra.overpass.seconds {overpass(options.repeat):.2f}")
    if "sif" in took:
        print(f"RESULT spectra.sif.us_per_canopy {statistics.median(took['sif']):.1f}")


if __name__ == "__main__":
    main()
