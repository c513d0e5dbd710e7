# SPDX-License-Identifier: BSD-3-Clause
"""Command line: ``python -m components.ml_surrogates.downscaling train | evaluate``, on the ideal truth."""

import argparse
import hashlib
import os

from components.ml_surrogates.command_line import SEED, CommandLine, tell, written

os.environ.setdefault("OMP_NUM_THREADS", "1")


def learn(a: argparse.Namespace) -> None:
    """Both networks, kept with their sidecar."""
    from components.ml_surrogates import model_file

    from . import evaluation, ideal, two_steps

    scene = ideal.scene(evaluation.DAYS, ideal.TRAINING, 101)
    model, course = two_steps.train(scene, a.seed, a.width, a.regression, a.diffusion, tell)
    variables = tuple(
        model_file.Variable(name, "1", float(v.min()), float(v.max()))
        for name, v in zip(ideal.FIELDS, scene.coarse.transpose(1, 0, 2, 3), strict=True)
    )
    digest = hashlib.sha256(scene.fields.tobytes()).hexdigest()
    notes = {"regression": round(course.regression, 4), "diffusion": round(course.diffusion, 4)}
    card = model_file.Sidecar(
        "downscaling", "two_steps", {"width": a.width}, variables, variables, {"factor": ideal.FACTOR}, digest, a.seed,
        notes=notes,
    )  # fmt: skip
    model_file.save(a.out, model.state_dict(), card)


def evaluate(a: argparse.Namespace) -> None:
    """Train with some seeds on one season, score on another."""
    from . import evaluation

    rows = []
    for seed in range(a.seed, a.seed + a.seeds):
        rows.append(evaluation.run(seed, regression=a.regression, draws=a.diffusion))
        print(rows[-1], flush=True)
    written(evaluation.as_table(rows), a.card)


def main(arguments: list[str] | None = None) -> None:
    """Parse and run."""
    from .two_steps import DIFFUSION, REGRESSION

    line = CommandLine("components.ml_surrogates.downscaling", __doc__)
    p = line.trains("train", learn, "train both networks on the ideal truth")
    p.add_argument("--width", type=int, default=12, help="channels of the networks")
    p = line.scores("evaluate", evaluate, "train with some seeds and score on another season")
    p.add_argument("--seeds", type=int, default=3, help="trainings, with seeds from --seed on")
    line.everywhere("--regression", type=int, default=REGRESSION, help="steps of the regression")
    line.everywhere("--diffusion", type=int, default=DIFFUSION, help="steps of the diffusion")
    line.everywhere("--seed", **SEED)
    line.run(arguments)


if __name__ == "__main__":
    main()
