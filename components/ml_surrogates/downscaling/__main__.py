# SPDX-License-Identifier: BSD-3-Clause
"""Command line: ``python -m components.ml_surrogates.downscaling train | evaluate``, on runs or on an ideal truth."""

import argparse
import os
from pathlib import Path
from typing import Any

from components.ml_surrogates.command_line import SEED, CommandLine, tell, written

os.environ.setdefault("OMP_NUM_THREADS", "1")


def learn(a: argparse.Namespace) -> None:
    """Both networks, kept with their sidecar."""
    from . import files, fine_runs, ideal, scenes, training

    steps = {"width": a.width, "regression": a.regression, "draws": a.diffusion, "tell": tell}
    if not a.truth:
        scene = ideal.scene(a.days, ideal.TRAINING, 101)
        model, course = training.train(scene, ideal.FIELDS, a.seed, **steps)
        files.save(a.out, model, scene, a.seed, course)
        return
    runs = fine_runs.read_all(a.truth)
    scene = scenes.together([s for s, _ in runs])
    model, course = training.train(scene, fine_runs.FIELDS, a.seed, **steps, turned=True)
    about: dict[str, Any] = fine_runs.about(a.truth[0])
    files.save(a.out, model, scene, a.seed, course, **about, truth=["/".join(p.parts[-4:]) for p in a.truth])


def evaluate(a: argparse.Namespace) -> None:
    """Score on another season: trained networks on runs, or trainings of their own on the ideal truth."""
    from . import evaluation, files, fine_runs, scenes

    rows = []
    if not a.model:
        for seed in range(a.seed, a.seed + a.seeds):
            rows.append(evaluation.run(seed, regression=a.regression, draws=a.diffusion))
            print(rows[-1], flush=True)
        written(evaluation.as_table(rows, "an ideal truth"), a.card)
        return
    if not a.truth or not a.test:
        raise SystemExit("--model goes with --truth (runs it was trained on) and --test (runs of another season)")
    learned = scenes.together([s for s, _ in fine_runs.read_all(a.truth)])
    tests = [(s.every(a.every), p) for s, p in fine_runs.read_all(a.test)]
    for n, path in enumerate(a.model):
        rows.append(evaluation.scores(files.load(path)[0], tests, learned, 1000 * (a.seed + n)))
        print(rows[-1], flush=True)
    written(evaluation.as_table(rows, "runs of this project's own atmosphere"), a.card)


def main(arguments: list[str] | None = None) -> None:
    """Parse and run."""
    from .evaluation import DAYS
    from .training import DIFFUSION, REGRESSION

    line = CommandLine("components.ml_surrogates.downscaling", __doc__)
    p = line.trains("train", learn, "train both networks")
    p.add_argument("--width", type=int, default=12, help="channels of the networks")
    p.add_argument("--days", type=int, default=DAYS, help="of the ideal truth, where it learns from that")
    p = line.scores("evaluate", evaluate, "score on another season")
    p.add_argument("--seeds", type=int, default=3, help="trainings on the ideal truth, with seeds from --seed on")
    p.add_argument("--model", type=Path, nargs="+", default=[], help="networks trained on runs, without ending")
    p.add_argument("--test", type=Path, nargs="+", default=[], help="history files of another season than --truth")
    p.add_argument("--every", type=int, default=3, help="of the records of --test that are scored, one in so many")
    truth = "history files of runs on a fine grid (25 km: it learns 100 to 25 km), those of one weather side by side"
    line.everywhere("--truth", type=Path, nargs="+", default=[], help=f"{truth}; none: an ideal truth")
    line.everywhere("--regression", type=int, default=REGRESSION, help="steps of the regression")
    line.everywhere("--diffusion", type=int, default=DIFFUSION, help="steps of the diffusion")
    line.everywhere("--seed", **SEED)
    line.run(arguments)


if __name__ == "__main__":
    main()
