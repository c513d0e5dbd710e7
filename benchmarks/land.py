# SPDX-License-Identifier: BSD-3-Clause
"""What a step of the land column costs: microseconds per column and step on one core, by stomatal model.

10,000 columns with two tiles each (a plant type and bare ground or grass beside it), 10 soil layers, snow on a third, a
summer noon and a winter noon. Run it on an idle machine:

    .venv/bin/python benchmarks/land.py
    .venv/bin/python benchmarks/land.py --models medlyn wang --steps 20 --block 2500
    .venv/bin/python benchmarks/land.py --cycles
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from components.land.column.column import Forcing, Options, State, initial_state, step
from components.land.column.cycles import daily, spin_up
from components.land.column.gas_exchange import Stomata
from components.land.column.parameters import Parameters, leaf_area, parameters, table
from components.land.column.radiation import partition
from components.land.column.structure import cut
from components.land.column.urban.energy import Air
from components.land.column.urban.energy import step as canyon_step
from components.land.column.urban.tile import CityOptions, CityTile
from components.land.column.water_table import Ground, faces_of
from coupler.grids.grid import Grid

NOAH_MP = 5.65  # us per column and step, Noah-MP v5 in Fortran on one core of this class (5.3-6.0)
CLIMALAND = 10.6  # us, as published for one CPU process (soil and snow alone, 15 layers)
TILES = 2
MODELS = ["medlyn", "ball_berry", "leuning", "gentine", "wang", "eller", "sperry"]


def world(
    n: int, dtype: torch.dtype, device: str, cycles: bool = False, continuum: bool = False
) -> tuple[Parameters, State, Forcing]:
    """Two tiles of ``n`` columns in varied weather, half of it winter."""
    plants = list(table("plant_types"))
    soils = list(table("soil_textures"))
    names = [plants[i % len(plants)] for i in range(n)] + [("bare", "grassland")[i % 2] for i in range(n)]
    m = TILES * n
    p = parameters(names, [soils[(i // 7) % len(soils)] for i in range(m)], dtype=dtype, device=device,
                   cycles=cycles, continuum=continuum)  # fmt: skip
    gen = torch.Generator().manual_seed(0)
    u = torch.rand(9, m, dtype=dtype, generator=gen).to(device)
    t = 263.0 + 35.0 * u[0]
    mu = 0.2 + 0.7 * u[3]
    direct, diffuse = partition(900.0 * mu * u[4], mu)
    lai, sai = (torch.tensor(v, dtype=dtype, device=device) for v in leaf_area(names, 6.5))
    rain = 1e-4 * u[8]
    one = torch.ones_like(t)
    forcing = Forcing(
        t, 0.004 * u[5] + 0.001, 1e5 * one, 1.0 + 8.0 * u[6], 10.0 * one, direct, diffuse, 250.0 + 120.0 * u[7],
        torch.where(t > 273.15, rain, 0.0 * rain), torch.where(t > 273.15, 0.0 * rain, rain), 400.0 * one, mu, lai, sai,
    )  # fmt: skip
    state = initial_state(p, t, u[1], torch.where(t < 274.0, 80.0 * u[2], 0.0 * t))
    return p, state, forcing


def measure(name: str, n: int, steps: int, block: int, dtype: torch.dtype, device: str) -> tuple[float, float]:
    """Median and least microseconds per column and step; CPU time on a CPU, wall time on a GPU."""
    p, state, forcing = world(n, dtype, device)
    edges = [slice(i, min(i + block, TILES * n)) for i in range(0, TILES * n, block)]
    parts = [(cut(state, e), cut(forcing, e), cut(p, e)) for e in edges]
    options = Options(stomata=Stomata(name))
    cost = []
    with torch.no_grad():
        for _ in range(steps + 2):
            begin = time.process_time() if device == "cpu" else time.perf_counter()
            parts = [(step(s, f, q, 1800.0, options)[0], f, q) for s, f, q in parts]
            if device != "cpu":
                torch.cuda.synchronize()
            end = time.process_time() if device == "cpu" else time.perf_counter()
            cost.append((end - begin) / n * 1e6)
    cost = cost[2:]
    return statistics.median(cost), min(cost)


def beside(n: int, steps: int, block: int, kinds: dict[str, dict[str, bool]]) -> dict[str, float]:
    """Median CPU time of a step by kind over that of the plain column, each pair one after the other."""
    runs = {}
    for name, kind in {"plain": {}, **kinds}.items():
        p, state, forcing = world(n, torch.float64, "cpu", **kind)
        edges = [slice(i, min(i + block, TILES * n)) for i in range(0, TILES * n, block)]
        options = Options(nitrogen="fun", prognostic_leaves=False)
        runs[name] = [(cut(state, e), cut(forcing, e), cut(p, e)) for e in edges], options
    ratios: dict[str, list[float]] = {k: [] for k in kinds}
    with torch.no_grad():
        for _ in range(steps):
            cost = {}
            for name, (parts, options) in runs.items():
                begin = time.process_time()
                runs[name] = [(step(s, f, q, 300.0, options)[0], f, q) for s, f, q in parts], options
                cost[name] = time.process_time() - begin
            for k in kinds:
                ratios[k].append(cost[k] / cost["plain"])
    return {k: statistics.median(v) for k, v in ratios.items()}


def daily_share(n: int, steps_a_day: int) -> float:
    """CPU time of a day's growth and decay over that of a day of plain steps."""
    p, state, forcing = world(n, torch.float64, "cpu", cycles=True)
    with torch.no_grad():
        plain = state._replace(cycles=None)
        begin = time.process_time()
        step(plain, forcing, p, 300.0, Options())
        one = time.process_time() - begin
        begin = time.process_time()
        daily.a_day(state.cycles, p.cycles, "fun", p.roots, p.thickness)
        return (time.process_time() - begin) / (one * steps_a_day)


