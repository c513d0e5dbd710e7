# SPDX-License-Identifier: BSD-3-Clause
"""Measure how fast weights are made and applied, beside YAC (same run) and, where installed, ESMF and CDO.

CPU seconds on one core, kernels compiled beforehand, medians. Ours counts from corner coordinates to finished weights
(polygons, search, clipping, normalization, fingerprints); YAC counts its weight computation alone, without describing
the grids to it. Great-circle edges, first order, normalized by the target's area.

    .venv/bin/python benchmarks/weights.py            # everything, two to three minutes
    .venv/bin/python benchmarks/weights.py --quick    # without the large case
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from coupler.grids.grid import Grid  # noqa: E402

LAMBERT = "+proj=lcc +lat_1=15 +lat_2=40 +lat_0=30 +lon_0=110 +R=6370000"
CASES = {
    "a": "global 1 degree -> global 2 degrees (64 800 -> 16 200 cells)",
    "c": "Lambert 25 km -> 0.1 degree ocean (48 000 -> 255 000)",
    "masked": "0.1 degree ocean with its mask -> Lambert 25 km (255 000 -> 48 000)",
    "large": "Lambert 6 km -> 0.045 degree ocean (0.8 -> 1.26 million)",
}
REPEATS = {"a": 7, "c": 5, "masked": 5, "large": 3}


def wet(grid: Grid) -> np.ndarray:
    return ~(np.sin(3 * np.deg2rad(grid.longitude)) * np.cos(4 * np.deg2rad(grid.latitude)) > 0.3)


def ocean(nx: int, ny: int) -> Grid:
    return Grid.regular_lonlat("ocean", 99, 150, 0, 50, nx=nx, ny=ny, edges="great_circle")


def grids(case: str) -> tuple[Grid, Grid]:
    if case == "a":
        return tuple(
            Grid.regular_lonlat(f"g{step}", 0, 360, -90, 90, resolution=step, edges="great_circle") for step in (1, 2)
        )
    if case == "large":
        return Grid.projected("lambert", LAMBERT, 1000, 800, 6000.0), ocean(1134, 1111)
    lambert, sea = Grid.projected("lambert", LAMBERT, 240, 200, 25000.0), ocean(510, 500)
    return (lambert, sea) if case == "c" else (sea.with_mask(wet(sea)), lambert)


def peak() -> float:
    """Largest memory of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def ours(case: str, threads: int = 1) -> dict[str, float]:
    from coupler.remap.weights import make_weights

    make_weights(*grids("a"))  # compiles, or loads what is compiled
    before, cpu, wall, alone_ = peak(), [], [], []
    for _ in range(REPEATS[case]):
        source, target = grids(case)
        start, begin, own = time.process_time(), time.perf_counter(), time.thread_time()
        weights = make_weights(source, target, threads=threads)
        cpu.append(time.process_time() - start)
        wall.append(time.perf_counter() - begin)
        alone_.append(time.thread_time() - own)
    middle = {key: float(np.median(spent)) for key, spent in (("cpu", cpu), ("main_thread", alone_))}
    return middle | {"wall": min(wall), "links": weights.data.size, "memory": peak() - before}


def yac(case: str) -> dict[str, float]:
    from coupler.remap.backends import load_backend, yac_fields, yac_stack

    load_backend("yac")
    before, cpu = peak(), []
    source, target = grids(case)
    for _ in range(REPEATS[case]):
        fields = yac_fields(source, target, source.mask.ravel(), target.mask.ravel())
        stack = yac_stack(1, "destarea")
        start = time.process_time()
        load_backend("yac").compute_weights(stack, *fields)
        cpu.append(time.process_time() - start)
    return {"cpu": float(np.median(cpu)), "memory": peak() - before}


def esmf(case: str) -> dict[str, float]:
    from coupler.remap.backends import weights_from

    source, target = grids(case)
    cpu = []
    for _ in range(3):
        start = time.process_time()
        weights_from("xesmf", source, target)
        cpu.append(time.process_time() - start)
    return {"cpu": float(np.median(cpu))}


