# SPDX-License-Identifier: BSD-3-Clause
"""The trained networks on disk."""

from dataclasses import asdict
from pathlib import Path

from components.ml_surrogates import model_file
from components.ml_surrogates.ensemble import toys
from components.ml_surrogates.ensemble.network import EnsembleNetwork
from components.ml_surrogates.ensemble.training import Report, Settings
from components.ml_surrogates.model_file import Sidecar, Variable

NAME = "learned_ensemble_lorenz96"


def save(path: Path, net: EnsembleNetwork, s: Settings, report: Report) -> None:
    """Write weights and sidecar.

    Parameters
    ----------
    path : without ending
    net, s, report : of a training
    """
    notes = {**asdict(s), "losses": report.losses, "cpu_seconds": round(report.cpu_seconds, 1)}
    sizes = {"latent": net.latent, "width": s.width, "blocks": s.blocks}
    states = tuple(Variable(name, "1", -6.0, 6.0) for name in ("state_before", "state"))
    out, scaling = (Variable("next_state", "1"),), {"middle": toys.MIDDLE, "width": toys.WIDTH}
    side = Sidecar(NAME, "ensemble", sizes, states, out, scaling, report.data_hash, s.seed, notes=notes)
    model_file.save(path, net.state_dict(), side)


def load(path: Path) -> EnsembleNetwork:
    """A trained network.

    Raises
    ------
    ModelFileError
        The files are missing or damaged, or hold another model.
    """
    tensors, side = model_file.load_of(NAME, path)
    return model_file.filled(EnsembleNetwork(**side.sizes), tensors, path)
