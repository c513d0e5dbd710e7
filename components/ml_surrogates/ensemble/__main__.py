# SPDX-License-Identifier: BSD-3-Clause
"""Command line: ``python -m components.ml_surrogates.ensemble train | evaluate``."""

import argparse
from pathlib import Path

from components.ml_surrogates.command_line import SEED, CommandLine, tell, written
from components.ml_surrogates.ensemble import evaluation, files, training
from components.ml_surrogates.ensemble.training import Settings


def train(a: argparse.Namespace) -> None:
    """Train on a chaotic case and save."""
    s = Settings(
        case=a.case, loss=a.loss, each_step=not a.first_step, kl=a.kl, steps=a.steps, width=a.width, seed=a.seed,
        rate=a.rate,
    )  # fmt: skip
    net, report = training.train(s, tell, start=None if a.start is None else files.load(a.start))
    files.save(a.out, net, s, report)
    print(f"{a.out}: {report.cpu_seconds:.0f} CPU seconds of training")


def evaluate(a: argparse.Namespace) -> None:
    """Every number of the model card."""
    nets, rivals = ([files.load(path) for path in paths] for paths in (a.model, a.rival))
    if len(nets) != len(rivals):
        raise SystemExit(f"expected a --rival for each of {len(nets)} models, found {len(rivals)}")
    written(evaluation.card(nets, rivals, a.case, a.seed, a.courses), a.card)


def main(arguments: list[str] | None = None) -> None:
    """Parse and run."""
    line = CommandLine("components.ml_surrogates.ensemble", __doc__)
    p = line.trains("train", train, "train a network")
    p.add_argument("--loss", choices=("crps", "l1", "deterministic"), default="crps", help="deterministic: the rival")
    p.add_argument("--first-step", action="store_true", help="members draw at the first step alone")
    p.add_argument("--kl", type=float, default=Settings.kl, help="weight of KL(Q || P)")
    p.add_argument("--steps", type=int, default=Settings.steps, help="steps of Adam")
    p.add_argument("--rate", type=float, default=Settings.rate, help="of learning, at its largest")
    p.add_argument("--start", type=Path, default=None, help="deterministic network to go on from, without ending")
    p.add_argument("--width", type=int, default=Settings.width, help="channels of the network")
    p = line.scores("evaluate", evaluate, "score an ensemble beside noise")
    p.add_argument("--model", type=Path, nargs="+", required=True, help="trained ensembles, without ending")
    p.add_argument("--rival", type=Path, nargs="+", required=True, help="deterministic networks, without ending")
    p.add_argument("--courses", type=int, default=200, help="courses never seen")
    line.everywhere("--case", choices=("alike", "flow"), default="alike", help="whose error depends on the flow")
    line.everywhere("--seed", **SEED)
    line.run(arguments)


if __name__ == "__main__":
    main()