def cdo(case: str) -> dict[str, float]:
    source, target = grids(case)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("source.nc", "target.nc", "weights.nc")]
        for grid, path in zip((source, target), files[:2], strict=True):
            grid.to_file(path, "scrip")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [shutil.which("cdo"), "-P", "1", f"gencon,{files[1]}", f"-setgrid,{files[0]}", f"-const,1,{files[0]}"]
        subprocess.run([*command, str(files[2])], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def first_call() -> dict[str, float]:
    """CPU seconds of the first weights after installation: everything is compiled."""
    from coupler.remap.weights import make_weights

    source, target = grids("a")
    start = time.process_time()
    make_weights(source, target)
    first = time.process_time() - start
    start = time.process_time()
    lonlat = [Grid.regular_lonlat(grid.name, 0, 360, -90, 90, nx=20, ny=10) for grid in (source, target)]
    make_weights(*lonlat)
    return {"first": first, "latitude": time.process_time() - start}


def applying() -> dict[str, float]:
    from coupler.remap.regridder import apply_weights
    from coupler.remap.weights import make_weights

    weights = make_weights(*grids("c"))
    matrix = weights.matrix
    result = {}
    for fields in (1, 4, 10, 50):
        values = np.random.default_rng(0).random((weights.shape[1], fields))
        out = np.empty((weights.shape[0], fields))
        times: dict[str, list[float]] = {"ours": [], "scipy": []}
        for _ in range(25):
            start = time.process_time()
            apply_weights(weights.indptr, weights.indices, weights.data, values, out)
            middle = time.process_time()
            matrix @ values
            times["ours"].append(middle - start)
            times["scipy"].append(time.process_time() - middle)
        result |= {f"{name}_{fields}": float(np.median(spent)) for name, spent in times.items()}
    return result


def alone(*what: str, environment: dict[str, str] | None = None) -> dict[str, float] | None:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, "--measure", *what]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | (environment or {}))
    if done.returncode != 0:
        print(f"  {' '.join(what)} failed: {done.stderr.strip().splitlines()[-1]}")
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave the large case out")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, *rest = options.measure
        measured = globals()[name](*[int(value) if value.isdigit() else value for value in rest])
        print(json.dumps(measured))
        return 0
    import numba

    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(
        f"Python {platform.python_version()}, numpy {np.__version__}, numba {numba.__version__}; CPU seconds, medians"
    )
    peers = {"YAC": "yac"}
    if subprocess.run([sys.executable, "-c", "import xesmf"], capture_output=True).returncode == 0:
        peers["ESMF"] = "esmf"
    if shutil.which("cdo"):
        peers["CDO"] = "cdo"
    print(
        f"\n{'case':7}{'links':>9}{'ours':>9}{'MiB':>6}" + "".join(f"{peer:>9}{'ours/' + peer:>11}" for peer in peers)
    )
    results = {}
    for case, meaning in CASES.items():
        if options.quick and case == "large":
            continue
        mine = alone("ours", case)
        assert mine is not None
        line = f"{case:7}{mine['links']:9.0f}{mine['cpu']:9.3f}{mine['memory']:6.0f}"
        for peer, function in peers.items():
            theirs = alone(function, case)
            if theirs is None:
                line += f"{'-':>9}{'-':>11}"
                continue
            line += f"{theirs['cpu']:9.3f}{mine['cpu'] / theirs['cpu']:11.3f}"
            if peer == "YAC":
                results[f"weights.{case}.vs_yac"] = mine["cpu"] / theirs["cpu"]
        print(f"{line}   {meaning}")
        if case == ("c" if options.quick else "large"):
            results[f"weights.{case}.peak_mib"] = mine["memory"]
            one, two = alone("ours", case, "1"), alone("ours", case, "2")
            assert one is not None and two is not None
            results["weights.two_cores"] = one["wall"] / two["wall"]
            print(f"        two threads: {two['wall']:.3f} s of wall time for {one['wall']:.3f} s with one")
            # what two free cores would give: the main thread's own work, then half of what the workers share
            path = two["main_thread"] + 0.5 * (two["cpu"] - two["main_thread"])
            results["weights.two_cores_by_cpu"] = one["cpu"] / path
            load = os.getloadavg()[0]
            print(f"        by CPU time, as on free cores: {path:.3f} s for {one['cpu']:.3f} s (load {load:.1f})")
    with tempfile.TemporaryDirectory() as folder:
        compiling = alone("first_call", environment={"NUMBA_CACHE_DIR": folder})
    assert compiling is not None
    more = compiling["latitude"]
    print(f"first call after installation: {compiling['first']:.1f} s; first latitude edges {more:.1f} s more")
    results["weights.first_call_s"] = compiling["first"]
    spent = alone("applying")
    assert spent is not None
    for fields in (1, 4, 10, 50):
        mine_s, theirs_s = spent[f"ours_{fields}"], spent[f"scipy_{fields}"]
        print(f"apply {fields:2} fields: {1e3 * mine_s:.2f} ms, scipy {1e3 * theirs_s:.2f} ms")
        results[f"apply.{fields}_levels.vs_scipy"] = mine_s / theirs_s
    print()
    for key, value in results.items():
        print(f"RESULT {key} {value:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
