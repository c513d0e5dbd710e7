# SPDX-License-Identifier: BSD-3-Clause
"""The emulator as it stands on disk: networks by name, saved with what they may be used for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from components.ml_surrogates import model_file
from components.ml_surrogates.model_file import ModelFileError, Sidecar, Variable
from components.radiation.exchange import cloud_fields, column_fields, radiation_fields
from components.science.constants import GRAVITY
from coupler.fields import FieldSpec, specs

from . import inputs
from .dataset import Batch
from .inputs import RadiationNetwork
from .mlp import MlpRadiation
from .recurrent import RecurrentRadiation

NETWORKS: dict[str, Callable[..., RadiationNetwork]] = {"recurrent": RecurrentRadiation, "mlp": MlpRadiation}
SHIPPED = Path(__file__).parent / "models"
NAME = "radiation_emulator"
BESIDE = (
    "cosine_of_solar_zenith_angle",
    "mole_fraction_of_carbon_dioxide_in_air",
    "mole_fraction_of_methane_in_air",
    "mole_fraction_of_nitrous_oxide_in_air",
)
"""Inputs that do not come through the exchange: the sun, and gases that are numbers in the namelist."""
CONSTANTS = (
    "T_MIDDLE", "T_WIDTH", "LN_P_MIDDLE", "LN_P_WIDTH", "Q_SCALE", "OZONE_SCALE",
    "CARBON_DIOXIDE", "METHANE", "NITROUS_OXIDE", "PRESSURE_UNIT",
)  # fmt: skip


def expected(levels: int = 1) -> tuple[tuple[FieldSpec, ...], tuple[FieldSpec, ...]]:
    """Inputs and outputs in the order in which this component exchanges them."""
    beside = (*specs(BESIDE[0]), *(FieldSpec(name, units="1", kind="state") for name in BESIDE[1:]))
    fields = (*column_fields(levels), *cloud_fields(levels)), radiation_fields(levels)
    columns, sky = (tuple(f for f in given if f.required) for given in fields)
    return (*columns, *beside), sky


def build(network: str, **sizes: int) -> RadiationNetwork:
    """A network by its name, with random weights."""
    return NETWORKS[network](**sizes)


def sidecar(
    network: str, sizes: dict[str, int], data: list[Batch], seed: int, data_hash: str, notes: dict[str, Any]
) -> Sidecar:
    """What the trained network may be used for: the ranges are those of the training columns.

    Parameters
    ----------
    network : name of the network
    sizes : that it is built with
    data : training batches
    seed : of the training
    data_hash : SHA-256 of the training data
    notes : further entries of the model card
    """
    seen: dict[str, list[torch.Tensor]] = {}
    for b in data:
        c = b.x.columns
        mass = (c.p_interface[:-1] - c.p_interface[1:]) / GRAVITY
        liquid, ice, snow = (path * c.fraction / mass for path in (c.liquid, c.ice, b.x.snow))
        values = (
            c.t, c.q_v, liquid, ice, c.p, c.p_interface, c.t_surface, c.albedo, snow, c.fraction, c.mu,
            inputs.CARBON_DIOXIDE * torch.exp(b.x.carbon_dioxide), inputs.METHANE * torch.exp(b.x.methane),
            inputs.NITROUS_OXIDE * torch.exp(b.x.nitrous_oxide),
        )  # fmt: skip
        for spec, value in zip(expected()[0], values, strict=True):
            seen.setdefault(spec.name, []).extend([value.min(), value.max()])
    ins = tuple(Variable(f.name, f.units, float(min(seen[f.name])), float(max(seen[f.name]))) for f in expected()[0])
    return Sidecar(
        NAME, network, sizes, ins, tuple(Variable(f.name, f.units) for f in expected()[1]),
        {name.lower(): float(getattr(inputs, name)) for name in CONSTANTS}, data_hash, seed, notes=notes,
    )  # fmt: skip


def path_of(model: str) -> Path:
    """Where a model's files are: ``recurrent`` and ``mlp`` come with the project, anything else is a path."""
    return SHIPPED / model if model in NETWORKS else Path(model)


def load(path: Path) -> tuple[RadiationNetwork, Sidecar]:
    """A trained network, ready for inference.

    Raises
    ------
    ModelFileError
        The files are missing or damaged, or were made for other inputs, outputs, units, scaling or sizes.
    """
    tensors, card = model_file.load(path)
    wrong = problems(card)
    if wrong:
        raise ModelFileError(f"{path}: {'; '.join(wrong)}")
    net = build(card.network, **card.sizes)
    return model_file.filled(net, tensors, path, f"the network {card.network}"), card


def problems(card: Sidecar, levels: int | None = None) -> list[str]:
    """Why a model cannot serve here: another model's sidecar, other fields, units, order or scaling.

    Parameters
    ----------
    card : sidecar of the model
    levels : layers it will get, or None where that is not known yet
    """
    if card.model != NAME or card.network not in NETWORKS:
        return [f"this is {card.model!r} with the network {card.network!r}, not a radiation emulator"]
    ins, outs = expected()
    found = [*model_file.mismatches("inputs", card.inputs, ins), *model_file.mismatches("outputs", card.outputs, outs)]
    mine = {name.lower(): float(getattr(inputs, name)) for name in CONSTANTS}
    found += [
        f"scaling: {k} is {card.normalisation.get(k)}, and here {v}"
        for k, v in mine.items()
        if card.normalisation.get(k) != v
    ]
    if levels is not None and card.network == "mlp" and card.sizes.get("levels") != levels:
        found.append(
            f"it was trained for {card.sizes.get('levels')} layers, and there are {levels} with those above the lid;"
            " the recurrent network takes any number"
        )
    return found
