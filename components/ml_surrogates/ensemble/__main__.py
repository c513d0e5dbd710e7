# SPDX-License-Identifier: BSD-3-Clause
"""Command line: ``python -m components.ml_surrogates.ensemble train | evaluate``."""

import argparse
from pathlib import Path

import torch

from components.ml_surrogates.ensemble import evaluation, files, training
from components.ml_surrogates.ensemble.training import Settings
from coupler.files.atomic import write_text


def train(a: argparse.Namespace) -> None:
    """Train on a chaotic case and save."""
    s = Settings(
        case=a.case, loss=a.loss, each_step=not a.first_step, kl=a.kl, steps=a.steps, width=a.width, seed=a.seed
    )
    net, report = training.train(s, lambda text: print(text, flush=True))
    files.save(a.out, net, s, report)
    print(f"{a.out}: {report.cpu_seconds:.0f} CPU seconds of training")


def evaluate(a: argparse.Namespace) -> None:
    """Every number of the model card."""
    text = evaluation.card(files.load(a.model), files.load(a.rival), a.case, a.seed, a.courses)
    print(text, end="")
    if a.card is not None:
        write_text(a.card, text)


def main(arguments: list[str] | None = None) -> None:
    """Parse and run."""
    shown = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m components.ml_surrogates.ensemble", description=__doc__)
    sub = parser.add_subparsers(required=True)
    p = sub.add_parser("train", help="train a network", formatter_class=shown)
    p.add_argument("--out", type=Path, required=True, help="files to write, without ending")
    p.add_argument("--loss", choices=("crps", "l1", "deterministic"), default="crps", help="deterministic: the rival")
    p.add_argument("--first-step", action="store_true", help="members draw at the first step alone")
    p.add_argument("--kl", type=float, default=Settings.kl, help="weight of KL(Q || P)")
    p.add_argument("--steps", type=int, default=Settings.steps, help="steps of Adam")
    p.add_argument("--width", type=int, default=Settings.width, help="channels of the network")
    p.set_defaults(run=train)
    p = sub.add_parser("evaluate", help="score an ensemble beside noise", formatter_class=shown)
    p.add_argument("--model", type=Path, required=True, help="trained ensemble, without ending")
    p.add_argument("--rival", type=Path, required=True, help="trained deterministic network, without ending")
    p.add_argument("--card", type=Path, default=None, help="file to write (Markdown)")
    p.add_argument("--courses", type=int, default=200, help="courses never seen")
    p.set_defaults(run=evaluate)
    for p in sub.choices.values():
        p.add_argument("--case", choices=("alike", "flow"), default="alike", help="whose error depends on the flow")
        p.add_argument("--seed", type=int, default=1, help="of everything random")
        p.add_argument("--threads", type=int, default=1, help="threads of torch")
    a = parser.parse_args(arguments)
    torch.set_num_threads(a.threads)
    a.run(a)


if __name__ == "__main__":
    main()
