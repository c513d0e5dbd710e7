# SPDX-License-Identifier: BSD-3-Clause
"""How fast is the primitive-equation ocean: beside Veros on a channel of the same size, and on the East Asian seas.

    python benchmarks/ocean.py [--quick]

Question 1: milliseconds a step and nanoseconds a cell and step on one core, against Veros (numpy and JAX) in its ACC
set-up (30 x 42 x 15 = 18,900 cells). Two Veros runs: as shipped (with isoneutral mixing, eddy energy, TKE), and with
isoneutral mixing and eddy energy off, which is the physics Tessera runs here: nonlinear equation of state, TKE
mixing with convection, limited tracer advection (Tessera third order, Veros superbee), lateral friction, bottom
drag; Tessera with the 55-term TEOS-10 and a free surface, Veros with its three-term equation of state and a stream
function. The ratio in `ocean.vs_veros_jax` is against the second, the faster. Question 2: simulated years a day of
the East Asian seas at 0.5 degree (102 x 114 x 25), step of an hour, one core, without coupler. Question 3: the same
on one and two ranks, wall time of the slowest; beside it CPU time of the busiest, which other work on the machine
disturbs less (it leaves out the waiting). Where Veros is not installed its rows and the ratios to it are left out.

Every measurement is a process of its own, bound to one core; CPU time of the process, median of repeated runs,
compilation excluded.
"""

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CELLS = 30 * 42 * 15
CHANNELS = {
    "veros-numpy-full": "Veros numpy, ACC as shipped",
    "veros-jax-full": "Veros JAX, ACC as shipped",
    "veros-jax-plain": "Veros JAX, comparable physics",
    "channel-eager": "Tessera eager",
    "channel-compiled": "Tessera compiled",
}


def veros(backend: str, full: bool, steps: int) -> float:
    """CPU seconds a step of the Veros ACC set-up."""
    import veros

    veros.runtime_settings.backend = backend
    veros.runtime_settings.device = "cpu"
    veros.runtime_settings.loglevel = "error"
    from veros import veros_routine
    from veros.setups.acc.acc import ACCSetup

    class Setup(ACCSetup):
        @veros_routine
        def set_parameter(self, state):
            super().set_parameter(state)
            if not full:
                s = state.settings
                s.enable_neutral_diffusion = s.enable_skew_diffusion = s.enable_eke = False
                s.enable_eke_superbee_advection = s.enable_eke_isopycnal_diffusion = False

        @veros_routine
        def set_diagnostics(self, state):
            state.diagnostics.clear()

    model = Setup()
    model.setup()
    for _ in range(5):
        model.step(model.state)
    start = time.process_time()
    for _ in range(steps):
        model.step(model.state)
    float(model.state.variables.temp.sum())
    return (time.process_time() - start) / steps


def channel(compile_it: bool, steps: int) -> float:
    """CPU seconds a step of the same channel here."""
    from dataclasses import replace

    import numpy as np
    import torch

    from components.ocean.primitive.horizontal_grid import longitude_latitude
    from components.ocean.primitive.idealised import set_up
    from components.ocean.primitive.parameters import Parameters

    torch.set_num_threads(1)
    nx, ny = 30, 42
    dz = np.array([50.0, 70, 100, 140, 190, 240, 290, 340, 390, 440, 490, 540, 590, 640, 690]) / 2.5
    grid = longitude_latitude(2.0 * np.arange(nx + 1), -40 + 2.0 * np.arange(ny + 1))
    depth = np.where((grid.x > 1.5) | (grid.y < -20), dz.sum(), 0.0)[2:-2, 2:-2]
    z = np.cumsum(dz) - 0.5 * dz
    temperature = (15 * (1 - z / dz.sum()))[:, None, None] + np.zeros((dz.size, ny, nx))
    p = Parameters(
        dt=4800.0, substeps=10, harmonic_viscosity=(2 * 111e3) ** 3 * 2e-11, mixing="tke", convective_diffusivity=1.0,
        background_viscosity=2e-4, background_diffusivity=2e-5, drag_linear=1e-3, lateral_diffusivity=1000.0,
    )  # fmt: skip
    sea = set_up(grid, depth, dz, p, temperature, 35.0, periodic_x=True, compile=compile_it)
    g = sea.geometry
    stress = torch.where(g.y < -20, 0.1 * torch.sin(torch.pi * (g.y + 40) / 20), 0.0) * g.wet_t
    sea.forcing = replace(sea.forcing, stress_x=stress)
    sea.run(5)
    start = time.process_time()
    sea.run(steps)
    used = (time.process_time() - start) / steps
    if not bool(torch.isfinite(sea.state.u).all()):
        raise SystemExit("the channel became unstable")
    return used


def region(compile_it: bool, steps: int, comm=None) -> tuple[float, float]:
    """Seconds a step of the East Asian seas: CPU time of the busiest rank, wall time of the slowest."""
    from tests.mpi.ocean_ranks import PrimitiveOcean, context, imports

    c = context(ROOT, comm)
    ocean = PrimitiveOcean(PrimitiveOcean.Options(file="east_asia_primitive_ocean.nc", compile=compile_it))
    ocean.initialize(c)
    for n in range(4):
        ocean.step(3600 * n, 3600, imports(3600 * n, c))
    forcing = imports(0, c)
    if comm is not None:
        comm.Barrier()
    start = time.process_time(), time.perf_counter()
    for n in range(4, 4 + steps):
        ocean.step(3600 * n, 3600, forcing)
    used = (time.process_time() - start[0]) / steps, (time.perf_counter() - start[1]) / steps
    if comm is None:
        return used
    return max(comm.allgather(used[0])), max(comm.allgather(used[1]))


