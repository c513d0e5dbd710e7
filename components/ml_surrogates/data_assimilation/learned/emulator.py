# SPDX-License-Identifier: BSD-3-Clause
"""A learned emulator of the atmosphere as the forecast operator: ``forecast: {model: learned, network: ...}``.

Its state is one tensor: t, q, u, v and ln p of every layer. It knows no driver: its sides change as those of the runs
that it has learned from.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from components.ml_surrogates import model_file
from components.ml_surrogates.data_assimilation.learned.stepper import Stepper
from components.ml_surrogates.data_assimilation.places import spacing_of
from components.ml_surrogates.estimation.air import PARTS, changed, packed
from components.ml_surrogates.model_file import ModelFileError, Sidecar, Variable
from coupler.component import Context, Setting

NAME = "learned_forecast"
FIELDS = (*PARTS, "ln_p")
FIELD_UNITS = {"t": "K", "q": "1", "u": "m s-1", "v": "m s-1", "ln_p": "1"}
FAR = 20.0
"""Spreads of training from its mean, beyond which a forecast has broken down."""


class RunsAway(Exception):
    """A forecast that left all that the network knows."""


def state_of(air: Mapping[str, Tensor]) -> Tensor:
    """The emulator's state (5 nz, ny, nx), double.

    Parameters
    ----------
    air : (nz, ny, nx) by name: t, q, u, v, p
    """
    return torch.cat([*(air[k].double() for k in PARTS), torch.log(air["p"].double())])


class Emulator:
    """Forecasts of a whole domain by a network.

    Parameters
    ----------
    context : grid, dates, folder and step of the forecast
    options : ``network``, its path, ``levels`` and ``precision``
    """

    failures = (RunsAway,)
    """What a forecast that breaks down raises."""

    def __init__(self, context: Context, options: Mapping[str, Any]):
        self.net, card = load(model_file.located(str(options["network"]), context))
        self.dtype = torch.float64 if options.get("precision") == "double" else torch.float32
        self.net.to(self.dtype).requires_grad_(False)
        self.seconds = float(card.notes["step"])

    @staticmethod
    def problems(setting: Setting, options: Mapping[str, Any]) -> list[str]:
        """A network that is missing, or of another grid, step or number of levels.

        Parameters
        ----------
        setting : grid and folder; the step of the forecast
        options : as of the class
        """
        if not options.get("network"):
            return ["forecast: model: learned needs a network: expected the path of a trained one, found none"]
        try:
            net, card = load(model_file.located(str(options["network"]), setting))
        except ModelFileError as error:
            return [f"forecast: network: {error}"]
        found, grid = [], setting.grid
        had = {
            "levels": (net.sizes["fields"] // len(FIELDS), options["levels"]),
            "cells": ((net.sizes["ny"], net.sizes["nx"]), tuple(grid.shape)),
            "a step, s,": (int(card.notes["step"]), setting.step),
        }
        for what, (trained, wanted) in had.items():
            if trained != wanted:
                found.append(f"expected a network of {what} {wanted}, found one trained on {trained}")
        spacing = spacing_of(grid)
        if not 0.95 < spacing / float(card.notes["spacing"]) < 1.05:
            found.append(
                f"expected a network of cells of {spacing / 1e3:.0f} km, found one trained on "
                f"{float(card.notes['spacing']) / 1e3:.0f} km"
            )
        return [f"forecast: network: {text}" for text in found]

    @property
    def initial(self) -> Tensor:
        """The mean state of training on every layer."""
        ny, nx = self.net.sizes["ny"], self.net.sizes["nx"]
        return self.net.middle.expand(-1, ny, nx).to(self.dtype).clone()

    def start(self, air: Mapping[str, Tensor]) -> Tensor:
        """The state of columns.

        Parameters
        ----------
        air : (nz, ny, nx) by name: t (K), q (mixing ratio), u, v (eastward, northward, m s-1), p (Pa)
        """
        return state_of({k: torch.as_tensor(a) for k, a in air.items()}).to(self.dtype)

    def advance(self, now: Tensor, time: float, added: Mapping[str, Tensor] | None = None) -> Tensor:
        """The state a step later.

        Parameters
        ----------
        now : state at ``time``
        time : s since the start of the case
        added : what to add to ``t``, ``q``, ``u`` and ``v`` (nz, ny, nx) before the step, and to ``p`` (1, ny, nx) of
            the lowest layer; the pressure above follows
        """
        if added is not None:
            air = self.columns(now)
            given = {
                k: added[k] if k in added else torch.zeros_like(air[k][: 1 if k == "p" else None])
                for k in (*PARTS, "p")
            }
            now = self.start(changed(air, packed(given)))
        new: Tensor = self.net(now[None])[0]
        far = ((new.detach() - self.net.middle) / self.net.spread).abs().max()
        if not float(far) < FAR:  # not a number either
            raise RunsAway(f"the learned forecast is {float(far):.3g} spreads from its training's mean")
        return new

    def columns(self, now: Tensor) -> dict[str, Tensor]:
        """The air of a state by name, as `start` takes it; differentiable.

        Parameters
        ----------
        now : state
        """
        parts = dict(zip(FIELDS, now.chunk(len(FIELDS)), strict=True))
        return {**{k: parts[k] for k in PARTS}, "q": torch.clamp(parts["q"], min=0.0), "p": torch.exp(parts["ln_p"])}


def save(path: Path, net: Stepper, about: Mapping[str, Any], data_hash: str, seed: int) -> None:
    """Write weights and sidecar.

    Parameters
    ----------
    path : without ending
    net : trained
    about : step (s), spacing (m), and what is worth noting
    data_hash, seed : of the training
    """
    ins = tuple(Variable(name, FIELD_UNITS[name]) for name in FIELDS)
    model_file.save(
        path, net.state_dict(), Sidecar(NAME, "stepper", net.sizes, ins, ins, {}, data_hash, seed, notes=dict(about))
    )


def load(path: Path) -> tuple[Stepper, Sidecar]:
    """A trained network and its sidecar.

    Raises
    ------
    ModelFileError
        The files are missing or damaged, or hold another model.
    """
    remedy = "python -m components.ml_surrogates.data_assimilation.learned train-forecast makes one"
    tensors, card = model_file.load_of(NAME, path, remedy)
    return model_file.filled(Stepper(**card.sizes), tensors, path), card
