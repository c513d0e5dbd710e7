# SPDX-License-Identifier: BSD-3-Clause
"""Fields of a run made finer, record by record: what ``./run_case.py downscale`` calls."""

from pathlib import Path

import numpy as np

from components.ml_surrogates.model_file import ModelFileError
from coupler.grids.grid import Grid
from coupler.grids.refined import blocks, refined

from . import files
from .ground import under
from .projection import Projection
from .scenes import Array
from .two_steps import members

ALIKE = 0.25
"""How much the size of cells may differ from that of the training, as a part of it."""
FEWEST = 8
"""Coarse cells along a side: the networks look some of them far."""


class Refinement:
    """Trained networks, applied to the fields of a grid.

    Parameters
    ----------
    network : files without ending; None: the ones shipped

    Attributes
    ----------
    fields : names of what is made finer
    units : of them
    seconds : length of the means that the networks know
    about : a line for files
    """

    def __init__(self, network: Path | None = None):
        path = network or files.SHIPPED
        self.model, card = files.load(path)
        self.fields, self.units = (tuple(getattr(f, k) for f in self.model.fields) for k in ("name", "units"))
        if not {"cell_km", "seconds"} <= set(card.notes):
            raise ModelFileError(
                f"{path}: its training does not say for which cells it is; train it on --truth of runs"
            )
        self.cell_km, self.seconds = float(card.notes["cell_km"]), int(card.notes["seconds"])
        self.about = f"downscaling network {path.name}, SHA-256 {card.weights_hash}"
        self._ranges = {v.name: (v.low, v.high) for v in card.inputs}

    def on(self, coarse: Grid) -> Grid:
        """The fine grid of a coarse one, over whose ground fields are drawn from now on.

        Parameters
        ----------
        coarse : grid of the run

        Raises
        ------
        ModelFileError
            Cells of another size than those of the training, or too few of them.
        """
        size = float(np.sqrt(np.median(coarse.area))) / 1000.0
        if abs(size / self.cell_km - 1.0) > ALIKE:
            raise ModelFileError(
                f"the network was trained on cells of {self.cell_km:.0f} km, and those of {coarse.name} have"
                f" {size:.0f} km; name one trained on such cells with --network"
            )
        if min(coarse.shape) < FEWEST:
            raise ModelFileError(
                f"expected at least {FEWEST} x {FEWEST} cells, found {' x '.join(map(str, coarse.shape))}"
            )
        fine = refined(coarse, self.model.factor)
        self._ground = under(fine)[None]
        self._projection = Projection(fine, blocks(fine, self.model.factor))
        return fine

    def untrained(self, values: Array) -> dict[str, float]:
        """Share of the cells that lie outside the training's range, by field; none of those where all lie within.

        Parameters
        ----------
        values : (fields, y, x) of the run
        """
        found = {}
        for name, field in zip(self.fields, values, strict=True):
            low, high = self._ranges[name]
            share = float(((field < low) | (field > high)).mean())
            if share:
                found[name] = share
        return found

    def draw(self, values: Array, number: int, seed: int) -> Array:
        """Members (number, fields, fine y, fine x) of one record.

        Parameters
        ----------
        values : (fields, y, x) of the run
        number : of members
        seed : of the first member; each has the next

        Raises
        ------
        ModelFileError
            Cells without a value, which would leave none anywhere.
        """
        for name, field in zip(self.fields, values, strict=True):
            if lacking := int((~np.isfinite(field)).sum()):
                raise ModelFileError(
                    f"{name} has no value in {lacking} of {field.size} cells; the network needs one in each: fill them"
                    " first"
                )
        drawn, _ = members(self.model, values[None], self._ground, number, seed, projection=self._projection)
        return drawn[:, 0]