def measure(kind: str, steps: int, ranks: int = 0) -> tuple[float, float]:
    """CPU and wall time of one measurement in a process of its own (bound to one core where it is alone)."""
    command = [sys.executable, __file__, "--measure", kind, "--steps", str(steps)]
    if ranks:
        mpirun = str(Path(sys.executable).parent / "mpirun")
        command = [mpirun, "--allow-run-as-root", "--oversubscribe", "-n", str(ranks), *command, "--mpi"]
    flags = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    flags["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    done = subprocess.run(command, cwd=ROOT, env=os.environ | flags, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise SystemExit(f"{kind} failed:\n{done.stdout[-1000:]}\n{done.stderr[-2000:]}")
    result = json.loads(lines[-1])
    return result["seconds"], result["wall"]


def one(kind: str, steps: int, mpi: bool) -> tuple[float, float]:
    """Do one measurement in this process: CPU and wall time, the same number where only the first is asked for."""
    name, *rest = kind.split("-")
    if not mpi:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if name == "veros":
        return (veros(rest[0], rest[1] == "full", steps),) * 2
    if name == "channel":
        return (channel(rest[0] == "compiled", steps),) * 2
    comm = None
    if mpi:
        from mpi4py import MPI

        comm = MPI.COMM_WORLD
    return region(rest[0] == "compiled", steps, comm)


def median_of(kind: str, steps: int, times: int, ranks: int = 0) -> float:
    values = sorted(measure(kind, steps, ranks)[0] for _ in range(times))
    return values[len(values) // 2]


def one_and_two_ranks(steps: int, times: int) -> dict[str, list[float]]:
    """CPU and wall time of one and two ranks, in turn, so that both see the same load; medians."""
    pairs = [[measure("region-eager", steps, ranks) for ranks in (1, 2)] for _ in range(times)]
    middle = times // 2
    return {
        name: [sorted(pair[r][which] for pair in pairs)[middle] for r in range(2)]
        for which, name in enumerate(("cpu", "wall"))
    }


def print_ranks(steps: int, times: int) -> dict[str, list[float]]:
    """Table of one and two ranks."""
    ranks = one_and_two_ranks(steps, times)
    print(f"\neager, load {os.getloadavg()[0]:.1f}     1 rank   2 ranks   ratio (ms a step)")
    for name, (single, double) in ranks.items():
        print(f"{name:20s} {single * 1e3:8.0f} {double * 1e3:9.0f} {single / double:7.2f}", flush=True)
    return ranks


def print_rank_results(ranks: dict[str, list[float]]) -> None:
    """Ratios of one rank's time to two ranks'."""
    print(f"RESULT ocean.two_ranks {ranks['wall'][0] / ranks['wall'][1]:.2f}")
    print(f"RESULT ocean.two_ranks_cpu {ranks['cpu'][0] / ranks['cpu'][1]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one run of each, fewer steps")
    parser.add_argument("--ranks", action="store_true", help="only one rank against two")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, default=50, help=argparse.SUPPRESS)
    parser.add_argument("--mpi", action="store_true", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.measure:
        seconds, wall = one(a.measure, a.steps, a.mpi)
        if not a.mpi or int(os.environ.get("OMPI_COMM_WORLD_RANK", 0)) == 0:
            print(json.dumps({"seconds": seconds, "wall": wall}), flush=True)
        return
    times, steps, long_steps = (1, 20, 10) if a.quick else (3, 60, 30)
    if a.ranks:
        print_rank_results(print_ranks(long_steps, times))
        return
    machine = platform.processor() or platform.machine()
    print(f"{machine}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; CPU time on one core,")
    print(f"double precision, median of {times} runs of {steps} steps after warm-up\n")
    print(f"channel of 30 x 42 x 15 = {CELLS} cells       ms a step   ns a cell and step")
    beside_veros = importlib.util.find_spec("veros") is not None
    seconds = {}
    for kind, label in CHANNELS.items():
        if kind.startswith("veros") and not beside_veros:
            print(f"{label:38s} {'-':>12} {'-':>14}   not installed (pip install veros jax)")
            continue
        seconds[kind] = median_of(kind, steps, times)
        print(f"{label:38s} {seconds[kind] * 1e3:12.1f} {seconds[kind] / CELLS * 1e9:14.0f}", flush=True)
    print("\nEast Asian seas, 102 x 114 x 25, step 3600 s     ms a step   simulated years a day")
    years = {}
    for kind, label in (("region-eager", "Tessera eager"), ("region-compiled", "Tessera compiled")):
        used = median_of(kind, long_steps, times)
        years[kind] = 86400.0 / (used * 365 * 24)
        print(f"{label:38s} {used * 1e3:18.1f} {years[kind]:15.1f}", flush=True)
    ranks = print_ranks(long_steps, times)
    if beside_veros:
        fastest = min(seconds["channel-eager"], seconds["channel-compiled"])
        print(f"RESULT ocean.vs_veros_jax {fastest / seconds['veros-jax-plain']:.3f}")
        print(f"RESULT ocean.vs_veros_jax_as_shipped {fastest / seconds['veros-jax-full']:.3f}")
        print(f"RESULT ocean.eager_vs_veros_jax {seconds['channel-eager'] / seconds['veros-jax-plain']:.3f}")
    print(f"RESULT ocean.years_per_day {max(years.values()):.1f}")
    print(f"RESULT ocean.years_per_day_eager {years['region-eager']:.1f}")
    print_rank_results(ranks)


if __name__ == "__main__":
    main()