def cycles(n: int, steps: int, block: int) -> None:
    """Print what cycles and the plant's water cost, and how long the spin-up takes."""
    found = beside(n, steps, block, {"cycles": {"cycles": True}, "continuum": {"continuum": True}})
    day = daily_share(n, 288)
    print(f"cycles: {found['cycles']:.3f} x the plain step, and {day:.4f} for the day, over 288 steps of 5 minutes")
    print(f"continuum: {found['continuum']:.3f} x")
    p, state, _ = world(5000, torch.float64, "cpu", cycles=True)
    begin = time.perf_counter()
    spin_up.at_rest(state.cycles, p.cycles)
    seconds = time.perf_counter() - begin
    print(f"organic matter of 10,000 columns to rest: {seconds:.2f} s, after a year that gives the means")
    print(f"RESULT land.cycles.cost_ratio {found['cycles'] + day:.3f}")
    print(f"RESULT land.continuum.cost_ratio {found['continuum']:.3f}")
    print(f"RESULT land.spinup.seconds {seconds:.3f}")


def below_and_built(n: int, steps: int) -> None:
    """Print what groundwater costs a cell, and a city's canyon a column."""
    side = int(n**0.5)
    grid = Grid.regular_lonlat("land", 100, 100 + 0.1 * side, 0, 0.1 * side, resolution=0.1)
    gen = torch.Generator().manual_seed(0)
    u = torch.rand(4, side * side, dtype=torch.float64, generator=gen)
    everywhere = slice(0, side)
    ground = Ground(
        np.ones(grid.shape, bool), 300.0 * u[0], 1e-4 * u[1], 5.0 + 50.0 * u[2], 20.0 + 100.0 * u[2], 0.2,
        faces_of(grid, everywhere, everywhere), np.asarray(grid.area),
    )  # fmt: skip
    stored, recharge = ground.stored(10.0 * u[3]), 1e-5 * u[0]
    shape = CityOptions(share=0.5)
    tile = CityTile(shape, u[0], 100.0 + u[1], 270.0 + 30.0 * u[2])
    air = Air(
        270.0 + 30.0 * u[0], 0.003 + 0.002 * u[1], 1e5 + 0.0 * u[0], 1.0 + 8.0 * u[2], 20.0 + u[0], 400.0 * u[1],
        150.0 * u[2], 250.0 + 100.0 * u[3], 1e-4 * u[3], 0.0 * u[0], 0.2 + 0.7 * u[1], 30.0 * u[2],
    )  # fmt: skip
    cost: dict[str, list[float]] = {"groundwater.us_per_cell": [], "urban.us_per_column": []}
    for _ in range(steps + 2):
        begin = time.process_time()
        stored, _ = ground.release(stored, recharge, 3600.0)
        stored = stored + 3600.0 * ground.lateral(stored, lambda *fields, width: None)
        middle = time.process_time()
        tile.now, _ = canyon_step(tile.city, tile.now, air, 1800.0)
        for name, seconds in zip(cost, (middle - begin, time.process_time() - middle), strict=True):
            cost[name].append(seconds / (side * side) * 1e6)
    for name, values in cost.items():
        print(f"RESULT {name} {statistics.median(values[2:]):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, default=10_000, help="columns (two tiles each)")
    parser.add_argument("--steps", type=int, default=8, help="timed steps a model")
    parser.add_argument("--block", type=int, default=8000, help="tile columns advanced together (fits the cache)")
    parser.add_argument("--models", nargs="+", default=MODELS, help="stomatal models")
    parser.add_argument("--precision", choices=["double", "single"], default="double")
    parser.add_argument("--cycles", action="store_true", help="what cycles and the plant's water cost, and no models")
    parser.add_argument("--water", action="store_true", help="what groundwater and a city cost, and no models")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.water:
        below_and_built(options.columns, options.steps)
        return
    if options.cycles:
        cycles(options.columns, options.steps, options.block)
        return
    dtype = torch.float64 if options.precision == "double" else torch.float32
    print(f"land column: {options.columns} columns, {TILES} tiles, 10 soil layers, up to 3 of snow, 1800 s steps")
    print(f"torch {torch.__version__}, one thread, eager, {options.precision}, blocks of {options.block} tile columns")
    print(
        f"{platform.processor() or platform.machine()}, load {os.getloadavg()[0]:.1f}, CPU time, {options.steps} steps"
    )
    print(f"\n{'stomata':<24}{'median us':>12}{'least us':>12}{'x Noah-MP':>12}")
    results = []
    for name in options.models:
        median, least = measure(name, options.columns, options.steps, options.block, dtype, "cpu")
        print(f"{name:<24}{median:>12.1f}{least:>12.1f}{median / NOAH_MP:>12.1f}", flush=True)
        results.append((f"land.{name}.us_per_column", median))
    print(f"{'Noah-MP v5 (Fortran)':<24}{NOAH_MP:>12.1f}{'':>12}{1.0:>12.1f}   one tile, 4 layers, empirical stomata")
    print(f"{'ClimaLand (published)':<24}{CLIMALAND:>12.1f}{'':>12}{CLIMALAND / NOAH_MP:>12.1f}   soil and snow alone")
    if torch.cuda.is_available():
        for name in options.models:
            median, _ = measure(name, 20 * options.columns, options.steps, 10**9, dtype, "cuda")
            print(f"{name + ' on ' + torch.cuda.get_device_name():<48}{median:>12.3f}")
            results.append((f"land.{name}.gpu_us_per_column", median))
    print()
    for name, value in results:
        print(f"RESULT {name} {value:.3f}")


if __name__ == "__main__":
    main()
