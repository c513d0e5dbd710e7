# SPDX-License-Identifier: BSD-3-Clause
"""What a gradient through the atmosphere's core and an analysis cost: CPU seconds, memory, columns a second.

    python benchmarks/assimilation.py            a few minutes: single precision with a checkpoint a step
    python benchmarks/assimilation.py --whole    double precision, and the whole graph of a window, besides
    python benchmarks/assimilation.py --short    an hour instead of six, and no shallow water: a trial

The ratio is the gradient's CPU time over that of a forecast without a graph. Memory is the largest of a process of its
own, its start included. An analysis is En4DVar's search with 20 members; its time is given for 40 evaluations. Each
RESULT is printed as soon as it is known.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

if "GLIBC_TUNABLES" not in os.environ:  # large pages, as run_case.py takes them
    os.environ["GLIBC_TUNABLES"] = "glibc.malloc.hugetlb=1"
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from components.ml_surrogates.data_assimilation import window  # noqa: E402
from components.ml_surrogates.data_assimilation.places import spacing_of  # noqa: E402
from components.ml_surrogates.estimation import air_perturbations  # noqa: E402
from components.ml_surrogates.estimation.air import packed  # noqa: E402
from components.ml_surrogates.estimation.etkf import letkf  # noqa: E402
from components.ml_surrogates.estimation.localisation import SeparableRoot  # noqa: E402
from tests.toys import real_core, shallow_water  # noqa: E402

GRIDS = {"100km": (66, 65, 100e3, 600, 24), "295km": (22, 22, 295e3, 1800, 16)}
EVALUATIONS = 40


def memory():
    """Largest of the process so far, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def forecast(grid, precision):
    """Operator on one of the grids."""
    nx, ny, dx, step, levels = GRIDS[grid]
    return real_core.forecast(precision, levels, real_core.context(nx, ny, dx, step))


def gradient(grid, precision, checkpoints, hours):
    """CPU seconds of a forecast and of a gradient, and memory."""
    f = forecast(grid, precision)
    steps = round(hours * 3600 / f.seconds)
    with torch.no_grad():
        real_core.run(f, 1, None)  # the first step reads and compiles
        start = time.process_time()
        real_core.run(f, steps, None)
        plain = time.process_time() - start
    real_core.gradient(f, 2, checkpoints)  # the first gradient of a process loads parts of torch
    start = time.process_time()
    real_core.gradient(f, steps, checkpoints)
    whole = time.process_time() - start
    return {"plain": plain, "gradient": whole, "gb": memory()}


def analysis(grid, precision, iterations, hours, members=20):
    """CPU seconds of an evaluation in En4DVar's search, of the rest, and memory."""
    f = forecast(grid, precision)
    steps = round(hours * 3600 / f.seconds)
    first = {k: a.double() for k, a in f.columns(f.initial).items()}
    latitude, spacing = torch.as_tensor(np.asarray(f.air.context.grid.latitude)), spacing_of(f.air.context.grid)
    size = air_perturbations.Size(3.0, 1.0, 0.1)
    x = air_perturbations.drawn(first, latitude, spacing, members, size, "balanced", 1)
    seen, _ = real_core.batches(f, {0: first, steps: first}, np.random.default_rng(1))
    root = SeparableRoot.of(tuple(latitude.shape), (spacing, spacing), 1.0e6, first["t"])
    method = window.Method("en4dvar", 1.0e6, 1.0, 0.75, 1.03, iterations, root)
    e = window.Ensemble(packed(first) + x, packed(first) + x, torch.zeros(members, 0), ())
    taken, cost = [], window.Cost.__call__

    def timed(self, v):
        begun = time.process_time()
        out = cost(self, v)
        taken.append(time.process_time() - begun)
        return out

    real_core.gradient(f, 2)  # the first gradient of a process loads parts of torch
    window.Cost.__call__ = timed
    start = time.process_time()
    window.minimised(f, f.initial, 0.0, e, seen, method)
    return {
        "evaluation": sum(taken) / len(taken),
        "whole": time.process_time() - start,
        "n": len(taken),
        "gb": memory(),
    }


def apart(*words):
    """One of the two above in a process of its own, for its memory."""
    done = subprocess.run([sys.executable, __file__, "--one", *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def columns_per_second(members=40, observations=200, columns=2048):
    """Of the LETKF, every observation acting everywhere."""
    g = torch.Generator().manual_seed(1)
    draw = lambda *shape: torch.randn(shape, generator=g, dtype=torch.float64)  # noqa: E731
    given = (
        draw(members, 3, columns),
        draw(members, observations),
        draw(observations),
        torch.ones(observations).double(),
    )
    start = time.process_time()
    letkf(*given, torch.rand((columns, observations), generator=g, dtype=torch.float64))
    return columns / (time.process_time() - start)


def cut():
    """Of the error of h by En4DVar in shallow water, one seed, %."""
    t = shallow_water.twin(1)
    return shallow_water.cuts(t, shallow_water.envar(t, shallow_water.localised(t))[0])[0]


def told(grid, precision, checkpoints, hours):
    """A gradient's figures, printed."""
    r = apart("gradient", grid, precision, checkpoints, hours)
    kept = "a checkpoint a step" if checkpoints else "whole graph"
    cost = f"forecast {r['plain']:6.2f} gradient {r['gradient']:6.2f} ratio {r['gradient'] / r['plain']:5.2f}"
    print(f"{grid} {precision:6s} {kept:20s} {cost} {r['gb']:5.2f} GB", flush=True)
    return r


def result(name, value):
    """A line that others read."""
    print(f"RESULT assimilation.{name} {value}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    o = parser.parse_args()
    torch.set_num_threads(1)
    if o.one:
        kind, grid, precision, how, hours = o.one
        done = (
            gradient(grid, precision, how == "True", float(hours))
            if kind == "gradient"
            else analysis(grid, precision, int(how), float(hours))
        )
        print(json.dumps(done))
        return
    hours = 1 if o.short else 6
    print(f"{hours} h, one thread; CPU s, GB", flush=True)
    result("letkf.columns_per_second", f"{columns_per_second():.0f}")
    told("295km", "single", True, hours)
    r = told("100km", "single", True, hours)
    result("gradient_100km.ratio", f"{r['gradient'] / r['plain']:.2f}")
    result("gradient_100km.gigabytes", f"{r['gb']:.2f}")
    r = apart("analysis", "295km", "single", 2 if o.short else 30, hours)
    print(f"295km search of {r['n']} evaluations: {r['whole']:.1f} CPU s, {r['gb']:.2f} GB", flush=True)
    result("analysis_295km.seconds", f"{r['whole'] / r['n'] * EVALUATIONS:.1f}")
    if not o.short:
        result("swe.cut_h", f"{cut():.1f}")
    if o.whole:
        for grid in GRIDS:
            for precision, checkpoints in (("single", False), ("double", True), ("double", False)):
                told(grid, precision, checkpoints, hours)


if __name__ == "__main__":
    main()
