# SPDX-License-Identifier: BSD-3-Clause
"""``python -m components.ml_surrogates.data_assimilation.learned train | train-maps | evaluate | imager``."""

import argparse
from pathlib import Path

import numpy as np
import torch

from components.ml_surrogates import forecast_operators
from components.ml_surrogates.command_line import COLUMNS, SEED, CommandLine, tell, written
from components.ml_surrogates.course import data_hash
from components.ml_surrogates.data_assimilation.learned import evaluation, files, imager, maps, nature, training
from components.ml_surrogates.data_assimilation.learned.training import Settings
from components.ml_surrogates.data_assimilation.places import spacing_of
from components.ml_surrogates.estimation.nature_runs import nature_context
from coupler.clock import Clock


def train(a: argparse.Namespace) -> None:
    """Train on Lorenz's model and save."""
    s = Settings(
        steps=a.steps, batch=a.batch, forecasts=a.forecasts, observations=a.observations, width=a.width, seed=a.seed
    )
    net, course = training.train(s, tell)
    files.save(a.out, net, s, course)
    print(f"{a.out}: {course.cpu_seconds:.0f} CPU seconds of training")


def train_maps(a: argparse.Namespace) -> None:
    """Run the forecast operator, train over its map, score on runs that were not trained on, save."""
    clock = Clock(a.start, "noleap")
    context = nature_context(clock, a.cells, (a.hours + 1) * 3600)
    options = {"levels": a.levels, "jet": "january", "relief": "", "precision": "single"}
    forecast, grid = forecast_operators.make("nonhydrostatic", context, options), context.grid
    size, at = spacing_of(grid), maps.place(grid.longitude, grid.latitude)
    latitude = torch.as_tensor(np.array(grid.latitude), dtype=torch.float64)
    every, times = a.every * 3600 // context.step, a.window // a.every
    if a.window % a.every or a.hours < a.window:
        raise SystemExit(
            f"expected a window of whole intervals of {a.every} h within {a.hours} h, found a window of {a.window} h"
        )
    parts = [
        nature.pairs(forecast, latitude, size, runs, a.hours * 3600 // context.step, every, times, seed, tell)
        for runs, seed in ((a.runs, 1000 * a.seed), (max(1, a.runs // 5), 1000 * a.seed + 500))
    ]
    s = nature.Settings(steps=a.steps, width=a.width, seed=a.seed)
    net, losses = nature.train(parts[0], at, s, tell)
    kept = nature.reduction(net, parts[1], at, s)
    about = {
        "window": a.window * 3600,
        "until": (a.window - a.every) * 3600 + context.step,
        "spacing": size,
        "losses": losses,
        "error_over_background": kept,
    }
    maps.save(a.out, net, nature.CHANNELS, nature.ranges(parts[0]), about, data_hash(parts[0]), a.seed)
    print(
        f"{a.out}: error over the background's on other runs {kept['stations']:.3f}; "
        f"without observations {kept['none']:.3f}"
    )


def score_imager(a: argparse.Namespace) -> None:
    """Train with some seeds on columns seen in RRTMGP's bands, score on others."""
    trainings = [imager.Settings(steps=a.steps, width=a.width, seed=a.seed + n) for n in range(a.seeds)]
    written(imager.card(trainings, tuple(a.sizes), a.columns, tell), a.card)


def evaluate(a: argparse.Namespace) -> None:
    """Every number of the model card."""
    nets, controls, plain = ([files.load(path) for path in some] for some in (a.model, a.control, a.plain))
    for name, some in (("--control", controls), ("--plain", plain)):
        if some and len(some) != len(nets):
            raise SystemExit(f"expected {name} for each of {len(nets)} models or none, found {len(some)}")
    written(evaluation.card(nets, controls, plain, a.seed, a.cases, a.cycles, files.course_of(a.model)), a.card)


def main(arguments: list[str] | None = None) -> None:
    """Parse and run."""
    line = CommandLine("components.ml_surrogates.data_assimilation.learned", __doc__)
    p = line.trains("train", train, "train a network on Lorenz's model of 1996")
    p.add_argument("--steps", type=int, default=Settings.steps, help="steps of Adam")
    p.add_argument("--batch", type=int, default=Settings.batch, help="cases a step")
    p.add_argument("--width", type=int, default=Settings.width, help="channels of the network")
    p.add_argument("--forecasts", type=float, default=1.0, help="weight of forecasts in the loss; 0: analysis alone")
    p.add_argument("--observations", choices=("all", "none"), default="all", help="none: the control twin CORR")
    about = "train a network for method: learned on the atmosphere's core at 295 km"
    p = line.trains("train-maps", train_maps, about)
    p.add_argument("--start", default="2001-01-01", help="date at which the runs start")
    p.add_argument("--runs", type=int, default=40, help="pairs of runs")
    p.add_argument("--hours", type=int, default=24, help="length of a run")
    p.add_argument("--every", type=int, default=3, help="hours between what is learned from")
    p.add_argument("--window", type=int, default=6, help="hours of the assimilation's window")
    p.add_argument("--levels", type=int, default=16, help="layers")
    p.add_argument("--cells", type=int, default=22, help="cells along a side, of 295 km")
    p.add_argument("--steps", type=int, default=1500, help="steps of Adam")
    p.add_argument("--width", type=int, default=48, help="channels of the network")
    p = line.scores("evaluate", evaluate, "score a network beside CORR and 3DVar")
    p.add_argument("--model", type=Path, nargs="+", required=True, help="trained networks, without ending")
    p.add_argument("--control", type=Path, nargs="+", default=[], help="their control twins, without ending")
    p.add_argument("--plain", type=Path, nargs="+", default=[], help="those trained with --forecasts 0")
    p.add_argument("--cases", type=int, default=3000, help="cases never seen")
    p.add_argument("--cycles", type=int, default=200, help="analyses one after the other")
    about = "train and score networks on columns of this project's air seen in RRTMGP's longwave bands"
    p = line.scores("imager", score_imager, about)
    p.add_argument("--columns", type=Path, default=COLUMNS, help="file of drawn columns")
    p.add_argument("--seeds", type=int, default=3, help="trainings, with seeds from --seed on")
    p.add_argument("--sizes", type=int, nargs=2, default=(4500, 750), help="columns of training and of the test")
    p.add_argument("--steps", type=int, default=imager.Settings.steps, help="steps of Adam")
    p.add_argument("--width", type=int, default=imager.Settings.width, help="channels of the network")
    line.everywhere("--seed", **SEED)
    line.run(arguments)


if __name__ == "__main__":
    main()
