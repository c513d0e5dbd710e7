# SPDX-License-Identifier: BSD-3-Clause
"""What a time step of the non-hydrostatic atmosphere costs on one core, and what two ranks gain.

140 x 100 x 24 cells of 50 km over relief, 240-s steps, float32, six tracers. Times are CPU time of one thread
(medians); ``--quick`` takes fewer repetitions and leaves the two-rank run out.

    python benchmarks/atmosphere.py [--eager] [--quick] [--full] [--device cuda]

``full_rrtmgp`` has graupel (WSM6), the mass flux and RRTMGP every hour with McICA, and says what costs what.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
if "GLIBC_TUNABLES" not in os.environ:  # large pages, as run_case.py takes them
    os.environ["GLIBC_TUNABLES"] = "glibc.malloc.hugetlb=1"
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere  # noqa: E402
from components.atmosphere.nonhydrostatic.dynamics import geometry, timestep  # noqa: E402
from components.radiation.rrtmg_scheme import Rrtmg  # noqa: E402
from components.radiation.rrtmgp_scheme import Rrtmgp  # noqa: E402
from coupler.clock import Clock  # noqa: E402
from coupler.component import Context  # noqa: E402
from coupler.grids.decomposition import Decomposition  # noqa: E402
from coupler.grids.grid import Grid  # noqa: E402
from tests.mpi.atmosphere_ranks import LAMBERT, surface  # noqa: E402

NX, NY, DX, STEP = 140, 100, 50e3, 240
FULL = {"microphysics": "wsm6", "convection": "mass_flux"}
"""Physics of ``full_rrtmgp``; the rest, McICA too, is the default."""
WRF = {
    "without microphysics": 234.0,
    "with WSM6 and TKE": 403.0,
    "RRTMG, us a column by day": 637.0,
    "two ranks": 198.0,
}


def start(compiled, comm=None, device="cpu", **options):
    """The component on the benchmark's grid, its context and its first exports."""
    grid = Grid.projected("atmosphere", LAMBERT, NX, NY, DX)
    c = Context(
        name="atmosphere", clock=Clock("2001-06-01T03:00:00"), step=STEP, duration=10 * 86400, grid=grid, folder=ROOT,
        grids={"default": grid}, decompositions={"default": Decomposition(grid.shape, comm)}, device=device,
        logger=lambda text: None,
    )  # fmt: skip
    air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(compile=compiled, **options))
    return air, c, air.initialize(c)


