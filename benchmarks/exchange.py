# SPDX-License-Identifier: BSD-3-Clause
"""What an exchange costs: Tessera's coupler beside YAC and a bare product with bare MPI.

A 200x160 grid of 0.25 degree (95-145E, 10-50N) to 500x400 of 0.1 degree, first-order conservative, double precision;
one source, one coupler, one target rank. Phases are separated by barriers and nobody's waiting is counted: CPU time
of put, transfer, product and get, summed over the processes, per exchange. Where YAC is not installed its column and
the ratios to it are left out.

    python benchmarks/exchange.py            # everything
    python benchmarks/exchange.py --quick    # fewer exchanges
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
BOX = {"west": 95, "east": 145, "south": 10, "north": 50}
SOURCE, TARGET = (160, 200), (400, 500)


def tessera(n_fields, exchanges, checks, ranks):
    """CPU milliseconds of each exchange, summed over the processes (on rank 0)."""
    import numpy as np
    from mpi4py import MPI

    from coupler.clock import Clock
    from coupler.component import Component, Setting
    from coupler.exchange.runner import Member, Process
    from coupler.exchange.transport import MPI as Transport
    from coupler.fields import FieldSpec
    from coupler.grids.grid import Grid
    from coupler.plan import Bundle, ComponentPlan, Delivery, Plan, Remap, Task

    world = MPI.COMM_WORLD
    n_source, n_coupler, n_target = ranks
    a = Grid.regular_lonlat("source", 95, 145, 10, 50, nx=SOURCE[1], ny=SOURCE[0])
    b = Grid.regular_lonlat("target", 95, 145, 10, 50, nx=TARGET[1], ny=TARGET[0])
    wide = (-1e9, 1e9)
    fields = tuple(FieldSpec(f"field_{k}", units="W m-2", kind="flux", valid_range=wide) for k in range(n_fields))
    one = (1.0,) * n_fields
    zero = (0.0,) * n_fields
    task = Task(0, "source -> target", "connection", (Bundle("source", "default", fields, "instant"),),
                (Delivery("target", "default", fields, one, zero),), 60, 60, Remap())  # fmt: skip
    clock = Clock("2001-01-01")
    folder = Path("/nonexistent")

    def component(name, grid, first, n, imports, exports):
        setting = Setting(name, clock, 60, 60 * 10**6, grid, folder)
        return ComponentPlan(name, "ocean", "bench", Component(None), setting, 60, {"default": grid}, imports, exports,
                             ranks=tuple(range(first, first + n)))  # fmt: skip

    source = component("source", a, 0, n_source, (), fields)
    target = component("target", b, n_source + n_coupler, n_target, fields, ())
    couplers = tuple(range(n_source, n_source + n_coupler))
    plan = Plan(folder, "bench", clock, 60 * 10**6, (source, target), (task,), coupler_ranks=couplers,
                check_values=checks, check_budget=checks)  # fmt: skip
    import coupler.exchange.runner as runner

    class Quiet:
        """A controller that only collects."""

        def __init__(self, *args):
            self.budget, self.stop_wanted = [], lambda: False

        def progress(self):
            return None

    runner.Controller = Quiet
    process = Process(plan, Transport())
    me = plan.on_rank(world.rank)
    member = Member(process, me[0], process.routes, process.parts, 0) if me else None
    process.coupler and setattr(process.coupler, "budgets", lambda: [])
    rng = np.random.default_rng(1)
    data = {}
    if member and member.name == "source":
        data = {f.name: rng.random(member.context.local_shape) for f in fields}
        member.endpoint.put_initial(data)
    times, checksum = [], 0.0
    for k in range(exchanges):
        t = 60 * (k + 1)
        cpu = 0.0
        world.Barrier()
        if member and member.name == "source":
            start = time.process_time()
            member.endpoint.put_all(data, t)
            cpu += time.process_time() - start
        world.Barrier()
        if process.coupler:
            done = process.coupler.loops[0].done
            while process.coupler.loops[0].done == done:
                start = time.process_time()
                process.coupler.progress()
                cpu += time.process_time() - start
        world.Barrier()
        if member and member.name == "target":
            receivers = member.endpoint.receivers
            while not all(r.ready() for r in receivers):
                time.sleep(0)
            start = time.process_time()
            got = member.endpoint.get_all(60 * k)
            cpu += time.process_time() - start
            checksum += float(got["field_0"].reshape(-1)[k])
        if member and member.name == "source":
            for sender in member.endpoint.senders:
                sender.budget = []
        times.append(world.allreduce(cpu) * 1e3)
    process.transport.close()
    return times[exchanges // 10 :]


def yac(n_fields, exchanges):
    """The same with YAC: one source, one target rank, mapping on the target's side."""
    import numpy as np
    from mpi4py import MPI
    from yac import (
        YAC,
        Action,
        Calendar,
        ConservNormalizationType,
        Field,
        InterpolationStack,
        Location,
        Reduction,
        Reg2dGrid,
        TimeUnit,
        def_calendar,
    )

    world = MPI.COMM_WORLD
    def_calendar(Calendar.PROLEPTIC_GREGORIAN)
    y = YAC()
    y.def_datetime("2001-01-01T00:00:00", "2002-01-01T00:00:00")
    is_source = world.rank == 0
    component = y.def_comp("source" if is_source else "target")
    ny, nx = SOURCE if is_source else TARGET
    x = np.deg2rad(np.linspace(95, 145, nx + 1))
    lat = np.deg2rad(np.linspace(10, 50, ny + 1))
    grid = Reg2dGrid("grid_s" if is_source else "grid_t", x, lat)
    points = grid.def_points(Location.CELL, 0.5 * (x[1:] + x[:-1]), 0.5 * (lat[1:] + lat[:-1]))
    fields = [Field.create(f"field_{k}", component, points, 1, "60", TimeUnit.SECOND) for k in range(n_fields)]
    if is_source:
        stack = InterpolationStack()
        stack.add_conservative(1, False, False, ConservNormalizationType.FRACAREA)
        for k in range(n_fields):
            y.def_couple("source", "grid_s", f"field_{k}", "target", "grid_t", f"field_{k}", "60", TimeUnit.SECOND,
                         Reduction.TIME_NONE, stack)  # fmt: skip
    y.enddef()
    rng = np.random.default_rng(1)
    data = [rng.random(nx * ny) for _ in range(n_fields)]
    out = [np.zeros(nx * ny) for _ in range(n_fields)]
    times = []
    for _ in range(exchanges):
        cpu = 0.0
        world.Barrier()
        if is_source:
            start = time.process_time()
            for f, d in zip(fields, data, strict=True):
                f.put(d)
            cpu += time.process_time() - start
        world.Barrier()
        if not is_source:
            start = time.process_time()
            for f, o in zip(fields, out, strict=True):
                _, action = f.get(o)
                assert action in (Action.COUPLING, Action.GET_FOR_RESTART, Action.NONE)
            cpu += time.process_time() - start
        world.Barrier()
        times.append(world.allreduce(cpu) * 1e3)
    return times[exchanges // 10 :]


def floor(n_fields, exchanges):
    """A bare product (scipy CSR) in a coupler process, with bare mpi4py around it."""
    import numpy as np
    from mpi4py import MPI

    from coupler.grids.grid import Grid
    from coupler.remap.weights import make_weights

    world = MPI.COMM_WORLD
    a = Grid.regular_lonlat("source", 95, 145, 10, 50, nx=SOURCE[1], ny=SOURCE[0])
    b = Grid.regular_lonlat("target", 95, 145, 10, 50, nx=TARGET[1], ny=TARGET[0])
    matrix = make_weights(a, b).matrix if world.rank == 1 else None
    source, target = np.random.default_rng(1).random((a.size, n_fields)), np.zeros((b.size, n_fields))
    times = []
    for _ in range(exchanges):
        cpu = 0.0
        world.Barrier()
        start = time.process_time()
        if world.rank == 0:
            request = world.Isend(source, 1)
        elif world.rank == 1:
            world.Recv(source, 0)
        if world.rank == 0:
            request.Wait()
        cpu += time.process_time() - start if world.rank else 0.0
        world.Barrier()
        start = time.process_time()
        if world.rank == 1:
            target = matrix @ source
        cpu += time.process_time() - start
        world.Barrier()
        start = time.process_time()
        if world.rank == 1:
            world.Send(target, 2)
        elif world.rank == 2:
            world.Recv(target, 1)
            cpu += time.process_time() - start
        times.append(world.allreduce(cpu) * 1e3)
    return times[exchanges // 10 :]


def worker(arguments):
    """One measurement on the ranks that mpirun started."""
    from mpi4py import MPI

    kind, n, exchanges = arguments[0], int(arguments[1]), int(arguments[2])
    if kind == "yac":
        times = yac(n, exchanges)
    elif kind == "floor":
        times = floor(n, exchanges)
    else:
        times = tessera(n, exchanges, kind == "checked", tuple(int(r) for r in arguments[3].split(",")))
    if MPI.COMM_WORLD.rank == 0:
        print(f"MEASURED {min(times):.6f} {statistics.median(times):.6f}", flush=True)


def measure(kind, n, exchanges, ranks=(1, 1, 1)):
    """Start one measurement; (minimum, median) in ms."""
    processes = 2 if kind == "yac" else sum(ranks)
    mpirun = Path(sys.executable).parent / "mpirun"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [str(mpirun), "--allow-run-as-root", "--oversubscribe", "-n", str(processes), sys.executable, __file__,
               "--worker", kind, str(n), str(exchanges), ",".join(map(str, ranks))]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("MEASURED"):
            return tuple(float(v) for v in line.split()[1:])
    raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--quick", action="store_true", help="fewer exchanges")
    p.add_argument("--worker", nargs="*", help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.worker:
        worker(options.worker)
        return
    exchanges = 60 if options.quick else 300
    heads = {"plain": "Tessera", "checked": "with checks", "yac": "YAC 3.21", "floor": "bare floor"}
    if importlib.util.find_spec("yac") is None:
        del heads["yac"]
        print("YAC is not installed (pip install yac): Tessera is compared with the bare floor alone")
    grids = f"{SOURCE[1]}x{SOURCE[0]} -> {TARGET[1]}x{TARGET[0]}"
    print(f"{grids}, first-order conservative, double; {exchanges} exchanges;")
    print("CPU ms an exchange (put + transfer + product + get over all processes), waiting not counted; 3 runs")
    print(f"{'fields':>7}{'':4}{''.join(f'{h:>18}' for h in heads.values())}   (minimum / median)")
    results = {}
    for n in (1, 10):
        row = {kind: [] for kind in heads}
        for _ in range(1 if options.quick else 3):
            for kind, taken in row.items():
                taken.append(measure(kind, n, exchanges))
        results[n] = {k: (min(m for m, _ in v), statistics.median(d for _, d in v)) for k, v in row.items()}
        print(f"{n:>7}{'':4}" + "".join(f"{f'{a:.3f} / {b:.3f}':>18}" for a, b in results[n].values()), flush=True)
    if not options.quick:
        print("\nCost against ranks (source, coupler, target each) and fields, ms (median)")
        print(f"{'fields':>7}" + "".join(f"{r:>10}" for r in (1, 2, 3, 4)))
        for n in (1, 5, 10, 20, 50):
            cells = [measure("plain", n, 60, (r, r, r))[1] for r in (1, 2, 3, 4)]
            print(f"{n:>7}" + "".join(f"{c:>10.2f}" for c in cells), flush=True)
    for n, words in ((1, "1_field"), (10, "10_fields")):
        print(f"RESULT exchange.{words}.ms {results[n]['plain'][1]:.3f}")
        for peer, name in (("yac", "vs_yac"), ("floor", "vs_floor")):
            if peer in heads:
                print(f"RESULT exchange.{words}.{name} {results[n]['plain'][1] / results[n][peer][1]:.3f}")


if __name__ == "__main__":
    main()
