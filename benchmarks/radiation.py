# SPDX-License-Identifier: BSD-3-Clause
"""What radiation costs: RRTMG beside RRTMGP and its emulators, columns a second and in the step of the atmosphere.

Columns of the project's own atmosphere (those never trained on, repeated), 24 layers and five above the lid, three in
ten at night; both sides take and give whole sets of columns at once, the emulators with guards and all. One thread, CPU
time (wall on a GPU), the best of several calls. The step is that of ``benchmarks/atmosphere.py``: 140 x 100 x 24 cells
of 50 km, 240-s steps; emulated radiation every 12 minutes beside RRTMG every hour, both in line.

    python benchmarks/radiation.py [--quick] [--eager] [--device cuda]
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402

import benchmarks.atmosphere as atmosphere  # noqa: E402
from components.ml_surrogates import drawn_columns  # noqa: E402
from components.ml_surrogates.radiation_emulator import networks  # noqa: E402
from components.ml_surrogates.radiation_emulator.__main__ import COLUMNS  # noqa: E402
from components.ml_surrogates.radiation_emulator.emulator import Emulator, Gases  # noqa: E402
from components.radiation.rrtmg_scheme import Rrtmg  # noqa: E402
from components.radiation.rrtmgp_scheme import sized_ice  # noqa: E402
from tests.mpi.atmosphere_ranks import surface  # noqa: E402

TOLD = 2950.0  # columns a second and core of RRTMG through climt at 28 layers, on a quiet machine


def columns(n, seed=1):
    """``n`` columns under random suns, float32."""
    base = drawn_columns.of_split(drawn_columns.read(COLUMNS), "test")
    rng = np.random.default_rng(seed)
    pick = rng.integers(base["t"].shape[1], size=n)
    mu = np.clip(rng.uniform(-0.43, 1.0, n), 0.0, 1.0)
    air = drawn_columns.air_of({part: a[..., pick] for part, a in base.items()}, mu)
    return air.each(torch.Tensor.float)


def best(work, repeat, device):
    """Shortest time of ``work``, s."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    times = []
    for _ in range(repeat + 1):
        t = clock()
        work()
        times.append(clock() - t)
    return min(times[1:])


def emulator(network, device, batch):
    """The shipped network as the component runs it; no column of the benchmark may need the fallback."""

    def refuse(air, index):
        raise RuntimeError(f"{len(index)} columns of the benchmark are not the emulator's")

    net, card = networks.load(networks.path_of(network))
    gases = Gases(397.5e-6, 1831.5e-9, 327.0e-9)
    return Emulator(net, card, gases, batch, refuse, device=device)