def median_ms(work, repeat, device):
    """Median time of ``work``, ms: of the CPU, or of the wall on a GPU."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    times = []
    for _ in range(repeat):
        if device != "cpu":
            torch.cuda.synchronize()
        t = clock()
        work()
        if device != "cpu":
            torch.cuda.synchronize()
        times.append(1e3 * (clock() - t))
    return statistics.median(times)


def dynamics_ms(compiled, repeat, device):
    """Dynamics with six tracers: (first call in seconds, ms a step, of which transport)."""
    t = time.perf_counter()
    air, _, _ = start(
        compiled, device=device, radiation="none", microphysics="none", convection="none", boundary_layer="none"
    )
    state = [air.s]
    q = air.q[:1].repeat(6, 1, 1, 1) * torch.linspace(1.0, 0.1, 6, device=device)[:, None, None, None].to(air.q)
    core = timestep.Dynamics(air.geometry, air.core.options, air.core.edges, air.core.halo, air.core.compiler)
    core.halo([q], geometry.HALO)
    box = [q]
    flux = []

    def step():
        new, f = core.step(state[0], float(STEP), box[0][0])
        box[0] = core.transport(box[0], new, f, float(STEP))
        state[0] = new
        flux[:] = [f]

    step()
    first = time.perf_counter() - t
    step()
    whole = median_ms(step, repeat, device)
    moved = median_ms(lambda: core.transport(box[0], state[0], flux[0], float(STEP)), repeat, device)
    assert bool(torch.isfinite(state[0].rw).all())
    return first, whole, moved


def watched(air, clock):
    """Seconds of the parts of the steps that ``air`` does from now on, a list each."""
    seconds = {}
    columns = air.model.physics._columns

    def watch(owner, name, what):
        inner = getattr(owner, name)

        def call(*arguments, **words):
            t = clock()
            out = inner(*arguments, **words)
            seconds.setdefault(what, []).append(clock() - t)
            return out

        if inner is not None:
            setattr(owner, name, call)

    watch(air.core, "step", "dynamics")
    watch(air.core, "transport", "transport of tracers")
    for name, what in (("_turbulence", "boundary layer"), ("_convection", "convection"), ("_clouds", "clouds")):
        watch(columns, name, what)
    return seconds


def full_days_per_hour(compiled, steps, device, comm=None, physics=None, schemes=("rrtmg", "rrtmgp")):
    """Simulated days an hour of computing, everything with hourly radiation, by scheme.

    Also the ms of a step, of a call of each scheme on the same air, one after the other, and of the parts of a step.
    """
    air, c, exports = start(compiled, comm, device, **(physics or {}))
    schemes = {name: {"rrtmg": Rrtmg, "rrtmgp": Rrtmgp}[name]() for name in schemes}
    for n in range(2):
        exports = air.step(n * STEP, STEP, surface(c, exports))
    clock = time.process_time if comm is None and device == "cpu" else time.perf_counter
    times, parts = [], watched(air, clock)
    for n in range(2, 2 + steps):
        fluxes = surface(c, exports)
        t = clock()
        exports = air.step(n * STEP, STEP, fluxes)
        times.append(clock() - t)
    step = statistics.median(times)
    calls = {name: [] for name in schemes}
    for hour in (0, 0, 6, 12, 18):  # the first to compile; the sun is over a half of the domain's day
        for name, scheme in schemes.items():
            t = clock()
            scheme(air._air(hour * 3600))
            calls[name].append(clock() - t)
    radiation = {name: statistics.mean(times[1:]) for name, times in calls.items()}
    days = {name: 3600.0 / (3600.0 / STEP * step + call) / 24.0 for name, call in radiation.items()}
    medians = {what: 1e3 * statistics.median(t) for what, t in parts.items()}
    return days, 1e3 * step, {name: 1e3 * call for name, call in radiation.items()}, medians


def everything(compiled, repeat, device):
    """Days an hour with the physics of `FULL`, and what costs what."""
    word = "compiled" if compiled else "eager"
    begin = time.perf_counter()
    days, step, radiation, parts = full_days_per_hour(compiled, repeat, device, physics=FULL, schemes=("rrtmgp",))
    parts["radiation, its share"] = radiation["rrtmgp"] * STEP / 3600.0
    parts["the rest"] = step + parts["radiation, its share"] - sum(parts.values())
    name = f"WSM6, mass flux, RRTMGP, {word}"
    print(f"{name:44}{step:10.1f} ms a step{days['rrtmgp']:10.1f} days an hour", end="")
    print(f"   (all of this took {time.perf_counter() - begin:.0f} s)")
    for what, ms in sorted(parts.items(), key=lambda p: -p[1]):
        print(f"    {what:40}{ms:10.1f}")
    suffix = "" if compiled else "_eager"
    return {f"atmosphere.full_rrtmgp.days_per_hour{suffix}": days["rrtmgp"]}


def ranks_seconds(n, eager):
    """Median wall time of a step on ``n`` ranks, s."""
    command = [str(Path(sys.executable).parent / "mpirun"), "--allow-run-as-root", "--oversubscribe", "-n", str(n)]
    command += [sys.executable, __file__, "--ranks-worker"] + (["--eager"] if eager else [])
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    out = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, timeout=1800, check=True)
    return float(next(line.split()[1] for line in out.stdout.splitlines() if line.startswith("WORKER")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--eager", action="store_true", help="leave the compiled kernels out")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, no two-rank run")
    parser.add_argument("--full", action="store_true", help="nothing but full_rrtmgp")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--ranks-worker", action="store_true", help=argparse.SUPPRESS)
    a = parser.parse_args()
    torch.set_num_threads(1)
    if a.ranks_worker:
        from mpi4py import MPI

        air, c, exports = start(not a.eager, MPI.COMM_WORLD, radiation="none")
        for n in range(3):
            exports = air.step(n * STEP, STEP, surface(c, exports))
        times = []
        for n in range(3, 13):
            MPI.COMM_WORLD.barrier()
            t = time.perf_counter()
            exports = air.step(n * STEP, STEP, surface(c, exports))
            times.append(time.perf_counter() - t)
        if MPI.COMM_WORLD.rank == 0:
            print("WORKER", statistics.median(times))
        return
    repeat = 3 if a.quick else 9
    with open("/proc/loadavg") as f:
        load = f.read().split()[0]
    print(f"{NX} x {NY} x 24 cells of {DX / 1e3:.0f} km, {STEP}-s steps, float32, torch {torch.__version__}")
    print(f"device {a.device}, one thread, CPU time (wall on a GPU), load of the machine {load}")
    print(f"{'':28}{'first call s':>14}{'ms a step':>12}{'of it tracers':>15}{'days an hour':>14}")
    results = {}
    if a.full:
        for compiled in (False,) if a.eager else (True,):
            results |= everything(compiled, repeat, a.device)
        return report(results)
    for compiled in (False,) if a.eager else (False, True):
        first, ms, moved = dynamics_ms(compiled, repeat, a.device)
        word = "compiled" if compiled else "eager"
        days = 3.6e6 / ms * STEP / 86400.0
        print(f"{'dynamics, 6 tracers, ' + word:28}{first:14.1f}{ms:12.1f}{moved:15.1f}{days:14.1f}")
        suffix = "" if compiled or a.eager else "_eager"
        results[f"atmosphere.dynamics.ms_per_step{suffix}"] = ms
        results[f"atmosphere.dynamics.days_per_hour{suffix}"] = days
    days, step, radiation, _ = full_days_per_hour(not a.eager, 4 if a.quick else 12, a.device)
    for name in days:
        print(
            f"{'everything, hourly ' + name.upper():28}{'':14}{step:12.1f}{'':15}{days[name]:14.1f}"
            f"   ({name.upper()} {radiation[name]:.0f} ms, {1e3 * radiation[name] / NX / NY:.0f} us a column)"
        )
    results["atmosphere.full.days_per_hour"] = days["rrtmgp"]
    results["atmosphere.full.ms_per_step"] = step
    for compiled in () if a.quick else (False,) if a.eager else (False, True):
        results |= everything(compiled, repeat, a.device)
    print(
        "WRF v4.7.1 in Fortran on such a core: "
        + ", ".join(f"{k} {v:.0f}" for k, v in WRF.items())
        + " (ms a step unless said)"
    )
    results["atmosphere.peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    if not a.quick and a.device == "cpu":
        pairs = [[1e3 * ranks_seconds(n, a.eager) for n in (1, 2)] for _ in range(5)]
        print("a step with physics, without radiation, ms, one rank / two ranks: ", end="")
        print(", ".join(f"{one:.0f} / {two:.0f}" for one, two in pairs))
        results["atmosphere.two_ranks"] = statistics.median(one / two for one, two in pairs)
    report(results)


def report(results):
    """The figures as lines that other scripts read."""
    for name, value in results.items():
        print(f"RESULT {name} {np.round(value, 2)}")


if __name__ == "__main__":
    main()
