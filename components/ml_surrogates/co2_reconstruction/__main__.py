# SPDX-License-Identifier: BSD-3-Clause
"""Command line: ``python -m components.ml_surrogates.co2_reconstruction simulate | train | evaluate | regional``."""

import argparse
import os
from pathlib import Path
from typing import Any

from components.ml_surrogates.command_line import SEED, CommandLine, tell, written
from components.ml_surrogates.progress import progress

os.environ.setdefault("OMP_NUM_THREADS", "1")


def compiler(a: argparse.Namespace) -> Any:
    """What compiles the transport, if it is to be compiled."""
    from components.science.torch_compiler import Compiler

    return Compiler(say=print) if a.compile else None


def simulate(a: argparse.Namespace) -> None:
    """Flows with their tracers into a file."""
    from . import osse

    shown = progress("intervals of three hours", round((a.spin_up + a.days) * 8))
    made = osse.simulate(
        osse.Split(*a.flows), (a.rows, a.columns), spin_up=a.spin_up, days=a.days, seed=a.seed,
        step=450.0 * min(1.0, (45 / a.rows) ** 2), tell=shown,
    )  # fmt: skip
    made.save(a.osse)
    print(f"{sum(a.flows)} flows of {a.days:g} days in {a.osse}")


def train(a: argparse.Namespace) -> None:
    """A network by the words of a namelist, with its sidecar and learning curve."""
    from components.ml_surrogates.model_file import beside
    from coupler.files.atomic import checksum
    from coupler.namelist import read_file

    from . import comparison, figures, osse, samples, systems, training
    from .settings import Settings

    settings = read_file(a.namelist).parse(Settings) if a.namelist else Settings()
    flows = osse.load(a.osse)
    past = systems.climate(flows)
    held = comparison.Comparison(flows, past, "validation", compiler(a))
    prior, lengths = comparison.prior_system(settings.prior, held)
    print(f"prior fields by {settings.prior} ...", flush=True)
    made = samples.read_tracks(a.tracks) if a.tracks and a.tracks.exists() else None
    bank = samples.Bank(
        flows, past, prior, settings.frames, settings.superposition, tracks=made, silent=settings.silent
    )
    if a.tracks and bank.tracks and not made:
        samples.write_tracks(a.tracks, bank.tracks)
    if settings.prior == "kriging":
        usual, fields = None, held.prior(prior)
    else:
        usual = held.increments(prior)
        fields = usual.fields
    windows = held.windows(settings.frames, fields)
    model, course = training.train(
        settings, samples.fixed_of(flows, past), bank, windows, held.weights, tell,
        beside(a.out, ".part"),
    )  # fmt: skip
    model.lengths = lengths
    if usual:
        model.learn_usual(usual.added, usual.deviation)
    if settings.prior == "enkf":
        model.usual = comparison.usual_innovations(prior, flows, past)
    minutes = course.cpu_seconds / 60.0
    notes = {
        "best_step": course.best, "cpu_minutes": round(minutes, 2),
        "validation_rmse_ppm": round(min(course.validation), 3),
        "parameters": sum(p.numel() for p in model.parameters()), "calibration": float(model.get_buffer("calibration")),
        "largest_increment": float(model.get_buffer("largest_increment")),
    }  # fmt: skip
    model.save(a.out, notes, checksum(a.osse))
    figures.learning_curve(beside(a.out, ".png"), course)
    print(f"{a.out}: best of step {course.best}, {minutes:.1f} CPU minutes of training")


def evaluate(a: argparse.Namespace) -> None:
    """Every number of the model card."""
    from . import card

    written(card.written(a.osse, a.models, compiler(a), a.ensemble), a.card)


