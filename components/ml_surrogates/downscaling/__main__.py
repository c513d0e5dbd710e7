# SPDX-License-Identifier: BSD-3-Clause
"""Command line: ``python -m components.ml_surrogates.downscaling train | evaluate``, on the ideal truth."""

import argparse
import hashlib
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")


def learn(a: argparse.Namespace) -> None:
    """Both networks, kept with their sidecar."""
    import torch

    from components.ml_surrogates import model_file

    from . import evaluation, ideal, two_steps

    torch.set_num_threads(1)
    scene = ideal.scene(evaluation.DAYS, ideal.TRAINING, 101)
    model, course = two_steps.train(scene, a.seed, a.width, a.regression, a.diffusion, print)
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
    import torch

    from coupler.files.atomic import write_text

    from . import evaluation

    torch.set_num_threads(1)
    rows = []
    for seed in range(1, a.seeds + 1):
        rows.append(evaluation.run(seed, regression=a.regression, draws=a.diffusion))
        print(rows[-1], flush=True)
    text = evaluation.as_table(rows)
    if a.card is not None:
        write_text(a.card, text)
    print(text)


def main() -> None:
    """Parse and run."""
    from .two_steps import DIFFUSION, REGRESSION

    parser = argparse.ArgumentParser(prog="python -m components.ml_surrogates.downscaling", description=__doc__)
    sub = parser.add_subparsers(required=True)
    shown: dict[str, Any] = {"formatter_class": argparse.ArgumentDefaultsHelpFormatter}
    p = sub.add_parser("train", help="train both networks on the ideal truth", **shown)
    p.add_argument("--out", type=Path, required=True, help="files to write, without ending")
    p.add_argument("--seed", type=int, default=1, help="of everything random")
    p.add_argument("--width", type=int, default=12, help="channels of the networks")
    p.set_defaults(run=learn)
    p = sub.add_parser("evaluate", help="train with some seeds and score on another season", **shown)
    p.add_argument("--seeds", type=int, default=3, help="trainings")
    p.add_argument("--card", type=Path, default=None, help="file to write (Markdown); empty: the screen only")
    p.set_defaults(run=evaluate)
    for p in sub.choices.values():
        p.add_argument("--regression", type=int, default=REGRESSION, help="steps of the regression")
        p.add_argument("--diffusion", type=int, default=DIFFUSION, help="steps of the diffusion")
    a = parser.parse_args()
    a.run(a)


if __name__ == "__main__":
    main()
