# SPDX-License-Identifier: BSD-3-Clause
"""How wrong the emulator's heating of a column is, predicted from what went into it and what came out.

The features are those of the perceptron and the fluxes themselves; the network gives the logarithm of the mean square
over the layers below 4 hPa. Trained on columns that are labelled by the scheme that the emulator stands for.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from components.ml_surrogates import course, model_file
from components.ml_surrogates.model_file import ModelFileError, Sidecar, Variable
from components.science.constants import STEFAN_BOLTZMANN
from coupler.files.atomic import checksum

from .dataset import Batch
from .inputs import Inputs, RadiationNetwork
from .mlp import COLUMN, LAYERS_OF_A_COLUMN, column_features
from .networks import expected
from .scores import COUNTED, Prediction, predict, truth

NAME = "radiation_emulator_error"
OUTPUT = Variable("root_mean_square_error_of_radiative_heating", "K day-1")
LOWEST = 1.0e-6  # of a mean square, (K/day)2, below which errors are all alike
STEP, BATCH, EPOCHS, HIDDEN = 3.0e-3, 256, 30, 64


class ErrorPredictor(nn.Module):
    """Expected error of the heating of columns of ``levels`` layers."""

    def __init__(self, levels: int = 29, hidden: int = HIDDEN):
        super().__init__()
        self.levels, self.hidden = levels, hidden
        wide = LAYERS_OF_A_COLUMN * levels + COLUMN + 4 * (levels + 1)
        self.middle, self.width = (nn.Buffer(torch.full((wide,), value)) for value in (0.0, 1.0))
        self.scale, self.ends = nn.Buffer(torch.tensor([0.0, 1.0])), nn.Buffer(torch.tensor([-10.0, 10.0]))
        self.net = nn.Sequential(
            nn.Linear(wide, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1)
        )

    def logarithm(self, features: torch.Tensor) -> torch.Tensor:
        """Logarithm of the mean square (n,), in units of its own.

        Parameters
        ----------
        features : (n, 12 levels + 12)
        """
        made: torch.Tensor = self.net((features - self.middle) / self.width)[:, 0]
        return made

    def forward(self, x: Inputs, fluxes: Sequence[torch.Tensor]) -> torch.Tensor:
        """Root mean square (n,) of the heating error, K/day.

        Parameters
        ----------
        x : columns and gases
        fluxes : longwave up and down (W m-2), shortwave up and down (parts of the incoming), (nlev+1, n)
        """
        held = torch.clamp(self.logarithm(features(x, fluxes)), self.ends[0], self.ends[1])
        return torch.exp(0.5 * (self.scale[0] + self.scale[1] * held))


def features(x: Inputs, fluxes: Sequence[torch.Tensor]) -> torch.Tensor:
    """Inputs and outputs of the emulator in a row, (n, 12 nlev + 12); longwave as part of the ground's sigma T^4.

    Parameters
    ----------
    x : columns and gases
    fluxes : longwave up and down (W m-2), shortwave up and down (parts of the incoming), (nlev+1, n)
    """
    t2 = x.columns.t_surface * x.columns.t_surface
    black = STEFAN_BOLTZMANN * t2 * t2
    parts = [fluxes[0] / black, fluxes[1] / black, fluxes[2], fluxes[3]]
    return torch.cat([column_features(x), torch.cat(parts).T.to(black)], dim=1).contiguous()


def as_emulated(got: Prediction, b: Batch) -> list[torch.Tensor]:
    """A network's fluxes as the predictor takes them: the shortwave as part of the incoming, none at night.

    Parameters
    ----------
    got : fluxes, W m-2
    b : their columns
    """
    sun = torch.where(b.x.columns.mu > 0.0, b.insolation, torch.ones_like(b.insolation))
    return [got.lw_up, got.lw_down, got.sw_up / sun, got.sw_down / sun]


def mean_square(got: Prediction, b: Batch) -> torch.Tensor:
    """Mean square error (n,) of the heating below 4 hPa, (K/day)2.

    Parameters
    ----------
    got : fluxes of the emulator
    b : columns with the right fluxes
    """
    p_i = b.x.columns.p_interface
    wrong = got.heating(p_i) - truth(b).heating(p_i)
    counted = b.x.columns.p > COUNTED
    return (torch.where(counted, wrong * wrong, 0.0)).sum(0) / counted.sum(0)


def train(net: RadiationNetwork, data: Batch, seed: int, epochs: int = EPOCHS) -> tuple[ErrorPredictor, float]:
    """A predictor of a network's errors, and the seconds that its training took (labels not counted).

    Parameters
    ----------
    net : the emulator's network
    data : labelled columns, best none that it was trained on
    seed : of weights and order
    epochs : passes through the columns
    """
    started = time.process_time()
    torch.manual_seed(seed)
    got = predict(net, data)
    target = torch.log(torch.clamp(mean_square(got, data), min=LOWEST)).float()
    given = features(data.x, as_emulated(got, data))
    predictor = ErrorPredictor(data.x.columns.p.shape[0])
    predictor.middle.copy_(given.mean(0))
    predictor.width.copy_(torch.clamp(given.std(0), min=1e-4))
    predictor.scale.copy_(torch.stack([target.mean(), target.std()]))
    wanted = (target - predictor.scale[0]) / predictor.scale[1]
    predictor.ends.copy_(torch.stack([wanted.min(), wanted.max()]))
    steps = epochs * (len(wanted) // BATCH)
    optimiser = torch.optim.AdamW(predictor.parameters(), lr=STEP, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, STEP, total_steps=max(steps, 1), pct_start=0.1)
    for _ in range(epochs):
        for index in torch.randperm(len(wanted)).split(BATCH):
            if len(index) < BATCH:
                continue
            optimiser.zero_grad(set_to_none=True)
            wrong = predictor.logarithm(given[index]) - wanted[index]
            (wrong * wrong).mean().backward()
            optimiser.step()
            schedule.step()
    return predictor.eval(), time.process_time() - started


def save(
    path: Path,
    predictor: ErrorPredictor,
    emulator: Path,
    network: str,
    data_hash: str,
    seed: int,
    notes: dict[str, Any],
) -> None:
    """Keep a predictor beside its emulator.

    Parameters
    ----------
    path : of the files, without ending
    predictor : trained
    emulator : the emulator's files, without ending: its weights are the ones whose errors were learned
    network : its network
    data_hash : SHA-256 of the training columns
    seed : of the training
    notes : further entries, for the card
    """
    ins = tuple(Variable(f.name, f.units) for f in (*expected()[0], *expected()[1]))
    sizes = {"levels": predictor.levels, "hidden": predictor.hidden}
    learned = {"emulator_weights": checksum(model_file.beside(emulator, model_file.WEIGHTS)), **notes}
    card = Sidecar(NAME, network, sizes, ins, (OUTPUT,), {"counted": COUNTED}, data_hash, seed, notes=learned)
    model_file.save(path, predictor.state_dict(), card)


def load(path: Path, emulator: Sidecar) -> ErrorPredictor:
    """A predictor for the emulator whose sidecar is given.

    Raises
    ------
    ModelFileError
        It is missing or damaged, or was trained on another emulator's errors.
    """
    tensors, card = model_file.load(path)
    if card.model != NAME:
        raise ModelFileError(f"{path}: this is {card.model!r}, not a predictor of the radiation emulator's error")
    if card.notes.get("emulator_weights") != emulator.weights_hash:
        raise ModelFileError(
            f"{path}: it was trained on the errors of other weights than this {emulator.network} network's; train it"
            " with: python -m components.ml_surrogates.radiation_emulator train-error"
        )
    return model_file.filled(ErrorPredictor(**card.sizes), tensors, path, "an error predictor")


def data_hash(data: Batch) -> str:
    """SHA-256 of the labelled columns' temperatures and fluxes."""
    return course.data_hash((data.x.columns.t, data.lw_up, data.lw_down, data.sw_up, data.sw_down))
