# SPDX-License-Identifier: BSD-3-Clause
"""Command line: ``python -m components.ml_surrogates.data_assimilation.learned train | evaluate``."""

import argparse
from pathlib import Path

import torch

from components.ml_surrogates.data_assimilation.learned import evaluation, files, training
from components.ml_surrogates.data_assimilation.learned.training import Settings
from coupler.files.atomic import write_text


def train(a: argparse.Namespace) -> None:
    """Train on Lorenz's model and save."""
    s = Settings(steps=a.steps, forecasts=a.forecasts, observations=a.observations, width=a.width, seed=a.seed)
    net, course = training.train(s, lambda text: print(text, flush=True))
    files.save(a.out, net, s, course)
    print(f"{a.out}: {course.cpu_seconds:.0f} CPU seconds of training")


def evaluate(a: argparse.Namespace) -> None:
    """Every number of the model card."""
    control = None if a.control is None else files.load(a.control)
    text = evaluation.card(files.load(a.model), control, a.seed, a.cases, a.cycles)
    print(text, end="")
    if a.card is not None:
        write_text(a.card, text)


def main(arguments: list[str] | None = None) -> None:
    """Parse and run."""
    shown = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m components.ml_surrogates.data_assimilation.learned", description=__doc__
    )
    sub = parser.add_subparsers(required=True)
    p = sub.add_parser("train", help="train a network on Lorenz's model of 1996", formatter_class=shown)
    p.add_argument("--out", type=Path, required=True, help="files to write, without ending")
    p.add_argument("--steps", type=int, default=Settings.steps, help="steps of Adam")
    p.add_argument("--width", type=int, default=Settings.width, help="channels of the network")
    p.add_argument("--forecasts", type=float, default=1.0, help="weight of forecasts in the loss; 0: analysis alone")
    p.add_argument("--observations", choices=("all", "none"), default="all", help="none: the control twin CORR")
    p.set_defaults(run=train)
    p = sub.add_parser("evaluate", help="score a network beside CORR and 3DVar", formatter_class=shown)
    p.add_argument("--model", type=Path, required=True, help="trained network, without ending")
    p.add_argument("--control", type=Path, default=None, help="its control twin, without ending")
    p.add_argument("--card", type=Path, default=None, help="file to write (Markdown)")
    p.add_argument("--cases", type=int, default=3000, help="cases never seen")
    p.add_argument("--cycles", type=int, default=200, help="analyses one after the other")
    p.set_defaults(run=evaluate)
    for p in sub.choices.values():
        p.add_argument("--seed", type=int, default=1, help="of everything random")
        p.add_argument("--threads", type=int, default=1, help="threads of torch")
    a = parser.parse_args(arguments)
    torch.set_num_threads(a.threads)
    a.run(a)


if __name__ == "__main__":
    main()
