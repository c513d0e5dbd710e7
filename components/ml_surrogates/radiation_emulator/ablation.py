# SPDX-License-Identifier: BSD-3-Clause
"""What the objective (heating in the loss) and the structure (boundaries built in) are worth: perceptrons without them.

Small trainings of equal budgets from the same columns, three seeds each, scored on columns never seen.
"""

from collections.abc import Callable

import numpy as np
import torch

from components.ml_surrogates import drawn_columns
from components.ml_surrogates.drawn_columns import Array
from components.science.constants import STEFAN_BOLTZMANN

from . import dataset, training
from .dataset import Batch
from .evaluation import unseen
from .inputs import Inputs, RadiationNetwork
from .mlp import MlpRadiation
from .scores import Prediction, predict, rms, scores

BATCHES, EPOCHS, SIZE, RATE, HIDDEN = 100, 15, 128, 4.0e-3, 64
SCORES = {
    "heating": "heating, K/day", "olr": "OLR", "surface_longwave": "longwave down, ground",
    "surface_shortwave": "shortwave down, ground", "boundaries": "boundaries",
}  # fmt: skip


class FreeMlp(MlpRadiation):
    """The perceptron with every flux free: what enters at the top and what the ground gives are learned."""

    def long(self, x: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """Longwave fluxes up and down, scaled by sigma T_s^4."""
        t2 = x.columns.t_surface * x.columns.t_surface
        up, down = self._pair(self.longwave, x)
        return STEFAN_BOLTZMANN * t2 * t2 * up, STEFAN_BOLTZMANN * t2 * t2 * down

    def short(self, x: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """Shortwave fluxes up and down, as parts of the incoming."""
        return self._pair(self.shortwave, x)


VARIANTS: dict[str, tuple[type[MlpRadiation], bool]] = {
    "as shipped": (MlpRadiation, True),
    "without heating in the loss": (MlpRadiation, False),
    "free boundaries": (FreeMlp, True),
}
"""The network, and whether the loss counts the heating."""


def at_the_boundaries(got: Prediction, b: Batch) -> float:
    """Root mean square of what does not fit at the top and at the ground, W m-2.

    Parameters
    ----------
    got : fluxes
    b : their columns
    """
    c = b.x.columns
    t2 = c.t_surface * c.t_surface
    ground = c.emissivity * STEFAN_BOLTZMANN * t2 * t2 + (1.0 - c.emissivity) * got.lw_down[0]
    open_ = [got.lw_up[0] - ground, got.lw_down[-1], got.sw_down[-1] - b.insolation]
    return rms(torch.stack([*open_, got.sw_up[0] - c.albedo * got.sw_down[0]]))


def scored(net: RadiationNetwork, b: Batch) -> dict[str, float]:
    """The numbers of `SCORES`.

    Parameters
    ----------
    net : trained
    b : columns never seen
    """
    got = predict(net, b)
    found = scores(got, b)
    return {k: found[k] for k in SCORES if k != "boundaries"} | {"boundaries": at_the_boundaries(got, b)}


def ablate(
    base: dict[str, Array], seeds: int = 3, part: float = 1.0, tell: Callable[[str], None] = print
) -> dict[str, list[dict[str, float]]]:
    """Scores by variant, one set a seed.

    Parameters
    ----------
    base : drawn columns by name, (nz, n) or (n,)
    seeds : of weights and order; the columns are the same
    part : of the usual number of columns
    tell : takes a line after each training
    """
    number = max(int(part * BATCHES), 2)
    data = dataset.batches(drawn_columns.of_split(base, "train"), number, SIZE, 1, (None,), pairs=False)
    held = dataset.batches(
        drawn_columns.of_split(base, "validation"), max(number // 12, 1), SIZE, 2, (None,), pairs=False
    )
    test = unseen(base, 1500, 11)
    levels = test.x.columns.p.shape[0]
    rows: dict[str, list[dict[str, float]]] = {}
    for name, (kind, heated) in VARIANTS.items():
        for seed in range(1, seeds + 1):
            torch.manual_seed(seed)
            net = kind(levels=levels, hidden=HIDDEN)
            training.train(net, data, held, EPOCHS, seed, RATE, EPOCHS, lambda text: None, heated)
            rows.setdefault(name, []).append(scored(net.eval(), test))
            tell(f"{name}, seed {seed}: " + ", ".join(f"{k} {v:.3f}" for k, v in rows[name][-1].items()))
    return rows


def as_table(rows: dict[str, list[dict[str, float]]]) -> str:
    """Mean (worst) of the seeds, and the ratio of the means to the first variant's, as Markdown.

    Parameters
    ----------
    rows : of `ablate`
    """
    out = [f"| | {' | '.join(SCORES.values())} |", "|---" * (len(SCORES) + 1) + "|"]
    first = {k: float(np.mean([r[k] for r in next(iter(rows.values()))])) for k in SCORES}
    for name, many in rows.items():
        cells = []
        for k in SCORES:
            values = [r[k] for r in many]
            ratio = f", x {np.mean(values) / first[k]:.2f}" if first[k] > 1e-3 else ""
            cells.append(f"{np.mean(values):.3f} ({max(values):.3f}){ratio}")
        out.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(out) + "\n"