def regional(a: argparse.Namespace) -> None:
    """A network for a limited area, and its scores beside the other systems on days never seen."""
    from components.ml_surrogates.model_file import beside
    from coupler.files.atomic import checksum
    from coupler.namelist import read_file

    from . import comparison, figures, regional, regional_truth
    from .settings import Settings

    settings = read_file(a.namelist).parse(Settings) if a.namelist else Settings(prior="kriging", cyclic=False)
    names = regional_truth.Names(a.gases, a.unseen, a.known, a.winds)
    carried = regional_truth.Carried(a.carried, a.members) if a.carried else None
    air = regional_truth.read(a.atmosphere, names, a.level, a.layers, a.skip, carried)
    model, course, rows = regional.trained(settings, air, a.stations, tell, beside(a.out, ".part"))
    best, ours = rows[regional.KRIGING].rmse, rows["network"].rmse
    print(comparison.table(rows, best) + f"RESULT co2.regional.vs_kriging {ours / best:.4g}")
    print(f"RESULT co2.regional.vs_kriging_of_the_past {ours / rows[regional.STILL].rmse:.4g}")
    notes = {"best_step": course.best, "cpu_minutes": round(course.cpu_seconds / 60.0, 2)}
    model.save(a.out, notes, checksum(a.atmosphere))
    figures.learning_curve(beside(a.out, ".png"), course)


def main(arguments: list[str] | None = None) -> None:
    """Parse and run."""
    from .reconstruction import MODELS

    line = CommandLine("components.ml_surrogates.co2_reconstruction", __doc__)
    p = line.command("simulate", simulate, "simulate flows with their tracers")
    p.add_argument("--flows", type=int, nargs=3, default=(36, 3, 6), help="for training, validation and tests")
    p.add_argument("--rows", type=int, default=45, help="cells from pole to pole")
    p.add_argument("--columns", type=int, default=60, help="cells around")
    p.add_argument("--spin-up", type=float, default=25.0, help="days before what is kept")
    p.add_argument("--days", type=float, default=12.0, help="days that are kept, three-hourly")
    p.add_argument("--seed", **SEED)
    p = line.trains("train", train, "train a network")
    p.add_argument("--namelist", type=Path, default=None, help="words of the training (settings.py); else the defaults")
    p.add_argument("--tracks", type=Path, default=None, help="file that keeps the inversion's fields for further runs")
    p = line.scores("evaluate", evaluate, "score systems and networks on flows never seen; writes the model card")
    shipped = sorted(m.with_suffix("") for m in MODELS.glob("*.json"))
    p.add_argument("--models", type=Path, nargs="*", default=shipped, help="networks, without ending")
    p.add_argument("--ensemble", type=int, default=80, help="members of the ensemble Kalman filter; 0: without it")
    line.everywhere("--osse", type=Path, default=Path("co2_osse.safetensors"), help="file of simulated flows")
    line.everywhere("--compile", action=argparse.BooleanOptionalAction, default=True, help="compile the transport")
    p = line.trains("regional", regional, "train and score a network on an atmosphere's own winds and passive gases")
    p.add_argument("--atmosphere", type=Path, required=True, help="output with winds and gases, instant")
    p.add_argument("--gases", nargs="+", required=True, help="passive tracers in it, of unknown sources")
    p.add_argument("--unseen", nargs="*", default=(), help="such tracers too, for the tests alone")
    p.add_argument("--known", default="", help="tracer of the sources that are known")
    p.add_argument("--carried", type=Path, default=None, help="output of the atmosphere that systems have; else winds")
    p.add_argument("--members", nargs="*", default=(), help="passive tracers in it, of random sources")
    p.add_argument("--winds", nargs=2, default=("eastward_wind", "northward_wind"), help="of the gases' level")
    p.add_argument("--level", type=int, default=0, help="of fields that have levels, from the ground up")
    p.add_argument("--layers", type=int, default=1, help="from there up over which the winds are averaged")
    p.add_argument("--skip", type=int, default=0, help="times at the beginning that are left out")
    p.add_argument("--stations", type=int, default=0, help="number; 0: one in 28 cells; -1: where the world has some")
    p.add_argument("--namelist", type=Path, default=None, help="words of the training (settings.py); else the defaults")
    line.run(arguments)


if __name__ == "__main__":
    main()