def step_of(compiled, quick):
    """The atmosphere on its grid and the median CPU time of a step without radiation, s."""
    air, c, exports = atmosphere.start(compiled, radiation="gray", radiation_interval="P1000D")
    times = []
    for n in range(4 if quick else 12):
        fluxes = surface(c, exports)
        t = time.process_time()
        exports = air.step(n * atmosphere.STEP, atmosphere.STEP, fluxes)
        times.append(time.process_time() - t)
    return air, float(np.median(times[2:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer sizes and repetitions")
    parser.add_argument("--eager", action="store_true", help="the atmosphere's step without compiled kernels")
    parser.add_argument("--device", default="cpu", help="cpu or cuda, of the emulators")
    a = parser.parse_args()
    torch.set_num_threads(1)
    repeat = 2 if a.quick else 5
    with open("/proc/loadavg") as f:
        print(
            f"one thread, torch {torch.__version__}, emulators on {a.device}, load of the machine {f.read().split()[0]}"
        )
    rrtmg, rrtmgp, results = Rrtmg(), sized_ice(), {}
    print(
        f"columns a second{'RRTMG':>14}{'RRTMGP':>12}{'ratio':>8}{'recurrent':>12}{'ratio':>8}{'mlp':>12}{'ratio':>8}"
    )
    for n in (512, 2048) if a.quick else (128, 512, 2048, 8192):
        air = columns(n)
        rates = [n / best(lambda air=air: rrtmg(air), 1 if a.quick else 2, "cpu")]
        rates.append(n / best(lambda air=air: rrtmgp(air), repeat, "cpu"))
        for network in ("recurrent", "mlp"):
            run = emulator(network, a.device, min(n, 512 if network == "recurrent" else 2048))
            rates.append(n / best(lambda run=run, air=air: run(air), repeat, a.device))
        ratios = [r / rates[0] for r in rates]
        print(
            f"{n:16d}{rates[0]:14.0f}"
            + "".join(f"{r:12.0f}{q:8.1f}" for r, q in zip(rates[1:], ratios[1:], strict=True))
        )
        for name, rate, ratio in zip(("rrtmg", "rrtmgp", "rnn", "mlp"), rates, ratios, strict=True):
            results[f"radiation.{name}.columns_per_second"] = rate
            if name != "rrtmg":
                results[f"radiation.{name}.vs_rrtmg"] = ratio
            if name in ("rnn", "mlp"):
                results[f"radiation.{name}.vs_rrtmgp"] = rate / rates[1]
    print(f"(RRTMG on a quiet machine: {TOLD:.0f}; the figures below are of {n} columns)")
    air, step = step_of(not a.eager, a.quick)
    seconds = {"RRTMG": 0.0, "RRTMGP": 0.0, "recurrent": 0.0, "mlp": 0.0}
    schemes = {
        "RRTMG": rrtmg,
        "RRTMGP": rrtmgp,
        "recurrent": emulator("recurrent", a.device, 512),
        "mlp": emulator("mlp", a.device, 2048),
    }
    for scheme in ("recurrent", "mlp"):
        schemes[scheme].fallback = lambda air, index: rrtmgp(air)
    clock = time.process_time
    hours = (3, 12) if a.quick else (0, 6, 12, 18)
    for hour in hours:  # the sun is over a half of the domain's day
        sky = air._air(hour * 3600)
        for name, scheme in schemes.items():
            t = clock()
            scheme(sky)
            seconds[name] += (clock() - t) / len(hours)
    steps = 3600.0 / atmosphere.STEP
    print(f"a step of the atmosphere without radiation {1e3 * step:.0f} ms; a call of radiation on its 14000 columns:")
    for name, s in seconds.items():
        if name in ("recurrent", "mlp"):
            print(f"  {name}: {100 * schemes[name].fallback_fraction:.2f} % of the columns by RRTMGP as the fallback")
        share = [k * s / (k * s + steps * step) for k in (1, 5)]
        hourly, often = (f"{100 * part:.0f} %" for part in share)
        print(f"  {name:10} {1e3 * s:7.0f} ms; share of the run {hourly} hourly, {often} at 12 minutes")
    beside = 3600.0 / max(steps * step, 5 * seconds["recurrent"]) / 24.0
    results["radiation.inline_hourly.days_per_hour"] = 3600.0 / (steps * step + seconds["RRTMG"]) / 24.0
    results["radiation.inline_hourly_rrtmgp.days_per_hour"] = 3600.0 / (steps * step + seconds["RRTMGP"]) / 24.0
    results["radiation.inline_12min_rrtmgp.days_per_hour"] = 3600.0 / (steps * step + 5 * seconds["RRTMGP"]) / 24.0
    results["radiation.emulated_12min.days_per_hour"] = 3600.0 / (steps * step + 5 * seconds["recurrent"]) / 24.0
    results["radiation.emulated_12min_mlp.days_per_hour"] = 3600.0 / (steps * step + 5 * seconds["mlp"]) / 24.0
    results["radiation.concurrent_rrtmg_hourly.days_per_hour"] = 3600.0 / max(steps * step, seconds["RRTMG"]) / 24.0
    results["radiation.concurrent_emulated_12min.days_per_hour"] = beside
    print("concurrent: radiation on a core of its own beside the step, from the times above")
    for name, value in results.items():
        print(f"RESULT {name} {np.round(value, 2)}")


if __name__ == "__main__":
    main()
