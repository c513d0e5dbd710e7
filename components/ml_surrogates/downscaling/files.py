# SPDX-License-Identifier: BSD-3-Clause
"""The trained networks on disk: weights, and a sidecar that says which fields, cells and means they are for."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components.ml_surrogates import model_file
from components.ml_surrogates.model_file import Sidecar, Variable

from .scenes import Field, Scene
from .training import Course
from .two_steps import Downscaling

NAME = "downscaling"
SHIPPED = Path(__file__).parent / "models" / "east_asia"
"""Trained on runs of this project's own atmosphere, 100 to 25 km."""


def save(path: Path, model: Downscaling, scene: Scene, seed: int, course: Course, **notes: Any) -> None:
    """Write weights and sidecar.

    Parameters
    ----------
    path : without ending
    model, scene, seed, course : of a training
    **notes : what else is worth keeping, such as the size of the coarse cells
    """
    coarse = scene.coarse
    variables = tuple(
        Variable(f.name, f.units, float(coarse[:, k].min()), float(coarse[:, k].max()))
        for k, f in enumerate(model.fields)
    )
    said = {
        "fields": [asdict(f) for f in model.fields], "regression": round(course.regression, 4),
        "diffusion": round(course.diffusion, 4), **notes,
    }  # fmt: skip
    sizes = {"maps": model.maps, "factor": model.factor, "width": model.width, "parts": model.parts}
    digest = hashlib.sha256(scene.fields.tobytes()).hexdigest()
    card = Sidecar(NAME, "two_steps", sizes, variables, variables, {}, digest, seed, notes=said)
    model_file.save(path, model.state_dict(), card)


def load(path: Path) -> tuple[Downscaling, Sidecar]:
    """Trained networks, ready for use.

    Raises
    ------
    ModelFileError
        The files are missing or damaged, or hold another model.
    """
    tensors, card = model_file.load_of(NAME, path)
    kinds: list[Mapping[str, Any]] = card.notes["fields"]
    return model_file.filled(Downscaling([Field(**k) for k in kinds], **card.sizes), tensors, path), card
