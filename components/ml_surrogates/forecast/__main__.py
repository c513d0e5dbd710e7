# SPDX-License-Identifier: BSD-3-Clause
"""Command line: ``python -m components.ml_surrogates.forecast sample | train | evaluate``."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.ml_surrogates.command_line import SEED, CommandLine, tell, written
from components.ml_surrogates.estimation.air_perturbations import Size
from components.ml_surrogates.forecast import evaluation, files, rivals, sampling, training


def sample(a: argparse.Namespace) -> None:
    """Run the physical operator and keep its states."""
    drivers = [d.split(",") for d in a.drivers]
    p = sampling.Plan(
        drivers, a.runs, a.days, tuple(a.sector), a.cells, a.levels, a.seed, a.minutes, Size(*a.disturbance),
        a.mirrored, a.mixed,
    )  # fmt: skip
    s = sampling.sample(p, tell, lambda so_far: sampling.save(a.out, so_far))
    tell(f"{a.out}: {s.states.shape[0]} runs of {s.states.shape[1]} states")


def train(a: argparse.Namespace) -> None:
    """Train on samples and save."""
    sets = sampling.of_one_length([sampling.load(path) for path in a.samples])
    before = None if a.start is None else files.load(a.start)
    settings = training.Settings(
        steps=a.steps, batch=a.batch, rate=a.rate, turn=a.turn, curriculum=a.curriculum, alone=a.alone,
        share=a.share, width=a.width, wider=a.wider, widest=a.widest, parts=a.parts, half=a.half, kept=a.kept,
        seed=a.seed,
    )  # fmt: skip
    net, fitted = training.train(sets, settings, tell, None if before is None else before.net)
    about = {"samples": [path.name for path in a.samples]}
    if before is not None:
        about["before"] = [*before.card.notes.get("before", []), files.course(before.card)]
    files.save(a.out, net, sets, settings, fitted, about)
    tell(f"{a.out}: {fitted.cpu_seconds:.0f} CPU seconds of training")


def _told(course: Mapping[str, Any]) -> str:
    """A training in words."""
    share = f", {course['share']:.0%} of them" if "share" in course else ""
    own = course.get("alone", 0)
    most = ", ".join(map(str, own)) if isinstance(own, Sequence) else str(own)  # one number in older files
    alone = f"{share} after up to {most} of its own" if most.strip("0, ") else ""
    parts = f" in {course['parts']} parts" if course.get("parts", 1) > 1 else ""
    kept = f", the result a mean with {course['kept']:.0%} of the start" if course.get("kept") else ""
    rollouts = ", ".join(map(str, course["curriculum"]))
    return (
        f"{course['steps']} steps of {course['batch']} with rollouts of {rollouts}{parts}{alone}{kept}"
        f" ({course['cpu_seconds']:.0f} CPU seconds)"
    )


def evaluate(a: argparse.Namespace) -> None:
    """Every number of the model card."""
    trained = files.load(a.model)
    sets = sampling.of_one_length([sampling.load(path) for path in a.samples])
    learned, held = zip(*(sampling.parted(s, rivals.HELD_OUT) for s in sets), strict=True)
    linear = rivals.tuned(learned, held, trained.net)
    notes = trained.card.notes
    courses = [_told(c) for c in (*notes.get("before", []), notes)]
    about = (
        f"Trained on {len(notes['kinds'])} runs of {notes['hours']} h: {', then '.join(courses)}; seed"
        f" {trained.card.seed}."
    )
    test = sampling.joined([sampling.load(path) for path in a.test])
    written(evaluation.card(trained.net, linear, test, float(notes["hours"]), about), a.card)


def main(arguments: list[str] | None = None) -> None:
    """Parse and run."""
    line = CommandLine("components.ml_surrogates.forecast", __doc__)
    p = line.command("sample", sample, "run the physical operator")
    p.add_argument("--out", type=Path, required=True, help="safetensors to write")
    p.add_argument("--drivers", nargs="+", default=["jet"],
                   help="jet, or files of an analysis with commas between; in turn")  # fmt: skip
    p.add_argument("--runs", type=int, default=48, help="runs")
    p.add_argument("--days", type=float, default=4.0, help="of each")
    p.add_argument("--sector", type=float, nargs=2, default=(0.0, 230.0), help="degrees east of East Asia")
    p.add_argument("--cells", type=int, default=22, help="along a side, of 295 km")
    p.add_argument("--levels", type=int, default=16, help="layers")
    p.add_argument("--minutes", type=float, default=1e9, help="after which no further run begins")
    p.add_argument("--disturbance", type=float, nargs=3, default=sampling.Plan._field_defaults["disturbance"],
                   metavar=("WIND", "T", "Q"), help="of the start: m s-1, K, share of the humidity")  # fmt: skip
    p.add_argument("--mirrored", action="store_true", help="analyses with north and south exchanged")
    p.add_argument("--mixed", action="store_true",
                   help="analyses with the eddies of two places of the sector instead of the map's own")  # fmt: skip
    p = line.trains("train", train, "train a network on samples")
    p.add_argument("--samples", type=Path, nargs="+", required=True, help="files that sample made")
    p.add_argument("--steps", type=int, default=training.Settings.steps, help="steps of training")
    p.add_argument("--batch", type=int, default=training.Settings.batch, help="rollouts a step")
    p.add_argument("--rate", type=float, default=training.Settings.rate, help="of Adam, at its largest")
    p.add_argument("--turn", type=float, default=training.Settings.turn, help="of Muon for kernels, at its largest")
    p.add_argument("--curriculum", type=int, nargs="+", default=training.Settings.curriculum,
                   help="steps of the rollout in equal parts of the training")  # fmt: skip
    p.add_argument("--alone", type=int, nargs="+", default=training.Settings.alone,
                   help="steps, at most, that the network has made by itself where a rollout begins,"
                        " in equal parts of the training")  # fmt: skip
    p.add_argument("--share", type=float, default=training.Settings.share, help="of the rollouts that begin there")
    p.add_argument("--parts", type=int, default=training.Settings.parts,
                   help="of a step, each by the same network; also for one to go on from that had fewer")  # fmt: skip
    p.add_argument("--half", action="store_true", help="convolutions in bfloat16 while it trains")
    p.add_argument("--start", type=Path, default=None, help="trained network to go on from, without ending")
    p.add_argument("--kept", type=float, default=training.Settings.kept,
                   help="share of that network in the result, a mean of both")  # fmt: skip
    p.add_argument("--width", type=int, default=training.Settings.width, help="channels on the whole map")
    p.add_argument("--wider", type=int, default=training.Settings.wider, help="channels on half of its cells")
    p.add_argument("--widest", type=int, default=training.Settings.widest, help="channels on a quarter")
    p = line.scores("evaluate", evaluate, "score a network beside persistence and EOFs")
    p.add_argument("--model", type=Path, required=True, help="trained network, without ending")
    p.add_argument("--samples", type=Path, nargs="+", required=True, help="those trained on: EOFs learn from them")
    p.add_argument("--test", type=Path, nargs="+", required=True, help="samples not trained on")
    line.everywhere("--seed", **SEED)
    line.run(arguments)


if __name__ == "__main__":
    main()
