# SPDX-License-Identifier: BSD-3-Clause
"""A learned first guess of the stomatal optimum: a small network for all optimality models, before the root is sought.

What follows is the root all the same (optimality.optimise): the guess moves the number of evaluations alone. One of
the couplings of Shen & Zhang (2023): the solution of an equation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor, nn

from components.land.column.optimality import (
    LOWEST_DEFICIT,
    OPTIMAL,
    CowanFarquhar,
    Dewar,
    Eller,
    Holtta,
    Prentice,
    Scene,
    Sperry,
    Wang,
    WolfAndereggPacala,
)
from components.land.column.photosynthesis import CO2_TO_WATER, assimilation
from components.ml_surrogates import model_file
from components.ml_surrogates.fixed_batch import in_batches
from components.ml_surrogates.model_file import ModelFileError, Sidecar, Variable

NAME = "stomatal_first_guess"
SHIPPED = Path(__file__).parent / "tables" / "first_guess"
KINDS = (CowanFarquhar, Prentice, WolfAndereggPacala, Sperry, Eller, Wang, Holtta, Dewar)
"""Models by the network's outputs; with other parameters than the default ones the guess is the worse for it."""
INPUTS = (
    Variable("net_assimilation_with_the_co2_of_the_air", "umol m-2 s-1"), Variable("leaf_to_air_deficit", "mol mol-1"),
    Variable("carbon_supplied_over_demanded", "1"), Variable("conductance_at_no_flow", "mol m-2 s-1 MPa-1"),
    Variable("critical_tension", "MPa"), Variable("largest_rubisco_limited_rate", "umol m-2 s-1"),
    Variable("co2_outside", "umol mol-1"), Variable("compensation_point", "umol mol-1"),
    Variable("respiration", "umol m-2 s-1"), Variable("leaf_temperature", "K"),
)  # fmt: skip
BATCH, HIDDEN = 256, 48


class FirstGuess(nn.Module):
    """Logarithm of the odds of the place on the supply curve, one output a model."""

    def __init__(self, hidden: int = HIDDEN):
        super().__init__()
        self.hidden, wide = hidden, len(INPUTS)
        self.middle, self.width = (nn.Buffer(torch.full((wide,), value)) for value in (0.0, 1.0))
        self.net = nn.Sequential(
            nn.Linear(wide, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, len(KINDS))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, models) from the features (n, 10)."""
        made: Tensor = self.net((x - self.middle) / self.width)
        return made


def features(scene: Scene) -> Tensor:
    """What the network sees of leaves that would assimilate, (n, 10), single precision.

    Parameters
    ----------
    scene : leaves, air and plant
    """
    a = torch.clamp(assimilation(scene.leaf, scene.ca), min=1e-3)
    deficit = torch.clamp(scene.deficit, min=LOWEST_DEFICIT)
    plant, zero = scene.plant, 0.0 * a
    carbon = plant.e_crit * scene.ca / (CO2_TO_WATER * deficit * a)  # that the critical flow lets in, over the demand
    wide = [a, deficit, carbon, plant.k_soil, plant.p_crit, torch.clamp(scene.leaf.rates[0].p, min=1e-3), scene.ca]
    narrow = [scene.leaf.compensation / scene.ca, scene.leaf.respiration / a, scene.temperature / 300.0]
    parts = [*(torch.log(torch.clamp(v + zero, min=1e-12)) for v in wide), *(v + zero for v in narrow)]
    return torch.stack(parts, dim=-1).reshape(-1, len(INPUTS)).float()


def guessed(net: FirstGuess, model: object, scene: Scene) -> Tensor | None:
    """A conductance to start from (mol m-2 s-1), in the shape of the leaves; None for a model that was not learned.

    Parameters
    ----------
    net : trained
    model : of `optimality`
    scene : leaves, air and plant
    """
    if type(model) not in KINDS:
        return None
    kind = KINDS.index(type(model))
    with torch.inference_mode():
        x = features(scene)
        (odds,) = in_batches(lambda some: [net(some[0].T.contiguous())[:, kind]], [x.T], BATCH)
    s = 1.0 / (1.0 + torch.exp(-odds.double()))  # sigmoid itself has other bits in other places of an array
    s = s.reshape(scene.leaf.respiration.shape).to(scene.ca.dtype)
    return s * scene.plant.e_crit / torch.clamp(scene.deficit, min=LOWEST_DEFICIT)


def save(path: Path, net: FirstGuess, seed: int, data_hash: str, notes: dict[str, object]) -> None:
    """Keep a trained network.

    Parameters
    ----------
    path : of the files, without ending
    net : trained
    seed, data_hash : of its training
    notes : further entries
    """
    outs = tuple(Variable(f"log_odds_of_place_on_supply_curve_{kind.__name__}", "1") for kind in KINDS)
    sizes = {"hidden": net.hidden}
    model_file.save(path, net.state_dict(), Sidecar(NAME, "mlp", sizes, INPUTS, outs, {}, data_hash, seed, notes=notes))


@cache
def load(path: Path = SHIPPED) -> FirstGuess:
    """The trained network.

    Raises
    ------
    ModelFileError
        The files are missing or damaged, or hold something else.
    """
    tensors, card = model_file.load(path)
    if card.model != NAME or card.inputs != INPUTS or len(card.outputs) != len(KINDS):
        raise ModelFileError(f"{path}: this is {card.model!r}, not a first guess of the stomatal optimum as used here")
    return model_file.filled(FirstGuess(**card.sizes), tensors, path)


def used(choice: str) -> Callable[[object, Scene], Tensor | None] | None:
    """What `gas_exchange.Stomata` asks for a first guess: nobody for ``last``.

    Parameters
    ----------
    choice : ``last`` or ``learned``
    """
    return partial(guessed, load()) if choice == "learned" else None


def knows(name: str) -> bool:
    """Whether the network knows an optimality model by its name."""
    return OPTIMAL.get(name) in KINDS
