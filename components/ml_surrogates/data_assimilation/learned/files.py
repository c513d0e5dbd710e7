# SPDX-License-Identifier: BSD-3-Clause
"""The trained networks on disk."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from components.ml_surrogates import model_file
from components.ml_surrogates.data_assimilation.learned import training, twin
from components.ml_surrogates.data_assimilation.learned.network import Fusion
from components.ml_surrogates.data_assimilation.learned.training import Course, Settings
from components.ml_surrogates.model_file import Sidecar, Variable

NAME = "learned_assimilation_lorenz96"


def save(path: Path, net: Fusion, s: Settings, course: Course) -> None:
    """Write weights and sidecar.

    Parameters
    ----------
    path : without ending
    net, s, course : of a training
    """
    ins = (
        Variable("state", "1", -20.0, 25.0),
        *(Variable(f"brightness_temperature_{c + 1}", "K", 180.0, 300.0) for c in range(twin.CHANNELS)),
    )
    scaling = {
        "state_middle": training.STATE_MIDDLE, "state_width": training.STATE_WIDTH, "increment": training.INCREMENT,
        "value_middle": training.VALUE_MIDDLE, "value_width": training.VALUE_WIDTH,
    }  # fmt: skip
    notes = {**asdict(s), "losses": course.losses, "cpu_seconds": round(course.cpu_seconds, 1)}
    sizes = {"width": s.width, "blocks": s.blocks}
    out = (Variable("increment", "1"),)
    side = Sidecar(NAME, "fusion", sizes, ins, out, scaling, course.data_hash, s.seed, notes=notes)
    model_file.save(path, net.state_dict(), side)


def load(path: Path) -> Fusion:
    """A trained network.

    Raises
    ------
    ModelFileError
        The files are missing or damaged, or hold another model.
    """
    tensors, side = model_file.load_of(NAME, path)
    net = training.network(Settings(width=side.sizes["width"], blocks=side.sizes["blocks"]))
    return model_file.filled(net, tensors, path)


def course_of(paths: Sequence[Path]) -> str:
    """A sentence on how networks were trained, by their sidecars."""
    of = [model_file.read_sidecar(model_file.beside(path, model_file.SIDECAR)) for path in paths]
    parts = [
        f"seed {card.seed}: {card.notes['steps']} steps of {card.notes['batch']} cases,"
        f" {card.notes['cpu_seconds']:.0f} CPU seconds"
        for card in of
    ]
    return f"Trained with {'; '.join(parts)}."
