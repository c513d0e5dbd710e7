# SPDX-License-Identifier: BSD-3-Clause
"""Command line: ``python -m components.ml_surrogates.radiation_emulator COMMAND``."""

import argparse
import os
from pathlib import Path

from components.ml_surrogates.command_line import SEED, CommandLine, tell, written
from components.ml_surrogates.progress import progress
from coupler.errors import CaseError
from coupler.paths import DATA

os.environ.setdefault("OMP_NUM_THREADS", "1")

COLUMNS = DATA / "cloudy_columns.nc"
DEFAULTS = {
    "recurrent": {"batches": 240, "size": 256, "epochs": 40, "patience": 40, "rate": 1e-2, "hidden": 32},
    "mlp": {"batches": 300, "size": 128, "epochs": 40, "patience": 20, "rate": 4e-3, "hidden": 64},
}
"""With which the shipped models were trained."""
FOR_TRAINING, FOR_VALIDATION, FOR_TESTS = 4500, 750, 1500
DRAWS = 4096
"""Of the cloudy layers: so many that an error of .6 W m-2 of sunlight is told from .7."""


def draw(a: argparse.Namespace) -> None:
    """Columns of runs into the file that training starts from."""
    from components.ml_surrogates import drawn_columns

    columns = drawn_columns.draw(a.histories, (FOR_TRAINING, FOR_VALIDATION, FOR_TESTS), a.seed)
    drawn_columns.write(a.columns, columns)
    print(f"{columns['t'].shape[1]} columns of {len(a.histories)} runs in {a.columns}")


