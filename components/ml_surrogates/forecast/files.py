# SPDX-License-Identifier: BSD-3-Clause
"""The trained network on disk."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch

from components.ml_surrogates import model_file
from components.ml_surrogates.course import Fitted, data_hash
from components.ml_surrogates.forecast.network import ForecastNetwork
from components.ml_surrogates.forecast.sampling import EVERY, Samples
from components.ml_surrogates.forecast.training import SECONDS, Settings
from components.ml_surrogates.model_file import Sidecar, Variable

NAME = "six_hour_forecast"
SHIPPED = Path(__file__).parent / "models" / "january"
"""Without ending."""
FIELDS = {"t": "K", "q": "1", "u": "m s-1", "v": "m s-1"}
COURSE = ("steps", "batch", "rate", "turn", "curriculum", "alone", "share", "parts", "half", "kept", "cpu_seconds",
          "losses")  # fmt: skip
"""What the notes say of a training."""
REMEDY = "python -m components.ml_surrogates.forecast train makes one"


class Trained(NamedTuple):
    """A network and what it may be used for.

    Attributes
    ----------
    net : trained
    card : its sidecar
    """

    net: ForecastNetwork
    card: Sidecar

    def problems(self, levels: int, spacing: float, step: float) -> list[str]:
        """What keeps a case from using it, a sentence each.

        Parameters
        ----------
        levels : of the case
        spacing : of its cells, m
        step : of the forecast, s
        """
        found = []
        if levels != self.net.levels:
            found.append(f"expected {self.net.levels} levels, those of the training, found {levels}")
        trained = float(self.card.notes["spacing"])
        if abs(spacing / trained - 1.0) > 0.1:
            found.append(
                f"expected cells of {trained / 1e3:.0f} km, those of the training, found {spacing / 1e3:.0f} km"
            )
        if step != SECONDS:
            found.append(f"expected a step of {SECONDS:.0f} s (PT6H), that of the training, found {step:.0f} s")
        return found


def save(
    path: Path, net: ForecastNetwork, sets: Sequence[Samples], settings: Settings, fitted: Fitted,
    about: Mapping[str, Any],
) -> None:  # fmt: skip
    """Write weights and sidecar.

    Parameters
    ----------
    path : without ending
    net, sets, settings, fitted : of a training
    about : anything else worth keeping
    """
    n, ins = net.levels, []
    for i, (name, unit) in enumerate(FIELDS.items()):
        ins.append(Variable(name, unit, *_range(s.states[:, :, i * n : (i + 1) * n] for s in sets)))
    ins.append(Variable("p", "Pa", *_range(torch.exp(s.states[:, :, -1]) for s in sets)))
    notes = {
        **asdict(settings), **about, "losses": fitted.losses, "cpu_seconds": round(fitted.cpu_seconds, 1),
        "height": [round(float(z), 1) for z in sets[0].at.height], "spacing": float(sets[0].at.size.mean()),
        "kinds": [kind for s in sets for kind in s.kinds],
        "hours": max(s.states.shape[1] for s in sets) * EVERY,
    }  # fmt: skip
    sizes = {"levels": n, "width": net.width, "wider": net.wider, "widest": net.widest, "parts": net.parts}
    outs = tuple(Variable(v.name, v.units) for v in ins)
    hashed = data_hash(a for s in sets for a in (s.states, s.sides))
    side = Sidecar(NAME, "u_net", sizes, tuple(ins), outs, {}, hashed, settings.seed, notes=notes)
    model_file.save(path, net.state_dict(), side)


def _range(parts: Iterable[torch.Tensor]) -> tuple[float, float]:
    """Least and largest value."""
    ends = [(float(a.min()), float(a.max())) for a in parts]
    return min(low for low, _ in ends), max(high for _, high in ends)


def course(card: Sidecar) -> dict[str, Any]:
    """What the notes of a network say of its last training."""
    return {k: card.notes[k] for k in COURSE if k in card.notes}


def load(path: Path) -> Trained:
    """A trained network.

    Raises
    ------
    ModelFileError
        The files are missing or damaged, or hold another model.
    """
    tensors, card = model_file.load_of(NAME, path, REMEDY)
    net = model_file.filled(ForecastNetwork(**card.sizes), tensors, path)
    net.rough = bool(card.notes.get("half", False))  # as it was trained
    # one map at a time is quicker with channels last: half as long on one thread
    return Trained(net.to(memory_format=torch.channels_last), card)  # type: ignore[call-overload]
