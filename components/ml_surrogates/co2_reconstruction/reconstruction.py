# SPDX-License-Identifier: BSD-3-Clause
"""A network with what it needs to be used: reads its file, gives mean and standard deviation of the field."""

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from components.ml_surrogates import model_file
from components.ml_surrogates.estimation.analysis import Domain
from components.ml_surrogates.estimation.kriging import Interpolation, correlated

from . import networks
from .inputs import Fixed, Window, channels, number_of_channels
from .settings import Settings
from .surprises import Usual

MODELS = Path(__file__).parent / "models"

SUREST = 0.5  # ppm: what stands beside a filter's own standard deviation, which at stations knows only their noise
LENGTHS = "length_m", "nugget"  # of kriging, in the sidecar
USUAL = 0.99  # share of the analyses for validation that are usual


def regional(increment: Tensor, deviation: Tensor) -> Tensor:
    """Mean over three by three cells of increments in units of the deviation that they leave: (..., ny, nx).

    An inversion corrects a region the same way at once where something feeds the air that it does not know of; errors
    of the wind move gas, so that its corrections change their sign from cell to cell.

    Parameters
    ----------
    increment, deviation : (..., ny, nx) what an analysis has added, and its standard deviation after it, ppm
    """
    ny, nx = increment.shape[-2:]
    wide = networks.circular(increment / (deviation + SUREST))
    parts = [wide[..., i : i + ny, j : j + nx] for i in range(3) for j in range(3)]
    return torch.stack(parts).mean(0)


def sizes(settings: Settings, shape: tuple[int, int]) -> dict[str, int]:
    """Arguments of the network's class.

    Parameters
    ----------
    settings : of its training
    shape : (ny, nx)
    """
    frame, still = number_of_channels(settings.embedding, settings.meteorology)
    common = {"channels": frame, "fixed": still, "frames": settings.frames, "width": settings.width}
    if settings.network == "unet":
        return common if settings.cyclic else {**common, "cyclic": 0}
    parts = {"space": settings.space, "time": settings.time, "cross_attention": settings.cross_attention}
    return {**common, "ny": shape[0], "nx": shape[1], "depth": settings.depth, **{k: int(v) for k, v in parts.items()}}


class Reconstruction(nn.Module):
    """A network, the climate it was trained in, and the factor that calibrates its spread.

    Beside them stands the largest regional increment of its prior on the flows for validation: what goes beyond is an
    event that the training did not know. One on an inversion with members also knows what innovations are usual
    (``usual``, see `surprises`). A network on kriging corrects the errors of the one that it was trained on:
    ``lengths`` are that one's length (m) and nugget, and with the past that it knows it is made again anywhere.

    Parameters
    ----------
    settings : of its training
    fixed : of the cells
    """

    lengths: tuple[float, float] | None = None
    usual: Usual | None = None

    def __init__(self, settings: Settings, fixed: Fixed):
        super().__init__()
        self.settings = settings
        self.net = networks.build(settings.network, sizes(settings, (fixed.land.shape[0], fixed.land.shape[1])))
        for name, value in fixed._asdict().items():
            self.register_buffer(name, value.clone().float())
        self.register_buffer("calibration", torch.ones(()))
        self.register_buffer("largest_increment", torch.full((), math.inf))

    def learn_usual(self, increment: Tensor, deviation: Tensor) -> None:
        """Take analyses of the prior as usual: of all but one in a hundred no region is stopped.

        Parameters
        ----------
        increment, deviation : (..., ny, nx) what each analysis has added, and its standard deviation after it, ppm
        """
        largest = regional(increment, deviation).abs().amax((-2, -1)).flatten()
        self.get_buffer("largest_increment").fill_(torch.quantile(largest, USUAL, interpolation="higher"))

    def unknown(self, increment: Tensor, deviation: Tensor) -> Tensor:
        """Where an analysis of the prior has added more than on the flows for validation: bool (..., ny, nx).

        Parameters
        ----------
        increment, deviation : (..., ny, nx) what it has added, and its standard deviation after it, ppm
        """
        return regional(increment, deviation).abs() > self.get_buffer("largest_increment")

    def shape(self) -> tuple[int, int]:
        """(ny, nx)."""
        ny, nx = self.get_buffer("land").shape
        return ny, nx

    def fixed(self) -> Fixed:
        """Of the cells."""
        return Fixed(*(self.get_buffer(name) for name in Fixed._fields))

    def kriging(self, domain: Domain) -> Interpolation:
        """The kriging that it adds to.

        Parameters
        ----------
        domain : of the cells
        """
        assert self.lengths is not None
        (length, nugget), fixed = self.lengths, self.fixed()
        return Interpolation(fixed.mean, correlated(domain, fixed.spread, length), nugget)

    def forward(self, window: Window, distance: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (b, ny, nx) of the newest frame, departure from the background, ppm.

        Parameters
        ----------
        window : frames
        distance : (b, ny, nx) to the next station that reports, m
        """
        fixed = self.fixed()
        words = self.settings
        out = self.net(*channels(window, fixed, distance, words.embedding, words.meteorology, words.cyclic))
        deviation = self.get_buffer("calibration") * fixed.spread * torch.exp(out[:, 1].clamp(-6.0, 3.0) - 0.7)
        return window.prior[:, -1] + fixed.spread * out[:, 0], deviation

    def save(self, path: Path, notes: dict[str, Any], data_hash: str) -> None:
        """Write weights and sidecar.

        Parameters
        ----------
        path : of both, without ending
        notes : course of the training and scores
        data_hash : of the training data
        """
        one = (
            model_file.Variable("eastward_wind", "m s-1", -80.0, 80.0),
            model_file.Variable("northward_wind", "m s-1", -80.0, 80.0),
            model_file.Variable("geopotential", "m2 s-2"),
            model_file.Variable("mole_fraction_of_carbon_dioxide_in_air", "ppm"),
        )
        words = self.settings.model_dump()
        if self.lengths:
            notes = {"kriging": dict(zip(LENGTHS, self.lengths, strict=True)), **notes}
        if self.usual:
            notes = {"innovations": self.usual._asdict(), **notes}
        sidecar = model_file.Sidecar(
            "co2_reconstruction", self.settings.network, sizes(self.settings, self.shape()),
            one, one[-1:], {}, data_hash, self.settings.seed, notes={"settings": words, **notes},
        )  # fmt: skip
        model_file.save(path, self.state_dict(), sidecar)


def load(path: Path) -> Reconstruction:
    """A network that `Reconstruction.save` has written, ready for use.

    Parameters
    ----------
    path : of its files, without ending
    """
    tensors, sidecar = model_file.load(path)
    model = Reconstruction(Settings(**sidecar.notes["settings"]), Fixed(*(tensors[k] for k in Fixed._fields)))
    if kriging := sidecar.notes.get("kriging"):
        model.lengths = kriging[LENGTHS[0]], kriging[LENGTHS[1]]
    if innovations := sidecar.notes.get("innovations"):
        model.usual = Usual(**innovations)
    return model_file.filled(model, tensors, path)