def train(a: argparse.Namespace) -> None:
    """Vary, label, train, save."""
    import torch

    from components.ml_surrogates import drawn_columns, model_file

    from . import dataset, figures, networks, training

    a = argparse.Namespace(**{**DEFAULTS[a.network], **vars(a)})
    bands = (a.only,) if a.only else training.BOTH
    torch.manual_seed(a.seed)
    base = drawn_columns.read(a.columns)
    levels = (None,) if a.network == "mlp" else dataset.LEVELS
    parts = []
    for split, number, seed in (("train", a.batches, a.seed), ("validation", max(7, a.batches // 25), a.seed + 1)):
        columns = drawn_columns.of_split(base, split)
        shown = progress(f"RRTMGP, {split}, batches of {a.size}", number)
        parts.append(dataset.batches(columns, number, a.size, seed, levels, shown, pairs=a.network == "recurrent"))
    sizes = (
        {"hidden": a.hidden, "levels": base["t"].shape[0] + 5}
        if a.network == "mlp"
        else {"hidden": a.hidden, "classes": a.classes}
    )
    net, before = networks.build(a.network, **sizes), {}
    if a.start:
        net, begun = networks.load(networks.path_of(a.start))
        if begun.network != a.network:
            raise CaseError(f"--start {a.start} is the network {begun.network}; say --network {begun.network}")
        sizes, before = dict(begun.sizes), {"before": begun.notes}
    course = training.train(net, parts[0], parts[1], a.epochs, a.seed, a.rate, a.patience, tell, bands=bands)
    notes = before | {"bands": list(bands)} | {
        "epochs": len(course.train), "best_epoch": course.best + 1, "cpu_minutes": round(course.cpu_seconds / 60.0, 1),
        "columns": a.batches * a.size, "validation_loss": list(course.validation[course.best]),
    }  # fmt: skip
    card = networks.sidecar(a.network, sizes, parts[0], a.seed, dataset.data_hash(parts[0]), notes)
    model_file.save(a.out, net.state_dict(), card)
    figures.learning_curve(model_file.beside(a.out, ".png"), course)
    print(f"{a.out}: best of epoch {course.best + 1}, {course.cpu_seconds / 60.0:.1f} CPU minutes of training")


def evaluate(a: argparse.Namespace) -> None:
    """Every number of the model card."""
    from . import evaluation

    written(evaluation.model_card(a), a.card)


def train_error(a: argparse.Namespace) -> None:
    """Learn the errors of a trained network."""
    from components.ml_surrogates import drawn_columns

    from . import error_evaluation, error_predictor, networks

    emulator = networks.path_of(a.network)
    net, card = networks.load(emulator)
    data = error_evaluation.training_columns(drawn_columns.read(a.columns), a.seed, a.part)
    predictor, seconds = error_predictor.train(net, data, a.seed)
    notes = {"columns": data.lw_up.shape[1], "seconds": round(seconds, 1)}
    hashed = error_predictor.data_hash(data)
    error_predictor.save(a.out, predictor, emulator, card.network, hashed, a.seed, notes)
    print(f"{a.out}: {seconds:.1f} s of training on {notes['columns']} columns")


def evaluate_error(a: argparse.Namespace) -> None:
    """Every number of the card of predicted errors."""
    from components.ml_surrogates import drawn_columns
    from components.ml_surrogates.model_file import SIDECAR, beside, read_sidecar

    from . import error_evaluation, error_predictor, networks

    shipped = {}
    for name in networks.NETWORKS:
        path = networks.SHIPPED / f"{name}_error"
        card = networks.load(networks.path_of(name))[1]
        shipped[name] = (
            networks.path_of(name),
            error_predictor.load(path, card),
            read_sidecar(beside(path, SIDECAR)),
        )
    written(error_evaluation.model_card(drawn_columns.read(a.columns), shipped, a.seed), a.card)


def ablate(a: argparse.Namespace) -> None:
    """What heating in the loss and built-in boundaries are worth."""
    from components.ml_surrogates import drawn_columns

    from . import ablation

    print(ablation.as_table(ablation.ablate(drawn_columns.read(a.columns), a.seeds, a.part)))


def main(arguments: list[str] | None = None) -> None:
    """Parse and run."""
    line = CommandLine("components.ml_surrogates.radiation_emulator", __doc__)
    p = line.command("draw", draw, "draw columns from history files of runs with export_columns")
    p.add_argument("histories", nargs="+", type=Path, help="history files with the fields of the columns, one a run")
    p = line.trains("train", train, "train a network on varied columns labelled by RRTMGP")
    p.add_argument("--network", choices=("recurrent", "mlp"), default="recurrent", help="kind of network")
    for name, kind, text in (
        ("size", int, "columns of a batch"),
        ("batches", int, "number of batches"),
        ("epochs", int, "passes through the batches at most"),
        ("patience", int, "epochs without a better one before it stops"),
        ("rate", float, "step of Adam at the start"),
        ("hidden", int, "width of the hidden layers"),
    ):
        values = " or ".join(f"{d[name]:g} ({network})" for network, d in DEFAULTS.items())
        p.add_argument(f"--{name}", type=kind, default=argparse.SUPPRESS, help=f"{text}; without it {values}")
    p.add_argument("--start", help="go on from this network: recurrent, mlp, or a path without its ending")
    p.add_argument("--only", choices=("longwave", "shortwave"), help="train this part alone; the other stays")
    p.add_argument("--classes", type=int, default=16, help="spectral classes of the recurrent network")
    p = line.scores("evaluate", evaluate, "score models on columns never seen in training; writes the model card")
    p.add_argument("--recurrent", type=Path, default=Path(__file__).parent / "models/recurrent", help="without ending")
    p.add_argument("--mlp", type=Path, default=Path(__file__).parent / "models/mlp", help="without ending")
    p.add_argument("--rfmip", type=Path, default=None, help="folder of the RFMIP files, for evaluation only")
    p.add_argument("--columns-each", type=int, default=1500, help="columns of each set")
    p.add_argument("--draws", type=int, default=DRAWS, help="of cloudy layers, for the right fluxes of the main set")
    p = line.trains("train-error", train_error, "learn the errors of a trained network, for an adaptive choice")
    p.add_argument("--network", default="mlp", help="recurrent, mlp, or a path without its ending")
    p.add_argument("--part", type=float, default=1.0, help="part of the usual number of columns")
    line.scores("evaluate-error", evaluate_error, "score the predicted errors; writes their card")
    p = line.command("ablate", ablate, "perceptrons without heating in the loss, and with free boundaries")
    p.add_argument("--seeds", type=int, default=3, help="trainings of each")
    p.add_argument("--part", type=float, default=1.0, help="part of the usual number of columns")
    line.everywhere("--columns", type=Path, default=COLUMNS, help="file of drawn columns")
    line.everywhere("--seed", **SEED)
    line.run(arguments)


if __name__ == "__main__":
    main()
